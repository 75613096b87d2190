"""The model: columns and rows with names, written down once and frozen into sparse arrays."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from gtm_opt.errors import Findings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["Model", "Program"]


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """``minimize cost x  subject to  row_low <= matrix x <= row_high, low <= x <= high, some x integer``.

    Attributes
    ----------
    name : str
    cost, low, high : ndarray of shape (n_columns,)
        Always to be minimized: a model to maximize is stored with the opposite costs, see ``maximize``.
    integer : ndarray of bool, shape (n_columns,)
    matrix : csr_array of shape (n_rows, n_columns)
    row_low, row_high : ndarray of shape (n_rows,)
    column_names, row_names : tuple of str
    offset : float
        Constant of the objective, to be added to ``cost x``.
    maximize : bool
        The user's direction: objective and bound are reported with the opposite sign.
    """

    name: str
    cost: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    integer: NDArray[np.bool_]
    matrix: csr_array
    row_low: NDArray[np.float64]
    row_high: NDArray[np.float64]
    column_names: tuple[str, ...]
    row_names: tuple[str, ...]
    offset: float = 0.0
    maximize: bool = False

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return len(self.cost)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.row_low)

    def objective(self, values: NDArray[np.float64]) -> float:
        """Return ``cost x + offset`` in the direction of minimization."""
        return float(np.sum(self.cost * values)) + self.offset

    def activity(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the value of each row, shape (n_rows,)."""
        out: NDArray[np.float64] = np.asarray(self.matrix @ values, dtype=np.float64)
        return out

    def violation(self, values: NDArray[np.float64]) -> float:
        """Return the largest violation of a row or bound, relative to the largest term that enters it.

        A row of terms around 1e9 that is exceeded by 10 is violated by 1e-8; so is one of terms around
        1e-6 that is exceeded by 1e-14. Units do not matter.
        """
        out = np.maximum(np.maximum(self.low - values, values - self.high), 0.0)
        worst = float((out / np.maximum(1.0, np.abs(values))).max(initial=0.0))
        if self.n_rows:
            activity = self.activity(values)
            off = np.maximum(np.maximum(self.row_low - activity, activity - self.row_high), 0.0)
            worst = max(worst, float((off / self.row_size(values)).max(initial=0.0)))
        return worst

    def row_size(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the size of the largest number in each row: a coefficient, a term, or a finite limit."""
        size = np.zeros(self.n_rows)
        rows = np.repeat(np.arange(self.n_rows), np.diff(self.matrix.indptr))
        terms = np.abs(self.matrix.data) * np.maximum(1.0, np.abs(values[self.matrix.indices]))
        np.maximum.at(size, rows, terms)
        for limit in (self.row_low, self.row_high):
            size = np.maximum(size, np.where(np.isfinite(limit), np.abs(limit), 0.0))
        return np.where(size > 0.0, size, 1.0)

    def with_bounds(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> Program:
        """Return the program with other column bounds."""
        return replace(self, low=low, high=high)


class Model:
    """A mixed-integer program that is written down column by column and row by row.

    Parameters
    ----------
    name : str
    maximize : bool
        Maximize the objective instead of minimizing it.

    Examples
    --------
    >>> model = Model("knapsack", maximize=True)
    >>> items = model.add_columns(["a", "b", "c"], high=1, integer=True, cost=[5.0, 4.0, 3.0])
    >>> model.add_row("weight", items, [2.0, 3.0, 1.0], high=4.0)
    0
    >>> from gtm_opt.mip import solve
    >>> solve(model).objective
    8.0
    """

    def __init__(self, name: str = "model", *, maximize: bool = False) -> None:
        self.name, self.maximize, self.offset = name, maximize, 0.0
        self._names: list[str] = []
        self._cost: list[NDArray[np.float64]] = []
        self._low: list[NDArray[np.float64]] = []
        self._high: list[NDArray[np.float64]] = []
        self._integer: list[NDArray[np.bool_]] = []
        self._row_names: list[str] = []
        self._row_low: list[float] = []
        self._row_high: list[float] = []
        self._entries: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
        self._findings = Findings()

    @property
    def n_columns(self) -> int:
        """Number of columns so far."""
        return len(self._names)

    @property
    def n_rows(self) -> int:
        """Number of rows so far."""
        return len(self._row_names)

    def add_columns(
        self,
        names: Sequence[str],
        *,
        low: ArrayLike = 0.0,
        high: ArrayLike = np.inf,
        integer: ArrayLike = False,
        cost: ArrayLike = 0.0,
    ) -> NDArray[np.int64]:
        """Add columns and return their positions.

        Parameters
        ----------
        names : sequence of str
            Unique in the model.
        low, high : float or array of shape (n_names,)
            Bounds, ``-inf`` and ``inf`` allowed. Those of integer columns are rounded inwards.
        integer : bool or array of bool
        cost : float or array
            Coefficients of the objective.
        """
        n, first = len(names), self.n_columns
        self._names.extend(str(name) for name in names)
        spread = [np.broadcast_to(np.asarray(v, dtype=np.float64), (n,)) for v in (low, high, cost)]
        whole = np.broadcast_to(np.asarray(integer, dtype=bool), (n,))
        at_least = np.where(whole, np.ceil(spread[0] - 1e-9), spread[0]) + 0.0
        at_most = np.where(whole, np.floor(spread[1] + 1e-9), spread[1])
        self._low.append(at_least)
        self._high.append(at_most)
        self._cost.append(np.array(spread[2]))
        self._integer.append(np.array(whole))
        return np.arange(first, first + n, dtype=np.int64)

    def add_column(
        self, name: str, *, low: float = 0.0, high: float = np.inf, integer: bool = False, cost: float = 0.0
    ) -> int:
        """Add one column and return its position; see `add_columns`."""
        return int(self.add_columns([name], low=low, high=high, integer=integer, cost=cost)[0])

    def add_row(
        self, name: str, columns: ArrayLike, values: ArrayLike, *, low: float = -np.inf, high: float = np.inf
    ) -> int:
        """Add the row ``low <= sum values * columns <= high`` and return its position.

        Parameters
        ----------
        name : str
            Unique in the model.
        columns : array of int
            Positions of columns; a column named twice counts with the sum of its values.
        values : float or array of the same shape
        low, high : float
            Equal for an equation.
        """
        where = np.atleast_1d(np.asarray(columns, dtype=np.int64)).ravel()
        amounts = np.broadcast_to(np.asarray(values, dtype=np.float64), where.shape)
        if len(where) and (where.min() < 0 or where.max() >= self.n_columns):
            got = f"{where.min()} to {where.max()}"
            self._note(f"columns of row '{name}'", f"must be positions from 0 to {self.n_columns - 1}", got)
            where, amounts = where[:0], amounts[:0]
        self._row_names.append(str(name))
        self._row_low.append(float(low))
        self._row_high.append(float(high))
        self._entries.append((where, np.array(amounts)))
        return self.n_rows - 1

    def add_rows(
        self,
        names: Sequence[str],
        entries: Iterable[tuple[ArrayLike, ArrayLike]],
        *,
        low: ArrayLike = -np.inf,
        high: ArrayLike = np.inf,
    ) -> NDArray[np.int64]:
        """Add rows from pairs of (columns, values) and return their positions; see `add_row`."""
        first = self.n_rows
        lows, highs = (np.broadcast_to(np.asarray(v, dtype=np.float64), (len(names),)) for v in (low, high))
        for name, (columns, values), at_least, at_most in zip(
            names, entries, lows.tolist(), highs.tolist(), strict=True
        ):
            self.add_row(name, columns, values, low=at_least, high=at_most)
        return np.arange(first, self.n_rows, dtype=np.int64)

    def program(self) -> Program:
        """Return the model as frozen arrays.

        Raises
        ------
        DataError
            Names used twice, bounds that cross, numbers that are missing or infinite; reported together.
        """
        cost, low, high = (
            np.concatenate(parts) if parts else np.zeros(0) for parts in (self._cost, self._low, self._high)
        )
        matrix = self._matrix()
        row_low, row_high = np.array(self._row_low, dtype=np.float64), np.array(self._row_high, dtype=np.float64)
        self._check(cost, low, high, matrix, row_low, row_high)
        sign = -1.0 if self.maximize else 1.0
        return Program(
            name=self.name,
            cost=sign * cost + 0.0,
            low=low,
            high=high,
            integer=np.concatenate(self._integer) if self._integer else np.zeros(0, dtype=bool),
            matrix=matrix,
            row_low=row_low,
            row_high=row_high,
            column_names=tuple(self._names),
            row_names=tuple(self._row_names),
            offset=sign * self.offset,
            maximize=self.maximize,
        )

    def _matrix(self) -> csr_array:
        starts = np.concatenate([[0], np.cumsum([len(c) for c, _ in self._entries])])
        columns = np.concatenate([c for c, _ in self._entries]) if self._entries else np.zeros(0, dtype=np.int64)
        values = np.concatenate([v for _, v in self._entries]) if self._entries else np.zeros(0)
        # HiGHS in older SciPy reads 32-bit positions only
        layout = (values, columns.astype(np.int32), starts.astype(np.int32))
        matrix = csr_array(layout, shape=(self.n_rows, self.n_columns))
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
        return matrix

    def _note(self, where: str, rule: str, got: str = "", rows: Iterable[Any] = (), kind: str = "column") -> None:
        self._findings.add(where, rule, got=got, rows=list(rows), kind=kind)

    def _check(
        self,
        cost: NDArray[np.float64],
        low: NDArray[np.float64],
        high: NDArray[np.float64],
        matrix: csr_array,
        row_low: NDArray[np.float64],
        row_high: NDArray[np.float64],
    ) -> None:
        def named(names: Sequence[str], wrong: NDArray[np.bool_]) -> list[str]:
            return [names[p] for p in np.flatnonzero(wrong).tolist()]

        sides = (("columns", "column", self._names, low, high), ("rows", "row", self._row_names, row_low, row_high))
        for what, kind, names, at_least, at_most in sides:
            twice = [name for name, count in Counter(names).items() if count > 1]
            if twice:
                self._note(f"names of {what} of model '{self.name}'", "must be unique", rows=twice, kind=kind)
            wrong = ~(at_least <= at_most) | (at_least == np.inf) | (at_most == -np.inf)
            if wrong.any():
                where = f"bounds of {what} of model '{self.name}'"
                self._note(where, "must not cross, and must be numbers", rows=named(names, wrong), kind=kind)
        if not np.isfinite(cost).all():
            where = f"costs of model '{self.name}'"
            self._note(where, "must be finite numbers", rows=named(self._names, ~np.isfinite(cost)))
        bad = np.diff(matrix.indptr) > 0
        bad[bad] = ~np.isfinite(np.add.reduceat(matrix.data, matrix.indptr[:-1][bad])) if bad.any() else False
        if bad.any():
            where = f"values of rows of model '{self.name}'"
            self._note(where, "must be finite numbers", rows=named(self._row_names, bad), kind="row")
        self._findings.raise_if_any()
