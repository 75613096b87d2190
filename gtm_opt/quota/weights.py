"""Weights: how siblings share what their parent gets."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import shorten
from gtm_opt.model.tables import did_you_mean
from gtm_opt.quota.methods import rules_of_families

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gtm_opt.errors import Findings
    from gtm_opt.quota.layers import Layers

    FloatArray = NDArray[np.float64]
    Weights = str | Mapping[str, float] | pd.Series[float]

__all__ = ["BUILT_IN", "Weights", "family_weights", "read_metric", "sibling_weights"]

BUILT_IN = ("share", "equal")


def family_weights(
    layers: Layers,
    weights: Weights,
    weights_at: Mapping[str, Weights] | None,
    metrics: pd.DataFrame | None,
    fallback: str | Sequence[str],
    missing: str,
    found: Findings,
) -> tuple[FloatArray, list[str]]:
    """Return the weight of each node among its siblings, each family by its own rule, and notes.

    Parameters
    ----------
    weights_at : mapping, optional
        Weights by level (the edge into it) or node (the edge below it; wins).
    fallback : str or sequence of str
        Metrics to try in turn where all weights of a family are zero; ``"equal"`` and ``"error"`` end the chain.
    missing : {"error", "mean"}
        What an empty cell of a leaf counts as.

    Returns
    -------
    ndarray of shape (n,)
        Sums to 1 over every sibling group; 1 for the root.
    list of str
        Which families fell back to what, and which leaves got the mean of their siblings.
    """
    if missing not in ("error", "mean"):
        found.add("missing", "must be 'error' or 'mean'", got=repr(missing))
    chain = [fallback] if isinstance(fallback, str) else list(fallback)
    rules, which = rules_of_families(weights, weights_at, "weights_at", layers, found)
    out = np.ones(len(layers))
    blank = np.zeros(len(layers), dtype=bool)
    notes: list[str] = []
    for number, rule in enumerate(rules):
        values, empty, absent = sibling_weights(layers, rule, metrics, found, missing)
        mine = (which == number)[np.maximum(layers.parent, 0)] & (layers.parent >= 0)
        out[mine] = values[mine]
        blank |= empty & (which == number)
        notes += _note_absent(layers, absent & mine)
    if not found and blank.any():
        notes += _fall_back(layers, out, blank, chain, metrics, found)
    return out, notes


def _note_absent(layers: Layers, absent: NDArray[np.bool_]) -> list[str]:
    if not absent.any():
        return []
    ids = [layers.ids[n] for n in np.flatnonzero(absent)]
    return [f"No weight for {shorten(ids)}: counted as the mean of the siblings that have one."]


def _fall_back(
    layers: Layers,
    out: FloatArray,
    blank: NDArray[np.bool_],
    chain: list[str],
    metrics: pd.DataFrame | None,
    found: Findings,
) -> list[str]:
    """Give families without weights those of the next metric that has some, in place, and say so."""
    notes = []
    for name in [*chain, "equal"]:
        if name == "error":
            rows = [layers.ids[p] for p in np.flatnonzero(blank)]
            remedy = "Fill in the metric, or name a fallback."
            found.add("weights", "must not all be zero below a node", rows=rows, kind="node", remedy=remedy)
            break
        values, empty, _ = sibling_weights(layers, name, metrics, found, "error")
        helped = blank & ~empty
        if found or not helped.any():
            continue
        children = (layers.parent >= 0) & helped[np.maximum(layers.parent, 0)]
        out[children] = values[children]
        ids = [layers.ids[p] for p in np.flatnonzero(helped)]
        shown = ", ".join(ids[:5]) + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")
        what = "their children share alike" if name == "equal" else f"their children share by '{name}'"
        notes.append(f"All weights are zero below {shown}: {what}.")
        blank = blank & empty
        if not blank.any():
            break
    return notes


def sibling_weights(
    layers: Layers, weights: Weights, metrics: pd.DataFrame | None, found: Findings, missing: str = "error"
) -> tuple[FloatArray, NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the weight of each node among its siblings.

    Each metric is turned into shares within the siblings first and blended after, so that
    metrics of different size and unit count as their betas say. A metric that is zero for
    all siblings is left out there; where all are, the siblings share alike.

    Returns
    -------
    ndarray of shape (n,)
        Sums to 1 over every sibling group; 1 for the root.
    ndarray of bool, shape (n,)
        Nodes whose children have nothing to tell them apart.
    ndarray of bool, shape (n,)
        Leaves without a value, counted as the mean of their siblings.
    """
    betas = _betas(weights, found)
    out, blank, absent = np.ones(len(layers)), np.zeros(len(layers), dtype=bool), np.zeros(len(layers), dtype=bool)
    values = {}
    for name in betas:
        values[name], empty = read_metric_cells(name, layers, weights, metrics, found, missing)
        absent |= empty
    if found:
        return out, blank, absent
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
        blank[layer.parents[~some]] = True
    return out, blank, absent


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
    return read_metric_cells(name, layers, weights, metrics, found, "error")[0]


def read_metric_cells(
    name: str, layers: Layers, weights: Weights, metrics: pd.DataFrame | None, found: Findings, missing: str
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return a metric per node, and which leaves had no value and got the mean of their siblings."""
    zero, none = np.zeros(len(layers)), np.zeros(len(layers), dtype=bool)
    if isinstance(weights, pd.Series):
        column = weights
    elif metrics is not None and name in metrics.columns:
        labels = metrics["node_id"] if "node_id" in metrics.columns else metrics.index
        column = pd.Series(metrics[name].to_numpy(), index=pd.Index(labels))
    elif name == "share":
        return layers.share, none
    elif name == "equal":
        return np.ones(len(layers)), none
    else:
        known = [*BUILT_IN, *(metrics.columns if metrics is not None else ())]
        found.add(f"weights '{name}'", "must be a column of metrics", remedy=did_you_mean(name, known))
        return zero, none
    return _by_node(name, column, layers, found, missing)


def _by_node(
    name: str, column: pd.Series[float], layers: Layers, found: Findings, how: str
) -> tuple[FloatArray, NDArray[np.bool_]]:
    labels = pd.Index([str(i) for i in column.index])
    where = f"metrics['{name}']" if name != "weights" else "weights"
    if labels.has_duplicates:
        found.add(where, "must have one row per node", rows=labels[labels.duplicated()].unique(), kind="node")
        return np.zeros(len(layers)), np.zeros(len(layers), dtype=bool)
    unknown = labels.difference(pd.Index(layers.ids), sort=False)
    if len(unknown):
        remedy = did_you_mean(unknown[0], layers.ids)
        found.add(where, "must only name nodes of the tree", rows=unknown, kind="node", remedy=remedy)
    read = pd.to_numeric(pd.Series(column.to_numpy(), index=labels), errors="coerce").reindex(layers.ids)
    values = read.to_numpy(dtype=np.float64, copy=True)
    ids = np.array(layers.ids, dtype=object)
    missing = np.isnan(values)
    absent = missing & layers.is_leaf
    if how == "error" and absent.any():
        remedy = "Fill in 0 where there is none, or pass missing='mean' to cascade."
        found.add(where, "must have a number for every leaf", rows=ids[absent], kind="node", remedy=remedy)
    wrong = ~missing & ~((values >= 0) & np.isfinite(values))
    if wrong.any():
        found.add(where, "must hold finite numbers, none negative", rows=ids[wrong], kind="node")
    if how == "mean" and absent.any():
        for layer in layers.down():
            gap = absent[layer.nodes]
            known = np.where(missing[layer.nodes], 0.0, values[layer.nodes])
            count = np.add.reduceat((~missing[layer.nodes]).astype(np.int64), layer.starts)
            mean = np.add.reduceat(known, layer.starts) / np.maximum(count, 1)
            values[layer.nodes] = np.where(gap, mean[layer.group], values[layer.nodes])
        missing &= ~absent
    return layers.roll_up(values, missing), absent
