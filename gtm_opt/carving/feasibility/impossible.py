"""Impossible requests, found by cheap checks before any solver runs, in planner's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.carving.compile.eligibility import EligibilityTerm
from gtm_opt.errors import number_text, percent_text, shorten
from gtm_opt.instance import ForbiddenTerm, PinTerm
from gtm_opt.instance.terms import total
from gtm_opt.measures import forced_deviation
from gtm_opt.model import Forbid, MaxMoved, Pin
from gtm_opt.solvers.portfolio.presolve import presolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from gtm_opt.carving.compile.compiled import Compiled
    from gtm_opt.instance import FloatArray, Instance, IntArray, Term
    from gtm_opt.measures import CriterionColumn

__all__ = ["Reasons", "find_reasons", "forced_moves", "locked_and_reachable"]

SLACK = 1e-9
SHOWN = 3


@dataclass(frozen=True, eq=False)
class Reasons:
    """Why a request is impossible, and the sums that show it.

    Attributes
    ----------
    rules : tuple of str
        Contradictions of rules and absolute limits, each with the numbers and a remedy.
    bands : tuple of str
        Balance bands that cannot hold.
    moves : ndarray of shape (n_side_rows,)
        The least that moves, whatever the plan.
    locked, reachable : ndarray of shape (n_territories, n_criteria)
        What rules lock into each territory, and all that may go there.
    """

    rules: tuple[str, ...]
    bands: tuple[str, ...]
    moves: FloatArray
    locked: FloatArray
    reachable: FloatArray


def find_reasons(compiled: Compiled) -> Reasons:
    """Return why no plan can keep all hard bands and rules; empty when no cheap proof is found.

    Parameters
    ----------
    compiled : Compiled
        Over all territories (leaves).

    Notes
    -----
    Every reason is a proof: single large units (accounts or families), pins and caps on moves over a limit,
    territories that cannot be filled, limits that do not add up, moves that pins and families
    force. Linear in accounts x criteria; accounts x territories only where moves are limited.
    """
    moves = forced_moves(compiled.instance)
    locked, reachable = locked_and_reachable(compiled.instance)
    rules = _forced_moves(compiled, moves)
    bands: list[Any] = []
    for j, column in enumerate(compiled.columns):
        if np.isfinite(compiled.instance.penalty[j]):
            continue
        found = _large_units(compiled, j, column)
        found += _pins_over(compiled, j, column, locked)
        found += _cannot_fill(compiled, j, column, reachable)
        found += _sums(compiled, j, column)
        found += _teams_over(compiled, j, column)
        (rules if column.limit else bands).extend(found)
    return Reasons(tuple(dict.fromkeys(rules)), tuple(dict.fromkeys(bands)), moves, locked, reachable)


def locked_and_reachable(instance: Instance) -> tuple[FloatArray, FloatArray]:
    """Return what rules lock into each territory, and all that may go there, per criterion.

    Notes
    -----
    Only units that a pin or a bar names are looked at one by one; members of teams class by class. Where moves
    are limited, all are: a place that uses more than the limit leaves is no place.
    """
    k, m = instance.n_territories, instance.n_criteria
    if instance.side:
        return _within_limits(instance)
    rules = [term for term in instance.cost if isinstance(term, PinTerm | ForbiddenTerm | EligibilityTerm)]
    named = np.zeros(instance.n_units, dtype=bool)
    for term in rules:
        if isinstance(term, PinTerm):
            named |= term.territory != -1
        elif isinstance(term, ForbiddenTerm):
            named[term.unit] = True
    locked, reachable = np.zeros((k, m)), np.zeros((k, m))
    for members, allowed in _classes(rules, ~named, k):
        brings = instance.activities3()[members].sum(axis=0)
        reachable += np.where(allowed[:, None], brings, 0.0)
        if allowed.sum() == 1:
            locked += np.where(allowed[:, None], brings, 0.0)
    units = np.flatnonzero(named)
    step = max(64, 4_000_000 // k)
    for start in range(0, len(units), step):
        rows = units[start : start + step]
        mask = np.isfinite(total(rules, rows, len(rows), k))
        only = mask & (mask.sum(axis=1) == 1)[:, None]
        own = np.broadcast_to(instance.activities3()[rows], (len(rows), k, m))
        locked += np.einsum("ik,ikj->kj", only, own)
        reachable += np.einsum("ik,ikj->kj", mask, own)
    return locked, reachable


def _within_limits(instance: Instance) -> tuple[FloatArray, FloatArray]:
    """Return locked and reachable totals, pairs that break a side row by themselves being forbidden too."""
    locked, reachable = (np.zeros(instance.target.shape) for _ in range(2))
    tight = presolve(instance)
    for rows in tight.chunks():
        mask = np.isfinite(tight.cost_block(rows))
        only = mask & (mask.sum(axis=1) == 1)[:, None]
        own = np.broadcast_to(instance.activities3()[rows], (*mask.shape, instance.n_criteria))
        locked += np.einsum("ik,ikj->kj", only, own)
        reachable += np.einsum("ik,ikj->kj", mask, own)
    return locked, reachable


def _classes(rules: Sequence[Term], among: NDArray[np.bool_], k: int) -> Iterator[tuple[IntArray, NDArray[np.bool_]]]:
    """Yield the units of each class of the same team, and the territories open to it."""
    teams = next((term for term in rules if isinstance(term, EligibilityTerm)), None)
    if teams is None:
        yield np.flatnonzero(among), np.ones(k, dtype=bool)
        return
    units = np.flatnonzero(among)
    if not len(units):
        return
    units = units[np.argsort(teams.code[units], kind="stable")]
    codes, start = np.unique(teams.code[units], return_index=True)
    for code, members in zip(codes, np.split(units, start[1:]), strict=True):
        yield members, np.isfinite(teams.closed[code])


def _unit_name(compiled: Compiled, unit: int) -> str:
    members = compiled.units.members_of(unit)
    first = f"'{compiled.problem.resolved.ids[members[0]]}'"
    return f"account {first} alone" if len(members) == 1 else f"the family of {first} ({len(members)} accounts)"


def _large_units(compiled: Compiled, j: int, column: CriterionColumn) -> list[str]:
    if column.values.ndim == 2:
        return []
    values = compiled.instance.activities[..., j]
    values = values[:, 0] if values.ndim == 2 else values
    top = float(column.upper.max())
    oversized = np.flatnonzero(values > top * (1 + SLACK))
    oversized = oversized[np.argsort(-values[oversized], kind="stable")]
    what = _what(column)
    if column.limit:
        return [
            f"{_capital(_unit_name(compiled, int(u)))} holds {number_text(values[u])} {what}, the largest limit of a "
            f"territory is {number_text(top)}. Raise the limit, or split the account."
            for u in oversized[:SHOWN]
        ]
    forced = forced_deviation(values, column.target)
    nearest = f"The nearest possible worst deviation is {percent_text(forced)}."
    tolerance = percent_text(column.tolerance, 4)
    if len(oversized):
        u = int(oversized[0])
        target = float(column.target.max())
        others = f" ({len(oversized) - 1} more are too large as well)" if len(oversized) > 1 else ""
        return [
            f"{_capital(_unit_name(compiled, u))} holds {number_text(values[u])} {what}, "
            f"{percent_text(values[u] / values.sum())} of all and {percent_text(values[u] / target, 0)} of the largest "
            f"territory's target of {number_text(target)}{others}: no carve can be within {tolerance} of it. {nearest} "
            "Raise the tolerance, take the account out as a named account of its own, or split it."
        ]
    if forced > column.tolerance * (1 + SLACK) and _beyond_band(column, forced):
        return [
            f"{what}: a few accounts are so large that the rest cannot fill the other territories to within "
            f"{tolerance}. {nearest} Raise the tolerance, or carve the largest accounts on their own."
        ]
    return []


def _beyond_band(column: CriterionColumn, forced: float) -> bool:
    """Whether a forced deviation also breaks the band as widened to whole numbers."""
    widest = np.maximum(column.upper - column.target, column.target - column.lower) / column.target
    return forced > float(widest.max()) * (1 + SLACK)


def _pins_over(compiled: Compiled, j: int, column: CriterionColumn, locked: FloatArray) -> list[str]:
    names, what = compiled.territories.names, _what(column)
    over = np.flatnonzero(locked[:, j] > column.upper * (1 + SLACK) + SLACK)
    capped = bool(compiled.instance.side)
    loosen = "Unpin some accounts, allow more to move" if capped else "Unpin some accounts"
    out = []
    for k in over[:SHOWN]:
        least = percent_text(np.ceil(1000 * (locked[k, j] / column.target[k] - 1)) / 1000)
        raise_what = "the limit." if column.limit else f"the tolerance to at least {least}."
        out.append(
            f"{_rules(compiled)} lock {number_text(locked[k, j])} {what} into {names[k]}, at most "
            f"{number_text(column.upper[k])} are allowed. {loosen}, or raise {raise_what}"
        )
    return out


def _cannot_fill(compiled: Compiled, j: int, column: CriterionColumn, reachable: FloatArray) -> list[str]:
    names, what = compiled.territories.names, _what(column)
    short = np.flatnonzero(reachable[:, j] < column.lower * (1 - SLACK) - SLACK)
    return [
        f"{names[k]} needs at least {number_text(column.lower[k])} {what}, but {_lower(_rules(compiled))} leave only "
        f"{number_text(reachable[k, j])} that may go there. Allow more accounts there, or lower its share."
        for k in short[:SHOWN]
    ]


def _sums(compiled: Compiled, j: int, column: CriterionColumn) -> list[str]:
    if column.values.ndim == 2:
        return []
    what, held = _what(column), float(column.values.sum())
    most, least = float(column.upper.sum()), float(column.lower.sum())
    if held > most * (1 + SLACK):
        return [
            f"The limits of {what} add up to {number_text(most)}, all accounts together hold {number_text(held)}. "
            f"Raise the limits by {number_text(held - most)} in total, or add a territory."
        ]
    if held < least * (1 - SLACK):
        return [
            f"The territories need at least {number_text(least)} {what} together, all accounts hold "
            f"{number_text(held)}. Lower the minimum, or drop a territory."
        ]
    return []


def _teams_over(compiled: Compiled, j: int, column: CriterionColumn) -> list[str]:
    """Return the groups that hold more than the territories of their team may have together."""
    if column.values.ndim == 2:
        return []
    what, names = _what(column), np.array(compiled.territories.names, dtype=object)
    order = pd.Index(compiled.problem.territories.names).get_indexer(pd.Index(names))
    out = []
    for team in compiled.problem.resolved.teams:
        held = np.bincount(team.group[team.group >= 0], column.values[team.group >= 0], minlength=len(team.names))
        most = np.where(team.open_to[:, order], column.upper, 0.0).sum(axis=1)
        for g in np.flatnonzero(held > most * (1 + SLACK) + SLACK)[:SHOWN]:
            own = shorten(list(names[team.open_to[g, order]]), shown=3)
            out.append(
                f"The accounts of {team.rule.word} {team.names[g]} hold {number_text(held[g])} {what}, the territories "
                f"of their team ({own}) may have {number_text(most[g])} together. Add a territory to the team, carve "
                "with hierarchy=Segments(...), which gives each team a target of its own, or raise the tolerance."
            )
    return out


def forced_moves(instance: Instance) -> FloatArray:
    """Return the least use of each side row that pins, forbidden pairs and families force, shape (n_side_rows,)."""
    least = np.zeros(len(instance.side))
    for rows in instance.chunks():
        if not instance.side:
            break
        forbidden = ~np.isfinite(instance.cost_block(rows))
        for r, row in enumerate(instance.side):
            block = row.term.block(rows)
            block[forbidden] = np.inf
            least[r] += float(block.min(axis=1).sum())
    return least


def _forced_moves(compiled: Compiled, moves: FloatArray) -> list[str]:
    return [
        f"{_rules(compiled, families=True)} alone move {number_text(least)}, but '{row.name}' allows "
        f"{number_text(row.upper)}. Drop some of them, or allow more to move."
        for row, least in zip(compiled.instance.side, moves, strict=True)
        if least > row.upper * (1 + SLACK) + SLACK
    ]


def _rules(compiled: Compiled, families: bool = False) -> str:
    """Return the kinds of rules that hold accounts somewhere."""
    asked = compiled.problem.rules
    caps = [] if families else [f"'{rule.name}'" for rule in asked if isinstance(rule, MaxMoved)]
    more = ["teams"] * bool(compiled.problem.resolved.teams) + ["families"] * families
    named = families or not caps or any(isinstance(rule, Pin | Forbid) for rule in asked)
    kinds = [*(["Pins", "forbids"] if named else []), *more, *caps]
    return _capital(", ".join(kinds[:-1]) + f" and {kinds[-1]}" if len(kinds) > 1 else f"limits on moves ({kinds[0]})")


def _what(column: CriterionColumn) -> str:
    return column.name.removeprefix("limit ")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
