"""Estimates of every node from several sources, pooled by inverse variance; missing is not zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.model.tables import did_you_mean, id_text, number_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.errors import Findings
    from gtm_opt.quota.layers import Layers

    FloatArray = NDArray[np.float64]

__all__ = ["SOURCES", "Estimates", "pool", "read_source"]

SOURCES = ("top_down", "bottom_up", "capacity")
_WIDE = 1.0
"""Standard deviation of a derived estimate as a part of its value: it is relaxed to everything that was said."""


@dataclass(frozen=True, eq=False)
class Estimates:
    """What is said about each node, and what follows when it is pooled; arrays of shape (n_nodes,).

    Attributes
    ----------
    values, sd : dict of str to ndarray
        By source; NaN where a source says nothing.
    pooled, variance : ndarray
        Of all sources together, or derived from the nodes around.
    weight : dict of str to ndarray
        Part of each source in the pooled value; 0 where it says nothing.
    derived : ndarray of bool
        Nodes about which no source says anything.
    """

    values: dict[str, FloatArray]
    sd: dict[str, FloatArray]
    pooled: FloatArray
    variance: FloatArray
    weight: dict[str, FloatArray]
    derived: NDArray[np.bool_]


def read_source(
    name: str, given: Any, default_sd: float, layers: Layers, found: Findings
) -> tuple[FloatArray, FloatArray]:
    """Return value and standard deviation of each node, NaN where there is none.

    Parameters
    ----------
    name : str
        Of the source, for messages.
    given : Quotas, Capacity, DataFrame, Series, mapping or None
        Tables have ``node_id``, ``value`` and optionally ``sd``.
    default_sd : float
        Part of the value that is its standard deviation where none is given.
    """
    nothing = np.full(len(layers), np.nan)
    table = _tidy(name, given, found)
    if table is None:
        return nothing, nothing
    ids = id_text(table["node_id"]).str.strip()
    place = pd.Index(layers.ids).get_indexer(pd.Index(ids))
    strange = ids[place < 0].unique()
    if len(strange):
        remedy = did_you_mean(strange[0], layers.ids)
        found.add(f"{name}['node_id']", "must only name nodes of the tree", rows=strange, kind="node", remedy=remedy)
    twice = ids[ids.duplicated()].unique()
    if len(twice):
        found.add(name, "must have one row per node", rows=twice, kind="node", remedy="Add up or drop the rows.")
    table = table.assign(node_id=ids.to_numpy()).set_index("node_id")
    said = table[table["value"].notna()]
    values = number_column(said, "value", found, what=name, fill="Leave the node out: missing is not zero.")
    sd = pd.Series(np.nan, index=said.index) if "sd" not in said.columns else said["sd"]
    given_sd = pd.to_numeric(sd, errors="coerce")
    bad = (given_sd.isna() & sd.notna()) | (given_sd <= 0) | np.isinf(given_sd)
    if bad.any():
        remedy = "Name a node in fixed= where nothing may move it."
        found.add(f"{name}['sd']", "must hold positive numbers", rows=said.index[bad], kind="node", remedy=remedy)
    if values is None or found:
        return nothing, nothing
    out, spread = nothing.copy(), nothing.copy()
    at = pd.Index(layers.ids).get_indexer(said.index)
    amounts = values.to_numpy(dtype=np.float64)
    out[at] = amounts
    # a value of nothing is as uncertain as the smallest that is something, not perfectly certain
    smallest = float(amounts[amounts > 0].min()) if (amounts > 0).any() else 1.0
    spread[at] = np.where(np.isnan(given_sd), default_sd * np.maximum(amounts, smallest), given_sd)
    return out, spread


def _tidy(name: str, given: Any, found: Findings) -> pd.DataFrame | None:
    if given is None:
        return None
    table = getattr(given, "table", given)
    if isinstance(table, pd.DataFrame) and {"node_id", "quota"} <= set(table.columns):
        return table[["node_id", "quota"]].rename(columns={"quota": "value"})
    if isinstance(table, pd.DataFrame) and {"seat_id", "capacity"} <= set(table.columns):
        sums = table.groupby(table["seat_id"].astype(str), sort=True)["capacity"].sum()
        return pd.DataFrame({"node_id": sums.index, "value": sums.to_numpy()})
    if isinstance(table, Mapping):
        table = pd.Series(dict(table), dtype=object).infer_objects()
    if isinstance(table, pd.Series):
        return pd.DataFrame({"node_id": table.index, "value": table.to_numpy()})
    if isinstance(table, pd.DataFrame):
        missing = [c for c in ("node_id", "value") if c not in table.columns]
        if not missing:
            return table.reset_index(drop=True)
        found.add(name, "must have the columns node_id and value", got=", ".join(map(str, table.columns)))
        return None
    found.add(name, "must be a table, a Series, a mapping, quotas or capacity", got=type(given).__name__)
    return None


def pool(
    values: dict[str, FloatArray], sd: dict[str, FloatArray], layers: Layers, factor: FloatArray, found: Findings
) -> Estimates:
    """Pool the estimates of each node by inverse variance, and derive those of nodes nobody spoke of.

    Parameters
    ----------
    values, sd : dict of str to ndarray of shape (n_nodes,)
    factor : ndarray of shape (n_nodes,)
        1 + over-assignment below each node.

    Notes
    -----
    With precisions ``p = 1 / sd^2`` the pooled value is ``sum p x / sum p`` and its variance ``1 / sum p``: the
    estimate of least variance for independent, unbiased sources. A node without any is derived: from its children if
    all of them are known, else as its part of what the parent's family lacks; its standard deviation is its value.
    """
    n = len(layers)
    precision = {s: np.where(np.isnan(x), 0.0, 1.0 / np.square(sd[s])) for s, x in values.items()}
    total = np.sum(list(precision.values()), axis=0) if precision else np.zeros(n)
    safe = np.where(total > 0, total, 1.0)
    pooled = sum((precision[s] * np.nan_to_num(x) for s, x in values.items()), np.zeros(n)) / safe
    derived = total <= 0
    if derived.any():
        _derive(pooled, derived.copy(), layers, factor, found)
    positive = pooled[pooled > 0]
    wide = np.square(_WIDE * np.maximum(pooled, positive.min() if len(positive) else 1.0))
    weight = {s: p / safe for s, p in precision.items()}
    return Estimates(values, sd, pooled, np.where(derived, wide, 1.0 / safe), weight, derived)


def _derive(
    pooled: FloatArray, missing: NDArray[np.bool_], layers: Layers, factor: FloatArray, found: Findings
) -> None:
    """Fill in the missing nodes in place: upwards where all children are known, downwards otherwise."""
    for layer in layers.up():
        lacking = np.add.reduceat(missing[layer.nodes].astype(np.int64), layer.starts)
        sums = np.add.reduceat(pooled[layer.nodes], layer.starts)
        fill = missing[layer.parents] & (lacking == 0)
        where = layer.parents[fill]
        pooled[where] = sums[fill] / factor[where]
        missing[where] = False
    if missing[0]:
        names = [layers.ids[i] for i in np.flatnonzero(missing & layers.is_leaf)]
        remedy = "Give a top-down number of the root, or of every node of one level."
        rule = "must say something about the root, or about everything below it"
        found.add("top_down, bottom_up and capacity", rule, rows=names, kind="node", remedy=remedy)
        return
    for layer in layers.down():
        open_ = missing[layer.nodes]
        if not open_.any():
            continue
        known = np.add.reduceat(np.where(open_, 0.0, pooled[layer.nodes]), layer.starts)
        share = np.where(open_, layers.share[layer.nodes], 0.0)
        weights = np.add.reduceat(share, layer.starts)
        share = np.where(open_ & (weights <= 0)[layer.group], 1.0, share)
        weights = np.add.reduceat(share, layer.starts)
        left = np.maximum(factor[layer.parents] * pooled[layer.parents] - known, 0.0)
        part = share * (left / np.where(weights > 0, weights, 1.0))[layer.group]
        pooled[layer.nodes] = np.where(open_, part, pooled[layer.nodes])
        missing[layer.nodes] = False
