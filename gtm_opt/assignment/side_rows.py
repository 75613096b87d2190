"""Rules about people as eligibility, fixed pairs, and rows of the matching."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.assignment.candidates import SideRow
from gtm_opt.assignment.preferences import Span
from gtm_opt.model.rules import Forbid, KeepApart, KeepTogether, MaxMoved, Pin, Within
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gtm_opt.assignment.candidates import Candidates
    from gtm_opt.assignment.inputs import Request
    from gtm_opt.errors import Findings

    StaffingRule = Forbid | Pin | Within | MaxMoved | KeepApart | KeepTogether | Span

__all__ = ["PeopleRules", "add_rows", "read_rules"]


@dataclass(frozen=True, eq=False)
class PeopleRules:
    """Rules as read.

    Attributes
    ----------
    forbidden : ndarray of bool, shape (n_seats, n_people)
    pins : dict of int to int
        Seat to person.
    managers : dict of str to str
        Manager of each seat.
    sided : tuple
        Rules that become rows.
    """

    forbidden: NDArray[np.bool_]
    pins: dict[int, int] = field(default_factory=dict)
    managers: dict[str, str] = field(default_factory=dict)
    sided: tuple[MaxMoved | KeepApart | KeepTogether | Span, ...] = ()


def read_rules(
    ask: Request, rules: Sequence[StaffingRule], managers: Mapping[str, str] | None, found: Findings
) -> PeopleRules:
    """Read rules; findings are recorded."""
    forbidden = np.zeros(ask.forbidden.shape, dtype=bool)
    pins: dict[int, int] = {}
    sided: list[MaxMoved | KeepApart | KeepTogether | Span] = []
    seat_at, person_at = ({n: i for i, n in enumerate(names)} for names in (ask.seats, ask.people))
    for rule in rules:
        if isinstance(rule, Forbid):
            for who, seat in rule.pairs:
                for person in _people_of(ask, str(who), rule.by, found):
                    if _known(seat, seat_at, "Forbid", found):
                        forbidden[seat_at[seat], person] = True
        elif isinstance(rule, Within):
            _within(ask, rule, seat_at, forbidden, found)
        elif isinstance(rule, Pin):
            for rep, seat in rule.accounts.items():
                if rep not in person_at:
                    found.add("Pin", "must name reps who stay", got=f"'{rep}'", remedy=did_you_mean(rep, ask.people))
                elif _known(seat, seat_at, "Pin", found):
                    pins[seat_at[seat]] = person_at[rep]
        elif isinstance(rule, MaxMoved | KeepApart | KeepTogether | Span):
            if managers is None and not isinstance(rule, MaxMoved):
                found.add(rule.name, "needs `managers`", remedy="Pass the manager of each territory.")
            if isinstance(rule, KeepApart):
                strange = [rep for group in rule.groups for rep in group if rep not in ask.reps.index]
                if strange:
                    remedy = did_you_mean(strange[0], ask.reps.index)
                    found.add("KeepApart", "must name known reps", rows=strange, kind="rep", remedy=remedy)
            if isinstance(rule, KeepTogether) and rule.column not in ask.reps.columns:
                remedy = did_you_mean(rule.column, ask.reps.columns)
                found.add("KeepTogether", "must name a column of the reps", got=f"'{rule.column}'", remedy=remedy)
            sided.append(rule)
        else:
            names = "Forbid, Pin, Within, MaxMoved, KeepApart, KeepTogether, Span"
            found.add("rules", f"must hold rules of {names}", got=type(rule).__name__)
    clash = [ask.seats[s] for s, p in pins.items() if forbidden[s, p] or ask.forbidden[s, p]]
    if clash:
        found.add("Pin", "must not contradict other rules", rows=clash, kind="territory", remedy="Drop one of the two.")
    twice = [ask.people[p] for p in set(pins.values()) if list(pins.values()).count(p) > 1]
    if twice:
        found.add("Pin", "must seat a rep once", rows=sorted(twice), kind="rep")
    strange = [s for s in (managers or {}) if s not in seat_at]
    if strange:
        found.add("managers", "must name known territories", rows=strange, remedy=did_you_mean(strange[0], ask.seats))
    return PeopleRules(forbidden, pins, dict(managers or {}), tuple(sided))


def add_rows(problem: Candidates, ask: Request, rules: PeopleRules, present: NDArray[np.int64]) -> Candidates:
    """Return the problem with one group of rows per rule."""
    seat_manager = [rules.managers.get(name) for name in problem.seats]
    names = sorted({m for m in seat_manager if m is not None})
    manager_of = np.array([-1 if m is None else names.index(m) for m in seat_manager], dtype=np.int64)
    person_at = {n: i for i, n in enumerate(problem.people)}
    rows: list[SideRow] = []
    for rule in rules.sided:
        if isinstance(rule, MaxMoved):
            stays = np.flatnonzero(present[problem.person] == problem.seat)
            seated = int((present >= 0).sum())
            least = seated - int(np.floor(rule.share * seated + 1e-9))
            if least > 0:
                rows.append(SideRow(_moved_name(rule), stays, np.ones(len(stays)), low=float(least)))
        elif isinstance(rule, Span):
            for manager in range(len(names)):
                mine = np.flatnonzero(manager_of[problem.seat] == manager)
                rows.append(SideRow(rule.name, mine, np.ones(len(mine)), high=float(rule.most)))
        elif isinstance(rule, KeepApart):
            for group in rule.groups:
                members = [person_at[r] for r in group if r in person_at]
                for manager in range(len(names)):
                    mine = np.flatnonzero((manager_of[problem.seat] == manager) & np.isin(problem.person, members))
                    label = f"{rule.name}: {', '.join(group)}"
                    rows.append(SideRow(label, mine, np.ones(len(mine)), high=1.0))
        else:
            rows += _together(problem, ask, rule, manager_of, len(names))
    return replace(problem, rows=tuple(rows))


def _moved_name(rule: MaxMoved) -> str:
    return f"at most {rule.share:.0%} of the reps moved"


def _together(
    problem: Candidates, ask: Request, rule: KeepTogether, manager_of: NDArray[np.int64], count: int
) -> list[SideRow]:
    groups: dict[str, list[int]] = {}
    blank = ask.reps[rule.column].reindex(list(problem.people)).isna().to_numpy()
    for at, rep in enumerate(problem.people):
        if not blank[at]:
            groups.setdefault(str(ask.reps.at[rep, rule.column]), []).append(at)
    rows = []
    for members in groups.values():
        for other in members[1:]:
            for manager in range(count):
                here = manager_of[problem.seat] == manager
                one = np.flatnonzero(here & (problem.person == members[0]))
                two = np.flatnonzero(here & (problem.person == other))
                signs = np.concatenate([np.ones(len(one)), -np.ones(len(two))])
                rows.append(SideRow(rule.name, np.concatenate([one, two]), signs, 0.0, 0.0))
    return rows


def _known(seat: str, seat_at: Mapping[str, int], where: str, found: Findings) -> bool:
    if seat not in seat_at:
        found.add(where, "must name known territories", got=f"'{seat}'", remedy=did_you_mean(seat, seat_at))
    return seat in seat_at


def _people_of(ask: Request, who: str, by: str | None, found: Findings) -> list[int]:
    if by is None:
        if who not in ask.reps.index:
            found.add("Forbid", "must name known reps", got=f"'{who}'", remedy=did_you_mean(who, ask.reps.index))
        return [ask.people.index(who)] if who in ask.people else []
    if by not in ask.reps.columns:
        found.add("Forbid by", "must be a column of the reps", got=f"'{by}'", remedy=did_you_mean(by, ask.reps.columns))
        return []
    values = ask.reps.loc[ask.people, by].astype(str)
    return np.flatnonzero(values == who).tolist()


def _within(
    ask: Request, rule: Within, seat_at: Mapping[str, int], forbidden: NDArray[np.bool_], found: Findings
) -> None:
    if rule.by not in ask.reps.columns:
        remedy = did_you_mean(rule.by, ask.reps.columns)
        found.add("Within", "must name a column of the reps", got=f"'{rule.by}'", remedy=remedy)
        return
    values = ask.reps.loc[ask.people, rule.by].astype(str).to_numpy()
    for group, team in rule.teams.items():
        mine = np.flatnonzero(values == group)
        inside = [seat_at[s] for s in team if _known(s, seat_at, "Within", found)]
        outside = np.setdiff1d(np.arange(len(ask.seats)), inside)
        forbidden[np.ix_(outside, mine)] = True
