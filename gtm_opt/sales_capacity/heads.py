"""Heads at the start and at the end of each period, and who joined and left in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from gtm_opt.model.calendar import Calendar
    from gtm_opt.sales_capacity.roster import Roster

__all__ = ["count_heads", "tabulate_stints"]

_PERIODS = ("month", "quarter", "fiscal_year")
_EVER, _NEVER = pd.Timestamp("1900-01-01"), pd.Timestamp("2200-01-01")


def tabulate_stints(roster: Roster) -> pd.DataFrame:
    """Return one row per stint with dates, the further columns of the roster handed on.

    Returns
    -------
    DataFrame
        ``seat_id``, ``rep_id``, ``role``, ``segment``, ``quota_type``, ``first`` (NaT: has always been there),
        ``last`` (NaT: stays). Seats without a person and without a date are left out.
    """
    first = np.fmax(roster.since, roster.start)
    table = roster.table.drop(columns=["role", "segment", "quota_type", "first", "last"], errors="ignore").assign(
        role=[r.name for r in roster.role],
        segment=roster.table["segment"] if "segment" in roster.table.columns else None,
        quota_type=[r.quota_type for r in roster.role],
        first=pd.to_datetime(first),
        last=pd.to_datetime(roster.last),
    )
    own = [r.segment for r in roster.role]
    table["segment"] = [o if pd.isna(s) else s for s, o in zip(table["segment"], own, strict=True)]
    return table[roster.is_person | ~np.isnat(first)].reset_index(drop=True)


def count_heads(stints: pd.DataFrame, calendar: Calendar, period: str, keys: tuple[str, ...]) -> pd.DataFrame:
    """Return heads by period and group; see `Capacity.heads`."""
    if period not in _PERIODS:
        raise DataError(f"`period` must be one of {', '.join(_PERIODS)}, got {period!r}.")
    unknown = [k for k in keys if k not in stints.columns]
    if unknown:
        raise DataError(
            f"`keys` must name columns of the roster, got '{unknown[0]}'. {did_you_mean(unknown[0], stints.columns)}"
        )
    direct = _joined(stints[stints["quota_type"] != "overlay"], keys)
    first, last = direct["first"].fillna(_EVER), direct["last"].fillna(_NEVER)
    months = calendar.table.assign(at=range(calendar.n_periods))
    groups = [direct[k].astype(object).where(direct[k].notna(), "") for k in keys]
    out = []
    for label, rows in months.groupby(period, sort=False):
        begin = pd.Timestamp(calendar.edges[int(rows["at"].iloc[0])])
        end = pd.Timestamp(calendar.edges[int(rows["at"].iloc[-1]) + 1]) - pd.Timedelta(days=1)
        counts = pd.DataFrame(
            {
                "start": (first < begin) & (last >= begin),
                "joined": (first >= begin) & (first <= end),
                "left": (last >= begin) & (last <= end) & (first <= end),
                "end": (first <= end) & (last > end),
            }
        ).astype(np.int64)
        sums = counts.groupby(groups, sort=True).sum().reset_index() if keys else counts.sum().to_frame().T
        if keys:
            sums.columns = pd.Index([*keys, *counts.columns])
        sums.insert(0, period, label)
        out.append(sums)
    return pd.concat(out, ignore_index=True)


def _joined(stints: pd.DataFrame, keys: tuple[str, ...]) -> pd.DataFrame:
    """Return the stints with those of one person that follow one another made one, unless the groups differ.

    Whoever moves to another seat has neither joined nor left.
    """
    held = stints[stints["rep_id"].notna()].sort_values(["rep_id", "first"], na_position="first", kind="stable")
    open_ = stints[stints["rep_id"].isna()]
    if held.empty:
        return stints
    same = held["rep_id"].eq(held["rep_id"].shift())
    for key in keys:
        same &= held[key].eq(held[key].shift()) | (held[key].isna() & held[key].shift().isna())
    until = held["last"].fillna(_NEVER).groupby(held["rep_id"]).cummax().shift()
    follows = same & (held["first"].fillna(_EVER) <= until + pd.Timedelta(days=1))
    chain = (~follows).cumsum()
    merged = held.groupby(chain, sort=False).first()
    merged["first"] = held["first"].fillna(_EVER).groupby(chain).min()
    merged["last"] = held["last"].fillna(_NEVER).groupby(chain).max()
    return pd.concat([piece for piece in (merged, open_) if len(piece)], ignore_index=True)
