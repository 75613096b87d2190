"""The obvious routes of the benchmark compute the same as the library."""

from __future__ import annotations

import numpy as np
import pytest

import gtm_opt as gtm
from benchmarks import odds


def test_the_pandas_loop_gives_the_same_capacity() -> None:
    team, roles = odds.make_team(40)
    assert odds.pandas_capacity(team, 12) == pytest.approx(gtm.capacity(team, roles, gtm.Calendar("2026-01")).total)


def test_the_numpy_simulation_has_the_same_mean_and_spread() -> None:
    team, roles = odds.make_team(30)
    plain = odds.numpy_odds(team, 8_000)
    words = {"attrition": odds.ATTRITION, "backfill": gtm.Backfill(odds.LAG), "attainment": odds.ATTAINMENT}
    ours = gtm.simulate(team, roles, gtm.Calendar("2026-01"), 1.0, paths=8_000, **words).totals()[:, 0]
    error = np.hypot(plain.std(), ours.std()) / np.sqrt(8_000)
    assert abs(plain.mean() - ours.mean()) < 4 * error
    assert ours.std() == pytest.approx(plain.std(), rel=0.05)
