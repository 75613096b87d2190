"""What happens to people, seats and accounts, as events: pure functions of what holds before."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from gtm_opt.model.tables import did_you_mean
from gtm_opt.timeline import Change, Event

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gtm_opt.errors import Findings
    from gtm_opt.timeline import Facts

__all__ = [
    "ACTIONS",
    "AccountsMoved",
    "Action",
    "Correction",
    "CoverBegun",
    "CoverEnded",
    "Exit",
    "Hire",
    "Leave",
    "ManagerChanged",
    "Promotion",
    "SeatClosed",
    "SeatFilled",
    "SeatOpened",
    "SeatSplit",
    "SeatsMerged",
    "StartMoved",
    "make_event",
]

EMPLOYED, ROLE, MANAGER, LEAVE = "employed", "role", "manager", "leave"
OPEN, OWNER, COVER, SEAT = "open seat", "owner of seat", "cover of seat", "seat of account"
RELATIONS = (EMPLOYED, ROLE, MANAGER, LEAVE, OPEN, OWNER, COVER, SEAT)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Hire:
    """Somebody starts, in a seat or without one."""

    rep_id: str
    first: date
    seat_id: str | None = None
    role: str | None = None
    manager_id: str | None = None


@dataclass(frozen=True)
class StartMoved:
    """Somebody starts on another day than was planned; the seat waits, or is filled earlier."""

    rep_id: str
    first: date


@dataclass(frozen=True)
class Exit:
    """Somebody leaves; the seats are vacant from the next day on."""

    rep_id: str
    last: date


@dataclass(frozen=True)
class Leave:
    """Somebody is absent from ``first`` to ``last`` and stays the owner."""

    rep_id: str
    first: date
    last: date


@dataclass(frozen=True)
class SeatFilled:
    """Somebody takes over a seat and leaves the one held before: a transfer."""

    rep_id: str
    seat_id: str
    first: date


@dataclass(frozen=True)
class Promotion:
    """Somebody takes another role and leaves the seat, which opens a vacancy."""

    rep_id: str
    role: str
    first: date


@dataclass(frozen=True)
class ManagerChanged:
    """Somebody reports to another manager."""

    rep_id: str
    manager_id: str
    first: date


@dataclass(frozen=True)
class SeatOpened:
    """A seat exists from a day on."""

    seat_id: str
    first: date


@dataclass(frozen=True)
class SeatClosed:
    """A seat ends; its accounts go to other seats (``moves``: account to seat)."""

    seat_id: str
    last: date
    moves: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SeatSplit:
    """A new seat takes some of the accounts of an open one."""

    seat_id: str
    new_seat_id: str
    accounts: tuple[str, ...]
    first: date


@dataclass(frozen=True)
class SeatsMerged:
    """A seat ends and all its accounts go to another one."""

    seat_id: str
    into: str
    first: date


@dataclass(frozen=True)
class AccountsMoved:
    """Accounts go to other seats: account to seat."""

    moves: Mapping[str, str]
    first: date


@dataclass(frozen=True)
class CoverBegun:
    """Somebody looks after an empty seat; without ``last`` until the cover is ended."""

    rep_id: str
    seat_id: str
    first: date
    last: date | None = None


@dataclass(frozen=True)
class CoverEnded:
    """Nobody covers a seat from the day after ``last`` on."""

    seat_id: str
    last: date


@dataclass(frozen=True)
class Correction:
    """A statement of any kind is set right, in the past as well."""

    relation: str
    subject: str
    first: date
    last: date | None = None
    value: str | None = None


Action = (
    Hire
    | StartMoved
    | Exit
    | Leave
    | SeatFilled
    | Promotion
    | ManagerChanged
    | SeatOpened
    | SeatClosed
    | SeatSplit
    | SeatsMerged
    | AccountsMoved
    | CoverBegun
    | CoverEnded
    | Correction
)
ACTIONS: tuple[type, ...] = (
    *(Hire, StartMoved, Exit, Leave, SeatFilled, Promotion, ManagerChanged, SeatOpened, SeatClosed, SeatSplit),
    *(SeatsMerged, AccountsMoved, CoverBegun, CoverEnded, Correction),
)


class _State:
    """What holds on single days, asked of the facts, with findings for what is not known."""

    def __init__(self, facts: Facts, where: str, found: Findings) -> None:
        self.facts, self.where, self.found = facts, where, found

    def held(self, relation: str, day: date) -> dict[str, object]:
        return self.facts.held(relation, day)

    def person(self, rep_id: str, first: date, last: date | None = None) -> None:
        """Record a finding unless somebody is employed on the first and the last of these days."""
        stints = self.facts.history(rep_id, EMPLOYED)
        if stints.empty:
            known = [s for r, s in self.facts.keys if r == EMPLOYED]
            remedy = did_you_mean(rep_id, known)
            self.found.add(self.where, "must name a known person", got=f"'{rep_id}'", remedy=remedy)
            return
        for day in (first, last):
            if day is not None and rep_id not in self.held(EMPLOYED, day):
                self.found.add(self.where, "must name a person employed on that day", got=f"'{rep_id}' on {day}")

    def seat(self, seat_id: str, day: date) -> None:
        if seat_id not in self.held(OPEN, day):
            known = self.held(OPEN, day)
            got = f"'{seat_id}' on {day}"
            self.found.add(self.where, "must name an open seat", got=got, remedy=did_you_mean(seat_id, known))

    def accounts(self, names: object, day: date) -> None:
        known = self.held(SEAT, day)
        strange = [a for a in names if a not in known]  # type: ignore[attr-defined]
        if strange and known:
            remedy = did_you_mean(strange[0], known)
            self.found.add(self.where, "must name known accounts", rows=strange, kind="account", remedy=remedy)

    def seats_of(self, rep_id: str, day: date) -> list[str]:
        return sorted(seat for seat, rep in self.held(OWNER, day).items() if rep == rep_id)

    def vacate(self, rep_id: str, first: date, found_on: date) -> list[Change]:
        return [Change(OWNER, seat, first) for seat in self.seats_of(rep_id, found_on)]


def make_event(action: Action, facts: Facts, found: Findings) -> Event:
    """Return the event of an action, given what holds before; findings are recorded.

    Parameters
    ----------
    action : Action
    facts : Facts
        Everything that holds, from all events before.
    found : Findings
    """
    where = f"{type(action).__name__}"
    state = _State(facts, where, found)
    first, changes = _changes(action, state)
    return Event(where, first, tuple(changes))


def _changes(action: Action, state: _State) -> tuple[date, list[Change]]:
    if isinstance(action, Hire | StartMoved | Exit | Leave | Promotion | ManagerChanged):
        return _of_people(action, state)
    if isinstance(action, SeatFilled | CoverBegun | CoverEnded):
        return _of_holders(action, state)
    if isinstance(action, Correction):
        if action.relation not in RELATIONS:
            remedy = did_you_mean(action.relation, RELATIONS)
            state.found.add(state.where, "must name a known relation", got=f"'{action.relation}'", remedy=remedy)
        return action.first, [Change(action.relation, action.subject, action.first, action.last, action.value)]
    return _of_seats(action, state)


def _of_people(
    action: Hire | StartMoved | Exit | Leave | Promotion | ManagerChanged, state: _State
) -> tuple[date, list[Change]]:
    rep = action.rep_id
    if isinstance(action, Hire):
        if not state.facts.history(rep, EMPLOYED).empty and rep in state.held(EMPLOYED, action.first):
            state.found.add(state.where, "must name somebody who is not employed yet", got=f"'{rep}'")
        changes = [Change(EMPLOYED, rep, action.first, None, True)]
        if action.seat_id is not None:
            state.seat(action.seat_id, action.first)
            changes.append(Change(OWNER, action.seat_id, action.first, None, rep))
            changes.append(Change(COVER, action.seat_id, action.first))
        if action.role is not None:
            changes.append(Change(ROLE, rep, action.first, None, action.role))
        if action.manager_id is not None:
            changes += _manager(rep, action.manager_id, action.first, state)
        return action.first, changes
    if isinstance(action, StartMoved):
        return action.first, _moved_start(rep, action.first, state)
    if isinstance(action, Exit):
        state.person(rep, action.last)
        after = action.last + _DAY
        covers = [Change(COVER, s, after) for s, who in state.held(COVER, after).items() if who == rep]
        return after, [Change(EMPLOYED, rep, after), *state.vacate(rep, after, action.last), *covers]
    state.person(rep, action.first)
    if isinstance(action, Leave):
        return action.first, [Change(LEAVE, rep, action.first, action.last, True)]
    if isinstance(action, Promotion):
        moved = state.vacate(rep, action.first, action.first)
        return action.first, [Change(ROLE, rep, action.first, None, action.role), *moved]
    return action.first, _manager(rep, action.manager_id, action.first, state)


def _moved_start(rep: str, first: date, state: _State) -> list[Change]:
    stints = state.facts.history(rep, EMPLOYED)
    if stints.empty:
        state.person(rep, first)
        return []
    planned = stints["first"].iloc[-1].date()
    seats = state.seats_of(rep, planned)
    changes = [Change(EMPLOYED, rep, first, None, True)]
    changes += [Change(OWNER, seat, first, None, rep) for seat in seats]
    if planned < first:
        changes.append(Change(EMPLOYED, rep, planned, first - _DAY))
        changes += [Change(OWNER, seat, planned, first - _DAY) for seat in seats]
    return changes


def _manager(rep: str, manager: str, first: date, state: _State) -> list[Change]:
    """Return the change of manager, unless somebody would report to himself, directly or through others."""
    above, seen = manager, [rep]
    held = state.held(MANAGER, first)
    while above is not None:
        if above in seen:
            got = " reports to ".join([*seen, above])
            state.found.add(state.where, "must not let anybody report to himself", got=got)
            break
        seen.append(above)
        above = held.get(above)  # type: ignore[assignment]
    return [Change(MANAGER, rep, first, None, manager)]


def _of_holders(action: SeatFilled | CoverBegun | CoverEnded, state: _State) -> tuple[date, list[Change]]:
    if isinstance(action, CoverEnded):
        return action.last + _DAY, [Change(COVER, action.seat_id, action.last + _DAY)]
    state.seat(action.seat_id, action.first)
    if isinstance(action, SeatFilled):
        state.person(action.rep_id, action.first)
        left = [c for c in state.vacate(action.rep_id, action.first, action.first) if c.subject != action.seat_id]
        taken = Change(OWNER, action.seat_id, action.first, None, action.rep_id)
        return action.first, [*left, taken, Change(COVER, action.seat_id, action.first)]
    state.person(action.rep_id, action.first, action.last)
    if action.last is None:
        gone = state.facts.history(action.rep_id, EMPLOYED)["last"]
        if len(gone) and gone.iloc[-1] == gone.iloc[-1]:
            got = f"'{action.rep_id}', who leaves {gone.iloc[-1]:%Y-%m-%d}"
            remedy = "Give the cover a last day, and the rest to somebody else."
            state.found.add(state.where, "must end before the person leaves", got=got, remedy=remedy)
    return action.first, [Change(COVER, action.seat_id, action.first, action.last, action.rep_id)]


def _of_seats(
    action: SeatOpened | SeatClosed | SeatSplit | SeatsMerged | AccountsMoved, state: _State
) -> tuple[date, list[Change]]:
    if isinstance(action, SeatOpened):
        if action.seat_id in state.held(OPEN, action.first):
            state.found.add(state.where, "must name a seat that is not open yet", got=f"'{action.seat_id}'")
        return action.first, [Change(OPEN, action.seat_id, action.first, None, True)]
    if isinstance(action, AccountsMoved):
        return action.first, _moves(action.moves, action.first, state)
    if isinstance(action, SeatClosed):
        state.seat(action.seat_id, action.last)
        after = action.last + _DAY
        inside = sorted(a for a, s in state.held(SEAT, after).items() if s == action.seat_id)
        left = [a for a in inside if action.moves.get(a, action.seat_id) == action.seat_id]
        if left:
            remedy = "Give every account another seat in `moves`."
            state.found.add(state.where, "must leave no account behind", rows=left, kind="account", remedy=remedy)
        return after, [*_moves(action.moves, after, state), *_close(action.seat_id, after)]
    state.seat(action.seat_id, action.first)
    if isinstance(action, SeatSplit):
        held = state.held(SEAT, action.first)
        strange = [a for a in action.accounts if held.get(a) != action.seat_id]
        if strange:
            state.found.add(state.where, f"must take accounts of '{action.seat_id}'", rows=strange, kind="account")
        if action.new_seat_id in state.held(OPEN, action.first):
            state.found.add(state.where, "must open a new seat", got=f"'{action.new_seat_id}'")
        opened = Change(OPEN, action.new_seat_id, action.first, None, True)
        moved = [Change(SEAT, a, action.first, None, action.new_seat_id) for a in sorted(action.accounts)]
        return action.first, [opened, *moved]
    state.seat(action.into, action.first)
    inside = sorted(a for a, s in state.held(SEAT, action.first).items() if s == action.seat_id)
    moved = [Change(SEAT, a, action.first, None, action.into) for a in inside]
    return action.first, [*moved, *_close(action.seat_id, action.first)]


def _moves(moves: Mapping[str, str], first: date, state: _State) -> list[Change]:
    for seat in sorted(set(moves.values())):
        state.seat(seat, first)
    state.accounts(sorted(moves), first)
    return [Change(SEAT, account, first, None, seat) for account, seat in sorted(moves.items())]


def _close(seat: str, first: date) -> list[Change]:
    return [Change(OPEN, seat, first), Change(OWNER, seat, first), Change(COVER, seat, first)]
