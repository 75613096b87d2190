"""What the prices of bands say to a search: a bound, and the priced cost of every pair."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.instance import product

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, Instance
    from gtm_opt.solvers.lagrangian import Prices
    from gtm_opt.solvers.local_search.arrays import Layout
    from gtm_opt.solvers.protocol import Run

__all__ = ["Relaxation", "by_prices", "dual_value", "is_integral", "round_up"]

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

    @property
    def reduced(self) -> FloatArray:
        """Priced cost less each unit's smallest, shape (n_free, n_territories)."""
        reduced: FloatArray = self.priced - self.priced.min(axis=1, keepdims=True)
        return reduced


def priced_cost(layout: Layout, prices: FloatArray, side_prices: FloatArray) -> FloatArray:
    """Return cost plus prices for each pair, shape (n_free, n_territories)."""
    activities = layout.activities[:-1]
    # one product where activities are the same everywhere
    thin = not layout.by_territory
    paid = product(activities[:, 0], prices.T) if thin else np.einsum("ikj,kj->ik", activities, prices)
    out: FloatArray = layout.cost + paid
    if len(side_prices):
        out += (layout.side * side_prices).sum(axis=-1)
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
    from gtm_opt.solvers.lagrangian import solve_prices

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


def _unpriced(layout: Layout) -> Relaxation:
    """Return the relaxation without prices: every unit where it is cheapest."""
    prices = np.zeros((layout.cost.shape[1], layout.fixed.shape[1]))
    side_prices = np.zeros(len(layout.side_upper))
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
