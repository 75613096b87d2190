"""Quotas of quarters, months and weeks that tie out at every edge of the tree, in whole units."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import Findings
from gtm_opt.quota.rounding import round_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.model.calendar import Calendar
    from gtm_opt.quota.layers import Layers

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

__all__ = ["TimeGrid", "accumulate_over_periods", "round_table", "spread_over_periods"]

_WHOLE = 1e-9


@dataclass(frozen=True, eq=False)
class TimeGrid:
    """Periods inside each other, the longest first: quarters, their months, their weeks.

    Attributes
    ----------
    names : tuple of str
        What the periods of each stage are called.
    shares : tuple of ndarray
        Share of the year in each period, one array per stage.
    outer : tuple of ndarray of int
        Position of the period of the stage before that each period lies in, in order; zeros for the first stage.
    """

    names: tuple[str, ...]
    shares: tuple[FloatArray, ...]
    outer: tuple[IntArray, ...]

    @classmethod
    def of(cls, calendar: Calendar, *, weeks: bool = True) -> TimeGrid:
        """Return the grid of a year: quarters and months, and weeks where asked for and months are whole weeks."""
        quarter = calendar.quarter_of_month
        names: tuple[str, ...] = ("quarter", "month")
        shares: tuple[FloatArray, ...] = (calendar.quarter_shares, calendar.shares)
        outer: tuple[IntArray, ...] = (np.zeros(len(calendar.quarter_shares), dtype=np.int64), quarter)
        if weeks and calendar.weeks is not None:
            length = calendar.days // 7
            names += ("week",)
            shares += (np.repeat(calendar.shares / length, length),)
            outer += (np.repeat(np.arange(len(length), dtype=np.int64), length),)
        return cls(names, shares, outer)

    def spans(self, stage: int) -> list[slice]:
        """Return where the periods of ``stage`` lie that make up each period of the stage before."""
        ends = np.cumsum(np.bincount(self.outer[stage])).tolist()
        return [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def spread_over_periods(layers: Layers, units: IntArray, grid: TimeGrid) -> IntArray:
    """Return whole units per node and period that sum up along every row and every edge.

    Parameters
    ----------
    layers : Layers
        The nodes, as many as ``units``.
    units : ndarray of int, shape (n,)
        Quota of each node in units, in the order of the layers.
    grid : TimeGrid

    Returns
    -------
    ndarray of int, shape (n, n_periods)
        For the last stage of the grid. Rows sum to the quota, outer period by outer period: the root's by largest
        remainder. In every period of every stage, children together have what their parent has, grossed up by the
        over-assignment of the edge and rounded; without over-assignment exactly what the parent has.

    Notes
    -----
    From the top down. The row of totals of a family is its parent's, scaled to what the children have in the year
    and rounded by largest remainder; then the table of children by quarters, and inside every quarter that of
    children by months (and so on), is rounded with both margins fixed (`round_table`). O(n * n_periods) in practice.
    """
    tables = [np.zeros((len(layers), len(shares)), dtype=np.int64) for shares in grid.shares]
    spans = [grid.spans(stage) for stage in range(len(tables))]
    above = [units[:, None], *tables[:-1]]
    for table, outer, inner, shares in zip(tables, above, spans, grid.shares, strict=True):
        for position, span in enumerate(inner):
            table[0, span] = round_rows(outer[:1, position], _inside(shares[span]))[0]
    for layer in layers.down():
        ends = np.append(layer.starts[1:], layer.nodes.stop - layer.nodes.start)
        for parent, start, end in zip(layer.parents, layer.starts, ends, strict=True):
            rows = slice(layer.nodes.start + int(start), layer.nodes.start + int(end))
            for table, outer, inner, shares in zip(tables, above, spans, grid.shares, strict=True):
                for position, span in enumerate(inner):
                    column = outer[rows, position]
                    row = _scaled(table[parent, span], int(column.sum()), _inside(shares[span]))
                    table[rows, span] = round_table(column, row)
    return tables[-1]


def accumulate_over_periods(layers: Layers, units: IntArray, shares: FloatArray) -> IntArray:
    """Return whole units per node and period whose running totals stay within a unit of the exact ones.

    Parameters
    ----------
    layers : Layers
    units : ndarray of int, shape (n,)
        Quota of each node in units, in the order of the layers.
    shares : ndarray of shape (n_periods,)

    Returns
    -------
    ndarray of int, shape (n, n_periods)
        Rows sum to the quota. Running totals are the exact ones rounded down or up. Where children together have
        what their parent has, they have it in every period; with over-assignment the running total of the children
        together is the exact one of their sum, rounded to nearest.

    Raises
    ------
    DataError
        If an amount of less than a unit would have to become negative to keep the running totals.

    Notes
    -----
    Siblings lie end to end on a line, each family inside the stretch of its parent where the edge has no
    over-assignment. Rounding ``position * share so far`` at the ends of every stretch gives running totals that
    are consistent at every node by construction: the difference of two rounded numbers is off by less than one.
    O(n * n_periods).
    """
    begin = np.zeros(len(layers), dtype=np.int64)
    for layer in layers.down():
        amounts = units[layer.nodes]
        totals = np.add.reduceat(amounts, layer.starts)
        inside = totals == units[layer.parents]
        offset = np.cumsum(amounts) - amounts
        first = np.where(inside, begin[layer.parents], 0)
        begin[layer.nodes] = offset - offset[layer.starts][layer.group] + first[layer.group]
    so_far = np.minimum(np.cumsum(shares) / shares.sum(), 1.0)
    so_far[-1] = 1.0
    running = _rounded(begin + units, so_far) - _rounded(begin, so_far)
    out = np.diff(running, axis=1, prepend=0)
    negative = np.flatnonzero((out < 0).any(axis=1))
    if len(negative):
        findings = Findings()
        findings.add(
            "unit",
            "must be smaller for running totals: amounts of less than a unit would become negative",
            rows=[layers.ids[n] for n in negative],
            kind="node",
            remedy="Cascade with a smaller unit, or take longer periods.",
        )
        findings.raise_if_any()
    return out


def _rounded(positions: IntArray, so_far: FloatArray) -> IntArray:
    return np.floor(positions[:, None] * so_far[None, :] + (0.5 + _WHOLE)).astype(np.int64)


def _inside(shares: FloatArray) -> FloatArray:
    """Return the shares of the periods inside a longer one; alike where it has none."""
    return shares if shares.sum() > 0 else np.ones(len(shares))


def _scaled(above: IntArray, total: int, shares: FloatArray) -> IntArray:
    """Return the parent's periods scaled to ``total``; the same numbers where they have that sum already."""
    if int(above.sum()) == total:
        return above
    weights = above.astype(np.float64) if above.sum() > 0 else shares
    scaled: IntArray = round_rows(np.array([total], dtype=np.int64), weights)[0]
    return scaled


def round_table(rows: IntArray, columns: IntArray) -> IntArray:
    """Round the proportional table of two margins to whole units that keep both.

    Parameters
    ----------
    rows : ndarray of int, shape (m,)
    columns : ndarray of int, shape (n,)
        With the same sum.

    Returns
    -------
    ndarray of int, shape (m, n)
        Every cell is ``rows[i] * columns[j] / sum``, rounded down or up; sums of rows and columns are exact.

    Notes
    -----
    Controlled rounding; a table of this kind always exists, because the linear program of the transportation
    problem has whole vertices [1]_. Rows are rounded in turn, each to the columns that are owed most; what the
    columns are off at the end is moved along shortest paths of exchanges between them. Exact: a path exists as
    long as a column is off, as in any flow that is not yet the greatest.

    References
    ----------
    .. [1] L. H. Cox and L. R. Ernst (1982). Controlled rounding. INFOR 20(4), 423-432.
       https://doi.org/10.1080/03155986.1982.11731872
    """
    total = int(rows.sum())
    if total == 0 or len(rows) == 1:
        return np.zeros((len(rows), len(columns)), dtype=np.int64) if total == 0 else columns[None, :].copy()
    # whole numbers throughout: the remainder of a division tells the fraction exactly
    product = rows.astype(object)[:, None] * columns.astype(object)[None, :] if _is_large(rows, columns) else None
    exact = rows[:, None] * columns[None, :] if product is None else product
    base = (exact // total).astype(np.int64)
    part = ((exact % total) / total).astype(np.float64)
    up = _round_in_turn(part, rows - base.sum(axis=1))
    _repair(up, part, columns - base.sum(axis=0))
    return np.asarray(base + up, dtype=np.int64)


def _is_large(rows: IntArray, columns: IntArray) -> bool:
    return float(rows.max()) * float(columns.max()) > 2.0**62


def _round_in_turn(part: FloatArray, count: IntArray) -> IntArray:
    """Return 1 where a cell is rounded up: as many per row as its units need, to the columns owed most."""
    up = np.zeros(part.shape, dtype=np.int64)
    owed = np.zeros(part.shape[1])
    for i in range(len(part)):
        owed += part[i]
        if count[i]:
            order = np.lexsort((np.arange(len(owed)), np.where(part[i] > _WHOLE, -owed, np.inf)))
            chosen = order[: count[i]]
            up[i, chosen] = 1
            owed[chosen] -= 1.0
    return up


def _repair(up: IntArray, part: FloatArray, needed: IntArray) -> None:
    """Exchange roundings between columns, in place, until every column has what it needs."""
    off = up.sum(axis=0) - needed
    while off.any():
        source, target = int(np.argmax(off)), off < 0
        path = _shortest_path(up, part, source, target)
        for (a, row), (b, _) in itertools.pairwise(path):
            up[row, a], up[row, b] = 0, 1
        off[source] -= 1
        off[path[-1][0]] += 1


def _shortest_path(up: IntArray, part: FloatArray, source: int, target: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return columns from ``source`` to one of the targets, each with the row that exchanges it for the next."""
    before: dict[int, tuple[int, int]] = {}
    queue = [source]
    for a in queue:
        if target[a]:
            path = [(a, -1)]
            while path[0][0] != source:
                above, row = before[path[0][0]]
                path.insert(0, (above, row))
            return path
        givers = np.flatnonzero(up[:, a] == 1)
        for b in range(up.shape[1]):
            if b == source or b in before:
                continue
            takers = givers[(up[givers, b] == 0) & (part[givers, b] > _WHOLE)]
            if len(takers):
                before[b] = (a, int(takers[0]))
                queue.append(b)
    raise AssertionError("no exchange of roundings: the margins of the table differ")
