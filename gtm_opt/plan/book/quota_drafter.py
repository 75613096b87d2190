"""Postings attached to events while the book makes them, and the quotas that follow from the book."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gtm_opt.plan.book.quota_checks import payload_of
from gtm_opt.quota.ledger import RELATION, Balances, Payload, Poster, QuotaOpened
from gtm_opt.timeline import Change

if TYPE_CHECKING:
    from datetime import date

    from gtm_opt.errors import Findings
    from gtm_opt.plan.book.book import Book
    from gtm_opt.quota.ledger import QuotaPolicy, Year
    from gtm_opt.timeline import Event, Facts

__all__ = ["Drafter", "QuotaState"]

CENTS = 100


class QuotaState:
    """Balances, year, closed periods and targets of accounts, as they follow from the events of a book.

    Parameters
    ----------
    book : Book
    """

    def __init__(self, book: Book) -> None:
        self.book = book
        self.balances, self.postings = Balances(0), 0
        self.year: Year | None = None
        self.frozen: date | None = None
        self.accounts: dict[str, int] = {}
        self._seen = 0
        self.follow()

    def follow(self) -> None:
        """Apply what was added to the book since the last time."""
        events = self.book.log.events
        if any(event.undoes is not None for event in events[self._seen :]):
            self._forget()
        known = {event.number for event in self.book.log.known()}
        for event in events[self._seen :]:
            payload = payload_of(event) if event.number in known else None
            if payload is None:
                continue
            if payload.year is not None:
                self.year, self.accounts = payload.year, dict(payload.accounts)
                self.balances = Balances(len(payload.year))
            self.frozen = payload.frozen or self.frozen
            self.postings += 1
            payload.apply(self.balances)
        self._seen = len(events)

    def _forget(self) -> None:
        self.balances, self._seen, self.postings = Balances(0), 0, 0
        self.year, self.frozen, self.accounts = None, None, {}


class Drafter:
    """Attaches postings to the events of one commit or preview; called once per action, in order.

    Attributes
    ----------
    balances : Balances
        After the actions so far.
    reason : dict of str to str
        Kind of the first action that touched a node.
    moved : int
        Hundredths moved by all actions so far.
    """

    def __init__(
        self, state: QuotaState, policy: QuotaPolicy, approved_by: str | None = None, *, is_preview: bool = False
    ) -> None:
        self.state, self.policy, self.approved_by, self.is_preview = state, policy, approved_by, is_preview
        self.balances = Balances(0)
        self.frozen: date | None = None
        self.reason: dict[str, str] = {}
        self.moved = 0
        self._serial = 0

    def begin(self) -> None:
        """Take up the state of the book, once it is locked."""
        self.state.follow()
        self.balances, self.frozen = self.state.balances.copy(), self.state.frozen
        # undone postings keep their numbers
        self._serial = len(self.state.book.log)

    def __call__(self, action: object, event: Event, facts: Facts, recorded: date, found: Findings) -> Event:
        """Return the event with its postings."""
        self._serial += 1
        if isinstance(action, QuotaOpened):
            payload = Payload.from_text(action.payload)
            self.balances = Balances(0 if payload.year is None else len(payload.year))
        elif self.state.year is None:
            found.add(event.kind, "needs quotas in the book", remedy="Begin with QuotaBook.start(book, quotas, ...).")
            return event
        else:
            state = self.state
            poster = Poster(self.balances, self.state.year, self.policy, state.accounts, self.frozen, facts, found)
            payload = poster.post(action)
        if found or not (payload.entries or payload.nodes or payload.frozen or payload.year):
            return event
        payload.apply(self.balances)
        self.frozen = payload.frozen or self.frozen
        for entry in payload.entries:
            for node in self.balances.path(entry.node) if entry.node else ():
                self.reason.setdefault(node, event.kind)
        if payload.year is None:
            self.moved += sum(abs(e.amount) for e in payload.entries) // 2
        # booked on the day it is written down, or takes effect, whichever is later: nothing before that changes
        booked = max(recorded, event.effective)
        change = Change(RELATION, f"event {self._serial}", booked, None, payload.to_text())
        return replace(event, changes=(*event.changes, change))

    def finish(self, found: Findings) -> None:
        """Record what the policy says to the amount moved in all."""
        if not self.is_preview:
            self.policy.judge(self.moved / CENTS, self.approved_by, found)
