"""Top-down, bottom-up and capacity side by side, and where they are furthest apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.quota.layers import Layers
    from gtm_opt.quota.reconciliation.estimates import Estimates

__all__ = ["gap_table"]


def gap_table(layers: Layers, factor: NDArray[np.float64], estimates: Estimates) -> pd.DataFrame:
    """Return one row per node, the largest gap first; see `Reconciliation.gaps`."""
    values = estimates.values
    nothing = np.full(len(layers), np.nan)
    commits = values.get("bottom_up", nothing)
    told = np.where(layers.is_leaf, ~np.isnan(commits), False).astype(np.float64)
    below, leaves = told.copy(), layers.is_leaf.astype(np.float64)
    rolled = np.where(layers.is_leaf, commits, np.nan)
    capacity = np.array(values.get("capacity", nothing))
    for layer in layers.up():
        below[layer.parents] = np.add.reduceat(below[layer.nodes], layer.starts)
        leaves[layer.parents] = np.add.reduceat(leaves[layer.nodes], layer.starts)
        sums = np.add.reduceat(rolled[layer.nodes], layer.starts)
        rolled[layer.parents] = sums / factor[layer.parents]
        carried = np.add.reduceat(capacity[layer.nodes], layer.starts)
        open_ = np.isnan(capacity[layer.parents])
        capacity[layer.parents[open_]] = carried[open_]
    top = values.get("top_down", nothing)
    gap = np.where(np.isnan(rolled), commits, rolled) - top
    table = pd.DataFrame(
        {
            "node_id": layers.ids,
            "level": layers.level,
            "top_down": top,
            "bottom_up": commits,
            "bottom_up_rolled": rolled,
            "commits_below": below.astype(np.int64),
            "leaves_below": leaves.astype(np.int64),
            "capacity": capacity,
            "gap": gap,
            "gap_frac": gap / np.where(top > 0, top, np.nan),
        }
    )
    table["rank"] = table["gap"].abs().rank(ascending=False, method="first")
    return table.sort_values("rank", kind="stable", ignore_index=True)
