"""What a tree comes to: a table for each level, the tree with its totals, and why a leaf is outside."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.carving.impossible import impossible
from gtm_opt.carving.nearest import make_possible
from gtm_opt.errors import number_text, percent_text
from gtm_opt.instance import Only
from gtm_opt.measures import evaluate, territory_totals

if TYPE_CHECKING:
    from collections.abc import Hashable

    import networkx as nx
    from numpy.typing import NDArray

    from gtm_opt.carving.compile import Compiled
    from gtm_opt.carving.result import Carving
    from gtm_opt.instance import FloatArray, Instance, IntArray

__all__ = ["judged_violations", "level_table", "outside_table", "placed_as_is", "tree_graph"]


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


def outside_table(compiled: Compiled, unit_leaf: IntArray, balance: pd.DataFrame) -> pd.DataFrame:
    """Return one row per territory and criterion outside its band, and what forces it.

    Parameters
    ----------
    compiled : Compiled
        As it was carved: with the bands of the nearest plan, where it is one.
    unit_leaf : ndarray of int, shape (n_units,)
    balance : DataFrame
        Of the plan, by the bands that were asked for.

    Returns
    -------
    DataFrame
        territory, criterion, deviation (fraction), tolerance, forced (whether a single account,
        a family or rules alone put it outside), reason.

    Notes
    -----
    Forced: an account or family that alone is over the band; pins, forbids and teams that lock in too much
    or keep out too many; and what is left by these for the others, which a nearest plan shares. What is
    not forced is named as such: more effort may mend it.
    """
    out = balance[~balance["within"]]
    flat = compiled.instance
    columns = [c.name for c in compiled.columns]
    leaf = {name: at for at, name in enumerate(compiled.territories.names)}
    bound, reachable = _rules(flat) if len(out) else (np.zeros(0, dtype=bool), flat.target)
    reasons = []
    for row in out.to_dict("records"):
        k, j = leaf[row["territory"]], columns.index(row["criterion"])
        inside = unit_leaf == k
        forced, reason = _reason(compiled, unit_leaf, k, j, bound[inside], float(reachable[k, j]), row)
        reasons.append(
            {
                "territory": row["territory"],
                "criterion": row["criterion"],
                "deviation": row["deviation"],
                "tolerance": compiled.columns[j].tolerance,
                "forced": forced,
                "reason": reason,
            }
        )
    names = ["territory", "criterion", "deviation", "tolerance", "forced", "reason"]
    return pd.DataFrame(reasons, columns=names)


def judged_violations(
    violations: pd.DataFrame, compiled: Compiled, unit_leaf: IntArray, outside: pd.DataFrame
) -> pd.DataFrame:
    """Return a checker's violations with what gave way by force told apart.

    Returns
    -------
    DataFrame
        rule, where, detail, forced (bool), reason (empty where not forced).
    """
    forced = outside[outside["forced"].astype(bool)]
    keys = zip("band of " + forced["criterion"].astype(str), forced["territory"], strict=True)
    why = dict(zip(keys, forced["reason"], strict=True))
    if compiled.instance.side and len(violations):
        used = evaluate(compiled.instance, unit_leaf).side
        for row, use in zip(compiled.instance.side, used, strict=True):
            if use <= row.upper * (1 + 1e-9) + 1e-9:
                names = violations.loc[violations["rule"] == row.name, "where"]
                why |= {(row.name, where): "pins, forbids and families alone move as much" for where in names}
    reasons = [why.get(key, "") for key in zip(violations["rule"], violations["where"], strict=True)]
    return violations.assign(
        forced=[bool(r) for r in reasons], reason=pd.Series(reasons, violations.index, dtype=object)
    )


def placed_as_is(compiled: Compiled, unit_leaf: IntArray) -> Compiled:
    """Return the problem with bands moved by what cannot be kept, large units being where a plan has them."""
    if not impossible(compiled):
        return compiled
    flat = compiled.instance
    hard = np.isinf(flat.penalty) & np.isfinite(flat.upper).all(axis=0)
    giant = np.zeros(flat.n_units, dtype=bool)
    if not flat.by_territory:
        giant = (flat.activities[:, hard] > flat.upper[:, hard].max(axis=0) * (1 + 1e-9)).any(axis=1)
    term = Only(np.where(giant, unit_leaf, -1), flat.n_territories)
    return make_possible(replace(compiled, instance=replace(flat, cost=(*flat.cost, term))))[0]


def _rules(flat: Instance) -> tuple[NDArray[np.bool_], FloatArray]:
    """Return which units rules allow one territory only, and the total of all that may go to each."""
    bound = np.zeros(flat.n_units, dtype=bool)
    reachable = np.zeros(flat.target.shape)
    for rows in flat.chunks():
        allowed = np.isfinite(flat.cost_block(rows))
        bound[rows] = allowed.sum(axis=1) == 1
        own = flat.activities[rows]
        reachable += np.einsum("ik,ikj->kj", allowed, own) if flat.by_territory else allowed.T.astype(float) @ own
    return bound, reachable


def _reason(
    compiled: Compiled,
    unit_leaf: IntArray,
    k: int,
    j: int,
    bound: NDArray[np.bool_],
    reachable: float,
    row: dict[Hashable, object],
) -> tuple[bool, str]:
    flat, units = compiled.instance, compiled.units
    values: FloatArray = flat.activities[:, k, j] if flat.by_territory else flat.activities[:, j]
    inside = np.flatnonzero(unit_leaf == k)
    own = values[inside]
    lower, upper, target = (float(str(row[name])) for name in ("lower", "upper", "target"))
    total = float(str(row["total"]))
    slack = 1e-9 * max(abs(target), 1.0) if np.isfinite(target) else 1e-9
    if total > upper and len(own):
        largest = int(own.argmax())
        ids = [str(compiled.problem.resolved.ids[i]) for i in units.members_of(int(inside[largest]))]
        name = f"account {ids[0]}" if len(ids) == 1 else f"the family of {ids[0]} ({len(ids)} accounts)"
        part = percent_text(own[largest] / target) if np.isfinite(target) else number_text(float(own[largest]))
        if own[largest] > upper:
            return True, f"{name} alone is {part} of the target"
        locked = float(own[bound].sum())
        if locked > upper:
            share = percent_text(locked / target) + " of the target" if np.isfinite(target) else number_text(locked)
            return True, f"accounts that rules allow nowhere else bring {share}"
    if flat.lower[k, j] - slack <= total <= flat.upper[k, j] + slack:
        return True, "others hold what cannot be elsewhere, or too little; this is its share of what is left"
    if total < lower and reachable < lower - slack and total >= reachable - slack:
        return True, "rules let too few accounts go there"
    if total > upper and len(own):
        return False, f"its largest unit, {name}, is {part} of the target; no exchange was found that fits"
    if total < lower and not flat.by_territory:
        if total >= _left_over(values, unit_leaf, flat.target[:, j], k, upper) * lower / target:
            return True, "accounts larger than a whole territory leave less for the others; this is its share"
        return False, "the others near it hold what it lacks in units that do not fit; no exchange was found"
    return False, "no exchange was found that fits"


def _left_over(values: FloatArray, unit_leaf: IntArray, target: FloatArray, k: int, upper: float) -> float:
    """Return a territory's share of what units larger than a band leave; infinite where there are none."""
    giant = values > upper
    others = np.ones(len(target), dtype=bool)
    others[unit_leaf[giant]] = False
    if not giant.any() or not others[k] or not target[others].sum() > 0:
        return np.inf
    return float(values[~giant].sum() * target[k] / target[others].sum())
