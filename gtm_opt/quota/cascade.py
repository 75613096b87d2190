"""`cascade`: hand a plan down a hierarchy, exact to the unit at every edge."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings, warn_renamed
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.renamed import accept_renamed
from gtm_opt.model.tables import did_you_mean
from gtm_opt.quota.bounds import read_bounds, round_half_up
from gtm_opt.quota.layers import Layers, TreeLike
from gtm_opt.quota.result import Quotas
from gtm_opt.quota.rounding import clip_proportional, largest_remainder
from gtm_opt.quota.weights import sibling_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.model.calendar import Calendar
    from gtm_opt.quota.bounds import Bounds
    from gtm_opt.quota.layers import Layer
    from gtm_opt.quota.weights import Weights

    IntArray = NDArray[np.int64]
    FloatArray = NDArray[np.float64]

__all__ = ["cascade"]

_MOST_UNITS = 2**50


@accept_renamed(plan_usd="target")
@takes_tables("metrics", "bounds")
def cascade(
    tree: TreeLike,
    target: float,
    *,
    over_assign: float | Mapping[str, float] | None = None,
    weights: Weights = "share",
    metrics: pd.DataFrame | None = None,
    bounds: pd.DataFrame | None = None,
    unit: int = 1_000,
    calendar: Calendar | None = None,
    currency: str = "",
) -> Quotas:
    """Cascade a plan down a hierarchy.

    Parameters
    ----------
    tree : Hierarchy
    target : float
        Quota of the root, in the plan's currency; a multiple of `unit`.
    over_assign : float or mapping, optional
        Fraction by which the quotas of children exceed their parent's. A number holds for
        every edge. A mapping has levels (the edge *into* that level) or node ids (the edge
        *below* that node; wins over its children's level). Edges multiply: 5 % and then
        10 % make 15.5 %. Negative: a reserve that the manager holds back.
    weights : str, mapping or Series
        ``"share"`` (default: the hierarchy's), ``"equal"``, a column of `metrics`, a
        mapping of those to betas that sum to 1, or a Series of weights by node id.
    metrics : DataFrame, optional
        One row per node (``node_id``, as column or index) and one column per metric. Inner
        nodes that are left out get the sum of their children.
    bounds : DataFrame, optional
        ``node_id`` with any of ``floor``, ``cap``, and ``prior`` with
        ``max_down_frac`` and ``max_up_frac`` (change against last year).
    unit : int
        Rounding unit, an amount in the same currency.
    calendar : Calendar, optional
        Spreads quotas over quarters and months, see `Quotas.periods`. Its first fiscal
        year is used.
    currency : str
        Label of the amounts, for display only: "EUR".

    Returns
    -------
    Quotas

    Raises
    ------
    DataError
        With every finding in the arguments.
    InfeasibleError
        If floors and caps contradict each other or the plan; with the reachable range.

    Notes
    -----
    At every node p with over-assignment o::

        sum_{c in ch(p)} Q_c = round_u((1 + o_p) Q_p)                                   (10)
        Q_c = clip(lambda_p * w_c, floor_c, cap_c)    before rounding                   (11)

    (10) holds exactly, in whole units, halves rounded up; over-assignment is taken as the
    decimal number it is written as. The weights of siblings are blended after each metric
    is turned into shares among them. Units are shared out by largest remainder within the
    bounds, ties by node id. Bounds of descendants are carried up first, so that a manager
    never gets less than the floors of the team need.

    The result does not depend on the order of rows. O(n log n).
    """
    found = Findings()
    layers = Layers.of(tree)
    plan = _plan_units(target, unit, found)
    edges = _edges(over_assign, layers, found)
    weight, notes = sibling_weights(layers, weights, metrics, found)
    limit = None if found else read_bounds(bounds, layers, unit, edges, plan, found)
    found.raise_if_any()
    units = np.zeros(len(layers), dtype=np.int64)
    side = np.zeros(len(layers), dtype=np.int64)
    units[0] = plan
    for layer in layers.down():
        totals = np.array([round_half_up(int(units[p]), edges[p]) for p in layer.parents], dtype=np.int64)
        units[layer.nodes], side[layer.nodes] = _share_out(totals, weight[layer.nodes], layer, limit)
    quotas = Quotas(
        table=_table(tree, layers, units * unit, weight, edges, side),
        target=plan * unit,
        unit=unit,
        calendar=None if calendar is None else calendar.first_year(),
        notes=tuple(notes),
        currency=currency,
    )
    quotas.tie_out()
    return quotas


def _plan_units(target: float, unit: int, found: Findings) -> int:
    if isinstance(unit, bool) or not isinstance(unit, int | np.integer) or unit < 1:
        found.add("unit", "must be a whole number, at least 1", got=repr(unit))
        return 0
    try:
        plan = Fraction(str(target)) / int(unit)
    except (ValueError, TypeError):
        found.add("target", "must be a number", got=repr(target))
        return 0
    if plan < 0:
        found.add("target", "must not be negative", got=f"{target:,}")
    elif plan.denominator != 1:
        nearest = round(plan) * int(unit)
        found.add(
            "target",
            f"must be a multiple of the unit of {unit:,}, or no split of it can tie out",
            got=f"{target:,}",
            remedy=f"Pass a smaller unit, or a target of {nearest:,}.",
        )
    elif plan > _MOST_UNITS:
        found.add("unit", "must be larger for a plan of this size", got=f"{int(plan):,} units of {unit:,}")
    return int(plan)


def _edges(over_assign: float | Mapping[str, float] | None, layers: Layers, found: Findings) -> list[Fraction]:
    """Return 1 + over-assignment below each node."""
    if over_assign is None:
        return [Fraction(1)] * len(layers)
    if not isinstance(over_assign, Mapping):
        return [1 + _fraction(over_assign, "over_assign", found)] * len(layers)
    read = {str(k): _fraction(v, f"over_assign['{k}']", found) for k, v in over_assign.items()}
    levels, ids = set(layers.level), set(layers.ids)
    if "rep_id" in read and "rep_id" not in levels | ids and "seat" in levels - set(read):
        warn_renamed("over_assign['rep_id']", "over_assign['seat']")
        read["seat"] = read.pop("rep_id")
    for key in read:
        if key in levels and key in ids:
            remedy = "Rename the level or the node."
            rule = "must not use a name that is both a level and a node"
            found.add("over_assign", rule, got=f"'{key}'", remedy=remedy)
        elif key == layers.level[0] and layers.level.count(key) == 1:
            rule = "must not name the root's level, where no edge leads"
            found.add("over_assign", rule, got=f"'{key}'", remedy="Name the level below it.")
        elif key not in levels and key not in ids:
            remedy = did_you_mean(key, [*dict.fromkeys(layers.level), *layers.ids])
            found.add("over_assign", "must name levels or nodes of the tree", got=f"'{key}'", remedy=remedy)
    out = [Fraction(1)] * len(layers)
    by_level = {k: 1 + v for k, v in read.items() if k in levels}
    mixed = []
    for layer in layers.down():
        for p, start, stop in zip(layer.parents, layer.starts, [*layer.starts[1:], len(layer.group)], strict=True):
            first = layer.nodes.start
            into = {by_level.get(layers.level[first + c], Fraction(1)) for c in range(start, stop)}
            if len(into) > 1 and layers.ids[p] not in read:
                mixed.append(layers.ids[p])
            out[p] = 1 + read[layers.ids[p]] if layers.ids[p] in read else max(into)
    if mixed:
        remedy = "Name these nodes in over_assign, with the edge below each."
        found.add("over_assign", "must be the same for all children of a node", rows=mixed, kind="node", remedy=remedy)
    return out


def _fraction(value: object, where: str, found: Findings) -> Fraction:
    """Return the decimal number as written: 0.05 is exactly one twentieth."""
    try:
        read = Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        found.add(where, "must be a number", got=repr(value))
        return Fraction(0)
    if read <= -1 or read > 10:
        remedy = "Write 5 % as 0.05." if read > 10 else "A reserve cannot take everything."
        found.add(where, "must lie between -1 (not included) and 10", got=f"{float(read):g}", remedy=remedy)
        return Fraction(0)
    return read


def _share_out(totals: IntArray, weight: FloatArray, layer: Layer, limit: Bounds | None) -> tuple[IntArray, IntArray]:
    """Return whole units per node of a layer, and at which bound each is."""
    starts, group = layer.starts, layer.group
    if limit is None:
        units = largest_remainder(totals, totals[group] * weight, starts, group)
        return units, np.zeros_like(units)
    floors, caps = limit.floors[layer.nodes], limit.caps[layer.nodes]
    amounts, side = clip_proportional(totals, weight, starts, group, floors, caps)
    return largest_remainder(totals, amounts, starts, group, floors, caps), side


def _table(
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
