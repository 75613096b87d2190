"""Weeks-based fiscal years: periods of four and five whole weeks (4-4-5 and its relatives), 52 or 53 weeks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

__all__ = ["WeekCalendar"]

_PATTERNS = ((4, 4, 5), (4, 5, 4), (5, 4, 4))


@dataclass(frozen=True)
class WeekCalendar:
    """A fiscal year of 52 or 53 whole weeks in four quarters of three periods each.

    Parameters
    ----------
    start : str, date or Timestamp
        First day of the year, which is the first day of every week.
    pattern : tuple of three int
        Weeks of the three periods of each quarter: (4, 4, 5), (4, 5, 4) or (5, 4, 4).
    weeks : {52, 53}
        The 53rd week belongs to the last period.
    season : sequence of 4 or 12 floats, optional
        Share of the year's money in each quarter or period; non-negative, sums to 1. Default: by weeks.
        Inside a quarter of four shares periods go by their weeks, inside a period all weeks are alike.

    Raises
    ------
    DataError
        With every finding, if a field breaks its rule.

    Examples
    --------
    >>> year = WeekCalendar("2026-02-01")
    >>> year.table.loc[[0, 51], ["week", "period", "quarter"]].to_numpy().tolist()
    [['W01', 'P01', 'Q1'], ['W52', 'P12', 'Q4']]
    >>> year.end.date().isoformat()
    '2027-01-30'
    """

    start: str | date | pd.Timestamp
    pattern: tuple[int, int, int] = (4, 4, 5)
    weeks: int = 52
    season: Sequence[float] | None = None

    def __post_init__(self) -> None:
        found = Findings()
        try:
            object.__setattr__(self, "start", str(pd.Timestamp(self.start).date()))
        except (ValueError, TypeError):
            found.add("WeekCalendar.start", "must be a day", got=repr(self.start), remedy="Write it as '2026-02-01'.")
        pattern = tuple(self.pattern) if isinstance(self.pattern, list | tuple) else self.pattern
        object.__setattr__(self, "pattern", pattern)
        if pattern not in _PATTERNS:
            found.add("WeekCalendar.pattern", "must be (4, 4, 5), (4, 5, 4) or (5, 4, 4)", got=repr(self.pattern))
        if self.weeks not in (52, 53):
            found.add("WeekCalendar.weeks", "must be 52 or 53", got=repr(self.weeks))
        if self.season is not None:
            object.__setattr__(self, "season", _read_season(self.season, found))
        found.raise_if_any()

    @cached_property
    def period_of_week(self) -> NDArray[np.int64]:
        """Position of each week's period, shape (weeks,)."""
        lengths = list(self.pattern) * 4
        lengths[-1] += self.weeks - 52
        return np.repeat(np.arange(12, dtype=np.int64), lengths)

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """Share of the year in each week, shape (weeks,); sums to 1."""
        length = np.bincount(self.period_of_week).astype(np.float64)
        season = length / length.sum() if self.season is None else np.asarray(self.season, dtype=np.float64)
        if len(season) == 4:
            inside = length.reshape(4, 3)
            season = (season[:, None] * inside / inside.sum(axis=1, keepdims=True)).ravel()
        return np.asarray((season / length / season.sum())[self.period_of_week], dtype=np.float64)

    @property
    def end(self) -> pd.Timestamp:
        """The last day of the year, inclusive."""
        return pd.Timestamp(str(self.start)) + pd.Timedelta(days=7 * self.weeks - 1)

    @property
    def table(self) -> pd.DataFrame:
        """One row per week: week, period, quarter, first_day, last_day, share_frac."""
        first = pd.Timestamp(str(self.start)) + pd.to_timedelta(7 * np.arange(self.weeks), unit="D")
        period = self.period_of_week
        return pd.DataFrame(
            {
                "week": [f"W{n:02d}" for n in range(1, self.weeks + 1)],
                "period": [f"P{p + 1:02d}" for p in period],
                "quarter": [f"Q{p // 3 + 1}" for p in period],
                "first_day": first,
                "last_day": first + pd.Timedelta(days=6),
                "share_frac": self.shares,
            }
        )


def _read_season(values: Sequence[float], found: Findings) -> tuple[float, ...] | None:
    try:
        shares = tuple(float(v) for v in values)
    except (TypeError, ValueError):
        found.add("WeekCalendar.season", "must be a sequence of numbers", got=repr(values))
        return None
    if len(shares) not in (4, 12):
        found.add("WeekCalendar.season", "must have 4 or 12 numbers", got=f"{len(shares)}")
    elif not all(math.isfinite(s) and s >= 0 for s in shares):
        found.add("WeekCalendar.season", "must hold finite numbers, none negative", got=repr(shares))
    elif abs(math.fsum(shares) - 1) > 1e-6:
        found.add("WeekCalendar.season", "must sum to 1", got=f"{math.fsum(shares):g}")
    return shares
