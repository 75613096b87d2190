"""Round a table of any number of margins by an integer program, with a bound and the least widening."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array, hstack, vstack

from gtm_opt.errors import InfeasibleError, SolverError
from gtm_opt.mip import Options, Program, solve
from gtm_opt.quota.cube.partition import Rounding
from gtm_opt.quota.cube.pdlp import relax

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gtm_opt.quota.cube.partition import Partition

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

__all__ = ["round_by_integers"]

_SMALL = 4_000
"""Cells up to which the whole program is solved to the end at once."""
_WIDEST = 3
_EQUAL = 1e-6
_WHOLE = 0.01
"""A column of the relaxation this near to a whole number keeps it while the slices that are not whole are solved."""


def round_by_integers(
    base: IntArray,
    fraction: FloatArray,
    low: FloatArray,
    high: FloatArray,
    parts: Sequence[Partition],
    block: IntArray,
    seconds: float | None,
) -> Rounding:
    """Return a rounding of least distance as far as it could be proven, with its bound.

    Parameters
    ----------
    base, fraction : ndarray of shape (n_cells,)
        Whole units below each fitted number, and what is above them.
    low, high : ndarray of shape (n_cells,)
        Whole units that no cell may leave.
    parts : sequence of Partition
    block : ndarray of int, shape (n_cells,)
        Slices of the table that are released together where the linear relaxation is not whole.
    seconds : float or None
        Time limit; None: until the optimum is proven.

    Raises
    ------
    InfeasibleError
        No table within the widest step exists.
    SolverError
        The time limit ended before any table was found.

    Notes
    -----
    Floor or ceiling first; where that is proven impossible, one unit more on either side, and so on: three
    dimensions have tables without any controlled rounding [1]_. The linear relaxation gives the bound. Of its vertex
    only few slices are not whole (each slice is a transportation problem, whose vertices are whole); a program over
    these slices alone gives a table, and the bound says how far it can be from the best.

    References
    ----------
    .. [1] B. D. Causey, L. H. Cox and L. R. Ernst (1985). Applications of transportation theory to statistical
       problems. Journal of the American Statistical Association 80(392), 903-909.
       https://doi.org/10.1080/01621459.1985.10478201
    """
    end = np.inf if seconds is None else time.perf_counter() + seconds
    for widening in range(_WIDEST + 1):
        program = _program(base, fraction, low, high, parts, widening)
        answer, bound, stopped = _solve(program, block, end)
        if answer is None:
            if stopped:
                text = (
                    f"No table was found within {seconds:g} seconds (cells may leave floor and ceiling by {widening})."
                )
                raise SolverError(f"{text} Raise the time limit of the rounding.")
            continue
        n = len(base)
        up, more, less = (answer[k * n : (k + 1) * n] for k in range(3))
        units = base + np.rint(up + more - less).astype(np.int64)
        distance = float(np.abs(units - (base + fraction)).sum())
        bound = min(bound, distance)
        is_optimal = distance - bound <= _EQUAL * max(1.0, distance)
        return Rounding(units, bound, widening, "integer program", is_optimal, stopped)
    text = f"No table of whole units has these margins, not even {_WIDEST} units beyond floor and ceiling (proven)."
    raise InfeasibleError(f"{text} Take a smaller unit, or loosen bounds and structural zeros.")


def _solve(program: Program, block: IntArray, end: float) -> tuple[FloatArray | None, float, bool]:
    """Return values (None: none found), the bound, and whether the clock ended the search."""
    free = program.low < program.high
    if int(free.sum()) <= _SMALL:
        return _solve_part(program, free, end)
    first, bound = _relax(program, free)
    broken = free & (np.abs(first - np.rint(first)) > _WHOLE)
    columns = np.tile(block, 3)
    released = free & np.isin(columns, np.unique(columns[broken]))
    low, high = program.low.copy(), program.high.copy()
    low[~released] = high[~released] = np.clip(np.rint(first[~released]), low[~released], high[~released])
    values, _, stopped = _solve_part(program.with_bounds(low, high), released, end)
    if values is not None:
        return values, bound, stopped
    values, other, stopped = _solve_part(program, free, end)
    return values, max(bound, other), stopped


def _relax(program: Program, free: NDArray[np.bool_]) -> tuple[FloatArray, float]:
    """Return a point of the linear relaxation and its bound."""
    values = program.low.copy()
    values[free], bound = relax(_drop_fixed(program, free))
    return values, bound


def _solve_part(program: Program, free: NDArray[np.bool_], end: float) -> tuple[FloatArray | None, float, bool]:
    """Solve for the free columns; the others have one value each."""
    values = program.low.copy()
    if not free.any():
        return (values, program.objective(values), False) if program.violation(values) == 0.0 else (None, np.inf, False)
    limit = None if np.isinf(end) else max(0.5, end - time.perf_counter())
    part = solve(_drop_fixed(program, free), Options(time_limit=limit))
    if part.values is None:
        return None, part.bound, part.limit_reached
    values[free] = part.values
    return values, part.bound, part.limit_reached


def _drop_fixed(program: Program, free: NDArray[np.bool_]) -> Program:
    """Return the program of the free columns; rows without any must hold by themselves."""
    loose = np.flatnonzero(free)
    fixed = np.where(free, 0.0, program.low)
    used = program.activity(fixed)
    low, high = program.row_low - used, program.row_high - used
    matrix = csr_array(program.matrix[:, loose])
    rows = np.flatnonzero((np.diff(matrix.indptr) > 0) | (low > 0.0) | (high < 0.0))
    return replace(
        program,
        cost=program.cost[loose],
        low=program.low[loose],
        high=program.high[loose],
        integer=program.integer[loose],
        matrix=csr_array(matrix[rows]),
        row_low=low[rows],
        row_high=high[rows],
        column_names=tuple(program.column_names[c] for c in loose.tolist()),
        row_names=tuple(program.row_names[r] for r in rows.tolist()),
        offset=program.offset + float(np.sum(program.cost * fixed)),
    )


def _program(
    base: IntArray, fraction: FloatArray, low: FloatArray, high: FloatArray, parts: Sequence[Partition], widening: int
) -> Program:
    """Return the program: columns "up", "more" and "less" per cell, one row per group."""
    n = len(base)
    is_loose = fraction > 0.0
    top = base + is_loose
    more = np.clip(np.where(np.isinf(high), widening, high - top), 0, widening)
    less = np.clip(base - low, 0, widening)
    entries, row_low, row_high, names = [], [], [], []
    for part in parts:
        count = len(part.low)
        sums = csr_array((np.ones(n), (part.group, np.arange(n))), (count, n))
        done = np.bincount(part.group, weights=base, minlength=count)
        slack = 0 if part.is_margin else widening
        entries.append(hstack([sums, sums, -sums]))
        row_low.append(part.low - slack - done)
        row_high.append(part.high + slack - done)
        names += [f"{'x'.join(part.axes)}[{g}]" for g in range(count)]
    matrix = csr_array(vstack(entries, format="csr"))
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    return Program(
        name="controlled rounding",
        cost=np.concatenate([1.0 - 2.0 * fraction, np.ones(2 * n)]),
        low=np.zeros(3 * n),
        high=np.concatenate([is_loose.astype(np.float64), more, less]),
        integer=np.ones(3 * n, dtype=bool),
        matrix=matrix,
        row_low=np.concatenate(row_low).astype(np.float64),
        row_high=np.concatenate(row_high).astype(np.float64),
        column_names=tuple(f"{kind}[{c}]" for kind in ("up", "more", "less") for c in range(n)),
        row_names=tuple(names),
        offset=float(fraction.sum()),
    )
