"""Capacities only: against enumeration, valid bounds, feasible at size, repeatable, never worse than the start."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gtm_opt.instance import Dense, Instance, SideRow
from gtm_opt.measures import evaluate
from gtm_opt.solvers.generalized_assignment import generalized_assignment, is_packing
from gtm_opt.solvers.generalized_assignment.bound import knapsack_bound
from gtm_opt.solvers.generalized_assignment.tables import tables_of
from gtm_opt.solvers.local_search.arrays import lay_out
from gtm_opt.solvers.local_search.relaxation import by_prices
from gtm_opt.solvers.portfolio import auto
from gtm_opt.solvers.protocol import Run, Termination
from gtm_opt.testing import check_solver


def capacities(n: int, k: int, seed: int, kind: str = "C") -> Instance:
    """Random costs and uses of the published kinds C (free) and D (cost falls as use rises)."""
    rng = np.random.default_rng(seed)
    if kind == "C":
        use = rng.integers(5, 26, (n, k)).astype(float)
        cost = rng.integers(10, 51, (n, k)).astype(float)
    else:
        use = rng.integers(1, 101, (n, k)).astype(float)
        cost = 111.0 - use + rng.integers(-10, 11, (n, k))
    upper = np.floor(0.8 * use.sum(axis=0) / k)[:, None]
    return Instance(
        activities=use[:, :, None],
        target=upper.copy(),
        lower=np.full((k, 1), -np.inf),
        upper=upper,
        shares=upper[:, 0] / upper.sum(),
        tier=np.ones(1, dtype=np.int64),
        penalty=np.array([np.inf]),
        cost=(Dense(cost),),
    )


def best_by_enumeration(instance: Instance) -> float:
    """The least cost over all assignments that keep the capacities."""
    best = np.inf
    for choice in itertools.product(range(instance.n_territories), repeat=instance.n_units):
        found = evaluate(instance, np.array(choice))
        if found.feasible:
            best = min(best, found.objective)
    return best


@pytest.mark.parametrize("kind", ["C", "D"])
@pytest.mark.parametrize("seed", range(3))
def test_tiny_instances_are_solved_to_the_optimum_and_bounded_from_below(kind: str, seed: int) -> None:
    instance = capacities(7, 3, seed, kind)
    truth = best_by_enumeration(instance)
    result = generalized_assignment(instance, run=Run(10.0), effort=1.0)
    assert result.bound <= truth + 1e-9
    if np.isfinite(truth):
        assert result.assignment is not None
        assert evaluate(instance, result.assignment).objective == truth


@pytest.mark.parametrize("kind", ["C", "D"])
def test_the_knapsack_bound_is_at_least_the_linear_one_and_below_every_answer(kind: str) -> None:
    instance = capacities(60, 6, 1, kind)
    layout = lay_out(instance, np.zeros(60, dtype=np.int64))
    relaxation = by_prices(instance, layout, Run())
    tables = tables_of(instance, layout, relaxation)
    found = knapsack_bound(tables, relaxation.priced.min(axis=1), relaxation.bound * 1.01, Run(), rounds=60)
    answer = generalized_assignment(instance, run=Run(20.0), effort=0.2)
    assert answer.assignment is not None
    assert found.value >= relaxation.bound - 1e-6
    assert found.value <= evaluate(instance, answer.assignment).objective + 1e-6


def test_capacities_hold_within_seconds_at_size() -> None:
    instance = capacities(1_600, 80, 2, "C")
    result = generalized_assignment(instance, run=Run(60.0), effort=0.01)
    assert result.assignment is not None
    found = evaluate(instance, result.assignment)
    assert found.feasible
    assert found.objective <= 1.01 * result.bound


def test_equal_seeds_give_equal_answers() -> None:
    instance = capacities(60, 6, 3, "D")
    first, again = (generalized_assignment(instance, run=Run(60.0), seed=4, effort=0.2) for _ in range(2))
    assert first.assignment is not None
    assert again.assignment is not None
    assert np.array_equal(first.assignment, again.assignment)
    assert first.bound == again.bound


def test_the_answer_is_never_worse_than_the_start() -> None:
    instance = capacities(60, 6, 5, "D")
    good = generalized_assignment(instance, run=Run(60.0), effort=0.5)
    assert good.assignment is not None
    before = good.assignment.copy()
    again = generalized_assignment(instance, run=Run(60.0), effort=0.01, seed=9, start=good.assignment)
    assert np.array_equal(before, good.assignment)
    assert again.assignment is not None
    assert evaluate(instance, again.assignment).objective <= evaluate(instance, before).objective


def test_the_time_limit_is_kept_without_an_end_to_the_effort() -> None:
    instance = capacities(200, 20, 6, "D")
    generalized_assignment(instance, run=Run(20.0), effort=0.01)
    run = Run(1.0)
    result = generalized_assignment(instance, run=run, effort=np.inf)
    assert run.seconds < 1.5
    assert result.termination is Termination.TIME_LIMIT
    assert result.assignment is not None
    assert evaluate(instance, result.assignment).feasible


def test_other_limits_are_not_taken_for_capacities() -> None:
    instance = capacities(20, 4, 7)
    from dataclasses import replace

    assert is_packing(instance)
    assert not is_packing(replace(instance, lower=np.full((4, 1), 1.0)))
    assert not is_packing(replace(instance, apart=(np.array([0, 1]),)))
    assert not is_packing(replace(instance, side=(SideRow("use", Dense(np.ones((20, 4))), 30.0),)))
    assert not is_packing(replace(instance, penalty=np.array([5.0])))


def test_auto_hands_capacities_over() -> None:
    instance = capacities(60, 6, 8)
    result = auto(instance, run=Run(30.0), effort=0.1)
    assert result.assignment is not None
    assert evaluate(instance, result.assignment).feasible
    assert "knapsacks" in {step.name for step in result.steps}


def test_barred_pairs_and_fractional_sizes_are_kept() -> None:
    whole = capacities(40, 5, 9)
    rng = np.random.default_rng(9)
    cost = rng.random((40, 5)) * 10.0
    cost[rng.random((40, 5)) < 0.3] = np.inf
    cost[np.arange(40), np.arange(40) % 5] = 5.0
    from dataclasses import replace

    use = whole.activities * 1.01
    instance = replace(whole, activities=use, upper=whole.upper * 1.3, cost=(Dense(cost),))
    result = generalized_assignment(instance, run=Run(30.0), effort=0.1)
    assert result.assignment is not None
    found = evaluate(instance, result.assignment)
    assert found.feasible
    assert result.bound <= found.objective + 1e-9


def test_packing_conforms_to_the_protocol() -> None:
    assert all(outcome.passed for outcome in check_solver(generalized_assignment, checks=["interrupt_gives_incumbent"]))
