"""From territory quota to seller quota: presence, ramp, and what the manager holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings
from gtm_opt.model.roles import Role, Roles
from gtm_opt.model.tables import did_you_mean
from gtm_opt.quota.adjustments import spread_adjustments
from gtm_opt.quota.interim import add_interim_owners
from gtm_opt.sales_capacity import (
    HasRoster,
    Proration,
    Roster,
    presence,
    ramp_fractions,
    read_leaves,
    read_roster,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gtm_opt.model.calendar import Calendar

__all__ = ["seller_quotas"]

_NEVER_PAUSED = 10**6
_CLOSE = 1e-9
_REASONS = ("hold_vacant", "hold_ramp", "hold_leave", "hold_relief")
_COLUMNS = (
    *("seat_id", "rep_id", "status", "month", "territory_quota", "adjustment", "seller_quota", "hold"),
    *_REASONS,
)


def seller_quotas(
    months: pd.DataFrame,
    staffing: pd.DataFrame | HasRoster,
    roles: Role | Roles | Sequence[Role],
    calendar: Calendar,
    proration: Proration,
    leaves: pd.DataFrame | None = None,
    adjustments: pd.DataFrame | Mapping[str, float] | None = None,
    interim: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return seller quota and hold per stint and month; see `Quotas.sellers`.

    Parameters
    ----------
    months : DataFrame of shape (n_territories, 12)
        Territory quota, indexed by territory.
    """
    roster = _direct(read_roster(staffing, Roles.of(roles)))
    seat = _seats(roster, months)
    clock = presence(roster, calendar, proration, read_leaves(leaves, roster), _NEVER_PAUSED)
    part = clock.employed * roster.numbers["assignment_frac"][:, None]
    carried = np.zeros(months.shape)
    np.add.at(carried, seat, part)
    _check_parts(carried, months, calendar)
    territory = months.to_numpy(dtype=np.float64)
    at_work = np.divide(clock.active, clock.employed, out=np.ones_like(clock.active), where=clock.employed > 0)
    stints = _stint_rows(roster, seat, part, ramp_fractions(roster, clock, quota=True), at_work, territory)
    stints["adjustment"] = spread_adjustments(stints, months.index, calendar, adjustments)
    stints["seller_quota"] += stints["adjustment"]
    stints["hold"] -= stints["adjustment"]
    stints["hold_relief"] = -stints["adjustment"] + 0.0
    rest = np.maximum(1.0 - carried, 0.0)
    rest[rest < _CLOSE] = 0.0
    table = pd.concat([stints, _hold_rows(rest, territory)], ignore_index=True)
    table = table.sort_values(["_seat", "_stint", "_month"], kind="stable", ignore_index=True)
    table.insert(0, "seat_id", months.index.to_numpy(dtype=object)[table["_seat"].to_numpy()])
    table = add_interim_owners(table, interim, calendar)
    table.insert(3, "month", calendar.periods[table["_month"].to_numpy()])
    return table[[*_COLUMNS, *(["spiff"] if "spiff" in table.columns else [])]]


def _direct(roster: Roster) -> Roster:
    """Return the roster without overlay roles: their quota repeats that of the seats they support."""
    keep = np.array([role.quota_type != "overlay" for role in roster.role], dtype=bool)
    return Roster(
        roster.table[keep].reset_index(drop=True),
        roster.start[keep],
        roster.since[keep],
        roster.last[keep],
        [role for role, kept in zip(roster.role, keep, strict=True) if kept],
        {name: values[keep] for name, values in roster.numbers.items()},
    )


def _seats(roster: Roster, months: pd.DataFrame) -> NDArray[np.int64]:
    ids = pd.Index(roster.table["seat_id"].astype(str))
    seat = months.index.get_indexer(ids)
    if (seat < 0).any():
        found = Findings()
        unknown = ids[np.flatnonzero(seat < 0)].unique()
        found.add(
            "roster['seat_id']",
            "must name leaves of the quota tree",
            rows=unknown,
            kind="seat",
            remedy=did_you_mean(unknown[0], months.index),
        )
        found.raise_if_any()
    return seat.astype(np.int64)


def _check_parts(carried: NDArray[np.float64], months: pd.DataFrame, calendar: Calendar) -> None:
    over = carried > 1.0 + 1e-6
    if over.any():
        found = Findings()
        seat, month = np.argwhere(over)[0]
        found.add(
            "roster",
            "must not hand out more than the whole of a territory's quota",
            got=f"{carried[seat, month]:.0%} of '{months.index[seat]}' in {calendar.labels[month]}",
            rows=months.index[np.flatnonzero(over.any(axis=1))],
            kind="seat",
            remedy="Set assignment_frac of the reps who share a seat so that it sums to 1, or end one stint earlier.",
        )
        found.raise_if_any()


def _stint_rows(
    roster: Roster,
    seat: NDArray[np.int64],
    part: NDArray[np.float64],
    ramp: NDArray[np.float64],
    at_work: NDArray[np.float64],
    territory: NDArray[np.float64],
) -> pd.DataFrame:
    stint, month = np.nonzero(part > 0)
    whole = territory[seat[stint], month] * part[stint, month]
    ramped = whole * ramp[stint, month]
    asked = ramped * at_work[stint, month]  # (13)
    return pd.DataFrame(
        {
            "rep_id": pd.Series(roster.table["rep_id"].to_numpy(dtype=object)[stint], dtype=object),
            "status": roster.table["status"].to_numpy(dtype=object)[stint],
            "territory_quota": whole,
            "seller_quota": asked,
            "hold": whole - asked,
            "hold_vacant": 0.0,
            "hold_ramp": whole - ramped,
            "hold_leave": ramped - asked,
            "_seat": seat[stint],
            "_stint": stint,
            "_month": month,
        }
    )


def _hold_rows(rest: NDArray[np.float64], territory: NDArray[np.float64]) -> pd.DataFrame:
    seat, month = np.nonzero(rest > 0)
    held = territory[seat, month] * rest[seat, month]
    return pd.DataFrame(
        {
            "rep_id": pd.Series([None] * len(seat), dtype=object),
            "status": np.full(len(seat), "hold", dtype=object),
            "territory_quota": held,
            "adjustment": 0.0,
            "seller_quota": 0.0,
            "hold": held,
            "hold_vacant": held,
            "hold_ramp": 0.0,
            "hold_leave": 0.0,
            "hold_relief": 0.0,
            "_seat": seat,
            "_stint": -1,
            "_month": month,
        }
    )
