"""Floors and caps: reading them, carrying them up the tree, and saying why a plan cannot meet them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings, InfeasibleError, amount_text, shorten
from gtm_opt.model.renamed import rename_columns
from gtm_opt.model.tables import did_you_mean
from gtm_opt.quota.rounding import UNBOUNDED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.quota.layers import Layers

    IntArray = NDArray[np.int64]
    OwnBounds = tuple[IntArray, IntArray, NDArray[np.float64], NDArray[np.float64]]

__all__ = ["Bounds", "own_bounds", "read_bounds", "round_half_up"]

_COLUMNS = ("floor", "cap", "pin", "prior", "max_down_frac", "max_up_frac")
_BASES = ("after", "before")
_RENAMED = {"floor_usd": "floor", "cap_usd": "cap", "prior_usd": "prior"}


@dataclass(frozen=True, eq=False)
class Bounds:
    """Whole units a node may get, its own bounds met with what its descendants need.

    Attributes
    ----------
    floors, caps : ndarray of int, shape (n,)
        Any amount between them can be passed down without breaking a bound below.
    """

    floors: IntArray
    caps: IntArray


def round_half_up(amount: int, factor: Fraction) -> int:
    """Return ``amount * factor`` rounded to the nearest whole number, halves up; exact."""
    top, bottom = factor.numerator, factor.denominator
    return (2 * top * amount + bottom) // (2 * bottom)


def read_bounds(
    frame: pd.DataFrame | None, layers: Layers, unit: int, edge: list[Fraction], plan: int, found: Findings
) -> Bounds | None:
    """Return bounds in whole units that can be kept all the way down, None without any.

    Parameters
    ----------
    frame : DataFrame or None
        ``node_id`` and any of floor, cap, and prior with max_down_frac and
        max_up_frac. Empty cells bound nothing.
    edge : list of Fraction
        1 + over-assignment below each node.
    plan : int
        Plan in units.

    Raises
    ------
    InfeasibleError
        If the bounds contradict each other or the plan, with the numbers.
    """
    if frame is None or frame.empty:
        return None
    own = own_bounds(frame, layers, unit, found, edge)
    if own is None:
        return None
    floors, caps = own[0].copy(), own[1].copy()
    reasons = _between_units(own, layers, unit)
    reasons += [
        f"Node '{layers.ids[n]}': its floor of {_amount(floors[n], unit)} is above its cap of {_amount(caps[n], unit)} "
        f"(in whole units of {unit:,})."
        for n in np.flatnonzero(floors > caps)
        if not reasons
    ]
    if not reasons:
        reasons = _carry_up(floors, caps, layers, unit, edge)
    if not reasons:
        reasons = _check_plan(floors, caps, own, layers, unit, plan)
    if reasons:
        raise InfeasibleError(reasons, "check_feasibility names the conflicting bounds and the cheapest way out.")
    return Bounds(floors, caps)


def _between_units(own: OwnBounds, layers: Layers, unit: int) -> list[str]:
    """Explain bounds that leave no whole unit although they do not contradict each other, such as a pin."""
    floors, caps, low, high = own
    out = []
    for n in np.flatnonzero((floors == caps + 1) & (low <= high)):
        exact = amount_text(low[n])
        what = f"is pinned to {exact}" if low[n] == high[n] else f"lies between {exact} and {amount_text(high[n])}"
        below, above = amount_text(int(caps[n]) * unit), amount_text(int(floors[n]) * unit)
        out.append(
            f"Node '{layers.ids[n]}' {what}, where no multiple of the unit of {unit:,} is: take {below} or {above}, or "
            "a smaller unit."
        )
    return out


def own_bounds(
    frame: pd.DataFrame | None, layers: Layers, unit: int, found: Findings, edge: list[Fraction]
) -> OwnBounds | None:
    """Return floors and caps of the nodes themselves in whole units, and as they were given (NaN: none)."""
    if frame is None or frame.empty:
        return None
    frame = rename_columns(frame, _RENAMED, "bounds")
    table = frame.reset_index() if "node_id" not in frame.columns and frame.index.name == "node_id" else frame
    if "node_id" not in table.columns:
        found.add("bounds", "must have the column node_id", got=", ".join(map(str, frame.columns)))
        return None
    table = table.assign(node_id=table["node_id"].astype(str)).set_index("node_id")
    if table.index.has_duplicates:
        found.add("bounds", "must have one row per node", rows=table.index[table.index.duplicated()], kind="node")
        return None
    unknown = table.index.difference(pd.Index(layers.ids), sort=False)
    if len(unknown):
        remedy = did_you_mean(unknown[0], layers.ids)
        found.add("bounds['node_id']", "must only name nodes of the tree", rows=unknown, kind="node", remedy=remedy)
    if not any(c in table.columns for c in _COLUMNS):
        found.add("bounds", f"must have one of the columns {', '.join(_COLUMNS)}", got=", ".join(table.columns))
    read = {c: _numbers(table, c, layers, found) for c in _COLUMNS}
    relative = ~np.isnan(read["max_down_frac"]) | ~np.isnan(read["max_up_frac"])
    without = relative & np.isnan(read["prior"])
    if without.any():
        ids = np.array(layers.ids, dtype=object)[without]
        found.add("bounds", "must have prior where a change is limited", rows=ids, kind="node")
    if found:
        return None
    grossed = _before_over_assignment(table, layers, found)
    if found:
        return None
    factor = np.array([float(edge[p]) if p >= 0 else 1.0 for p in layers.parent])
    for name in ("floor", "cap", "pin"):
        read[name] = np.where(grossed, read[name] * factor, read[name])
    # a pin before over-assignment is a whole number of units there, and follows the edge's own rounding
    for n in np.flatnonzero(grossed & ~np.isnan(read["pin"]) & (layers.parent >= 0)):
        units = Fraction(str(read["pin"][n] / factor[n])).limit_denominator(10**6) / unit
        if units.denominator == 1:
            read["pin"][n] = round_half_up(int(units), edge[layers.parent[n]]) * unit
    low = np.fmax(np.fmax(read["floor"], read["pin"]), read["prior"] * (1.0 - read["max_down_frac"]))
    high = np.fmin(np.fmin(read["cap"], read["pin"]), read["prior"] * (1.0 + read["max_up_frac"]))
    # The smallest whole unit not below the floor, the largest not above the cap; a small tolerance
    # keeps 0.9 * 1,000,000 from becoming one unit more.
    floors = np.where(np.isnan(low), 0, np.ceil(np.nan_to_num(low) / unit - 1e-9)).astype(np.int64)
    caps = np.where(np.isnan(high), UNBOUNDED, np.floor(np.nan_to_num(high) / unit + 1e-9)).astype(np.int64)
    return np.maximum(floors, 0), caps, low, high


def _before_over_assignment(table: pd.DataFrame, layers: Layers, found: Findings) -> NDArray[np.bool_]:
    """Return for which nodes floor, cap and pin are meant without the over-assignment of the edge into them."""
    if "basis" not in table.columns:
        return np.zeros(len(layers), dtype=bool)
    basis = table["basis"].fillna("after").astype(str)
    wrong = ~basis.isin(_BASES)
    if wrong.any():
        found.add(
            "bounds['basis']", "must be 'after' or 'before' over-assignment", rows=table.index[wrong], kind="node"
        )
    return np.asarray(basis.reindex(layers.ids).eq("before").to_numpy(), dtype=bool)


def _numbers(table: pd.DataFrame, column: str, layers: Layers, found: Findings) -> NDArray[np.float64]:
    if column not in table.columns:
        return np.full(len(layers), np.nan)
    numbers = pd.to_numeric(table[column], errors="coerce")
    bad = (numbers.isna() & table[column].notna()) | (numbers < 0)
    if bad.any():
        found.add(f"bounds['{column}']", "must hold numbers, none negative", rows=table.index[bad], kind="node")
    return numbers.replace(np.inf, np.nan).reindex(layers.ids).to_numpy(dtype=np.float64)


def _carry_up(floors: IntArray, caps: IntArray, layers: Layers, unit: int, edge: list[Fraction]) -> list[str]:
    """Tighten the bounds of parents to what their children can take; return contradictions."""
    reasons = []
    for layer in layers.up():
        low = np.add.reduceat(floors[layer.nodes], layer.starts)
        unbounded = caps[layer.nodes] >= UNBOUNDED
        high = np.add.reduceat(np.where(unbounded, 0, caps[layer.nodes]), layer.starts)
        open_end = np.logical_or.reduceat(unbounded, layer.starts)
        for p, need, most, unlimited in zip(layer.parents, low, high, open_end, strict=True):
            top, bottom = edge[p].numerator, edge[p].denominator
            # round_half_up(q * top / bottom) >= need, and <= most, solved for whole q
            least = max(0, -((bottom - 2 * bottom * int(need)) // (2 * top)))
            if least > caps[p]:
                reasons.append(
                    f"Node '{layers.ids[p]}': the floors below it need {_amount(least, unit)}, its cap is "
                    f"{_amount(caps[p], unit)}. Lower floors by {_amount(least - caps[p], unit)}, or raise the cap."
                )
            floors[p] = max(floors[p], least)
            if unlimited:
                continue
            reach = -((-2 * bottom * int(most) - bottom) // (2 * top)) - 1
            if reach < floors[p] and not least > caps[p]:
                reasons.append(
                    f"Node '{layers.ids[p]}': the caps below it take at most {_amount(reach, unit)}, it must get "
                    f"{_amount(floors[p], unit)}. Raise caps by {_amount(floors[p] - reach, unit)}, or lower the floor."
                )
            caps[p] = min(caps[p], reach)
        if reasons:  # contradictions further up would only be their consequence
            break
    return reasons


def _check_plan(floors: IntArray, caps: IntArray, own: OwnBounds, layers: Layers, unit: int, plan: int) -> list[str]:
    if floors[0] <= plan <= caps[0]:
        return []
    top = "without limit" if caps[0] >= UNBOUNDED else _amount(caps[0], unit)
    text = f"target = {_amount(plan, unit)} lies outside the reachable range [{_amount(floors[0], unit)}, {top}]."
    ids = np.array(layers.ids, dtype=object)
    if plan < floors[0]:
        firm = np.flatnonzero(own[0] > 0)
        largest = firm[np.argsort(-own[0][firm], kind="stable")]
        text += (
            f" The floors are {_amount(floors[0] - plan, unit)} too high; the largest are those of "
            f"{shorten(list(ids[largest]), shown=3)}."
        )
    else:
        tight = np.flatnonzero(own[1] < UNBOUNDED)
        largest = tight[np.argsort(-own[1][tight], kind="stable")]
        text += (
            f" The caps are {_amount(plan - caps[0], unit)} too low; the largest are those of "
            f"{shorten(list(ids[largest]), shown=3)}."
        )
    return [text]


def _amount(units: int | np.int64, unit: int) -> str:
    return amount_text(int(units) * unit)
