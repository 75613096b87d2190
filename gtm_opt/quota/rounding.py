"""Sharing whole units out to groups: proportional within bounds, then largest remainder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]
    BoolArray = NDArray[np.bool_]

__all__ = ["UNBOUNDED", "clip_additive", "clip_proportional", "largest_remainder", "round_rows"]

UNBOUNDED = 2**53
_CLOSE = 1e-9
_NOTHING = 1e-12


def clip_proportional(
    totals: IntArray, weights: FloatArray, starts: IntArray, group: IntArray, floors: IntArray, caps: IntArray
) -> tuple[FloatArray, IntArray]:
    """Return ``clip(lambda * weight, floor, cap)`` with lambda chosen so that each group meets its total.

    Parameters
    ----------
    totals : ndarray of int, shape (n_groups,)
    weights : ndarray of shape (n,)
        Sum to 1 within each group, >= 0.
    starts, group : ndarray of int
        First member of each group; group of each member.
    floors, caps : ndarray of int, shape (n,)
        Feasible: the sums of a group enclose its total.

    Returns
    -------
    amounts : ndarray of shape (n,)
    side : ndarray of int, shape (n,)
        -1 at the floor, 1 at the cap, 0 between.

    Notes
    -----
    Minimizes the Kullback-Leibler distance from the proportional split. Exact: in each
    round the violations of the dominant side are settled for good [1]_; at most n
    rounds, in practice a handful, each O(n). Where only members without weight are left,
    they share alike.

    References
    ----------
    .. [1] G. R. Bitran and A. C. Hax (1981). Disaggregation and resource allocation using
       convex knapsack problems with bounded variables. Management Science 27(4), 431-441.
       https://doi.org/10.1287/mnsc.27.4.431
    """
    # A share of 1e-12 is none: dividing by it would only make noise.
    weights = np.where(weights < _NOTHING, 0.0, weights)
    amounts = np.zeros(len(weights))
    side = np.zeros(len(weights), dtype=np.int64)
    free = np.ones(len(weights), dtype=bool)
    slack = _CLOSE * np.maximum(1.0, totals.astype(np.float64))
    for _ in range(2 * len(weights) + 2):
        rest = totals - np.add.reduceat(np.where(free, 0.0, amounts), starts)
        weight = np.add.reduceat(np.where(free, weights, 0.0), starts)
        stuck = (weight <= 0)[group] & free
        if stuck.any():
            weights[stuck] = 1.0
            weight = np.add.reduceat(np.where(free, weights, 0.0), starts)
        scale = rest / np.where(weight > 0, weight, 1.0)
        amounts = np.where(free, scale[group] * weights, amounts)
        above = np.where(free, np.maximum(amounts - caps, 0.0), 0.0)
        below = np.where(free, np.maximum(floors - amounts, 0.0), 0.0)
        over, under = np.add.reduceat(above, starts), np.add.reduceat(below, starts)
        if (np.maximum(over, under) <= slack).all():
            break
        cap_now = (above > 0) & (over >= under)[group]
        floor_now = (below > 0) & (under > over)[group]
        amounts = np.where(cap_now, caps, np.where(floor_now, floors, amounts))
        side += cap_now.astype(np.int64) - floor_now.astype(np.int64)
        free &= ~(cap_now | floor_now)
    return np.clip(amounts, floors, caps), side


def clip_additive(
    totals: IntArray, amounts: FloatArray, starts: IntArray, group: IntArray, floors: IntArray, caps: IntArray
) -> tuple[FloatArray, IntArray]:
    """Return ``clip(amount + tau, floor, cap)`` with tau chosen so that each group meets its total.

    Parameters
    ----------
    totals : ndarray of int, shape (n_groups,)
    amounts : ndarray of shape (n,)
        What each would get without bounds.
    starts, group, floors, caps
        As for `clip_proportional`.

    Returns
    -------
    amounts : ndarray of shape (n,)
    side : ndarray of int, shape (n,)
        -1 at the floor, 1 at the cap, 0 between.

    Notes
    -----
    Minimizes the sum of squared distances. The same settling of the dominant side as in `clip_proportional`.
    """
    wanted, out = amounts, amounts.copy()
    side = np.zeros(len(wanted), dtype=np.int64)
    free = np.ones(len(wanted), dtype=bool)
    slack = _CLOSE * np.maximum(1.0, totals.astype(np.float64))
    for _ in range(2 * len(wanted) + 2):
        rest = totals - np.add.reduceat(np.where(free, wanted, out), starts)
        count = np.add.reduceat(free.astype(np.int64), starts)
        out = np.where(free, wanted + (rest / np.maximum(count, 1))[group], out)
        above = np.where(free, np.maximum(out - caps, 0.0), 0.0)
        below = np.where(free, np.maximum(floors - out, 0.0), 0.0)
        over, under = np.add.reduceat(above, starts), np.add.reduceat(below, starts)
        if (np.maximum(over, under) <= slack).all():
            break
        cap_now = (above > 0) & (over >= under)[group]
        floor_now = (below > 0) & (under > over)[group]
        out = np.where(cap_now, caps, np.where(floor_now, floors, out))
        side += cap_now.astype(np.int64) - floor_now.astype(np.int64)
        free &= ~(cap_now | floor_now)
    return np.clip(out, floors, caps), side


def largest_remainder(
    totals: IntArray,
    amounts: FloatArray,
    starts: IntArray,
    group: IntArray,
    floors: IntArray | None = None,
    caps: IntArray | None = None,
) -> IntArray:
    """Round the amounts of each group to whole units that sum exactly to its total.

    Each amount is rounded down or up; the units left over go to the largest remainders,
    equal ones to the earlier member. Bounds are whole units that enclose the amounts.

    Notes
    -----
    Hamilton's method. O(n log n). Remainders that differ by less than the precision of
    the amounts count as equal, so that ties do not depend on rounding noise.
    """
    most = float(totals.max(initial=1))
    decimals = int(np.clip(15 - np.ceil(np.log10(most + 10.0)), 0, 9))
    units = np.floor(amounts + 10.0**-decimals).astype(np.int64)
    remainder = np.round(amounts - units, decimals)
    low = np.zeros_like(units) if floors is None else floors
    high = np.full_like(units, UNBOUNDED) if caps is None else caps
    units = np.clip(units, low, high)
    left = totals - np.add.reduceat(units, starts)
    while left.any():
        step = np.sign(left)[group]
        room = np.where(step > 0, units < high, units > low) & (step != 0)
        key = np.where(room, -remainder * step, np.inf)
        order = np.lexsort((key, group))
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        chosen = room & (rank - starts[group] < np.abs(left)[group])
        if not chosen.any():  # the bounds do not enclose the totals
            break
        units = units + np.where(chosen, step, 0)
        remainder = remainder - np.where(chosen, step, 0)
        left = totals - np.add.reduceat(units, starts)
    return units


def round_rows(totals: IntArray, shares: FloatArray) -> IntArray:
    """Split each total by the same shares into whole units, shape (len(totals), len(shares)).

    Examples
    --------
    >>> round_rows(np.array([1155]), np.array([.20, .24, .26, .30])).tolist()
    [[231, 277, 300, 347]]
    """
    n, width = len(totals), len(shares)
    amounts = (totals[:, None] * (shares / shares.sum())[None, :]).ravel()
    starts = np.arange(n, dtype=np.int64) * width
    return largest_remainder(totals, amounts, starts, np.repeat(np.arange(n), width)).reshape(n, width)
