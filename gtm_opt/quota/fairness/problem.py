"""Thresholds on a tree: which worst ratio can be kept, and who gets what at the best one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.quota.edges import Edges, carry_bounds, find_ceilings
from gtm_opt.quota.rounding import UNBOUNDED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.quota.fairness.scales import Scale
    from gtm_opt.quota.layers import Layer, Layers

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

__all__ = ["FairProblem"]


@dataclass(frozen=True, eq=False)
class FairProblem:
    """A plan to be handed down a tree so that no seat's ratio is higher than it must be.

    Attributes
    ----------
    layers : Layers
    edges : Edges
    floors, own_caps : ndarray of int, shape (n,)
        Bounds of each node itself, in units; `UNBOUNDED` where a node has no cap.
    ceilings : ndarray of int, shape (n,)
        What a node would get if it alone got everything.
    scale : Scale
    plan : int
        Quota of the root in units.
    """

    layers: Layers
    edges: Edges
    floors: IntArray
    own_caps: IntArray
    ceilings: IntArray
    scale: Scale
    plan: int

    @cached_property
    def caps(self) -> IntArray:
        """Caps of the nodes, finite."""
        return np.minimum(self.own_caps, self.ceilings)

    @cached_property
    def seats(self) -> IntArray:
        """Positions of the leaves."""
        return np.flatnonzero(self.layers.is_leaf)

    @cached_property
    def upward(self) -> list[Layer]:
        """The layers, the deepest first."""
        return list(self.layers.up())

    def carry(self, caps: IntArray) -> tuple[IntArray, IntArray]:
        """Return the least and most units of each node that the nodes below can pass on, see `carry_bounds`."""
        return carry_bounds(self.upward, self.edges, self.floors, caps)

    def caps_at(self, ratio: float) -> IntArray:
        """Return the caps of nodes where no seat's ratio may exceed ``ratio``."""
        caps = self.caps.copy()
        allowed = self.scale.most_units(self.seats, np.full(len(self.seats), ratio))
        caps[self.seats] = np.minimum(caps[self.seats], allowed)
        return caps

    def is_possible(self, ratio: float) -> bool:
        """Whether some allocation in whole units keeps every seat's ratio at or below ``ratio``."""
        low, high = self.carry(self.caps_at(ratio))
        return bool((low <= high).all() and low[0] <= self.plan <= high[0])

    def worst_ratio(self) -> float:
        """Return the lowest worst ratio that any allocation has; ``inf`` where there is no allocation.

        Notes
        -----
        Bisection down to neighboring double-precision numbers: the one below the result is proven impossible,
        the result is possible. About 60 passes over the tree.
        """
        high = float(self.scale.ratio(self.seats, self.caps[self.seats]).max(initial=0.0))
        if not self.is_possible(high):
            return float("inf")
        if self.is_possible(0.0):
            return 0.0
        low = 0.0
        while True:
            middle = 0.5 * (low + high)
            if middle <= low or middle >= high:
                return high
            if self.is_possible(middle):
                high = middle
            else:
                low = middle

    def without(self, node: int, bound: str) -> FairProblem:
        """Return the problem without the floor or cap of one node."""
        floors, caps = self.floors.copy(), self.own_caps.copy()
        if bound == "floor":
            floors[node] = 0
        else:
            caps[node] = UNBOUNDED
        return replace(self, floors=floors, own_caps=caps)

    def with_plan(self, plan: int) -> FairProblem:
        """Return the problem of another plan."""
        factors = self.edges.factors()
        ceilings = find_ceilings(self.layers, factors, plan)
        edges = Edges.of(factors, int(ceilings.max(initial=0)))
        return replace(self, plan=plan, ceilings=ceilings, edges=edges)
