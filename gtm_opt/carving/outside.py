"""What a tree comes to: a table for each level, the tree with its totals, and why a leaf is outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import number_text, percent_text
from gtm_opt.measures import territory_totals

if TYPE_CHECKING:
    from collections.abc import Hashable

    import networkx as nx

    from gtm_opt.carving.result import Carving
    from gtm_opt.instance import FloatArray, IntArray

__all__ = ["level_table", "outside_table", "tree_graph"]


def level_table(carving: Carving, depth: int) -> pd.DataFrame:
    """Return one row per node at ``depth`` and criterion.

    Returns
    -------
    DataFrame
        node, parent, level, leaves, accounts, criterion, total, target (sum of the leaves' own),
        deviation (a fraction; empty for limits).
    """
    tree, flat = carving.hierarchy, carving.compiled.instance
    totals = np.vstack([np.zeros(flat.n_criteria), np.cumsum(territory_totals(flat, carving.unit_leaf), axis=0)])
    # what was asked for: a nearest plan is carved with other targets
    asked = np.column_stack([column.target for column in carving.compiled.columns])
    targets = np.vstack([np.zeros(flat.n_criteria), np.cumsum(asked, axis=0)])
    sizes = np.bincount(carving.unit_leaf[carving.compiled.units.of_account], minlength=flat.n_territories)
    counts = np.concatenate([[0], np.cumsum(sizes)])
    rows = []
    for node in tree.nodes_at(depth):
        start, stop = tree.leaf_range(node)
        for j, column in enumerate(carving.compiled.columns):
            total = float(totals[stop, j] - totals[start, j])
            target = np.nan if column.limit else float(targets[stop, j] - targets[start, j])
            rows.append(
                {
                    "node": node,
                    "parent": tree.parent(node),
                    "level": tree.level(node),
                    "leaves": stop - start,
                    "accounts": int(counts[stop] - counts[start]),
                    "criterion": column.name,
                    "total": total,
                    "target": target,
                    "deviation": total / target - 1.0,
                }
            )
    names = ["node", "parent", "level", "leaves", "accounts", "criterion", "total", "target", "deviation"]
    return pd.DataFrame(rows, columns=names)


def tree_graph(carving: Carving) -> nx.DiGraph[Hashable]:
    """Return the tree as a directed graph whose nodes carry accounts, and total and deviation of each criterion."""
    graph = carving.hierarchy.to_networkx()
    for depth in range(carving.hierarchy.depth + 1):
        for row in level_table(carving, depth).to_dict("records"):
            own = graph.nodes[row["node"]]
            own["accounts"] = row["accounts"]
            own[row["criterion"]] = row["total"]
            own[f"{row['criterion']} deviation"] = row["deviation"]
    return graph


def outside_table(carving: Carving) -> pd.DataFrame:
    """Return one row per territory and criterion outside its band, and what forces it.

    Returns
    -------
    DataFrame
        territory, criterion, deviation (fraction), tolerance, forced (whether a single account,
        a family or rules alone put it outside), reason.

    Notes
    -----
    Forced: an account or family that alone is over the band; pins and forbids that lock in too much
    or keep out too many; units so large that no set of the territory's own ones fits. What is
    not forced is named as such: more effort may mend it.
    """
    balance = carving.balance
    out = balance[~balance["within"]]
    flat, tree = carving.compiled.instance, carving.hierarchy
    columns = [c.name for c in carving.compiled.columns]
    leaf = {name: at for at, name in enumerate(tree.leaves)}
    free = np.ones(flat.n_units, dtype=bool)
    if flat.cost and len(out):
        for rows in flat.chunks():
            free[rows] = np.isfinite(flat.cost_block(rows)).sum(axis=1) > 1
    reasons = []
    for row in out.to_dict("records"):
        k, j = leaf[row["territory"]], columns.index(row["criterion"])
        forced, reason = _reason(carving, k, j, np.flatnonzero(carving.unit_leaf == k), free, row)
        tolerance = carving.compiled.columns[j].tolerance
        reasons.append(
            {
                "territory": row["territory"],
                "criterion": row["criterion"],
                "deviation": row["deviation"],
                "tolerance": tolerance,
                "forced": forced,
                "reason": reason,
            }
        )
    names = ["territory", "criterion", "deviation", "tolerance", "forced", "reason"]
    return pd.DataFrame(reasons, columns=names)


def _reason(
    carving: Carving, k: int, j: int, inside: IntArray, free: np.ndarray, row: dict[Hashable, object]
) -> tuple[bool, str]:
    flat, units = carving.compiled.instance, carving.compiled.units
    own: FloatArray = flat.activities[inside, k, j] if flat.by_territory else flat.activities[inside, j]
    lower, upper, target = (float(str(row[name])) for name in ("lower", "upper", "target"))
    total = float(str(row["total"]))
    if total > upper and len(own):
        largest = int(own.argmax())
        ids = [str(carving.problem.resolved.ids[i]) for i in units.members_of(int(inside[largest]))]
        name = f"account {ids[0]}" if len(ids) == 1 else f"the family of {ids[0]} ({len(ids)} accounts)"
        part = percent_text(own[largest] / target) if np.isfinite(target) else number_text(float(own[largest]))
        if own[largest] > upper:
            return True, f"{name} alone is {part} of the target"
        locked = float(own[~free[inside]].sum())
        if locked > upper:
            return True, f"accounts that rules allow nowhere else bring {percent_text(locked / target)} of the target"
        return False, f"its largest unit, {name}, is {part} of the target; no exchange was found that fits"
    if total < lower and not flat.by_territory:
        rest = float(flat.activities[:, j].sum()) - _giants(flat.activities[:, j], float(upper))
        if rest < lower * flat.n_territories * (1 - 1e-9):
            return True, "accounts larger than a whole territory leave less than the lower limits for the others"
        return False, "the others near it hold what it lacks in units that do not fit; no exchange was found"
    return False, "no exchange was found that fits"


def _giants(values: FloatArray, upper: float) -> float:
    """Return what units beyond the upper limit hold in excess of it."""
    return float(np.maximum(values - upper, 0.0).sum())
