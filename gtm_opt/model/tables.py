"""Reading columns of a user's table: suggestions, numbers written as text, ids."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from gtm_opt.errors import Findings

__all__ = ["did_you_mean", "number_column", "parse_numbers", "rename_columns"]

_MONEY = re.compile(r"[\s$€£¥,_]|USD|EUR|GBP", re.IGNORECASE)
_FACTORS = {"k": 1e3, "m": 1e6, "mm": 1e6, "b": 1e9, "bn": 1e9}
_NUMBER = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(k|mm?|bn?|%)?$", re.IGNORECASE)


def did_you_mean(name: object, known: Iterable[object], shown: int = 12) -> str:
    """Return a remedy that names the nearest known name, or lists what there is.

    Examples
    --------
    >>> did_you_mean("arr_us", ["arr_usd", "owner"])
    "Did you mean 'arr_usd'?"
    """
    names = [str(k) for k in known]
    close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.7)
    if close:
        return f"Did you mean '{close[0]}'?"
    return f"There are: {shorten(names, shown=shown)}." if names else "There are none."


def parse_numbers(values: pd.Series, *, empty: Sequence[str] = ("", "-", "n/a", "na", "none", "null")) -> pd.Series:
    """Read numbers out of text as exports write them.

    Understands currency signs and codes, thousands separators, surrounding blanks, losses
    in brackets (``"($3,864.00)"``), factors (``"1.2M"``, ``"300k"``), percent signs
    (``"12 %"`` is 0.12) and the usual words for nothing, which become NaN.

    Parameters
    ----------
    values : Series
        Text, numbers, or a mix.
    empty : sequence of str
        Lower-case words that mean "no value".

    Returns
    -------
    Series of float
        Same index. What could not be read is NaN.

    Raises
    ------
    DataError
        When a value is neither a number nor empty; the message lists the first ones with
        their rows.

    Examples
    --------
    >>> parse_numbers(pd.Series(["$500,343 ", "($3,864.00)", "1.2M", "-"])).tolist()
    [500343.0, -3864.0, 1200000.0, nan]
    """
    read, bad = _read_numbers(values, empty)
    if bad.any():
        rows = values.index[bad]
        got = shorten([values[r] for r in rows[:5]], shown=5)
        raise DataError(
            f"column '{values.name}' must hold numbers, got {got} in {int(bad.sum())} rows: {shorten(list(rows))}.\n"
            "    Correct these cells, or empty them if the value is unknown."
        )
    return read


def _read_numbers(values: pd.Series, empty: Sequence[str]) -> tuple[pd.Series, NDArray[np.bool_]]:
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.astype(float), np.zeros(len(values), dtype=bool)
    read = np.full(len(values), np.nan)
    bad = np.zeros(len(values), dtype=bool)
    for at, value in enumerate(values):
        if isinstance(value, int | float | np.number):
            read[at] = float(value)
        elif not pd.isna(value) and str(value).strip().lower() not in empty:
            number = _one_number(str(value))
            bad[at] = number is None
            read[at] = np.nan if number is None else number
    return pd.Series(read, index=values.index, name=values.name), bad


def _one_number(text: str) -> float | None:
    text = text.strip()
    negative = text.startswith("(") and text.endswith(")")
    match = _NUMBER.match(_MONEY.sub("", text.strip("()")))
    if match is None:
        return None
    number = float(match[1])
    factor = (match[2] or "").lower()
    number *= 0.01 if factor == "%" else _FACTORS.get(factor, 1.0)
    return -number if negative else number


def number_column(
    table: pd.DataFrame, column: str, found: Findings, *, what: str = "accounts", negative: bool = False
) -> pd.Series | None:
    """Return a column as floats, or record what is wrong with it and return None.

    Text that reads as numbers is refused with the remedy to parse it first: a column that
    is text by accident often holds worse.
    """
    if column not in table.columns:
        found.add(f"{what}['{column}']", "must exist", got="no such column", remedy=did_you_mean(column, table.columns))
        return None
    values = table[column]
    where = f"{what}['{column}']"
    if not pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype):
        return _text_column(values, where, column, found)
    numbers = values.astype(float)
    ok = _flag(
        numbers,
        numbers.isna(),
        where,
        "must not be empty",
        found,
        "Fill in 0 if the account has none, or leave the account out.",
    )
    ok &= _flag(numbers, np.isinf(numbers), where, "must be finite", found, "Correct the number.")
    if not negative:
        ok &= _flag(
            numbers,
            numbers < 0,
            where,
            "must not be negative",
            found,
            "Set it to 0, or balance another column: shares of negative totals mean nothing.",
        )
    return numbers if ok else None


def _text_column(values: pd.Series, where: str, column: str, found: Findings) -> None:
    _, bad = _read_numbers(values.astype(object), ("", "-", "n/a", "na", "none", "null"))
    if bad.any():
        found.add(
            where,
            "must hold numbers",
            got=f"text such as {shorten(list(values[bad]), shown=3)}",
            rows=values.index[bad],
            remedy="Correct these cells.",
        )
    else:
        example = next((v for v in values if isinstance(v, str)), "")
        found.add(
            where,
            "must hold numbers",
            got=f"numbers written as text such as '{example}'",
            remedy=f"Read them with gtm_opt.parse_numbers(accounts['{column}']), or list the column under [parse] in the config.",
        )


def _flag(values: pd.Series, wrong: pd.Series, where: str, rule: str, found: Findings, remedy: str) -> bool:
    if not wrong.any():
        return True
    first = values[wrong].iloc[0]
    found.add(where, rule, got="" if pd.isna(first) else f"{first:g}", rows=values.index[wrong], remedy=remedy)
    return False


def rename_columns(table: pd.DataFrame, columns: Mapping[str, str] | None, found: Findings, what: str) -> pd.DataFrame:
    """Return ``table`` with the user's column names replaced by the planner's words.

    Parameters
    ----------
    table : DataFrame
    columns : mapping of str to str, optional
        ``{name used in the problem: name in the table}``.
    found : Findings
        Takes what is wrong.
    what : str
        Name of the table in messages.
    """
    if not columns:
        return table
    for wanted, own in columns.items():
        if own not in table.columns:
            found.add(
                f"columns['{wanted}']",
                f"must name a column of {what}",
                got=f"'{own}'",
                remedy=did_you_mean(own, table.columns),
            )
        elif wanted in table.columns and wanted != own:
            found.add(
                f"columns['{wanted}']",
                "must not hide another column",
                got=f"{what} has both '{own}' and '{wanted}'",
                remedy="Drop or rename one of them first.",
            )
    return table.rename(columns={own: wanted for wanted, own in columns.items()})
