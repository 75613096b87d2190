"""What a rule costs at the prices of a carving: node by node, with and without the rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.carving.analysis.place_prices import node_prices
from gtm_opt.carving.compile.compiled import compile_problem
from gtm_opt.carving.tree.guide import guided
from gtm_opt.carving.tree.node import NodeTask, node_instance, restrict_task
from gtm_opt.errors import SolverError
from gtm_opt.instance import Distance, UnitSum, product
from gtm_opt.model import MaxMoved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gtm_opt.carving.compile.compiled import Compiled
    from gtm_opt.carving.result import Carving
    from gtm_opt.instance import FloatArray, IntArray, Term
    from gtm_opt.model import Rule

__all__ = ["RelaxedProblem", "node_reduced", "preferred_leaves", "price_by_nodes", "without_pins", "without_rule"]

CELLS = 4_000_000
"""Units x children that are looked at at a time."""


@dataclass(frozen=True, eq=False)
class RelaxedProblem:
    """The compiled problem of a carving without a rule, on the same bands.

    Attributes
    ----------
    compiled : Compiled
    unit : ndarray of int
        The carving's unit (a family, where the rule joins several) each of its units belongs to.
    side : ndarray of int
        Which of the carving's side rows are left.
    """

    compiled: Compiled
    unit: IntArray
    side: IntArray


def without_rule(carving: Carving, rule: Rule) -> RelaxedProblem:
    """Return the problem without one of its rules, compiled."""
    rules = carving.problem.rules
    made = carving.compiled
    problem = carving.problem.replace(rules=tuple(r for r in rules if r is not rule))
    compiled = compile_problem(problem, made.territories.names)
    kept = [i for i, r in enumerate(r for r in rules if isinstance(r, MaxMoved)) if r is not rule]
    flat = made.instance
    rows = tuple(replace(own, upper=flat.side[i].upper) for own, i in zip(compiled.instance.side, kept, strict=True))
    cost = (*compiled.instance.cost, *_found_centers(carving, compiled))
    instance = replace(compiled.instance, cost=cost, side=rows)
    if flat.evenness is None:
        # a nearest plan has other bands: both shall be judged by the same
        instance = replace(instance, target=flat.target, lower=flat.lower, upper=flat.upper)
    names = (*compiled.cost_names, *("near" for _ in compiled.open_centers))
    compiled = replace(compiled, instance=instance, open_centers=(), cost_names=names)
    head = compiled.units.members[compiled.units.start[:-1]]
    return RelaxedProblem(compiled, made.units.of_account[head], np.array(kept, dtype=np.int64))


def without_pins(carving: Carving) -> RelaxedProblem:
    """Return the carving's own problem without any pin."""
    made = carving.compiled
    kept = [i for i, name in enumerate(made.cost_names) if name != "pin"]
    instance = replace(made.instance, cost=tuple(made.instance.cost[i] for i in kept))
    compiled = replace(made, instance=instance, cost_names=tuple(made.cost_names[i] for i in kept))
    return RelaxedProblem(compiled, np.arange(made.units.count), np.arange(len(made.instance.side)))


def _found_centers(carving: Carving, compiled: Compiled) -> list[Term]:
    """Return the distance terms of a fresh compilation, to the centers that were found for the whole problem."""
    last = len(carving.compiled.cost_names)
    known = carving.compiled.instance.cost[last - len(compiled.open_centers) : last]
    terms: list[Term] = []
    for near, found in zip(compiled.open_centers, known, strict=True):
        distance = found.inner if isinstance(found, UnitSum) else found
        assert isinstance(distance, Distance)
        term: Term = Distance(near.points, distance.centers, near.weight, near.squared, near.haversine)
        units = compiled.units
        terms.append(term if units.single else UnitSum(term, units.members, units.start))
    return terms


def _prices(carving: Carving, node: str) -> tuple[FloatArray, FloatArray]:
    found = node_prices(carving, node)
    if found is None:
        raise SolverError(
            "'As even as possible' carves have no prices: ask with exact=True, or add a preference and carve "
            "with objective='preferences'."
        )
    return found


def _task(carving: Carving, compiled: Compiled, node: str, units: IntArray) -> NodeTask:
    flat = compiled.instance
    settings = replace(carving.settings, costs=compiled.cost_names)
    whole = NodeTask(carving.hierarchy, flat, np.arange(flat.n_units), np.zeros(len(flat.side)), settings=settings)
    return restrict_task(whole, node, units)


def node_reduced(carving: Carving, without: RelaxedProblem, node: str, units: IntArray) -> FloatArray:
    """Return what each child of a node costs some units without the rule, prices included.

    Parameters
    ----------
    carving : Carving
        Its prices and its look-ahead are used.
    without : Without
    node : str
    units : ndarray of int
        Positions in ``without.compiled``.

    Returns
    -------
    ndarray of shape (n_units, n_children)
    """
    prices, side = _prices(carving, node)
    task = _task(carving, without.compiled, node, units)
    instance = guided(task, node_instance(task), carving.solutions[node].guide)
    every = slice(0, len(units))
    out = instance.cost_block(every)
    own = instance.activities
    out += np.einsum("ikj,kj->ik", own, prices) if instance.by_territory else product(own, prices.T)
    for r, row in zip(without.side, instance.side, strict=True):
        out += side[r] * row.term.block(every)
    return out


def price_by_nodes(carving: Carving, rule: Rule, without: RelaxedProblem) -> float:
    """Return what a rule costs by prices: the sum over all nodes of what it costs there.

    Notes
    -----
    At each node a unit takes the child that is cheapest at the node's prices; the rule's cost is how much more
    it is with the rule than without. The look-ahead is that without the rule in both cases: what the
    rule costs further down is counted there. With one node this is the fall of the dual bound.
    """
    return float(sum(_node_cost(carving, rule, without, node) for node in carving.solutions))


def _node_cost(carving: Carving, rule: Rule, without: RelaxedProblem, node: str) -> float:
    total = 0.0
    solution, flat = carving.solutions[node], carving.compiled.instance
    caps = [i for i, r in enumerate(r for r in carving.problem.rules if isinstance(r, MaxMoved)) if r is rule]
    _, side = _prices(carving, node)
    used = 0.0
    for units, parts, start in _chunks(without, solution.units, len(carving.hierarchy.children(node))):
        free = node_reduced(carving, without, node, parts)
        held = np.add.reduceat(free, start, axis=0)
        one = node_instance(_task(carving, carving.compiled, node, units))
        rows = slice(0, len(units))
        for term in one.cost[: len(carving.compiled.cost_names)]:
            held[~np.isfinite(term.block(rows))] = np.inf
        for r in caps:
            block = one.side[r].term.block(rows)
            held += side[r] * block
            order = np.argsort(solution.units, kind="stable")
            at = solution.assignment[order[np.searchsorted(solution.units, units, sorter=order)]]
            used += float(block[np.arange(len(units)), at].sum())
        worth = held.min(axis=1) - np.add.reduceat(free.min(axis=1), start)
        total += float(worth[np.isfinite(worth)].sum())
    for r in caps:
        # a node of a tree has a part of what may move: what it uses, where that is scarce
        total -= float(side[r]) * (used if len(carving.solutions) > 1 else flat.side[r].upper)
    return max(0.0, total)


def _chunks(without: RelaxedProblem, units: IntArray, width: int) -> Iterator[tuple[IntArray, IntArray, IntArray]]:
    """Yield the carving's units, the units without the rule they consist of, and where each begins there."""
    units = np.sort(units)
    order = np.argsort(without.unit, kind="stable")
    sorted_unit = without.unit[order]
    step = max(1, CELLS // max(width, 1))
    for first in range(0, len(units), step):
        own = units[first : first + step]
        low, high = np.searchsorted(sorted_unit, own, "left"), np.searchsorted(sorted_unit, own, "right")
        sizes = high - low
        start = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        parts = order[np.repeat(low - start, sizes) + np.arange(int(sizes.sum()))]
        yield own, parts, start


def preferred_leaves(carving: Carving, without: RelaxedProblem, units: IntArray) -> tuple[IntArray, FloatArray]:
    """Return where units would go by prices without the rule, and what being where they are costs.

    Parameters
    ----------
    carving : Carving
    without : Without
    units : ndarray of int
        Positions in ``without.compiled``.

    Returns
    -------
    leaf : ndarray of int, shape (n_units,)
        Following the cheapest child from the root down.
    cost : ndarray of shape (n_units,)
        Sum over the nodes on the path to where they are.
    """
    tree = carving.hierarchy
    here = carving.unit_leaf[without.unit[units]]
    leaf, cost = np.full(len(units), -1, dtype=np.int64), np.zeros(len(units))
    preferring: dict[str, IntArray] = {tree.root: np.arange(len(units))}
    for node in tree.walk():
        if tree.is_leaf(node):
            start, _ = tree.leaf_range(node)
            leaf[preferring.pop(node, np.zeros(0, dtype=np.int64))] = start
            continue
        start, stop = tree.leaf_range(node)
        inside = np.flatnonzero((here >= start) & (here < stop))
        wish = preferring.pop(node, np.zeros(0, dtype=np.int64))
        rows = np.union1d(inside, wish)
        if not len(rows):
            continue
        reduced = node_reduced(carving, without, node, units[rows])
        best = reduced.argmin(axis=1)
        children = tree.children(node)
        at = np.searchsorted(rows, wish)
        for position, child in enumerate(children):
            preferring[child] = wish[best[at] == position]
        edges = np.array([tree.leaf_range(child)[1] for child in children])
        own = np.searchsorted(rows, inside)
        chosen = np.searchsorted(edges, here[inside], side="right")
        cost[inside] += reduced[own, chosen] - reduced[own, best[own]]
    return leaf, cost
