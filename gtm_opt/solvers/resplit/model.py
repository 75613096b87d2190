"""The exact re-split of a few units as a mixed-integer program, solved by HiGHS."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, OptimizeWarning, milp
from scipy.sparse import coo_array, csr_array, hstack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.solvers.search.arrays import Layout

__all__ = ["Resplit", "solve_resplit"]


@dataclass(frozen=True, slots=True, eq=False)
class Resplit:
    """The answer to a re-split.

    Attributes
    ----------
    assignment : ndarray of int, shape (n_free,), or None
        Territories of the layout's units; None when the limits struck first.
    exact : bool
        Nothing better exists among the pairs allowed.
    bound : float
        Lower bound among the pairs allowed, ``-inf`` where unknown.
    """

    assignment: IntArray | None
    exact: bool
    bound: float = -np.inf


def solve_resplit(
    layout: Layout,
    allowed: NDArray[np.bool_],
    *,
    hard_weight: float = np.inf,
    cutoff: float = np.inf,
    node_limit: int = 500,
    time_limit: float = 5.0,
) -> Resplit:
    """Assign the free units of ``layout`` anew at least cost.

    Parameters
    ----------
    layout : Layout
    allowed : ndarray of bool, shape (n_free, n_territories)
        Pairs to choose from.
    hard_weight : float
        Cost per 100 % of excess of a hard band; ``inf``: no excess at all.
    cutoff : float
        Only answers of smaller cost (the free units', elastic penalties included) are of interest.
    node_limit : int
        Branch-and-bound nodes: the limit that keeps the answer repeatable.
    time_limit : float
        Seconds; only a safeguard.

    Returns
    -------
    Resplit

    Notes
    -----
    minimise sum c x + sum w s  subject to

    1. every unit in exactly one territory;
    2. lower - s <= totals <= upper + s for each band (no s where hard_weight is infinite and the band hard);
    3. side rows;
    4. at most one member of an apart group in a territory.
    """
    unit, territory = np.nonzero(allowed & np.isfinite(layout.cost))
    n_pairs, n = len(unit), layout.n_free
    slack_price, table, low, high = _bands(layout, unit, territory, hard_weight)
    rows = np.flatnonzero(np.isfinite(slack_price))
    n_slack = len(rows)
    cost = np.concatenate([layout.cost[unit, territory], slack_price[rows], slack_price[rows]])
    width = len(cost)
    give = coo_array((np.ones(n_slack), (rows, np.arange(n_slack))), shape=(table.shape[0], n_slack))
    pick = csr_array((np.ones(n_pairs), (unit, np.arange(n_pairs))), shape=(n, width))
    constraints = [
        LinearConstraint(pick, 1.0, 1.0),  # (1)
        LinearConstraint(hstack([table, -give, give], format="csr"), low, high),  # (2)
    ]
    if len(layout.side_upper):  # (3)
        side = _wide(csr_array(layout.side[unit, territory].T), width)
        constraints.append(LinearConstraint(side, -np.inf, layout.side_upper - layout.side_fixed))
    if len(layout.fixed_count):  # (4)
        apart = _wide(_apart(layout, unit, territory), width)
        constraints.append(LinearConstraint(apart, -np.inf, np.maximum(1 - layout.fixed_count, 0).ravel()))
    if np.isfinite(cutoff):
        constraints.append(LinearConstraint(csr_array(cost[None, :]), -np.inf, cutoff))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OptimizeWarning)
        answer = milp(
            cost,
            integrality=np.concatenate([np.ones(n_pairs), np.zeros(2 * n_slack)]),
            bounds=Bounds(0.0, np.concatenate([np.ones(n_pairs), np.full(2 * n_slack, np.inf)])),
            constraints=constraints,
            options={"node_limit": node_limit, "time_limit": time_limit, "mip_rel_gap": 1e-6},
        )
    # HiGHS works to a feasibility tolerance of 1e-6: a bound is granted no more
    bound = -np.inf if answer.mip_dual_bound is None else float(answer.mip_dual_bound)
    bound -= 1e-6 * max(1.0, abs(bound))
    if answer.x is None:
        return Resplit(None, answer.status == 2, bound)
    chosen = np.full((n, layout.cost.shape[1]), -1.0)
    chosen[unit, territory] = answer.x[:n_pairs]
    return Resplit(chosen.argmax(axis=1), answer.status == 0, bound)


def _bands(
    layout: Layout, unit: IntArray, territory: IntArray, hard_weight: float
) -> tuple[FloatArray, csr_array, FloatArray, FloatArray]:
    """Return slack prices, coefficients and limits of the band rows that the pairs can touch.

    Rows are divided by their targets, so that HiGHS' absolute tolerances mean the same everywhere.
    """
    k, m = layout.fixed.shape
    own = layout.activities[unit, territory if layout.by_territory else 0] * layout.scale[territory]
    row = (territory[:, None] * m + np.arange(m)).ravel()
    table = coo_array((own.ravel(), (row, np.repeat(np.arange(len(unit)), m))), shape=(k * m, len(unit))).tocsr()
    low = ((layout.lower - layout.fixed) * layout.scale).ravel()
    high = ((layout.upper - layout.fixed) * layout.scale).ravel()
    touched = np.repeat(np.bincount(territory, minlength=k) > 0, m)
    used = np.flatnonzero(touched & (np.isfinite(low) | np.isfinite(high)))
    price = np.tile(np.where(layout.elastic >= 0, layout.elastic, hard_weight), k)
    return price[used], csr_array(table[used]), low[used], high[used]


def _apart(layout: Layout, unit: IntArray, territory: IntArray) -> csr_array:
    """Return one row per (group, territory), counting members."""
    n_groups, k = layout.fixed_count.shape
    rows, columns = [], []
    for column, (i, t) in enumerate(zip(unit.tolist(), territory.tolist(), strict=True)):
        for g in layout.group[layout.group_start[i] : layout.group_start[i + 1]].tolist():
            rows.append(g * k + t)
            columns.append(column)
    return coo_array((np.ones(len(rows)), (rows, columns)), shape=(n_groups * k, len(unit))).tocsr()


def _wide(table: csr_array, width: int) -> csr_array:
    """Return ``table`` with zero columns appended."""
    return csr_array((table.data, table.indices, table.indptr), shape=(table.shape[0], width))
