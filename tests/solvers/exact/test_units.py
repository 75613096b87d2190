"""The unit of the activities decides nothing: hundreds of millions and millionths are proved like ones."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from gtm_opt.instance import Dense, Evenness, EvennessKind, Instance
from gtm_opt.measures import evaluate
from gtm_opt.solvers.exact import cpsat, milp, pulp_solver
from gtm_opt.solvers.exact.answer import finish
from gtm_opt.solvers.protocol import Run, Termination


def machines(seed: int, unit: float, kind: EvennessKind | None) -> Instance:
    """Seven jobs on three machines; without a kind: costs, and bands that few assignments keep."""
    rng = np.random.default_rng(seed)
    times = rng.integers(100_000, 900_000, size=(7, 1)) * 1e-3 * unit
    target = np.repeat(times.sum(axis=0)[None] / 3, 3, axis=0)
    scale = np.full((3, 1), unit) if kind is not EvennessKind.DEVIATION else target * 0.05
    return Instance(
        activities=times,
        target=target,
        lower=np.full((3, 1), -np.inf) if kind else target * 0.9,
        upper=np.full((3, 1), np.inf) if kind else target * 1.1,
        shares=np.full(3, 1 / 3),
        tier=np.ones(1, dtype=np.int64),
        penalty=np.full(1, np.inf),
        cost=() if kind else (Dense(rng.uniform(size=(7, 3))),),
        evenness=Evenness(kind, scale) if kind else None,
    )


def best_value(instance: Instance) -> float:
    outcomes = (evaluate(instance, np.array(a)) for a in itertools.product(range(3), repeat=instance.n_units))
    return min((o.objective for o in outcomes if o.feasible), default=np.inf)


@pytest.mark.parametrize("kind", [None, *EvennessKind])
@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_proofs_hold_in_any_unit(unit: float, kind: EvennessKind | None) -> None:
    for seed in range(2):
        instance = machines(seed, unit, kind)
        best = best_value(replace(instance))
        assert np.isfinite(best)
        for solver in (milp, pulp_solver, cpsat):
            result = solver(instance, run=Run(20.0))
            assert result.assignment is not None, solver.name
            outcome = evaluate(instance, result.assignment)
            assert outcome.feasible, solver.name
            assert result.bound <= best * (1 + 1e-9), solver.name
            if result.termination is Termination.PROVED:
                assert outcome.objective == pytest.approx(best, rel=2e-6, abs=1e-9), solver.name
            assert outcome.objective == pytest.approx(best, rel=1e-5, abs=1e-7), solver.name


def test_a_claim_that_a_plan_contradicts_is_dropped_and_told() -> None:
    instance = machines(0, 1.0, EvennessKind.PEAK)
    run = Run()
    start = np.arange(7) % 3
    value = evaluate(instance, start).objective
    result = finish(instance, run, start, value * 1.1, proved=True, infeasible=False)
    assert result.bound == -np.inf
    assert result.termination is not Termination.PROVED
    assert any("claim dropped" in step.note for step in result.steps)


def test_a_node_limit_is_no_clock() -> None:
    from gtm_opt.solvers.exact import MilpSolver

    rng = np.random.default_rng(3)
    times = rng.integers(10**8, 10**9, size=(25, 1)).astype(float)
    instance = replace(
        machines(0, 1.0, EvennessKind.PEAK),
        activities=times,
        target=np.repeat(times.sum(axis=0)[None] / 3, 3, axis=0),
        evenness=Evenness(EvennessKind.PEAK, np.full((3, 1), 1.0)),
    )
    result = MilpSolver(nodes=3)(instance, run=Run(60.0))
    assert result.termination is Termination.FINISHED
