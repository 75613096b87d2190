"""Reading columns of a history, with every finding at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.model.dates import read_dates
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gtm_opt.errors import Findings

__all__ = ["date_values", "need_columns", "number_values"]


def need_columns(table: pd.DataFrame, columns: Sequence[str], found: Findings) -> None:
    """Record missing columns, and raise at once: nothing else can be checked without them.

    Raises
    ------
    DataError
    """
    for column in columns:
        if column not in table.columns:
            remedy = did_you_mean(column, table.columns)
            found.add(f"history[{column!r}]", "must exist", got="no such column", remedy=remedy)
    found.raise_if_any()
    if table.empty:
        found.add("history", "must have rows", got="none")
        found.raise_if_any()


def number_values(
    table: pd.DataFrame, column: str, label: pd.Series, found: Findings, *, least: float = -np.inf
) -> NDArray[np.float64]:
    """Return a column as floats; record what is non-numeric, not finite or below ``least``."""
    values = np.asarray(pd.to_numeric(table[column], errors="coerce"), dtype=np.float64)
    wrong = ~np.isfinite(values)
    if wrong.any():
        found.add(f"history[{column!r}]", "must hold finite numbers", rows=label[wrong].unique(), kind="seller")
    low = np.isfinite(values) & (values < least)
    if low.any():
        rule = f"must be at least {least:g}"
        got = f"{values[low][0]:g}"
        found.add(f"history[{column!r}]", rule, got=got, rows=label[low].unique(), kind="seller")
    return values


def date_values(table: pd.DataFrame, column: str, label: pd.Series, found: Findings) -> NDArray[np.datetime64]:
    """Return a column as days (NaT where empty); record what cannot be read."""
    days, bad = read_dates(table[column])
    if bad.any():
        remedy = "Write them as 2027-01-31."
        found.add(f"history[{column!r}]", "must hold dates", rows=label[bad], kind="seller", remedy=remedy)
    return days.to_numpy().astype("datetime64[D]")
