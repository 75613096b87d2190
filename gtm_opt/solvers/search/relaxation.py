"""Prices and a bound for the search: dual ascent, then the linear relaxation over promising pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array, hstack, vstack

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, Instance, IntArray
    from gtm_opt.solvers.prices import Prices
    from gtm_opt.solvers.protocol import Run
    from gtm_opt.solvers.search.arrays import Layout

__all__ = ["Relaxation", "by_prices", "dual_value", "is_integral", "relax", "round_up"]

_LP_PAIRS = 60_000
_ASCENT_WORK = 2e8
_SOFT = 20.0
"""What a unit of average size may pay, in typical cost differences, where no prices meet all bands."""


@dataclass(frozen=True, slots=True, eq=False)
class Relaxation:
    """What the relaxation says about each pair.

    Attributes
    ----------
    prices : ndarray of shape (n_territories, n_criteria)
        Multipliers of the balance rows, >= 0 presses the total down.
    side_prices : ndarray of shape (n_side_rows,)
    bound : float
        Lower bound on the objective, valid for whatever the prices are.
    priced : ndarray of shape (n_free, n_territories)
        Cost plus what the unit pays for what it brings.
    """

    prices: FloatArray
    side_prices: FloatArray
    bound: float
    priced: FloatArray


def priced_cost(layout: Layout, prices: FloatArray, side_prices: FloatArray) -> FloatArray:
    """Return cost plus prices for each pair, shape (n_free, n_territories)."""
    activities = layout.activities[:-1]
    # one matrix product where activities are the same everywhere
    paid = np.einsum("ikj,kj->ik", activities, prices) if layout.by_territory else activities[:, 0] @ prices.T
    out: FloatArray = layout.cost + paid
    if len(side_prices):
        out += layout.side @ side_prices
    return out


def dual_value(layout: Layout, priced: FloatArray, prices: FloatArray, side_prices: FloatArray) -> float:
    """Return the Lagrangian bound of the prices (elastic prices must be within their boxes)."""
    upper = np.where(np.isfinite(layout.upper), layout.upper - layout.fixed, 0.0)
    lower = np.where(np.isfinite(layout.lower), layout.lower - layout.fixed, 0.0)
    rows = (np.maximum(prices, 0.0) * upper - np.maximum(-prices, 0.0) * lower).sum()
    side = (side_prices * (layout.side_upper - layout.side_fixed)).sum()
    return float(priced.min(axis=1).sum() - rows - side) + layout.fixed_cost


def by_prices(instance: Instance, layout: Layout, run: Run, known: Prices | None = None) -> Relaxation:
    """Return the relaxation at the best prices of the whole instance.

    Parameters
    ----------
    instance : Instance
    layout : Layout
        Of the instance, or of some of its units.
    run : Run
    known : Prices, optional
        Of the instance, where they are known already.

    Notes
    -----
    Where even divided units cannot meet the bands, prices have no end: then those of elastic bands
    are taken to walk by. The bound is that of the hard bands all the same.
    """
    from gtm_opt.solvers.prices import solve_prices

    try:
        found = solve_prices(instance, run) if known is None else known
        steering = solve_prices(_softened(instance, layout), run) if found.proved_infeasible else found
    except KeyboardInterrupt:
        run.interrupt()
        return _unpriced(layout)
    priced = priced_cost(layout, steering.prices, steering.side_prices)
    return Relaxation(steering.prices, steering.side_prices, found.bound, priced)


def _softened(instance: Instance, layout: Layout) -> Instance:
    """Return the instance with a price on what its hard bands miss."""
    finite = np.where(np.isfinite(layout.cost), layout.cost, np.nan)
    spread = float(np.nanmean(np.nanmax(finite, axis=1) - np.nanmin(finite, axis=1))) if layout.n_free else 0.0
    penalty = _SOFT * max(spread, 1e-9) * instance.n_units / instance.n_territories
    return replace(instance, penalty=np.where(np.isinf(instance.penalty), penalty, instance.penalty))


def relax(layout: Layout, run: Run) -> Relaxation:
    """Return prices, bound and priced costs.

    Parameters
    ----------
    layout : Layout
    run : Run

    Notes
    -----
    Subgradient ascent with averaged directions and target steps, then, up to 60,000 pairs of
    small reduced cost, the linear program by HiGHS with pricing rounds. The bound is the
    Lagrangian one of the final prices, so it does not depend on the accuracy of either.
    """
    best = _unpriced(layout)
    try:
        return _tightened(layout, _ascend(layout, best, run), run)
    except KeyboardInterrupt:
        run.interrupt()
        return best


def _unpriced(layout: Layout) -> Relaxation:
    """Return the relaxation without prices: every unit where it is cheapest."""
    prices = np.zeros((layout.cost.shape[1], layout.fixed.shape[1]))
    side_prices = np.zeros(len(layout.side_upper))
    priced = priced_cost(layout, prices, side_prices)
    return Relaxation(prices, side_prices, dual_value(layout, priced, prices, side_prices), priced)


def _tightened(layout: Layout, best: Relaxation, run: Run) -> Relaxation:
    """Tighten the prices by the linear program where it is small."""
    if layout.n_free * min(layout.cost.shape[1], 4) <= _LP_PAIRS:
        for width in (6, 10):
            if run.stop():
                break
            better = _solve_lp(layout, best, width, run)
            if better is None or better.bound <= best.bound:
                break
            gain = better.bound - best.bound
            best = better
            if gain <= 1e-7 * abs(best.bound):
                break
    return best


def _clip(layout: Layout, prices: FloatArray) -> FloatArray:
    """Put prices into their boxes: sign by which limit exists, size by elastic penalties."""
    box = np.where(layout.elastic >= 0, layout.elastic, np.inf) * layout.scale
    high = np.where(np.isfinite(layout.upper), box, 0.0)
    low = np.where(np.isfinite(layout.lower), -box, 0.0)
    out: FloatArray = np.clip(prices, low, high)
    return out


def _ascend(layout: Layout, best: Relaxation, run: Run) -> Relaxation:
    n, k = layout.cost.shape
    m = layout.fixed.shape[1]
    prices, side_prices, priced = best.prices, best.side_prices, best.priced
    finite = np.where(np.isfinite(layout.cost), layout.cost, np.nan)
    if n == 0 or not np.isfinite(best.bound):
        return best
    spread = float(np.nanmean(np.nanmax(finite, axis=1) - np.nanmin(finite, axis=1)))
    step, direction, side_direction = 0.1 * spread * n / k, np.zeros((k, m)), np.zeros(len(side_prices))
    rounds = int(np.clip(_ASCENT_WORK / (n * k * (m + 2)), 60, 600))
    stalled = 0
    for _ in range(rounds):
        if run.stop():
            break
        slope, side_slope = _slopes(layout, priced, prices)
        direction = 0.6 * direction + 0.4 * slope * layout.scale
        side_direction = 0.6 * side_direction + 0.4 * side_slope * layout.side_scale
        size = np.sqrt((direction**2).sum() + (side_direction**2).sum())
        if size <= 1e-12:
            break
        # relative excess times a price per relative excess: the same step suits all criteria
        prices = _clip(layout, prices + step * direction / size * layout.scale)
        side_prices = np.maximum(side_prices + step * side_direction / size * layout.side_scale, 0.0)
        priced = priced_cost(layout, prices, side_prices)
        value = dual_value(layout, priced, prices, side_prices)
        if value > best.bound:
            best, stalled = Relaxation(prices, side_prices, value, priced), 0
        else:
            stalled += 1
            if stalled >= 8:
                step, stalled = 0.6 * step, 0
                prices, side_prices, priced = best.prices, best.side_prices, best.priced
    return best


def _slopes(layout: Layout, priced: FloatArray, prices: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return a subgradient at ``prices``: excess over the band, zero inside it."""
    choice = priced.argmin(axis=1)
    own = layout.activities[np.arange(len(choice)), choice if layout.by_territory else 0]
    totals = layout.fixed.copy()
    np.add.at(totals, choice, own)
    above = np.where(np.isfinite(layout.upper), totals - layout.upper, -np.inf)
    below = np.where(np.isfinite(layout.lower), totals - layout.lower, np.inf)
    slope = np.where(prices > 0, above, np.where(prices < 0, below, np.maximum(above, 0.0) + np.minimum(below, 0.0)))
    used = layout.side[np.arange(len(choice)), choice].sum(axis=0)
    return slope, used + layout.side_fixed - layout.side_upper


def _solve_lp(layout: Layout, start: Relaxation, width: int, run: Run) -> Relaxation | None:
    """Solve the linear relaxation over the ``width`` cheapest pairs of each unit."""
    n, k = layout.cost.shape
    width = min(width, k)
    kept = np.sort(np.argpartition(start.priced, width - 1, axis=1)[:, :width], axis=1)
    unit = np.repeat(np.arange(n), width)
    territory = kept.ravel()
    allowed = np.isfinite(layout.cost[unit, territory])
    unit, territory = unit[allowed], territory[allowed]
    rows, limits, signs = _rows(layout, unit, territory)
    slack_cost = _slack_cost(layout)
    elastic = np.isfinite(slack_cost)
    n_slack = int(elastic.sum())
    slack = coo_array((-np.ones(n_slack), (np.flatnonzero(elastic), np.arange(n_slack))), shape=(len(limits), n_slack))
    left = hstack([rows, slack], format="csr") if n_slack else rows
    pick = coo_array((np.ones(len(unit)), (unit, np.arange(len(unit)))), shape=(n, len(unit) + n_slack))
    cost = np.concatenate([layout.cost[unit, territory], slack_cost[elastic]])
    duals = _duals(cost, left, limits, pick.tocsr(), max(0.1, min(run.remaining, 30.0)))
    return None if duals is None else _from_duals(layout, duals, signs)


def _duals(cost: FloatArray, left: Any, limits: FloatArray, pick: Any, seconds: float) -> FloatArray | None:
    """Return the multipliers >= 0 of ``left x <= limits`` at the optimum, None without one."""
    solve: Any = linprog  # the stubs know no sparse arrays
    answer = solve(
        cost,
        A_ub=left,
        b_ub=limits,
        A_eq=pick,
        b_eq=np.ones(pick.shape[0]),
        method="highs",
        options={"time_limit": seconds},
    )
    if answer.status != 0:
        return None
    duals: FloatArray = -np.minimum(answer.ineqlin.marginals, 0.0)
    return duals


def _limits(layout: Layout) -> tuple[IntArray, IntArray]:
    """Return the flat positions of finite upper and lower limits."""
    return np.flatnonzero(np.isfinite(layout.upper)), np.flatnonzero(np.isfinite(layout.lower))


def _rows(layout: Layout, unit: IntArray, territory: IntArray) -> tuple[csr_array, FloatArray, IntArray]:
    """Return the rows ``A x <= b`` of bands and side rows, and where each came from."""
    k, m = layout.fixed.shape
    own = layout.activities[unit, territory if layout.by_territory else 0]
    column = np.arange(len(unit))
    table = coo_array(
        (own.ravel(), ((territory[:, None] * m + np.arange(m)).ravel(), np.repeat(column, m))), shape=(k * m, len(unit))
    ).tocsr()
    above, below = _limits(layout)
    side = csr_array(layout.side[unit, territory].T) if len(layout.side_upper) else csr_array((0, len(unit)))
    rows = vstack([table[above], -table[below], side], format="csr")
    upper, lower = (layout.upper - layout.fixed).ravel(), (layout.lower - layout.fixed).ravel()
    limits = np.concatenate([upper[above], -lower[below], layout.side_upper - layout.side_fixed])
    return rows, limits, np.concatenate([above, below])


def _slack_cost(layout: Layout) -> FloatArray:
    """Return what a unit of excess costs in each row; ``inf`` where the limit is hard."""
    price = np.where(layout.elastic >= 0, layout.elastic, np.inf) * layout.scale
    above, below = _limits(layout)
    flat = price.ravel()
    return np.concatenate([flat[above], flat[below], np.full(len(layout.side_upper), np.inf)])


def _from_duals(layout: Layout, duals: FloatArray, signs: IntArray) -> Relaxation:
    above, below = _limits(layout)
    flat = np.zeros(layout.fixed.size)
    flat[above] += duals[: len(above)]
    flat[below] -= duals[len(above) : len(signs)]
    prices = _clip(layout, flat.reshape(layout.fixed.shape))
    side_prices = duals[len(signs) :]
    priced = priced_cost(layout, prices, side_prices)
    return Relaxation(prices, side_prices, dual_value(layout, priced, prices, side_prices), priced)


def is_integral(layout: Layout) -> bool:
    """Whether every assignment has an integer objective: integer costs, no elastic band."""
    finite = layout.cost[np.isfinite(layout.cost)]
    return not bool((layout.elastic >= 0).any()) and bool(np.all(finite == np.rint(finite)))


def round_up(bound: float, layout: Layout) -> float:
    """Return ``bound`` rounded up to an integer where the objective must be one."""
    if not np.isfinite(bound) or not is_integral(layout):
        return bound
    return float(np.ceil(bound - 1e-6 * max(1.0, abs(bound)) * 1e-3))
