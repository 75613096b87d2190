"""The tables as the rules of record quality read them: positions, ids as text, numbers where they are numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings
from gtm_opt.model.dates import read_dates
from gtm_opt.model.read_columns import column_exists, day, day_column, is_table
from gtm_opt.model.tables import id_text, readable_numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Records", "hits", "name_key", "read_numbers", "read_records"]

_NOT_A_LETTER = re.compile(r"[^\w]+")


@dataclass(frozen=True, eq=False)
class Records:
    """Everything the rules look at.

    Attributes
    ----------
    accounts : DataFrame
        With a RangeIndex: rows are positions.
    reps, opportunities, contacts, links : DataFrame or None
        With a RangeIndex.
    as_of : Timestamp
    values : tuple of str
        Columns of the accounts that hold amounts, the leading one first.
    categories : tuple of str
        Columns that hold categories.
    """

    accounts: pd.DataFrame
    reps: pd.DataFrame | None
    opportunities: pd.DataFrame | None
    contacts: pd.DataFrame | None
    links: pd.DataFrame | None
    as_of: pd.Timestamp
    values: tuple[str, ...]
    categories: tuple[str, ...]
    _numbers: dict[str, NDArray[np.float64]] = field(default_factory=dict, repr=False)

    def has(self, *columns: str) -> bool:
        """Whether the accounts have all these columns."""
        return all(column in self.accounts.columns for column in columns)

    @cached_property
    def ids(self) -> NDArray[np.object_]:
        """Account ids as text, ``""`` where missing."""
        out: NDArray[np.object_] = id_text(self.accounts["account_id"]).str.strip().to_numpy(dtype=object)
        return out

    @cached_property
    def position(self) -> pd.Series:
        """Position of the first record of each id."""
        series = pd.Series(np.arange(len(self.ids)), index=self.ids)
        return series[~series.index.duplicated() & (series.index != "")]

    def text(self, column: str) -> NDArray[np.object_]:
        """Return a column of accounts as stripped text, ``""`` where empty or missing."""
        if column not in self.accounts.columns:
            return np.full(len(self.accounts), "", dtype=object)
        out: NDArray[np.object_] = id_text(self.accounts[column]).str.strip().to_numpy(dtype=object)
        return out

    def numbers(self, column: str) -> NDArray[np.float64]:
        """Return a column of accounts as numbers, NaN where it is none."""
        if column not in self._numbers:
            empty = np.full(len(self.accounts), np.nan)
            self._numbers[column] = read_numbers(self.accounts[column]) if self.has(column) else empty
        return self._numbers[column]

    def days(self, column: str) -> pd.Series:
        """Return a column of accounts as days, NaT where it is none."""
        return read_dates(self.accounts[column])[0]

    @cached_property
    def parent(self) -> NDArray[np.int64]:
        """Position of the parent record of each account, -1 for none (or itself, or missing)."""
        text = self.text("parent_id")
        parent = pd.Index(self.position.index).get_indexer(pd.Index(text))
        out = np.where(parent >= 0, self.position.to_numpy()[np.maximum(parent, 0)] if len(self.position) else -1, -1)
        out[out == np.arange(len(out))] = -1
        return out.astype(np.int64)


def hits(
    rows: NDArray[Any],
    column: str,
    found: Any,
    remedy: str,
    *,
    record_id: Any = "",
    changes: list[tuple[tuple[str, object], ...]] | None = None,
) -> pd.DataFrame:
    """Return findings of a rule: one per row, with the cell changes that would repair it.

    Parameters
    ----------
    rows : array of int
        Positions of accounts, -1 where the finding is about no account.
    column : str
    found, record_id : str or array
        What the cell holds; the opportunity, contact or rep where it is not the account itself.
    remedy : str
    changes : list of tuples of (column, new value), optional
    """
    n = len(rows)
    cells = np.broadcast_to(np.asarray(found, dtype=object), (n,)).tolist()
    empty: list[tuple[tuple[str, object], ...]] = [()] * n
    table = {
        "row": np.asarray(rows, dtype=np.int64),
        "record_id": np.broadcast_to(np.asarray(record_id, dtype=object), (n,)),
        "column": np.full(n, column, dtype=object),
        "found": np.array(["" if c is None or c is pd.NaT or c != c else str(c) for c in cells], dtype=object),
        "remedy": np.full(n, remedy, dtype=object),
        "changes": pd.Series(empty if changes is None else changes, dtype=object),
    }
    return pd.DataFrame(table)


def name_key(name: str) -> str:
    """Return a company name in lower case, without blanks and punctuation.

    Examples
    --------
    >>> name_key(" Acme, Inc. ")
    'acmeinc'
    """
    return _NOT_A_LETTER.sub("", name.casefold())


def read_numbers(values: pd.Series) -> NDArray[np.float64]:
    """Return numbers, NaN for what is none; text such as "$1,200" is read where it can be."""
    out: NDArray[np.float64] = readable_numbers(values).to_numpy(dtype=np.float64, na_value=np.nan)
    return out


_FURTHER = {
    "reps": ("rep_id",),
    "opportunities": ("opportunity_id", "account_id"),
    "contacts": ("contact_id", "account_id"),
    "links": ("account_id", "other_id"),
}


def read_records(
    accounts: pd.DataFrame,
    further: dict[str, pd.DataFrame | None],
    as_of: object,
    values: tuple[str, ...],
    categories: tuple[str, ...],
) -> Records:
    """Check what the rules cannot do without, and return the tables with rows counted from 0.

    Raises
    ------
    DataError
        With everything that is wrong: no table, a key column that is missing, dates that are text.
    """
    problems = Findings()
    today = day(as_of, "as_of", problems)
    if is_table(accounts, "accounts", problems):
        column_exists(accounts, "account_id", "accounts", problems)
        for column in ("last_touch", "owner_since", *(f"{v}_updated" for v in values)):
            if column in accounts.columns:
                day_column(accounts, column, problems, what="accounts")
    tables: dict[str, pd.DataFrame | None] = {}
    for what, table in further.items():
        tables[what] = None
        if table is None or not is_table(table, what, problems):
            continue
        for column in _FURTHER[what]:
            column_exists(table, column, what, problems)
        for column in ("created", "close_date", "start_date", "end_date"):
            if column in table.columns:
                day_column(table, column, problems, what=what)
        tables[what] = table.reset_index(drop=True)
    problems.raise_if_any()
    assert today is not None  # raised above otherwise
    return Records(
        accounts.reset_index(drop=True),
        tables["reps"],
        tables["opportunities"],
        tables["contacts"],
        tables["links"],
        today,
        tuple(value for value in values if value in accounts.columns),
        tuple(column for column in categories if column in accounts.columns),
    )
