"""What an inner node should know of the levels below it: prices of the slack there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.carving.tree.node import merged_instance
from gtm_opt.instance import Dense, product

if TYPE_CHECKING:
    from gtm_opt.carving.tree.node import NodeTask
    from gtm_opt.instance import FloatArray, Instance

__all__ = ["GUIDE_ROUNDS", "Guide", "ascend", "find_guide", "guided", "look_ahead"]

VIEW = 120
"""Descendants an inner node looks at, at most: it goes down as many levels as that allows."""
SAMPLE_CELLS = 600_000
"""Units x descendants of the sample whose slack is priced."""
GUIDE_ROUNDS = 240


@dataclass(frozen=True, eq=False)
class Guide:
    """Prices of slack further down a tree.

    Attributes
    ----------
    nodes : tuple of str
        Descendants of the node, left to right, which together hold all its leaves.
    prices : ndarray of shape (n_nodes, n_criteria)
        Per unit of activity.
    """

    nodes: tuple[str, ...]
    prices: FloatArray


def view_nodes(task: NodeTask) -> tuple[str, ...]:
    """Return the deepest cut through the subtree with at most `VIEW` nodes."""
    tree = task.tree
    nodes = tree.children(tree.root)
    while True:
        deeper = tuple(n for node in nodes for n in (tree.children(node) or (node,)))
        if deeper == nodes or len(deeper) > VIEW:
            return nodes
        nodes = deeper


def find_guide(task: NodeTask, seed: int, rounds: int = GUIDE_ROUNDS) -> Guide | None:
    """Return prices of the slack below a node; None where looking ahead tells nothing.

    Notes
    -----
    A unit's cost at an inner node is the least it can still get below each child. Taken alone that
    would send everybody towards the few leaves that suit many: so the bands of the descendants
    are priced first (a short dual ascent on a sample), and slack that is scarce is expensive.
    """
    tree, flat = task.tree, task.instance
    banded = bool((np.isfinite(flat.lower) | np.isfinite(flat.upper)).any())
    if flat.evenness is not None or flat.by_territory or not (flat.cost and banded) or flat.n_units < 2:
        return None
    nodes = view_nodes(task)
    if len(nodes) == len(tree.children(tree.root)):
        return None
    units = np.arange(flat.n_units)
    size = SAMPLE_CELLS // len(nodes)
    if flat.n_units > size:
        units = np.sort(np.random.default_rng([seed, 1]).choice(flat.n_units, size, replace=False))
    view = merged_instance(replace(task, instance=flat.take(units), start=None), nodes)
    part = flat.activities[units].sum(axis=0) / np.maximum(flat.activities.sum(axis=0), 1e-300)
    view = replace(view, target=view.target * part, lower=view.lower * part, upper=view.upper * part)
    return Guide(nodes, ascend(view, rounds))


def look_ahead(task: NodeTask, instance: Instance, guide: Guide) -> Dense:
    """Return what the prices below add to each child, shape (n_units, n_children).

    Parameters
    ----------
    task : NodeTask
    instance : Instance
        Of the task's node, see `gtm_opt.carving.tree.node.node_instance`.
    guide : Guide
    """
    view = merged_instance(task, guide.nodes)
    first = [task.tree.leaf_range(child)[0] for child in task.tree.children(task.tree.root)]
    begin = np.searchsorted([task.tree.leaf_range(node)[0] for node in guide.nodes], first)
    out = np.zeros((instance.n_units, instance.n_territories))
    for rows in instance.chunks(1 << 14):
        priced = view.cost_block(rows) + product(view.activities[rows], guide.prices.T)
        least = np.minimum.reduceat(priced, begin, axis=1)
        here = instance.cost_block(rows)
        known = np.isfinite(least) & np.isfinite(here)
        out[rows][known] = (least - np.where(known, here, 0.0))[known]
    return Dense(out)


def guided(task: NodeTask, instance: Instance, guide: Guide | None) -> Instance:
    """Return the node's instance with the prices below it as one more cost term."""
    if guide is None:
        return instance
    return replace(instance, cost=(*instance.cost, look_ahead(task, instance, guide)))


def ascend(instance: Instance, rounds: int) -> FloatArray:
    """Return prices of the bands by a short subgradient ascent, shape (n_territories, n_criteria).

    Parameters
    ----------
    instance : Instance
        Activities of shape (n_units, n_criteria); the costs of all pairs must fit into memory.
    rounds : int

    Notes
    -----
    Averaged directions and a step that shrinks whenever the dual stalls. Any prices give a valid
    bound; these are good enough to steer by.
    """
    n, k, m = instance.n_units, instance.n_territories, instance.n_criteria
    cost = np.concatenate([instance.cost_block(rows) for rows in instance.chunks()])
    finite = np.isfinite(cost)
    worst = float(cost[finite].max(initial=0.0))
    spread = float((np.where(finite, cost, worst).max(axis=1) - cost.min(axis=1, initial=worst)).mean())
    cost = np.where(finite, cost, 1e6 * (1.0 + worst))
    scale = 1.0 / np.where(instance.target > 0, instance.target, 1.0)
    most = np.where(np.isinf(instance.penalty), np.inf, instance.penalty) * np.ones((k, m))
    high = np.where(np.isfinite(instance.upper), most, 0.0)
    low = np.where(np.isfinite(instance.lower), -most, 0.0)
    upper = np.where(np.isfinite(instance.upper), instance.upper * scale, 0.0)
    lower = np.where(np.isfinite(instance.lower), instance.lower * scale, 0.0)
    best, best_value = np.zeros((k, m)), -np.inf
    price, direction = best, np.zeros((k, m))
    step, stalled = 0.1 * spread * n / k, 0
    for _ in range(rounds):
        priced = cost + product(instance.activities, (price * scale).T)
        choice = priced.argmin(axis=1)
        value = float(priced[np.arange(n), choice].sum())
        value -= float((np.maximum(price, 0.0) * upper - np.maximum(-price, 0.0) * lower).sum())
        if value > best_value:
            best, best_value, stalled = price, value, 0
        else:
            stalled += 1
        if stalled >= 6:
            step, stalled, price = 0.6 * step, 0, best
            direction = np.zeros((k, m))
            continue
        totals = np.stack([np.bincount(choice, weights=w, minlength=k) for w in instance.activities.T], axis=1) * scale
        above, under = totals - upper, totals - lower
        slope = np.where(price > 0, above, np.where(price < 0, under, np.maximum(above, 0.0) + np.minimum(under, 0.0)))
        slope = np.where(((price >= high) & (slope > 0)) | ((price <= low) & (slope < 0)), 0.0, slope)
        direction = 0.6 * direction + 0.4 * slope
        size = float(np.sqrt((direction**2).sum()))
        if size <= 1e-12:
            break
        price = np.clip(price + step * direction / size, low, high)
    return best * scale
