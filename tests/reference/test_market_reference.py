"""Small answers computed by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import gtm_opt as gtm
from gtm_opt.market.size import rake
from gtm_opt.market.white_space import shrunk_shares


def test_two_of_three_peers_are_drawn_to_the_group_above() -> None:
    """All: 2 of 10 own it. Strength 10: (2 + 10 x 0.2) / (3 + 10) = 4/13; the other seven (0 + 2) / 17."""
    share = shrunk_shares(np.array([1.0, 1.0, 0.0] + [0.0] * 7), [np.array([0] * 3 + [1] * 7)], 10.0)
    assert share[0] == pytest.approx(4 / 13)
    assert share[-1] == pytest.approx(2 / 17)


def test_raking_by_hand() -> None:
    """[[40, 30], [35, 50]] to rows 80, 70 and columns 90, 60: odds ratio 40 x 50 / (30 x 35) stays."""
    labels = {"r": np.array(["a", "a", "b", "b"]), "c": np.array(["u", "v", "u", "v"])}
    seed = np.array([40.0, 30.0, 35.0, 50.0])
    fitted = seed * rake(seed, labels, {"r": {"a": 80.0, "b": 70.0}, "c": {"u": 90.0, "v": 60.0}})
    assert fitted[0] + fitted[1] == pytest.approx(80.0)
    assert fitted[0] + fitted[2] == pytest.approx(90.0)
    assert fitted[0] * fitted[3] / (fitted[1] * fitted[2]) == pytest.approx(40 * 50 / (30 * 35))


def test_expected_values_by_tier_sum_to_the_note_of_the_design() -> None:
    """p .30/.10/.02, deals of 120/60/25 thousand, 150/400/1,200 accounts: 5,400 + 2,400 + 600 = 8,400 thousand."""
    odds, deal, n = [0.30, 0.10, 0.02], [120.0, 60.0, 25.0], [150, 400, 1200]
    accounts = pd.DataFrame(
        {
            "account_id": [f"a{i}" for i in range(sum(n))],
            "tier": np.repeat(["A", "B", "C"], n),
            "potential": np.repeat(deal, n),
            "p": np.repeat(odds, n),
        }
    )
    size = gtm.market_size(accounts, by=["tier"], probability="p")
    assert size.table().set_index("tier")["som"].round(2).to_dict() == {"A": 5400.0, "B": 2400.0, "C": 600.0}
    assert size.total["som"] == pytest.approx(8400.0)
