"""Centers for distance preferences that name none: found from the accounts, down the tree."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.instance import Distance, Grouped

if TYPE_CHECKING:
    from gtm_opt.carving.compile import Compiled
    from gtm_opt.instance import FloatArray, IntArray, Term
    from gtm_opt.model import Hierarchy

__all__ = ["find_open_centers", "spread_centers"]

SAMPLE = 20_000
ROUNDS = 30


def find_open_centers(compiled: Compiled, tree: Hierarchy, seed: int) -> Compiled:
    """Return the compiled problem with a center for every leaf where none was given.

    Notes
    -----
    Top-down: the accounts of a node are split among its children by k-means with sizes in
    proportion to the children's shares, so that siblings are neighbors; the leaves' means are the
    centers. Deterministic for a seed.
    """
    if not compiled.open_centers:
        return compiled
    terms: list[Term] = list(compiled.instance.cost)
    units = compiled.units
    for open_center in compiled.open_centers:
        weight = np.maximum(open_center.weight, 0.0)
        centers = spread_centers(open_center.points, weight, tree, seed)
        term: Term = Distance(
            open_center.points, centers, open_center.weight, open_center.squared, open_center.haversine
        )
        terms.append(term if units.single else Grouped(term, units.members, units.start))
    instance = replace(compiled.instance, cost=tuple(terms))
    names = (*compiled.cost_names, *("near" for _ in compiled.open_centers))
    return replace(compiled, instance=instance, open_centers=(), cost_names=names)


def spread_centers(points: FloatArray, weight: FloatArray, tree: Hierarchy, seed: int) -> FloatArray:
    """Return one center per leaf of ``tree``, shape (n_leaves, 2)."""
    rng = np.random.default_rng(seed)
    at = np.arange(len(points)) if len(points) <= SAMPLE else np.sort(rng.choice(len(points), SAMPLE, replace=False))
    points, weight = points[at], np.where(weight[at] > 0, weight[at], 1e-9)
    centers = np.zeros((len(tree.leaves), 2))
    inside: dict[str, IntArray] = {tree.root: np.arange(len(points))}
    for node in tree.walk():
        members = inside.pop(node)
        if tree.is_leaf(node):
            start, _ = tree.leaf_range(node)
            centers[start] = (
                np.average(points[members], axis=0, weights=weight[members]) if len(members) else points.mean(axis=0)
            )
            continue
        children = tree.children(node)
        shares = np.array([tree.share(child) for child in children])
        label = _split(points[members], weight[members], shares / shares.sum(), rng)
        for position, child in enumerate(children):
            inside[child] = members[label == position]
    return centers


def _split(points: FloatArray, weight: FloatArray, shares: FloatArray, rng: np.random.Generator) -> IntArray:
    """Return labels of a k-means whose clusters hold about their share of the weight."""
    k = len(shares)
    if len(points) < k:
        return np.arange(len(points)) % k
    centers = _first_centers(points, weight, k, rng)
    offset = np.zeros(k)
    scale = float(points.var(axis=0).sum()) or 1.0
    label = np.zeros(len(points), dtype=np.int64)
    for round_ in range(ROUNDS):
        square = (points**2).sum(axis=1)[:, None] - 2.0 * points @ centers.T + (centers**2).sum(axis=1)
        label = (square + offset).argmin(axis=1)
        mass = np.bincount(label, weights=weight, minlength=k)
        # a power diagram: raise the offset of clusters that hold too much
        offset += 0.3 * scale * (mass / mass.sum() - shares) / (1.0 + 0.2 * round_)
        for c in np.flatnonzero(mass > 0):
            centers[c] = np.average(points[label == c], axis=0, weights=weight[label == c])
    return label


def _first_centers(points: FloatArray, weight: FloatArray, k: int, rng: np.random.Generator) -> FloatArray:
    """Return k-means++ seeds (Arthur and Vassilvitskii 2007)."""
    first = int(rng.choice(len(points), p=weight / weight.sum()))
    centers = [points[first]]
    nearest = ((points - points[first]) ** 2).sum(axis=1)
    for _ in range(1, k):
        mass = nearest * weight
        pick = int(rng.choice(len(points), p=mass / mass.sum())) if mass.sum() > 0 else int(rng.integers(len(points)))
        centers.append(points[pick])
        nearest = np.minimum(nearest, ((points - points[pick]) ** 2).sum(axis=1))
    return np.array(centers)
