"""The conditions of a coherent tree: every edge, fixed nodes, floors and caps, checked before anything is solved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from gtm_opt.errors import InfeasibleError, amount_text
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.errors import Findings
    from gtm_opt.quota.layers import Layers

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]
    BoolArray = NDArray[np.bool_]

__all__ = ["System", "build_system", "read_edges"]


@dataclass(frozen=True, eq=False)
class System:
    """``matrix @ y[free] = right`` for the families with free members; all others hold already.

    Attributes
    ----------
    family : ndarray of int, shape (n_rows,)
        Parent of the family of each row.
    matrix : csr_array of shape (n_rows, n_free)
        1 for a child, minus (1 + over-assignment) for the parent.
    right : ndarray of shape (n_rows,)
    free : ndarray of int, shape (n_free,)
        Nodes that are neither fixed nor determined by fixed ones.
    value : ndarray of shape (n_nodes,)
        Of the nodes that are not free; NaN for the others.
    low, high : ndarray of shape (n_nodes,)
        Floors and caps; equal to ``value`` where a node is not free.
    shift : ndarray of shape (n_nodes,)
        What the children of a node exceed its grossed-up value by, at most half a unit: bounds and fixed nodes are
        whole units, which over-assignment need not leave.
    """

    family: IntArray
    matrix: csr_array
    right: FloatArray
    free: IntArray
    value: FloatArray
    low: FloatArray
    high: FloatArray
    shift: FloatArray


def read_edges(
    over_assign: float | Mapping[str, float] | None, inherited: FloatArray | None, layers: Layers, found: Findings
) -> list[Fraction]:
    """Return 1 + over-assignment below each node, as exact fractions of the decimals given.

    Parameters
    ----------
    over_assign : float, mapping or None
        By level (the edge into it) or node (the edge below it); None: as inherited, else 0.
    inherited : ndarray of shape (n_nodes,) or None
        Over-assignment of the edge into each node.
    """
    out = [Fraction(1)] * len(layers)
    if over_assign is None:
        if inherited is not None:
            for node, above in enumerate(layers.parent.tolist()):
                if above >= 0:
                    out[above] = 1 + Fraction(str(float(inherited[node])))
        return out
    if not isinstance(over_assign, Mapping):
        return [1 + _fraction(over_assign, "over_assign", found)] * len(layers)
    read = {str(k): 1 + _fraction(v, f"over_assign['{k}']", found) for k, v in over_assign.items()}
    known = {*layers.level[1:], *layers.ids}
    for key in sorted(set(read) - known):
        remedy = did_you_mean(key, sorted(known))
        found.add("over_assign", "must name levels below the root, or nodes", got=f"'{key}'", remedy=remedy)
    for node, above in enumerate(layers.parent.tolist()):
        if above >= 0:
            out[above] = read.get(layers.ids[above], read.get(layers.level[node], out[above]))
    return out


def _fraction(value: object, where: str, found: Findings) -> Fraction:
    try:
        read = Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        found.add(where, "must be a number", got=repr(value))
        return Fraction(0)
    if not -1 < read <= 10:
        found.add(
            where, "must lie between -1 (not included) and 10", got=f"{float(read):g}", remedy="Write 5 % as 0.05."
        )
        return Fraction(0)
    return read


def build_system(
    layers: Layers, factor: FloatArray, fixed: dict[int, float], low: FloatArray, high: FloatArray, half_unit: float
) -> System:
    """Return the conditions, with everything that fixed nodes determine taken out.

    Raises
    ------
    InfeasibleError
        Fixed nodes, floors and caps that contradict each other, family by family with the amounts.

    Notes
    -----
    On a tree the conditions have a solution exactly when, carried up from the leaves, the interval of every node is not
    empty. What is left after the fixed nodes has two free members in every family, hence independent rows.
    """
    low, high = low.copy(), high.copy()
    for node, amount in fixed.items():
        low[node] = high[node] = amount
    shift = _carry_up(layers, factor, low.copy(), high.copy(), half_unit)
    value = np.full(len(layers), np.nan)
    value[list(fixed)] = list(fixed.values())
    child = np.flatnonzero(layers.parent >= 0)
    above = layers.parent[child]
    inner = np.flatnonzero(~layers.is_leaf)
    while True:
        free = np.isnan(value)
        members = np.bincount(above, weights=free[child], minlength=len(layers)) + np.where(layers.is_leaf, 0, free)
        single = (members == 1) & ~layers.is_leaf
        if not single.any():
            break
        sums = np.bincount(above, weights=np.where(free, 0.0, value)[child], minlength=len(layers))
        own = np.flatnonzero(single & free)
        value[own] = (sums[own] - shift[own]) / factor[own]
        kids = child[single[above] & free[child] & ~free[above]]
        parent = layers.parent[kids]
        value[kids] = factor[parent] * value[parent] + shift[parent] - sums[parent]
    free = np.isnan(value)
    low, high = np.where(free, low, value), np.where(free, high, value)
    family = inner[members[inner] > 0]
    row_of = np.full(len(layers), -1, dtype=np.int64)
    row_of[family] = np.arange(len(family))
    position = np.cumsum(free) - 1
    known = np.where(free, 0.0, value)
    sums = np.bincount(above, weights=known[child], minlength=len(layers))
    right = (shift + factor * known - sums)[family]
    kids = child[free[child] & (row_of[above] >= 0)]
    parents = family[free[family]]
    rows = np.concatenate([row_of[layers.parent[kids]], row_of[parents]])
    columns = np.concatenate([position[kids], position[parents]])
    data = np.concatenate([np.ones(len(kids)), -factor[parents]])
    matrix = csr_array((data, (rows, columns)), shape=(len(family), int(free.sum())))
    return System(family, matrix, right, np.flatnonzero(free), value, low, high, shift)


def _carry_up(layers: Layers, factor: FloatArray, low: FloatArray, high: FloatArray, half_unit: float) -> FloatArray:
    """Narrow intervals to what the children can take; return the shifts of families; raise on contradictions."""
    shift = np.zeros(len(layers))
    reasons = [
        f"Node '{layers.ids[i]}': its floor of {amount_text(low[i])} is above its cap of {amount_text(high[i])}."
        for i in np.flatnonzero(low > high)
    ]
    if reasons:
        raise InfeasibleError(reasons)
    slack = half_unit * (1 + 1e-9) + 1e-6
    for layer in layers.up():
        parents = layer.parents
        need, most = (np.add.reduceat(x[layer.nodes], layer.starts) for x in (low, high))
        gross_low, gross_high = factor[parents] * low[parents], factor[parents] * high[parents]
        short, over = need - gross_high, gross_low - most
        for wrong, by, limit, text in (
            (short > slack, short, high, "need {} more than its {} (with over-assignment {}) allow"),
            (over > slack, over, low, "can take {} less than its {} (with over-assignment {}) require"),
        ):
            for p, amount in zip(parents[wrong].tolist(), by[wrong].tolist(), strict=True):
                told = text.format(*map(amount_text, (amount, limit[p], factor[p] * limit[p])))
                reasons.append(f"Node '{layers.ids[p]}': its children {told}.")
        if reasons:  # contradictions further up would only be their consequence
            raise InfeasibleError(reasons, "Lift a cap, lower a floor, or release a fixed node.")
        shift[parents] = np.where(short > 0, short, np.where(over > 0, -over, 0.0))
        low[parents] = np.minimum(np.maximum(low[parents], need / factor[parents]), high[parents])
        high[parents] = np.maximum(np.minimum(high[parents], most / factor[parents]), low[parents])
    return shift
