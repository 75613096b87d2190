"""Events: what was decided, from which day it holds, and when it was written down."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import DataError, Findings
from gtm_opt.timeline.facts import Facts
from gtm_opt.timeline.paint import latest_by_day

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

__all__ = ["Change", "Event", "Log"]


@dataclass(frozen=True, slots=True)
class Change:
    """One statement: what holds for a subject on some days.

    Attributes
    ----------
    relation : str
        What it is about: "owner of a seat", say.
    subject : str
        Whose.
    first : date
    last : date, optional
        Inclusive; None: until something later says otherwise.
    value : object
        Anything hashable that JSON can hold; None: nothing holds.
    """

    relation: str
    subject: str
    first: date
    last: date | None = None
    value: object = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was decided, with everything it changes.

    Attributes
    ----------
    kind : str
    effective : date
        Day from which it holds.
    changes : tuple of Change
    recorded : date, optional
        Day on which it was written down; a log fills it in.
    number : int
        Place in the log, from 1 on; 0: not in a log yet.
    undoes : int, optional
        Number of the event that is taken back; such an event has no changes of its own.
    who, why, rule : str
        Author, reason, and the rule that allows it.
    """

    kind: str
    effective: date
    changes: tuple[Change, ...] = ()
    recorded: date | None = None
    number: int = 0
    undoes: int | None = None
    who: str = ""
    why: str = ""
    rule: str = ""


@dataclass(frozen=True, eq=False)
class Log:
    """An append-only list of events, and what follows from it.

    Two times are kept apart: the day on which something holds (``effective``) and the day on which it was written
    down (``recorded``). `facts` answers "what was known on that day", `Facts.as_of` "what held on that day".

    Parameters
    ----------
    events : tuple of Event
        Numbered 1, 2, ... in the order in which they were recorded.

    Examples
    --------
    >>> from datetime import date
    >>> seat = Change("owner", "S-1", date(2027, 1, 1), value="Ana")
    >>> log = Log().append([Event("hire", date(2027, 1, 1), (seat,))], recorded=date(2026, 12, 1))
    >>> moved = Change("owner", "S-1", date(2027, 7, 1), value="Jo")
    >>> log = log.append([Event("transfer", date(2027, 7, 1), (moved,))], recorded=date(2027, 6, 1))
    >>> log.facts().as_of(date(2027, 6, 30))["owner"]["S-1"], log.facts().as_of(date(2027, 7, 1))["owner"]["S-1"]
    ('Ana', 'Jo')
    """

    events: tuple[Event, ...] = ()

    def __len__(self) -> int:
        return len(self.events)

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def append(self, events: Iterable[Event], *, recorded: date) -> Log:
        """Return the log with further events, numbered and recorded on one day.

        Raises
        ------
        DataError
            With every finding: recorded before the last event, dates reversed, an undo of an event that does not
            exist or is undone already.
        """
        found = Findings()
        if self.events and self.events[-1].recorded is not None and recorded < self.events[-1].recorded:
            got = f"{recorded} after {self.events[-1].recorded}"
            found.add("recorded", "must not lie before the last event of the log", got=got)
        fresh = []
        active = self._active(self.events)
        for at, event in enumerate(events):
            number = len(self.events) + at + 1
            is_right = _check_event(event, number, active, found)
            fresh.append(replace(event, number=number, recorded=recorded, undoes=event.undoes if is_right else None))
            active.append(True)
            if is_right and event.undoes is not None:
                active = self._active([*self.events, *fresh])
        found.raise_if_any()
        return Log((*self.events, *fresh))

    def undo(self, number: int, *, recorded: date, who: str = "", why: str = "") -> Log:
        """Return the log with an event that takes another one back; the undo of an undo restores it."""
        if not 1 <= number <= len(self.events):
            raise DataError(f"`number` must be that of an event, 1 to {len(self.events)}, got {number}.")
        back = Event("undo", self.events[number - 1].effective, undoes=number, who=who, why=why)
        return self.append([back], recorded=recorded)

    def known(self, on: date | None = None) -> tuple[Event, ...]:
        """Return the events in force that were recorded up to a day: without what was undone by then."""
        seen = [e for e in self.events if on is None or e.recorded is None or e.recorded <= on]
        return tuple(e for e, holds in zip(seen, self._active(seen), strict=True) if holds and e.undoes is None)

    def facts(self, known_on: date | None = None) -> Facts:
        """Return what holds on every day, as far as it was known on ``known_on`` (default: today's log).

        Of two changes of one relation and subject that cover the same day the one recorded later holds.
        """
        return facts_of(self.known(known_on))

    @staticmethod
    def _active(events: Iterable[Event]) -> list[bool]:
        listed = list(events)
        holds = [True] * len(listed)
        for at in range(len(listed) - 1, -1, -1):
            undone = listed[at].undoes
            if holds[at] and undone is not None:
                holds[undone - 1] = False
        return holds


def facts_of(events: Iterable[Event]) -> Facts:
    """Apply events one after another: the replay."""
    changes = [c for event in events for c in event.changes]
    places: dict[tuple[str, str], int] = {}
    key = np.fromiter((places.setdefault((c.relation, c.subject), len(places)) for c in changes), np.int64)
    first = np.array([c.first for c in changes], dtype="datetime64[D]")
    last = np.array([c.last for c in changes], dtype="datetime64[D]")
    source, since, until = latest_by_day(key, first, last, np.arange(len(changes), dtype=np.int64))
    values = np.empty(len(changes), dtype=object)
    values[:] = [c.value for c in changes]
    held = np.array([values[s] is not None for s in source], dtype=bool)
    return Facts(tuple(places), key[source][held], since[held], until[held], values[source][held])


def _check_event(event: Event, number: int, active: list[bool], found: Findings) -> bool:
    """Record what is wrong with an event; return whether it can be applied."""
    where = f"event {number} ({event.kind})"
    for change in event.changes:
        if change.last is not None and change.last < change.first:
            got = f"{change.first} to {change.last} for {change.relation} of {change.subject}"
            found.add(where, "must not end before it begins", got=got)
    if event.undoes is None:
        return True
    if event.changes:
        found.add(where, "must not change anything beside undoing", remedy="Record two events.")
    if not 1 <= event.undoes <= len(active):
        found.add(where, f"must undo an earlier event, 1 to {len(active)}", got=str(event.undoes))
        return False
    if not active[event.undoes - 1]:
        found.add(where, "must not undo what is undone already", got=f"event {event.undoes}")
        return False
    return True
