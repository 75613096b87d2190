"""Leximax on a tree: after the worst ratio the next worst, and so on, in whole units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.quota.fairness.problem import FairProblem
    from gtm_opt.quota.layers import Layer

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

__all__ = ["level_ratios"]

_PASSES = 1_200
"""No bisection of double-precision numbers takes more halvings than there are exponents."""


def level_ratios(problem: FairProblem, worst: float) -> IntArray:
    """Return whole units per node with the worst ratio at ``worst`` and the next ones as low as possible.

    Parameters
    ----------
    problem : FairProblem
    worst : float
        From `FairProblem.worst_ratio`.

    Returns
    -------
    ndarray of int, shape (n,)

    Notes
    -----
    Each unit of a seat has a price, the ratio it leads to; units are taken in the order of price, of equal ones
    first those of the seat with the higher ratio before, then by id. A node's first units are those its floor
    demands, its last the one its cap allows. Without over-assignment inside the tree the feasible quotas of seats
    are the integer points of a base polyhedron given by a laminar family; taking units greedily is then optimal for
    every separable convex function, and the leximax order is one (Frank and Murota 2022, "Decreasing minimization on
    M-convex sets", doi:10.1007/s10107-021-01722-2). Here the greedy order is not walked unit by unit: a bisection
    finds for all families of a layer at once at which price each stops. With over-assignment inside the tree, totals
    are skipped and the order after the worst is a heuristic.

    O(depth * 60 * n).
    """
    low, high = problem.carry(problem.caps_at(worst))
    units = np.zeros(len(problem.layers), dtype=np.int64)
    units[0] = problem.plan
    layers = problem.upward[::-1]
    for depth, layer in enumerate(layers):
        totals = problem.edges.below(layer.parents, units[layer.parents])
        units[layer.nodes] = _divide(problem, layers[depth:], totals, low, high, worst)
    return units


def _divide(
    problem: FairProblem, layers: list[Layer], totals: IntArray, low: IntArray, high: IntArray, worst: float
) -> IntArray:
    """Return the units of the nodes of the first of ``layers``, whose families have the given totals."""
    first = layers[0]
    family = np.full(len(problem.layers), -1, dtype=np.int64)
    family[first.nodes] = first.group
    for layer in layers[1:]:
        family[layer.nodes] = family[layer.parents][layer.group]
    seats = problem.seats[family[problem.seats] >= 0]
    group = family[seats]

    def at_prices(prices: FloatArray) -> IntArray:
        return np.clip(problem.scale.most_units(seats, prices[group]), low[seats], high[seats])

    def rise(of_seats: IntArray) -> tuple[IntArray, IntArray]:
        """Return the units of the nodes of the layer, and per family, where seats would take ``of_seats``."""
        amount = np.zeros(len(problem.layers), dtype=np.int64)
        amount[seats] = of_seats
        for layer in layers[:0:-1]:
            takes = problem.edges.most(layer.parents, np.add.reduceat(amount[layer.nodes], layer.starts))
            amount[layer.parents] = np.clip(takes, low[layer.parents], high[layer.parents])
        return amount[first.nodes], np.add.reduceat(amount[first.nodes], first.starts)

    below, above = np.zeros(len(totals)), np.full(len(totals), worst)
    exact = rise(at_prices(below))[1] == totals
    for _ in range(_PASSES):
        middle = 0.5 * (below + above)
        open_ = ~exact & (middle > below) & (middle < above)
        if not open_.any():
            break
        reached = rise(at_prices(np.where(open_, middle, below)))[1]
        fits = open_ & (reached <= totals)
        exact |= fits & (reached == totals)
        below = np.where(fits, middle, below)
        above = np.where(open_ & ~fits, middle, above)
    base = at_prices(below)
    step = np.where(exact[group], 0, at_prices(above) - base)
    rank = _rank_steps(problem, seats, group, base, step)
    # how many seats of each family take the step: as many as fit, by a second bisection
    fit, over = np.zeros(len(totals), dtype=np.int64), np.bincount(group[step > 0], minlength=len(totals)) + 1
    while ((over - fit) > 1).any():
        middle = (fit + over) // 2
        fits = rise(base + np.where(rank < middle[group], step, 0))[1] <= totals
        fit, over = np.where(fits, middle, fit), np.where(fits, over, middle)
    units, reached = rise(base + np.where(rank < fit[group], step, 0))
    rest = totals - reached
    if (rest > 0).any():
        # The next step of a seat would make a node further up jump by several units: it takes the part that fits.
        further = rise(base + np.where(rank <= fit[group], step, 0))[0]
        units = units + _share(rest, further - units, first)
        units = units + _share(_missing(totals, units, first), high[first.nodes] - units, first)
    if (rest < 0).any():
        # Below a reserve several quotas give the same total; first those units go that nobody below would miss.
        nodes = np.arange(first.nodes.start, first.nodes.stop)
        same = np.maximum(problem.edges.least(nodes, problem.edges.below(nodes, units)), low[first.nodes])
        spare = np.where(problem.layers.is_leaf[first.nodes], 0, units - same)
        units = units - _share(-_missing(totals, units, first), spare, first)
        units = units - _share(-_missing(totals, units, first), units - low[first.nodes], first)
    return units


def _missing(totals: IntArray, units: IntArray, layer: Layer) -> IntArray:
    return np.asarray(totals - np.add.reduceat(units, layer.starts))


def _share(amount: IntArray, room: IntArray, layer: Layer) -> IntArray:
    """Return how much of each family's amount each member takes, in order, up to its room."""
    room = np.maximum(room, 0)
    before = np.cumsum(room) - room
    before = before - before[layer.starts][layer.group]
    return np.asarray(np.clip(np.maximum(amount, 0)[layer.group] - before, 0, room), dtype=np.int64)


def _rank_steps(problem: FairProblem, seats: IntArray, group: IntArray, base: IntArray, step: IntArray) -> IntArray:
    """Return the order in which the seats of a family take a step to the same price: the highest ratio first."""
    before = problem.scale.ratio(seats, base)
    order = np.lexsort((seats, -before, step <= 0, group))
    starts = np.concatenate([[0], np.cumsum(np.bincount(group))])
    rank = np.empty(len(seats), dtype=np.int64)
    rank[order] = np.arange(len(seats)) - starts[group[order]]
    return np.where(step > 0, rank, np.iinfo(np.int64).max // 2)
