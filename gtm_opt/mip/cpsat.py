"""CP-SAT of OR-tools, in whole numbers (Perron, Didier and Gay 2023, doi:10.4230/LIPIcs.CP.2023.3)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from gtm_opt.errors import SolverError, SolverNotAvailableError
from gtm_opt.mip.integers import to_integers
from gtm_opt.mip.solution import Answer, Features

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.mip.integers import IntegerProgram
    from gtm_opt.mip.model import Program
    from gtm_opt.mip.options import Options

__all__ = ["features", "import_cp_model", "is_available", "solve_program", "version"]

_INFINITE = 2**62


def features() -> Features:
    """Return what the backend can do."""
    return Features("cpsat", warm_start=True, exact_integers=True)


def is_available() -> bool:
    """Whether OR-tools is installed."""
    return find_spec("ortools") is not None


def version() -> str:
    """Return the version of OR-tools."""
    from importlib.metadata import version as installed

    return f"ortools {installed('ortools')}"


def import_cp_model() -> Any:
    """Return the package, or say what to install."""
    try:
        from ortools.sat.python import cp_model
    except ImportError as error:
        import sys

        if "highspy" in sys.modules or "undefined symbol" in str(error):
            raise SolverNotAvailableError(
                "CP-SAT needs ortools, which cannot be loaded after this version of highspy in one process "
                "(both bring their own HiGHS). Use HiGHS here, or solve in a fresh process without highspy."
            ) from error
        raise SolverNotAvailableError(
            "CP-SAT needs the package ortools, which is not installed. Install 'ortools', or use HiGHS."
        ) from error
    return cp_model


def solve_program(program: Program, options: Options, start: NDArray[np.float64] | None = None) -> Answer:
    """Solve a program in the user's own numbers; it is scaled to whole numbers here.

    Notes
    -----
    Rows are widened by their rounding error first, so that the bound holds for the true program. Values
    that then break a true row are replaced by those of a second search with narrowed rows, for which a
    quarter of the time is kept. One worker: the answer does not depend on threads.
    """
    whole = to_integers(program)
    first = options.seconds if whole.exact else 0.75 * options.seconds
    answer = _search(program, whole, options, start, widen=True, seconds=first)
    if answer.values is None or whole.exact or program.violation(answer.values) <= 1e-9:
        return answer
    second = _search(program, whole, options, answer.values, widen=False, seconds=0.25 * options.seconds)
    note = (*answer.notes, "values of a second search with rows narrowed by the rounding error")
    return Answer(
        values=second.values,
        bound=answer.bound,
        error=answer.error,
        exhausted=answer.exhausted,
        limit_reached=answer.limit_reached or second.limit_reached,
        clock=answer.clock or second.clock,
        nodes=answer.nodes + second.nodes,
        notes=note,
    )


def _search(
    program: Program,
    whole: IntegerProgram,
    options: Options,
    start: NDArray[np.float64] | None,
    *,
    widen: bool,
    seconds: float,
) -> Answer:
    cp = import_cp_model()
    model = cp.CpModel()
    columns = [model.new_int_var(lo, hi, "") for lo, hi in zip(whole.low.tolist(), whole.high.tolist(), strict=True)]
    low, high = whole.limits(widen)
    matrix = program.matrix
    for row in range(program.n_rows):
        span = slice(matrix.indptr[row], matrix.indptr[row + 1])
        used = [columns[c] for c in matrix.indices[span].tolist()]
        total = cp.LinearExpr.weighted_sum(used, whole.values[span].tolist()) if used else 0
        least = -_INFINITE if low[row] == -np.inf else int(low[row])
        most = _INFINITE if high[row] == np.inf else int(high[row])
        if least > most or (not used and not least <= 0 <= most):
            return Answer(bound=np.inf, exhausted=True)
        if used:
            model.add_linear_constraint(total, least, most)
    costly = np.flatnonzero(whole.cost).tolist()
    if costly:
        model.minimize(cp.LinearExpr.weighted_sum([columns[c] for c in costly], whole.cost[costly].tolist()))
    if start is not None:
        hints = np.clip(np.rint(start / whole.step).astype(np.int64), whole.low, whole.high)
        for column, hint in zip(columns, hints.tolist(), strict=True):
            model.add_hint(column, hint)
    solver = cp.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = options.seed
    solver.parameters.relative_gap_limit = options.rel_gap
    # One presolve step (linear rows over exactly-one groups) cuts off optimal solutions when coefficients are
    # large and then certifies a wrong optimum, in 9.15 at least: github.com/google/or-tools/issues/5293
    solver.parameters.presolve_inclusion_work_limit = 0
    if np.isfinite(seconds):
        solver.parameters.max_time_in_seconds = max(seconds, 0.01)
    name = solver.status_name(solver.solve(model))
    if name == "MODEL_INVALID":
        raise SolverError(
            f"the numbers of model '{program.name}' are too large for CP-SAT's 64-bit integers "
            f"({model.validate()[:200]}). Use larger units, tighter bounds, or the backend 'highs'."
        )
    if name == "INFEASIBLE":
        return Answer(bound=np.inf if widen else -np.inf, exhausted=True)
    values = None
    if name in ("OPTIMAL", "FEASIBLE"):
        values = np.array([solver.value(column) for column in columns], dtype=np.float64) * whole.step
        values = np.clip(values, program.low, program.high)
    bound = solver.best_objective_bound if costly else 0.0
    if name == "UNKNOWN" and bound == 0.0 and costly:
        bound = float(np.sum(np.minimum(whole.cost * whole.low, whole.cost * whole.high)))
    cut = bool(name in ("FEASIBLE", "UNKNOWN") and np.isfinite(seconds))
    grain = "" if whole.exact else f"; largest rounding error of a row {_largest(whole):.2g}"
    return Answer(
        values=values,
        bound=float(bound) / whole.cost_factor,
        error=whole.cost_error / whole.cost_factor,
        exhausted=name in ("OPTIMAL", "INFEASIBLE"),
        limit_reached=cut,
        clock=cut,
        nodes=int(solver.num_branches),
        notes=(f"costs times {whole.cost_factor:g}, rows times up to {whole.row_factor.max(initial=1.0):g}{grain}",),
    )


def _largest(whole: IntegerProgram) -> float:
    """Return the largest rounding error of a row, in the row's own unit."""
    return float((whole.row_error / whole.row_factor).max(initial=0.0))
