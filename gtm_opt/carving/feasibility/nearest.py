"""The nearest possible plan: what is relaxed, so that everything else can still be even."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.carving.feasibility.impossible import forced_moves, locked_and_reachable
from gtm_opt.errors import number_text, percent_text
from gtm_opt.instance import PinTerm

if TYPE_CHECKING:
    from gtm_opt.carving.compile.compiled import Compiled
    from gtm_opt.instance import FloatArray, Instance, IntArray, SideRow
    from gtm_opt.measures import CriterionColumn

__all__ = ["make_possible"]

TINY = 1e-9
"""Targets stay above zero, of which relative deviations would be undefined: this much of those asked for."""
_ROOM = 0.25
"""Part of a tolerance that is enough to carve within: less, and the limits asked for are relaxed."""


def make_possible(compiled: Compiled) -> tuple[Compiled, list[str]]:
    """Return the problem with bands that single large units allow, and what was widened.

    Parameters
    ----------
    compiled : Compiled

    Returns
    -------
    compiled : Compiled
        Units larger than every band are placed first (where they are cheapest, the least loaded
        among equals); their territory's band begins there and ends a tolerance above, and the targets of
        the others are what is left by share. The others keep the limits asked for where a quarter of their
        slack is left on either side of that.
    notes : list of str
        One sentence per widened band.

    Notes
    -----
    Also lifts bands that pins overfill or forbids starve, and limits on moves below what pins, forbids and
    families force: that, and nothing a heuristic chose, relaxes a limit on moves. Limits that do not add up are
    not raised: there is nothing nearest about a smaller number of accounts.
    """
    instance = compiled.instance
    side, moved = _raise_limits(instance)
    instance = replace(instance, side=side)
    home = _place_giants(instance)
    if (home >= 0).any():
        instance = replace(instance, cost=(*instance.cost, PinTerm(home, instance.n_territories)))
    locked, reachable = locked_and_reachable(instance)
    target, lower, upper = instance.target.copy(), instance.lower.copy(), instance.upper.copy()
    notes: list[str] = []
    for j, column in enumerate(compiled.columns):
        if column.limit or not np.isinf(instance.penalty[j]):
            continue
        notes += _widen(compiled, j, column, locked[:, j], reachable[:, j], target, lower, upper)
    evenness = instance.evenness
    if evenness is not None:
        half = np.maximum(upper - target, target - lower)
        evenness = replace(evenness, unit=np.where(np.isfinite(evenness.unit), np.maximum(half, 1e-12), np.inf))
    target = np.maximum(target, TINY * instance.target)
    instance = replace(instance, target=target, lower=lower, upper=upper, evenness=evenness)
    return replace(compiled, instance=instance), [*notes, *moved]


def _raise_limits(instance: Instance) -> tuple[tuple[SideRow, ...], list[str]]:
    """Return side rows that allow at least what pins, forbidden pairs and families move anyway."""
    side, notes = list(instance.side), []
    for r, least in enumerate(forced_moves(instance)):
        row = side[r]
        if np.isfinite(least) and least > row.upper:
            side[r] = replace(row, upper=float(least))
            if least > row.upper * (1 + 1e-9) + 1e-9:
                notes.append(
                    f"'{row.name}': pins, forbids and families alone move {number_text(least)}; raised to that."
                )
    return tuple(side), notes


def _place_giants(instance: Instance) -> IntArray:
    """Return a territory for every unit that fits no band, -1 for all others."""
    home = np.full(instance.n_units, -1, dtype=np.int64)
    if instance.by_territory:
        return home
    hard = (
        np.isinf(instance.penalty) & np.isfinite(instance.upper).all(axis=0) & np.isfinite(instance.lower).all(axis=0)
    )
    tops = instance.upper.max(axis=0)
    oversized = np.flatnonzero((instance.activities[:, hard] > tops[hard] * (1 + 1e-9)).any(axis=1))
    size = (instance.activities[oversized][:, hard] / tops[hard]).max(axis=1, initial=0.0)
    load = np.zeros((instance.n_territories, int(hard.sum())))
    moves = np.array([row.upper for row in instance.side]) - forced_moves(instance)
    for at in np.argsort(-size, kind="stable"):
        unit = oversized[at]
        cost = instance.cost_block(np.array([unit]))[0]
        over = ((load + instance.activities[unit][hard]) / instance.target[:, hard]).max(axis=1)
        open_to = np.isfinite(cost)
        extra = _extra_moves(instance, unit, open_to)
        open_to = open_to & (extra <= moves * (1 + 1e-9) + 1e-9).all(axis=1)
        # two oversized accounts together are worse than any preference
        rank = np.lexsort((np.arange(len(cost)), cost, np.round(over, 6), ~open_to))
        home[unit] = rank[0]
        load[rank[0]] += instance.activities[unit][hard]
        moves -= extra[rank[0]]
    return home


def _extra_moves(instance: Instance, unit: int, open_to: np.ndarray) -> FloatArray:
    """Return what a unit moves in each territory beyond the least it can, shape (n_territories, n_side_rows)."""
    out = np.zeros((instance.n_territories, len(instance.side)))
    for r, row in enumerate(instance.side):
        use = np.where(open_to, row.term.block(np.array([unit]))[0], np.inf)
        out[:, r] = use - use.min()
    return out


def _widen(
    compiled: Compiled,
    j: int,
    column: CriterionColumn,
    locked: FloatArray,
    reachable: FloatArray,
    target: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
) -> list[str]:
    """Move targets and bands in place, of what cannot be in its band and then of the others; return notes."""
    names = compiled.territories.names
    asked, room = column.target, column.upper - column.target
    over = locked > column.upper * (1 + 1e-9)
    # what the overfull keep is missing elsewhere, and what the starved cannot take is shared by the others
    left = float(asked.sum() - locked[over].sum())
    fair = left / float(asked[~over].sum()) if not over.all() else 0.0
    short = ~over & (reachable < min(fair, 1.0) * column.lower * (1 - 1e-9))
    if not (over.any() or short.any()):
        return []
    target[over, j] = lower[over, j] = locked[over]
    upper[over, j] = locked[over] + room[over]
    target[short, j], lower[short, j] = reachable[short], 0.0
    others, factor = ~(over | short), 1.0
    if others.any():
        factor = max(0.0, left - float(reachable[short].sum())) / float(asked[others].sum())
        target[others, j] = factor * asked[others]
        lower[others, j], upper[others, j] = _shifted(column, others, factor)
    out = [
        f"{column.name}: {names[k]} holds {number_text(locked[k])} that cannot go elsewhere, "
        f"{percent_text(locked[k] / column.target[k] - 1)} over its target; its band was raised to that."
        for k in np.flatnonzero(over)
    ]
    out += [
        f"{column.name}: only {number_text(reachable[k])} may go to {names[k]}, "
        f"{percent_text(1 - reachable[k] / column.target[k])} under its target; its lower limit was lifted."
        for k in np.flatnonzero(short)
    ]
    if others.any() and abs(factor - 1.0) > 1e-9:
        out.append(f"{column.name}: the other territories share what is left, {percent_text(factor)} of their targets.")
    return out


def _shifted(column: CriterionColumn, others: np.ndarray, factor: float) -> tuple[FloatArray, FloatArray]:
    """Return bands around a part of the targets: those asked for, as long as `_ROOM` is left on either side."""
    target, lower, upper = column.target[others], column.lower[others], column.upper[others]
    return (
        np.maximum(factor * lower, np.minimum(lower, factor * target - _ROOM * (target - lower))),
        np.maximum(upper, np.minimum(factor * upper, factor * target + _ROOM * (upper - target))),
    )
