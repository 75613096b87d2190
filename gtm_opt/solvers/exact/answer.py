"""What the three exact solvers share: merging an answer with a start, and the result."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from gtm_opt.measures import better, evaluate
from gtm_opt.mip import Options, Status, solve
from gtm_opt.mip.options import PROCESS_NONZEROS
from gtm_opt.solvers.exact.formulation import formulate
from gtm_opt.solvers.protocol import SolverResult, Termination

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_opt.instance import Instance, IntArray
    from gtm_opt.mip import Solution
    from gtm_opt.solvers.protocol import Run

__all__ = ["finish", "keeps_start_on_interrupt", "needs_mending", "solve_formulation"]

INSIDE = 3e-6
"""Share of the target by which bands are drawn in for a second attempt: more than the tolerance of any backend."""
ROUNDING = 1e-6
"""A bound may be above the value of a feasible answer by this, relative, and still be a bound up to rounding."""

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


def needs_mending(instance: Instance, assignment: IntArray | None) -> bool:
    """Whether a solver's answer breaks a limit by its own tolerance."""
    return assignment is not None and not evaluate(instance, assignment).feasible


def finish(
    instance: Instance,
    run: Run,
    assignment: IntArray | None,
    bound: float,
    *,
    proved: bool,
    infeasible: bool,
    clock: bool = True,
) -> SolverResult:
    """Return the result; a bound that a feasible answer contradicts by more than rounding is no bound.

    ``clock``: what is not proved was cut by the time limit.
    """
    if clock and not proved and run.struck is None and np.isfinite(run.remaining):
        run.struck = Termination.TIME_LIMIT  # solvers stop a moment before it
    if assignment is not None:
        outcome = evaluate(instance, assignment)
        if not outcome.rules_kept:
            assignment = None
        elif outcome.feasible:
            excess = bound - outcome.objective
            if infeasible or excess > ROUNDING * max(1.0, abs(outcome.objective)):
                run.note(
                    "exact", run.seconds, f"claim dropped: bound {bound:.10g}, but {outcome.objective:.10g} is possible"
                )
                bound, proved, infeasible = -np.inf, False, False
            bound = min(bound, outcome.objective)
            run.report("exact", value=outcome.objective, bound=bound)
    return SolverResult(
        assignment=assignment,
        bound=np.inf if infeasible else bound,
        termination=run.termination(proved=proved),
        proved_infeasible=infeasible,
        steps=tuple(run.steps),
    )


def solve_formulation(
    instance: Instance,
    run: Run,
    start: IntArray | None,
    backend: str,
    *,
    nodes: int | None = None,
    pulp_solver: Any = None,
) -> SolverResult:
    """Solve the full model with a backend of `gtm_opt.mip`; what all linear solvers share.

    Parameters
    ----------
    instance : Instance
    run : Run
    start : ndarray of int or None
    backend : str
    nodes : int or None
        Limit on branch-and-bound nodes.
    pulp_solver : pulp.LpSolver or None

    Notes
    -----
    Backends keep rows up to a tolerance: an answer that is out by that is asked for again with bands drawn
    in by `INSIDE`.
    """
    since = run.seconds
    answer, found = _solve(instance, run, 0.0, backend, nodes, pulp_solver)
    if needs_mending(instance, answer) and not run.stop():
        answer = better(instance, answer, _solve(instance, run, INSIDE, backend, nodes, pulp_solver)[0])
    run.stop()
    status = Status.UNKNOWN if found is None else found.status
    bound = -np.inf if found is None else found.bound
    infeasible = status is Status.INFEASIBLE
    text = status.value if infeasible or status is Status.OPTIMAL else f"{status.value}, bound {bound:,.6g}"
    run.note("milp" if backend == "highs" else backend, since, "; ".join((text, *(found.notes if found else ()))))
    proved = infeasible or status is Status.OPTIMAL
    return finish(
        instance,
        run,
        better(instance, start, answer),
        bound,
        proved=proved,
        infeasible=infeasible,
        clock=found is None or found.clock,
    )


def _solve(
    instance: Instance, run: Run, inside: float, backend: str, nodes: int | None, pulp_solver: Any
) -> tuple[IntArray | None, Solution | None]:
    """Return the assignment and the solution of the model, None where there was no time to solve it."""
    model = formulate(instance, inside)
    if run.stop():
        return None, None
    limit = None if np.isinf(run.remaining) else max(run.remaining, 0.01)

    def cancelled() -> bool:
        run.stop()
        run.report(backend)
        return run.is_called_off

    apart = (limit is not None or run.can_be_cancelled) and model.matrix.nnz > PROCESS_NONZEROS
    found = solve(
        model.program(),
        Options(time_limit=limit, node_limit=nodes, own_process=apart),
        backend=backend,
        should_stop=cancelled if apart else None,
        pulp_solver=pulp_solver,
    )
    answer = None if found.values is None else model.assignment(found.values, instance.n_units)
    return answer, found
