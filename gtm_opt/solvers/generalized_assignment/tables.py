"""The instance territory by territory: reduced costs, sizes, capacities, near territories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.instance import FloatArray, Instance, IntArray
    from gtm_opt.solvers.local_search.arrays import Layout
    from gtm_opt.solvers.local_search.relaxation import Relaxation

__all__ = ["FORBIDDEN", "Tables", "is_packing", "tables_of"]

FORBIDDEN = 1e9
"""Reduced cost of a forbidden pair: no search ever takes one."""
_WHOLE = 1e-9


def is_packing(instance: Instance) -> bool:
    """Whether the only limits are hard capacities of one criterion: no lower limits, side rows, apart groups."""
    return (
        instance.evenness is None
        and instance.n_criteria == 1
        and instance.n_territories > 1
        and instance.n_units > 0
        and bool(np.isinf(instance.penalty).all())
        and bool((instance.lower <= 0).all())
        and bool(np.isfinite(instance.upper).all())
        and bool((instance.upper >= 0).all())
        and instance.has_cost
        and not instance.side
        and not instance.apart
    )


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """What the compiled searches read.

    Attributes
    ----------
    cost, reduced, use : ndarray of shape (n_territories, n_units)
        Cost (a large number where forbidden), reduced cost at the relaxation's prices (>= 0), size.
    upper : ndarray of shape (n_territories,)
        Capacities, with half the tolerance of the checks added.
    under : ndarray of shape (n_territories,)
        Price of a unit of capacity.
    base : ndarray of shape (n_territories,)
        What a unit of overload costs at least, beyond its price.
    near : ndarray of int, shape (n_units, width)
        Territories by reduced cost, nearest first.
    n_near : ndarray of int, shape (n_units,)
        How many of them are allowed.
    offset : float
        Cost = offset + penalised value, for assignments without overload.
    size, room : ndarray of int or None
        Sizes and capacities as whole numbers, None where they are not.
    whole_cost : bool
    """

    cost: FloatArray
    reduced: FloatArray
    use: FloatArray
    upper: FloatArray
    under: FloatArray
    base: FloatArray
    near: IntArray
    n_near: IntArray
    offset: float
    size: NDArray[np.int64] | None
    room: NDArray[np.int64] | None
    whole_cost: bool

    @property
    def n_units(self) -> int:
        """Number of units."""
        return int(self.cost.shape[1])

    @property
    def n_territories(self) -> int:
        """Number of territories."""
        return int(self.cost.shape[0])

    def rooms(self, assignment: IntArray) -> FloatArray:
        """Return what is left of each capacity."""
        used = self.use[assignment, np.arange(self.n_units)]
        out: FloatArray = self.upper - np.bincount(assignment, weights=used, minlength=self.n_territories)
        return out

    def cost_of(self, assignment: IntArray) -> float:
        """Return the cost of an assignment; ``inf`` where it breaks a capacity or a bar."""
        cost = float(self.cost[assignment, np.arange(self.n_units)].sum())
        return cost if cost < FORBIDDEN and bool((self.rooms(assignment) >= 0.0).all()) else np.inf


def tables_of(instance: Instance, layout: Layout, relaxation: Relaxation, width: int = 12) -> Tables:
    """Return the tables of a packing instance.

    Parameters
    ----------
    instance : Instance
        For which `is_packing` holds.
    layout : Layout
        Of all units.
    relaxation : Relaxation
        Its prices price the capacities.
    width : int
        Near territories per unit.
    """
    n, k = layout.cost.shape
    allowed = np.isfinite(layout.cost)
    own = np.broadcast_to(layout.activities[:-1, :, 0], (n, k))
    prices = np.maximum(relaxation.prices[:, 0], 0.0)
    # a unit larger than a territory can never be there
    allowed = allowed & (own <= layout.upper[:, 0])
    priced = np.where(allowed, np.where(np.isfinite(layout.cost), layout.cost, 0.0) + own * prices, np.inf)
    lowest = priced.min(axis=1)
    lowest = np.where(np.isfinite(lowest), lowest, 0.0)
    reduced = np.where(allowed, priced - lowest[:, None], FORBIDDEN)
    near = np.argsort(reduced, axis=1, kind="stable")[:, : min(width, k)].astype(np.int64)
    mean = float(prices.mean())
    usual = float(np.mean(np.where(allowed, own, 0.0))) or 1.0
    floor = mean if mean > 0 else float(np.mean(np.minimum(reduced, 1e6))) / usual + 1e-9
    size, room = _whole(own, instance.upper[:, 0])
    finite = layout.cost[np.isfinite(layout.cost)]
    return Tables(
        cost=np.ascontiguousarray(np.where(allowed, layout.cost, FORBIDDEN).T),
        reduced=np.ascontiguousarray(reduced.T),
        use=np.ascontiguousarray(own.T),
        upper=layout.upper[:, 0].copy(),
        under=prices,
        base=np.maximum(prices, floor),
        near=np.ascontiguousarray(near),
        n_near=np.minimum(allowed.sum(axis=1), near.shape[1]).astype(np.int64),
        offset=float(lowest.sum() - (prices * layout.upper[:, 0]).sum()),
        size=size,
        room=room,
        whole_cost=bool(np.all(finite == np.rint(finite))),
    )


def _whole(use: FloatArray, upper: FloatArray) -> tuple[NDArray[np.int64] | None, NDArray[np.int64] | None]:
    """Return sizes and capacities as whole numbers, or (None, None)."""
    if bool((use != np.rint(use)).any()) or float(np.abs(use).max(initial=0.0)) > 1e9:
        return None, None
    room = np.floor(upper + _WHOLE * np.maximum(1.0, upper)).astype(np.int64)
    return np.ascontiguousarray(np.rint(use).astype(np.int64).T), room
