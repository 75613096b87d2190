"""What makes a table of nodes a tree that can be carved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from gtm_opt.errors import Findings
    from gtm_opt.model.tree_base import Tree

__all__ = ["check_ids", "check_shape"]


def check_ids(tree: Tree, found: Findings) -> None:
    """Find repeated ids, unknown parents, and roots that are none or many."""
    if len(tree.nodes) < 2:
        found.add("hierarchy", "needs a root and at least one leaf", remedy="Give the territories as leaves.")
        return
    if not len(tree.nodes) == len(tree.parents) == len(tree.weights):
        got = f"{len(tree.nodes)} nodes, {len(tree.parents)} parents and {len(tree.weights)} weights"
        found.add("hierarchy", "needs one parent and one weight for each node", got=got)
        return
    ids = pd.Series(tree.nodes, dtype=object)
    twice = ids[ids.duplicated()].unique()
    if len(twice):
        found.add(
            "hierarchy",
            "must name every node once",
            got="repeated ids",
            rows=twice,
            kind="node",
            remedy="Make ids unique, for example by prefixing them with their parent.",
        )
    known = set(tree.nodes)
    roots = [n for n, p in zip(tree.nodes, tree.parents, strict=True) if p is None]
    if len(roots) != 1:
        found.add(
            "hierarchy",
            "must have exactly one root",
            got=f"{len(roots)} nodes without a parent",
            rows=roots,
            kind="node",
            remedy="Add one node above them, or give the missing parents.",
        )
    lost = [n for n, p in zip(tree.nodes, tree.parents, strict=True) if p is not None and p not in known]
    if lost:
        found.add(
            "hierarchy",
            "must only name known parents",
            got="unknown parents",
            rows=lost,
            kind="node",
            remedy="Add the parents as nodes of their own.",
        )


def check_shape(tree: Tree, found: Findings) -> None:
    """Find cycles, nodes that are too wide, leaves without a weight, and children before their parents."""
    children = {node: tree.children(node) for node in tree.nodes}
    reached = set()
    todo = [tree.root]
    while todo:
        node = todo.pop()
        reached.add(node)
        todo.extend(children[node])
    circling = [n for n in tree.nodes if n not in reached]
    if circling:
        found.add(
            "hierarchy",
            "must be a tree",
            got="nodes that are their own ancestor",
            rows=circling,
            kind="node",
            remedy="Break the cycle in the parent links.",
        )
        return
    wide = [n for n in tree.nodes if len(children[n]) > tree.max_buckets]
    if wide:
        most = max(len(children[n]) for n in wide)
        found.add(
            "hierarchy",
            f"divides a node into at most {tree.max_buckets} buckets",
            got=f"up to {most} children",
            rows=wide,
            kind="node",
            remedy=f"Group the children, use Hierarchy.split, or pass max_buckets={most}.",
        )
    weak = [n for n, w in zip(tree.nodes, tree.weights, strict=True) if not children[n] and not 0 < w < float("inf")]
    if weak:
        found.add(
            "hierarchy",
            "needs a positive share for every leaf",
            got="zero, negative or missing shares",
            rows=weak,
            kind="leaf",
            remedy="Drop the territory, or give it a share.",
        )
    position = {n: at for at, n in enumerate(tree.nodes)}
    early = [n for n, p in zip(tree.nodes, tree.parents, strict=True) if p is not None and position[p] > position[n]]
    if early:
        found.add(
            "hierarchy",
            "must list parents before their children",
            rows=early,
            kind="node",
            remedy="Use Hierarchy.from_frame, which sorts them.",
        )
