"""`capacity`: what the people on the roster can book, month by month."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, Findings
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.roles import Role, Roles
from gtm_opt.sales_capacity.clock import RAMPED_M, Presence, Proration, presence, ramp_fractions
from gtm_opt.sales_capacity.exits import read_backfills
from gtm_opt.sales_capacity.expected import PARTS, ExpectedCapacity, expected_parts
from gtm_opt.sales_capacity.heads import tabulate_stints
from gtm_opt.sales_capacity.result import Capacity, read_by_period
from gtm_opt.sales_capacity.roster import HasRoster, Roster, read_leaves, read_roster
from gtm_opt.sales_capacity.slots import Slots, follow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from gtm_opt.model.attrition import Attrition
    from gtm_opt.model.calendar import Calendar
    from gtm_opt.sales_capacity.exits import Backfills

__all__ = ["capacity", "check_options", "shares_of", "tabulate_slots", "vacant_rows"]

_EXPECTED = (*PARTS, "expected", "sd", "occupied")

_SHOWN = (
    *("seat_id", "rep_id", "month", "status", "tenure_m", "ramp_frac", "employed_frac", "active_frac"),
    *("vacant_frac", "rre", "capacity", "quarter", "fiscal_year", "role", "segment", "quota_type"),
)
# Roster columns that are used up, or would hide one of the above.
_USED = (
    *_SHOWN,
    *("start_date", "from_date", "end_date", "fte_frac", "tenure_credit_m", "effectiveness", "territory_factor"),
)

_SHARES: dict[str, Callable[[Calendar], NDArray[np.float64]]] = {
    "flat": lambda calendar: calendar.flat_shares,
    "calendar": lambda calendar: calendar.shares,
    "selling_days": lambda calendar: calendar.selling_shares,
}


def shares_of(calendar: Calendar, seasonality: str) -> NDArray[np.float64]:
    """Return what of a year's productivity falls into each period.

    Raises
    ------
    DataError
        For an unknown seasonality.
    """
    if seasonality not in _SHARES:
        raise DataError(f"`seasonality` must be 'flat', 'calendar' or 'selling_days', got {seasonality!r}.")
    return _SHARES[seasonality](calendar)


@takes_tables("leaves", either=("staffing", "judgment"))
def capacity(
    staffing: pd.DataFrame | HasRoster,
    roles: Role | Roles | Sequence[Role],
    calendar: Calendar,
    *,
    proration: Proration = "days",
    leaves: pd.DataFrame | None = None,
    interim_frac: float = 0.0,
    judgment: pd.DataFrame | pd.Series[float] | Mapping[str, float] | None = None,
    seasonality: Literal["flat", "calendar", "selling_days"] = "flat",
    pause_after_days: int = 30,
    currency: str = "",
    attrition: Attrition | None = None,
    backfill: Backfills = None,
) -> Capacity:
    """Compute the productive capacity of every seat and month.

    Parameters
    ----------
    staffing : Staffing or DataFrame
        A staffing, or a roster with one row per stint: ``rep_id`` (empty for a seat to be
        hired), ``seat_id`` (default: the rep's own), ``role``, ``status``,
        ``start_date`` (hire date, tenure counts from it; empty: a ramped rep),
        ``from_date`` (first day in the seat, default the hire date; of two dates the later
        one counts), ``end_date`` (last day), ``fte_frac`` (default: the role's),
        ``assignment_frac`` (part of the person in this seat, default 1; the parts of a seat,
        and those of a person, must not exceed 1 on any day), ``tenure_credit_m``,
        ``effectiveness`` (multiplier of the rep), ``territory_factor`` (multiplier of the seat). Dates are
        inclusive. Further columns can be used in ``by``.
    roles : Role, Roles or sequence of Role
    calendar : Calendar
    proration : {"days", "selling_days", "15th", "next_month"}
        What a partial month counts: its days; its selling days (`Calendar.holidays`); all or nothing by the 15th;
        or always nothing until the next month (and the month of leaving in full).
    leaves : DataFrame, optional
        ``rep_id``, ``start_date``, ``end_date`` and optionally ``capacity_frac``, the part
        of capacity that remains (default 0).
    interim_frac : float
        Part of a ramped rep's productivity that a covered or empty seat yields, 0 to 1.
        An assumption of the planner; 0.2 to 0.3 when a manager or neighbor covers.
    judgment : DataFrame, Series or mapping, optional
        Signed override, an amount, by month (``"2026-03"``) or quarter (``"FY2026-Q1"``, or
        ``"Q1"`` where the calendar has one year); a
        DataFrame has the columns month or quarter, and amount. Kept apart from the model.
    seasonality : {"flat", "calendar", "selling_days"}
        Whether productivity is spread evenly, by the calendar's season or by its selling days. Flat by
        default: growth in ramped reps back-loads the year already.
    pause_after_days : int
        Longer leaves stop the tenure clock.
    currency : str
        Label of the amounts, for display only: "EUR".
    attrition : Attrition, optional
        Who is expected to leave. The certain table stays as it is; the expected one stands beside it, in
        `Capacity.expected`.
    backfill : Backfill or mapping of str to Backfill, optional
        How empty seats are filled again, for everybody or by role, segment and ``"default"`` (None: not at all).
        Default: nobody is replaced.

    Returns
    -------
    Capacity

    Raises
    ------
    DataError
        With every finding in the roster, leaves or options.

    Notes
    -----
    Capacity of stint i in month t (1), and ramped-rep equivalents (2)::

        C_it  = P_k * sigma_t * r_k(a_it) * pi_it * (1 - l_it) * f_i * u_i * theta_i     (1)
        RRE_t = sum_i r_k(a_it) * pi_it * (1 - l_it) * f_i                              (2)

    with productivity P, seasonality sigma, ramp r at tenure month a, presence pi, leave
    l, full-time fraction f, effectiveness u and territory factor theta. A seat that is
    empty for a part v of the month adds ``interim_frac * P * sigma * theta * f * v``.

    Seats to be hired count from their expected start with a new hire's ramp; without one
    they stay empty. The roster is taken as certain: there is no attrition in these
    numbers, so they are the most a plan may count on.

    With `attrition` the person of every stint stays with probability S(t), the product of one minus the monthly
    hazards since the start of the plan or of the stint; successors follow by the renewal equation of
    `seat_output`, from the first of a month on, within the stint. Whoever leaves as planned (``end_date``) is not
    replaced by a backfill: list the successor on the roster.
    """
    check_options(interim_frac, seasonality, pause_after_days)
    known = Roles.of(roles)
    roster = read_roster(staffing, known)
    clock = presence(roster, calendar, proration, read_leaves(leaves, roster), pause_after_days)
    shares = shares_of(calendar, seasonality)
    ramp = ramp_fractions(roster, clock)
    slots = tabulate_slots(roster, clock, ramp, shares, calendar)
    table = pd.concat(
        [_stint_rows(roster, clock, ramp, slots), vacant_rows(roster, clock, shares, interim_frac)],
        ignore_index=True,
    )
    backfills = read_backfills(backfill, known, attrition)
    if attrition is not None:
        attrition.check_roles(known)
        parts = expected_parts(follow(slots, known, attrition, backfills), attrition, interim_frac)
        _add_expected(table, parts)
    order = {seat: at for at, seat in enumerate(dict.fromkeys(roster.table["seat_id"]))}
    table = table.iloc[np.lexsort((table["_t"], table["_stint"], table["seat_id"].map(order)))]
    table = _with_periods(table.reset_index(drop=True), calendar)
    expected = None if attrition is None else ExpectedCapacity(table, calendar, currency)
    table = table.drop(columns=[c for c in _EXPECTED if attrition is not None])
    return Capacity(
        table=table,
        calendar=calendar,
        judgment=read_by_period(judgment, calendar, "judgment"),
        ramp_loss_m={role.name: role.ramp.loss for role in known},
        proration=proration,
        currency=currency,
        stints=tabulate_stints(roster),
        expected=expected,
    )


def check_options(interim_frac: float, seasonality: str, pause_after_days: int) -> None:
    """Check what `capacity` and `simulate` both take.

    Raises
    ------
    DataError
    """
    found = Findings()
    if not 0 <= interim_frac <= 1:
        found.add("interim_frac", "must lie between 0 and 1", got=repr(interim_frac))
    if seasonality not in _SHARES:
        found.add("seasonality", "must be 'flat', 'calendar' or 'selling_days'", got=repr(seasonality))
    if pause_after_days < 0:
        found.add("pause_after_days", "must not be negative", got=repr(pause_after_days))
    found.raise_if_any()


def _fte(roster: Roster) -> NDArray[np.float64]:
    """Return the full-time fraction: the roster's, or the role's where it says nothing."""
    role = np.array([r.fte for r in roster.role])
    if "fte_frac" not in roster.table.columns:
        return role
    return np.where(roster.table["fte_frac"].isna().to_numpy(), role, roster.numbers["fte_frac"])


def tabulate_slots(
    roster: Roster, clock: Presence, ramp: NDArray[np.float64], shares: NDArray[np.float64], calendar: Calendar
) -> Slots:
    """Return what every stint yields in every month, with its person and with an average ramped one."""
    productivity = np.array([r.productivity_py for r in roster.role])
    weight = _fte(roster) * roster.numbers["assignment_frac"]
    average = (productivity * roster.numbers["territory_factor"] * weight)[:, None] * shares[None, :]
    planned = ramp * clock.active * average * roster.numbers["effectiveness"][:, None]  # (1)
    heads = clock.employed * roster.numbers["assignment_frac"][:, None]
    tenure = np.where(clock.employed > 0, np.maximum(clock.tenure, 1), 0)
    return Slots(planned, clock.employed * average, heads, tenure, roster.role, calendar)


def _stint_rows(roster: Roster, clock: Presence, ramp: NDArray[np.float64], slots: Slots) -> pd.DataFrame:
    """Return a row for every month in which a stint is there."""
    stint, month = np.nonzero(clock.employed > 0)
    part = roster.numbers["assignment_frac"]
    rre = ramp * clock.active * (_fte(roster) * part)[:, None]  # (2)
    tenure = clock.tenure[stint, month]
    frame = _keys(roster, stint, month)
    frame["rep_id"] = pd.Series(roster.table["rep_id"].to_numpy(dtype=object)[stint], dtype=object)
    frame["status"] = roster.table["status"].to_numpy(dtype=object)[stint]
    frame["tenure_m"] = pd.array(np.where(tenure >= RAMPED_M, 0, tenure), dtype="Int64")
    frame.loc[tenure >= RAMPED_M, "tenure_m"] = pd.NA
    frame["ramp_frac"] = ramp[stint, month]
    frame["employed_frac"] = clock.employed[stint, month]
    frame["active_frac"] = clock.active[stint, month]
    frame["vacant_frac"] = 0.0
    frame["rre"] = rre[stint, month]
    frame["capacity"] = slots.planned[stint, month]
    return frame


def _add_expected(table: pd.DataFrame, parts: dict[str, NDArray[np.float64]]) -> None:
    """Write the expected amounts of every row into the table; a seat that is empty by plan yields what it yields."""
    filled = table["employed_frac"].to_numpy() > 0
    stint, month = table["_stint"].to_numpy(), table["_t"].to_numpy()
    for column in _EXPECTED:
        planned = table["capacity"].to_numpy() if column == "expected" else 0.0
        table[column] = np.where(filled, parts[column][stint, month], planned)


def vacant_rows(roster: Roster, clock: Presence, shares: NDArray[np.float64], interim_frac: float) -> pd.DataFrame:
    """Return a row for every month in which a seat is empty for some days."""
    seats, first = np.unique(roster.table["seat_id"].astype(str), return_index=True)
    seat = pd.Index(seats).get_indexer(pd.Index(roster.table["seat_id"].astype(str)))
    present = np.zeros((len(seats), clock.employed.shape[1]))
    np.add.at(present, seat, clock.employed * roster.numbers["assignment_frac"][:, None])
    vacant = np.maximum(1.0 - present, 0.0)
    vacant[vacant < 1e-9] = 0.0
    at, month = np.nonzero(vacant > 0)
    stint = first[at]
    productivity = np.array([r.productivity_py for r in roster.role])[stint]
    worth = productivity * roster.numbers["territory_factor"][stint] * _fte(roster)[stint]
    frame = _keys(roster, stint, month)
    frame["rep_id"] = pd.Series([None] * len(frame), dtype=object)
    # Before anybody sits there a seat is to be hired; afterwards it is to be replaced.
    entered = np.full(len(seats), np.inf)
    np.minimum.at(entered, seat, clock.since_m)
    planned = pd.Series(roster.table["status"].to_numpy() == "to be replaced").groupby(seat).any().to_numpy()
    frame["status"] = np.where((month > np.floor(entered[at])) | planned[at], "to be replaced", "to be hired")
    frame["tenure_m"] = pd.array([pd.NA] * len(frame), dtype="Int64")
    for column in ("ramp_frac", "employed_frac", "active_frac", "rre"):
        frame[column] = 0.0
    frame["vacant_frac"] = vacant[at, month]
    frame["capacity"] = interim_frac * worth * shares[month] * vacant[at, month]
    return frame


def _keys(roster: Roster, stint: NDArray[np.int64], month: NDArray[np.int64]) -> pd.DataFrame:
    """Return the columns that say which seat, role and month a row is about."""
    frame = pd.DataFrame({"_stint": stint, "_t": month})
    frame["seat_id"] = roster.table["seat_id"].to_numpy(dtype=object)[stint]
    roles = [roster.role[s] for s in stint]
    frame["role"] = np.array([r.name for r in roles], dtype=object)
    own = roster.table["segment"].to_numpy(dtype=object)[stint] if "segment" in roster.table.columns else None
    frame["segment"] = np.array([r.segment for r in roles], dtype=object)
    if own is not None:
        frame["segment"] = np.where(pd.isna(own), frame["segment"].to_numpy(), own)
    frame["quota_type"] = np.array([r.quota_type for r in roles], dtype=object)
    for column in roster.table.columns:
        if column not in _USED:
            frame[column] = roster.table[column].to_numpy()[stint]
    return frame


def _with_periods(table: pd.DataFrame, calendar: Calendar) -> pd.DataFrame:
    months = calendar.table.iloc[table["_t"].to_numpy()].reset_index(drop=True)
    table = table.assign(month=months["month"], quarter=months["quarter"], fiscal_year=months["fiscal_year"])
    further = [c for c in table.columns if c not in _SHOWN and not str(c).startswith("_")]
    return table[[*_SHOWN, *further]]
