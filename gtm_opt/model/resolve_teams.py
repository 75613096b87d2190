"""Validation of `Within`: which territories each account may go to, and what contradicts that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import shorten
from gtm_opt.model.resolve_balance import no_column
from gtm_opt.model.rules import Within
from gtm_opt.model.tables import did_you_mean, label_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.errors import Findings
    from gtm_opt.model.problem import CarvingProblem

__all__ = ["Team", "check_teams", "combined_teams", "family_teams", "resolve_teams"]


@dataclass(frozen=True, eq=False)
class Team:
    """One `Within` rule as positions.

    Attributes
    ----------
    rule : Within
    names : tuple of str
        The groups that have a team.
    group : ndarray of int, shape (n_accounts,)
        Position in ``names``, -1: free.
    open_to : ndarray of bool, shape (n_groups, n_territories)
    """

    rule: Within
    names: tuple[str, ...]
    group: NDArray[np.int64]
    open_to: NDArray[np.bool_]


def resolve_teams(problem: CarvingProblem, found: Findings) -> tuple[Team, ...]:
    """Return groups and teams of every `Within` rule; unknown columns, groups and territories are recorded."""
    out = []
    known = problem.territories.position
    for rule in problem.rules:
        if not isinstance(rule, Within):
            continue
        if rule.by not in problem.accounts.columns:
            no_column(problem, rule.by, found)
            continue
        names = tuple(rule.teams)
        values = label_text(problem.accounts[rule.by])
        empty = [name for name in names if not (values == name).any()]
        if len(empty) == len(names):
            remedy = did_you_mean(empty[0], pd.unique(values))
            found.add(
                f"Within('{rule.by}')", f"must name values of '{rule.by}'", rows=empty, kind="value", remedy=remedy
            )
        wrong = [t for team in rule.teams.values() for t in team if t not in known]
        if wrong:
            remedy = did_you_mean(wrong[0], problem.territories.names)
            found.add(
                f"Within('{rule.by}')", "must name known territories", rows=wrong, kind="territory", remedy=remedy
            )
        open_to = np.zeros((len(names), problem.territories.count), dtype=bool)
        for at, team in enumerate(rule.teams.values()):
            # what an unknown territory stands for is not known: nothing more can be said about this team
            open_to[at, [known[t] for t in team if t in known] if set(team) <= set(known) else slice(None)] = True
        out.append(Team(rule, names, pd.Index(names).get_indexer(pd.Index(values)).astype(np.int64), open_to))
    return tuple(out)


def combined_teams(
    teams: tuple[Team, ...], count: int, territories: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return all rules as one: a class per account (-1: free), and the territories open to each class."""
    if not teams:
        return np.full(count, -1, dtype=np.int64), np.ones((0, territories), dtype=bool)
    if len(teams) == 1:
        return teams[0].group, teams[0].open_to
    groups = np.stack([team.group for team in teams], axis=1)
    rows, held = np.unique(groups, axis=0, return_inverse=True)
    open_to = np.ones((len(rows), territories), dtype=bool)
    for at, team in enumerate(teams):
        own = rows[:, at] >= 0
        open_to[own] &= team.open_to[rows[own, at]]
    held = np.where((groups < 0).all(axis=1), -1, held.reshape(-1)).astype(np.int64)
    return held, open_to


def family_teams(
    held: NDArray[np.int64], open_to: NDArray[np.bool_], family: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the same per family: one of several classes may only go where all of its members may."""
    order = np.argsort(family, kind="stable")
    start = np.concatenate([[0], np.flatnonzero(np.diff(family[order])) + 1])
    sorted_held = held[order]
    low, high = np.minimum.reduceat(sorted_held, start), np.maximum.reduceat(sorted_held, start)
    code = low.copy()
    mixed = np.flatnonzero(low != high)
    stop = np.append(start[1:], len(order))
    common = np.ones((len(mixed), open_to.shape[1]), dtype=bool)
    for row, at in enumerate(mixed):
        classes = np.unique(sorted_held[start[at] : stop[at]])
        common[row] = open_to[classes[classes >= 0]].all(axis=0)
        code[at] = len(open_to) + row
    return code, np.concatenate([open_to, common])


def check_teams(
    problem: CarvingProblem,
    ids: pd.Index,
    teams: tuple[Team, ...],
    family: NDArray[np.int64],
    pinned: NDArray[np.int64],
    forbidden: tuple[NDArray[np.int64], NDArray[np.int64]],
    apart: tuple[NDArray[np.int64], ...],
    found: Findings,
) -> None:
    """Record rules that cannot hold together with a `Within` rule."""
    if not teams:
        return
    territories = problem.territories
    held, open_to = combined_teams(teams, len(ids), territories.count)
    code, every = family_teams(held, open_to, family)
    every = np.append(every, np.ones((1, territories.count), dtype=bool), axis=0)
    count = every.sum(axis=1)[code]
    fixed = np.flatnonzero((pinned >= 0) & (count[family] > 0))
    wrong = fixed[~every[code[family[fixed]], pinned[fixed]]]
    if len(wrong):
        rows = [f"{ids[i]} -> {territories.names[pinned[i]]}" for i in wrong]
        remedy = "Drop the pin, or add the territory to the team of the account (and of its family)."
        found.add("Pin and Within", "must not contradict each other", rows=rows, kind="pair", remedy=remedy)
    heads = np.full(len(count), len(family), dtype=np.int64)
    np.minimum.at(heads, family, np.arange(len(family)))
    torn = np.flatnonzero(count == 0)
    if len(torn):
        rows = list(ids[heads[torn]])
        remedy = "Give all members of a family the same group, or the groups a common territory."
        found.add(
            "Within and KeepTogether", "must leave every family a territory", rows=rows, kind="account", remedy=remedy
        )
    pairs = pd.DataFrame({"family": family[forbidden[0]], "territory": forbidden[1]}).drop_duplicates()
    pairs = pairs[every[code[pairs["family"]], pairs["territory"]]]
    lost = np.bincount(pairs["family"], minlength=len(count))
    shut = np.flatnonzero((count > 0) & (lost >= count) & (code >= 0))
    if len(shut):
        remedy = "Allow a territory of the team for these accounts."
        found.add(
            "Forbid and Within",
            "must leave every account a territory",
            rows=list(ids[heads[shut]]),
            kind="account",
            remedy=remedy,
        )
    for group in apart:
        classes, size = np.unique(held[group], return_counts=True)
        crowded = [c for c, n in zip(classes, size, strict=True) if c >= 0 and n > open_to[c].sum()]
        if crowded:
            rows = list(ids[group[held[group] == crowded[0]]])
            got = f"{len(rows)} accounts for {int(open_to[crowded[0]].sum())} territories"
            remedy = f"Split the group of {shorten(rows, shown=2)}."
            found.add(
                "KeepApart and Within",
                "must leave a territory for each of a group",
                got=got,
                rows=rows,
                remedy=remedy,
                kind="account",
            )
