"""Quotas of people who share the credit of others: overlays, and managers by a share of their team."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from gtm_opt.quota.result import Quotas

__all__ = ["overlay_quotas"]


def overlay_quotas(quotas: Quotas, supports: pd.DataFrame, sellers: pd.DataFrame | None) -> pd.DataFrame:
    """Return the quotas of overlays, see `Quotas.overlays`."""
    found = Findings()
    missing = [c for c in ("rep_id", "node_id") if c not in supports.columns]
    if missing:
        found.add("supports", f"must have the columns {', '.join(missing)}", got=", ".join(map(str, supports.columns)))
    found.raise_if_any()
    table = supports.reset_index(drop=True)
    reps, nodes = table["rep_id"].astype(str), table["node_id"].astype(str)
    shares = table["share_frac"] if "share_frac" in table.columns else pd.Series(1.0, index=table.index)
    share = pd.to_numeric(shares, errors="coerce").astype(np.float64)
    wrong = ~((share > 0) & (share <= 1)).to_numpy()
    if wrong.any():
        found.add("supports['share_frac']", "must lie above 0 and up to 1", rows=reps[wrong], kind="overlay")
    ids = [str(n) for n in quotas.table["node_id"]]
    unknown = nodes[~nodes.isin(ids)]
    if len(unknown):
        remedy = did_you_mean(unknown.iloc[0], ids)
        found.add("supports['node_id']", "must name nodes of the tree", rows=unknown, kind="node", remedy=remedy)
    above = dict(zip(ids, [None if pd.isna(p) else str(p) for p in quotas.table["parent_id"]], strict=True))
    for rep, group in nodes.groupby(reps):
        mine = list(group)
        nested = {node for node in mine if _has_ancestor(node, set(mine), above)}
        twice = sorted({node for node in mine if mine.count(node) > 1} | nested)
        if twice:
            remedy = "Leave out the node whose seats are counted already."
            found.add(f"supports of '{rep}'", "must not count a seat twice", rows=twice, kind="node", remedy=remedy)
    found.raise_if_any()
    if sellers is None:
        amount = dict(zip(ids, quotas.table["quota"].astype(np.float64), strict=True))
    else:
        amount = dict(zip(ids, quotas.over_assignment(sellers)["carried"], strict=True))
    base = np.array([amount[node] for node in nodes])
    return pd.DataFrame(
        {"rep_id": reps, "node_id": nodes, "base": base, "share_frac": share, "quota": base * share.to_numpy()}
    )


def _has_ancestor(node: str, among: set[str], above: dict[str, str | None]) -> bool:
    parent = above.get(node)
    while parent is not None:
        if parent in among:
            return True
        parent = above.get(parent)
    return False
