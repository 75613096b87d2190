"""Reading the target and the over-assignment of edges, exactly as written."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import warn_renamed
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from gtm_opt.errors import Findings
    from gtm_opt.quota.layers import Layers

__all__ = ["read_edges", "read_fraction", "read_plan_units"]

_MOST_UNITS = 2**50


def read_plan_units(target: float, unit: int, found: Findings) -> int:
    """Return the target in whole units."""
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


def read_edges(over_assign: float | Mapping[str, float] | None, layers: Layers, found: Findings) -> list[Fraction]:
    """Return 1 + over-assignment below each node."""
    if over_assign is None:
        return [Fraction(1)] * len(layers)
    if not isinstance(over_assign, Mapping):
        return [1 + read_fraction(over_assign, "over_assign", found)] * len(layers)
    read = {str(k): read_fraction(v, f"over_assign['{k}']", found) for k, v in over_assign.items()}
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


def read_fraction(value: object, where: str, found: Findings) -> Fraction:
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
