"""The planning calendar: fiscal months, quarters, and how a year's money is spread over them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

__all__ = ["Calendar"]

_HORIZONS = (12, 18, 24)
_SUM_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Calendar:
    """Fiscal months and the share of a fiscal year's money that falls into each.

    Parameters
    ----------
    fy_start : str, date, Timestamp or Period
        The first month of the fiscal year, for example ``"2026-02"``. A day within
        the month is ignored. Stored as ``"YYYY-MM"``.
    months : {12, 18, 24}
        Length of the horizon.
    season : sequence of 4 or 12 floats, optional
        Share of the fiscal year in each quarter (4 numbers) or month (12 numbers).
        Non-negative, sums to 1. Default: flat. The second year of a long horizon
        repeats it.
    in_quarter : sequence of 3 floats, optional
        Share of a quarter in each of its months, sums to 1. Default: flat. Not
        together with a `season` of 12 numbers, which already says it.
    year_label : {"end", "start"}
        Whether a fiscal year is named after the calendar year in which it ends
        (default: February 2025 to January 2026 is FY2026) or starts.

    Raises
    ------
    DataError
        With every finding, if a field breaks its rule.

    Notes
    -----
    Quarter shape and month-in-quarter shape are separate because they have separate
    causes: budgets by quarter, closing habits inside it.

    Examples
    --------
    >>> calendar = Calendar("2026-01", season=[.20, .24, .26, .30], in_quarter=[.3, .3, .4])
    >>> calendar.quarters
    ('FY2026-Q1', 'FY2026-Q2', 'FY2026-Q3', 'FY2026-Q4')
    >>> calendar.shares[:3].round(4).tolist()
    [0.06, 0.06, 0.08]
    """

    fy_start: str | date | pd.Timestamp | pd.Period
    months: int = 12
    season: Sequence[float] | None = None
    in_quarter: Sequence[float] | None = None
    year_label: Literal["end", "start"] = "end"

    def __post_init__(self) -> None:
        found = Findings()
        object.__setattr__(self, "fy_start", _month_text(self.fy_start, found))
        if self.months not in _HORIZONS:
            found.add("Calendar.months", "must be 12, 18 or 24", got=repr(self.months))
        if self.year_label not in ("end", "start"):
            found.add("Calendar.year_label", "must be 'end' or 'start'", got=repr(self.year_label))
        object.__setattr__(self, "season", _checked(self.season, (4, 12), "Calendar.season", found))
        object.__setattr__(self, "in_quarter", _checked(self.in_quarter, (3,), "Calendar.in_quarter", found))
        if self.in_quarter is not None and self.season is not None and len(self.season) == 12:
            found.add(
                "Calendar.in_quarter",
                "must not be given when season has 12 numbers",
                got="both",
                remedy="Drop in_quarter, or give season as 4 quarter shares.",
            )
        found.raise_if_any()

    # --- months -----------------------------------------------------------------

    @cached_property
    def periods(self) -> pd.PeriodIndex:
        """The fiscal months of the horizon, as monthly periods."""
        return pd.period_range(str(self.fy_start), periods=self.months, freq="M")

    @property
    def labels(self) -> tuple[str, ...]:
        """Month names, ``"2026-01"`` and so on."""
        return tuple(str(month) for month in self.periods)

    @property
    def start(self) -> pd.Timestamp:
        """The first day of the horizon."""
        return pd.Timestamp(self.periods[0].start_time).normalize()

    @property
    def end(self) -> pd.Timestamp:
        """The last day of the horizon, inclusive."""
        return pd.Timestamp(self.periods[-1].end_time).normalize()

    @cached_property
    def days(self) -> IntArray:
        """Number of days per month, shape (months,)."""
        return _readonly(np.asarray(self.periods.days_in_month, dtype=np.int64))

    @cached_property
    def shares(self) -> FloatArray:
        """Share of its fiscal year in each month, shape (months,). Sums to 1 over every full fiscal year."""
        year = self._year_shares()
        return _readonly(np.resize(year, self.months))

    # --- quarters and years -----------------------------------------------------

    @cached_property
    def quarter_of_month(self) -> IntArray:
        """Position of each month's quarter, shape (months,): 0, 0, 0, 1, ..."""
        return _readonly(np.arange(self.months, dtype=np.int64) // 3)

    @cached_property
    def years(self) -> tuple[str, ...]:
        """Fiscal year labels, ``"FY2026"`` and so on."""
        first = self.periods[0]
        offset = 1 if self.year_label == "end" and first.month != 1 else 0
        return tuple(f"FY{first.year + offset + k}" for k in range(math.ceil(self.months / 12)))

    @cached_property
    def quarters(self) -> tuple[str, ...]:
        """Fiscal quarter labels, ``"FY2026-Q1"`` and so on."""
        return tuple(f"{self.years[q // 4]}-Q{q % 4 + 1}" for q in range(self.months // 3))

    @cached_property
    def quarter_shares(self) -> FloatArray:
        """Share of its fiscal year in each quarter, shape (months / 3,)."""
        return _readonly(self.shares.reshape(-1, 3).sum(axis=1))

    @property
    def table(self) -> pd.DataFrame:
        """One row per month: month, quarter, fiscal_year, days, share_frac."""
        quarter = self.quarter_of_month
        return pd.DataFrame(
            {
                "month": self.periods,
                "quarter": [self.quarters[q] for q in quarter],
                "fiscal_year": [self.years[q // 4] for q in quarter],
                "days": self.days,
                "share_frac": self.shares,
            }
        )

    def first_year(self) -> Calendar:
        """Return the calendar of the first fiscal year alone."""
        return self if self.months == 12 else replace(self, months=12)

    def share_from(self, day: str | date | pd.Timestamp) -> float:
        """Return the share of the first fiscal year that falls on or after a day.

        The month of the day counts in proportion to its days, as when an account
        changes hands in mid-month.

        Examples
        --------
        >>> round(Calendar("2026-01").share_from("2026-07-16"), 6)
        0.459677
        """
        when = pd.Timestamp(day)
        year = self.first_year()
        if when <= year.start:
            return 1.0
        if when > year.end:
            return 0.0
        position = 12 * (when.year - year.start.year) + when.month - year.start.month
        days = int(year.days[position])
        inside = (days - when.day + 1) / days
        return float(inside * year.shares[position] + year.shares[position + 1 :].sum())

    def _year_shares(self) -> FloatArray:
        season = np.full(4, 0.25) if self.season is None else np.asarray(self.season, dtype=np.float64)
        if len(season) == 4:
            inside = np.full(3, 1 / 3) if self.in_quarter is None else np.asarray(self.in_quarter, dtype=np.float64)
            season = np.outer(season / season.sum(), inside / inside.sum()).ravel()
        return np.asarray(season / season.sum(), dtype=np.float64)


def _month_text(value: str | date | pd.Timestamp | pd.Period, found: Findings) -> str:
    try:
        return str(value.asfreq("M") if isinstance(value, pd.Period) else pd.Period(value, freq="M"))
    except (ValueError, TypeError):
        found.add("Calendar.fy_start", "must be a month", got=repr(value), remedy="Write it as '2026-02'.")
        return "1970-01"


def _checked(
    values: Sequence[float] | None, lengths: tuple[int, ...], where: str, found: Findings
) -> tuple[float, ...] | None:
    """Return the shares as a tuple of floats, recording what is wrong with them."""
    if values is None:
        return None
    try:
        shares = tuple(float(v) for v in values)
    except (TypeError, ValueError):
        found.add(where, "must be a sequence of numbers", got=repr(values))
        return None
    if len(shares) not in lengths:
        found.add(where, f"must have {' or '.join(map(str, lengths))} numbers", got=f"{len(shares)}")
        return None
    if not all(math.isfinite(s) and s >= 0 for s in shares):
        found.add(where, "must hold finite numbers, none negative", got=repr(shares))
        return None
    total = math.fsum(shares)
    if abs(total - 1) > _SUM_TOLERANCE:
        remedy = f"Divide each number by {total:g}." if total > 0 else "Leave it out for a flat year."
        found.add(where, "must sum to 1", got=f"{total:g}", remedy=remedy)
    return shares


def _readonly(values: NDArray[np.generic]) -> NDArray:  # type: ignore[type-arg]
    values = values.copy()
    values.setflags(write=False)
    return values
