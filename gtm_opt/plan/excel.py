"""A plan as one Excel workbook."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from gtm_opt.errors import DataError
from gtm_opt.plan.exchange import current_umask

if TYPE_CHECKING:
    from gtm_opt.plan.plan import Plan

__all__ = ["write_workbook"]

MOST_ROWS = 1_048_575
MOST_TEXT = 32_767
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
# endings of column names and how their cells are shown
_FORMATS = (
    (
        ("_frac", "_deviation", "deviation", "tolerance", "share", "gap", "gini", "cv", "outside_15", "share_moved"),
        "0.0%",
    ),
    (("amount", "total", "target", "lower", "upper", "value", "retained_value"), "#,##0"),
    (("score", "rre", "heads", "fit", "weight"), "0.000"),
)


def write_workbook(plan: Plan, path: str | os.PathLike[str]) -> Path:
    """Write ``plan`` as a workbook, into a temporary file that then takes the place of ``path``."""
    target = Path(path)
    if target.suffix.lower() != ".xlsx":
        raise DataError(f"`path` must end in .xlsx, got '{target.name}'.")
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    tables = plan.tables
    cut = [name for name, table in tables.items() if len(table) > MOST_ROWS]
    _write_summary(book, plan, cut)
    for name, table in tables.items():
        _write_table(book, name, table.head(MOST_ROWS))
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=f".{target.stem}.", suffix=".xlsx", dir=target.parent)
    os.close(handle)
    try:
        book.save(draft)
        os.chmod(draft, 0o666 & ~current_umask())  # temporary files are made for their owner alone
        os.replace(draft, target)
    finally:
        Path(draft).unlink(missing_ok=True)
    return target


def _write_summary(book: Any, plan: Plan, cut: list[str]) -> None:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    sheet = book.create_sheet("summary")
    sheet.column_dimensions["A"].width = 120
    lines = plan.summary().splitlines()
    lines += [f"Sheet '{name}' holds the first {MOST_ROWS:,} rows only: more do not fit." for name in cut]
    for line in lines:
        cell = WriteOnlyCell(sheet, value=_text(line))
        cell.font = Font(name="Consolas", size=10)
        cell.data_type = "s"
        sheet.append([cell])


def _write_table(book: Any, name: str, table: pd.DataFrame) -> None:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter

    sheet = book.create_sheet(name[:31])
    sheet.freeze_panes = "B2"
    if table.shape[1]:
        sheet.auto_filter.ref = f"A1:{get_column_letter(table.shape[1])}{len(table) + 1}"
    formats = [_format(str(column), table.iloc[:, at]) for at, column in enumerate(table.columns)]
    for at, column in enumerate(table.columns):
        longest = max([len(str(column)) + 3, *(len(_shown(v)) for v in table.iloc[:200, at])])
        sheet.column_dimensions[get_column_letter(at + 1)].width = min(60, longest + 2)
    header = []
    for column in table.columns:
        cell = WriteOnlyCell(sheet, value=_text(str(column)))
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="DDE7F3")
        header.append(cell)
    sheet.append(header)
    for row in table.itertuples(index=False, name=None):
        cells = []
        for value, number_format in zip(row, formats, strict=True):
            plain = _plain(value)
            cell = WriteOnlyCell(sheet, value=plain)
            if isinstance(plain, str):
                cell.data_type = "s"  # a name that begins with '=' is no formula
            elif number_format is not None:
                cell.number_format = number_format
            cells.append(cell)
        sheet.append(cells)


def _format(column: str, values: pd.Series) -> str | None:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return "yyyy-mm-dd"
    if not pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype):
        return None
    for endings, shown in _FORMATS:
        if column.endswith(endings):
            return shown
    return "#,##0" if pd.api.types.is_integer_dtype(values.dtype) else "#,##0.##"


def _plain(value: object) -> Any:
    """Return what a cell can hold."""
    if value is None or (not isinstance(value, list | tuple | dict) and pd.isna(value)):  # type: ignore[call-overload]
        return None
    if isinstance(value, pd.Timestamp):
        return value.tz_localize(None).to_pydatetime()
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return str(value)
    return value if isinstance(value, bool | int | float) else _text(str(value))


def _text(text: str) -> str:
    return _CONTROL.sub(" ", text)[:MOST_TEXT]


def _shown(value: object) -> str:
    return "" if value is None else f"{value:,.2f}" if isinstance(value, float) else str(value)
