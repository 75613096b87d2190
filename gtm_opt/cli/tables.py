"""Reading tables out of files the way people export them."""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from gtm_opt.cli.exits import UserMistakeError
from gtm_opt.errors import DataError, shorten
from gtm_opt.model.tables import did_you_mean, parse_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gtm_opt.cli.config import Source

__all__ = ["column_of", "expand", "only_rows", "read_source", "read_table"]

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


def read_table(
    path: Path,
    *,
    sheet: str | int | None = None,
    separator: str | None = None,
    encoding: str = "utf-8-sig",
    errors: str = "strict",
    text: Iterable[str] = (),
) -> pd.DataFrame:
    """Read a CSV, Excel or Parquet file.

    Parameters
    ----------
    path : Path
        The ending decides: .csv, .tsv, .txt, .xlsx, .parquet.
    sheet : str or int, optional
        Of a workbook; default: the first.
    separator : str, optional
        Of a text file; default: what the header line has most of, among ``, ; | tab``.
    encoding, errors : str
        Of a text file.
    text : iterable of str
        Columns that stay text (ids: leading zeros and "NA" are kept).

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
    if suffix in _EXCEL:
        return _tidy(_read_excel(path, sheet), set(text))
    if suffix == ".xls":
        raise UserMistakeError(f"'{path.name}' is an old Excel file. Save it as .xlsx or .csv first.")
    if sheet is not None:
        raise UserMistakeError(f"sheet = {sheet!r} makes sense for .xlsx files only, '{path.name}' is none. Drop it.")
    if suffix in (".parquet", ".pq"):
        return _tidy(_read_parquet(path), set(text))
    return _numbers(_tidy(_read_text(path, separator, encoding, errors), set(text)), set(text))


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


def _read_excel(path: Path, sheet: str | int | None) -> pd.DataFrame:
    try:
        with pd.ExcelFile(path, engine="openpyxl") as book:
            names = [str(n) for n in book.sheet_names]
            if isinstance(sheet, str) and sheet not in names:
                raise UserMistakeError(f"'{path.name}' has no sheet '{sheet}'. {did_you_mean(sheet, names)}")
            if isinstance(sheet, int) and not 0 <= sheet < len(names):
                raise UserMistakeError(f"'{path.name}' has {len(names)} sheets, numbered from 0, got sheet = {sheet}.")
            chosen = 0 if sheet is None else sheet
            header = pd.read_excel(book, sheet_name=chosen, header=None, nrows=1)
            heads = [str(name).strip() for name in header.iloc[0].dropna()] if len(header) else []
            twice = sorted({name for name in heads if heads.count(name) > 1})
            if twice:
                raise UserMistakeError(f"'{path.name}' names the columns {shorten(twice)} more than once. Rename them.")
            table: pd.DataFrame = pd.read_excel(book, sheet_name=chosen)
            return table
    except UserMistakeError:
        raise
    except Exception as error:
        raise UserMistakeError(f"'{path.name}' cannot be read as an Excel workbook: {error}.") from None


def _read_text(path: Path, separator: str | None, encoding: str, errors: str) -> pd.DataFrame:
    raw = path.read_bytes()
    # a byte order mark says what the file is: what spreadsheets call Unicode text is UTF-16
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif raw.startswith(codecs.BOM_UTF8):
        encoding = "utf-8-sig"
    try:
        text = raw.decode(encoding, errors)
    except LookupError:
        raise UserMistakeError(
            f"encoding = '{encoding}' is not known. Usual ones are utf-8, cp1252 and latin-1."
        ) from None
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        shown = raw.splitlines()[line - 1][:60].decode(encoding, "replace")
        raise UserMistakeError(
            f"'{path.name}' is not {encoding}: byte 0x{raw[error.start]:02x} in line {line} ({shown}...).\n"
            '    Name its encoding (encoding = "cp1252" is common for Excel exports), or write errors = "replace".'
        ) from None
    named = re.match(r"^sep=(.)\r?\n", text)  # what spreadsheets write for themselves; no line of names
    if named is not None:
        text, separator = text[named.end() :], separator or named[1]
    header = text.split("\n", 1)[0]
    if not header.strip():
        raise UserMistakeError(f"'{path.name}' is empty, or does not begin with a line of column names.")
    mark = separator or max(",;\t|", key=header.count)
    names = [name.strip() for name in next(csv.reader([header.rstrip("\r")], delimiter=mark))]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise UserMistakeError(f"'{path.name}' names the columns {shorten(twice)} more than once. Rename them.")
    try:
        return _parse_text(text, mark, path.name)
    except pd.errors.ParserError as error:
        raise UserMistakeError(f"'{path.name}' cannot be read: {error}. Quote fields that contain '{mark}'.") from None


def _parse_text(text: str, mark: str, name: str) -> pd.DataFrame:
    with warnings.catch_warnings():
        # pandas drops what is too much in a row with a warning; here it is a mistake
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            return pd.read_csv(
                io.StringIO(text), sep=mark, dtype=str, na_filter=False, index_col=False, skipinitialspace=True
            )
        except pd.errors.ParserWarning:
            rows = csv.reader(io.StringIO(text), delimiter=mark)
            width = len(next(rows))
            line = next((rows.line_num for row in rows if len(row) > width), 0)
            raise UserMistakeError(
                f"'{name}' cannot be read: line {line} has more fields than the {width} column names. "
                f"Quote fields that contain '{mark}'."
            ) from None


def _tidy(table: pd.DataFrame, text: set[str]) -> pd.DataFrame:
    """Strip names and text, turn empty cells into missing ones."""
    table = table.rename(columns=lambda name: str(name).strip())
    out = {}
    for name in table.columns:
        column = table[name]
        if name in text and not (column.dtype == object or pd.api.types.is_string_dtype(column.dtype)):
            column = _as_text(column)
        if column.dtype == object or pd.api.types.is_string_dtype(column.dtype):
            stripped = column.map(lambda v: v.strip() if isinstance(v, str) else v)
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


def _numbers(table: pd.DataFrame, text: set[str]) -> pd.DataFrame:
    """Read the columns of a text file that hold plain numbers only."""
    out = {}
    for name in table.columns:
        column = table[name]
        filled = column.dropna()
        if name not in text and len(filled) and not filled.str.match(_LEADING_ZERO).any():
            numbers = pd.to_numeric(column, errors="coerce")
            if not (numbers.isna() & column.notna()).any():
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
    return table[keep].reset_index(drop=True)


def _key(value: Any) -> Any:
    """Return what two cells are compared by: numbers by value, all else as text."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return "" if pd.isna(value) else float(value)
    return "" if value is None or pd.isna(value) else str(value)


_TOTAL = re.compile(r"^\W*(grand\s+|sub\s*)?(total|totals|sum|summe|gesamt|total general|totale)\W*$", re.IGNORECASE)


def _refuse_totals(table: pd.DataFrame, label: str, where: str) -> None:
    """Refuse lines of totals: they are no accounts, and would count everything twice.

    Raises
    ------
    UserMistakeError
    """
    ids = table[label].map(lambda v: "" if v is None or pd.isna(v) else str(v))
    lines = table.index[ids.str.match(_TOTAL)]
    if len(lines):
        named = shorten(list(ids[lines]))
        raise UserMistakeError(
            f"{where}: {len(lines)} line{'s' if len(lines) != 1 else ''} of totals where '{label}' should name a row: "
            f"{named} (row {', '.join(str(int(n) + 1) for n in lines[:5])} of the data). They are sums of others. "
            f"Delete them, or leave them out with where_not = {{ {label} = {list(ids[lines])[:3]!r} }}."
        )


def read_source(
    source: Source, base: Path, where: str, *, text: Iterable[str] = (), label: str | None = None
) -> pd.DataFrame:
    """Read a table and do what its section asks for: rename, mend, filter, parse, fill.

    Parameters
    ----------
    source : Source
    base : Path
        Folder of the config.
    where : str
        Section, for messages.
    text : iterable of str
        Columns (by the names used here) that stay text.
    label : str, optional
        Column whose values name the rows in messages.
    """
    back = dict(source.columns)
    path = expand(source.file, base)
    table = read_table(
        path,
        sheet=source.sheet,
        separator=source.separator,
        encoding=source.encoding,
        errors=source.errors,
        text=[back.get(name, name) for name in text],
    )
    where = f"{where} '{path.name}'"
    for wanted, own in source.columns.items():
        column_of(table, own, f"{where}, columns.{wanted}")
        if wanted in table.columns and wanted != own:
            raise UserMistakeError(
                f"{where}, columns.{wanted}: the file has a column of that name already. "
                f"Choose another name for '{own}'."
            )
    table = table.rename(columns={own: wanted for wanted, own in source.columns.items()})
    for name, mend in source.replace.items():
        table[name] = column_of(table, name, f"{where}, replace").map(lambda v, m=mend: m.get(str(v), v))
    table = only_rows(table, source.where, source.where_not, where)
    if label is not None and label in table.columns:
        _refuse_totals(table, label, where)
    if not len(table):
        raise UserMistakeError(f"{where} has no rows{' left after where' if source.where or source.where_not else ''}.")
    if label is not None and label in table.columns:
        table.index = pd.Index(table[label].astype(str))
    wrong = []
    for name in source.parse:
        try:
            table[name] = parse_numbers(column_of(table, name, f"{where}, parse"), decimal=source.decimal)
        except DataError as error:
            wrong.append(str(error))
    if wrong:
        raise UserMistakeError(f"{where}: " + "\n".join(wrong))
    for name, value in source.fill.items():
        column = column_of(table, name, f"{where}, fill")
        table[name] = column.where(column.notna(), value)
    return table.reset_index(drop=True)
