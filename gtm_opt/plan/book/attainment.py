"""Bookings credited to who held the seat on the day, against the quota asked for until then."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings
from gtm_opt.model.tables import did_you_mean, id_text, number_column
from gtm_opt.quota.ledger.stints import Stints

if TYPE_CHECKING:
    from gtm_opt.quota.ledger import QuotaYear
    from gtm_opt.timeline import Facts

__all__ = ["credit_bookings"]

CENTS = 100


def credit_bookings(
    bookings: pd.DataFrame, state: QuotaYear, facts: Facts, holdout_days: int, day: date | None
) -> pd.DataFrame:
    """Return quota, bookings and attainment by seat and seller; see `QuotaBook.attainment`."""
    found = Findings()
    stints, year = Stints(facts), state.year
    until = min(day or year.last, year.last)
    by_account = "account_id" in bookings.columns
    subject = "account_id" if by_account else "seat_id"
    missing = [c for c in (subject, "day", "amount") if c not in bookings.columns]
    if missing:
        found.add(
            "bookings", "must have the columns day, amount and account_id or seat_id", rows=missing, kind="column"
        )
        found.raise_if_any()
    amounts = number_column(bookings, "amount", found, what="bookings", negative=True, fill="Leave out empty bookings.")
    days = pd.to_datetime(bookings["day"], errors="coerce")
    outside = days.isna() | (days < pd.Timestamp(year.first)) | (days > pd.Timestamp(year.last))
    if outside.any():
        got = f"{year.first} to {year.last}"
        found.add("bookings['day']", f"must be days of the year, {got}", rows=bookings.index[outside])
    names = id_text(bookings[subject]).str.strip()
    known = {s for r, s in facts.keys if r == "seat of account"} if by_account else set(state.balances.parent)
    strange = names[~names.isin(known)].unique()
    if len(strange):
        remedy = did_you_mean(strange[0], sorted(known))
        found.add(f"bookings['{subject}']", "must only name what the book knows", rows=strange, remedy=remedy)
    found.raise_if_any()
    credit: dict[tuple[str, str], float] = {}
    for name, when, amount in zip(names, days, amounts if amounts is not None else (), strict=True):
        booked = when.date()
        if booked > until:
            continue
        seat = _credited_seat(stints, name, booked, holdout_days) if by_account else name
        rep = (stints.owner(seat, booked) if seat else None) or ""
        key = (seat or "", rep)
        credit[key] = credit.get(key, 0.0) + float(amount)
    quota = _quota_until(state, until)
    rows = [
        (seat, rep, quota.get((seat, rep), 0) / CENTS, round(credit.get((seat, rep), 0.0), 2))
        for seat, rep in sorted({*quota, *credit})
    ]
    table = pd.DataFrame(rows, columns=["seat_id", "rep_id", "quota", "bookings"])
    return table.assign(attain_frac=table["bookings"] / table["quota"].where(table["quota"] > 0))


def _credited_seat(stints: Stints, account: str, day: date, holdout_days: int) -> str | None:
    """Return the seat that held the account before the holdout began; a new account's own."""
    return stints.seat_of(account, day - timedelta(days=holdout_days)) or stints.seat_of(account, day)


def _quota_until(state: QuotaYear, until: date) -> dict[tuple[str, str], int]:
    """Return what sellers were asked for up to a day; its period counts by days."""
    year = state.year
    parts = np.array([float(p) for p in year.parts(year.first, until)])
    out = {}
    for (kind, seat, who), amounts in state.balances.booked.items():
        if kind == "seller":
            asked = round(float(amounts @ parts))
            if amounts.any():
                out[seat, who] = asked
    return out
