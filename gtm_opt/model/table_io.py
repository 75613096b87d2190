"""Tables to files and back, so that what comes back compares equal to what went in."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SUFFIX", "Format", "frame_from_json", "frame_to_json", "read_table", "write_table"]

Format = Literal["csv", "parquet"]
SUFFIX = {"csv": ".csv", "parquet": ".parquet"}
_NULLS = {"none": None, "nan": float("nan"), "nat": pd.NaT, "na": pd.NA}
# What spreadsheets take for the start of a formula in a CSV cell (OWASP, CSV injection), behind any number of our own
# marks, so that the mark can be taken off again: '=1+1 becomes ''=1+1. Full-width signs count in East Asian settings.
_FORMULA = re.compile(r"^'*\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_MARK = "'"


def write_table(frame: pd.DataFrame, path: Path, format: Format, *, raw: bool = False) -> dict[str, Any]:
    """Write ``frame`` and return what a reader must know to restore it.

    Parameters
    ----------
    frame : DataFrame
    path : Path
    format : {"csv", "parquet"}
    raw : bool
        Leave the text cells of a CSV file as they are. By default those that a spreadsheet would compute
        (``=``, ``+``, ``-``, ``@`` first) get an apostrophe in front, which `read_table` takes off again.

    Returns
    -------
    dict
        ``rows``, ``columns`` (name, dtype and how its cells are written; ``marked`` where apostrophes were put in
        front), ``index`` (columns that form the row labels).
    """
    frame, index, meta_index = _with_index_columns(frame)
    columns = [_describe(frame.iloc[:, at]) for at in range(frame.shape[1])]
    plain = pd.DataFrame(
        {str(at): _plain(frame.iloc[:, at], meta) for at, meta in enumerate(columns)}, index=frame.index
    )
    names = [str(c["name"]) for c in columns]
    if format == "csv" and not raw:
        plain = _mark_formulas(plain, columns)
        names = [_MARK + name if _FORMULA.match(name) else name for name in names]
    plain.columns = pd.Index(names, dtype=object)
    if format == "csv":
        plain.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")
    else:
        _need_pyarrow()
        plain.to_parquet(path, engine="pyarrow", index=False)
    return {"rows": len(frame), "columns": columns, "index": index, "index_names": meta_index}


def read_table(path: Path, meta: dict[str, Any], format: Format) -> pd.DataFrame:
    """Read a table that `write_table` wrote."""
    if format == "csv":
        if not meta["columns"]:
            return pd.DataFrame(index=pd.RangeIndex(meta["rows"]))
        raw = pd.read_csv(
            path, dtype=str, keep_default_na=False, na_filter=False, encoding="utf-8", skip_blank_lines=False
        )
    else:
        _need_pyarrow()
        raw = pd.read_parquet(path, engine="pyarrow")
    return _assemble([raw.iloc[:, at] for at in range(len(meta["columns"]))], meta, len(raw))


def frame_to_json(frame: pd.DataFrame) -> dict[str, Any]:
    """Return a table as plain JSON values: what `write_table` returns, and the cells by column."""
    frame, index, meta_index = _with_index_columns(frame)
    columns = [_describe(frame.iloc[:, at]) for at in range(frame.shape[1])]
    cells = [[_json_cell(v) for v in _plain(frame.iloc[:, at], meta)] for at, meta in enumerate(columns)]
    described = [{**meta, "name": _json_name(meta["name"])} for meta in columns]
    return {"rows": len(frame), "columns": described, "index": index, "index_names": meta_index, "cells": cells}


def frame_from_json(data: dict[str, Any]) -> pd.DataFrame:
    """Return the table that `frame_to_json` was given."""
    raw = [pd.Series(cells, dtype=object) for cells in data["cells"]]
    return _assemble(raw, data, data["rows"])


def _json_cell(value: Any) -> Any:
    if _is_null(value):
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return value


def _json_name(name: Any) -> Any:
    return name.item() if isinstance(name, np.generic) else name


def _with_index_columns(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str], list[Any]]:
    """Return the table with its row names as columns, which these are, and their own names."""
    if _is_default(frame.index):
        return frame, [], []
    names = [str(n) if n is not None else f"index_{at}" for at, n in enumerate(frame.index.names)]
    own: list[Any] = list(frame.index.names)
    frame = frame.copy()
    frame.index = frame.index.set_names(names)
    return frame.reset_index(), names, own


def _assemble(raw: list[pd.Series], meta: dict[str, Any], rows: int) -> pd.DataFrame:
    columns = {
        str(at): _restore(cells, column) for at, (cells, column) in enumerate(zip(raw, meta["columns"], strict=True))
    }
    frame = pd.DataFrame(columns, index=pd.RangeIndex(rows))
    names = [column["name"] for column in meta["columns"]]
    frame.columns = pd.Index(names) if names else pd.Index([], dtype=object)
    if meta["index"]:
        frame = frame.set_index(meta["index"])
        frame.index = frame.index.set_names(meta["index_names"])
    return frame


def _mark_formulas(plain: pd.DataFrame, columns: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the table with an apostrophe before text that a spreadsheet would compute; ``columns`` says where."""
    out = {}
    for name, meta in zip(plain.columns, columns, strict=True):
        column = plain[name]
        if _is_text(meta):
            hit = np.array([isinstance(v, str) and _FORMULA.match(v) is not None for v in column], dtype=bool)
            if hit.any():
                meta["marked"] = True
                column = column.astype(object)
                column = column.where(~hit, _MARK + column.where(hit, "").astype(str))
        out[name] = column
    return pd.DataFrame(out, index=plain.index)


def _is_text(meta: dict[str, Any]) -> bool:
    """Whether the cells are text as the user wrote it (text within JSON begins with a quotation mark)."""
    return meta.get("cells") != "json" and (meta["dtype"] == "object" or meta["dtype"].startswith(("str", "string")))


def _is_default(index: pd.Index) -> bool:
    return isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1 and index.name is None


def _need_pyarrow() -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "Parquet files need pyarrow, which is not installed: pip install \"gtm-opt[parquet]\", or use format='csv'."
        ) from error


def _describe(column: pd.Series) -> dict[str, Any]:
    """Return name, dtype, and for text what an empty cell means."""
    meta: dict[str, Any] = {"name": column.name, "dtype": str(column.dtype)}
    if isinstance(column.dtype, pd.CategoricalDtype):
        categories = column.dtype.categories
        meta |= {"dtype": "category", "ordered": bool(column.dtype.ordered), "categories": categories.tolist()}
        return meta
    if column.dtype != object and not pd.api.types.is_string_dtype(column.dtype):
        return meta
    missing = column.isna().to_numpy()
    if missing.any():
        first = column[missing].iloc[0]
        meta["null"] = "none" if first is None else "nat" if first is pd.NaT else "na" if first is pd.NA else "nan"
    # a carriage return within a cell ends the line for readers of CSV; JSON writes it as \\r
    broken = any(isinstance(v, str) and "\r" in v for v in column)
    if broken or pd.api.types.infer_dtype(column, skipna=True) not in ("string", "empty"):
        meta["cells"] = "json"
        return meta
    empty = (column == "").fillna(False).to_numpy(dtype=bool)
    if empty.any():
        # An empty cell can only mean one of the two; where there are both, the rarer is listed.
        meta["empty_text"] = "all" if not missing.any() else np.flatnonzero(empty).tolist()
    return meta


def _plain(column: pd.Series, meta: dict[str, Any]) -> pd.Series:
    """Return the column as what both file formats can hold."""
    if meta.get("cells") == "json":
        cells = [None if _is_null(v) else json.dumps(v, default=str, ensure_ascii=False) for v in column]
        return pd.Series(cells, index=column.index, dtype=object)
    if isinstance(column.dtype, pd.PeriodDtype):
        return column.astype(object).map(lambda v: None if pd.isna(v) else str(v)).astype(object)
    if isinstance(column.dtype, pd.CategoricalDtype):
        return pd.Series(column.cat.codes, index=column.index)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column.astype(object).map(lambda v: None if pd.isna(v) else v.isoformat()).astype(object)
    return column


def _is_null(value: object) -> bool:
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and np.isnan(value))


def _restore(raw: pd.Series, meta: dict[str, Any]) -> pd.Series:
    dtype = meta["dtype"]
    if dtype == "category":
        codes = raw.astype(np.int64).to_numpy()
        made = pd.Categorical.from_codes(codes, categories=pd.Index(meta["categories"]), ordered=meta["ordered"])
        return pd.Series(made)
    if dtype == "object" or dtype.startswith(("str", "string")):
        return _restore_text(raw, meta)
    empty = (raw.isna() | (raw == "")).to_numpy(dtype=bool)
    if dtype.startswith("datetime64"):
        days: pd.Series = pd.to_datetime(raw.astype(object).where(~empty, None), format="ISO8601", utc="," in dtype)
        return pd.Series(days.astype(dtype))
    if dtype == "bool":
        return pd.Series(raw.astype(str).to_numpy() == "True", dtype=bool)
    if dtype.startswith("period"):
        return pd.Series(pd.PeriodIndex(raw.astype(object).where(~empty, None), dtype=dtype))
    if not pd.api.types.is_numeric_dtype(raw.dtype):
        if dtype == "boolean":
            flags: pd.Series = pd.Series(raw.map({"True": True, "False": False}).array, dtype=dtype)
            return flags
        if empty.any():
            raw = raw.astype(object).where(~empty, pd.NA if dtype[0].isupper() else np.nan)
        if dtype[0].isupper() and dtype[:3] in ("Int", "UIn"):
            return pd.Series([pd.NA if e else int(v) for v, e in zip(raw, empty, strict=True)], dtype=dtype)
    return pd.Series(raw.astype(dtype))


def _unmark(cell: object) -> object:
    marked = isinstance(cell, str) and cell.startswith(_MARK) and _FORMULA.match(cell) is not None
    return cell[len(_MARK) :] if marked and isinstance(cell, str) else cell


def _restore_text(raw: pd.Series, meta: dict[str, Any]) -> pd.Series:
    cells = raw.astype(object).to_numpy(dtype=object, copy=True)
    if meta.get("marked"):
        cells = np.array([_unmark(v) for v in cells], dtype=object)
    missing = np.array([_is_null(v) for v in cells], dtype=bool)
    if "null" in meta or meta.get("cells") == "json":
        missing |= np.array([isinstance(v, str) and v == "" for v in cells], dtype=bool)
    if isinstance(meta.get("empty_text"), list):
        missing[meta["empty_text"]] = False
        cells[meta["empty_text"]] = ""
    if meta.get("cells") == "json":
        cells[~missing] = [json.loads(v) for v in cells[~missing]]
    cells[missing] = _NULLS[meta.get("null", "nan")]
    if meta["dtype"] == "object":
        out = np.empty(len(cells), dtype=object)
        out[:] = cells
        return pd.Series(out, dtype=object)
    if meta["dtype"] == "str" and pd.Series(["a"]).dtype == object:  # pandas before 3 keeps text as objects
        return pd.Series(cells, dtype=object)
    text: pd.Series = pd.Series(cells, dtype=meta["dtype"])
    return text
