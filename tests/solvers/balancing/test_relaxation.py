"""The relaxation of packing by patterns, and dives through it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from gtm_opt.solvers.balancing.dive import Diver
from gtm_opt.solvers.balancing.relaxation import Pool, Relaxation


def pool(sizes: np.ndarray, capacity: int) -> Pool:
    value, count = np.unique(-sizes, return_counts=True)
    return Pool((-value).astype(np.int64), count.astype(np.int64), capacity)


def go_on() -> bool:
    return False


def covered_by(patterns: np.ndarray, count: np.ndarray) -> float:
    found = linprog(np.ones(len(patterns)), A_ub=-patterns.T.astype(float), b_ub=-count.astype(float))
    return float(found.fun)


@pytest.mark.parametrize(("n", "top", "capacity"), [(60, 800, 1000), (200, 100, 150), (80, 40, 300)])
def test_the_relaxation_is_the_optimum_over_its_patterns_and_its_bound_meets_it(n, top, capacity):
    sizes = np.random.default_rng(n).integers(1, top + 1, size=n)
    known = pool(sizes, capacity)
    relaxation = Relaxation(known, np.random.default_rng(0))
    value = relaxation.solve(np.inf, np.inf, go_on, optimal=True)
    assert value == pytest.approx(covered_by(known.patterns, known.count), abs=1e-5)
    assert relaxation.bound == pytest.approx(value, abs=1e-5)
    assert relaxation.bound <= value + 1e-9
    assert (known.patterns @ known.value <= capacity).all()


def test_dual_steps_follow_a_falling_demand():
    sizes = np.random.default_rng(1).integers(1, 801, size=80)
    known = pool(sizes, 1000)
    relaxation = Relaxation(known, np.random.default_rng(0))
    relaxation.solve(np.inf, np.inf, go_on, optimal=True)
    fewer = known.count.copy()
    fewer[::3] = 0
    branch = relaxation.branch()
    before = relaxation.price.copy()
    branch.demand(fewer)
    branch.solve(np.inf, np.inf, go_on, optimal=True)
    assert branch.value == pytest.approx(covered_by(known.patterns, fewer), abs=1e-5)
    assert np.array_equal(relaxation.price, before)
    assert relaxation.value > branch.value


def test_a_large_capacity_needs_no_table():
    sizes = np.random.default_rng(2).integers(10**8, 10**9, size=60)
    relaxation = Relaxation(pool(sizes, 1_600_000_000), np.random.default_rng(0))
    value = relaxation.solve(np.inf, np.inf, go_on, optimal=True)
    assert sizes.sum() / 1.6e9 - 1e-6 <= relaxation.bound <= value + 1e-6


def test_what_dives_fix_is_within_the_capacity_and_covers_with_the_rest():
    sizes = np.random.default_rng(3).integers(1, 801, size=100)
    known = pool(sizes, 1000)
    diver = Diver(known, 45, np.random.default_rng(0))
    assert diver.bound(np.inf, go_on) <= 45
    for _ in range(3):
        fixed, rest = diver.dive(np.inf, go_on)
        assert all(pattern @ known.value <= 1000 for pattern in fixed)
        assert np.array_equal(np.sum(fixed, axis=0) + rest, known.count)
    short = int(sizes.sum()) // 1000 - 1
    assert Diver(known, short, np.random.default_rng(0)).bound(np.inf, go_on) > short
