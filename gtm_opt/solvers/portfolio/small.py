"""A few units: settled before any search begins."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import SolverError
from gtm_opt.instance import Evenness, EvennessKind
from gtm_opt.measures import better, evaluate
from gtm_opt.solvers.protocol import SolverResult

if TYPE_CHECKING:
    from gtm_opt.instance import Instance, IntArray
    from gtm_opt.solvers.portfolio.incumbent import Incumbent
    from gtm_opt.solvers.protocol import Run

__all__ = ["as_evenness", "prove_small", "settle_by_enumeration"]

NODES_PER_WORK = 100
"""Branch-and-bound nodes in place of a unit of work."""


def as_evenness(instance: Instance) -> Instance:
    """Return the instance with its banded criteria to be made as even as possible."""
    banded = np.isfinite(instance.lower) & np.isfinite(instance.upper)
    unit = np.where(banded, np.maximum(instance.upper - instance.lower, 1e-12), np.inf)
    return replace(instance, evenness=Evenness(EvennessKind.DEVIATION, unit))


def prove_small(instance: Instance, incumbent: Incumbent, run: Run, seed: int, work: float) -> bool:
    """Solve the full model of a small instance; return whether no assignment keeps everything: proven.

    Parameters
    ----------
    instance : Instance
    incumbent : Incumbent
        Takes the answer and the bound.
    run : Run
    seed : int
    work : float
        Units of work, about seconds: what they cut is repeatable.

    Notes
    -----
    By CP-SAT, which proves small lumpy plans several times sooner than branch and cut; by HiGHS where CP-SAT cannot
    be loaded or the numbers are too large for it.
    """
    from gtm_opt.solvers.exact import CpSatSolver, MilpSolver

    solvers = (CpSatSolver(work=work), MilpSolver(nodes=int(NODES_PER_WORK * work)))
    for solver in solvers:
        try:
            result = solver(instance, run=run, seed=seed, start=incumbent.assignment)
        except SolverError as error:
            run.note(solver.name, run.seconds, f"not used: {error}")
            continue
        incumbent.offer(result.assignment, solver.name)
        incumbent.offer_bound(result.bound, solver.name)
        return result.proved_infeasible
    return False


def settle_by_enumeration(instance: Instance, run: Run, effort: float, start: IntArray | None) -> SolverResult | None:
    """Return the most even assignment of a few units, proven; None where all of them could not be seen.

    Where no assignment keeps the bands that is proven, and the answer is the most even one all the same.
    """
    from gtm_opt.solvers.balancing import vector_greedy
    from gtm_opt.solvers.exact.enumerate import PLACEMENTS, can_enumerate, enumerate_even

    if not can_enumerate(instance) or run.stop():
        return None
    since, most = run.seconds, int(PLACEMENTS * min(effort, 10.0))
    first = start if instance.by_territory else better(instance, start, vector_greedy(instance))
    seen = enumerate_even(instance, first, most)
    if not seen.complete:
        return None
    best = first if seen.assignment is None else seen.assignment
    found = None if best is None else evaluate(instance, best)
    if found is not None and found.feasible:
        run.note("enumeration", since, f"all assignments, {seen.placements:,} placements")
        run.report("enumeration", value=found.objective, bound=found.objective)
        return SolverResult(
            best, bound=found.objective, termination=run.termination(proved=True), steps=tuple(run.steps)
        )
    wide = enumerate_even(instance, first, most, bands=False)
    if not wide.complete:
        return None
    run.note("enumeration", since, f"all assignments, none keeps the bands, {wide.placements:,} placements")
    best = first if wide.assignment is None else wide.assignment
    kept = best is not None and evaluate(instance, best).rules_kept
    return SolverResult(
        best if kept else None,
        bound=np.inf,
        termination=run.termination(proved=True),
        proved_infeasible=True,
        steps=tuple(run.steps),
    )
