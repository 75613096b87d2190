"""Columns of a further table: keys that must lead somewhere, days, fractions; everything wrong is recorded together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.model.dates import read_dates
from gtm_opt.model.tables import did_you_mean, id_text, number_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from gtm_opt.errors import Findings

__all__ = [
    "column_exists",
    "day",
    "day_column",
    "fraction_column",
    "is_table",
    "key_column",
    "number_or_empty",
    "repeated_rows",
]


def is_table(table: object, what: str, found: Findings) -> bool:
    """Record an argument that is no DataFrame."""
    if isinstance(table, pd.DataFrame):
        return True
    found.add(f"`{what}`", "must be a pandas DataFrame", got=type(table).__name__)
    return False


def column_exists(table: pd.DataFrame, column: str, what: str, found: Findings) -> bool:
    """Record a column that is not there, with the nearest name that is."""
    if column in table.columns:
        return True
    remedy = did_you_mean(column, table.columns)
    found.add(f"{what}['{column}']", "must exist", got="no such column", remedy=remedy)
    return False


def key_column(
    table: pd.DataFrame,
    column: str,
    found: Findings,
    *,
    what: str,
    unique: bool = False,
    known: Iterable[str] | None = None,
    known_as: str = "",
    empty: bool = False,
) -> NDArray[np.object_] | None:
    """Return ids as text, or record what is wrong with them and return None.

    Parameters
    ----------
    table, column, found, what
        As `number_column`.
    unique : bool
        Every id once.
    known : iterable of str, optional
        Ids there are; others are recorded.
    known_as : str
        What they are ids of, in messages: "an account".
    empty : bool
        Empty cells are allowed.
    """
    if not column_exists(table, column, what, found):
        return None
    ids = id_text(table[column]).str.strip()
    where, fine = f"{what}['{column}']", True
    blank = ids == ""
    if blank.any() and not empty:
        fine = False
        found.add(where, "must not be empty", rows=table.index[blank], remedy="Fill in the id, or leave the row out.")
    twice = ids.duplicated(keep=False) & ~blank
    if unique and twice.any():
        fine = False
        repeated = list(dict.fromkeys(ids[twice]))
        found.add(where, "must be unique", got=f"{repeated[0]!r} more than once", rows=table.index[twice])
    if known is not None:
        known_ids = pd.Index([str(k) for k in known])
        strange = ~ids.isin(known_ids) & ~blank
        if strange.any():
            fine = False
            first = str(ids[strange].iloc[0])
            remedy = did_you_mean(first, known_ids) if len(known_ids) <= 5_000 else "Add it, or leave the row out."
            found.add(where, f"must name {known_as}", got=f"'{first}'", rows=table.index[strange], remedy=remedy)
    out: NDArray[np.object_] = ids.to_numpy(dtype=object)
    return out if fine else None


def day_column(
    table: pd.DataFrame, column: str, found: Findings, *, what: str, empty: bool = True
) -> NDArray[np.datetime64] | None:
    """Return a column as days (``datetime64[ns]``, NaT where empty), or record text that is no ISO date."""
    if not column_exists(table, column, what, found):
        return None
    days, bad = read_dates(table[column])
    where = f"{what}['{column}']"
    if bad.any():
        got = f"'{table[column][bad].iloc[0]}'"
        remedy = f"Read it first: pandas.to_datetime({where}, format='%d-%m-%Y'), with the format your export has."
        found.add(
            where, "must hold dates (or ISO text such as 2027-01-31)", got=got, rows=table.index[bad], remedy=remedy
        )
        return None
    if not empty and days.isna().any():
        found.add(where, "must not be empty", rows=table.index[days.isna()], remedy="Fill in the date.")
        return None
    out: NDArray[np.datetime64] = days.to_numpy(dtype="datetime64[ns]")
    return out


def day(value: object, name: str, found: Findings) -> pd.Timestamp | None:
    """Return one day, or record what is wrong with it."""
    days, bad = read_dates(pd.Series([value], dtype=object))
    if bad.iloc[0] or days.isna().iloc[0]:
        found.add(f"`{name}`", "must be a date such as '2027-01-31'", got=repr(value))
        return None
    return pd.Timestamp(days.iloc[0])


def fraction_column(table: pd.DataFrame, column: str, found: Findings, *, what: str) -> NDArray[np.float64] | None:
    """Return probabilities or shares, or record those outside 0 to 1 (35 where 0.35 is meant)."""
    numbers = number_column(table, column, found, what=what, fill="Fill in the fraction.")
    if numbers is None:
        return None
    large = numbers > 1.0
    if large.any():
        first = float(numbers[large].iloc[0])
        remedy = f"Write {first:g} % as {first / 100.0:g}." if first <= 100.0 else "Correct these cells."
        found.add(
            f"{what}['{column}']", "must lie between 0 and 1", got=f"{first:g}", rows=table.index[large], remedy=remedy
        )
        return None
    out: NDArray[np.float64] = numbers.to_numpy(dtype=np.float64)
    return out


def number_or_empty(
    table: pd.DataFrame, column: str, found: Findings, *, what: str, negative: bool = False
) -> NDArray[np.float64] | None:
    """Return numbers where empty cells are NaN, or record non-numeric cells."""
    if not column_exists(table, column, what, found):
        return None
    empty = table[column].isna().to_numpy()
    numbers = number_column(table[~empty], column, found, what=what, negative=negative)
    if numbers is None:
        return None
    out = np.full(len(table), np.nan)
    out[~empty] = numbers.to_numpy(dtype=np.float64)
    return out


def repeated_rows(table: pd.DataFrame, columns: Sequence[str], found: Findings, *, what: str, rule: str) -> bool:
    """Record rows that repeat the key made of ``columns``; return whether there are any."""
    twice = table.duplicated(list(columns), keep=False)
    if twice.any():
        first = ", ".join(str(v) for v in table.loc[twice, list(columns)].iloc[0])
        found.add(what, rule, got=first, rows=table.index[twice], remedy="Add the rows up, or drop the repetition.")
    return bool(twice.any())
