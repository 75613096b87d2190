"""What a rounded table must keep: groups of cells with the least and the most whole units of their sum."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gtm_opt.quota.cube.margins import Margin
    from gtm_opt.quota.cube.space import Cells

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

__all__ = ["SNAP", "Partition", "Rounding", "partitions_of", "split_units", "two_chains"]

SNAP = 1e-7
"""A fitted number this near to a whole one (relative from 1 on) is that whole number."""


@dataclass(frozen=True, eq=False)
class Partition:
    """Groups of cells, by axes, with bounds on their sums.

    Attributes
    ----------
    axes : tuple of str
    group : ndarray of int, shape (n_cells,)
    low, high : ndarray of int, shape (n_groups,)
        Equal for a margin; floor and ceiling of the fitted sum for a subtotal.
    """

    axes: tuple[str, ...]
    group: IntArray
    low: IntArray
    high: IntArray

    @property
    def is_margin(self) -> bool:
        """Whether all its sums are fixed."""
        return bool((self.low == self.high).all())


@dataclass(frozen=True, eq=False)
class Rounding:
    """Whole units with their proof.

    Attributes
    ----------
    units : ndarray of int, shape (n_cells,)
    bound : float
        No table that keeps margins and subtotals (and the same widening) has a smaller sum of distances.
    widening : int
        Units by which cells and subtotals may leave floor and ceiling; every smaller number is proven impossible.
    method : str
        "flow", "integer program" or "whole already".
    is_optimal : bool
        The distance meets the bound.
    limit_reached : bool
        The time limit ended the search.
    """

    units: IntArray
    bound: float
    widening: int
    method: str
    is_optimal: bool
    limit_reached: bool = False


def split_units(values: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return the whole units below each number, and the fraction above them (0 where it is whole)."""
    whole = np.rint(values)
    is_whole = np.abs(values - whole) <= SNAP * np.minimum(1.0, np.maximum(np.abs(values), 1e-3))
    base = np.where(is_whole, whole, np.floor(values)).astype(np.int64)
    return base, np.where(is_whole, 0.0, values - base)


def partitions_of(cells: Cells, margins: Sequence[Margin], values: FloatArray) -> list[Partition]:
    """Return the margins, and the subtotals of every level of a tree in every cell of the other dimensions."""
    out = [Partition(m.axes, m.group, m.total.astype(np.int64), m.total.astype(np.int64)) for m in margins]
    for name, axis in cells.axes.items():
        if name in cells.dimensions:
            continue
        axes = tuple(name if k == axis.dimension else d for k, d in enumerate(cells.dimensions))
        group, count = cells.group(axes)
        base, fraction = split_units(np.bincount(group, weights=values, minlength=count).astype(np.float64))
        out.append(Partition(axes, group, base, base + (fraction > 0)))
    return out


def refines(one: Sequence[str], two: Sequence[str], cells: Cells) -> bool:
    """Return whether groups by the axes ``one`` are parts of groups by the axes ``two``."""
    fine = {cells.axes[a].dimension: cells.axes[a].depth for a in one}
    return all(fine.get(cells.axes[a].dimension, -1) >= cells.axes[a].depth for a in two)


def two_chains(parts: Sequence[Partition], cells: Cells) -> tuple[list[int], list[int]] | None:
    """Divide partitions into two families, in each of which groups lie inside one another; None: impossible.

    Notes
    -----
    Two such families are the two sides of a flow network, whose vertices are whole numbers. They exist exactly when
    the graph of incomparable pairs has two colors.
    """
    n = len(parts)
    apart = [[b for b in range(n) if b != a and not _comparable(parts[a], parts[b], cells)] for a in range(n)]
    color = [-1] * n
    for start in range(n):
        if color[start] >= 0:
            continue
        color[start], queue = 0, deque([start])
        while queue:
            a = queue.popleft()
            for b in apart[a]:
                if color[b] == color[a]:
                    return None
                if color[b] < 0:
                    color[b] = 1 - color[a]
                    queue.append(b)
    chains = tuple([a for a in range(n) if color[a] == side] for side in (0, 1))
    fineness = [sum(refines(parts[a].axes, parts[b].axes, cells) for b in range(n)) for a in range(n)]
    first, second = (sorted(chain, key=lambda a: (fineness[a], a)) for chain in chains)
    return first, second


def _comparable(one: Partition, two: Partition, cells: Cells) -> bool:
    return refines(one.axes, two.axes, cells) or refines(two.axes, one.axes, cells)
