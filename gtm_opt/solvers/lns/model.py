"""The exact re-split of a few units as a mixed-integer program, solved by HiGHS."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, OptimizeWarning, milp
from scipy.sparse import coo_array, csr_array, hstack

from gtm_opt.mip.quiet import silent_c_output

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.solvers.local_search.arrays import Layout

__all__ = ["Program", "Resplit", "program_of", "solve_resplit"]


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A re-split in columns and rows: pairs first, then slacks.

    Attributes
    ----------
    unit, territory : ndarray of int, shape (n_pairs,)
    cost : ndarray of shape (n_pairs + n_slacks,)
    pick : csr_array of shape (n_free, n_pairs + n_slacks)
        Every unit in one territory.
    bands : csr_array
        Totals over targets, of the bands that the pairs can touch.
    band : ndarray of int
        Which bands these are: territory times the number of criteria, plus criterion.
    low, high : ndarray
        Limits of the bands' rows.
    side : csr_array
        Side rows.
    side_high : ndarray
    """

    unit: IntArray
    territory: IntArray
    cost: FloatArray
    pick: csr_array
    bands: csr_array
    band: IntArray
    low: FloatArray
    high: FloatArray
    side: csr_array
    side_high: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Resplit:
    """The answer to a re-split.

    Attributes
    ----------
    assignment : ndarray of int, shape (n_free,), or None
        Territories of the layout's units; None when the limits were reached first.
    exact : bool
        Nothing better exists among the pairs allowed.
    bound : float
        Lower bound among the pairs allowed, ``-inf`` where unknown.
    clock : bool
        The time limit cut the search: another run may give another answer.
    """

    assignment: IntArray | None
    exact: bool
    bound: float = -np.inf
    clock: bool = False


def program_of(layout: Layout, allowed: NDArray[np.bool_], hard_weight: float = np.inf) -> Program:
    """Return the re-split over the allowed pairs, without apart groups; see `solve_resplit` for the arguments."""
    unit, territory = np.nonzero(allowed & np.isfinite(layout.cost))
    band, slack_price, table, low, high = _bands(layout, unit, territory, hard_weight)
    rows = np.flatnonzero(np.isfinite(slack_price))
    n_slack = len(rows)
    width = len(unit) + 2 * n_slack
    give = coo_array((np.ones(n_slack), (rows, np.arange(n_slack))), shape=(table.shape[0], n_slack))
    return Program(
        unit=unit,
        territory=territory,
        cost=np.concatenate([layout.cost[unit, territory], slack_price[rows], slack_price[rows]]),
        pick=csr_array((np.ones(len(unit)), (unit, np.arange(len(unit)))), shape=(layout.n_free, width)),
        bands=hstack([table, -give, give], format="csr"),
        band=band,
        low=low,
        high=high,
        side=_wide(csr_array(layout.side[unit, territory].T), width),
        side_high=layout.side_upper - layout.side_fixed,
    )


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
    program = program_of(layout, allowed, hard_weight)
    unit, territory, cost = program.unit, program.territory, program.cost
    n_pairs, n, width = len(unit), layout.n_free, len(program.cost)
    if not width or (np.bincount(unit, minlength=n) == 0).any():
        # a unit that may go nowhere, or no column at all, which HiGHS does not take: nothing to choose
        return Resplit(None, True)
    constraints = [
        LinearConstraint(program.pick, 1.0, 1.0),  # (1)
        LinearConstraint(program.bands, program.low, program.high),  # (2)
    ]
    if len(program.side_high):  # (3)
        constraints.append(LinearConstraint(program.side, -np.inf, program.side_high))
    if len(layout.fixed_count):  # (4)
        apart = _wide(_apart(layout, unit, territory), width)
        constraints.append(LinearConstraint(apart, -np.inf, np.maximum(1 - layout.fixed_count, 0).ravel()))
    if np.isfinite(cutoff):
        constraints.append(LinearConstraint(csr_array(cost[None, :]), -np.inf, cutoff))
    with warnings.catch_warnings(), silent_c_output():
        warnings.simplefilter("ignore", OptimizeWarning)
        answer = milp(
            cost,
            integrality=np.concatenate([np.ones(n_pairs), np.zeros(width - n_pairs)]),
            bounds=Bounds(0.0, np.concatenate([np.ones(n_pairs), np.full(width - n_pairs, np.inf)])),
            constraints=constraints,
            options={"node_limit": node_limit, "time_limit": time_limit, "mip_rel_gap": 1e-6},
        )
    # HiGHS works to a feasibility tolerance of 1e-6: a bound is granted no more
    bound = -np.inf if answer.mip_dual_bound is None else float(answer.mip_dual_bound)
    bound -= 1e-6 * max(1.0, abs(bound))
    clock = answer.status == 1  # a node limit has another status
    if answer.x is None:
        return Resplit(None, answer.status == 2, bound, clock)
    chosen = np.full((n, layout.cost.shape[1]), -1.0)
    chosen[unit, territory] = answer.x[:n_pairs]
    return Resplit(chosen.argmax(axis=1), answer.status == 0, bound, clock)


def _bands(
    layout: Layout, unit: IntArray, territory: IntArray, hard_weight: float
) -> tuple[IntArray, FloatArray, csr_array, FloatArray, FloatArray]:
    """Return which band rows the pairs can touch, their slack prices, coefficients and limits.

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
    return used, price[used], csr_array(table[used]), low[used], high[used]


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
