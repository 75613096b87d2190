"""Annealing many exchanges at a time: what it says of an assignment is true."""

from __future__ import annotations

import numpy as np
import pytest

from gtm_opt.solvers.balancing.problem import DEVIATION, PEAK, SPREAD, BalancingProblem
from gtm_opt.solvers.balancing.sweep import Sweeper, sweepable


def _problem(n, m, k, kind=SPREAD, seed=0):
    w = np.random.default_rng(seed).uniform(0.0, 1e5, size=(n, m))
    return BalancingProblem(
        weights=w,
        scale=np.ones((k, m)),
        offset=np.repeat(w.sum(axis=0)[None, :] / k, k, axis=0),
        kind=kind,
        base=0.0,
        allowed=np.ones((1, 1), dtype=np.uint8),
        rival_start=np.zeros(1, dtype=np.int64),
        rivals=np.zeros(0, dtype=np.int64),
    )


def _sweeper(problem, seed=3):
    return Sweeper(problem, np.random.default_rng(seed), np.array([seed + 1], dtype=np.uint64))


@pytest.mark.parametrize(("n", "m", "k"), [(40, 3, 2), (41, 8, 2), (60, 6, 4), (30, 5, 10), (9, 2, 3), (5, 2, 5)])
@pytest.mark.parametrize("kind", [SPREAD, DEVIATION])
def test_the_value_reported_is_that_of_the_best_assignment(n, m, k, kind):
    problem = _problem(n, m, k, kind)
    current = np.random.default_rng(1).integers(k, size=n).astype(np.int64)
    first = problem.value(problem.deviations(current))
    best = current.copy()
    value = _sweeper(problem).turns(current, 0.2, 0.01, 3000, best, np.inf)
    assert sorted(np.unique(np.concatenate([best, current]))) <= list(range(k))
    assert value == pytest.approx(problem.value(problem.deviations(best)), rel=1e-3, abs=5.0)
    assert value < first


def test_empty_territories_are_filled():
    problem = _problem(40, 4, 3)
    current = np.zeros(40, dtype=np.int64)
    best = current.copy()
    _sweeper(problem).turns(current, 0.2, 0.01, 3000, best, np.inf)
    assert len(np.unique(best)) == 3


def test_the_same_numbers_give_the_same_assignment():
    problem = _problem(50, 6, 5)
    found = []
    for _ in range(2):
        best = np.arange(50) % 5
        _sweeper(problem).turns(best.copy(), 0.2, 0.01, 2000, best, np.inf)
        found.append(best)
    assert np.array_equal(*found)


def test_the_scan_finds_a_temperature_once():
    problem = _problem(50, 6, 5)
    sweeper, kept = _sweeper(problem), []
    start = np.arange(50) % 5
    assert sweeper.scan(start, kept.append, lambda: False) > 0
    assert 0.0005 < sweeper.melt < 0.3
    assert len(kept) == 1
    assert sweeper.scan(start, kept.append, lambda: False) == 0


def test_rules_and_peaks_are_left_to_single_proposals():
    assert sweepable(_problem(20, 3, 4))
    assert not sweepable(_problem(20, 3, 4, PEAK))
    assert not sweepable(_problem(20, 3, 1))
