"""Impossible requests, found by cheap checks before any solver runs, in planner's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.measures import forced_deviation

if TYPE_CHECKING:
    from gtm_opt.carving.compile import Compiled
    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.measures import CriterionColumn

__all__ = ["allowed_mask", "impossible"]

SLACK = 1e-9
SHOWN = 3


def impossible(compiled: Compiled) -> list[str]:
    """Return why no plan can keep all hard bands and rules; empty when no cheap proof is found.

    Parameters
    ----------
    compiled : Compiled
        Over all territories (leaves).

    Returns
    -------
    list of str
        One reason per contradiction, each with the numbers and the nearest possible.

    Notes
    -----
    Every reason is a proof: single large units (accounts or families), pins over a limit,
    territories that cannot be filled, limits that do not add up, moves that pins and families
    force. Linear in accounts x territories, in blocks.
    """
    reasons: list[str] = []
    allowed, pinned_total, reachable = _reach(compiled)
    for j, column in enumerate(compiled.columns):
        if np.isfinite(compiled.instance.penalty[j]):
            continue
        reasons += _large_units(compiled, j, column)
        reasons += _pins_over(compiled, j, column, pinned_total)
        reasons += _cannot_fill(compiled, j, column, reachable)
        reasons += _sums(compiled, j, column)
    reasons += _forced_moves(compiled)
    return list(dict.fromkeys(reasons)) if allowed else reasons


def allowed_mask(compiled: Compiled, rows: slice | IntArray) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Return which territories each of ``rows`` may go to."""
    return np.isfinite(compiled.instance.cost_block(rows))


def _reach(compiled: Compiled) -> tuple[bool, FloatArray, FloatArray]:
    """Return whether anything is barred, what is locked in, and what could reach each territory."""
    instance = compiled.instance
    k, m = instance.n_territories, instance.n_criteria
    locked, reachable = np.zeros((k, m)), np.zeros((k, m))
    barred = False
    for rows in instance.chunks():
        mask = np.isfinite(instance.cost_block(rows))
        own = instance.activities3()[rows]
        only = mask & (mask.sum(axis=1) == 1)[:, None]
        barred |= not bool(mask.all())
        locked += np.einsum("ik,ikj->kj", only, np.broadcast_to(own, (len(mask), k, m)))
        reachable += np.einsum("ik,ikj->kj", mask, np.broadcast_to(own, (len(mask), k, m)))
    return barred, locked, reachable


def _unit_name(compiled: Compiled, unit: int) -> str:
    members = compiled.units.members_of(unit)
    first = f"'{compiled.problem.resolved.ids[members[0]]}'"
    return f"account {first} alone" if len(members) == 1 else f"the family of {first} ({len(members)} accounts)"


def _large_units(compiled: Compiled, j: int, column: CriterionColumn) -> list[str]:
    if compiled.instance.by_territory and column.values.ndim == 2:
        return []
    values = compiled.instance.activities[..., j]
    values = values[:, 0] if values.ndim == 2 else values
    top = float(column.upper.max())
    giants = np.flatnonzero(values > top * (1 + SLACK))
    giants = giants[np.argsort(-values[giants], kind="stable")]
    target = float(column.target.max())
    if column.limit:
        return [
            f"{_capital(_unit_name(compiled, int(u)))} holds {values[u]:,.6g} {column.criterion.column}, the largest limit "  # type: ignore[union-attr]
            f"of a territory is {top:,.6g}. Raise the limit, or split the account."
            for u in giants[:SHOWN]
        ]
    forced = forced_deviation(values, column.target)
    if len(giants):
        u = int(giants[0])
        others = f" ({len(giants) - 1} more are too large as well)" if len(giants) > 1 else ""
        return [
            f"{_capital(_unit_name(compiled, u))} holds {values[u]:,.6g} {column.name}, {values[u] / values.sum():.1%} of all and "
            f"{values[u] / target:.0%} of the largest territory's target of {target:,.6g}{others}: no carve can be within "
            f"{column.tolerance:.4g} of it. The nearest possible worst deviation is {forced:.1%}. Raise the tolerance, take the "
            "account out as a named account of its own, split it, or ask for on_infeasible='nearest'."
        ]
    if forced > column.tolerance * (1 + SLACK) and _beyond_band(column, forced):
        return [
            f"{column.name}: a few accounts are so large that the rest cannot fill the other territories to within "
            f"{column.tolerance:.1%}. The nearest possible worst deviation is {forced:.1%}. Raise the tolerance, or carve the "
            "largest accounts on their own."
        ]
    return []


def _beyond_band(column: CriterionColumn, forced: float) -> bool:
    """Whether a forced deviation also breaks the band as widened to whole numbers."""
    widest = np.maximum(column.upper - column.target, column.target - column.lower) / column.target
    return forced > float(widest.max()) * (1 + SLACK)


def _pins_over(compiled: Compiled, j: int, column: CriterionColumn, locked: FloatArray) -> list[str]:
    names = compiled.territories.names
    over = np.flatnonzero(locked[:, j] > column.upper * (1 + SLACK) + SLACK)
    return [
        f"Pins and forbids lock {locked[k, j]:,.6g} {_what(column)} into {names[k]}, at most {column.upper[k]:,.6g} are allowed. "
        "Unpin some accounts, or raise the tolerance"
        + (f" to at least {locked[k, j] / column.target[k] - 1:.1%}." if not column.limit else " or the limit.")
        for k in over[:SHOWN]
    ]


def _cannot_fill(compiled: Compiled, j: int, column: CriterionColumn, reachable: FloatArray) -> list[str]:
    names = compiled.territories.names
    short = np.flatnonzero(reachable[:, j] < column.lower * (1 - SLACK) - SLACK)
    return [
        f"{names[k]} needs at least {column.lower[k]:,.6g} {_what(column)}, but pins and forbids leave only "
        f"{reachable[k, j]:,.6g} that may go there. Allow more accounts there, or lower its share."
        for k in short[:SHOWN]
    ]


def _sums(compiled: Compiled, j: int, column: CriterionColumn) -> list[str]:
    if column.values.ndim == 2:
        return []
    total = float(column.values.sum())
    if total > float(column.upper.sum()) * (1 + SLACK):
        return [
            f"The limits of {_what(column)} add up to {column.upper.sum():,.6g}, all accounts together hold {total:,.6g}. "
            f"Raise the limits by {total - column.upper.sum():,.6g} in total, or add a territory."
        ]
    if total < float(column.lower.sum()) * (1 - SLACK):
        return [
            f"The territories need at least {column.lower.sum():,.6g} {_what(column)} together, all accounts hold {total:,.6g}. "
            "Lower the minimum, or drop a territory."
        ]
    return []


def _forced_moves(compiled: Compiled) -> list[str]:
    instance = compiled.instance
    out = []
    for row in instance.side:
        least = 0.0
        for rows in instance.chunks():
            block = row.term.block(rows)
            block[~np.isfinite(instance.cost_block(rows))] = np.inf
            least += float(block.min(axis=1).sum())
        if least > row.upper * (1 + SLACK) + SLACK:
            out.append(
                f"Pins, forbids and families alone move {least:,.6g}, but '{row.name}' allows {row.upper:,.6g}. "
                "Drop some of them, or allow more to move."
            )
    return out


def _what(column: CriterionColumn) -> str:
    return column.name.removeprefix("limit ")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
