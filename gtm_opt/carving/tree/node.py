"""One node of the tree as an instance: its children are the territories."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from gtm_opt.carving.compile.eligibility import EligibilityTerm
from gtm_opt.carving.feasibility.impossible import forced_moves
from gtm_opt.carving.tree.closest import merge_term
from gtm_opt.carving.tree.settings import TreeSettings
from gtm_opt.instance import BestLeaf, Evenness, ForbiddenTerm, MoveCost, PinTerm, UnitSum
from gtm_opt.instance.terms import total
from gtm_opt.measures.criteria import granule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gtm_opt.instance import FloatArray, Instance, IntArray, Term
    from gtm_opt.model import Hierarchy

__all__ = ["NodeTask", "children_tasks", "merged_instance", "node_instance", "node_start", "restrict_task", "root_task"]

RULES = ("pin", "forbid", "segment")
"""Cost terms that are rules: no level may leave them out."""


@dataclass(frozen=True, eq=False)
class NodeTask:
    """A subtree to carve: everything a worker needs, and nothing else.

    Attributes
    ----------
    tree : Hierarchy
        The subtree; its root is the node.
    instance : Instance
        The node's units x the leaves of the subtree, in leaf order. Targets and bands are the
        leaves' own, absolute.
    units : ndarray of int
        Positions of these units in the whole problem.
    budget : ndarray of shape (n_side_rows,)
        What is left of each side row for this subtree.
    start : ndarray of int, shape (n_units,), or None
        Leaf position each unit begins in, -1: none.
    settings : TreeSettings
        What the levels of the tree ask for.
    """

    tree: Hierarchy
    instance: Instance
    units: IntArray
    budget: FloatArray
    start: IntArray | None = None
    settings: TreeSettings = field(default_factory=TreeSettings)


def root_task(
    tree: Hierarchy, instance: Instance, start: IntArray | None = None, settings: TreeSettings | None = None
) -> NodeTask:
    """Return the task of the whole tree."""
    budget = np.array([row.upper for row in instance.side]) - forced_moves(instance)
    return NodeTask(tree, instance, np.arange(instance.n_units), budget, start, settings or TreeSettings())


def node_start(task: NodeTask) -> IntArray | None:
    """Return the child each unit begins in; None when some unit has none."""
    if task.start is None or (task.start < 0).any():
        return None
    sizes = [task.tree.leaf_count(child) for child in task.tree.children(task.tree.root)]
    return np.repeat(np.arange(len(sizes)), sizes)[task.start]


def node_instance(task: NodeTask) -> Instance:
    """Return the instance of the subtree's root: leaves merged into the root's children.

    Notes
    -----
    Targets and bands are sums of the leaves' own. A child that will be divided again gets
    a part (`TreeSettings.tolerance_budget`) of the tolerance per further level, so that the leaves still have
    slack: a tolerance budget. Side rows leave an equal part of the budget to each further level; what
    they use is counted as if every unit then went to its best leaf below, so that the budget is exact.
    """
    instance = merged_instance(task, task.tree.children(task.tree.root))
    level = task.settings.levels.get(task.tree.levels[1])
    if level is None:
        return instance
    lower, upper = level.bands(instance.names, instance.target, instance.lower, instance.upper)
    cost = instance.cost
    if level.prefer is not None:
        names = task.settings.costs
        left_out = {at for at, name in enumerate(names) if name not in level.prefer and name not in RULES}
        cost = tuple(_nothing(instance) if at in left_out else term for at, term in enumerate(cost))
    return replace(instance, lower=lower, upper=upper, cost=cost)


def _nothing(instance: Instance) -> Term:
    """Return a term that is zero everywhere."""
    return MoveCost(np.full(instance.n_units, -1, dtype=np.int64), np.zeros(instance.n_units), instance.n_territories)


def merged_instance(task: NodeTask, nodes: Sequence[str]) -> Instance:
    """Return the instance over ``nodes``, left to right, which together hold all leaves of the task."""
    tree, flat = task.tree, task.instance
    sizes = np.array([tree.leaf_count(node) for node in nodes])
    upper = task.budget / tree.depth + forced_moves(flat)
    side = tuple(replace(row, upper=float(limit)) for row, limit in zip(flat.side, upper, strict=True))
    if (sizes == 1).all():
        return replace(flat, side=side)
    group = np.repeat(np.arange(len(nodes)), sizes)
    below = np.array([tree.height(node) for node in nodes])
    target = np.add.reduceat(flat.target, _starts(sizes), axis=0)
    lower, upper_band = _merge_bands(flat, sizes, target, task.settings.tolerance_budget**below)
    shares = np.bincount(group, weights=flat.shares)
    evenness = flat.evenness
    if evenness is not None:
        evenness = Evenness(evenness.kind, np.add.reduceat(evenness.unit, _starts(sizes), axis=0))
    activities = flat.activities
    if flat.by_territory:
        weighted = activities * flat.shares[None, :, None]
        activities = np.add.reduceat(weighted, _starts(sizes), axis=1) / shares[None, :, None]
    costs = tuple(merge_term(term, group, flat.shares) for term in flat.cost)
    costs += _closed_jointly(flat, costs, group, len(sizes))
    apart, forbidden = _apart_below(flat, costs, sizes)
    return replace(
        flat,
        activities=activities,
        target=target,
        lower=lower,
        upper=upper_band,
        shares=shares / shares.sum(),
        cost=costs + forbidden,
        side=tuple(replace(row, term=_merge_side(flat, row.term, group)) for row in side),
        previous=None if flat.previous is None else np.where(flat.previous >= 0, group[flat.previous], flat.previous),
        apart=apart,
        evenness=evenness,
    )


def _merge_side(flat: Instance, term: Term, group: IntArray) -> Term:
    """Merge exactly: the best of the leaves that are open, for a family the best for all of it together."""
    rules = tuple(t for t in flat.cost if isinstance(t, PinTerm | ForbiddenTerm | EligibilityTerm))
    return BestLeaf(term, group, rules) if rules or isinstance(term, UnitSum) else term.merge(group, flat.shares)


def _closed_jointly(flat: Instance, costs: tuple[Term, ...], group: IntArray, k: int) -> tuple[Term, ...]:
    """Forbid the children in which every leaf is closed by one rule or another, though by no single rule.

    Rules are merged one by one, and a child stays open to each of them that leaves one leaf of it; the leaves left by
    two rules may differ. Only units named in forbidden pairs can meet two rules: a pin beside a rule that closes it is
    refused where the problem enters.
    """
    rules = tuple(t for t in flat.cost if isinstance(t, PinTerm | ForbiddenTerm | EligibilityTerm))
    named = [t.unit for t in rules if isinstance(t, ForbiddenTerm)]
    if len(rules) < 2 or not named:
        return ()
    merged = tuple(t for t in costs if isinstance(t, PinTerm | ForbiddenTerm | EligibilityTerm))
    units = np.unique(np.concatenate(named))
    step = max(64, 4_000_000 // len(group))
    pairs = [np.zeros((0, 2), dtype=np.int64)]
    for start in range(0, len(units), step):
        rows = units[start : start + step]
        leaves = np.isfinite(total(rules, rows, len(rows), len(group)))
        open_below = np.stack([leaves[:, group == child].any(axis=1) for child in range(k)], axis=1)
        closed = np.argwhere(np.isfinite(total(merged, rows, len(rows), k)) & ~open_below)
        pairs.append(np.stack([rows[closed[:, 0]], closed[:, 1]], axis=1))
    found = np.concatenate(pairs)
    return (ForbiddenTerm(found[:, 0], found[:, 1], flat.n_units, k),) if len(found) else ()


def _apart_below(
    flat: Instance, costs: tuple[Term, ...], sizes: IntArray
) -> tuple[tuple[IntArray, ...], tuple[Term, ...]]:
    """Return apart groups over children, and bars, so that no child gets more of a group than it has leaves.

    Notes
    -----
    Different leaves are asked for, not different children: a group larger than the number of children,
    or pinned into one of them, is spread by maximum matchings, one after the other. The members of
    the p-th matching go to different children, each of at least p leaves.
    """
    parts: list[IntArray] = []
    bars: list[IntArray] = []
    for whole in flat.apart:
        group, allowed = whole, np.isfinite(total(costs, whole, len(whole), len(sizes)))
        for taken in range(int(sizes.max())):
            roomy = allowed & (sizes > taken)
            spread = maximum_bipartite_matching(csr_array(roomy), perm_type="column") >= 0
            if spread.sum() > 1:
                parts.append(group[spread])
            shut = np.argwhere(allowed[spread] & (sizes <= taken))
            bars.append(np.stack([group[spread][shut[:, 0]], shut[:, 1]], axis=1))
            group, allowed = group[~spread], allowed[~spread]
            if not len(group) or not spread.any():
                break
    pairs = np.unique(np.concatenate([np.zeros((0, 2), dtype=np.int64), *bars]), axis=0)
    forbidden = (ForbiddenTerm(pairs[:, 0], pairs[:, 1], flat.n_units, len(sizes)),) if len(pairs) else ()
    return tuple(parts), forbidden


def _starts(sizes: IntArray) -> IntArray:
    return np.concatenate([[0], np.cumsum(sizes)[:-1]])


def _merge_bands(
    flat: Instance, sizes: IntArray, target: FloatArray, part: FloatArray
) -> tuple[FloatArray, FloatArray]:
    lower = np.add.reduceat(flat.lower, _starts(sizes), axis=0)
    upper = np.add.reduceat(flat.upper, _starts(sizes), axis=0)
    factor = part[:, None]
    # limits have no target to shrink towards: they keep the plain sum of the leaves' limits
    two_sided = np.isfinite(lower) & np.isfinite(upper)
    tight_lower = target - factor * (target - lower)
    tight_upper = target + factor * (upper - target)
    for j in range(flat.n_criteria):
        step = granule(flat.activities[..., j])
        if step > 0.0:
            tight_lower[:, j] = np.minimum(tight_lower[:, j], np.floor(target[:, j] / step + 1e-9) * step)
            tight_upper[:, j] = np.maximum(tight_upper[:, j], np.ceil(target[:, j] / step - 1e-9) * step)
    return np.where(two_sided, tight_lower, lower), np.where(two_sided, tight_upper, upper)


def children_tasks(task: NodeTask, node: Instance, assignment: IntArray) -> list[NodeTask]:
    """Return the tasks of the children that are divided further, after the node was solved."""
    tree = task.tree
    out: list[NodeTask] = []
    for position, child in enumerate(tree.children(tree.root)):
        if not tree.is_leaf(child):
            part = restrict_task(task, child, np.flatnonzero(assignment == position))
            out.append(replace(part, budget=_movable(part.instance)))
    if not out:
        return out
    left = _left_over(task, node, assignment)
    total = np.sum([t.budget for t in out], axis=0)
    return [replace(t, budget=np.where(total > 0, left * t.budget / np.where(total > 0, total, 1.0), 0.0)) for t in out]


def restrict_task(task: NodeTask, node: str, units: IntArray) -> NodeTask:
    """Return the task of a node below, for some of the units; its budget is still open (zero).

    Parameters
    ----------
    task : NodeTask
    node : str
        At or below the task's root.
    units : ndarray of int
        Positions among the task's units.
    """
    flat = task.instance
    start, stop = task.tree.leaf_range(node)
    leaves = np.arange(start, stop)
    part = flat.take(units)
    shares = flat.shares[leaves]
    part = replace(
        part,
        activities=part.activities[:, leaves] if flat.by_territory else part.activities,
        target=flat.target[leaves],
        lower=flat.lower[leaves],
        upper=flat.upper[leaves],
        shares=shares / shares.sum(),
        cost=tuple(term.take_territories(leaves) for term in part.cost),
        side=tuple(replace(row, term=row.term.take_territories(leaves)) for row in part.side),
        previous=None if part.previous is None else _within(part.previous, start, stop),
        evenness=None if flat.evenness is None else Evenness(flat.evenness.kind, flat.evenness.unit[leaves]),
    )
    begin = None if task.start is None else _within(task.start[units], start, stop)
    budget = np.zeros(len(flat.side))
    return NodeTask(task.tree.subtree(node), part, task.units[units], budget, begin, task.settings)


def _left_over(task: NodeTask, node: Instance, assignment: IntArray) -> FloatArray:
    used = -forced_moves(task.instance)
    for rows in node.chunks():
        here = assignment[rows]
        for r, row in enumerate(node.side):
            used[r] += float(row.term.block(rows)[np.arange(len(here)), here].sum())
    return np.maximum(task.budget - used, 0.0)


def _movable(instance: Instance) -> FloatArray:
    """Return how much of each side row can still be used: what the units could move."""
    out = -forced_moves(instance)
    for rows in instance.chunks():
        if not instance.side:
            break
        forbidden = ~np.isfinite(instance.cost_block(rows))
        for r, row in enumerate(instance.side):
            out[r] += float(np.where(forbidden, 0.0, row.term.block(rows)).max(axis=1).sum())
    return np.maximum(out, 0.0)


def _within(previous: IntArray, start: int, stop: int) -> IntArray:
    return np.where((previous >= start) & (previous < stop), previous - start, -1)
