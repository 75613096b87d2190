"""`QuotaBook`: the year of quotas in the book of people, every change with its reason, to the cent."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from gtm_opt.errors import DataError, Findings
from gtm_opt.model.frames import takes_tables
from gtm_opt.plan.book.attainment import credit_bookings
from gtm_opt.plan.book.quota_checks import check_ledger, ledger_rows, payload_of, statement_rows
from gtm_opt.plan.book.quota_drafter import Drafter, QuotaState
from gtm_opt.quota.ledger import (
    Balances,
    PlanChange,
    QuotaOpened,
    QuotaPolicy,
    QuotaYear,
    Year,
    open_balances,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gtm_opt.plan.book.book import Book
    from gtm_opt.quota import Quotas

__all__ = ["QuotaBook"]

_DAY = timedelta(days=1)
CENTS = 100


class QuotaBook:
    """Quotas of one fiscal year, kept by events in double entry inside a `gtm_opt.Book`.

    Begin a year with `start`, take it up again with `open`. People's events (`Hire`, `Exit`, `Leave`, `SeatFilled`,
    `Promotion`, `StartMoved`, `AccountsMoved`, `SeatSplit`, `SeatsMerged`, `SeatClosed`) are committed here instead of
    in the book, and bring their money along; `Relief`, `PlanChange`, `QuotaCorrection`, `SeatPlaced` and
    `PeriodClosed` (`gtm_opt.quota.ledger`) move money only.

    Parameters
    ----------
    book : Book
    policy : QuotaPolicy

    Notes
    -----
    The entries of an event sum to zero in every period: what one account gets, others give. Accounts are sellers and
    holds of seats, what is over-assigned below a node, named gaps, and the plan. The quota of a node is the sum of
    the accounts at and below it, so that every edge ties at any time. A transfer changes managers up to, and without,
    the first whom both seats report to. Amounts are whole hundredths. Entries for a closed period go into the first
    open one and keep their period in the column ``due``.
    """

    def __init__(self, book: Book, policy: QuotaPolicy | None = None) -> None:
        self.book, self.policy = book, policy or QuotaPolicy()
        self._state = QuotaState(book)

    @classmethod
    @takes_tables("sellers")
    def start(
        cls,
        book: Book,
        quotas: Quotas,
        *,
        accounts: Mapping[str, float] | pd.Series | None = None,
        sellers: pd.DataFrame | None = None,
        whole_months: bool = False,
        policy: QuotaPolicy | None = None,
        who: str,
        why: str,
        rule: str = "",
        recorded: date | None = None,
    ) -> QuotaBook:
        """Enter the quotas of a year into a book.

        Parameters
        ----------
        book : Book
            Its owners on the first day carry the quotas of their seats.
        quotas : Quotas
            With a calendar.
        accounts : mapping of str to float, optional
            Yearly target of each account: what moves with it.
        sellers : DataFrame, optional
            From ``quotas.sellers(...)``: what each seller carries, in place of the owners of the first day.
        whole_months : bool
            Open with the periods of `Quotas.periods`, rounded to the unit, instead of exact parts of the year.
        policy : QuotaPolicy, optional
        who, why, rule, recorded
            As in `Book.commit`.

        Raises
        ------
        DataError
            With every finding: quotas without a calendar, a book that has quotas already, text for money.
        """
        found = Findings()
        out = cls(book, policy)
        if out.is_started:
            found.add("book", "must not have quotas yet", remedy="Open it with QuotaBook.open.")
        first = max(book.opens, Year.of(quotas.calendar).first) if quotas.calendar is not None else book.opens
        owners = {s: v for s, v in book.facts.held("owner of seat", first).items() if v is not None}
        payload = open_balances(quotas, owners, sellers, accounts, found, whole_months=whole_months)
        found.raise_if_any()
        out.commit(QuotaOpened(first, payload.to_text()), who=who, why=why, rule=rule, recorded=recorded)
        return out

    @classmethod
    def open(cls, book: Book, policy: QuotaPolicy | None = None) -> QuotaBook:
        """Take up the quotas of a book.

        Raises
        ------
        DataError
            The book has no quotas.
        """
        out = cls(book, policy)
        _ = out.year
        return out

    @property
    def is_started(self) -> bool:
        """Whether the book has quotas."""
        return self._state.year is not None

    @property
    def year(self) -> Year:
        """The periods of the year."""
        if self._state.year is None:
            raise DataError("the book has no quotas yet: begin with QuotaBook.start(book, quotas, ...).")
        return self._state.year

    @property
    def frozen_until(self) -> date | None:
        """Last day of the closed periods."""
        return self._state.frozen

    def commit(
        self,
        actions: Any,
        *,
        who: str,
        why: str,
        rule: str = "",
        recorded: date | None = None,
        approved_by: str | None = None,
    ) -> tuple[int, ...]:
        """Write actions with what they do to quota, all or none; arguments as in `Book.commit`.

        Raises
        ------
        DataError
            With every finding, and nothing written: what `Book.commit` refuses; a transfer or relief of more than there
            is; accounts without a target; a year that is closed; no approver, or one below the amount moved.
        """
        drafter = Drafter(self._state, self.policy, approved_by)
        numbers = self.book.commit(
            actions, who=who, why=why, rule=rule, recorded=recorded, approved_by=approved_by, attach=drafter
        )
        self._state.follow()
        return numbers

    def preview(self, actions: Any) -> pd.DataFrame:
        """Return what actions would change; nothing is written.

        Returns
        -------
        DataFrame
            ``node_id``, ``account`` ("" for the quota of the node, else "seller: ...", "hold: ..."), ``before``,
            ``after``, ``delta`` of the year, ``reason`` (the kind of the first action that touches it).
        """
        found = Findings()
        self._state.follow()
        drafter = Drafter(self._state, self.policy, is_preview=True)
        self.book.draft(actions, found, drafter)
        found.raise_if_any()
        before, after, reason = self._state.balances, drafter.balances, drafter.reason
        rows = []
        for node in sorted(after.parent):
            old = int(before.total_due[node].sum()) if node in before.parent else 0
            rows.append((node, "", old, int(after.total_due[node].sum()), reason.get(node, "")))
        for kind, node, who in sorted(after.due):
            key = (kind, node, who)
            if kind in ("seller", "hold"):
                old = int(before.due[key].sum()) if key in before.due else 0
                rows.append((node, f"{kind}: {who}", old, int(after.due[key].sum()), reason.get(node, "")))
        table = pd.DataFrame(rows, columns=["node_id", "account", "before", "after", "reason"])
        table = table[table["before"] != table["after"]].reset_index(drop=True)
        table.insert(4, "delta", (table["after"] - table["before"]) / CENTS)
        return table.assign(before=table["before"] / CENTS, after=table["after"] / CENTS)

    def undo(self, number: int, *, who: str, why: str, recorded: date | None = None) -> int:
        """Take an event back, with its money; only while none of its entries lies in a closed period.

        Raises
        ------
        DataError
            Entries in a closed period (correct them instead), the opening, a closing, and what `Book.undo` refuses.
        """
        self._state.follow()
        events = self.book.log.events
        payload = payload_of(events[number - 1]) if 1 <= number <= len(events) else None
        if payload is not None:
            if payload.year is not None or payload.frozen is not None or payload.nodes:
                raise DataError(f"event {number} opened, placed or closed something: it must not be undone.")
            opened = 0 if self._state.frozen is None else self.year.period(self._state.frozen + _DAY)
            if any(e.period < opened for e in payload.entries):
                raise DataError(
                    f"event {number} must not be undone: it has entries before {self._state.frozen}, which is closed. "
                    "Commit a QuotaCorrection."
                )
        out = self.book.undo(number, who=who, why=why, recorded=recorded)
        self._state.follow()
        return out

    def replan(self, amount: float, effective: date, **note: Any) -> tuple[int, ...]:
        """Change the plan of the year from a day on; see `gtm_opt.quota.ledger.PlanChange`.

        Notes
        -----
        Everybody's remaining amounts change in proportion: among all ways to reach the new total in each period it has
        the least Kullback-Leibler distance from what was there. Over-assignment keeps its part.
        """
        return self.commit(PlanChange(amount, effective), **note)

    def as_of(self, day: date | None = None, *, known_on: date | None = None) -> QuotaYear:
        """Return the quotas of the year as they stood on a day, as known on another.

        Parameters
        ----------
        day : date, optional
            Events that take effect up to it count. Default: all.
        known_on : date, optional
            Events recorded up to it count. Default: all.
        """
        balances = Balances(len(self.year))
        for event in self.book.log.known(known_on):
            payload = payload_of(event)
            if payload is not None and (day is None or event.effective <= day or payload.year is not None):
                payload.apply(balances)
        if not balances.parent:
            raise DataError(f"nothing was known of quotas on {known_on}.")
        return QuotaYear(balances, self.year, day, known_on)

    @property
    def ledger(self) -> pd.DataFrame:
        """Every entry with its event: who, why, by which rule, when it holds, is due, and is booked (``month``)."""
        return ledger_rows(self.book.log, self.year)

    def statement(self, rep_id: str) -> pd.DataFrame:
        """Return a seller's year: opening, each change with its reason, closing; it sums.

        Returns
        -------
        DataFrame
            ``event``, ``kind``, ``effective``, ``recorded``, ``seat_id``, ``reason``, ``rule``, ``author``, ``amount``,
            ``balance``.

        Raises
        ------
        DataError
            Nobody of that name ever had quota.
        """
        return statement_rows(self.book.log, rep_id)

    @takes_tables("bookings")
    def attainment(
        self, bookings: pd.DataFrame, day: date | None = None, *, known_on: date | None = None
    ) -> pd.DataFrame:
        """Return bookings over quota by seller, credited by date.

        Parameters
        ----------
        bookings : DataFrame
            ``day``, ``amount``, and ``account_id`` or ``seat_id``.
        day : date, optional
            Bookings and periods up to it; the period of the day counts by its days. Default: the whole year.
        known_on : date, optional

        Returns
        -------
        DataFrame
            ``seat_id``, ``rep_id`` ("" for bookings while nobody sat there), ``quota``, ``bookings``, ``attain_frac``
            (NaN without quota).
        """
        return credit_bookings(
            bookings, self.as_of(day, known_on=known_on), self.book.facts, self.policy.holdout_days, day
        )

    def check(self) -> pd.DataFrame:
        """Recompute everything from the file, and compare.

        Returns
        -------
        DataFrame
            ``check``, ``count``: what was verified, and how often.

        Raises
        ------
        DataError
            An event that does not sum to zero in a period, entries in periods that were closed, edges that do not tie,
            a state that does not follow from the events.
        """
        self.book.refresh()
        self._state.follow()
        return check_ledger(self.book, self._state.balances, self.year)

    def __repr__(self) -> str:
        closed = "" if self._state.frozen is None else f", closed until {self._state.frozen}"
        return f"QuotaBook: {self.year.first} to {self.year.last}, {len(self.book)} events{closed}"
