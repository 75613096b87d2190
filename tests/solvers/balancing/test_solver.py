"""The pure-balance solver."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtm_opt.instance import Dense, Evenness, EvennessKind, Instance, PinTerm
from gtm_opt.measures import evaluate
from gtm_opt.solvers import Run, Termination, get_solver
from gtm_opt.solvers.balancing import BalancingSolver, balancing, evenness_bound, vector_greedy
from gtm_opt.solvers.balancing.problem import normal_form
from gtm_opt.solvers.balancing.search import Stream

KINDS = list(EvennessKind)


def instance_of(weights, k, kind=EvennessKind.SPREAD, shares=None, **rest) -> Instance:
    weights = np.asarray(weights, dtype=float)
    m = weights.shape[1]
    s = np.full(k, 1.0 / k) if shares is None else np.asarray(shares, dtype=float)
    target = s[:, None] * weights.sum(axis=0)
    unit = np.where(target > 0, target, 1.0) if kind is EvennessKind.DEVIATION else np.ones((k, m))
    free = np.full((k, m), np.inf)
    return Instance(
        weights,
        target,
        -free,
        free,
        s,
        np.ones(m, dtype=np.int64),
        np.full(m, np.inf),
        evenness=Evenness(kind, unit),
        **rest,
    )


def brute_force(instance: Instance) -> float:
    everyone = itertools.product(range(instance.n_territories), repeat=instance.n_units)
    return min(evaluate(instance, np.array(a)).objective for a in everyone)


def solve(instance: Instance, **rest):
    return balancing(instance, run=Run(rest.pop("time_limit", None)), effort=rest.pop("effort", 0.02), **rest)


def test_the_registry_knows_it_by_name():
    assert get_solver("balancing") is balancing


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_bound_is_below_and_answer_is_at_the_best_of_all_assignments(kind, data):
    k = data.draw(st.integers(2, 3))
    m = data.draw(st.integers(1, 2))
    cells = st.lists(st.integers(0, 30), min_size=m, max_size=m)
    weights = np.array(data.draw(st.lists(cells, min_size=2, max_size=6)))
    shares = np.full(k, 1.0 / k) if data.draw(st.booleans()) else np.arange(1, k + 1) / (k * (k + 1) / 2)
    instance = instance_of(weights, k, kind, shares)
    result = solve(instance)
    value, best = evaluate(instance, result.assignment).objective, brute_force(instance)
    assert evenness_bound(instance) <= best * (1 + 1e-9) + 1e-9
    assert result.bound <= best * (1 + 1e-9) + 1e-9
    assert value >= best - 1e-9
    if np.ptp(shares) == 0:
        assert value <= best * (1 + 1e-9) + 1e-9


def test_proved_means_that_the_bound_is_met():
    result = solve(instance_of(np.arange(1, 41)[:, None], 4, EvennessKind.PEAK))
    assert result.termination is Termination.PROVED
    assert result.bound == 205.0


@pytest.mark.determinism
@pytest.mark.parametrize("workers", [1, 2])
def test_same_seed_gives_the_same_answer_for_any_number_of_workers(workers):
    weights = np.random.default_rng(3).lognormal(size=(60, 3))
    instance = instance_of(weights, 4, EvennessKind.DEVIATION)
    first = BalancingSolver(workers=1)(instance, run=Run(), seed=5, effort=0.05).assignment
    again = BalancingSolver(workers=workers)(instance, run=Run(), seed=5, effort=0.05).assignment
    assert np.array_equal(first, again)


def test_pins_bars_and_apart_groups_are_kept():
    rng = np.random.default_rng(0)
    weights = rng.lognormal(size=(50, 2))
    pin = np.full(50, -1)
    pin[:6] = [0, 0, 1, 2, 2, 2]
    apart = (np.array([10, 11, 12]), np.array([12, 13]))
    instance = instance_of(weights, 3, EvennessKind.DEVIATION, cost=(PinTerm(pin, 3),), apart=apart)
    result = solve(instance, effort=0.1)
    found = evaluate(instance, result.assignment)
    assert found.rules_kept
    assert found.objective < 0.05


def test_the_answer_is_never_worse_than_the_start():
    weights = np.random.default_rng(1).random((12, 1))
    instance = instance_of(weights, 3)
    good = solve(instance, effort=0.5).assignment
    again = solve(instance, effort=0.0, start=good).assignment
    assert evaluate(instance, again).objective <= evaluate(instance, good).objective


def test_a_time_limit_holds():
    weights = np.random.default_rng(2).random((300, 12))
    instance = instance_of(weights, 7)
    run = Run(0.5)
    result = balancing(instance, run=run, effort=np.inf)
    assert run.seconds < 5.0  # compiling included
    assert result.termination is Termination.TIME_LIMIT


@pytest.mark.parametrize(("m", "k", "kind"), [(10, 2, EvennessKind.SPREAD), (3, 20, EvennessKind.DEVIATION)])
def test_a_time_limit_holds_for_many_units(m, k, kind):
    instance = instance_of(np.random.default_rng(3).random((500, m)), k, kind)
    solve(instance, effort=0.001)  # compiles
    run = Run(1.0)
    balancing(instance, run=run, effort=np.inf)
    assert run.seconds < 2.0


def test_annealing_ends_when_nothing_moves_any_more():
    instance = instance_of(np.random.default_rng(4).random((40, 8)), 4)
    problem = normal_form(instance)
    assign = vector_greedy(instance)
    stream = Stream(problem, assign, 0, 0.0, lambda: False)
    stream.anneal(assign, 20_000_000, hot=0.1, cold=0.001)
    assert stream.steps < 10_000_000


def test_vector_greedy_is_lpt_for_one_criterion():
    rng = np.random.default_rng(4)
    weights = rng.integers(1, 100, size=(30, 1)).astype(float)
    instance = instance_of(weights, 4, EvennessKind.PEAK)
    value = evaluate(instance, vector_greedy(instance)).objective
    assert value <= (4 / 3 - 1 / 12) * evenness_bound(instance) * 4 / 3
    loads = np.zeros(4)
    for size in np.sort(weights[:, 0])[::-1]:
        loads[loads.argmin()] += size
    assert value == loads.max()


def test_cost_breaks_the_tie_between_alike_territories():
    weights = np.array([[9.0], [8.0], [7.0], [5.0], [5.0], [4.0]])
    cost = np.tile(np.arange(3.0)[None, :], (6, 1)) * np.array([1, 1, 10, 1, 1, 1])[:, None]
    instance = instance_of(weights, 3, EvennessKind.PEAK, cost=(Dense(cost),))
    result = solve(instance)
    assert evaluate(instance, result.assignment).objective == 13.0
    assert result.assignment[2] == 0
