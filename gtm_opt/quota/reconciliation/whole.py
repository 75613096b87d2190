"""A coherent tree in whole units: bounds carried up exactly, units shared out from the top."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import InfeasibleError, amount_text
from gtm_opt.quota.bounds import round_half_up
from gtm_opt.quota.rounding import UNBOUNDED, largest_remainder

if TYPE_CHECKING:
    from fractions import Fraction

    from numpy.typing import NDArray

    from gtm_opt.quota.layers import Layers

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

__all__ = ["round_tree"]


def round_tree(
    layers: Layers, edges: list[Fraction], values: FloatArray, floors: IntArray, caps: IntArray, unit: int
) -> IntArray:
    """Return whole units per node: every edge exact, every bound kept, by largest remainder inside each family.

    Parameters
    ----------
    values : ndarray of shape (n_nodes,)
        Coherent amounts, in units.
    floors, caps : ndarray of int, shape (n_nodes,)
        In units; equal for fixed nodes.

    Raises
    ------
    InfeasibleError
        Bounds that leave room for amounts but not for whole units.
    """
    floors, caps = floors.copy(), caps.copy()
    _carry_up(layers, edges, floors, caps, unit)
    units = np.zeros(len(layers), dtype=np.int64)
    units[0] = int(np.clip(np.rint(values[0]), floors[0], caps[0]))
    for layer in layers.down():
        totals = np.array([round_half_up(int(units[p]), edges[p]) for p in layer.parents], dtype=np.int64)
        low, high = floors[layer.nodes], caps[layer.nodes]
        amounts = np.clip(values[layer.nodes], low, high)
        units[layer.nodes] = largest_remainder(totals, amounts, layer.starts, layer.group, low, high)
    return units


def _carry_up(layers: Layers, edges: list[Fraction], floors: IntArray, caps: IntArray, unit: int) -> None:
    """Tighten the bounds of parents, in place, to what their children can take in whole units."""
    reasons = []
    for layer in layers.up():
        need = np.add.reduceat(floors[layer.nodes], layer.starts)
        unlimited = caps[layer.nodes] >= UNBOUNDED
        most = np.add.reduceat(np.where(unlimited, 0, caps[layer.nodes]), layer.starts)
        is_open = np.logical_or.reduceat(unlimited, layer.starts)
        for at in np.flatnonzero((need > 0) | ~is_open).tolist():
            p = int(layer.parents[at])
            top, bottom = edges[p].numerator, edges[p].denominator
            # round_half_up(q * top / bottom) >= need, and <= most, solved for whole q
            least = max(0, -((bottom - 2 * bottom * int(need[at])) // (2 * top)))
            reach = UNBOUNDED if is_open[at] else -((-2 * bottom * int(most[at]) - bottom) // (2 * top)) - 1
            floors[p], caps[p] = max(floors[p], least), min(caps[p], reach)
            if floors[p] > caps[p]:
                least_text, most_text = (amount_text(int(x[p]) * unit) for x in (floors, caps))
                reasons.append(
                    f"Node '{layers.ids[p]}': no whole number of units of {unit:,} passes on to its children: it needs "
                    f"at least {least_text} and can take at most {most_text}."
                )
        if reasons:
            raise InfeasibleError(reasons, "Take a smaller unit, or loosen a bound by one unit.")
