"""Scaling of a program to whole numbers, once and explicitly, with the error that it makes in every row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import DataError, Finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.mip.model import Program

__all__ = ["IntegerProgram", "to_integers"]

_ROW_TOTAL = 2.0**40
"""Rounded coefficients of a row times the range of their columns add up to about this much."""
_COST_TOTAL = 2.0**55
_GRID = 2.0**32
"""Steps over the range of a continuous column."""


@dataclass(frozen=True, slots=True, eq=False)
class IntegerProgram:
    """A program in whole numbers: column ``x = step * z``.

    Attributes
    ----------
    low, high : ndarray of int, shape (n_columns,)
        Bounds of ``z``.
    step : ndarray of shape (n_columns,)
        1 for integer columns.
    values : ndarray of int, shape (n_entries,)
        Coefficients of ``z`` in the order of the matrix' entries.
    row_factor, row_error : ndarray of shape (n_rows,)
        What a row was multiplied by, and how far a scaled row can be off for any values within bounds.
    row_low, row_high : ndarray of shape (n_rows,)
        Limits times the factor, neither widened nor rounded.
    cost : ndarray of int, shape (n_columns,)
    cost_factor, cost_error : float
        The same of the objective.
    """

    low: NDArray[np.int64]
    high: NDArray[np.int64]
    step: NDArray[np.float64]
    values: NDArray[np.int64]
    row_factor: NDArray[np.float64]
    row_error: NDArray[np.float64]
    row_low: NDArray[np.float64]
    row_high: NDArray[np.float64]
    cost: NDArray[np.int64]
    cost_factor: float
    cost_error: float

    @property
    def exact(self) -> bool:
        """Whether nothing was rounded."""
        return self.cost_error == 0.0 and not self.row_error.any()

    def limits(self, widen: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return row limits that whole numbers have to keep: widened by the error (for bounds), or narrowed by it."""
        margin = self.row_error if widen else -self.row_error
        hair = np.where(self.row_error > 0.0, 1e-9, 1e-12)  # the limit itself was rounded when it was multiplied
        low = (
            self.row_low - margin - hair * np.maximum(1.0, np.abs(np.where(np.isinf(self.row_low), 0.0, self.row_low)))
        )
        high = (
            self.row_high
            + margin
            + hair * np.maximum(1.0, np.abs(np.where(np.isinf(self.row_high), 0.0, self.row_high)))
        )
        return np.ceil(low), np.floor(high)


def to_integers(program: Program) -> IntegerProgram:
    """Scale ``program`` to whole numbers.

    Raises
    ------
    DataError
        Columns without finite bounds: whole numbers of 64 bits need them.

    Notes
    -----
    Rows whose coefficients have up to six decimals stay exact where their size allows; others are
    multiplied by a power of two and rounded to nearest. With ``e_j`` the rounding of coefficient j, a
    row is off by at most ``sum |e_j| max |z_j|``; a continuous column is off by half a step more.
    """
    wild = np.isinf(program.low) | np.isinf(program.high)
    if wild.any():
        names = tuple(program.column_names[j] for j in np.flatnonzero(wild).tolist())
        remedy = "Give them bounds that no good answer exceeds, or use the backend 'highs'."
        raise DataError(
            [Finding("bounds of columns", "must be finite for the backend 'cpsat'", "", remedy, names, "column")]
        )
    spread = program.high - program.low
    step = np.where(program.integer, 1.0, np.exp2(np.ceil(np.log2(np.maximum(spread, 1e-300))) - np.log2(_GRID)))
    # a grid that contains the bounds' neighbours outside, so that every true value has a point within half a step
    low = np.floor(program.low / step).astype(np.int64)
    high = np.ceil(program.high / step).astype(np.int64)
    most = np.maximum(np.abs(low), np.abs(high)).astype(np.float64)
    rows = np.repeat(np.arange(program.n_rows), np.diff(program.matrix.indptr))
    columns = program.matrix.indices
    off_grid = np.where(program.integer, 0.0, 0.5)
    values, factor, error = _whole(
        program.matrix.data * step[columns], rows, program.n_rows, most[columns], off_grid[columns], _ROW_TOTAL
    )
    no_rows = np.zeros(program.n_columns, dtype=np.int64)
    cost, cost_factor, cost_error = _whole(program.cost * step, no_rows, 1, most, off_grid, _COST_TOTAL)
    return IntegerProgram(
        low=low,
        high=high,
        step=step,
        values=values,
        row_factor=factor,
        row_error=error,
        row_low=program.row_low * factor,
        row_high=program.row_high * factor,
        cost=cost,
        cost_factor=float(cost_factor[0]),
        cost_error=float(cost_error[0]),
    )


def _whole(
    data: NDArray[np.float64],
    rows: NDArray[np.int64],
    n_rows: int,
    most: NDArray[np.float64],
    off_grid: NDArray[np.float64],
    total: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return whole coefficients, the factor of each row, and its error in scaled units."""
    size = np.bincount(rows, weights=np.abs(data) * np.maximum(most, 1.0), minlength=n_rows)
    size = np.where(size > 0.0, size, 1.0)
    factor: NDArray[np.float64] = np.exp2(np.floor(np.log2(total / size)))
    settled = np.zeros(n_rows, dtype=bool)
    for digits in range(7):
        decimal = 10.0**digits
        inexact = np.rint(data * decimal) / decimal != data
        fits = (np.bincount(rows, weights=inexact, minlength=n_rows) == 0) & (size * decimal <= total * 2.0**10)
        factor = np.where(fits & ~settled, decimal, factor)
        settled |= fits
    scaled = data * factor[rows]
    whole = np.rint(scaled)
    slip = np.where(settled[rows], 0.0, np.abs(whole - scaled)) * most + np.abs(whole) * off_grid
    error: NDArray[np.float64] = np.bincount(rows, weights=slip, minlength=n_rows).astype(np.float64) * (1.0 + 1e-9)
    return whole.astype(np.int64), factor, error
