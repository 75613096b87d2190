"""Reading tables out of files the way people export them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from gtm_opt.cli.exits import UserMistakeError
from gtm_opt.cli.headers import make_sheet
from gtm_opt.cli.sheet import Layout, Sheet
from gtm_opt.cli.text_files import read_text_rows
from gtm_opt.cli.workbooks import read_workbook_rows
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["chosen_rows", "column_of", "expand", "only_rows", "read_sheet", "read_table"]

_LEADING_ZERO = re.compile(r"^[+-]?0\d+$")
_EXCEL = (".xlsx", ".xlsm")


def expand(path: str, base: Path) -> Path:
    """Return a path of a config: variables such as ``${HOME}`` filled in, relative to the config's folder.

    Raises
    ------
    UserMistakeError
        For a variable that is not set.
    """

    def fill(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in os.environ:
            raise UserMistakeError(
                f"'{path}' needs the environment variable {name}, which is not set. Set it and run again."
            )
        return os.environ[name]

    filled = Path(re.sub(r"\$\{(\w+)\}|\$(\w+)", fill, path)).expanduser()
    return filled if filled.is_absolute() else base / filled


def read_table(path: Path, *, sheet: str | int | None = None, text: Iterable[str] = ()) -> pd.DataFrame:
    """Read a CSV, Excel or Parquet file whose names stand in its first row; see `read_sheet`."""
    return read_sheet(path, sheet=sheet, text=text).table


def read_sheet(
    path: Path,
    *,
    sheet: str | int | None = None,
    separator: str | None = None,
    encoding: str = "utf-8-sig",
    errors: str = "strict",
    text: Iterable[str] = (),
    parse: Iterable[str] = (),
    decimal: str | None = None,
    layout: Layout | None = None,
    wanted: Iterable[str] = (),
) -> Sheet:
    """Read a CSV, Excel or Parquet file.

    Parameters
    ----------
    path : Path
        The ending decides: .csv, .tsv, .txt, .xlsx, .parquet.
    sheet : str or int, optional
        Of a workbook; default: the first.
    separator : str, optional
        Of a text file; default: what cuts most of its first lines into equally many fields, among ``, ; | tab``.
    encoding, errors : str
        Of a text file.
    text : iterable of str
        Columns that stay text (ids: leading zeros and "NA" are kept).
    parse : iterable of str
        Columns whose numbers somebody else reads: they stay as they are.
    decimal : str, optional
        Decimal sign of plain numbers in a text file. Default: a point.
    layout : Layout, optional
        Where names and rows stand.
    wanted : iterable of str
        Column names that the config uses: they tell where the names stand.

    Notes
    -----
    Column names and text lose surrounding blanks. An empty cell is a missing value. A column of
    a text file holds numbers when all its other cells are plain numbers without leading zeros.
    """
    if not path.exists():
        near = did_you_mean(path.name, [p.name for p in path.parent.iterdir()]) if path.parent.is_dir() else ""
        where = f"There is no file '{path}'."
        raise UserMistakeError(f"{where} {near}" if near else f"{where} There is no folder '{path.parent}' either.")
    suffix = path.suffix.lower()
    keep = set(text)
    if suffix == ".xls":
        raise UserMistakeError(f"'{path.name}' is an old Excel file. Save it as .xlsx or .csv first.")
    if suffix in _EXCEL:
        made = make_sheet(read_workbook_rows(path, sheet), layout or Layout(), path.name, wanted)
        made.long = _long_numbers(made.table, keep)
        made.table = _tidy(made.table, keep)
        return made
    if sheet is not None:
        raise UserMistakeError(f"sheet = {sheet!r} makes sense for .xlsx files only, '{path.name}' is none. Drop it.")
    if suffix in (".parquet", ".pq"):
        table = _tidy(_read_parquet(path), keep)
        return Sheet(table, list(range(1, len(table) + 1)), (), "row", {"format": "Parquet"})
    made = make_sheet(read_text_rows(path, separator, encoding, errors), layout or Layout(), path.name, wanted)
    raw = _tidy(made.table, keep)
    made.table = _numbers(raw, keep | set(parse), decimal or ".")
    if made.facts.get("separator") == "semicolon" and decimal is None:
        # where the comma is the decimal sign, the semicolon separates fields
        made.doubtful = {
            str(n): [v for v in raw[n] if isinstance(v, str)]
            for n in raw.columns
            if pd.api.types.is_float_dtype(made.table[n].dtype) and n not in keep
        }
    return made


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise UserMistakeError(
            f"'{path.name}' needs pyarrow: pip install \"gtm-opt[parquet]\", or save it as CSV."
        ) from None
    try:
        return pd.read_parquet(path, engine="pyarrow")
    except Exception as error:
        raise UserMistakeError(f"'{path.name}' cannot be read as Parquet: {error}.") from None


def _long_numbers(table: pd.DataFrame, text: set[str]) -> dict[str, set[str]]:
    """Return the whole numbers among ids that have more digits than a workbook keeps."""
    return {
        str(name): {
            str(int(v)) for v in table[name] if isinstance(v, int | float) and not pd.isna(v) and abs(v) >= 1e15
        }
        for name in table.columns
        if name in text
    }


def _tidy(table: pd.DataFrame, text: set[str]) -> pd.DataFrame:
    """Strip names and text, turn empty cells into missing ones."""
    table = table.rename(columns=lambda name: str(name).strip())
    out = {}
    for name in table.columns:
        column = table[name]
        if name in text and not (column.dtype == object or pd.api.types.is_string_dtype(column.dtype)):
            column = _as_text(column)
        if column.dtype == object or pd.api.types.is_string_dtype(column.dtype):
            stripped = pd.Series([v.strip() if isinstance(v, str) else v for v in column], column.index, dtype=object)
            if name in text:
                stripped = stripped.map(lambda v: v if v is None or isinstance(v, str) or pd.isna(v) else str(v))
            column = stripped.where(stripped != "", None)
        out[name] = column
    return pd.DataFrame(out, index=table.index)


def _as_text(column: pd.Series) -> pd.Series:
    """Return ids that a workbook holds as numbers as text: 1001, not 1001.0."""
    return column.map(
        lambda v: None if pd.isna(v) else str(int(v)) if isinstance(v, float) and v.is_integer() else str(v)
    ).astype(object)


def _numbers(table: pd.DataFrame, leave: set[str], decimal: str) -> pd.DataFrame:
    """Read the columns of a text file that hold plain numbers only."""
    out = {}
    for name in table.columns:
        column = table[name]
        filled = column.dropna()
        if name not in leave and len(filled) and not filled.str.match(_LEADING_ZERO).any():
            if decimal == "," and filled.str.contains(".", regex=False).any():
                plain = None  # points separate thousands here: for `parse`
            else:
                plain = column.str.replace(",", ".", regex=False) if decimal == "," else column
            numbers = None if plain is None else pd.to_numeric(plain, errors="coerce")
            if numbers is not None and not (numbers.isna() & column.notna()).any():
                column = numbers
        out[name] = column
    return pd.DataFrame(out, index=table.index)


def column_of(table: pd.DataFrame, name: str, where: str) -> pd.Series:
    """Return a column, or say what there is instead.

    Raises
    ------
    UserMistakeError
    """
    if name not in table.columns:
        raise UserMistakeError(f"{where}: there is no column '{name}'. {did_you_mean(name, table.columns, shown=30)}")
    return table[name]


def only_rows(table: pd.DataFrame, wanted: Mapping[str, Any], unwanted: Mapping[str, Any], where: str) -> pd.DataFrame:
    """Return the rows whose columns have one of the wanted values and none of the unwanted ones."""
    return table[chosen_rows(table, wanted, unwanted, where)].reset_index(drop=True)


def chosen_rows(
    table: pd.DataFrame, wanted: Mapping[str, Any], unwanted: Mapping[str, Any], where: str
) -> pd.Series[bool]:
    """Return which rows have one of the wanted values and none of the unwanted ones."""
    keep = pd.Series(True, index=table.index)
    for rule, word in ((wanted, "where"), (unwanted, "where_not")):
        for name, values in rule.items():
            column = column_of(table, name, f"{where}, {word}")
            listed = {_key(v) for v in (values if isinstance(values, list) else [values])}
            keys = column.map(_key)
            if word == "where" and not keys.isin(listed).any():
                known = sorted({str(v) for v in column.dropna()})
                first = next(iter(values if isinstance(values, list) else [values]), "")
                raise UserMistakeError(f"{where}, {word}: no row has {name} = {values!r}. {did_you_mean(first, known)}")
            keep &= keys.isin(listed) == (word == "where")
    return keep


def _key(value: Any) -> Any:
    """Return what two cells are compared by: numbers by value, all else as text."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return "" if pd.isna(value) else float(value)
    return "" if value is None or pd.isna(value) else str(value)
