"""Seasonality out of monthly bookings, growth taken out and shrunk to flat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings
from gtm_opt.model.calendar import Calendar
from gtm_opt.model.frames import takes_tables
from gtm_opt.sales_capacity.fits.read import need_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

__all__ = ["SeasonalityFit", "fit_seasonality"]

_FEWEST_YEARS = 3


@dataclass(frozen=True, eq=False)
class SeasonalityFit:
    """Shares of a fiscal year.

    Attributes
    ----------
    season : tuple of 12 float
        Share of the year in each fiscal month, shrunk; sums to 1. What `gtm_opt.Calendar` takes.
    table : DataFrame
        One row per fiscal month: ``month`` (1 is the first), ``share`` (shrunk), ``se`` (of the share, from the scatter
        between years; NaN with one), ``unshrunk``, ``naive`` (average share of the year's bookings, growth included).
    years : int
        Years behind every month.
    shrinkage : float
        Weight of the data, years / (years + 2); the rest is flat.
    fy_start_month : int
        Calendar month in which the fiscal year begins.
    warning : str
        What the sample cannot say; empty where there is enough.
    """

    season: tuple[float, ...]
    table: pd.DataFrame
    years: int
    shrinkage: float
    fy_start_month: int
    warning: str = ""

    @property
    def quarters(self) -> tuple[float, ...]:
        """Share of the year in each fiscal quarter."""
        return tuple(float(q) for q in np.asarray(self.season).reshape(4, 3).sum(axis=1))

    def calendar(self, year: int, **words: Any) -> Calendar:
        """Return a calendar whose fiscal year starts in ``year``, with this season; see `gtm_opt.Calendar`."""
        return Calendar(f"{year}-{self.fy_start_month:02d}", season=self.season, **words)

    def summary(self) -> pd.DataFrame:
        """Return `table`."""
        return self.table

    def __repr__(self) -> str:
        parts = "/".join(f"{100 * q:.1f}" for q in self.quarters)
        text = f"SeasonalityFit: quarters {parts} % from {self.years} years, data weighted {self.shrinkage:.0%}"
        return f"{text}. {self.warning}".rstrip()


@takes_tables(either=("history",))
def fit_seasonality(history: pd.DataFrame | pd.Series[float], *, fy_start_month: int = 1) -> SeasonalityFit:
    """Fit the seasonality of monthly bookings.

    Parameters
    ----------
    history : DataFrame or Series
        Bookings by calendar month, at least 24 consecutive ones: a Series indexed by month, or a DataFrame with
        ``month`` and ``amount``.
    fy_start_month : int
        Calendar month in which the fiscal year begins, 1 to 12.

    Returns
    -------
    SeasonalityFit

    Raises
    ------
    DataError
        For months that are missing, twice or unreadable, non-numeric amounts, less than 24 months.

    Notes
    -----
    Ratio to the centered moving total of twelve months, averaged by month over the years and scaled to sum to 1, then
    shrunk to flat with weight n / (n + 2) for n years. Plain shares of the year mistake growth for seasonality:
    a team that grows 40 % a year books more in December whatever the season.
    """
    found = Findings()
    if isinstance(fy_start_month, bool) or fy_start_month not in range(1, 13):
        found.add("fy_start_month", "must be 1 to 12", got=repr(fy_start_month))
    months, amounts = _read(history, found)
    # a centered year: half a month at both ends
    weights = np.array([0.5, *[1.0] * 11, 0.5])
    centered = np.convolve(amounts, weights, mode="valid")
    ratio = amounts[6:-6] / centered
    position = (months.month[6:-6].to_numpy() - fy_start_month) % 12
    by_month = [ratio[position == k] for k in range(12)]
    years = min(len(values) for values in by_month)
    mean = np.array([values.mean() for values in by_month])
    scale = mean.sum()
    unshrunk = mean / scale
    weight = years / (years + 2.0)
    season = weight * unshrunk + (1.0 - weight) / 12.0
    spread = np.array([v.std(ddof=1) / np.sqrt(len(v)) if len(v) > 1 else np.nan for v in by_month])
    table = pd.DataFrame(
        {
            "month": range(1, 13),
            "share": season,
            "se": weight * spread / scale,
            "unshrunk": unshrunk,
            "naive": _naive(months, amounts, fy_start_month),
        }
    )
    warning = ""
    if years < _FEWEST_YEARS:
        word = "year" if years == 1 else "years"
        warning = f"{years} {word} of ratios cannot tell a season from chance: gather {_FEWEST_YEARS} or more."
    return SeasonalityFit(tuple(float(s) for s in season / season.sum()), table, years, weight, fy_start_month, warning)


def _read(history: object, found: Findings) -> tuple[pd.PeriodIndex, FloatArray]:
    if isinstance(history, pd.DataFrame):
        need_columns(history, ("month", "amount"), found)
        history = history.set_index("month")["amount"]
    if not isinstance(history, pd.Series):
        found.add("history", "must be a Series by month or a DataFrame", got=type(history).__name__)
        found.raise_if_any()
    assert isinstance(history, pd.Series)
    try:
        months = pd.PeriodIndex([m if isinstance(m, pd.Period) else pd.Period(m, freq="M") for m in history.index])
        months = months.asfreq("M")
    except (ValueError, TypeError):
        remedy = "Write them as 2025-03."
        found.add("history['month']", "must hold months", got=repr(list(history.index[:3])), remedy=remedy)
        found.raise_if_any()
    amounts = pd.to_numeric(history, errors="coerce").to_numpy(dtype=np.float64)
    if not np.isfinite(amounts).all() or (amounts < 0).any():
        wrong = [str(m) for m in months[~(np.isfinite(amounts) & (amounts >= 0))]]
        rule = "must hold finite numbers, none negative"
        found.add("history['amount']", rule, rows=wrong, kind="month")
    order = np.argsort(months.asi8, kind="stable")
    months, amounts = months[order], amounts[order]
    wanted = pd.period_range(months[0], months[-1], freq="M")
    if not months.is_unique or len(months) != len(wanted):
        missing = [str(m) for m in wanted.difference(months)] or [str(m) for m in months[months.duplicated()]]
        rule = "must have every month from the first to the last, once"
        found.add("history['month']", rule, rows=missing, kind="month")
    if len(months) < 24:
        found.add("history", "must have at least 24 months", got=f"{len(months)}")
    if not amounts.any():
        found.add("history['amount']", "must not be all zero")
    found.raise_if_any()
    if (np.convolve(amounts, np.ones(12), mode="valid") <= 0).any():
        found.add("history['amount']", "must not be zero for a whole year")
        found.raise_if_any()
    return months, amounts


def _naive(months: pd.PeriodIndex, amounts: FloatArray, fy_start_month: int) -> FloatArray:
    """Return the average share of whole fiscal years; NaN where there is none."""
    position = (months.month.to_numpy() - fy_start_month) % 12
    first = int(np.argmax(position == 0))
    whole = (len(amounts) - first) // 12
    if whole == 0:
        return np.full(12, np.nan)
    years = amounts[first : first + 12 * whole].reshape(whole, 12)
    totals = years.sum(axis=1, keepdims=True)
    return np.asarray((years / np.where(totals > 0, totals, np.nan)).mean(axis=0))
