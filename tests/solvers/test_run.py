"""The clock of a run: a part that its share of the time stopped does not stop the whole, and the whole says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gtm_opt.instance import Dense, Evenness, EvennessKind, Instance, SideRow
from gtm_opt.solvers import Run, SolverResult, Termination, get_solver


def test_a_part_that_its_limit_cut_lets_the_whole_go_on_and_is_told() -> None:
    run = Run(60.0)
    part = run.within(0.0)
    assert part.stop()
    assert not run.stop()
    assert run.termination() is Termination.TIME_LIMIT


def test_a_part_that_ended_by_itself_leaves_the_whole_finished() -> None:
    run = Run(60.0)
    run.within(30.0).stop()
    assert run.termination() is Termination.FINISHED


def test_a_cut_deep_inside_is_told_at_the_top_and_a_proof_stays_a_proof() -> None:
    run = Run()
    run.within(10.0).within(5.0).cut()
    assert run.termination() is Termination.TIME_LIMIT
    assert run.termination(proved=True) is Termination.PROVED


def test_a_package_stopped_by_its_clock_is_not_called_finished() -> None:
    from gtm_opt.solvers.lns.improve import ResplitParams
    from gtm_opt.solvers.lns.solver import LnsSolver

    rng = np.random.default_rng(1)
    n, k = 60, 4
    activities = rng.lognormal(0.0, 1.0, (n, 3))
    target = np.repeat(activities.sum(axis=0)[None] / k, k, axis=0)
    instance = Instance(
        activities, target, target * 0.99, target * 1.01, np.full(k, 1 / k), np.ones(3, dtype=np.int64),
        np.full(3, np.inf), (Dense(rng.uniform(size=(n, k))),),
    )  # fmt: skip
    run = Run()
    LnsSolver(params=ResplitParams(rounds=2, node_limit=10**6, seconds=1e-3))(instance, run=run, effort=1.0)
    assert run.termination() is Termination.TIME_LIMIT


def test_bisection_spends_the_budget_once_not_in_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    from gtm_opt.solvers.portfolio import solver as module

    spent: list[tuple[float, int]] = []
    whole = module.PortfolioSolver.__call__

    def record(self: module.PortfolioSolver, instance: Instance, *, effort: float = 1.0, **rest: Any) -> SolverResult:
        if instance.evenness is None:
            spent.append((effort, self.mending_rounds))
        return whole(self, instance, effort=effort, **rest)

    monkeypatch.setattr(module.PortfolioSolver, "__call__", record)
    rng = np.random.default_rng(2)
    # more pairs than are given to an exact model first
    activities = rng.lognormal(0.0, 1.0, (500, 1))
    target = np.full((3, 1), activities.sum() / 3)
    moved = SideRow("moved", Dense(rng.uniform(size=(500, 3))), 250.0)
    instance = Instance(
        activities, target, np.full((3, 1), -np.inf), np.full((3, 1), np.inf), np.full(3, 1 / 3),
        np.ones(1, dtype=np.int64), np.full(1, np.inf), side=(moved,),
        evenness=Evenness(EvennessKind.DEVIATION, target * 0.05),
    )  # fmt: skip
    result = get_solver("auto")(instance, run=Run(), effort=0.8)
    assert result.assignment is not None
    assert 2 <= len(spent) <= module.ROUNDS + 1
    assert {effort for effort, _ in spent} == {0.8 / module.ROUNDS}
    assert {rounds for _, rounds in spent} == {0}
