"""The planning calendar: fiscal months, quarters, and how a year's money is spread over them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings
from gtm_opt.model.dates import read_dates
from gtm_opt.model.periods import WEEKS, Grid, Weeks, month_grid, week_grid
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

__all__ = ["Calendar"]

_LONGEST_M = 60
_SUM_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Calendar:
    """Fiscal months and the share of a fiscal year's money that falls into each.

    Parameters
    ----------
    fy_start : str, date, Timestamp or Period
        The first month of the fiscal year, for example ``"2026-02"``. A day within
        the month is ignored. Stored as ``"YYYY-MM"``. For a year of whole weeks its first day, ``"2026-02-01"``.
    months : int
        Length of the horizon: whole quarters, 3 to 60 months.
    season : sequence of 4, 12 or 13 floats, optional
        Share of the fiscal year in each quarter (4 numbers) or period (as many as a year has).
        Non-negative, sums to 1. Default: flat (by weeks, where periods are whole weeks). Later years
        of a long horizon repeat it.
    in_quarter : sequence of 3 floats, optional
        Share of a quarter in each of its months, sums to 1. Default: flat. Not
        together with a `season` of 12 numbers, which already says it, and not for thirteen periods.
    year_label : {"end", "start"}
        Whether a fiscal year is named after the calendar year in which it ends
        (default: February 2025 to January 2026 is FY2026) or starts.
    weeks : {"4-4-5", "4-5-4", "5-4-4", "13x4"}, optional
        Weeks of the periods of every quarter; ``"13x4"`` is a year of thirteen periods of four weeks, the last
        quarter having four. Default: calendar months.
    long_years : sequence of str
        Fiscal years with 53 weeks, for example ``("FY2028",)``: their last period is a week longer. They follow no
        rule that all companies share, so they are never guessed.
    holidays : sequence of dates
        Days on which nobody sells, for example out of a holiday package. Only `selling_days` look at them.
    weekmask : str
        Days of the week that are selling days, from Monday on: ``"1111100"``.

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
    weeks: Weeks | None = None
    long_years: Sequence[str] = ()
    holidays: Sequence[str | date] = ()
    weekmask: str = "1111100"

    def __post_init__(self) -> None:
        found = Findings()
        if self.weeks is not None and self.weeks not in WEEKS:
            found.add("Calendar.weeks", f"must be one of {', '.join(WEEKS)}, or left out", got=repr(self.weeks))
            object.__setattr__(self, "weeks", None)
        read = _month_text if self.weeks is None else _day_text
        object.__setattr__(self, "fy_start", read(self.fy_start, found))
        if isinstance(self.months, bool) or self.months not in range(3, _LONGEST_M + 1, 3):
            found.add("Calendar.months", f"must be whole quarters, 3 to {_LONGEST_M} months", got=repr(self.months))
        if self.year_label not in ("end", "start"):
            found.add("Calendar.year_label", "must be 'end' or 'start'", got=repr(self.year_label))
        object.__setattr__(self, "season", _checked(self.season, (4, self.periods_py), "Calendar.season", found))
        object.__setattr__(self, "in_quarter", _checked(self.in_quarter, (3,), "Calendar.in_quarter", found))
        if self.in_quarter is not None and self.periods_py == 13:
            remedy = "Give season as 13 numbers."
            found.add("Calendar.in_quarter", "must not be given with thirteen periods", got="both", remedy=remedy)
        elif self.in_quarter is not None and self.season is not None and len(self.season) == 12:
            found.add(
                "Calendar.in_quarter",
                "must not be given when season has 12 numbers",
                got="both",
                remedy="Drop in_quarter, or give season as 4 quarter shares.",
            )
        object.__setattr__(self, "holidays", _day_texts(self.holidays, found))
        self._check_weekmask(found)
        found.raise_if_any()
        object.__setattr__(self, "long_years", _texts(self.long_years))
        unknown = [y for y in self.long_years if y not in self.years]
        if unknown or (self.long_years and self.weeks is None):
            rule = "must name fiscal years of the calendar, and needs `weeks`"
            remedy = did_you_mean(unknown[0] if unknown else self.years[0], self.years)
            found.add("Calendar.long_years", rule, got=", ".join(self.long_years), remedy=remedy)
        found.raise_if_any()

    def _check_weekmask(self, found: Findings) -> None:
        mask = self.weekmask
        if not isinstance(mask, str) or len(mask) != 7 or set(mask) - {"0", "1"} or "1" not in mask:
            found.add("Calendar.weekmask", "must be seven 0 or 1 from Monday on, not all 0", got=repr(mask))

    # --- periods ------------------------------------------------------------------

    @property
    def periods_py(self) -> int:
        """Periods of a fiscal year: 12, or 13 for ``weeks="13x4"``."""
        return 13 if self.weeks == "13x4" else 12

    @property
    def n_periods(self) -> int:
        """Periods of the horizon: its months, or periods of weeks."""
        if self.periods_py == 12:
            return self.months
        return 13 * (self.months // 12) + self.months % 12

    @cached_property
    def periods(self) -> pd.PeriodIndex | pd.Index:
        """The fiscal months of the horizon as monthly periods; ``"FY2026-P01"`` and so on for thirteen periods.

        Months of weeks are named after the calendar month that starts nearest to them.
        """
        if self.periods_py == 12:
            return pd.period_range(self._first_month, periods=self.n_periods, freq="M")
        return pd.Index([f"{self.years[k // 13]}-P{k % 13 + 1:02d}" for k in range(self.n_periods)], dtype=object)

    @property
    def labels(self) -> tuple[str, ...]:
        """Month names, ``"2026-01"`` and so on."""
        return tuple(str(month) for month in self.periods)

    @cached_property
    def grid(self) -> Grid:
        """The first days of all periods, also before and after the horizon."""
        if self.weeks is None:
            return month_grid(str(self.fy_start))
        long_years = tuple(sorted(self.years.index(y) for y in self.long_years))
        return week_grid(np.datetime64(str(self.fy_start), "D"), self.weeks, long_years)

    @cached_property
    def edges(self) -> NDArray[np.datetime64]:
        """First day of every period and of the one after the last, shape (n_periods + 1,)."""
        edges: NDArray[np.datetime64] = _readonly(self.grid.first_day(np.arange(self.n_periods + 1)))
        return edges

    @property
    def start(self) -> pd.Timestamp:
        """The first day of the horizon."""
        return pd.Timestamp(self.edges[0])

    @property
    def end(self) -> pd.Timestamp:
        """The last day of the horizon, inclusive."""
        return pd.Timestamp(self.edges[-1]) - pd.Timedelta(days=1)

    @cached_property
    def days(self) -> IntArray:
        """Number of days per period, shape (n_periods,)."""
        return _readonly(np.diff(self.edges).astype(np.int64))

    @cached_property
    def selling_days(self) -> IntArray:
        """Number of selling days per period (`weekmask` without `holidays`), shape (n_periods,)."""
        return _readonly(self.count_selling_days(self.edges[:-1], self.edges[1:]))

    def count_selling_days(self, start: NDArray[np.datetime64], stop: NDArray[np.datetime64]) -> IntArray:
        """Return how many selling days lie between days, the second one exclusive; 0 where it is not later."""
        holidays = np.array(self.holidays, dtype="datetime64[D]")
        days = np.busday_count(start, np.maximum(start, stop), weekmask=self.weekmask, holidays=holidays)
        return np.asarray(days, dtype=np.int64)

    @cached_property
    def shares(self) -> FloatArray:
        """Share of its fiscal year in each period, shape (n_periods,). Sums to 1 over every full fiscal year."""
        return _readonly(self._cut([self._year_shares(year) for year in range(len(self.years))]))

    @cached_property
    def flat_shares(self) -> FloatArray:
        """Share of its fiscal year in each period without a season: a twelfth, or by weeks."""
        if self.weeks is None:
            return _readonly(np.full(self.n_periods, 1.0 / 12.0))
        return _readonly(self._cut([_normalized(self._year_days(year)) for year in range(len(self.years))]))

    @cached_property
    def selling_shares(self) -> FloatArray:
        """Share of its fiscal year's selling days in each period, shape (n_periods,)."""
        years = []
        for year in range(len(self.years)):
            edges = self._year_edges(year)
            years.append(_normalized(self.count_selling_days(edges[:-1], edges[1:])))
        return _readonly(self._cut(years))

    # --- quarters and years -----------------------------------------------------

    @cached_property
    def quarter_of_month(self) -> IntArray:
        """Position of each period's quarter, shape (n_periods,): 0, 0, 0, 1, ..."""
        at = np.arange(self.n_periods, dtype=np.int64)
        if self.periods_py == 12:
            return _readonly(at // 3)
        return _readonly(4 * (at // 13) + np.minimum(at % 13 // 3, 3))

    @cached_property
    def years(self) -> tuple[str, ...]:
        """Fiscal year labels, ``"FY2026"`` and so on."""
        first = self._first_month
        offset = 1 if self.year_label == "end" and first.month != 1 else 0
        return tuple(f"FY{first.year + offset + k}" for k in range(math.ceil(self.months / 12)))

    @cached_property
    def quarters(self) -> tuple[str, ...]:
        """Fiscal quarter labels, ``"FY2026-Q1"`` and so on."""
        return tuple(f"{self.years[q // 4]}-Q{q % 4 + 1}" for q in range(self.months // 3))

    @cached_property
    def quarter_shares(self) -> FloatArray:
        """Share of its fiscal year in each quarter, shape (months / 3,)."""
        return _readonly(np.bincount(self.quarter_of_month, self.shares).astype(np.float64))

    @property
    def table(self) -> pd.DataFrame:
        """One row per period: month, quarter, fiscal_year, days, share_frac."""
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
        if self.months == 12:
            return self
        return replace(self, months=12, long_years=[y for y in self.long_years if y == self.years[0]])

    def share_from(self, day: str | date | pd.Timestamp) -> float:
        """Return the share of the first fiscal year that falls on or after a day.

        The month of the day counts in proportion to its days, as when an account
        changes hands in mid-month.

        Examples
        --------
        >>> round(Calendar("2026-01").share_from("2026-07-16"), 6)
        0.459677
        """
        when = np.datetime64(pd.Timestamp(day), "D")
        year = self.first_year()
        if when <= year.edges[0]:
            return 1.0
        if when >= year.edges[-1]:
            return 0.0
        position = float(year.grid.position(np.array([when]))[0])
        at = math.floor(position)
        return float((1.0 - (position - at)) * year.shares[at] + year.shares[at + 1 :].sum())

    @property
    def _first_month(self) -> pd.Period:
        """The calendar month that starts nearest to the first day."""
        if self.weeks is None:
            return pd.Period(str(self.fy_start), freq="M")
        return (pd.Timestamp(str(self.fy_start)) + pd.Timedelta(days=15)).to_period("M")

    def _cut(self, years: list[FloatArray]) -> FloatArray:
        """Return the values of whole fiscal years for the periods of the horizon."""
        return np.concatenate(years)[: self.n_periods]

    def _year_edges(self, year: int) -> NDArray[np.datetime64]:
        return self.grid.first_day(np.arange(self.periods_py + 1) + year * self.periods_py)

    def _year_days(self, year: int) -> IntArray:
        return np.diff(self._year_edges(year)).astype(np.int64)

    def _year_shares(self, year: int) -> FloatArray:
        """Return what of a fiscal year falls into each of its periods."""
        if self.season is not None and len(self.season) == self.periods_py:
            return _normalized(self.season)
        weight = np.full(12, 1.0) if self.weeks is None else self._year_days(year).astype(np.float64)
        if self.in_quarter is not None:
            weight = np.tile(np.asarray(self.in_quarter, dtype=np.float64), 4)
        if self.season is None and self.in_quarter is None:
            return _normalized(weight)
        quarter = np.minimum(np.arange(self.periods_py) // 3, 3)
        inside = weight / np.bincount(quarter, weight)[quarter]
        season = np.full(4, 0.25) if self.season is None else _normalized(self.season)
        return np.asarray(season[quarter] * inside, dtype=np.float64)


def _normalized(values: Sequence[float] | NDArray[np.generic]) -> FloatArray:
    weights = np.asarray(values, dtype=np.float64)
    return np.asarray(weights / weights.sum())


def _month_text(value: str | date | pd.Timestamp | pd.Period, found: Findings) -> str:
    try:
        return str(value.asfreq("M") if isinstance(value, pd.Period) else pd.Period(value, freq="M"))
    except (ValueError, TypeError):
        found.add("Calendar.fy_start", "must be a month", got=repr(value), remedy="Write it as '2026-02'.")
        return "1970-01"


def _day_text(value: object, found: Findings) -> str:
    text = value.isoformat()[:10] if hasattr(value, "isoformat") else str(value)
    read, bad = read_dates(pd.Series([text], dtype=object))
    if bad.any() or len(text) != 10:
        remedy = "Write it as '2026-02-01'."
        found.add("Calendar.fy_start", "must be a day where periods are whole weeks", got=repr(value), remedy=remedy)
        return "1970-01-01"
    return f"{read.iloc[0]:%Y-%m-%d}"


def _day_texts(values: Sequence[str | date], found: Findings) -> tuple[str, ...]:
    """Return days as text, in order and without repetition."""
    items = _texts(values)
    read, bad = read_dates(pd.Series(items, dtype=object))
    if bad.any():
        rows = [item for item, wrong in zip(items, bad, strict=True) if wrong]
        remedy = "Write them as 2027-01-31."
        found.add("Calendar.holidays", "must hold dates", rows=rows, kind="holiday", remedy=remedy)
    return tuple(sorted({f"{day:%Y-%m-%d}" for day in read.dropna()}))


def _texts(values: object) -> tuple[str, ...]:
    items = [values] if isinstance(values, str) else list(values)  # type: ignore[call-overload]
    return tuple(item.isoformat()[:10] if hasattr(item, "isoformat") else str(item) for item in items)


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
