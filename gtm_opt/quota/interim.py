"""Interim owners of seats that nobody fills: nothing, a spiff, or part of the quota for reduced credit."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings
from gtm_opt.model.dates import read_dates
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.model.calendar import Calendar

    FloatArray = NDArray[np.float64]

__all__ = ["RULES", "add_interim_owners"]

RULES = ("nothing", "spiff", "reduced_credit")
_CLOSE = 1e-9
_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class _Cover:
    seat_id: str
    rep_id: str
    start: np.datetime64
    stop: np.datetime64
    rule: str
    credit: float
    spiff: float


def add_interim_owners(table: pd.DataFrame, interim: pd.DataFrame | None, calendar: Calendar) -> pd.DataFrame:
    """Return the rows of sellers with those of interim owners, see `Quotas.sellers`.

    Parameters
    ----------
    table : DataFrame
        Rows per stint and month with ``seat_id``, ``rep_id``, ``status``, ``month``, amounts, and ``_month``.
    interim : DataFrame or None
        ``seat_id``, ``rep_id``, ``start_date``, ``end_date``, ``rule``, and for reduced credit ``credit_frac``, for a
        spiff ``spiff_pm`` (amount per whole month).

    Raises
    ------
    DataError
        With every finding: missing columns, unknown seats and rules, dates that are none, fractions out of range,
        two owners of a seat on one day.
    """
    if interim is None or not len(interim):
        return table
    covers = _read(interim, table, Findings())
    edges = calendar.edges
    rows: list[dict[str, object]] = []
    by_month = table["territory_quota"].groupby([table["seat_id"].astype(str), table["_month"]]).sum().to_dict()
    seats, status = table["seat_id"].astype(str).to_numpy(), table["status"].to_numpy()
    month_of, held_of = table["_month"].to_numpy(), table["hold"].to_numpy(dtype=np.float64).copy()
    for cover in covers:
        days = (np.minimum(cover.stop, edges[1:]) - np.maximum(cover.start, edges[:-1])) / _DAY
        part = np.maximum(days, 0.0) / ((edges[1:] - edges[:-1]) / _DAY)
        for row in np.flatnonzero((seats == cover.seat_id) & (status == "hold") & (part[month_of] > 0)).tolist():
            month, held = int(month_of[row]), float(held_of[row])
            whole = float(by_month[(cover.seat_id, month)])
            # of a month that is open in part, the days of the cover count against the open part
            moved = min(held, whole * float(part[month]))
            asked = moved * cover.credit if cover.rule == "reduced_credit" else 0.0
            held_of[row] -= moved
            rows.append(
                {
                    **{str(name): value for name, value in table.loc[row].items()},
                    "rep_id": cover.rep_id,
                    "status": "interim",
                    "territory_quota": moved,
                    "seller_quota": asked,
                    "hold": moved - asked,
                    "hold_vacant": moved - asked,
                    "spiff": cover.spiff * float(part[month]) if cover.rule == "spiff" else 0.0,
                }
            )
    vacant = status == "hold"
    for column in ("territory_quota", "hold", "hold_vacant"):
        table[column] = np.where(vacant, held_of, table[column].to_numpy(dtype=np.float64))
    table = table.assign(spiff=0.0)
    if not rows:
        return table
    covered = (table["status"] == "hold") & (table["territory_quota"].abs() < _CLOSE)
    out = pd.concat([table[~covered], pd.DataFrame(rows)])
    return out.sort_values(["_seat", "_stint", "_month", "status"], kind="stable", ignore_index=True)


def _read(interim: pd.DataFrame, table: pd.DataFrame, found: Findings) -> list[_Cover]:
    missing = [c for c in ("seat_id", "rep_id", "start_date", "end_date", "rule") if c not in interim.columns]
    if missing:
        found.add("interim", f"must have the columns {', '.join(missing)}", got=", ".join(map(str, interim.columns)))
    found.raise_if_any()
    seats = interim["seat_id"].astype(str)
    known = table["seat_id"].astype(str).unique()
    unknown = seats[~seats.isin(known)]
    if len(unknown):
        remedy = did_you_mean(unknown.iloc[0], known)
        found.add("interim['seat_id']", "must name leaves of the quota tree", rows=unknown, kind="seat", remedy=remedy)
    rules = interim["rule"].fillna("nothing").astype(str)
    if (~rules.isin(RULES)).any():
        got = ", ".join(sorted(set(rules[~rules.isin(RULES)])))
        found.add("interim['rule']", f"must be one of {', '.join(RULES)}", got=got)
    dates = {}
    for column in ("start_date", "end_date"):
        read, bad = read_dates(interim[column].reset_index(drop=True))
        wrong = np.asarray(bad, dtype=bool) | read.isna().to_numpy()
        if wrong.any():
            found.add(f"interim['{column}']", "must hold dates", rows=seats[wrong], kind="seat")
        dates[column] = read
    credit = _numbers(interim, "credit_frac", rules == "reduced_credit", found)
    spiff = _numbers(interim, "spiff_pm", rules == "spiff", found)
    if (credit > 1).any():
        found.add("interim['credit_frac']", "must lie within 0 and 1", rows=seats[credit > 1], kind="seat")
    found.raise_if_any()
    starts = dates["start_date"].to_numpy().astype("datetime64[D]")
    stops = dates["end_date"].to_numpy().astype("datetime64[D]") + _DAY
    reps = interim["rep_id"].astype(str)
    covers = [
        _Cover(seat, rep, start, stop, rule, part, amount)
        for seat, rep, start, stop, rule, part, amount in zip(
            seats, reps, starts, stops, rules, credit.tolist(), spiff.tolist(), strict=True
        )
    ]
    covers.sort(key=lambda cover: (cover.seat_id, cover.start, cover.rep_id))
    reversed_ = [cover.seat_id for cover in covers if cover.stop <= cover.start]
    if reversed_:
        found.add("interim['end_date']", "must not be before start_date", rows=reversed_, kind="seat")
    twice = [b.seat_id for a, b in itertools.pairwise(covers) if a.seat_id == b.seat_id and b.start < a.stop]
    if twice:
        found.add("interim", "must give a seat one interim owner on a day", rows=twice, kind="seat")
    found.raise_if_any()
    return covers


def _numbers(interim: pd.DataFrame, column: str, needed: pd.Series[bool], found: Findings) -> FloatArray:
    if column not in interim.columns:
        if needed.any():
            rule = f"must have the column {column} for this rule"
            found.add("interim", rule, rows=interim.loc[needed, "seat_id"], kind="seat")
        return np.zeros(len(interim))
    numbers = pd.to_numeric(interim[column], errors="coerce")
    wrong = needed & ~(numbers >= 0)
    if wrong.any():
        rule = "must hold numbers, none negative"
        found.add(f"interim['{column}']", rule, rows=interim.loc[wrong, "seat_id"], kind="seat")
    return numbers.fillna(0.0).to_numpy(dtype=np.float64)
