"""Dates and reasons of the seats, and the two tables made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from gtm_opt.model.territories import SeatStatus

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gtm_opt.assignment.inputs import Request

__all__ = ["FILLED", "HIRE", "REPLACE", "last_day", "roster_table", "seat_table"]

FILLED, HIRE, REPLACE = SeatStatus.FILLED.value, SeatStatus.TO_BE_HIRED.value, SeatStatus.TO_BE_REPLACED.value
_OF_THE_SEAT = ("role", "segment", "manager", "manager_id", "region", "territory_factor")


def seat_table(ask: Request, holder: NDArray[np.int64], status: list[str]) -> pd.DataFrame:
    """Return one row per seat: holder, dates, values and reason."""
    rows = []
    for seat, person in enumerate(holder):
        rep = ask.people[person] if person >= 0 else None
        opens = _first_day(ask, seat, rep)
        retained = ask.retained[seat, person] if person >= 0 else 0.0
        rows.append(
            {
                "territory": ask.seats[seat],
                "rep_id": rep,
                "status": status[seat],
                "effective_from": opens,
                "effective_until": last_day(ask, seat, rep),
                "value": ask.value[seat],
                "retained_value": retained,
                "retained_frac": retained / ask.value[seat] if ask.value[seat] > 0 else float("nan"),
                "fit": ask.fit[seat, person] if person >= 0 else float("nan"),
                "reason": _reason(ask, seat, person, opens),
            }
        )
    table = pd.DataFrame(rows)
    table["rep_id"] = table["rep_id"].astype(object).where(table["rep_id"].notna(), None)
    for column in ("effective_from", "effective_until"):
        table[column] = pd.to_datetime(table[column])
    return table


def _first_day(ask: Request, seat: int, rep: str | None) -> pd.Timestamp | None:
    """Return the first day of the holder in the seat, or the expected one of an open seat."""
    if rep is not None:
        start = ask.day(rep, "start_date")
        if start is None or ask.effective is None:
            return start if ask.effective is None else ask.effective
        return max(start, ask.effective)
    if ask.seats[seat] in ask.starts:
        return ask.starts[ask.seats[seat]]
    row = ask.planned[seat]
    if ask.status[seat] == HIRE and row is not None and row in ask.reps.index:
        return ask.day(row, "start_date")
    return None


def last_day(ask: Request, seat: int, rep: str | None) -> pd.Timestamp | None:
    """Return the last day of the holder, or of the rep to be replaced, if it lies within the plan."""
    if rep is None:
        return _last_day(ask, seat)
    end = ask.day(rep, "end_date")
    return None if end is None or (ask.until is not None and end >= ask.until) else end


def _last_day(ask: Request, seat: int) -> pd.Timestamp | None:
    """Return the last day of the rep who leaves a seat to be replaced, if it lies within the plan."""
    rep = ask.planned[seat]
    if ask.status[seat] != REPLACE or rep is None or rep not in ask.reps.index:
        return None
    end = ask.day(rep, "end_date")
    return None if end is None or (ask.effective is not None and end < ask.effective) else end


def _reason(ask: Request, seat: int, person: np.int64, opens: pd.Timestamp | None) -> str:
    if person < 0:
        return _reason_open(ask, seat, opens)
    rep = ask.people[person]
    if seat in ask.fixed_by_user:
        text = "kept by request"
    elif seat in ask.fixed:
        text = "stays in the seat the territory names"
    else:
        text = "matched"
    if ask.value[seat] > 0 and ask.has_owners:
        text += f", owns {ask.retained[seat, person] / ask.value[seat]:.0%} of the value already"
    if ask.has_fit:
        text += f", fit {ask.fit[seat, person]:.2f}"
    if ask.effective is not None and opens is not None and opens > ask.effective:
        text += f", {rep} starts {opens:%Y-%m-%d}"
    leaves = last_day(ask, seat, rep)
    if leaves is not None:
        text += f", {rep} leaves {leaves:%Y-%m-%d}"
    return text


def _reason_open(ask: Request, seat: int, opens: pd.Timestamp | None) -> str:
    expected = f", expected start {opens:%Y-%m-%d}" if opens is not None else ", no start date yet"
    if ask.status[seat] == HIRE:
        return f"planned as to be hired{expected}"
    if ask.status[seat] == REPLACE:
        last = _last_day(ask, seat)
        leaves = f", {ask.planned[seat]} leaves {last:%Y-%m-%d}" if last is not None else ""
        return f"planned as to be replaced{leaves}{expected}"
    if len(ask.people) == 0:
        return "there is no rep to sit here: hire one"
    if ask.forbidden[seat].all():
        return "every rep is forbidden here: lift one of these, or hire"
    if ask.forbidden[seat].any():
        return f"no rep left who is allowed here ({int(ask.forbidden[seat].sum())} of {len(ask.people)} are forbidden)"
    wanted = sum(state == FILLED for state in ask.status)
    return f"no rep left: {len(ask.people)} reps for {wanted} seats to fill"


def roster_table(ask: Request, holder: NDArray[np.int64], table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per stint: holders, leavers until their last day, and expected hires."""
    handed_on = [c for c in ask.reps.columns if c not in ("rep_id", "status", "start_date", "end_date", "seat_id")]
    rows: list[dict[str, object]] = []
    for seat, person in enumerate(holder):
        opens = table.at[seat, "effective_from"]
        own = ask.people[person] if person >= 0 else ask.planned[seat]
        known = ask.reps.loc[own] if own is not None and own in ask.reps.index else None
        further = {c: known[c] for c in handed_on} if known is not None else {}
        base: dict[str, object] = {"seat_id": ask.seats[seat], "status": table.at[seat, "status"]}
        last = _last_day(ask, seat) if person < 0 else None
        if last is not None and known is not None:
            stint = {"rep_id": own, "start_date": known["start_date"], "from_date": ask.effective, "end_date": last}
            rows.append(base | stint | {"status": FILLED} | further)
        if person >= 0 and known is not None:
            end = known["end_date"]
            stint = {"rep_id": own, "start_date": known["start_date"], "from_date": opens, "end_date": end}
        else:
            stint = {"rep_id": None, "start_date": opens, "from_date": opens, "end_date": pd.NaT}
            further = {c: v for c, v in further.items() if c in _OF_THE_SEAT}
        rows.append(base | stint | further)
    columns = ["seat_id", "rep_id", "status", "start_date", "from_date", "end_date", *handed_on]
    roster = pd.DataFrame(rows, columns=columns)
    roster["rep_id"] = roster["rep_id"].astype(object).where(roster["rep_id"].notna(), None)
    for column in ("start_date", "from_date", "end_date"):
        roster[column] = pd.to_datetime(roster[column])
    return roster
