"""What quotas add up to: every edge to the last unit, and how far the field exceeds each node above."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings
from gtm_opt.quota.bounds import round_half_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.quota.result import Quotas

__all__ = ["check_tie_out", "measure_over_assignment"]


def measure_over_assignment(quotas: Quotas, sellers: pd.DataFrame | None) -> pd.DataFrame:
    """Return how far the quotas of the field exceed those of each node above, see `Quotas.over_assignment`."""
    ids = pd.Index([str(n) for n in quotas.table["node_id"]])
    quota = quotas.table["quota"].to_numpy(dtype=np.float64)
    leaf = quotas.table["is_leaf"].to_numpy()
    street = _sum_up(quotas, np.where(leaf, quota, 0.0))
    safe = np.where(quota > 0, quota, np.nan)
    out = quotas.table[["node_id", "level", "quota"]].copy()
    children = _children_sum(quotas, quota)
    extra = np.where(leaf, 0.0, children - quota)
    out["over_assigned"] = _sum_up(quotas, np.maximum(extra, 0.0)).astype(np.int64)
    out["reserve"] = _sum_up(quotas, np.maximum(-extra, 0.0)).astype(np.int64)
    out["street"] = street.astype(np.int64)
    out["gross_oa_frac"] = street / safe - 1.0
    if sellers is not None:
        by_seat = sellers.groupby(sellers["seat_id"].astype(str))["seller_quota"].sum()
        carried = _sum_up(quotas, by_seat.reindex(ids).fillna(0.0).to_numpy(dtype=np.float64))
        out["carried"] = carried
        out["hold"] = street - carried
        for reason in (c for c in sellers.columns if str(c).startswith("hold_")):
            held = sellers.groupby(sellers["seat_id"].astype(str))[reason].sum()
            out[reason] = _sum_up(quotas, held.reindex(ids).fillna(0.0).to_numpy(dtype=np.float64))
        out["net_oa_frac"] = carried / safe - 1.0
        out["is_covered"] = carried >= quota - 0.005
    return out


def check_tie_out(quotas: Quotas) -> pd.DataFrame:
    """Check every edge to the last unit, see `Quotas.tie_out`."""
    found = Findings()
    table = quotas.table
    broken = table.loc[table["quota"] % quotas.unit != 0, "node_id"]
    if len(broken):
        found.add("quotas", f"must be whole units of {quotas.unit:,}", rows=broken, kind="node")
    roots = table["parent_id"].isna()
    if int(table.loc[roots, "quota"].sum()) != quotas.target:
        found.add("quotas", "must give the root the plan", got=f"{int(table.loc[roots, 'quota'].sum()):,}")
    below = (
        table[~roots]
        .groupby("parent_id", sort=False)
        .agg(children_quota=("quota", "sum"), edge=("edge_oa_frac", "first"))
    )
    own = table.set_index("node_id")["quota"].reindex(below.index)
    required = [
        round_half_up(int(q) // quotas.unit, 1 + Fraction(str(o))) * quotas.unit
        for q, o in zip(own, below["edge"], strict=True)
    ]
    out = pd.DataFrame(
        {"node_id": below.index, "required": required, "children_quota": below["children_quota"].to_numpy()}
    )
    off = out[out["required"] != out["children_quota"]]
    if len(off):
        worst = off.iloc[0]
        got = f"{int(worst['children_quota']):,} instead of {int(worst['required']):,} at '{worst['node_id']}'"
        found.add("quotas", "must tie out at every node", got=got, rows=off["node_id"], kind="node")
    found.raise_if_any()
    return out


def _children_sum(quotas: Quotas, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum over the children of each node."""
    above = pd.Index(quotas.table["node_id"]).get_indexer(pd.Index(quotas.table["parent_id"]))
    out = np.zeros(len(values))
    np.add.at(out, above[above >= 0], values[above >= 0])
    return out


def _sum_up(quotas: Quotas, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values plus those of all descendants."""
    ids = pd.Index(quotas.table["node_id"])
    above = ids.get_indexer(pd.Index(quotas.table["parent_id"]))
    depth = quotas.table["depth"].to_numpy(dtype=np.int64)
    out = values.astype(np.float64).copy()
    for d in range(int(depth.max()), 0, -1):
        here = np.flatnonzero(depth == d)
        np.add.at(out, above[here], out[here])
    return out
