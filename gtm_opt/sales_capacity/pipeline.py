"""What bookings ask for before they are booked: pipeline, opportunities, people who source them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings
from gtm_opt.sales_capacity.result import read_by_period

if TYPE_CHECKING:
    from gtm_opt.model.calendar import Calendar
    from gtm_opt.sales_capacity.result import ByPeriod

__all__ = ["pipeline_need"]


def pipeline_need(
    target: ByPeriod,
    calendar: Calendar,
    *,
    win_rate: float,
    cycle_m: int = 0,
    deal_size: float | None = None,
    sdr_share: float | None = None,
    opportunities_per_sdr_pm: float | None = None,
) -> pd.DataFrame:
    """Return the pipeline that a bookings target needs, and when it must be there.

    Parameters
    ----------
    target : float, mapping, Series or DataFrame
        Bookings: a number is one fiscal year's, spread by the calendar's season; otherwise by month or quarter.
    calendar : Calendar
    win_rate : float
        Part of the pipeline that is won, in (0, 1].
    cycle_m : int
        Months from qualified opportunity to booking.
    deal_size : float, optional
        Average booking of an opportunity that is won: gives opportunities.
    sdr_share : float, optional
        Part of the opportunities that development reps source, 0 to 1.
    opportunities_per_sdr_pm : float, optional
        Opportunities that one of them sources in a month: with the two above gives their number.

    Returns
    -------
    DataFrame
        One row per month of bookings: ``month``, ``target``, ``needed_by`` (the month, `cycle_m` earlier, in which
        the pipeline must be qualified; it may lie before the plan), ``pipeline`` (target / win rate), and where
        given ``opportunities`` and ``sdrs`` (full-time equivalents in that month).

    Raises
    ------
    DataError
        With every finding, if an argument lies outside its range.

    Examples
    --------
    >>> from gtm_opt import Calendar
    >>> need = pipeline_need(10e6, Calendar("2026-01"), win_rate=0.22, deal_size=60_000, sdr_share=0.6,
    ...                      opportunities_per_sdr_pm=8)
    >>> round(need["pipeline"].sum()), round(float(need["sdrs"].mean()), 4)
    (45454545, 4.7348)
    """
    found = Findings()
    _check("win_rate", win_rate, found, top=1.0)
    if isinstance(cycle_m, bool) or not isinstance(cycle_m, int | np.integer) or cycle_m < 0:
        found.add("cycle_m", "must be a whole number of months, not negative", got=repr(cycle_m))
    if deal_size is not None:
        _check("deal_size", deal_size, found)
    if sdr_share is not None and sdr_share != 0:
        _check("sdr_share", sdr_share, found, top=1.0)
    if opportunities_per_sdr_pm is not None:
        _check("opportunities_per_sdr_pm", opportunities_per_sdr_pm, found)
    if (sdr_share is None) != (opportunities_per_sdr_pm is None) or (sdr_share is not None and deal_size is None):
        remedy = "Pass deal_size, sdr_share and opportunities_per_sdr_pm together, or neither of the last two."
        found.add("sdr_share", "needs deal_size and opportunities_per_sdr_pm", remedy=remedy)
    found.raise_if_any()
    flat = isinstance(target, int | float | np.number)
    months = float(target) * calendar.shares if flat else read_by_period(target, calendar, "target")  # type: ignore[arg-type]
    table = pd.DataFrame({"month": calendar.periods, "target": months})
    table["needed_by"] = _earlier(calendar, int(cycle_m))
    table["pipeline"] = months / win_rate
    if deal_size is not None:
        table["opportunities"] = table["pipeline"] / deal_size
    if sdr_share is not None and opportunities_per_sdr_pm is not None:
        per_period = opportunities_per_sdr_pm * 12.0 / calendar.periods_py
        table["sdrs"] = table["opportunities"] * sdr_share / per_period
    return table


def _earlier(calendar: Calendar, months: int) -> Any:
    """Return the periods that lie some months before those of the calendar."""
    if isinstance(calendar.periods, pd.PeriodIndex):
        return calendar.periods - months
    first = calendar.grid.first_day(np.arange(calendar.n_periods) - round(months * calendar.periods_py / 12))
    return pd.to_datetime(first).strftime("%Y-%m-%d")


def _check(where: str, value: object, found: Findings, top: float = math.inf) -> None:
    good = isinstance(value, int | float | np.number) and not isinstance(value, bool) and 0 < value <= top
    if not good or not math.isfinite(value):  # type: ignore[arg-type]
        rule = "must lie in (0, 1]" if top == 1.0 else "must be a positive number"
        found.add(where, rule, got=repr(value))
