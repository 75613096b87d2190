"""The failure on a vendor's own page: one state, one present owner, three territories, disruption first."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import gtm_opt as gtm

COUNT = 12_000


@pytest.fixture(scope="module")
def one_owner() -> gtm.CarvingProblem:
    """Return 12,000 equal accounts that all belong to T1, with a tolerance of 2 % on their number."""
    accounts = pd.DataFrame({"account_id": np.arange(COUNT), "owner": "T1"})
    return gtm.CarvingProblem(accounts, 3, [gtm.Count(tolerance=0.02)], [gtm.KeepOwner()])


def test_the_waterfall_fails_as_published(one_owner: gtm.CarvingProblem) -> None:
    carving = gtm.carve(one_owner, solver="waterfall")
    counts = carving.labels.value_counts().reindex(["T1", "T2", "T3"], fill_value=0)
    assert counts.tolist() == [12_000, 0, 0]
    assert not carving.check.ok
    assert carving.status is gtm.SolveStatus.OUT_OF_BAND


def test_carve_gives_about_four_thousand_each_and_moves_no_more_than_that_takes(one_owner: gtm.CarvingProblem) -> None:
    carving = gtm.carve(one_owner)
    counts = carving.labels.value_counts().reindex(["T1", "T2", "T3"], fill_value=0)
    assert counts.sum() == COUNT
    assert counts.between(3_920, 4_080).all()
    assert carving.check.ok
    assert counts["T1"] == 4_080  # the upper end of its band: the fewest moves
    assert carving.moved.set_index("measure").loc["accounts", "moved"] == COUNT - 4_080
    assert carving.certificate.gap <= 1e-4
