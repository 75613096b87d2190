"""Who sat in which seat on which days, as far as the rules of quota ask for it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.timeline.sweep import EVER, NEVER

if TYPE_CHECKING:
    from gtm_opt.timeline import Facts

__all__ = ["Stints"]

_OWNER, _SEAT = "owner of seat", "seat of account"
_DAY = timedelta(days=1)


class Stints:
    """Owners of seats and seats of accounts, out of the facts before an event.

    Parameters
    ----------
    facts : Facts
    """

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._place = {key: at for at, key in enumerate(facts.keys)}

    def of_seat(self, seat: str) -> list[tuple[date, date, str]]:
        """Return (first, last, seller) of a seat in order; open ends are the ends of the calendar."""
        return self._of(_OWNER, seat)

    def owner(self, seat: str, day: date) -> str | None:
        """Return who owns a seat on a day."""
        return next((who for first, last, who in self.of_seat(seat) if first <= day <= last), None)

    def seat_of(self, account: str, day: date) -> str | None:
        """Return the seat of an account on a day."""
        return next((seat for first, last, seat in self._of(_SEAT, account) if first <= day <= last), None)

    def seats_of(self, rep: str, day: date) -> list[str]:
        """Return the seats that somebody owns on a day."""
        return sorted(seat for seat, who in self.facts.held(_OWNER, day).items() if who == rep)

    def accounts_of(self, seat: str, day: date) -> list[str]:
        """Return the accounts of a seat on a day."""
        return sorted(account for account, where in self.facts.held(_SEAT, day).items() if where == seat)

    def began(self, seat: str, rep: str, day: date) -> date:
        """Return the first day of the stint in which somebody holds a seat on a day."""
        return next((first for first, last, who in self.of_seat(seat) if who == rep and first <= day <= last), day)

    def vacant_since(self, seat: str, day: date) -> date:
        """Return the first day of the vacancy before a day; the day after the last stint that began before it."""
        before = [last for first, last, _ in self.of_seat(seat) if first < day]
        if not before:
            return date.min
        return min(day, max(before) + _DAY) if max(before) < date.max else day

    def _of(self, relation: str, subject: str) -> list[tuple[date, date, str]]:
        at = self._place.get((relation, subject))
        if at is None:
            return []
        facts = self.facts
        rows = np.arange(np.searchsorted(facts.key, at), np.searchsorted(facts.key, at, side="right"))
        if not len(rows) or not (facts.key[rows] == at).all():
            rows = np.flatnonzero(facts.key == at)
        return [(_day(facts.first[r]), _day(facts.last[r]), str(facts.value[r])) for r in rows.tolist()]


def _day(value: np.datetime64) -> date:
    if value <= EVER:
        return date.min
    if value >= NEVER:
        return date.max
    day: date = value.astype("datetime64[D]").item()
    return day
