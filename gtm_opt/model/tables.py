"""Reading columns of a user's table: suggestions, numbers written as text, ids."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, number_text, shorten
from gtm_opt.model.frames import takes_tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from gtm_opt.errors import Findings

__all__ = [
    "did_you_mean",
    "id_text",
    "label_text",
    "number_column",
    "parse_numbers",
    "readable_numbers",
    "rename_columns",
]

_CODES = (
    "USD|EUR|GBP|JPY|CHF|AUD|CAD|NZD|SEK|NOK|DKK|ISK|INR|CNY|RMB|HKD|SGD|KRW|TWD|THB|MXN|BRL|ARS|CLP|COP|PLN|CZK|HUF|RON|"
    "BGN|TRY|ZAR|ILS|AED|SAR|IDR|MYR|PHP|VND|UAH"
)
_CURRENCY = re.compile(
    rf"(?:US|AU|A|CA|C|NZ|HK|S|R|MX)?\$|[€£¥₹₩₺₫฿₴₪]|(?<![A-Z])(?:{_CODES}|ZŁ|KR\.?|RS\.?)(?![A-Z])", re.IGNORECASE
)
_SIGNS = {
    "$": "USD", "US$": "USD", "AU$": "AUD", "A$": "AUD", "CA$": "CAD", "C$": "CAD", "NZ$": "NZD", "HK$": "HKD",
    "S$": "SGD", "R$": "BRL", "MX$": "MXN", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW", "₺": "TRY",
    "₫": "VND", "฿": "THB", "₴": "UAH", "₪": "ILS", "ZŁ": "PLN", "KR": "SEK", "KR.": "SEK", "RS": "INR", "RS.": "INR",
    "RMB": "CNY",
}  # fmt: skip
_ABBREVIATED = re.compile(r"(mio|mrd|mn)\.$", re.IGNORECASE)
_BLANKS = re.compile(r"\s+(?=(?:k|mm|mn|mio|m|bn|b|mrd|%)$)|(?<=^[+-])\s+", re.IGNORECASE)
_LAKH = re.compile(r"^([+-]?\d{1,2}(?:,\d{2})+,\d{3})(?=\D|$)")
_FACTORS = {"k": 1e3, "m": 1e6, "mm": 1e6, "mn": 1e6, "mio": 1e6, "b": 1e9, "bn": 1e9, "mrd": 1e9}
_NOTHING = ("", "-", "–", "n/a", "#n/a", "na", "nan", "none", "null")
_NUMBER = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(k|mm|mn|mio|m|bn|b|mrd|%)?$", re.IGNORECASE)
# a separator of thousands stands before groups of exactly three digits, and never behind the point
_GROUPED = re.compile(r"(?<=\d)[,\s'’_](?=\d{3}(?:[,\s'’_]\d{3})*(?!\d))")


def did_you_mean(name: object, known: Iterable[object], shown: int = 12) -> str:
    """Return a remedy that names the nearest known name, or lists what there is.

    Examples
    --------
    >>> did_you_mean("arr_us", ["arr", "owner"])
    "Did you mean 'arr'?"
    """
    names = [str(k) for k in known]
    close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.6)
    if close:
        return f"Did you mean '{close[0]}'?"
    return f"There are: {shorten(names, shown=shown)}." if names else "There are none."


def id_text(values: pd.Series) -> pd.Series:
    """Return ids as text: numbers without a trailing ``.0``, empty cells as ``""``.

    Notes
    -----
    A column of whole numbers with empty cells is read as floating point by every CSV reader:
    ``1001`` in one table is ``1001.0`` in the other, and nothing would match.

    Examples
    --------
    >>> id_text(pd.Series([1001.0, None])).tolist()
    ['1001', '']
    """
    empty = values.isna()
    if pd.api.types.is_float_dtype(values.dtype) and bool((values[~empty] % 1 == 0).all()):
        values = values.fillna(0).astype(np.int64)
    return values.astype(str).where(~empty, "")


def label_text(values: pd.Series) -> pd.Series:
    """Return the labels of a category column as text; empty cells are the category ``"(none)"``."""
    text = id_text(values).str.strip()
    return text.where(text != "", "(none)")


@takes_tables(columns=("values",))
def parse_numbers(values: pd.Series, *, decimal: Literal[".", ","] = ".", empty: Sequence[str] = _NOTHING) -> pd.Series:
    """Read numbers out of text as exports write them.

    Understands currency signs and codes, separators of thousands, surrounding blanks, losses
    in brackets (``"($3,864.00)"``), factors (``"1.2M"``, ``"300k"``), percent signs
    (``"12 %"`` is 0.12) and the usual words for nothing, which become NaN.

    Parameters
    ----------
    values : Series
        Text, numbers, or a mix.
    decimal : {".", ","}
        Decimal sign. The other one separates thousands, and must then stand before groups of
        three digits: ``"1,5"`` is reported, not read as 15.
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
    >>> parse_numbers(pd.Series(["1.234,50 EUR"]), decimal=",").tolist()
    [1234.5]
    """
    _refuse_currencies(values)
    read, bad = _read_numbers(values, empty, decimal)
    if bad.any():
        got = f"{shorten(values[bad].tolist())} in {int(bad.sum()):,} row{'s' if bad.sum() > 1 else ''}"
        raise DataError(
            f"column '{values.name}' must hold numbers, got {got}: {shorten(list(values.index[bad]))}.\n"
            "    Correct these cells, or empty them if the value is unknown; decimal=',' reads 1.234,50."
        )
    return read


def readable_numbers(values: pd.Series) -> pd.Series:
    """Return a column as floats, NaN where a cell is empty or no number; never raises.

    Examples
    --------
    >>> readable_numbers(pd.Series(["$1,200", "about 7"])).tolist()
    [1200.0, nan]
    """
    return _read_numbers(values)[0]


def _refuse_currencies(values: pd.Series) -> None:
    """Refuse a column with amounts in several currencies: nobody gave the rates to add them.

    Raises
    ------
    DataError
    """
    if pd.api.types.is_numeric_dtype(values.dtype):
        return
    found: dict[str, int] = {}
    for value in values:
        if isinstance(value, str) and any(c.isdigit() for c in value):
            for sign in set(_CURRENCY.findall(value.upper())):
                found[_SIGNS.get(sign, sign)] = found.get(_SIGNS.get(sign, sign), 0) + 1
    if len(found) > 1:
        counts = ", ".join(f"{name} in {count:,} rows" for name, count in sorted(found.items()))
        raise DataError(
            f"column '{values.name}' holds amounts of {len(found)} currencies: {counts}.\n"
            "    They cannot be added: convert them to one, at stated rates, before they are read."
        )


def _read_numbers(
    values: pd.Series, empty: Sequence[str] = _NOTHING, decimal: str = "."
) -> tuple[pd.Series, NDArray[np.bool_]]:
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.astype(float), np.zeros(len(values), dtype=bool)
    read = np.full(len(values), np.nan)
    bad = np.zeros(len(values), dtype=bool)
    for at, value in enumerate(values):
        if isinstance(value, int | float | np.number):
            read[at] = float(value)
        elif not pd.isna(value) and str(value).strip().lower() not in empty:
            number = _one_number(str(value), decimal)
            bad[at] = number is None
            read[at] = np.nan if number is None else number
    return pd.Series(read, index=values.index, name=values.name), bad


def _one_number(text: str, decimal: str = ".") -> float | None:
    text = text.strip().replace("\u2212", "-")
    negative = text.startswith("(") and text.endswith(")")
    rupees = re.search(r"₹|\bRs\b|INR", text, re.IGNORECASE) is not None
    text = _CURRENCY.sub("", text[1:-1] if negative else text).strip()
    text = _ABBREVIATED.sub(r"\1", text)
    if text.endswith("-") and text[:1].isdigit():  # as accounting systems print what is owed
        negative, text = not negative, text[:-1].strip()
    elif rupees:  # groups of two digits above the thousand
        text = _LAKH.sub(lambda m: m[1].replace(",", ""), text)
    if decimal == ",":
        text = text.translate({ord(","): ".", ord("."): ","})
    text = _BLANKS.sub("", _GROUPED.sub("", text))
    match = _NUMBER.match(text)
    if match is None:
        return None
    number = float(match[1])
    factor = (match[2] or "").lower()
    number *= 0.01 if factor == "%" else _FACTORS.get(factor, 1.0)
    return -number if negative else number


_FILL = "Fill in 0 if the account has none, or leave the account out."


def number_column(
    table: pd.DataFrame,
    column: str,
    found: Findings,
    *,
    what: str = "accounts",
    negative: bool = False,
    fill: str = _FILL,
) -> pd.Series | None:
    """Return a column as floats, or record what is wrong with it and return None.

    Parameters
    ----------
    table : DataFrame
    column : str
    found : Findings
        Takes what is wrong.
    what : str
        Name of the table in messages.
    negative : bool
        Whether negative numbers are allowed.
    fill : str
        Remedy for empty cells.

    Notes
    -----
    Text that reads as numbers is refused with the remedy to parse it first: a column that
    is text by accident often holds worse. True and False are 1 and 0.
    """
    where = f"{what}['{column}']"
    if column not in table.columns:
        found.add(where, "must exist", got="no such column", remedy=did_you_mean(column, table.columns))
        return None
    values = table[column]
    if not pd.api.types.is_numeric_dtype(values.dtype):
        if _holds_text(values, where, column, found):
            return None
        values = pd.to_numeric(values, errors="coerce")
    numbers = values.astype(float)
    ok = _flag(numbers, numbers.isna(), where, "must not be empty", found, fill)
    ok &= _flag(numbers, numbers.abs() == np.inf, where, "must be finite", found, "Correct the number.")
    if not negative:
        remedy = "Set it to 0, or balance another column: shares of negative totals mean nothing."
        ok &= _flag(numbers, numbers < 0, where, "must not be negative", found, remedy)
    return numbers if ok else None


def _holds_text(values: pd.Series, where: str, column: str, found: Findings) -> bool:
    """Record text in a column that should hold numbers; objects that are numbers are fine."""
    _, bad = _read_numbers(values.astype(object))
    text = values.map(lambda value: isinstance(value, str) and value.strip() != "").to_numpy(dtype=bool)
    if bad.any():
        got = f"text such as {shorten(values[bad].tolist(), shown=3)}"
        found.add(where, "must hold numbers", got=got, rows=values.index[bad], remedy="Correct these cells.")
    elif text.any():
        example = values[text].iloc[0]
        found.add(
            where,
            "must hold numbers",
            got=f"numbers written as text such as '{example}'",
            remedy=f"Read them with gtm_opt.parse_numbers(accounts['{column}']), "
            "or list the column under [parse] in the config.",
        )
    return bool(bad.any() or text.any())


def _flag(values: pd.Series, wrong: pd.Series, where: str, rule: str, found: Findings, remedy: str) -> bool:
    if not wrong.any():
        return True
    first = float(values[wrong].iloc[0])
    got = "" if np.isnan(first) else number_text(first)
    found.add(where, rule, got=got, rows=values.index[wrong], remedy=remedy)
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
    owners: dict[str, str] = {}
    for wanted, own in columns.items():
        if owners.setdefault(own, wanted) != wanted:
            found.add(
                f"columns['{wanted}']",
                "must not name a column that is used already",
                got=f"'{own}', which is '{owners[own]}'",
                remedy="Copy the column first if both are meant.",
            )
        elif own not in table.columns:
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
