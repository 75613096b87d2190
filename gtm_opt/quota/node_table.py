"""The table of quotas, one row per node in the order of the tree's own table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from fractions import Fraction

    from numpy.typing import NDArray

    from gtm_opt.quota.layers import Layers, TreeLike

    IntArray = NDArray[np.int64]
    FloatArray = NDArray[np.float64]

__all__ = ["build_node_table"]


def build_node_table(
    tree: TreeLike, layers: Layers, quota: IntArray, weight: FloatArray, edges: list[Fraction], side: IntArray
) -> pd.DataFrame:
    """Return one row per node in the order of the tree's own table."""
    at = np.empty(len(layers), dtype=np.int64)
    at[layers.row] = np.arange(len(layers))
    given = tree.table
    below = {edge: float(edge - 1) for edge in set(edges)}
    into = np.array([0.0 if p < 0 else below[edges[p]] for p in layers.parent])
    bound = np.array([None, "cap", "floor"], dtype=object)[side]
    return pd.DataFrame(
        {
            "node_id": given["node_id"].to_numpy(dtype=object),
            "parent_id": given["parent_id"].to_numpy(dtype=object),
            "level": given["level"].to_numpy(dtype=object),
            "depth": given["depth"].to_numpy(dtype=np.int64),
            "quota": quota[at],
            "weight_frac": weight[at],
            "edge_oa_frac": into[at],
            "at_bound": pd.Series(bound[at], dtype=object),
            "is_leaf": layers.is_leaf[at],
        }
    )
