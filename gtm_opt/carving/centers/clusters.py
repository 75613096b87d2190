"""Clusterings of units by place to begin from, down a tree so that siblings are neighbors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gtm_opt.carving.compile.compiled import Compiled
    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.model import Hierarchy

__all__ = ["first_labels"]

SAMPLE = 20_000
ROUNDS = 30


def first_labels(compiled: Compiled, tree: Hierarchy, rng: np.random.Generator, *, balanced: bool) -> IntArray:
    """Return the leaf of a clustering for every unit, shape (n_units,).

    Parameters
    ----------
    compiled : Compiled
        With open centers; the first tells where accounts are.
    tree : Hierarchy
        The units of a node are clustered into its children, top down.
    rng : numpy.random.Generator
    balanced : bool
        Clusters hold about the children's shares (a power diagram); False: plain k-means.
    """
    place, units = compiled.open_centers[0], compiled.units
    weight = np.maximum(place.weight, 0.0)
    weight = np.where(weight > 0, weight, 1e-9 * max(float(weight.max(initial=0.0)), 1e-9))
    mass = units.sums(weight)
    points = np.stack([units.sums(weight * place.points[:, d]) for d in (0, 1)], axis=1) / mass[:, None]
    order = np.lexsort((mass, points[:, 1], points[:, 0]))
    sample = order if len(order) <= SAMPLE else order[np.sort(rng.choice(len(order), SAMPLE, replace=False))]
    leaf = _down_the_tree(points[sample], mass[sample], tree, rng, balanced)
    out = np.empty(len(points), dtype=np.int64)
    if len(sample) == len(points):
        out[sample] = leaf
        return out
    from scipy.spatial import cKDTree

    k = len(tree.leaves)
    total = np.maximum(np.bincount(leaf, weights=mass[sample], minlength=k), 1e-300)
    centers = np.stack(
        [np.bincount(leaf, weights=mass[sample] * points[sample, d], minlength=k) / total for d in (0, 1)], axis=1
    )
    out[:] = cKDTree(centers).query(points)[1]
    return out


def _down_the_tree(
    points: FloatArray, weight: FloatArray, tree: Hierarchy, rng: np.random.Generator, balanced: bool
) -> IntArray:
    leaf = np.zeros(len(points), dtype=np.int64)
    inside: dict[str, IntArray] = {tree.root: np.arange(len(points))}
    for node in tree.walk():
        members = inside.pop(node)
        if tree.is_leaf(node):
            leaf[members] = tree.leaf_range(node)[0]
            continue
        children = tree.children(node)
        shares = np.array([tree.share(child) for child in children])
        # sizes in order: which territory of a node comes first must not matter; clusters are matched afterwards
        rank = np.argsort(-shares, kind="stable")
        label = rank[_split(points[members], weight[members], shares[rank] / shares.sum(), rng, balanced)]
        for position, child in enumerate(children):
            inside[child] = members[label == position]
    return leaf


def _split(
    points: FloatArray, weight: FloatArray, shares: FloatArray, rng: np.random.Generator, balanced: bool
) -> IntArray:
    """Return labels of a k-means, whose clusters hold about their share of the weight where ``balanced``."""
    k = len(shares)
    if len(points) <= k:
        return np.arange(len(points)) % k
    centers = _first_centers(points, weight, k, rng)
    offset = np.zeros(k)
    scale = float(points.var(axis=0).sum()) or 1.0
    label = np.zeros(len(points), dtype=np.int64)
    for round_ in range(ROUNDS):
        square = ((points[:, None, :] - centers[None]) ** 2).sum(axis=2)
        label = (square + offset).argmin(axis=1)
        mass = np.bincount(label, weights=weight, minlength=k)
        if balanced:
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
