"""Scaling of rows, continuous columns and costs, so that absolute tolerances mean the same everywhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.mip.model import Program

__all__ = ["Scaling", "scale_program"]

LARGEST_COST = 1024.0
"""Size of the largest scaled cost."""
_PASSES = 6
"""Alternations over rows and columns; two or three settle most models."""


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """A scaled program and the way back.

    Attributes
    ----------
    program : Program
        Columns ``x' = x / column``, rows ``row * (A x)``, costs ``cost * column / objective``.
    row : ndarray of shape (n_rows,)
    column : ndarray of shape (n_columns,)
        1 for integer columns.
    objective : float
        What one unit of the scaled objective is worth.
    """

    program: Program
    row: NDArray[np.float64]
    column: NDArray[np.float64]
    objective: float

    def to_user(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return column values in the user's units."""
        return values * self.column

    def to_scaled(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return column values in the scaled program's units."""
        return values / self.column


def scale_program(program: Program) -> Scaling:
    """Scale ``program`` by powers of two.

    Parameters
    ----------
    program : Program

    Returns
    -------
    Scaling

    Notes
    -----
    Rows and continuous columns are divided in turn by the geometric mean of their smallest and largest
    entry (Curtis and Reid 1972, doi:10.1093/imamat/10.1.118), at last every row by its largest entry.
    Integer columns keep their unit: one step must stay one step. Powers of two change no digit of any
    number, so the way back is exact. O(entries) per pass.
    """
    n_rows, n_columns = program.n_rows, program.n_columns
    matrix = program.matrix
    rows = np.repeat(np.arange(n_rows), np.diff(matrix.indptr))
    columns = matrix.indices
    # logarithms: products of factors become sums, and nothing overflows
    entry = np.abs(matrix.data)
    size = np.log2(np.where(entry > 0.0, entry, 1.0))  # a stored zero has no size
    row, column = np.zeros(n_rows), np.zeros(n_columns)
    free = ~program.integer
    for _ in range(_PASSES):
        row = -_middle(size + column[columns], rows, n_rows)
        column = np.where(free, -_middle(size + row[rows], columns, n_columns), 0.0)
    column = np.where(free, np.rint(column), 0.0)
    largest = np.full(n_rows, -np.inf)
    np.maximum.at(largest, rows, size + column[columns])
    row = -np.rint(np.where(np.isfinite(largest), largest, 0.0))
    row_factor, column_factor = np.exp2(row), np.exp2(column)
    cost = program.cost * column_factor
    used = np.abs(cost[cost != 0.0])
    # solvers end a search at absolute gaps of 1e-6 to 1e-5, whatever the option says: large costs make that little
    objective = float(np.exp2(np.rint(np.log2(used.max())))) / LARGEST_COST if len(used) else 1.0
    values = matrix.data * row_factor[rows] * column_factor[columns]
    scaled = replace(
        program,
        cost=cost / objective,
        offset=0.0,
        low=program.low / column_factor,
        high=program.high / column_factor,
        matrix=csr_array((values, columns, matrix.indptr), shape=matrix.shape),
        row_low=program.row_low * row_factor,
        row_high=program.row_high * row_factor,
    )
    return Scaling(scaled, row_factor, column_factor, objective)


def _middle(size: NDArray[np.float64], group: NDArray[np.integer[Any]], n: int) -> NDArray[np.float64]:
    """Return the middle between the smallest and the largest logarithm of each group, 0 for empty ones."""
    low, high = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(low, group, size)
    np.maximum.at(high, group, size)
    return np.where(
        np.isfinite(low), (np.where(np.isfinite(low), low, 0.0) + np.where(np.isfinite(high), high, 0.0)) / 2, 0.0
    )
