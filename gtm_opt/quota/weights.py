"""Weights: how siblings share what their parent gets."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gtm_opt.errors import Findings
    from gtm_opt.quota.layers import Layers

    FloatArray = NDArray[np.float64]
    Weights = str | Mapping[str, float] | pd.Series[float]

__all__ = ["BUILT_IN", "read_metric", "sibling_weights"]

BUILT_IN = ("share", "equal")


def sibling_weights(
    layers: Layers, weights: Weights, metrics: pd.DataFrame | None, found: Findings
) -> tuple[FloatArray, list[str]]:
    """Return the weight of each node among its siblings, and notes.

    Each metric is turned into shares within the siblings first and blended after, so that
    metrics of different size and unit count as their betas say. A metric that is zero for
    all siblings is left out there; where all are, the siblings share alike.

    Returns
    -------
    ndarray of shape (n,)
        Sums to 1 over every sibling group; 1 for the root.
    list of str
        Where siblings had nothing to tell them apart.
    """
    betas = _betas(weights, found)
    values = {name: read_metric(name, layers, weights, metrics, found) for name in betas}
    out = np.ones(len(layers))
    notes: list[str] = []
    if found:
        return out, notes
    blank: list[str] = []
    for layer in layers.down():
        blend = np.zeros(layer.nodes.stop - layer.nodes.start)
        used = np.zeros(len(layer.starts))
        for name, beta in betas.items():
            part = values[name][layer.nodes]
            total = np.add.reduceat(part, layer.starts)
            counts = total > 0
            blend += np.where(counts[layer.group], beta * part / np.where(counts, total, 1.0)[layer.group], 0.0)
            used += beta * counts
        alike = 1.0 / np.bincount(layer.group)[layer.group]
        some = used > 0
        out[layer.nodes] = np.where(some[layer.group], blend / np.where(some, used, 1.0)[layer.group], alike)
        blank.extend(layers.ids[p] for p in layer.parents[~some])
    if blank:
        shown = ", ".join(blank[:5]) + (f" and {len(blank) - 5} more" if len(blank) > 5 else "")
        notes.append(f"All weights are zero below {shown}: their children share alike.")
    return out, notes


def _betas(weights: Weights, found: Findings) -> dict[str, float]:
    if isinstance(weights, pd.Series):
        return {"weights": 1.0}
    if isinstance(weights, str):
        return {weights: 1.0}
    try:
        betas = {str(name): float(beta) for name, beta in weights.items()}
    except (TypeError, ValueError, AttributeError):
        found.add("weights", "must be a metric's name or a mapping of metric to number", got=repr(weights))
        return {}
    bad = [name for name, beta in betas.items() if not (math.isfinite(beta) and beta >= 0)]
    if bad:
        found.add("weights", "must be finite numbers, none negative", rows=bad, kind="metric")
    elif abs(math.fsum(betas.values()) - 1) > 1e-6:
        got = f"{math.fsum(betas.values()):g}"
        remedy = "Divide each by their sum." if any(betas.values()) else "Name at least one metric."
        found.add("weights", "must sum to 1", got=got, remedy=remedy)
    return {name: beta for name, beta in betas.items() if beta > 0}


def read_metric(
    name: str, layers: Layers, weights: Weights, metrics: pd.DataFrame | None, found: Findings
) -> FloatArray:
    """Return a metric per node; inner nodes without a value get the sum of their children."""
    zero = np.zeros(len(layers))
    if isinstance(weights, pd.Series):
        column = weights
    elif metrics is not None and name in metrics.columns:
        labels = metrics["node_id"] if "node_id" in metrics.columns else metrics.index
        column = pd.Series(metrics[name].to_numpy(), index=pd.Index(labels))
    elif name == "share":
        return layers.share
    elif name == "equal":
        return np.ones(len(layers))
    else:
        known = [*BUILT_IN, *(metrics.columns if metrics is not None else ())]
        found.add(f"weights '{name}'", "must be a column of metrics", remedy=did_you_mean(name, known))
        return zero
    return _by_node(name, column, layers, found)


def _by_node(name: str, column: pd.Series[float], layers: Layers, found: Findings) -> FloatArray:
    labels = pd.Index([str(i) for i in column.index])
    where = f"metrics['{name}']" if name != "weights" else "weights"
    if labels.has_duplicates:
        found.add(where, "must have one row per node", rows=labels[labels.duplicated()].unique(), kind="node")
        return np.zeros(len(layers))
    unknown = labels.difference(pd.Index(layers.ids), sort=False)
    if len(unknown):
        remedy = did_you_mean(unknown[0], layers.ids)
        found.add(where, "must only name nodes of the tree", rows=unknown, kind="node", remedy=remedy)
    read = pd.to_numeric(pd.Series(column.to_numpy(), index=labels), errors="coerce").reindex(layers.ids)
    values = read.to_numpy(dtype=np.float64)
    ids = np.array(layers.ids, dtype=object)
    missing = np.isnan(values)
    if (missing & layers.is_leaf).any():
        remedy = "Fill in 0 where there is none."
        found.add(
            where, "must have a number for every leaf", rows=ids[missing & layers.is_leaf], kind="node", remedy=remedy
        )
    wrong = ~missing & ~((values >= 0) & np.isfinite(values))
    if wrong.any():
        found.add(where, "must hold finite numbers, none negative", rows=ids[wrong], kind="node")
    return layers.roll_up(values, missing)
