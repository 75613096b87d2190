"""A tree that nobody asked for: carved as one node where that is small enough, and shown by level."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.carving.certificate import certify
from gtm_opt.carving.tree.levels import NodeSolution
from gtm_opt.carving.tree.node import node_instance, restrict_task
from gtm_opt.carving.tree.rebuild import UNLIMITED, child_of_unit
from gtm_opt.model import Hierarchy
from gtm_opt.solvers import Run, SolverResult

if TYPE_CHECKING:
    from gtm_opt.carving.tree.node import NodeTask
    from gtm_opt.instance import IntArray

__all__ = ["ONE_NODE_CELLS", "SMALL_TREE_CELLS", "as_one_node", "unfold"]

ONE_NODE_CELLS = 100_000
"""Units x territories up to which more territories than one node has are carved together."""
SMALL_TREE_CELLS = 2_000
"""The same for trees that were asked for: so small that carving level by level could only lose."""


def as_one_node(tree: Hierarchy) -> Hierarchy:
    """Return the root of a tree directly above all its leaves, in the same order."""
    share = [tree.share(leaf) for leaf in tree.leaves]
    return Hierarchy.split(tree.leaves, weights=share, root=tree.root, max_buckets=max(2, len(tree.leaves)))


def unfold(
    task: NodeTask, unit_leaf: IntArray, whole: NodeSolution, max_gap: float, run: Run
) -> dict[str, NodeSolution]:
    """Return the nodes of a tree for a plan that was carved as one node.

    Parameters
    ----------
    task : NodeTask
        The root of the tree.
    unit_leaf : ndarray of int, shape (n_units,)
    whole : NodeSolution
        Of the one node. Its prices are those of the nodes above leaves; nodes further up are priced anew.
    max_gap : float
    run : Run
    """
    from gtm_opt.solvers.lagrangian import solve_prices

    tree, flat = task.tree, task.instance
    out: dict[str, NodeSolution] = {}
    for node in tree.walk():
        if tree.is_leaf(node):
            continue
        units, child = child_of_unit(tree, node, unit_leaf)
        part = restrict_task(task, node, units)
        # what may move is settled for the whole: in a node it binds nothing
        instance = node_instance(replace(part, budget=np.full(len(part.budget), UNLIMITED)))
        start, stop = tree.leaf_range(node)
        prices = None
        if flat.evenness is None and (instance.n_criteria or instance.side):
            above_leaves = stop - start == len(tree.children(node))
            known = whole.result.prices
            if above_leaves and known is not None:
                prices = known[start:stop]
            elif len(units):
                prices = solve_prices(replace(instance, side=()), run.within(run.remaining)).prices
        result = SolverResult(child, prices=prices)
        certificate = certify(instance, result, max_gap)
        out[node] = NodeSolution(node, units, child, result, certificate, 0.0)
    root = out[tree.root]
    made = replace(root.result, steps=whole.result.steps, termination=whole.result.termination)
    out[tree.root] = replace(root, result=made, seconds=whole.seconds)
    return out
