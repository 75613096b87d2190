"""Numbers and counts of hires out of a planner's tables."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gtm_opt.errors import Findings
    from gtm_opt.model.calendar import Calendar
    from gtm_opt.model.roles import Roles

__all__ = ["hire_counts", "month_label", "read_number", "record_missing"]


def read_number(value: Any, where: str, found: Findings, *, least: float = 0.0, whole: bool = False) -> float | None:
    """Return a finite number, or record what is wrong with it and return None."""
    try:
        number = math.nan if isinstance(value, (bool, str)) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        remedy = "Read text with gtm_opt.parse_numbers first." if isinstance(value, str) else ""
        found.add(where, "must be a finite number", got=repr(value), remedy=remedy)
        return None
    if number < least or (whole and number != round(number)):
        kind = "a whole number, at least" if whole else "at least"
        found.add(where, f"must be {kind} {least:g}", got=f"{number:g}")
        return None
    return number


def record_missing(table: pd.DataFrame, columns: Sequence[str], what: str, found: Findings) -> bool:
    """Record columns that a table lacks; return whether there are any."""
    missing = [column for column in columns if column not in table.columns]
    if missing:
        got = ", ".join(map(str, table.columns))
        found.add(what, f"must have the columns {', '.join(missing)}", got=got, remedy="Rename the columns.")
    return bool(missing)


def month_label(value: Any) -> str:
    """Return a month as ``"2026-03"``, whatever kind of date it is; unreadable text as it is."""
    try:
        return str(value.asfreq("M") if isinstance(value, pd.Period) else pd.Period(value, freq="M"))
    except (ValueError, TypeError):
        return str(value)


def hire_counts(table: Any, what: str, roles: Roles, calendar: Calendar, found: Findings) -> NDArray[np.int64]:
    """Return hires by role and month out of a table with role, month, hires; rows of one cell add up."""
    counts = np.zeros((len(roles), calendar.n_periods), dtype=np.int64)
    if table is None:
        return counts
    if not isinstance(table, pd.DataFrame):
        found.add(what, "must be a table with role, month and hires", got=type(table).__name__)
        return counts
    if record_missing(table, ("role", "month", "hires"), what, found):
        return counts
    labels = list(calendar.labels)
    for row, record in zip(table.index, table.to_dict("records"), strict=True):
        name, month = str(record["role"]), month_label(record["month"])
        hires = read_number(record["hires"], f"{what}['hires'] of {name}, {month}", found, whole=True)
        if name not in roles:
            remedy = did_you_mean(name, roles.names)
            found.add(f"{what}['role']", "must name known roles", got=repr(name), rows=[row], remedy=remedy)
        elif month not in labels:
            remedy = f"It runs from {labels[0]} to {labels[-1]}."
            found.add(f"{what}['month']", "must lie in the calendar", got=repr(month), rows=[row], remedy=remedy)
        elif hires is not None:
            counts[roles.names.index(name), labels.index(month)] += int(hires)
    return counts
