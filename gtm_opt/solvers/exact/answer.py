"""What the three exact solvers share: merging an answer with a start, and the result."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from gtm_opt.measures import evaluate, rank
from gtm_opt.solvers.protocol import SolverResult, Termination

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_opt.instance import Instance, IntArray
    from gtm_opt.solvers.protocol import Run

__all__ = ["better", "finish", "keeps_start_on_interrupt", "needs_mending"]

Call = TypeVar("Call", bound="Callable[..., SolverResult]")


def keeps_start_on_interrupt(call: Call) -> Call:
    """Make a solver's call return its start, as interrupted, when Ctrl-C comes while the package computes."""

    @wraps(call)
    def wrapped(
        self: Any, instance: Instance, *, run: Run, seed: int = 0, effort: float = 1.0, start: IntArray | None = None
    ) -> SolverResult:
        try:
            return call(self, instance, run=run, seed=seed, effort=effort, start=start)
        except KeyboardInterrupt:
            run.interrupt()
            return finish(instance, run, start, -np.inf, proved=False, infeasible=False)

    return cast("Call", wrapped)


def better(instance: Instance, first: IntArray | None, second: IntArray | None) -> IntArray | None:
    """Return the better of two assignments; the first where they are equal, None where both are."""
    if first is None or second is None:
        return second if first is None else first
    one, other = (rank(instance, evaluate(instance, candidate)) for candidate in (first, second))
    return first if one <= other else second


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
