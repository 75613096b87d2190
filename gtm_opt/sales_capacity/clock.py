"""The one clock: how much of each month a stint is there, and how far its ramp has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.model.calendar import Calendar
    from gtm_opt.sales_capacity.roster import Roster

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

Proration = Literal["days", "15th", "next_month"]

__all__ = ["PRORATIONS", "Presence", "presence", "ramp_fractions"]

PRORATIONS = ("days", "15th", "next_month")
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
        First counted day in the seat, in months since the start of the calendar.
    """

    employed: FloatArray
    active: FloatArray
    tenure: IntArray
    elapsed: tuple[FloatArray, FloatArray]
    since_m: FloatArray


def presence(
    roster: Roster, calendar: Calendar, proration: Proration, leaves: pd.DataFrame, pause_after_days: int
) -> Presence:
    """Return how much of each month every stint is there, and its tenure.

    Notes
    -----
    ``"days"`` counts days. ``"15th"`` moves a change on or before the 15th to the first
    of its month and a later one to the first of the next. ``"next_month"`` always moves
    to the next month: the hire month counts nothing, the month of leaving in full.

    Leaves of more than `pause_after_days` days stop the tenure clock.
    """
    if proration not in PRORATIONS:
        raise DataError(f"`proration` must be one of {', '.join(PRORATIONS)}, got {proration!r}.")
    edges = _month_edges(calendar)
    hired = _counted_start(roster.start, proration)
    # either date may be missing: fmax takes the one that is known
    since = np.fmax(_counted_start(roster.since, proration), hired)
    # An open seat without a date stays empty; a rep without one has always been there.
    since = np.where(np.isnat(since), np.where(roster.is_person, _EVER, _NEVER), since)
    stop = _counted_stop(roster.last, proration)
    employed = _overlap(since, stop, edges)
    lost, paused = _leave(roster, leaves, since, stop, edges, pause_after_days)
    known = ~np.isnat(hired)
    hire_month = _month_position(np.where(known, hired, _EVER), edges)
    months = np.arange(calendar.months)
    pauses = np.cumsum(paused, axis=1)
    credit = roster.numbers["tenure_credit_m"][:, None]
    tenure = months[None, :] - np.floor(hire_month)[:, None] + 1 + np.floor(credit) - np.floor(pauses + _EPS)
    tenure = np.where(known[:, None], np.maximum(tenure, 0), RAMPED_M).astype(np.int64)
    since_m = _month_position(since, edges)
    start_at = np.maximum(months[None, :], since_m[:, None])
    end_at = np.minimum(months[None, :] + 1, _month_position(stop, edges)[:, None])
    begun = start_at - hire_month[:, None] + credit - (pauses - paused)
    ended = end_at - hire_month[:, None] + credit - pauses
    begun, ended = (np.where(known[:, None], x, float(RAMPED_M)) for x in (begun, ended))
    return Presence(employed, np.maximum(employed - lost, 0.0), tenure, (begun, ended), since_m)


def ramp_fractions(roster: Roster, clock: Presence, *, quota: bool = False) -> FloatArray:
    """Return the ramp fraction of each stint and month, shape (n, T).

    Stepped ramps (and curves with a start, mid or end convention) go by whole tenure
    months; other curves are averaged over the days the rep is there.
    """
    out = np.empty(clock.employed.shape)
    ramps = [role.quota_ramp if quota else role.ramp for role in roster.role]
    for ramp in dict.fromkeys(ramps):
        rows = np.array([r is ramp or r == ramp for r in ramps], dtype=bool)
        begun, ended = clock.elapsed[0][rows], clock.elapsed[1][rows]
        out[rows] = ramp.over(begun, ended) if ramp.is_curve else ramp.at(clock.tenure[rows])
        out[rows] = np.where(clock.tenure[rows] >= RAMPED_M, 1.0, out[rows])
    return out


def _month_edges(calendar: Calendar) -> NDArray[np.datetime64]:
    """Return the first day of every month and of the one after the last, shape (T + 1,)."""
    first = np.datetime64(str(calendar.fy_start), "M")
    return (first + np.arange(calendar.months + 1)).astype("datetime64[D]")


def _next_month(days: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    return (days.astype("datetime64[M]") + 1).astype("datetime64[D]")


def _counted_start(days: NDArray[np.datetime64], proration: Proration) -> NDArray[np.datetime64]:
    """Return the day from which a start counts."""
    if proration == "days":
        return days
    if proration == "next_month":
        return _next_month(days)
    month = days.astype("datetime64[M]").astype("datetime64[D]")
    early = (days - month) < np.timedelta64(15, "D")
    return np.where(early, month, _next_month(days))


def _counted_stop(last: NDArray[np.datetime64], proration: Proration) -> NDArray[np.datetime64]:
    """Return the first day that no longer counts, given the last day in the seat."""
    gone = last + np.timedelta64(1, "D")
    if proration == "15th":
        gone = _counted_start(gone, proration)
    elif proration == "next_month":
        gone = _next_month(last)
    return np.where(np.isnat(gone), _NEVER, gone)


def _overlap(start: NDArray[np.datetime64], stop: NDArray[np.datetime64], edges: NDArray[np.datetime64]) -> FloatArray:
    """Return the part of each month between start and stop (exclusive), shape (n, T)."""
    first = np.maximum(start[:, None], edges[None, :-1])
    end = np.minimum(stop[:, None], edges[None, 1:])
    days = (end - first) / np.timedelta64(1, "D")
    return np.asarray(np.maximum(days, 0.0) / ((edges[1:] - edges[:-1]) / np.timedelta64(1, "D")))


def _month_position(days: NDArray[np.datetime64], edges: NDArray[np.datetime64]) -> FloatArray:
    """Return days as months since the start of the calendar, fractions by days of the month."""
    month = days.astype("datetime64[M]")
    whole = (month - edges[0].astype("datetime64[M]")).astype(np.int64)
    first = month.astype("datetime64[D]")
    length = ((month + 1).astype("datetime64[D]") - first) / np.timedelta64(1, "D")
    return np.asarray(whole + ((days - first) / np.timedelta64(1, "D")) / length, dtype=np.float64)


def _leave(
    roster: Roster,
    leaves: pd.DataFrame,
    since: NDArray[np.datetime64],
    stop: NDArray[np.datetime64],
    edges: NDArray[np.datetime64],
    pause_after_days: int,
) -> tuple[FloatArray, FloatArray]:
    """Return the part of each month lost to leave, and the part during which tenure stands still."""
    lost = np.zeros((len(roster), len(edges) - 1))
    paused = np.zeros_like(lost)
    begins = leaves["first"].to_numpy().astype("datetime64[D]")
    ends = leaves["last"].to_numpy().astype("datetime64[D]") + np.timedelta64(1, "D")
    lost_frac = leaves["lost_frac"].to_numpy(dtype=np.float64)
    if not len(leaves):
        return lost, paused
    leave, row = _pairs_of(
        leaves["rep_id"].astype(str).to_numpy(dtype=object), roster.table["rep_id"].to_numpy(dtype=object)
    )
    part = _overlap(np.maximum(since[row], begins[leave]), np.minimum(stop[row], ends[leave]), edges)
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
