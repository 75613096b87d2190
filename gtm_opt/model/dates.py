"""Reading a column of dates without guessing."""

from __future__ import annotations

import pandas as pd

__all__ = ["read_dates"]


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
        read = pd.to_datetime(text, format="ISO8601", errors="coerce")
    days = pd.to_datetime(read)
    if days.dt.tz is not None:
        days = days.dt.tz_localize(None)
    return days.dt.normalize(), days.isna() & values.notna()
