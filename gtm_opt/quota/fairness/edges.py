"""The edge rule in whole units, both ways: what children together get, and what that allows their parent."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    IntArray = NDArray[np.int64]

__all__ = ["Edges"]

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
