"""Bands missed after rounding are repaired among few territories at a time, whatever the number of territories."""

from __future__ import annotations

import numpy as np

from benchmarks.owners import owners_instance
from gtm_opt.measures import evaluate, rank
from gtm_opt.solvers import Run
from gtm_opt.solvers.lagrangian import solve_prices
from gtm_opt.solvers.rounding import round_prices
from gtm_opt.solvers.rounding.part import territories_instance
from gtm_opt.solvers.rounding.repair import repair_bands


def test_rounding_keeps_the_bands_of_many_territories_where_whole_classes_tie() -> None:
    """20 territories, owners only: a pipeline that a full book lacks sits where no price would take it from."""
    instance = owners_instance(8_000, k=20)
    prices = solve_prices(instance, Run(), 0.5)
    assignment = round_prices(instance, prices, Run(), effort=0.5)
    outcome = evaluate(instance, assignment)
    assert outcome.feasible
    assert outcome.objective <= prices.bound * 1.05


def test_repair_never_gives_a_worse_plan_back() -> None:
    instance = owners_instance(600, k=12, band=0.05)
    prices = solve_prices(instance, Run(), 0.1)
    start = np.asarray(instance.previous)
    rng = np.random.default_rng(0)

    def at_random(part: object, priced: object, begin: np.ndarray, run: Run, seed: int, attempt: int) -> np.ndarray:
        return np.where(rng.random(len(begin)) < 0.1, rng.permutation(begin), begin)

    repaired = repair_bands(instance, prices, start, Run(), 0, at_random)  # type: ignore[arg-type]
    assert rank(instance, evaluate(instance, repaired)) <= rank(instance, evaluate(instance, start))


def test_a_plan_in_its_bands_is_left_alone() -> None:
    instance = owners_instance(400, k=12, band=9.0)
    prices = solve_prices(instance, Run(), 0.1)
    start = np.arange(400) % 12
    assert evaluate(instance, start).in_band
    assert repair_bands(instance, prices, start, Run(), 0, None) is start  # type: ignore[arg-type]


def test_part_of_the_territories_has_the_totals_and_costs_of_the_whole() -> None:
    instance = owners_instance(300, k=6, kind="mixed")
    where = np.arange(300) % 6
    chosen = np.array([1, 4, 5])
    units = np.flatnonzero(np.isin(where, chosen))
    part = territories_instance(instance, where, units, chosen)
    inside = evaluate(part, np.searchsorted(chosen, where[units]))
    whole = evaluate(instance, where)
    np.testing.assert_allclose(inside.totals, whole.totals[chosen])
    np.testing.assert_allclose(inside.excess, whole.excess[chosen])
    cost = instance.cost_block(slice(0, 300))[np.arange(300), where]
    np.testing.assert_allclose(inside.cost, cost[units].sum())
