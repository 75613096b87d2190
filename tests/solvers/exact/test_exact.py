"""The exact solvers agree with brute force on every feature, and so with one another."""

from __future__ import annotations

import builtins
import itertools
import sys
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from gtm_opt.errors import SolverNotAvailableError
from gtm_opt.instance import Dense, Evenness, EvennessKind, Instance, SideRow
from gtm_opt.measures import evaluate
from gtm_opt.solvers.exact import PulpSolver, build_pulp_model, cpsat, formulate, milp, pulp_solver
from gtm_opt.solvers.protocol import Run, Solver, Termination

SOLVERS = {"milp": milp, "cpsat": cpsat, "pulp": pulp_solver}


@pytest.fixture(params=SOLVERS)
def solver(request) -> Solver:
    return SOLVERS[request.param]


def make_instance(seed: int, n: int = 6, k: int = 3, m: int = 2) -> Instance:
    """Random units; the seed decides which features are on."""
    rng = np.random.default_rng(seed)
    by_territory, whole = rng.random() < 0.3, rng.random() < 0.5
    activities = rng.integers(1, 9, (n, k, m) if by_territory else (n, m)).astype(float)
    if not whole:
        activities *= rng.uniform(0.5, 1.5, activities.shape)
    shares = rng.dirichlet(np.full(k, 5.0))
    total = activities.mean(axis=1).sum(axis=0) if by_territory else activities.sum(axis=0)
    target = shares[:, None] * total
    cost = rng.uniform(0.0, 1.0, (n, k))
    if rng.random() < 0.5:
        cost[rng.random((n, k)) < 0.15] = np.inf
    hard = rng.random(m) < rng.choice([0.0, 0.5, 1.0])
    kind = (None, None, *EvennessKind)[seed % 5]
    unit = target.copy() if kind is EvennessKind.DEVIATION else np.full((k, m), 2.0)
    band = float(rng.choice([0.2, 0.5, 0.9]))
    return Instance(
        activities=activities,
        target=target,
        lower=target * (1.0 - band),
        upper=target * (1.0 + band),
        shares=shares,
        tier=np.ones(m, dtype=np.int64),
        penalty=np.where(hard, np.inf, rng.uniform(0.5, 5.0, m)),
        cost=(Dense(cost),),
        side=(SideRow("moved", Dense(rng.uniform(0.0, 1.0, (n, k))), 0.45 * n),) if rng.random() < 0.5 else (),
        apart=(np.array([0, 1]), np.array([2, 3, 4])) if rng.random() < 0.4 else (),
        evenness=None if kind is None else Evenness(kind, unit),
    )


def brute_force(instance: Instance) -> float:
    best = np.inf
    for answer in itertools.product(range(instance.n_territories), repeat=instance.n_units):
        outcome = evaluate(instance, np.array(answer))
        if outcome.feasible:
            best = min(best, outcome.objective)
    return best


@pytest.mark.parametrize("seed", range(25))
def test_exact_solvers_find_and_prove_what_brute_force_finds(seed):
    instance = make_instance(seed)
    best = brute_force(instance)
    for solver in SOLVERS.values():
        result = solver(instance, run=Run(30.0))
        assert result.termination is Termination.PROVED
        assert result.proved_infeasible is bool(np.isinf(best))
        assert result.bound <= best * (1.0 + 1e-9)
        if np.isfinite(best):
            assert evaluate(instance, result.assignment).objective == pytest.approx(best, rel=1e-6)
            assert result.bound == pytest.approx(best, rel=1e-5, abs=1e-6)
        else:
            assert result.assignment is None


@pytest.mark.parametrize("seed", range(40))
def test_cpsat_never_certifies_more_than_brute_force(seed):
    """With one presolve step on, CP-SAT 9.15 certifies wrong optima for about one in six of these."""
    rng = np.random.default_rng(seed)
    activities = rng.integers(1, 9, (4, 2)) * rng.uniform(0.5, 1.5, (4, 2))
    target = rng.dirichlet(np.full(3, 5.0))[:, None] * activities.sum(axis=0)
    instance = Instance(
        activities, target, target * 0.1, target * 1.9, target[:, 0] / target[:, 0].sum(), np.ones(2, dtype=np.int64),
        np.ones(2), (Dense(rng.uniform(size=(4, 3))),), evenness=Evenness(EvennessKind.DEVIATION, target),
    )  # fmt: skip
    assert cpsat(instance, run=Run()).bound <= brute_force(instance) * (1.0 + 1e-9)


def test_solvers_follow_the_protocol(solver):
    assert isinstance(solver, Solver)
    assert solver.capabilities.proof
    assert solver.capabilities.evenness


def two_way(n: int, seed: int = 0) -> Instance:
    """Hard to prove: skewed numbers, narrow bands, random costs."""
    rng = np.random.default_rng(seed)
    activities = rng.lognormal(0.0, 1.0, (n, 3))
    target = np.repeat(activities.sum(axis=0)[None] / 5, 5, axis=0)
    return Instance(
        activities, target, target * 0.97, target * 1.03, np.full(5, 0.2), np.ones(3, dtype=np.int64),
        np.full(3, np.inf), (Dense(rng.uniform(size=(n, 5))),),
    )  # fmt: skip


def test_time_limit_is_kept_and_the_bound_holds(solver):
    instance = two_way(120)
    good = np.argmin(instance.cost_block(slice(0, 120)), axis=1)
    solver(two_way(5), run=Run(5.0))
    run = Run(1.0)
    result = solver(instance, run=run)
    assert run.seconds < 3.0
    assert result.termination is Termination.TIME_LIMIT
    assert result.bound < np.inf
    if result.bound > -np.inf:  # some releases of HiGHS tell no bound before they have an answer
        assert result.bound >= evaluate(instance, good).cost * 0.99 - 1.0  # costs without bands: where a bound begins
    assert not result.proved_infeasible


def test_answer_is_never_worse_than_its_start(solver):
    instance = replace(two_way(60), penalty=np.full(3, 1.0))
    start = np.argmin(instance.cost_block(slice(0, 60)), axis=1)
    result = solver(instance, run=Run(0.02), start=start)
    assert evaluate(instance, result.assignment).objective <= evaluate(instance, start).objective


def test_unit_without_any_territory_is_proved_infeasible(solver):
    cost = np.zeros((10, 5))
    cost[3] = np.inf
    result = solver(replace(two_way(10), cost=(Dense(cost),)), run=Run(10.0))
    assert result.proved_infeasible
    assert result.bound == np.inf


def test_same_seed_gives_the_same_answer():
    instance = replace(two_way(12), penalty=np.full(3, 1.0))
    first, second = (cpsat(instance, run=Run(), seed=3) for _ in range(2))
    assert np.array_equal(first.assignment, second.assignment)


def test_cpsat_reports_its_scaling():
    note = cpsat(two_way(8), run=Run(10.0)).steps[0].note
    assert "activities times" in note
    assert "rounding error of a total" in note


def test_model_files_hold_every_numbered_constraint(tmp_path):
    instance = make_instance(0)
    instance = replace(
        instance,
        side=(SideRow("moved", Dense(np.ones((6, 3))), 4.0),),
        apart=(np.array([0, 1]),),
        evenness=Evenness(EvennessKind.SPREAD, np.ones((3, 2))),
    )
    model = build_pulp_model(instance)
    model.writeLP(str(tmp_path / "carve.lp"))
    model.writeMPS(str(tmp_path / "carve.mps"))
    text = (tmp_path / "carve.lp").read_text()
    for name in ("unit_0", "band_0_0", "side_0", "apart_0_", "spread_0", "peak_0_0", "low_0_0", "x_0_"):
        assert name in text
    assert (tmp_path / "carve.mps").stat().st_size > 0


def test_bands_without_limits_give_no_rows():
    instance = two_way(6)
    free = replace(instance, lower=np.full((5, 3), -np.inf), upper=np.full((5, 3), np.inf))
    assert len(formulate(free).row_names) == 6


def test_cpsat_beside_highspy_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "highspy", object())
    monkeypatch.setitem(sys.modules, "ortools.sat.python", None)
    with pytest.raises(SolverNotAvailableError, match=r"has loaded highspy.*solver='milp'"):
        cpsat(two_way(5), run=Run())


def test_missing_ortools_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "highspy", raising=False)
    monkeypatch.setitem(sys.modules, "ortools.sat.python", None)
    with pytest.raises(SolverNotAvailableError, match="Install 'ortools'"):
        cpsat(two_way(5), run=Run())


def test_missing_pulp_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def broken(name, *arguments, **options):
        if name.split(".")[0] == "pulp":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", broken)
    with pytest.raises(SolverNotAvailableError, match="Install 'pulp'"):
        pulp_solver(two_way(5), run=Run())


def test_a_platform_without_cbc_says_what_to_install(monkeypatch):
    monkeypatch.setattr("gtm_opt.mip.pulp.find_cbc", lambda: None)
    with pytest.raises(SolverNotAvailableError, match=r"brings none for this platform. Install 'gtm-opt\[cbc\]'"):
        pulp_solver(two_way(5), run=Run())


def test_the_cbc_that_comes_with_pulp_finds_the_same_optimum(monkeypatch):
    """Where the extra is not installed, nothing but the release of CBC changes."""
    import gtm_opt.mip.pulp as backend
    from gtm_opt.mip import Model, solve

    def best() -> float:
        model = Model("bag", maximize=True)
        take = model.add_columns(["a", "b", "c"], high=1, integer=True, cost=[3.0, 4.0, 5.0])
        model.add_row("size", take, [3.0, 4.0, 5.0], high=8.0)
        found = solve(model, backend="pulp")
        assert found.status == "optimal"
        return found.objective

    extra = best()
    monkeypatch.setattr(backend, "find_spec", lambda name: None if name == "cbcbox" else find_spec(name))
    path = backend.find_cbc()
    if path is None:
        pytest.skip("PuLP brings no CBC for this platform")
    assert "cbcbox" not in path
    assert best() == pytest.approx(extra)


def test_pulp_solver_that_is_not_there_is_named():
    import pulp

    backend = pulp.COIN_CMD(path="/nowhere/cbc", msg=False)
    with pytest.raises(SolverNotAvailableError, match="COIN_CMD is not available"):
        PulpSolver(backend=backend)(two_way(5), run=Run())
