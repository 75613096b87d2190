"""Round a table by minimum-cost flow: every cell and subtotal up or down, margins exact, least distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.quota.cube.partition import Rounding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gtm_opt.quota.cube.partition import Partition

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

__all__ = ["round_by_flow"]

_SCALE = 2**36


def round_by_flow(
    base: IntArray, fraction: FloatArray, parts: Sequence[Partition], chains: tuple[Sequence[int], Sequence[int]]
) -> Rounding | None:
    """Return the rounding of least distance, None where no floor-or-ceiling table keeps margins and subtotals.

    Parameters
    ----------
    base : ndarray of int, shape (n_cells,)
        Whole units below each fitted number.
    fraction : ndarray of shape (n_cells,)
        What is above them, 0 <= fraction < 1.
    parts : sequence of Partition
    chains : pair of sequences of int
        Positions in ``parts``, each from coarse to fine; see `two_chains`.

    Notes
    -----
    Controlled rounding as a transportation problem [1]_: a unit flows from the groups of one family to those of the
    other through the cell that is rounded up, which costs ``1 - 2 fraction``. Costs are whole multiples of 2**-36;
    the bound allows for what that rounds off. Cost-scaling minimum-cost flow of OR-tools.

    References
    ----------
    .. [1] L. H. Cox and L. R. Ernst (1982). Controlled rounding. INFOR 20(4), 423-432.
       https://doi.org/10.1080/03155986.1982.11731872
    """
    from ortools.graph.python import min_cost_flow

    network = _Network(base, parts)
    ends = (network.add_side(chains[0], is_source=True), network.add_side(chains[1], is_source=False))
    loose = np.flatnonzero(fraction > 0.0)
    cost = np.rint((1.0 - 2.0 * fraction[loose]) * _SCALE).astype(np.int64)
    network.add(ends[0][loose], ends[1][loose], np.ones(len(loose), dtype=np.int64), cost)
    tail, head, most, unit_cost = (np.concatenate(column) for column in zip(*network.arcs, strict=True))
    if (most < 0).any():
        return None
    solver = min_cost_flow.SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(tail, head, most, unit_cost)
    solver.set_nodes_supplies(np.arange(network.n_nodes), network.supply[: network.n_nodes])
    if solver.solve() != solver.OPTIMAL:
        return None
    up = np.zeros(len(base), dtype=np.int64)
    up[loose] = solver.flows(arcs[len(arcs) - len(loose) :])
    distance = float(np.sum(np.where(up > 0, 1.0 - fraction, fraction)))
    return Rounding(base + up, distance - len(loose) / _SCALE, 0, "flow", is_optimal=True)


class _Network:
    """Nodes, arcs and supplies; lower bounds of arcs are turned into supplies."""

    def __init__(self, base: IntArray, parts: Sequence[Partition]) -> None:
        self.base, self.parts = base, parts
        self.n_nodes = 2
        self.supply = np.zeros(2 + sum(len(p.low) for p in parts), dtype=np.int64)
        self.arcs: list[tuple[IntArray, IntArray, IntArray, IntArray]] = []
        margin = next(p for p in parts if p.is_margin)
        units = int(margin.low.sum()) - int(base.sum())
        self.supply[:2] = units, -units

    def add(self, tail: IntArray, head: IntArray, most: IntArray, cost: IntArray) -> None:
        """Add arcs without lower bounds."""
        self.arcs.append((tail, head, most, cost))

    def add_side(self, chain: Sequence[int], *, is_source: bool) -> IntArray:
        """Add the nested groups of one family and return the node that each cell hangs on."""
        above = np.full(len(self.base), 0 if is_source else 1, dtype=np.int64)
        for position in chain:
            part = self.parts[position]
            n = len(part.low)
            here = self.n_nodes + np.arange(n)
            self.n_nodes += n
            parent = np.full(n, above[0] if len(above) else 0, dtype=np.int64)
            parent[part.group] = above
            done = np.bincount(part.group, weights=self.base, minlength=n).astype(np.int64)
            least, most = part.low - done, part.high - done
            least = np.maximum(least, 0)
            tail, head = (parent, here) if is_source else (here, parent)
            np.subtract.at(self.supply, tail, least)
            np.add.at(self.supply, head, least)
            self.add(tail, head, most - least, np.zeros(n, dtype=np.int64))
            above = here[part.group]
        return above
