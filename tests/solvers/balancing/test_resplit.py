"""Re-splits: lists of short sums of exchanges are what they say."""

from __future__ import annotations

import numpy as np
import pytest

from gtm_opt.solvers.balancing.problem import SPREAD, BalancingProblem
from gtm_opt.solvers.balancing.resplit import Resplitter


def _problem(n, m, k, seed=0):
    w = np.random.default_rng(seed).uniform(0.0, 1e5, size=(n, m))
    return BalancingProblem(
        weights=w,
        scale=np.ones((k, m)),
        offset=np.repeat(w.sum(axis=0)[None, :] / k, k, axis=0),
        kind=SPREAD,
        base=0.0,
        allowed=np.ones((1, 1), dtype=np.uint8),
        rival_start=np.zeros(1, dtype=np.int64),
        rivals=np.zeros(0, dtype=np.int64),
    )


@pytest.mark.parametrize("length", [64, 1024, 60_000])
def test_each_listed_sum_is_that_of_the_units_it_flips(length):
    problem = _problem(40, 3, 2)
    splitter = Resplitter(problem, np.arange(40), np.random.default_rng(1), length)
    in_a, in_b = np.arange(0, 9), np.arange(20, 29)
    side = splitter._pairs(in_a, in_b, problem.scale[0])
    assert 1 < len(side.sums) <= length
    sizes = set()
    for position in range(0, len(side.sums), max(1, len(side.sums) // 200)):
        units = side.flips(position)
        assert len(set(units.tolist())) == len(units)
        sign = np.where(units < 20, -1.0, 1.0)[:, None]
        assert side.sums[position] == pytest.approx((sign * problem.weights[units]).sum(axis=0), abs=1e-6)
        sizes.add(int((side.picks[position] >= 0).sum()))
    assert max(sizes) == 3


@pytest.mark.parametrize("k", [2, 3, 5])
def test_a_resplit_changes_two_territories_and_keeps_deviations_true(k):
    problem = _problem(90, 4, k)
    splitter = Resplitter(problem, np.arange(90), np.random.default_rng(2), 512)
    assign = np.random.default_rng(3).integers(k, size=90)
    x, before = problem.deviations(assign), assign.copy()
    improved = [splitter.improve(assign, x, 0, 1) for _ in range(6)]
    assert any(improved)
    assert x == pytest.approx(problem.deviations(assign), abs=1e-5)
    assert np.array_equal(assign[before > 1], before[before > 1])
