"""What the three exact solvers share: merging an answer with a start, and the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.measures import evaluate
from gtm_opt.solvers.protocol import SolverResult, Termination

if TYPE_CHECKING:
    from gtm_opt.instance import Instance, IntArray
    from gtm_opt.solvers.protocol import Run

__all__ = ["better", "finish", "needs_mending"]


def better(instance: Instance, first: IntArray | None, second: IntArray | None) -> IntArray | None:
    """Return the better of two assignments; the first where they are equal, None where both are."""
    if first is None or second is None:
        return second if first is None else first
    keys = []
    for candidate in (first, second):
        outcome = evaluate(instance, candidate)
        hard = np.isinf(instance.penalty)
        keys.append((not outcome.rules_kept, float(outcome.excess[:, hard].sum()), outcome.objective))
    return first if keys[0] <= keys[1] else second


def needs_mending(instance: Instance, assignment: IntArray | None) -> bool:
    """Whether a solver's answer breaks a limit by its own tolerance."""
    return assignment is not None and not evaluate(instance, assignment).feasible


def finish(
    instance: Instance, run: Run, assignment: IntArray | None, bound: float, *, proved: bool, infeasible: bool
) -> SolverResult:
    """Return the result; the bound is cut at the value of a feasible answer (solvers stop within a tolerance)."""
    if not proved and run.struck is None and np.isfinite(run.remaining):
        run.struck = Termination.TIME_LIMIT  # solvers stop a moment before it
    if assignment is not None:
        outcome = evaluate(instance, assignment)
        if not outcome.rules_kept:
            assignment = None
        elif outcome.feasible:
            bound = min(bound, outcome.objective)
            infeasible = False
            run.report("exact", value=outcome.objective, bound=bound)
    return SolverResult(
        assignment=assignment,
        bound=np.inf if infeasible else bound,
        termination=run.termination(proved=proved),
        proved_infeasible=infeasible,
        steps=tuple(run.steps),
    )
