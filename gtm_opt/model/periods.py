"""Where fiscal periods begin and end, as days: calendar months, or patterns of whole weeks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]
    DayArray = NDArray[np.datetime64]

__all__ = ["WEEKS", "Grid", "Weeks", "month_grid", "week_grid"]

Weeks = Literal["4-4-5", "4-5-4", "5-4-4", "13x4"]
"""How many weeks the periods of a quarter have; ``"13x4"`` are thirteen periods of four weeks."""
WEEKS: dict[str, tuple[int, ...]] = {
    "4-4-5": (4, 4, 5) * 4,
    "4-5-4": (4, 5, 4) * 4,
    "5-4-4": (5, 4, 4) * 4,
    "13x4": (4,) * 13,
}
_FIRST, _LAST = np.datetime64("1890-01-01", "D"), np.datetime64("2210-01-01", "D")
_WEEK = np.timedelta64(7, "D")


@dataclass(frozen=True, eq=False)
class Grid:
    """First days of consecutive periods from 1890 to 2210, and which of them begins the plan.

    Attributes
    ----------
    edges : ndarray of datetime64[D], sorted
    origin : int
        Position of the first period of the plan in ``edges``.
    """

    edges: DayArray
    origin: int

    def first_day(self, period: IntArray | int) -> DayArray:
        """Return the first days of periods, counted from the plan's first (negative: before it)."""
        at = np.clip(np.asarray(period) + self.origin, 0, len(self.edges) - 1)
        return np.asarray(self.edges[at])

    def position(self, days: DayArray) -> FloatArray:
        """Return days as periods since the start of the plan, fractions by the days of the period (NaT: 1890)."""
        inside = np.clip(np.where(np.isnat(days), _FIRST, days), _FIRST, _LAST)
        at = np.searchsorted(self.edges, inside, side="right") - 1
        at = np.clip(at, 0, len(self.edges) - 2)
        begin, end = self.edges[at], self.edges[at + 1]
        fraction = (inside - begin) / np.timedelta64(1, "D") / ((end - begin) / np.timedelta64(1, "D"))
        return np.asarray(at - self.origin + fraction, dtype=np.float64)


def month_grid(first: str) -> Grid:
    """Return the grid of calendar months whose plan starts in the month ``first`` (``"2026-02"``)."""
    months = np.arange(_FIRST.astype("datetime64[M]"), _LAST.astype("datetime64[M]") + 2)
    return Grid(months.astype("datetime64[D]"), int(np.searchsorted(months, np.datetime64(first, "M"))))


def week_grid(first: np.datetime64, weeks: Weeks, long_years: tuple[int, ...]) -> Grid:
    """Return the grid of a year of whole weeks.

    Parameters
    ----------
    first : datetime64[D]
        First day of the plan's first fiscal year.
    weeks : str
        A key of `WEEKS`.
    long_years : tuple of int
        Positions of the fiscal years with 53 weeks, 0 for the first; their last period is a week longer. Years
        before the plan have 52.
    """
    pattern = np.array(WEEKS[weeks], dtype=np.int64)
    before = int((first - _FIRST) / (52 * _WEEK)) + 1
    after = int((_LAST - first) / (52 * _WEEK)) + 2
    lengths = np.tile(pattern, (before + after, 1))
    for year in long_years:
        lengths[before + year, -1] += 1
    days = np.concatenate([[0], np.cumsum(lengths.ravel())]) * 7 - before * 364
    return Grid(first + days.astype("timedelta64[D]"), before * len(pattern))
