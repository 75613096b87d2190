"""Quotas of months that tie out at every edge of the tree, in whole units."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.quota.rounding import round_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.quota.layers import Layers

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

__all__ = ["round_table", "spread_over_months"]

_WHOLE = 1e-9


def spread_over_months(layers: Layers, units: IntArray, quarter_shares: FloatArray, shares: FloatArray) -> IntArray:
    """Return whole units per node and month that sum up along every row and every edge.

    Parameters
    ----------
    layers : Layers
        The nodes, as many as ``units``.
    units : ndarray of int, shape (n,)
        Quota of each node in units, in the order of the layers.
    quarter_shares, shares : ndarray of shape (n_quarters,), (n_months,)
        What of the year falls into each quarter and month; three months a quarter.

    Returns
    -------
    ndarray of int, shape (n, n_months)
        Rows sum to the quota, quarter by quarter: the root's by largest remainder. In every month, children
        together have what their parent has, grossed up by the over-assignment of the edge and rounded; without
        over-assignment exactly what the parent has.

    Notes
    -----
    From the top down. The row of totals of a family is its parent's, scaled to what the children have in the year
    and rounded by largest remainder; then the table of children by quarters, and inside every quarter that of
    children by months, is rounded with both margins fixed (`round_table`). O(n * n_months) in practice.
    """
    quarters = np.zeros((len(layers), len(quarter_shares)), dtype=np.int64)
    months = np.zeros((len(layers), len(shares)), dtype=np.int64)
    quarters[0] = round_rows(units[:1], quarter_shares)[0]
    for q in range(len(quarter_shares)):
        months[0, 3 * q : 3 * q + 3] = round_rows(quarters[:1, q], _inside(shares, q))[0]
    for layer in layers.down():
        ends = np.append(layer.starts[1:], layer.nodes.stop - layer.nodes.start)
        for parent, start, end in zip(layer.parents, layer.starts, ends, strict=True):
            rows = slice(layer.nodes.start + int(start), layer.nodes.start + int(end))
            total = int(units[rows].sum())
            by_quarter = _scaled(quarters[parent], total, quarter_shares)
            quarters[rows] = round_table(units[rows], by_quarter)
            for q in range(len(quarter_shares)):
                at = slice(3 * q, 3 * q + 3)
                by_month = _scaled(months[parent, at], int(by_quarter[q]), _inside(shares, q))
                months[rows, at] = round_table(quarters[rows, q], by_month)
    return months


def _inside(shares: FloatArray, quarter: int) -> FloatArray:
    """Return the shares of the months of a quarter; alike where the quarter has none."""
    inside = shares[3 * quarter : 3 * quarter + 3]
    return inside if inside.sum() > 0 else np.ones(3)


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
