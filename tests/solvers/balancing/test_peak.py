"""One integer criterion: P||Cmax and bin packing with a given number of bins."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtm_opt.instance import Evenness, EvennessKind, Instance
from gtm_opt.measures import evaluate
from gtm_opt.solvers import Run, Termination
from gtm_opt.solvers.balancing import BalancingSolver, balancing
from gtm_opt.solvers.balancing.packing_bounds import bins_bound, load_bound
from gtm_opt.solvers.balancing.patterns import PatternModel


def machines(sizes, k) -> Instance:
    weights = np.asarray(sizes, dtype=float)[:, None]
    target = np.full((k, 1), weights.sum() / k)
    free = np.full((k, 1), np.inf)
    return Instance(
        weights,
        target,
        -free,
        free,
        np.full(k, 1.0 / k),
        np.ones(1, dtype=np.int64),
        np.full(1, np.inf),
        evenness=Evenness(EvennessKind.PEAK, np.ones((k, 1))),
    )


def triplets(bins: int, rng: np.random.Generator) -> np.ndarray:
    """Three sizes per bin of 1000, no room to spare."""
    first = rng.integers(380, 491, size=bins)
    second = np.array([rng.integers(250, (1000 - a) // 2 + 1) for a in first])
    return np.concatenate([first, second, 1000 - first - second])


def smallest_peak(sizes: np.ndarray, k: int) -> int:
    everyone = itertools.product(range(k), repeat=len(sizes))
    return min(int(np.bincount(a, weights=sizes, minlength=k).max()) for a in everyone)


@given(st.lists(st.integers(1, 60), min_size=2, max_size=7), st.integers(2, 3))
@settings(max_examples=15, deadline=None)
def test_the_bound_is_below_and_the_answer_at_the_smallest_peak(sizes, k):
    sizes = np.array(sizes)
    best = smallest_peak(sizes, k)
    assert load_bound(sizes, k) <= best
    result = balancing(machines(sizes, k), run=Run(), effort=0.1)
    assert evaluate(machines(sizes, k), result.assignment).objective == best
    assert result.bound <= best


@given(st.lists(st.integers(1, 20), min_size=2, max_size=7), st.integers(2, 3), st.integers(0, 6))
@settings(max_examples=25, deadline=None)
def test_the_pattern_model_answers_like_all_assignments(sizes, k, more):
    sizes = np.array(sizes)
    capacity = max(-(-int(sizes.sum()) // k), int(sizes.max())) + more
    model = PatternModel(sizes, k, capacity, np.random.default_rng(0))
    fits, assign = model.answer(5.0, Run())
    assert fits == (smallest_peak(sizes, k) <= capacity)
    if fits:
        assert np.bincount(assign, weights=sizes, minlength=k).max() <= capacity


@given(st.lists(st.integers(1, 30), min_size=1, max_size=7), st.integers(30, 60))
@settings(max_examples=25, deadline=None)
def test_the_bound_on_bins_never_exceeds_what_is_possible(sizes, capacity):
    sizes = np.array(sizes)
    bound = bins_bound(sizes, capacity)
    assert bound == 1 or smallest_peak(sizes, bound - 1) > capacity


def test_generated_columns_find_a_packing_and_prove_there_is_none():
    sizes = np.random.default_rng(5).integers(1, 1001, size=50)
    rng = np.random.default_rng(0)
    loose = PatternModel(sizes, 20, 1221, rng, listed=0).answer(20.0, Run())
    assert loose[0] is True
    assert np.bincount(loose[1], weights=sizes, minlength=20).max() <= 1221
    assert PatternModel(sizes, 20, 1186, rng, listed=0).answer(20.0, Run())[0] is False


@pytest.mark.parametrize("bins", [20, 40])
def test_triplets_without_room_to_spare_are_packed(bins):
    result = balancing(machines(triplets(bins, np.random.default_rng(bins)), bins), run=Run())
    assert result.termination is Termination.PROVED
    assert result.bound == 1000.0


@pytest.mark.parametrize(("n", "k", "top"), [(30, 10, 100), (100, 5, 1000), (500, 25, 100)])
def test_uniform_jobs_are_scheduled_to_proven_optimality(n, k, top):
    sizes = np.random.default_rng(n).integers(1, top + 1, size=n)
    result = balancing(machines(sizes, k), run=Run())
    assert result.termination is Termination.PROVED
    loads = np.bincount(result.assignment, weights=sizes, minlength=k)
    assert loads.max() == result.bound


@pytest.mark.determinism
def test_the_peak_is_the_same_for_any_number_of_workers():
    sizes = np.random.default_rng(7).integers(1, 801, size=80)
    instance = machines(sizes, 32)
    one, two = (BalancingSolver(workers=w)(instance, run=Run(), seed=1, effort=0.1) for w in (1, 2))
    assert np.array_equal(one.assignment, two.assignment)
    assert one.bound == two.bound


def test_a_time_limit_holds_for_a_tight_packing():
    sizes = np.random.default_rng(8).integers(1, 801, size=160)
    balancing(machines(sizes, 64), run=Run(), effort=0.2)  # compiles
    run = Run(1.0)
    balancing(machines(sizes, 64), run=run, effort=np.inf)
    assert run.seconds < 2.0


def test_a_time_limit_holds_for_a_capacity_beyond_any_table():
    sizes = np.random.default_rng(9).integers(1, 10**9, size=300)
    balancing(machines(sizes, 40), run=Run(), effort=0.1)  # compiles
    run = Run(1.0)
    balancing(machines(sizes, 40), run=run, effort=np.inf)
    assert run.seconds < 2.0
