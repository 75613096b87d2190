"""HiGHS, through SciPy (Huangfu and Hall 2018, doi:10.1007/s12532-017-0130-5)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import vstack

from gtm_opt.mip.quiet import silent_c_output
from gtm_opt.mip.solution import Answer, Features

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.mip.model import Program
    from gtm_opt.mip.options import Options

__all__ = ["features", "is_available", "solve_program", "version"]

_ABSOLUTE = 1e-6
"""Absolute gap at which HiGHS ends a search, in scaled costs."""
_RELATIVE = 1e-7
"""Dual feasibility tolerance of its simplex: relaxed rows only lower a bound, wrong signs of reduced costs raise it."""


def features() -> Features:
    """Return what the backend can do."""
    return Features("highs", duals=True, node_limit=True)


def is_available() -> bool:
    """Whether the backend can be used here: always, SciPy is a dependency."""
    return True


def version() -> str:
    """Return the version of the package that brings the backend."""
    import scipy

    return f"scipy {scipy.__version__}"


def solve_program(program: Program, options: Options, start: NDArray[np.float64] | None = None) -> Answer:
    """Solve a scaled program; a start is not used, SciPy has no way to hand it on."""
    with silent_c_output():
        return _mixed(program, options) if program.integer.any() else _linear(program, options)


def _mixed(program: Program, options: Options) -> Answer:
    from scipy.optimize import Bounds, LinearConstraint, milp

    words: Any = {"mip_rel_gap": options.rel_gap}
    if options.node_limit is not None:
        words["node_limit"] = options.node_limit
    if np.isfinite(options.seconds):
        words["time_limit"] = max(options.seconds, 0.01)
    found = milp(
        program.cost,
        integrality=program.integer.astype(np.int64),
        bounds=Bounds(program.low, program.high),
        constraints=LinearConstraint(program.matrix, program.row_low, program.row_high) if program.n_rows else None,
        options=words,
    )
    nodes = int(found.mip_node_count or 0)
    if found.status == 4 and "unbounded or infeasible" in found.message and program.cost.any():
        # presolve does not tell which: without costs only "infeasible" remains
        feasible = _mixed(replace(program, cost=np.zeros(program.n_columns)), options)
        unbounded = feasible.values is not None
        return Answer(
            bound=feasible.bound if not unbounded else -np.inf, exhausted=feasible.exhausted, unbounded=unbounded
        )
    if found.status == 2:
        return Answer(bound=np.inf, exhausted=True, nodes=nodes)
    if found.status == 3:
        return Answer(unbounded=True, exhausted=True, nodes=nodes)
    bound = -np.inf if found.mip_dual_bound is None else float(found.mip_dual_bound)
    values = None if found.x is None else np.asarray(found.x, dtype=np.float64)
    # SciPy knows time and iteration limits; HiGHS reports a node limit as "solution limit reached"
    limited = found.status == 1 or "limit reached" in found.message
    if values is not None:  # a bound above the incumbent is a bound up to tolerances, no more
        bound = min(bound, float(np.sum(program.cost * values)))
    if np.isnan(bound):
        bound = -np.inf
    return Answer(
        values=values,
        bound=bound,
        error=_ABSOLUTE + _RELATIVE * abs(bound) if np.isfinite(bound) else 0.0,
        exhausted=found.status == 0,
        limit_reached=limited,
        clock=found.status == 1,
        nodes=nodes,
        notes=() if found.status == 0 or limited else (f"HiGHS: {found.message}",),
    )


def _linear(program: Program, options: Options) -> Answer:
    from scipy.optimize import linprog

    same = program.row_low == program.row_high
    above = np.isfinite(program.row_high) & ~same
    below = np.isfinite(program.row_low) & ~same
    upper: Any = (
        vstack([program.matrix[above], -program.matrix[below]], format="csr") if (above | below).any() else None
    )
    equations: Any = program.matrix[same]
    bounds: Any = np.stack([program.low, program.high], axis=1)
    found: Any = linprog(
        program.cost,
        A_ub=upper,
        b_ub=None if upper is None else np.concatenate([program.row_high[above], -program.row_low[below]]),
        A_eq=equations if same.any() else None,
        b_eq=program.row_low[same] if same.any() else None,
        bounds=bounds,
        method="highs",
        options={"time_limit": max(options.seconds, 0.01)} if np.isfinite(options.seconds) else {},
    )
    if found.status == 2:
        return Answer(bound=np.inf, exhausted=True)
    if found.status == 3:
        return Answer(unbounded=True, exhausted=True)
    if found.status != 0:
        note = () if found.status == 1 else (f"HiGHS: {found.message}",)
        return Answer(limit_reached=found.status == 1, clock=found.status == 1, notes=note)
    duals = np.zeros(program.n_rows)
    if upper is not None:
        marginals = np.asarray(found.ineqlin.marginals)
        duals[above] += marginals[: above.sum()]
        duals[below] -= marginals[above.sum() :]
    if same.any():
        duals[same] = found.eqlin.marginals
    bound, error = dual_bound(program, duals)
    return Answer(values=np.asarray(found.x), bound=bound, error=error, exhausted=True, duals=duals)


def dual_bound(program: Program, duals: NDArray[np.float64]) -> tuple[float, float]:
    """Return a lower bound recomputed from row duals by weak duality, and the error of its sum.

    Notes
    -----
    ``sum_r y_r (limit that y_r presses against) + sum_j min over the column's bounds of its reduced cost``.
    A dual that presses against no limit is dropped; a reduced cost of a column without a bound on that
    side may be wrong by the tolerance of the simplex, which counts as error at the size of the solution
    (1 in scaled numbers).
    """
    price = np.where((duals > 0) & np.isinf(program.row_low), 0.0, duals)
    price = np.where((price < 0) & np.isinf(program.row_high), 0.0, price)
    limit = np.where(price > 0, program.row_low, program.row_high)
    terms = price * np.where(price != 0.0, limit, 0.0)
    reduced = program.cost - np.asarray(program.matrix.T @ price)
    ends = np.where(reduced > 0, program.low, program.high)
    open_end = np.isinf(ends) & (np.abs(reduced) > 0.0)
    slight = open_end & (np.abs(reduced) <= 10.0 * _ABSOLUTE)
    if (open_end & ~slight).any():
        return -np.inf, 0.0
    parts = np.where(slight | (reduced == 0.0), 0.0, reduced * np.where(np.isinf(ends), 0.0, ends))
    error = 1e-15 * float(np.abs(terms).sum() + np.abs(parts).sum()) + float(np.abs(reduced[slight]).sum())
    return float(terms.sum() + parts.sum()), error
