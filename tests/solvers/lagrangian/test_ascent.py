"""The price ascent: its bound holds, is as good as the linear relaxation, and repeats exactly."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from benchmarks.owners import owners_instance
from gtm_opt.instance import Dense, Instance, MoveCost, SideRow
from gtm_opt.measures import evaluate
from gtm_opt.solvers.exact import formulate
from gtm_opt.solvers.lagrangian import reduced_costs, solve_prices
from gtm_opt.solvers.lagrangian.blocks import Blocks
from gtm_opt.solvers.lagrangian.dual import Dual, survey_costs
from gtm_opt.solvers.lagrangian.sampling import stratified_sample
from gtm_opt.solvers.protocol import Run


def make_instance(
    seed: int,
    n: int = 6,
    k: int = 3,
    m: int = 2,
    *,
    band: float = 0.3,
    by_territory: bool = False,
    elastic: bool = False,
    side: bool = False,
    bars: bool = False,
) -> Instance:
    """Random units; every option switches on one more feature."""
    rng = np.random.default_rng(seed)
    activities = rng.lognormal(0.0, 0.7, (n, k, m) if by_territory else (n, m))
    shares = rng.dirichlet(np.full(k, 8.0))
    total = activities.mean(axis=1).sum(axis=0) if by_territory else activities.sum(axis=0)
    target = shares[:, None] * total
    cost = rng.uniform(0.0, 1.0, (n, k))
    if bars:
        cost[rng.random((n, k)) < 0.15] = np.inf
    rows = (SideRow("moved", Dense(rng.uniform(0.0, 1.0, (n, k))), 0.45 * n),) if side else ()
    return Instance(
        activities=activities,
        target=target,
        lower=target * (1.0 - band),
        upper=target * (1.0 + band),
        shares=shares,
        tier=np.ones(m, dtype=np.int64),
        penalty=np.full(m, 3.0 if elastic else np.inf),
        cost=(Dense(cost),),
        side=rows,
    )


def brute_force(instance: Instance) -> float:
    """Objective of the best feasible assignment, inf if there is none."""
    best = np.inf
    for answer in itertools.product(range(instance.n_territories), repeat=instance.n_units):
        outcome = evaluate(instance, np.array(answer))
        if outcome.feasible:
            best = min(best, outcome.objective)
    return best


def relaxation(instance: Instance) -> float:
    """Optimum of the linear relaxation, inf if there is none."""
    model = formulate(instance)
    upper, lower = np.isfinite(model.row_high), np.isfinite(model.row_low)
    dense = model.matrix.toarray()
    result = linprog(
        model.objective,
        A_ub=np.vstack([dense[upper], -dense[lower]]),
        b_ub=np.concatenate([model.row_high[upper], -model.row_low[lower]]),
        bounds=np.column_stack([model.low, np.where(np.isinf(model.high), np.inf, model.high)]),
        method="highs",
    )
    return float(result.fun) if result.status == 0 else np.inf


features = st.fixed_dictionaries({name: st.booleans() for name in ("by_territory", "elastic", "side", "bars")})


@given(seed=st.integers(0, 10_000), options=features, size=st.sampled_from([0.1, 1.0, 10.0]))
def test_dual_is_a_lower_bound_at_any_prices(seed, options, size):
    instance = make_instance(seed, n=5, **options)
    best = brute_force(instance)
    with Blocks(instance) as blocks:
        dual = Dual(instance, survey_costs(blocks).spread)
        point = np.random.default_rng(seed).normal(0.0, size, dual.n_multipliers)
        point = np.clip(point, dual.limits.low, dual.limits.high)
        heat = dual.heat(0.1, 1.0, point, 0.1)
        assert dual.evaluate(blocks, point, heat).bound <= best


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("options", [{}, {"elastic": True}, {"side": True, "bars": True}, {"by_territory": True}])
def test_bound_comes_close_to_the_linear_relaxation(seed, options):
    instance = make_instance(seed, n=60, band=0.05, **options)
    bound, best = solve_prices(instance, Run()).bound, relaxation(instance)
    if np.isinf(best):
        return
    assert bound <= best + 1e-9 * abs(best)
    assert bound >= best - 3e-3 * abs(best)


def test_gradient_and_curvature_agree_with_differences():
    instance = make_instance(3, n=40, side=True, by_territory=True)
    with Blocks(instance) as blocks:
        dual = Dual(instance, 10.0)
        point = np.random.default_rng(0).normal(0.0, 1.0, dual.n_multipliers)
        point[-1] = abs(point[-1])
        heat = np.concatenate([[0.3], np.zeros(3)])
        here = dual.evaluate(blocks, point, heat)
        for v in range(dual.n_multipliers):
            step = np.zeros(dual.n_multipliers)
            step[v] = 1e-5
            ahead, behind = (dual.evaluate(blocks, point + s * step, heat) for s in (1, -1))
            slope = np.where(point > 0, dual.limits.up, dual.limits.down)[v]
            assert (ahead.smooth - behind.smooth) / 2e-5 == pytest.approx(here.gradient[v] - slope, abs=1e-6)
            curvature = -(ahead.gradient - behind.gradient) / 2e-5
            assert curvature == pytest.approx(here.curvature[v], abs=1e-5)


@pytest.mark.parametrize("sampled", [False, True])
def test_prices_are_the_same_for_any_number_of_workers(sampled):
    instance = make_instance(1, n=61_000 if sampled else 35_000, k=4, band=0.02)
    one, two, three = (solve_prices(instance, Run(), effort=0.2, workers=w) for w in (1, 2, 3))
    assert (one.sampled > 0) is sampled
    assert np.array_equal(one.prices, two.prices)
    assert one.bound == two.bound == three.bound


def test_units_without_any_territory_are_proved_infeasible():
    instance = make_instance(0)
    cost = np.zeros((instance.n_units, 3))
    cost[2] = np.inf
    found = solve_prices(replace(instance, cost=(Dense(cost),)), Run())
    assert found.proved_infeasible
    assert found.bound == np.inf


def test_contradicting_bands_are_proved_infeasible():
    """All units but one may only go to the first territory, whose band holds a third of them."""
    instance = make_instance(0, n=12, band=0.05)
    cost = np.zeros((12, 3))
    cost[1:, 1:] = np.inf
    assert solve_prices(replace(instance, cost=(Dense(cost),)), Run()).proved_infeasible


def test_prices_without_costs_are_zero():
    instance = replace(make_instance(0, n=50), cost=())
    found = solve_prices(instance, Run())
    assert abs(found.bound) < 1e-9
    assert not found.proved_infeasible


def test_one_sided_bands_have_prices_of_one_sign():
    instance = make_instance(2, n=80, band=0.02)
    capped = solve_prices(replace(instance, lower=np.full_like(instance.lower, -np.inf)), Run())
    floored = solve_prices(replace(instance, upper=np.full_like(instance.upper, np.inf)), Run())
    assert (capped.prices >= 0.0).all()
    assert (floored.prices <= 0.0).all()


def test_elastic_prices_stay_within_penalty_over_target():
    instance = make_instance(4, n=80, band=0.0, elastic=True)
    instance = replace(instance, penalty=np.full(2, 0.5))
    found = solve_prices(instance, Run())
    assert (np.abs(found.prices) <= 0.5 / instance.target * (1.0 + 1e-12)).all()


def test_side_row_of_moved_units_gets_a_price_when_it_binds():
    base = make_instance(5, n=80, band=0.02)
    home = np.arange(80) % 3
    moved = MoveCost(home, np.ones(80), 3)
    loose = solve_prices(replace(base, side=(SideRow("moved", moved, 80.0),)), Run())
    tight = solve_prices(replace(base, side=(SideRow("moved", moved, 10.0),)), Run())
    assert loose.side_prices[0] == 0.0
    assert tight.side_prices[0] > 0.0
    assert tight.bound > loose.bound


def test_start_prices_reach_the_same_bound():
    instance = make_instance(6, n=300, band=0.02)
    cold = solve_prices(instance, Run())
    warm = solve_prices(instance, Run(), start=cold)
    assert warm.bound >= cold.bound - 1e-9
    assert warm.iterations < cold.iterations


def test_read_only_arrays_are_accepted():
    instance = make_instance(7)
    instance.activities.setflags(write=False)
    assert np.isfinite(solve_prices(instance, Run()).bound)


def test_reduced_costs_are_cost_plus_price_of_what_a_unit_brings():
    instance = make_instance(8, side=True, bars=True)
    prices, side = np.random.default_rng(0).normal(size=(3, 2)), np.array([0.7])
    rows = np.array([4, 1])
    expected = instance.cost_block(rows) + instance.activities[rows] @ prices.T
    expected += 0.7 * instance.side[0].term.block(rows)
    assert reduced_costs(instance, prices, side, rows) == pytest.approx(expected)


def test_sample_holds_the_largest_units_and_stands_for_all():
    instance = make_instance(9, n=5_000)
    units, weight = stratified_sample(instance, 500)
    size = (instance.activities / instance.target.sum(axis=0)).max(axis=1)
    assert weight.sum() == pytest.approx(5_000)
    assert np.isin(np.argsort(-size)[:200], units).all()
    assert (np.diff(units) > 0).all()


def test_sample_has_count_and_totals_of_every_class():
    """Owners are all that counts: what each holds beyond its share decides, so the sample must not miss it."""
    instance = owners_instance(20_000, k=5, seed=3)
    units, weight = stratified_sample(instance, 2_000)
    home = instance.cost_block(slice(0, 20_000)).argmin(axis=1)
    known = np.column_stack([np.ones(20_000), instance.activities])
    for label in range(5):
        drawn = home[units] == label
        estimate = (weight[drawn, None] * known[units[drawn]]).sum(axis=0)
        assert estimate == pytest.approx(known[home == label].sum(axis=0), rel=1e-9)
    assert (weight > 0).all()


def test_sample_of_owners_finds_the_prices_of_all(monkeypatch):
    instance = owners_instance(20_000, k=5, seed=1)
    whole = solve_prices(instance, Run())
    monkeypatch.setattr("gtm_opt.solvers.lagrangian.ascent.SAMPLE", 2_000)
    found = solve_prices(instance, Run())
    assert (whole.sampled, found.sampled) == (0, 2_000)
    assert found.bound == pytest.approx(whole.bound, rel=1e-4)
    heats = [stage.heat[0] for stage in found.stages]
    assert heats == sorted(heats)


def test_time_limit_still_gives_a_valid_bound():
    instance = make_instance(10, n=20_000, k=5, band=0.01)
    found = solve_prices(instance, Run(time_limit=0.0))
    assert np.isfinite(found.bound)
    assert found.bound <= solve_prices(instance, Run()).bound + 1e-9


def test_many_territories_use_one_matrix_and_agree_with_many(monkeypatch):
    instance = make_instance(11, n=200, k=4, band=0.05, side=True)
    usual = solve_prices(instance, Run())
    monkeypatch.setattr("gtm_opt.solvers.lagrangian.dual._OWN_MATRIX", 1)
    assert solve_prices(instance, Run()).bound == pytest.approx(usual.bound, rel=1e-9)
