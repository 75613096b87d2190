"""The one clock: how much of each month a stint is there, and how far its ramp has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, shorten

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.model.calendar import Calendar
    from gtm_opt.sales_capacity.roster import Roster

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

Proration = Literal["days", "selling_days", "15th", "next_month"]

__all__ = ["PRORATIONS", "Presence", "presence", "ramp_fractions"]

PRORATIONS = ("days", "selling_days", "15th", "next_month")
RAMPED_M = 10_000
_EVER, _NEVER = np.datetime64("1900-01-01"), np.datetime64("2200-01-01")
_EPS = 1e-9


@dataclass(frozen=True, eq=False)
class Presence:
    """What the clock says, one row per stint and one column per month.

    Attributes
    ----------
    employed : ndarray of shape (n, T)
        Part of the month's days in the seat, 0 to 1.
    active : ndarray of shape (n, T)
        The same without leave.
    tenure : ndarray of int, shape (n, T)
        Tenure month: 1 in the month of hire, `RAMPED_M` where the hire date is unknown.
    elapsed : tuple of two ndarray of shape (n, T)
        Months in role at the first and at the last moment in the month.
    since_m : ndarray of shape (n,)
        First counted day in the seat, in periods since the start of the calendar.
    months_per_period : float
        1, or 12 / 13 for years of thirteen periods, where stepped ramps are averaged over the period too.
    """

    employed: FloatArray
    active: FloatArray
    tenure: IntArray
    elapsed: tuple[FloatArray, FloatArray]
    since_m: FloatArray
    months_per_period: float = 1.0


def presence(
    roster: Roster, calendar: Calendar, proration: Proration, leaves: pd.DataFrame, pause_after_days: int
) -> Presence:
    """Return how much of each month every stint is there, and its tenure.

    Notes
    -----
    ``"days"`` counts days, ``"selling_days"`` those on which the calendar says that something is sold.
    ``"15th"`` moves a change on or before the 15th to the first
    of its month and a later one to the first of the next. ``"next_month"`` always moves
    to the next month: the hire month counts nothing, the month of leaving in full.

    Leaves of more than `pause_after_days` days stop the tenure clock.
    """
    if proration not in PRORATIONS:
        raise DataError(f"`proration` must be one of {', '.join(PRORATIONS)}, got {proration!r}.")
    hired = _counted_start(roster.start, proration, calendar)
    # either date may be missing: fmax takes the one that is known
    since = np.fmax(_counted_start(roster.since, proration, calendar), hired)
    # An open seat without a date stays empty; a rep without one has always been there.
    since = np.where(np.isnat(since), np.where(roster.is_person, _EVER, _NEVER), since)
    stop = _counted_stop(roster.last, proration, calendar)
    days = _Days(calendar, selling=proration == "selling_days")
    employed = days.overlap(since, stop)
    lost, paused = _leave(roster, leaves, since, stop, days, pause_after_days)
    known = ~np.isnat(hired)
    hire_month = calendar.grid.position(np.where(known, hired, _EVER))
    months = np.arange(calendar.n_periods)
    pauses = np.cumsum(paused, axis=1)
    credit = roster.numbers["tenure_credit_m"][:, None]
    tenure = months[None, :] - np.floor(hire_month)[:, None] + 1 + np.floor(credit) - np.floor(pauses + _EPS)
    tenure = np.where(known[:, None], np.maximum(tenure, 0), RAMPED_M).astype(np.int64)
    since_m = calendar.grid.position(since)
    start_at = np.maximum(months[None, :], since_m[:, None])
    end_at = np.minimum(months[None, :] + 1, calendar.grid.position(stop)[:, None])
    begun = start_at - hire_month[:, None] + credit - (pauses - paused)
    ended = end_at - hire_month[:, None] + credit - pauses
    per_period = 12.0 / calendar.periods_py
    begun, ended = (np.where(known[:, None], x * per_period, float(RAMPED_M)) for x in (begun, ended))
    return Presence(employed, np.maximum(employed - lost, 0.0), tenure, (begun, ended), since_m, per_period)


def ramp_fractions(roster: Roster, clock: Presence, *, quota: bool = False) -> FloatArray:
    """Return the ramp fraction of each stint and month, shape (n, T).

    Stepped ramps (and curves with a start, mid or end convention) go by whole tenure
    months; other curves are averaged over the days the rep is there.
    """
    out = np.empty(clock.employed.shape)
    ramps = [role.quota_ramp if quota else role.ramp for role in roster.role]
    averaged = clock.months_per_period != 1.0
    for ramp in dict.fromkeys(ramps):
        rows = np.array([r is ramp or r == ramp for r in ramps], dtype=bool)
        begun, ended = clock.elapsed[0][rows], clock.elapsed[1][rows]
        out[rows] = ramp.over(begun, ended) if averaged or ramp.is_curve else ramp.at(clock.tenure[rows])
        out[rows] = np.where(clock.tenure[rows] >= RAMPED_M, 1.0, out[rows])
    return out


class _Days:
    """Counts the days, or selling days, that lie in each period of a calendar."""

    def __init__(self, calendar: Calendar, *, selling: bool) -> None:
        self.calendar, self.selling = calendar, selling
        self.edges = calendar.edges
        self.lengths = (calendar.selling_days if selling else calendar.days).astype(np.float64)
        if not self.lengths.all():
            empty = [calendar.labels[t] for t in np.flatnonzero(self.lengths == 0)]
            raise DataError(
                f"`proration` must not be 'selling_days' where a period has none: {shorten(empty)}.\n"
                "    Correct the holidays or the weekmask of the calendar."
            )

    def overlap(self, start: NDArray[np.datetime64], stop: NDArray[np.datetime64]) -> FloatArray:
        """Return the part of each period between start and stop (exclusive), shape (n, T)."""
        first = np.maximum(start[:, None], self.edges[None, :-1])
        end = np.minimum(stop[:, None], self.edges[None, 1:])
        if self.selling:
            days = self.calendar.count_selling_days(first, end).astype(np.float64)
        else:
            days = (end - first) / np.timedelta64(1, "D")
        return np.asarray(np.maximum(days, 0.0) / self.lengths)


def _next_period(days: NDArray[np.datetime64], calendar: Calendar) -> NDArray[np.datetime64]:
    at = np.floor(calendar.grid.position(days)).astype(np.int64)
    return np.where(np.isnat(days), days, calendar.grid.first_day(at + 1))


def _counted_start(days: NDArray[np.datetime64], proration: Proration, calendar: Calendar) -> NDArray[np.datetime64]:
    """Return the day from which a start counts."""
    if proration in ("days", "selling_days"):
        return days
    if proration == "next_month":
        return _next_period(days, calendar)
    at = np.floor(calendar.grid.position(days)).astype(np.int64)
    begin = np.where(np.isnat(days), days, calendar.grid.first_day(at))
    early = (days - begin) < np.timedelta64(15, "D")
    return np.where(early, begin, _next_period(days, calendar))


def _counted_stop(last: NDArray[np.datetime64], proration: Proration, calendar: Calendar) -> NDArray[np.datetime64]:
    """Return the first day that no longer counts, given the last day in the seat."""
    gone = last + np.timedelta64(1, "D")
    if proration == "15th":
        gone = _counted_start(gone, proration, calendar)
    elif proration == "next_month":
        gone = _next_period(last, calendar)
    return np.where(np.isnat(gone), _NEVER, gone)


def _leave(
    roster: Roster,
    leaves: pd.DataFrame,
    since: NDArray[np.datetime64],
    stop: NDArray[np.datetime64],
    days: _Days,
    pause_after_days: int,
) -> tuple[FloatArray, FloatArray]:
    """Return the part of each month lost to leave, and the part during which tenure stands still."""
    lost = np.zeros((len(roster), len(days.lengths)))
    paused = np.zeros_like(lost)
    begins = leaves["first"].to_numpy().astype("datetime64[D]")
    ends = leaves["last"].to_numpy().astype("datetime64[D]") + np.timedelta64(1, "D")
    lost_frac = leaves["lost_frac"].to_numpy(dtype=np.float64)
    if not len(leaves):
        return lost, paused
    leave, row = _pairs_of(
        leaves["rep_id"].astype(str).to_numpy(dtype=object), roster.table["rep_id"].to_numpy(dtype=object)
    )
    part = days.overlap(np.maximum(since[row], begins[leave]), np.minimum(stop[row], ends[leave]))
    np.add.at(lost, row, part * lost_frac[leave][:, None])
    long = (ends - begins)[leave] / np.timedelta64(1, "D") > pause_after_days
    np.add.at(paused, row[long], part[long])
    return np.minimum(lost, 1.0), np.minimum(paused, 1.0)


def _pairs_of(left: NDArray[np.object_], right: NDArray[np.object_]) -> tuple[IntArray, IntArray]:
    """Return the positions of all equal pairs, by ``left`` and then ``right``: one join for all leaves."""
    codes, known = pd.factorize(pd.Series(right, dtype=object))
    order = np.argsort(codes, kind="stable")
    count = np.bincount(codes[codes >= 0], minlength=len(known))
    start = np.concatenate([[0], np.cumsum(count)])[:-1] + int((codes < 0).sum())
    at = pd.Index(known).get_indexer(pd.Index(left))
    found = np.flatnonzero(at >= 0)
    lengths = count[at[found]]
    pair_left = np.repeat(found, lengths)
    offset = np.arange(len(pair_left)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return pair_left, order[np.repeat(start[at[found]], lengths) + offset]
