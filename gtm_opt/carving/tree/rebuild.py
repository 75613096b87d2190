"""The nodes of a tree after leaves have changed hands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.carving.certificate import Certificate, certify
from gtm_opt.carving.tree.guide import guided
from gtm_opt.carving.tree.levels import NodeSolution
from gtm_opt.carving.tree.node import node_instance, restrict_task
from gtm_opt.solvers import SolverResult, SolveStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gtm_opt.carving.tree.node import NodeTask
    from gtm_opt.instance import IntArray
    from gtm_opt.model import Hierarchy

__all__ = ["child_of_unit", "leaf_of_unit", "rebuild"]

UNLIMITED = 1e300
NO_CERTIFICATE = Certificate(np.inf, -np.inf, np.inf, "none", SolveStatus.NO_SOLUTION, None)
"""Of a node that has none yet."""


def leaf_of_unit(tree: Hierarchy, count: int, solutions: Mapping[str, NodeSolution]) -> IntArray:
    """Return the leaf of each unit, -1 where a node has no answer."""
    leaf = np.full(count, -1, dtype=np.int64)
    for node, solution in solutions.items():
        if not len(solution.assignment):
            leaf[solution.units] = -1
            continue
        for position, child in enumerate(tree.children(node)):
            if tree.is_leaf(child):
                leaf[solution.units[solution.assignment == position]] = tree.leaf_range(child)[0]
    return leaf


def child_of_unit(tree: Hierarchy, node: str, unit_leaf: IntArray) -> tuple[IntArray, IntArray]:
    """Return the units at ``node``, and which of its children each belongs to."""
    start, stop = tree.leaf_range(node)
    units = np.flatnonzero((unit_leaf >= start) & (unit_leaf < stop))
    edges = np.array([tree.leaf_range(child)[1] for child in tree.children(node)])
    return units, np.searchsorted(edges, unit_leaf[units], side="right").astype(np.int64)


def rebuild(
    task: NodeTask, unit_leaf: IntArray, known: Mapping[str, NodeSolution], max_gap: float = 0.0
) -> dict[str, NodeSolution]:
    """Return the solutions of all nodes for given leaves; nodes that did not change stay as they are.

    Parameters
    ----------
    task : NodeTask
        The root.
    unit_leaf : ndarray of int, shape (n_units,)
    known : mapping of str to NodeSolution
        Prices and guides of changed nodes are kept, their certificates are made anew. Nodes that had no
        answer may be missing.
    max_gap : float
    """
    tree = task.tree
    out: dict[str, NodeSolution] = {}
    for node in tree.walk():
        if tree.is_leaf(node):
            continue
        units, child = child_of_unit(tree, node, unit_leaf)
        old = known.get(node)
        if old is None:
            old = NodeSolution(node, units, child, SolverResult(child), NO_CERTIFICATE, 0.0)
        elif len(old.assignment):
            order = np.argsort(old.units, kind="stable")
            if np.array_equal(old.units[order], units) and np.array_equal(old.assignment[order], child):
                out[node] = old
                continue
        at = restrict_task(task, node, units)
        # the budget of side rows is settled for the whole tree: here it binds nothing
        at = replace(at, budget=np.full(len(at.budget), UNLIMITED))
        result = replace(old.result, assignment=child, bound=-np.inf, proved_infeasible=False)
        judged = replace(result, side_prices=None)
        certificate = certify(guided(at, node_instance(at), old.guide), judged, max_gap)
        out[node] = NodeSolution(node, units, child, result, certificate, old.seconds, old.guide)
    return out
