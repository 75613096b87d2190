"""The ledger as tables, and its proof: balance, frozen periods, edges, replay."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, Findings
from gtm_opt.model.tables import did_you_mean
from gtm_opt.quota.ledger import RELATION, Balances, Payload

if TYPE_CHECKING:
    from gtm_opt.plan.book.book import Book
    from gtm_opt.quota.ledger import Year
    from gtm_opt.timeline import Event, Log

__all__ = ["check_ledger", "ledger_rows", "payload_of", "statement_rows"]

_DAY = timedelta(days=1)
CENTS = 100
_LEDGER = (
    *(
        "event",
        "kind",
        "effective",
        "recorded",
        "account",
        "node_id",
        "who",
        "due",
        "month",
        "amount",
        "reason",
        "rule",
    ),
    "author",
)
_STATEMENT = ("event", "kind", "effective", "recorded", "seat_id", "reason", "rule", "author", "amount", "balance")


def payload_of(event: Event) -> Payload | None:
    """Return what an event says about quota; None: nothing."""
    text = next((c.value for c in event.changes if c.relation == RELATION), None)
    return None if text is None else Payload.from_text(str(text))


def ledger_rows(log: Log, year: Year) -> pd.DataFrame:
    """Return one row per entry of every event in force."""
    rows = []
    for event in log.known():
        payload = payload_of(event)
        for e in () if payload is None else payload.entries:
            rows.append(
                (event.number, event.kind, event.effective, event.recorded, e.kind, e.node, e.who, year.labels[e.due],
                 year.labels[e.period], e.amount / CENTS, event.why, event.rule, event.who)
            )  # fmt: skip
    return pd.DataFrame(rows, columns=list(_LEDGER))


def statement_rows(log: Log, rep_id: str) -> pd.DataFrame:
    """Return opening, changes and closing of one seller."""
    rows: list[tuple[object, ...]] = []
    balance, opening, known = 0, 0, set()
    for event in log.known():
        payload = payload_of(event)
        by_seat: dict[str, int] = defaultdict(int)
        for e in () if payload is None else payload.entries:
            if e.kind == "seller":
                known.add(e.who)
                if e.who == rep_id:
                    by_seat[e.node] += e.amount
        if payload is not None and payload.year is not None:
            opening = balance = sum(by_seat.values())
            continue
        for seat, amount in sorted(by_seat.items()):
            balance += amount
            rows.append(
                (event.number, event.kind, event.effective, event.recorded, seat, event.why, event.rule, event.who,
                 amount / CENTS, balance / CENTS)
            )  # fmt: skip
    if rep_id not in known:
        raise DataError(
            f"`rep_id` must name somebody with quota, got '{rep_id}'. {did_you_mean(rep_id, sorted(known))}"
        )
    first = (None, "opening", None, None, "", "", "", "", opening / CENTS, opening / CENTS)
    last = (None, "closing", None, None, "", "", "", "", balance / CENTS, balance / CENTS)
    return pd.DataFrame([first, *rows, last], columns=list(_STATEMENT))


def check_ledger(book: Book, state: Balances, year: Year) -> pd.DataFrame:
    """Read the file again, replay it, and verify every statement of `QuotaBook`."""
    found = Findings()
    again, frozen, entries = Balances(len(year)), None, 0
    log = book.reread()
    known = {event.number for event in log.known()}
    events = 0
    for event in log:
        payload = payload_of(event)
        if payload is None or event.number not in known:
            continue
        events += 1
        entries += len(payload.entries)
        for what, periods in (
            ("month", [e.period for e in payload.entries]),
            ("due", [e.due for e in payload.entries]),
        ):
            amounts = [float(e.amount) for e in payload.entries]
            sums = np.bincount(np.array(periods, dtype=np.int64), weights=amounts, minlength=len(year))
            if sums.any():
                got = f"{sums[np.flatnonzero(sums)[0]] / CENTS:,.2f}"
                found.add(f"event {event.number} ({event.kind})", f"must sum to zero in every {what}", got=got)
        opened = 0 if frozen is None else year.period(frozen + _DAY)
        if any(e.period < opened for e in payload.entries):
            found.add(
                f"event {event.number} ({event.kind})", "must not touch a closed period", got=f"closed until {frozen}"
            )
        frozen = payload.frozen or frozen
        payload.apply(again)
    edges = 0
    for view in ("due", "booked"):
        totals, accounts = getattr(again, f"total_{view}"), getattr(again, view)
        for node, below in again.children.items():
            if not below:
                continue
            edges += 1
            own = sum(accounts.get((kind, node, ""), 0) for kind in ("over", "gap"))
            if (totals[node] != sum(totals[c] for c in below) + own).any():
                found.add("edges", "must tie in every period", rows=[node], kind="node")
    if again.parent != state.parent or not _same(again, state):
        found.add("state", "must follow from the events", remedy="Open the book again.")
    found.raise_if_any()
    rows = [("events that sum to zero", events), ("entries", entries), ("edges that tie", edges), ("replay", 1)]
    return pd.DataFrame(rows, columns=["check", "count"])


def _same(one: Balances, two: Balances) -> bool:
    for name in ("due", "booked", "total_due", "total_booked"):
        a, b = getattr(one, name), getattr(two, name)
        if any((a[k] != b.get(k, 0)).any() for k in a) or any(b[k].any() for k in b if k not in a):
            return False
    return True
