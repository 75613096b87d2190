"""Exact re-splits: parts solved to proof, never worse, bounds that hold."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from gtm_opt.errors import SolverError
from gtm_opt.instance import Dense, Evenness, EvennessKind, Instance, SideRow
from gtm_opt.measures import evaluate
from gtm_opt.solvers.lns import LnsSolver, lns, resplit_pass
from gtm_opt.solvers.lns.core import solve_core
from gtm_opt.solvers.lns.improve import ResplitParams
from gtm_opt.solvers.lns.linear import sharpened
from gtm_opt.solvers.lns.model import program_of, solve_resplit
from gtm_opt.solvers.lns.neighborhoods import by_territories, by_units
from gtm_opt.solvers.lns.tight import tight_pairs
from gtm_opt.solvers.local_search.anneal import AnnealParams
from gtm_opt.solvers.local_search.arrays import lay_out
from gtm_opt.solvers.local_search.relaxation import by_prices
from gtm_opt.solvers.protocol import Run, Termination

QUICK = LnsSolver(ResplitParams(rounds=8, size=12), AnnealParams(steps=20_000, rounds=1))


def capacities(n: int, k: int, seed: int) -> Instance:
    """Integer costs and uses that depend on the territory, upper limits only."""
    rng = np.random.default_rng(seed)
    use = rng.integers(5, 26, (n, k)).astype(float)
    upper = np.floor(0.8 * use.sum(axis=0) / k)[:, None]
    return Instance(
        activities=use[:, :, None],
        target=upper.copy(),
        lower=np.full((k, 1), -np.inf),
        upper=upper,
        shares=upper[:, 0] / upper.sum(),
        tier=np.ones(1, dtype=np.int64),
        penalty=np.array([np.inf]),
        cost=(Dense(rng.integers(10, 51, (n, k)).astype(float)),),
    )


def elastic(n: int, k: int, seed: int) -> Instance:
    """Two elastic bands, one side row and one apart group."""
    rng = np.random.default_rng(seed)
    activities = rng.lognormal(0, 0.6, (n, 2))
    target = np.repeat(activities.sum(axis=0)[None] / k, k, axis=0)
    return Instance(
        activities=activities,
        target=target,
        lower=target * 0.9,
        upper=target * 1.1,
        shares=np.full(k, 1 / k),
        tier=np.ones(2, dtype=np.int64),
        penalty=np.array([30.0, 10.0]),
        cost=(Dense(rng.uniform(0, 10, (n, k))),),
        side=(SideRow("use", Dense(rng.uniform(0, 1, (n, k))), 0.55 * n),),
        apart=(np.array([0, 1, 2]),),
    )


def best_by_enumeration(instance: Instance) -> float:
    """The least objective over all assignments that keep every rule and band."""
    best = np.inf
    for choice in itertools.product(range(instance.n_territories), repeat=instance.n_units):
        found = evaluate(instance, np.array(choice))
        if found.feasible:
            best = min(best, found.objective)
    return best


@pytest.mark.parametrize("make", [capacities, elastic])
@pytest.mark.parametrize("seed", range(3))
def test_a_resplit_of_everything_agrees_with_enumeration(make: object, seed: int) -> None:
    instance = make(7, 3, seed)  # type: ignore[operator]
    layout = lay_out(instance, np.zeros(7, dtype=np.int64))
    answer = solve_resplit(layout, np.ones((7, 3), dtype=bool))
    truth = best_by_enumeration(instance)
    if not np.isfinite(truth):
        assert answer.assignment is None
        return
    assert answer.assignment is not None
    assert answer.exact
    assert evaluate(instance, answer.assignment).objective == pytest.approx(truth)
    assert answer.bound <= truth + 1e-9


def test_resplit_proves_the_optimum_of_a_small_assignment_with_capacities() -> None:
    instance = capacities(20, 4, 1)
    result = QUICK(instance, run=Run(), seed=0)
    assert result.assignment is not None
    found = evaluate(instance, result.assignment)
    assert found.feasible
    assert result.termination is Termination.PROVED
    assert result.bound == found.objective


def test_the_core_bound_holds_when_pairs_are_left_out() -> None:
    for seed in range(2):
        instance = capacities(8, 3, seed)
        truth = best_by_enumeration(instance)
        layout = lay_out(instance, np.zeros(8, dtype=np.int64))
        relaxation = by_prices(instance, layout, Run())
        reduced = relaxation.reduced
        for pairs in (10, 16):
            core = solve_core(layout, reduced, relaxation.bound, np.inf, pairs=pairs, step=1.0)
            assert core.bound <= truth + 1e-6


@pytest.mark.parametrize("make", [capacities, elastic])
@pytest.mark.parametrize("seed", range(3))
def test_sharpened_prices_reach_the_linear_relaxation(make: object, seed: int) -> None:
    instance = make(30, 3, seed)  # type: ignore[operator]
    layout = lay_out(instance, np.zeros(30, dtype=np.int64))
    smooth = by_prices(instance, layout, Run())
    sharp = sharpened(layout, smooth, 90, 60.0)
    program = program_of(layout, np.ones((30, 3), dtype=bool))
    rows = [
        LinearConstraint(program.pick, 1, 1),
        LinearConstraint(program.bands, program.low, program.high),
        LinearConstraint(program.side, -np.inf, program.side_high),
    ]
    relaxed = milp(program.cost, constraints=[row for row in rows if row.A.shape[0]], bounds=Bounds(0.0, np.inf))
    assert relaxed.status == 0
    assert sharp.bound == pytest.approx(relaxed.fun + layout.fixed_cost, rel=1e-7)
    assert smooth.bound <= sharp.bound


def test_sharpened_prices_of_few_pairs_are_a_bound_of_all() -> None:
    for seed in range(3):
        instance = capacities(8, 3, seed)
        layout = lay_out(instance, np.zeros(8, dtype=np.int64))
        smooth = by_prices(instance, layout, Run())
        for pairs in (8, 12, 24):
            assert sharpened(layout, smooth, pairs, 60.0).bound <= best_by_enumeration(instance) + 1e-6


@pytest.mark.parametrize("per", [1, 3, 200])
def test_tight_pairs_hold_every_units_best_and_ways_into_and_out_of_every_territory(per: int) -> None:
    reduced = np.random.default_rng(per).exponential(size=(60, 4))
    reduced[:30, 2] = np.inf
    reduced -= reduced.min(axis=1, keepdims=True)
    best = reduced.argmin(axis=1)
    allowed = tight_pairs(reduced, per)
    assert allowed[np.arange(60), best].all()
    assert not allowed[:30, 2].any()
    changed = allowed.copy()
    changed[np.arange(60), best] = False
    for territory in range(4):
        open_to = int((np.isfinite(reduced[:, territory]) & (best != territory)).sum())
        assert changed[:, territory].sum() >= min(per, open_to)
        assert changed[best == territory].any(axis=1).sum() >= min(per, int((best == territory).sum()))


@pytest.mark.parametrize("make", [capacities, elastic])
def test_a_pass_is_never_worse_and_keeps_the_rules(make: object) -> None:
    instance = make(40, 4, 2)  # type: ignore[operator]
    start = np.arange(40) % 4
    after = resplit_pass(instance, start, Run(), seed=0, params=ResplitParams(rounds=10, size=15))
    before, found = evaluate(instance, start), evaluate(instance, after)
    assert found.excess.sum() <= before.excess.sum() or found.objective <= before.objective
    if before.rules_kept:
        assert found.rules_kept


@pytest.mark.determinism
def test_same_seed_gives_the_same_assignment() -> None:
    instance = elastic(40, 4, 3)
    one, two = (QUICK(instance, run=Run(), seed=5).assignment for _ in range(2))
    assert one is not None
    assert two is not None
    assert one.tolist() == two.tolist()


def test_neighborhoods_always_allow_the_present_pair() -> None:
    rng = np.random.default_rng(0)
    reduced = rng.uniform(0, 5, (60, 6))
    assignment = rng.integers(0, 6, 60)
    for part in (by_territories(reduced, assignment, 10, 3, rng), by_units(reduced, assignment, 10, 2.0, rng)):
        assert len(part.units) <= 10
        assert part.allowed[np.arange(len(part.units)), assignment[part.units]].all()


def test_resplit_stops_when_the_time_is_up() -> None:
    run = Run(2.0)
    result = lns(capacities(120, 10, 0), run=run, effort=np.inf)
    assert result.assignment is not None
    assert run.seconds < 4.0


def test_resplit_refuses_an_evenness_objective() -> None:
    plain = elastic(10, 2, 0)
    fields = ("activities", "target", "lower", "upper", "shares", "tier", "penalty")
    even = Instance(
        **{f: getattr(plain, f) for f in fields}, evenness=Evenness(EvennessKind.DEVIATION, plain.target.copy())
    )
    with pytest.raises(SolverError, match="solver 'lns' minimises preference cost"):
        lns(even, run=Run(1.0))
