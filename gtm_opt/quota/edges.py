"""The edge rule in whole units, both ways: what children together get, and what that allows their parent."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from gtm_opt.quota.bounds import round_half_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from gtm_opt.quota.layers import Layer, Layers

    IntArray = NDArray[np.int64]

__all__ = ["Edges", "carry_bounds", "find_ceilings"]

_LARGEST = 2**62


@dataclass(frozen=True, eq=False)
class Edges:
    """``1 + over-assignment`` below each node as exact fractions, for whole arrays of nodes at once.

    Attributes
    ----------
    top, bottom : ndarray, shape (n,)
        Numerators and denominators; 64-bit integers where no product can overflow, Python integers elsewhere.
    """

    top: Any
    bottom: Any

    @classmethod
    def of(cls, factors: Sequence[Fraction], largest: int) -> Edges:
        """Read the factors; ``largest`` is the largest number of units that any node or family can have."""
        top, bottom = [f.numerator for f in factors], [f.denominator for f in factors]
        safe = 4 * max(max(top), max(bottom)) * (largest + 1) < _LARGEST
        kind: Any = np.int64 if safe else object
        return cls(np.array(top, dtype=kind), np.array(bottom, dtype=kind))

    def factors(self) -> list[Fraction]:
        """Return the factors as fractions."""
        return [Fraction(int(t), int(b)) for t, b in zip(self.top, self.bottom, strict=True)]

    def below(self, nodes: IntArray, units: IntArray) -> IntArray:
        """Return what the children of ``nodes`` together get: ``round_half_up((1 + o) * units)``."""
        top, bottom = self.top[nodes], self.bottom[nodes]
        return np.asarray((2 * top * units + bottom) // (2 * bottom)).astype(np.int64)

    def least(self, nodes: IntArray, need: IntArray) -> IntArray:
        """Return the smallest quota of each node that gives its children at least ``need``."""
        top, bottom = self.top[nodes], self.bottom[nodes]
        return np.maximum(0, np.asarray(-((bottom - 2 * bottom * need) // (2 * top))).astype(np.int64))

    def most(self, nodes: IntArray, takes: IntArray) -> IntArray:
        """Return the largest quota of each node that gives its children at most ``takes``; -1 where none does."""
        top, bottom = self.top[nodes], self.bottom[nodes]
        return np.asarray(-((-2 * bottom * takes - bottom) // (2 * top)) - 1).astype(np.int64)


def carry_bounds(upward: Iterable[Layer], edges: Edges, floors: IntArray, caps: IntArray) -> tuple[IntArray, IntArray]:
    """Return the least and most units of each node that the nodes below can pass on.

    ``upward`` are the layers of the tree, the deepest first.

    Every whole number between them can be passed on: children reach every total between the sums of theirs, and a
    parent's quotas that give a total in that range are consecutive. Where the least is above the most, none can.
    """
    low, high = floors.copy(), caps.copy()
    for layer in upward:
        parents = layer.parents
        need = np.add.reduceat(low[layer.nodes], layer.starts)
        takes = np.add.reduceat(high[layer.nodes], layer.starts)
        low[parents] = np.maximum(low[parents], edges.least(parents, need))
        high[parents] = np.minimum(high[parents], edges.most(parents, takes))
    return low, high


def find_ceilings(layers: Layers, factors: Sequence[Fraction], plan: int) -> IntArray:
    """Return what each node would get if it alone got everything, in units."""
    out = np.zeros(len(layers), dtype=np.int64)
    out[0] = plan
    for layer in layers.down():
        totals = [round_half_up(int(out[p]), factors[p]) for p in layer.parents]
        out[layer.nodes] = np.array(totals, dtype=np.int64)[layer.group]
    return out
