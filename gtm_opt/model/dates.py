"""Reading a column of dates without guessing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["likely_format", "read_dates"]

_ZONE = re.compile(r"(?<=\d)\s?(Z|UTC|[+-]\d{2}:?\d{2})$")
_SPLIT = re.compile(r"^\s*(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})\s*$")


def likely_format(values: Iterable[object]) -> str:
    """Return how dates are written that are not ISO, as strptime says it; empty where that cannot be told.

    Examples
    --------
    >>> likely_format(["31/12/2026", "01/02/2027"]), likely_format(["01/02/2027"]), likely_format(["31.12.2026"])
    ('%d/%m/%Y', '', '%d.%m.%Y')
    """
    found = [_SPLIT.match(str(value)) for value in values]
    parts = [m for m in found if m is not None]
    if not parts or len(parts) < len(found) or len({m[2] for m in parts}) > 1:
        return ""
    mark = parts[0][2]
    if all(len(m[1]) == 4 for m in parts):
        return f"%Y{mark}%m{mark}%d"
    if not all(len(m[4]) == 4 for m in parts):
        return ""
    first, second = max(int(m[1]) for m in parts), max(int(m[3]) for m in parts)
    if first > 12 >= second or (mark == "." and second <= 12):
        return f"%d{mark}%m{mark}%Y"
    return f"%m{mark}%d{mark}%Y" if second > 12 >= first else ""


def read_dates(values: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return a column as days, and which of its cells could not be read.

    Dates, timestamps and ISO text (``"2027-01-31"``) are understood. Text such as
    ``"03/04/2027"`` is not: it means March in one country and April in another. Neither
    are bare numbers. Empty cells become NaT and are not an error.

    Examples
    --------
    >>> days, bad = read_dates(pd.Series(["2027-01-31", "03/04/2027", None]))
    >>> bad.tolist()
    [False, True, False]
    """
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        read = values
    elif pd.api.types.is_numeric_dtype(values.dtype):
        read = pd.Series(pd.NaT, index=values.index)
    else:
        text = values.astype(object).where(values.notna(), None)
        text = text.map(
            lambda v: None if isinstance(v, int | float) else v.isoformat() if hasattr(v, "isoformat") else v
        )
        # a time with a zone counts on the day that is written there, whatever the zones of other rows
        text = text.map(lambda v: _ZONE.sub("", v.strip()) if isinstance(v, str) else v)
        read = pd.to_datetime(text, format="ISO8601", errors="coerce")
    days = pd.to_datetime(read)
    if days.dt.tz is not None:
        days = days.dt.tz_localize(None)
    return days.dt.normalize(), days.isna() & values.notna()
