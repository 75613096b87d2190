"""Optimality conditions of a reconciliation, recomputed node by node from the tree alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.quota.layers import Layers

    FloatArray = NDArray[np.float64]

__all__ = ["family_pull", "incoherence", "optimality_error"]


def incoherence(layers: Layers, factor: FloatArray, values: FloatArray) -> FloatArray:
    """Return by how much the children of each node exceed its value with over-assignment; 0 for leaves."""
    out = np.zeros(len(layers))
    for layer in layers.down():
        sums = np.add.reduceat(values[layer.nodes], layer.starts)
        out[layer.parents] = sums - factor[layer.parents] * values[layer.parents]
    return out


def family_pull(layers: Layers, factor: FloatArray, multipliers: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what the multipliers of the family above and of the one below weigh on each node.

    Parameters
    ----------
    multipliers : ndarray of shape (n_nodes,)
        Of the family below each node; 0 where there is none.
    """
    above = np.where(layers.parent >= 0, multipliers[layers.parent], 0.0)
    below = np.where(layers.is_leaf, 0.0, -factor * multipliers)
    return above, below


def optimality_error(
    layers: Layers,
    factor: FloatArray,
    shift: FloatArray,
    values: FloatArray,
    start: FloatArray,
    scale: FloatArray | None,
    covariance: FloatArray | None,
    multipliers: FloatArray,
    free: NDArray[np.bool_],
    low: FloatArray,
    high: FloatArray,
) -> dict[str, float]:
    """Return how far a tree is from coherent, within bounds, and stationary; each relative to the amounts.

    Parameters
    ----------
    scale : ndarray of shape (n_nodes,) or None
        Variances; None: entropy.
    covariance : ndarray of shape (n_free, n_free) or None
        In place of ``scale``.

    Notes
    -----
    Stationary means that every free node equals its estimate moved by the multipliers of its two families and clipped
    to its bounds: the conditions of Karush, Kuhn and Tucker, sufficient because the problem is convex.
    """
    size = np.maximum(1.0, np.abs(values))
    largest = float(size.max())
    off = np.abs(incoherence(layers, factor, values) - shift)
    outside = np.maximum(np.maximum(low - values, values - high), 0.0)
    above, below = family_pull(layers, factor, multipliers)
    pull = above + below
    if covariance is not None:
        reduced = np.zeros(len(layers))
        at = np.flatnonzero(free)
        reduced[at] = np.linalg.solve(covariance, (values - start)[at]) + pull[at]
        spread = np.ones(len(layers))
        spread[at] = np.diag(covariance)
        wanted = np.clip(values - spread * reduced, low, high)
    elif scale is not None:
        wanted = np.clip(start - scale * pull, low, high)
    else:
        wanted = np.clip(start * np.exp(np.clip(-pull, -500.0, 500.0)), low, high)
    return {
        "coherence": float(off.max()) / largest,
        "bounds": float((outside / size).max()),
        "stationarity": float(np.where(free, np.abs(values - wanted), 0.0).max()) / largest,
    }
