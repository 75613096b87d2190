"""The rules of the plan document for changes within the year, and the periods of that year."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import numpy as np

from gtm_opt.errors import Findings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gtm_opt.model.calendar import Calendar

    IntArray = NDArray[np.int64]

__all__ = ["QuotaPolicy", "Year"]

_DAY = timedelta(days=1)
_HALF = Fraction(1, 2) + Fraction(1, 10**6)


@dataclass(frozen=True)
class QuotaPolicy:
    """How quota follows events.

    Attributes
    ----------
    ramp : sequence of float
        Part of the quota that a new hire is asked for in each period of tenure, from the first on; 1 afterwards.
    leave_relief : float
        Part of the quota of the days of a leave that is taken off, 0 to 1.
    holdout_days : int
        Days after an account moved during which quota and credit stay with the old seat: both, or attainment is biased.
    account_basis : {"periods", "days"}
        What an account's yearly target is worth in a part of the year: by the shares of the periods, or by days.
    approve_above : float
        Amount moved in one commit above which somebody must approve.
    approvers : mapping of str to float
        Who may approve up to which amount.
    """

    ramp: Sequence[float] = ()
    leave_relief: float = 1.0
    holdout_days: int = 0
    account_basis: Literal["periods", "days"] = "periods"
    approve_above: float = np.inf
    approvers: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        found = Findings()
        object.__setattr__(self, "ramp", tuple(float(r) for r in self.ramp))
        if not all(0.0 <= r <= 1.0 for r in self.ramp):
            found.add("QuotaPolicy.ramp", "must hold parts from 0 to 1", got=repr(self.ramp))
        if not 0.0 <= self.leave_relief <= 1.0:
            found.add("QuotaPolicy.leave_relief", "must lie between 0 and 1", got=repr(self.leave_relief))
        if isinstance(self.holdout_days, bool) or not isinstance(self.holdout_days, int) or self.holdout_days < 0:
            found.add("QuotaPolicy.holdout_days", "must be a whole number, not negative", got=repr(self.holdout_days))
        if self.account_basis not in ("periods", "days"):
            found.add("QuotaPolicy.account_basis", "must be 'periods' or 'days'", got=repr(self.account_basis))
        if not self.approve_above >= 0:
            found.add("QuotaPolicy.approve_above", "must not be negative", got=repr(self.approve_above))
        found.raise_if_any()

    def judge(self, amount: float, approved_by: str | None, found: Findings) -> None:
        """Record whether a commit that moves this amount lacks an approval."""
        if amount <= self.approve_above:
            return
        told = f"{amount:,.2f} moved"
        if not approved_by:
            rule = f"needs an approver above {self.approve_above:,.2f}"
            found.add("commit", rule, got=told, remedy="Name who approved it in `approved_by`.")
        elif self.approvers and approved_by not in self.approvers:
            known = ", ".join(sorted(self.approvers))
            found.add(
                "approved_by", "must be one of the approvers", got=f"'{approved_by}'", remedy=f"There are: {known}."
            )
        elif amount > self.approvers.get(approved_by, np.inf):
            limit = self.approvers[approved_by]
            able = [name for name, most in sorted(self.approvers.items()) if most >= amount]
            remedy = f"These may: {', '.join(able)}." if able else "Nobody may approve as much: split the commit."
            found.add(f"approver '{approved_by}'", f"may approve up to {limit:,.2f}", got=told, remedy=remedy)


@dataclass(frozen=True, eq=False)
class Year:
    """The periods of one fiscal year.

    Attributes
    ----------
    labels : tuple of str
    edges : tuple of date
        First day of each period, and the day after the last one.
    shares : tuple of float
        Part of the year's money in each period; sums to 1.
    """

    labels: tuple[str, ...]
    edges: tuple[date, ...]
    shares: tuple[float, ...]

    @classmethod
    def of(cls, calendar: Calendar) -> Year:
        """Return the first fiscal year of a calendar."""
        year = calendar.first_year()
        edges = tuple(np.asarray(year.edges, dtype="datetime64[D]").tolist())
        return cls(tuple(year.labels), edges, tuple(float(s) for s in year.shares))

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def first(self) -> date:
        """First day."""
        return self.edges[0]

    @property
    def last(self) -> date:
        """Last day."""
        return self.edges[-1] - _DAY

    def period(self, day: date) -> int:
        """Return the period of a day; -1 before the year, the number of periods after it."""
        return int(np.searchsorted(np.array(self.edges, dtype="datetime64[D]"), np.datetime64(day), side="right")) - 1

    def days(self, period: int, first: date, last: date) -> int:
        """Return how many days of a period lie within ``first`` to ``last``."""
        low, high = max(first, self.edges[period]), min(last, self.edges[period + 1] - _DAY)
        return max(0, (high - low).days + 1)

    def length(self, period: int) -> int:
        """Return the days of a period."""
        return (self.edges[period + 1] - self.edges[period]).days

    def parts(self, first: date, last: date) -> list[Fraction]:
        """Return the part of each period's days within ``first`` to ``last``."""
        return [Fraction(self.days(p, first, last), self.length(p)) for p in range(len(self))]

    def worth(self, amount: int, first: date, basis: str) -> list[int]:
        """Return what a yearly amount is worth in each period from a day on; rounded so that the sum is right too."""
        if basis == "days":
            total = (self.edges[-1] - self.edges[0]).days
            exact = [Fraction(amount * self.days(p, first, self.last), total) for p in range(len(self))]
        else:
            parts = self.parts(first, self.last)
            exact = [amount * Fraction(s) * part for s, part in zip(self.shares, parts, strict=True)]
        return cumulate(exact)

    def spread(self, amount: int) -> list[int]:
        """Return a yearly amount by period, exact in all."""
        return self.worth(amount, self.first, "periods")


def cumulate(exact: Sequence[Fraction]) -> list[int]:
    """Round the running total and take differences: every part and every running total is within half a unit.

    Examples
    --------
    >>> cumulate([Fraction(1, 3)] * 6)
    [0, 1, 0, 0, 1, 0]
    """
    out, done, running = [], 0, Fraction(0)
    for part in exact:
        running += part
        # shares are binary fractions: what is within tolerance of a half is a half
        whole = math.floor(running + _HALF)
        out.append(whole - done)
        done = whole
    return out
