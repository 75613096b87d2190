"""Rounding keeps rules, mends bands and loses little."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gtm_opt.instance import Dense, Instance, MoveCost, SideRow
from gtm_opt.measures import evaluate, territory_totals
from gtm_opt.solvers.lagrangian import solve_prices
from gtm_opt.solvers.protocol import Run
from gtm_opt.solvers.rounding import core_units, round_prices
from gtm_opt.solvers.rounding.margins import cheapest_places, dithered
from gtm_opt.solvers.rounding.rounding import make_core


def make_instance(
    n: int = 800, k: int = 4, seed: int = 0, *, by_territory: bool = False, band: float = 0.02
) -> Instance:
    """Skewed units with random preferences."""
    rng = np.random.default_rng(seed)
    activities = rng.lognormal(0.0, 1.0, (n, k, 2) if by_territory else (n, 2))
    total = activities.mean(axis=1).sum(axis=0) if by_territory else activities.sum(axis=0)
    target = np.repeat(total[None] / k, k, axis=0)
    return Instance(
        activities=activities,
        target=target,
        lower=target * (1.0 - band),
        upper=target * (1.0 + band),
        shares=np.full(k, 1.0 / k),
        tier=np.ones(2, dtype=np.int64),
        penalty=np.full(2, np.inf),
        cost=(Dense(rng.uniform(size=(n, k)) + np.linspace(0.0, 0.5, k)),),
    )


def solve(instance: Instance, **options: object):
    found = solve_prices(instance, Run())
    answer = round_prices(instance, found, Run(), **options)
    return found, answer, evaluate(instance, answer)


@pytest.mark.parametrize("by_territory", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_rounded_answers_are_in_the_band_within_a_percent(seed, by_territory):
    instance = make_instance(seed=seed, by_territory=by_territory)
    found, _, outcome = solve(instance)
    assert outcome.feasible
    assert found.bound <= outcome.objective <= found.bound * 1.01


def test_elastic_bands_are_left_only_where_that_pays():
    instance = replace(make_instance(), penalty=np.full(2, 0.01 * 800))  # below the prices of hard bands
    found, _, outcome = solve(instance)
    assert outcome.excess.sum() > 0
    assert found.bound <= outcome.objective <= found.bound * 1.01


def test_side_rows_are_kept_while_bands_are_mended():
    base = make_instance()
    home = np.arange(800) % 4
    rows = (SideRow("moved", MoveCost(home, np.ones(800), 4), 200.0),)
    _, answer, outcome = solve(replace(base, side=rows, lower=base.lower * 0.9, upper=base.upper * 1.1))
    assert outcome.feasible
    assert (answer != home).sum() <= 200


def test_apart_groups_end_in_different_territories():
    groups = tuple(np.arange(start, start + 3) for start in range(0, 60, 3))
    _, answer, outcome = solve(replace(make_instance(), apart=groups))
    assert outcome.feasible
    assert all(len(set(answer[group])) == 3 for group in groups)


def test_barred_pairs_are_never_used():
    base = make_instance()
    cost = base.cost_block(slice(0, 800))
    cost[np.random.default_rng(1).random(cost.shape) < 0.3] = np.inf
    cost[:, 0] = np.where(np.isinf(cost).all(axis=1), 1.0, cost[:, 0])
    _, answer, outcome = solve(replace(base, cost=(Dense(cost),)))
    assert outcome.feasible
    assert np.isfinite(cost[np.arange(800), answer]).all()


def test_wishes_are_least_reduced_costs_with_their_margins():
    instance = make_instance(50)
    found = solve_prices(instance, Run())
    wish = cheapest_places(instance, found)
    reduced = instance.cost_block(slice(0, 50)) + instance.activities @ found.prices.T
    assert np.array_equal(wish.best, reduced.argmin(axis=1))
    two = np.sort(reduced, axis=1)[:, :2]
    assert wish.margin == pytest.approx(two[:, 1] - two[:, 0])
    assert wish.size == pytest.approx((instance.activities / instance.target[0]).max(axis=1))


def test_torn_units_are_spread_as_their_shares_say():
    """Owners are all that counts: whoever leaves does not mind where to, so the cheapest would get them all."""
    base = make_instance(4_000, seed=2)
    home = np.random.default_rng(3).choice(4, 4_000, p=[0.4, 0.3, 0.2, 0.1])
    instance = replace(base, cost=(MoveCost(home, np.ones(4_000), 4),), previous=home)
    found, _, outcome = solve(instance)
    starts = [evaluate(instance, dithered(instance, stage, found.bound)) for stage in found.stages]
    assert max(start.excess.sum() for start in starts) < 0.05
    assert max(start.objective for start in starts) <= found.bound * 1.002
    assert evaluate(instance, cheapest_places(instance, found).best).excess.sum() > 0.1
    assert outcome.feasible
    assert outcome.objective <= found.bound * 1.01


@pytest.mark.parametrize("kind", ["count", "value", "both"])
@pytest.mark.parametrize("seed", range(2))
def test_owners_as_the_only_preference_end_in_band_near_the_bound(kind, seed):
    """Costs of 0 and the loss: whole classes of units tie at a price, rounding has to split them in proportion."""
    n, k = 20_000, 6
    rng = np.random.default_rng(seed)
    value = rng.lognormal(0.0, 1.0, n)
    activities = np.column_stack([value, rng.poisson(3, n).astype(float), np.ones(n)])
    target = np.repeat(activities.sum(axis=0)[None] / k, k, axis=0)
    home = rng.choice(k, n, p=rng.dirichlet(np.full(k, 4.0)))
    loss = {"count": np.ones(n), "value": value, "both": 0.5 + 0.5 * value}[kind]
    instance = Instance(
        activities, target, target * 0.98, target * 1.02, np.full(k, 1.0 / k), np.ones(3, dtype=np.int64),
        np.full(3, np.inf), cost=(MoveCost(home, loss, k),), previous=home,
    )  # fmt: skip
    found, _, outcome = solve(instance)
    assert outcome.feasible
    assert found.bound <= outcome.objective <= found.bound * 1.002


def test_core_holds_small_margins_and_large_units():
    instance = make_instance()
    wish = cheapest_places(instance, solve_prices(instance, Run()))
    core = core_units(instance, wish, 100)
    assert len(core) <= 100
    assert np.isin(np.argsort(wish.margin)[:50], core).all()
    assert np.isin(np.argsort(-wish.size)[:25], core).all()


def test_core_bands_are_the_bands_less_what_is_fixed():
    instance = make_instance(60)
    found = solve_prices(instance, Run())
    assignment = cheapest_places(instance, found).best
    units = np.arange(0, 60, 3)
    core = make_core(instance, found, assignment, units)
    fixed = np.setdiff1d(np.arange(60), units)
    totals = territory_totals(instance.take(fixed), assignment[fixed])
    assert core.instance.upper == pytest.approx(instance.upper - totals)
    assert np.array_equal(core.start, assignment[units])


def test_same_seed_gives_the_same_answer():
    instance = make_instance()
    found = solve_prices(instance, Run())
    first, second = (round_prices(instance, found, Run(), seed=5) for _ in range(2))
    assert np.array_equal(first, second)


def test_impossible_bands_still_get_an_answer():
    instance = make_instance(9, band=0.001)
    _, answer, outcome = solve(instance)
    assert len(answer) == 9
    assert outcome.rules_kept
