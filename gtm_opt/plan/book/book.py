"""`Book`: the one record of people and ownership, from which everything else is derived."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Protocol

import pandas as pd

from gtm_opt.assignment import ACTIONS, TIMELINE, Timeline, make_event
from gtm_opt.errors import DataError, Findings
from gtm_opt.plan.book.policy import Policy
from gtm_opt.plan.book.store import Store
from gtm_opt.quota.ledger import MONEY_ACTIONS
from gtm_opt.timeline import Event, Facts, Log

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from gtm_opt.assignment import Action


class Attachment(Protocol):
    """Adds to the events of a commit what else follows from them."""

    def begin(self) -> None:
        """Take up the state of the book, which nobody else can change now."""

    def __call__(self, action: object, event: Event, facts: Facts, recorded: date, found: Findings) -> Event:
        """Return the event of one action with everything attached; ``facts`` hold before it."""

    def finish(self, found: Findings) -> None:
        """Judge the commit as a whole."""


__all__ = ["Book"]


class Book:
    """Everything that happened to people, seats and accounts: written once, never changed.

    Make one with `create`, open one with `open`. Each commit says who, why, and by which rule; it keeps the day from
    which it holds and the day on which it was recorded.

    Parameters
    ----------
    store : Store
    opens : date
        First day of the book.
    policy : Policy
    """

    def __init__(self, store: Store, opens: date, policy: Policy) -> None:
        self._store, self.opens, self.policy = store, opens, policy
        self._log = Log()
        self._facts: Facts | None = None
        self._refresh(store.read())

    @classmethod
    def create(cls, path: str | PathLike[str], *, opens: date, policy: Policy | None = None) -> Book:
        """Make a new book.

        Raises
        ------
        DataError
            The file exists already.
        """
        store = Store(path)
        store.create({"opens": opens.isoformat()})
        return cls(store, opens, policy or Policy())

    @classmethod
    def open(cls, path: str | PathLike[str], *, policy: Policy | None = None, timeout: float = 5.0) -> Book:
        """Open a book.

        Raises
        ------
        DataError
            No book, or a damaged one: what was written does not follow from what was written before.
        """
        store = Store(path, timeout)
        about = store.about()
        book = cls(store, date.fromisoformat(about["opens"]), policy or Policy())
        book.check()
        return book

    @property
    def log(self) -> Log:
        """Every event, as of the last time this object read or wrote the file."""
        return self._log

    @property
    def facts(self) -> Facts:
        """What holds on every day, as far as it is known now."""
        if self._facts is None:
            self._facts = self._log.facts()
        return self._facts

    def preview(self, actions: Action | Sequence[Action], *, day: date | None = None) -> pd.DataFrame:
        """Return what these actions would change; nothing is written.

        Returns
        -------
        DataFrame
            ``relation``, ``subject``, ``first``, ``before``, ``after``: the differences on the first day of each
            change, or on ``day``.
        """
        found = Findings()
        events = self._events(actions, found)
        found.raise_if_any()
        later = self._log.append(events, recorded=self._last_recorded()).facts()
        days = sorted({c.first for e in events for c in e.changes}) if day is None else [day]
        pieces = [_difference(self.facts, later, when, when) for when in days]
        table = (
            pd.concat(pieces, ignore_index=True) if pieces else _difference(self.facts, later, self.opens, self.opens)
        )
        return table.drop_duplicates(["relation", "subject", "before", "after"], ignore_index=True)

    def commit(
        self,
        actions: Action | Sequence[Action],
        *,
        who: str,
        why: str,
        rule: str = "",
        recorded: date | None = None,
        approved_by: str | None = None,
        attach: Attachment | None = None,
    ) -> tuple[int, ...]:
        """Write actions as events, all or none, and return their numbers.

        Parameters
        ----------
        actions : Action or sequence of Action
            Applied one after another.
        who, why : str
            Author and reason.
        rule : str
            The trigger of the policy that allows it.
        recorded : date, optional
            Default: today.
        approved_by : str, optional
        attach : Attachment, optional
            Adds what else follows from the events: `gtm_opt.QuotaBook` adds what they do to quota.

        Raises
        ------
        DataError
            With every finding, and nothing written: unknown people, seats and accounts, dates before the book opens
            or in a closed period, what no rule allows (the nearest is named), another process that writes.
        """
        day = recorded or date.today()
        author = who if approved_by is None else f"{who}, approved by {approved_by}"
        with self._store.writing() as db:
            self._refresh(self._store.newer(db, len(self._log)))
            found = Findings()
            if not who or not why:
                found.add(
                    "who and why", "must not be empty", remedy="A book without authors and reasons proves nothing."
                )
            drafted = self.draft(actions, found, attach, recorded=day)
            events = [replace(e, who=author, why=why, rule=rule) for e in drafted]
            self.policy.judge(events, rule=rule, recorded=day, approved_by=approved_by, found=found)
            found.raise_if_any()
            longer = self._log.append(events, recorded=day)
            fresh = longer.events[len(self._log) :]
            self._store.append(db, fresh)
        self._log, self._facts = longer, None
        return tuple(event.number for event in fresh)

    def undo(self, number: int, *, who: str, why: str, recorded: date | None = None) -> int:
        """Take an event back with a new event; return its number. The undo of an undo restores.

        Raises
        ------
        DataError
            No such event, or undone already; days of the closed period would change.
        """
        day = recorded or date.today()
        with self._store.writing() as db:
            self._refresh(self._store.newer(db, len(self._log)))
            longer = self._log.undo(number, recorded=day, who=who, why=why)
            closed = self.policy.closed_until
            touched = [c.first for c in self._log.events[number - 1].changes]
            if closed is not None and touched and min(touched) <= closed:
                raise DataError(f"event {number} must not be undone: it changes {min(touched)}, closed until {closed}.")
            self._store.append(db, longer.events[len(self._log) :])
        self._log, self._facts = longer, None
        return len(longer)

    def as_of(self, day: date, *, known_on: date | None = None) -> pd.DataFrame:
        """Return what holds on a day, as it was known on another: ``relation, subject, value``."""
        facts = self.facts if known_on is None else self._log.facts(known_on)
        rows = [(r, s, v) for r, held in sorted(facts.as_of(day).items()) for s, v in sorted(held.items())]
        return pd.DataFrame(rows, columns=["relation", "subject", "value"])

    def replay(self) -> Facts:
        """Read the file again from the first event, and return what follows."""
        return Log(tuple(self._store.read())).facts()

    def diff(self, before: date, after: date, *, known_on: date | None = None) -> pd.DataFrame:
        """Return what differs between two days: ``relation, subject, before, after``."""
        facts = self.facts if known_on is None else self._log.facts(known_on)
        return _difference(facts, facts, before, after).drop(columns="first")

    def history(self, subject: str) -> pd.DataFrame:
        """Return every interval of a person, seat or account; see `gtm_opt.timeline.Facts.history`."""
        return self.facts.history(subject)

    @property
    def events(self) -> pd.DataFrame:
        """One row per event: number, kind, effective, recorded, undoes, who, why, rule, changes (their number)."""
        names = ["number", "kind", "effective", "recorded", "undoes", "who", "why", "rule"]
        rows = [(*(getattr(e, n) for n in names), len(e.changes)) for e in self._log]
        return pd.DataFrame(rows, columns=[*names, "changes"])

    def timeline(self, *, effective: date | None = None, until: date | None = None) -> Timeline:
        """Return who owns which seat and account on which days, with employment, for proof, capacity and quotas."""
        return _timeline(self.facts, effective or self.opens, until)

    def check(self) -> None:
        """Recompute the chain of hashes.

        Raises
        ------
        DataError
            Names the first event that does not follow from those before it.
        """
        broken = self._store.broken_at()
        if broken is not None:
            raise DataError(
                f"the book '{self._store.path}' was changed from outside: event {broken} does not follow from those "
                f"before it. Restore the file from a copy."
            )

    def __len__(self) -> int:
        return len(self._log)

    def __repr__(self) -> str:
        return f"Book: {len(self)} events since {self.opens}"

    def _last_recorded(self) -> date:
        last = self._log.events[-1].recorded if len(self._log) else None
        return last or self.opens

    def _refresh(self, events: Sequence[Event]) -> None:
        if events:
            self._log, self._facts = Log((*self._log.events, *events)), None

    def draft(
        self,
        actions: object,
        found: Findings,
        attach: Attachment | None = None,
        *,
        recorded: date | None = None,
    ) -> list[Event]:
        """Make events of actions, each of what holds after those before it; nothing is written."""
        if attach is not None:
            attach.begin()
        events = self._events(actions, found, attach, recorded or self._last_recorded())
        if attach is not None and not found:
            attach.finish(found)
        return events

    def refresh(self) -> None:
        """Read what other processes wrote since this object last read or wrote the file."""
        self._refresh(self._store.read(len(self._log)))

    def reread(self) -> Log:
        """Return the log as the file has it."""
        return Log(tuple(self._store.read()))

    def _events(
        self, actions: object, found: Findings, attach: Attachment | None = None, recorded: date | None = None
    ) -> list[Event]:
        """Make events of actions, each of what holds after those before it."""
        listed = list(actions) if isinstance(actions, list | tuple) else [actions]
        events: list[Event] = []
        facts, log = self.facts, self._log
        for at, action in enumerate(listed):
            if isinstance(action, ACTIONS):
                event = make_event(action, facts, found)  # type: ignore[arg-type]
            elif attach is None or not isinstance(action, MONEY_ACTIONS):
                found.add(
                    type(action).__name__, "must be an action of people, seats or accounts",
                    remedy="Actions that move quota are committed with QuotaBook.commit.",
                )  # fmt: skip
                continue
            else:
                day: date = getattr(action, "first" if hasattr(action, "first") else "last")
                event = Event(type(action).__name__, day)
            if attach is not None:
                event = attach(action, event, facts, recorded or self._last_recorded(), found)
            early = [day for day in (event.effective, *(c.first for c in event.changes)) if day < self.opens]
            if early:
                found.add(event.kind, "must not lie before the book opens", got=f"{min(early)}, opens {self.opens}")
            events.append(event)
            wrong = any(c.last is not None and c.last < c.first for c in event.changes)
            if wrong:
                found.add(event.kind, "must not end before it begins", got=str(action))
            elif at + 1 < len(listed):
                log = log.append([event], recorded=self._last_recorded())
                facts = log.facts()
        return events


def _difference(one: Facts, two: Facts, first: date, second: date) -> pd.DataFrame:
    before, after = one.as_of(first), two.as_of(second)
    rows = []
    for relation in sorted({*before, *after}):
        old, new = before.get(relation, {}), after.get(relation, {})
        for subject in sorted({*old, *new}):
            if old.get(subject) != new.get(subject):
                rows.append((relation, subject, second, old.get(subject), new.get(subject)))
    return pd.DataFrame(rows, columns=["relation", "subject", "first", "before", "after"], dtype=object)


def _timeline(facts: Facts, effective: date, until: date | None) -> Timeline:
    table = facts.table
    by_kind = {relation: rows for relation, rows in table.groupby("relation")}
    nothing = table.iloc[:0]
    pieces = []
    for relation, kind in (("owner of seat", "owner"), ("cover of seat", "interim")):
        rows = by_kind.get(relation, nothing)
        piece = pd.DataFrame({"what": "seat", "id": rows["subject"], "rep_id": rows["value"], "first": rows["first"]})
        pieces.append(piece.assign(last=rows["last"], share=1.0, kind=kind, reason=""))
    seats = pd.concat(pieces, ignore_index=True)
    held = by_kind.get("seat of account", nothing).rename(columns={"subject": "account", "value": "id"})
    both = held[["account", "id", "first", "last"]].merge(seats, on="id", suffixes=("", "_seat"))
    both["first"] = both[["first", "first_seat"]].max(axis=1)
    both["last"] = both[["last", "last_seat"]].min(axis=1)
    both = both[~(both["last"] < both["first"])].assign(what="account", id=lambda t: t["account"])
    people = _existing(by_kind.get("employed", nothing), "person").set_index("id")
    people = people.rename(columns={"first": "start_date", "last": "end_date"}).drop(columns="what")
    exists = [
        _existing(by_kind.get(relation, nothing), what)
        for relation, what in (("open seat", "seat"), ("seat of account", "account"))
    ]
    subjects = pd.concat(exists, ignore_index=True)
    rows = pd.concat([seats[[*TIMELINE]], both[[*TIMELINE]]], ignore_index=True)
    end = None if until is None else pd.Timestamp(until)
    return Timeline(rows, people.rename_axis("rep_id"), subjects, pd.Timestamp(effective), end)


def _existing(rows: pd.DataFrame, what: str) -> pd.DataFrame:
    """Return the first and last day of each subject (NaT: open): what, id, first, last."""
    by_subject = rows.groupby("subject", sort=True)
    table = by_subject.agg(first=("first", "min"), last=("last", "max"))
    open_start = rows["first"].isna().groupby(rows["subject"]).any()
    open_end = rows["last"].isna().groupby(rows["subject"]).any()
    table["first"] = pd.to_datetime(table["first"]).mask(open_start)
    table["last"] = pd.to_datetime(table["last"]).mask(open_end)
    return table.rename_axis("id").reset_index().assign(what=what)[["what", "id", "first", "last"]]
