"""What a tree comes to: a table for each level, the tree with its totals, and why a leaf is outside."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.carving.feasibility.assess import assess, is_small
from gtm_opt.carving.feasibility.impossible import forced_moves, locked_and_reachable
from gtm_opt.carving.feasibility.nearest import make_possible
from gtm_opt.errors import number_text, percent_text
from gtm_opt.instance import PinTerm
from gtm_opt.measures import evaluate, territory_totals
from gtm_opt.solvers import Run

if TYPE_CHECKING:
    from collections.abc import Hashable

    import networkx as nx

    from gtm_opt.carving.compile.compiled import Compiled
    from gtm_opt.carving.result import Carving
    from gtm_opt.instance import FloatArray, IntArray

BAND_NODES = 2_000
"""Branch-and-bound nodes spent on whether one band can hold; beyond, it is not called forced."""

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


def outside_table(
    compiled: Compiled,
    unit_leaf: IntArray,
    balance: pd.DataFrame,
    carved: Compiled | None = None,
    nearest: bool = False,
) -> pd.DataFrame:
    """Return one row per territory and criterion outside its band, and what forces it.

    Parameters
    ----------
    compiled : Compiled
        As it was asked for.
    unit_leaf : ndarray of int, shape (n_units,)
    balance : DataFrame
        Of the plan, by the bands that were asked for.
    carved : Compiled, optional
        With the bands relaxed by what cannot be kept, where the request is proven impossible.
    nearest : bool
        The plan is proven to be the nearest.

    Returns
    -------
    DataFrame
        territory, criterion, deviation (fraction), tolerance, forced, relaxed, reason.

    Notes
    -----
    ``forced`` is a proof about one band: no plan that keeps the rules holds it, whatever becomes of all others (pins,
    forbids, teams and limits on moves lock in too much or keep out too many; where the problem is small, an exact
    model of that band). ``relaxed`` is wider: the bands are proven not to hold together, and this one is out because
    of it: it is forced, or holds an account larger than any band, or has its share of what these leave, or the plan
    is proven to be the nearest. What was not relaxed may be repaired by more effort.
    """
    out = balance[~balance["within"]]
    columns = [c.name for c in compiled.columns]
    leaf = {name: at for at, name in enumerate(compiled.territories.names)}
    judge = _Judge(compiled, unit_leaf, carved, nearest) if len(out) else None
    rows = []
    for row in out.to_dict("records"):
        assert judge is not None
        k, j = leaf[row["territory"]], columns.index(row["criterion"])
        forced, relaxed, reason = judge.band(k, j, float(row["total"]))
        rows.append(
            {
                "territory": row["territory"],
                "criterion": row["criterion"],
                "deviation": row["deviation"],
                "tolerance": compiled.columns[j].tolerance,
                "forced": forced,
                "relaxed": relaxed,
                "reason": reason,
            }
        )
    names = ["territory", "criterion", "deviation", "tolerance", "forced", "relaxed", "reason"]
    return pd.DataFrame(rows, columns=names)


def judged_violations(
    violations: pd.DataFrame, compiled: Compiled, unit_leaf: IntArray, outside: pd.DataFrame, nearest: bool = False
) -> pd.DataFrame:
    """Return a checker's violations with what was relaxed distinguished.

    Returns
    -------
    DataFrame
        rule, where, detail, forced (bool: no plan keeps it), relaxed (bool: forced, or part of what cannot hold
        together), reason (empty where neither).
    """
    keys = zip("band of " + outside["criterion"].astype(str), outside["territory"], strict=True)
    judged = zip(outside["forced"].astype(bool), outside["relaxed"].astype(bool), outside["reason"], strict=True)
    why: dict[tuple[object, object], tuple[bool, bool, str]] = dict(zip(keys, judged, strict=True))
    flat = compiled.instance
    if flat.side and len(violations):
        used = evaluate(flat, unit_leaf).side
        for row, use, least in zip(flat.side, used, forced_moves(flat), strict=True):
            slack = 1e-9 * max(1.0, abs(row.upper))
            forced = bool(least > row.upper + slack)
            names = violations.loc[violations["rule"] == row.name, "where"]
            if forced and use <= least + 1e-9 * max(1.0, least):
                verdict = (True, True, "pins, forbids and families alone move as much")
            elif forced:
                verdict = (True, nearest, f"pins, forbids and families alone move {number_text(least)}")
            else:
                verdict = (False, nearest, "rules cannot hold together; no plan breaks them less" if nearest else "")
            why |= {(row.name, where): verdict for where in names}
    found = [why.get(key, (False, False, "")) for key in zip(violations["rule"], violations["where"], strict=True)]
    return violations.assign(
        forced=[f for f, _, _ in found],
        relaxed=[g for _, g, _ in found],
        reason=pd.Series([r if g else "" for _, g, r in found], violations.index, dtype=object),
    )


def placed_as_is(compiled: Compiled, unit_leaf: IntArray) -> Compiled | None:
    """Return the problem with bands relaxed by what cannot be kept, large units being where a plan has them.

    None where nothing has to be relaxed, as far as cheap proofs tell.
    """
    if not assess(compiled).impossible:
        return None
    flat = compiled.instance
    hard = np.isinf(flat.penalty) & np.isfinite(flat.upper).all(axis=0)
    oversized = np.zeros(flat.n_units, dtype=bool)
    if not flat.by_territory:
        oversized = (flat.activities[:, hard] > flat.upper[:, hard].max(axis=0) * (1 + 1e-9)).any(axis=1)
    term = PinTerm(np.where(oversized, unit_leaf, -1), flat.n_territories)
    return make_possible(replace(compiled, instance=replace(flat, cost=(*flat.cost, term))))[0]


class _Judge:
    """Why bands of one plan are out."""

    def __init__(self, compiled: Compiled, unit_leaf: IntArray, carved: Compiled | None, nearest: bool) -> None:
        self.compiled, self.unit_leaf, self.nearest = compiled, unit_leaf, nearest
        self.flat = compiled.instance
        self.carved = None if carved is None else carved.instance
        self.locked, self.reachable = locked_and_reachable(self.flat)
        self.held = territory_totals(self.flat, unit_leaf)

    def band(self, k: int, j: int, total: float) -> tuple[bool, bool, str]:
        """Return whether a band is forced out, whether it was relaxed, and the reason."""
        flat, column = self.flat, self.compiled.columns[j]
        lower, upper, target = float(flat.lower[k, j]), float(flat.upper[k, j]), float(flat.target[k, j])
        slack = 1e-9 * max(abs(target), 1e-9)
        hard = bool(np.isinf(flat.penalty[j]))
        locked, reachable = float(self.locked[k, j]), float(self.reachable[k, j])
        if locked > upper + slack:
            share = number_text(locked) if column.limit else percent_text(locked / target) + " of the target"
            return True, True, f"accounts that rules allow nowhere else bring {share}"
        if reachable < lower - slack:
            return True, True, "rules let too few accounts go there"
        # an account larger than any band says more than the model that proves the same
        forced = is_small(flat) and not self._keepable(k, j)
        size, name, part = self._largest(k, j)
        if hard and total > upper and size > float(flat.upper[:, j].max()) + slack and not flat.by_territory:
            return forced, True, f"{name} alone is {part}"
        if hard and self.carved is not None and self._relaxed(k, j, total):
            reason = "other territories hold accounts that cannot move; target rescaled to the remainder"
            return forced, True, reason
        if forced:
            return True, True, "no choice of whole accounts adds up to this band: proven by an exact model"
        if not hard:
            return False, False, "a band with a penalty: left where that is worth it"
        if self.nearest:
            return False, True, "not all bands can hold together; no plan has less excess in total (proven)"
        if total > upper and name:
            return False, False, f"its largest unit, {name}, is {part}; no exchange was found that fits"
        if total < lower and not flat.by_territory and self._shares_remainder(k, j, total):
            return False, True, "accounts larger than a whole territory leave less for the others; target rescaled"
        if total < lower and not flat.by_territory:
            return False, False, "the others near it hold what it lacks in units that do not fit; no exchange was found"
        return False, False, "no exchange was found that fits"

    def _keepable(self, k: int, j: int) -> bool:
        from gtm_opt.solvers.exact.lexicographic import keeps_a_band

        return keeps_a_band(self.flat, k, j, Run(), nodes=BAND_NODES)

    def _relaxed(self, k: int, j: int, total: float) -> bool:
        """Whether the band was moved, and the plan holds it as moved."""
        assert self.carved is not None
        lower, upper = float(self.carved.lower[k, j]), float(self.carved.upper[k, j])
        if lower == self.flat.lower[k, j] and upper == self.flat.upper[k, j]:
            return False
        slack = 1e-9 * max(abs(float(self.flat.target[k, j])), 1e-9)
        return lower - slack <= total <= upper + slack

    def _largest(self, k: int, j: int) -> tuple[float, str, str]:
        """Return the size, name and share of the largest unit in a territory."""
        flat, units = self.flat, self.compiled.units
        inside = np.flatnonzero(self.unit_leaf == k)
        if not len(inside):
            return 0.0, "", ""
        own = flat.activities3()[inside, k if flat.by_territory else 0, j]
        at = int(own.argmax())
        ids = [str(self.compiled.problem.resolved.ids[i]) for i in units.members_of(int(inside[at]))]
        name = f"account {ids[0]}" if len(ids) == 1 else f"the family of {ids[0]} ({len(ids)} accounts)"
        if self.compiled.columns[j].limit:
            return float(own[at]), name, number_text(float(own[at]))
        return float(own[at]), name, f"{percent_text(own[at] / flat.target[k, j])} of the target"

    def _shares_remainder(self, k: int, j: int, total: float) -> bool:
        flat = self.flat
        share = float(flat.lower[k, j] / flat.target[k, j])
        own, upper = flat.activities[:, j], float(flat.upper[:, j].max())
        return total >= _left_over(own, self.unit_leaf, flat.target[:, j], k, upper) * share


def _left_over(values: FloatArray, unit_leaf: IntArray, target: FloatArray, k: int, upper: float) -> float:
    """Return a territory's share of what units larger than a band leave; infinite where there are none."""
    oversized = values > upper
    others = np.ones(len(target), dtype=bool)
    others[unit_leaf[oversized]] = False
    if not oversized.any() or not others[k] or not target[others].sum() > 0:
        return np.inf
    return float(values[~oversized].sum() * target[k] / target[others].sum())
