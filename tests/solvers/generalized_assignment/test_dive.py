"""Dives and reopening: complete assignments, other territories left alone, never worse, close to the bound."""

from __future__ import annotations

import numpy as np
import pytest

from gtm_opt.solvers.generalized_assignment.bound import KnapsackBound, knapsack_bound
from gtm_opt.solvers.generalized_assignment.dive import Beam, Diver
from gtm_opt.solvers.generalized_assignment.reopen import Reopener
from gtm_opt.solvers.generalized_assignment.tables import Tables, tables_of
from gtm_opt.solvers.generalized_assignment.walkers import ChainParams, Walker, first_assignment
from gtm_opt.solvers.local_search.arrays import lay_out
from gtm_opt.solvers.local_search.relaxation import by_prices
from gtm_opt.solvers.protocol import Run
from tests.solvers.generalized_assignment.test_generalized_assignment import capacities


def prepared(n: int, k: int, seed: int) -> tuple[Tables, KnapsackBound]:
    """Tables and prices of a random instance whose costs fall as uses rise."""
    instance = capacities(n, k, seed, "D")
    layout = lay_out(instance, np.zeros(n, dtype=np.int64))
    relaxation = by_prices(instance, layout, Run())
    tables = tables_of(instance, layout, relaxation)
    return tables, knapsack_bound(tables, relaxation.priced.min(axis=1), relaxation.bound * 1.01, Run(), rounds=80)


@pytest.fixture(scope="module")
def case() -> tuple[Tables, KnapsackBound]:
    return prepared(60, 6, 1)


def opener(case: tuple[Tables, KnapsackBound], seed: int) -> Reopener:
    tables, bound = case
    walker = Walker(tables, first_assignment(tables), seed, ChainParams())
    return Reopener(Diver(tables, bound.prices, bound.value), walker, seed)


def test_a_dive_gives_every_unit_a_territory_and_leaves_closed_territories_alone(
    case: tuple[Tables, KnapsackBound],
) -> None:
    tables, bound = case
    diver = Diver(tables, bound.prices, bound.value)
    start = first_assignment(tables)
    rng = np.random.default_rng(0)
    found = diver(np.array([0, 2, 5]), start, np.inf, Beam(), rng, Run())
    assert found
    closed = ~np.isin(start, [0, 2, 5])
    for assignment in found:
        assert np.array_equal(assignment[closed], start[closed])
        assert np.isin(assignment[~closed], np.arange(6)).all()


def test_a_cutoff_below_the_bound_leaves_nothing(case: tuple[Tables, KnapsackBound]) -> None:
    tables, bound = case
    diver = Diver(tables, bound.prices, bound.value)
    nowhere = np.full(60, -1, dtype=np.int64)
    rng = np.random.default_rng(0)
    assert diver(np.arange(6), nowhere, bound.value - 50.0, Beam(), rng, Run()) == []


def test_dives_end_within_a_few_percent_of_the_bound(case: tuple[Tables, KnapsackBound]) -> None:
    cost, assignment = opener(case, 1).fresh(Beam(5, 3, 0.2), Run())
    assert case[0].cost_of(assignment) == cost
    assert case[1].value <= cost <= 1.03 * case[1].value


def test_reopening_never_makes_it_worse_and_repeats_for_equal_seeds(case: tuple[Tables, KnapsackBound]) -> None:
    ends = []
    for _ in range(2):
        one = opener(case, 2)
        cost, assignment = one.fresh(Beam(2, 2, 0.2), Run())
        for _ in range(10):
            before = cost
            cost, assignment = one.again(cost, assignment, Run())
            assert cost <= before
            assert case[0].cost_of(assignment) == cost
        ends.append(assignment)
    assert np.array_equal(*ends)
