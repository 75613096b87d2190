"""Tables for the page: columns with headings, cells as text with a kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.errors import number_text, percent_text

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["Cell", "Table", "make_table"]

_PERCENT = ("_deviation", "deviation", "tolerance", "share_moved", "_frac", "kappa_cap")
_MONEY = (
    *("amount", "total", "target", "value", "moved", "owned", "accounts", "cost", "quota", "capacity", "street"),
    *("carried", "hold", "prior", "floor", "judgment", "adjusted", "surplus", "before", "after", "change"),
    *("smallest", "largest"),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, and how it looks ("", "number", "off": a number outside its band)."""

    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the page; ``left_out`` rows are not shown."""

    columns: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    left_out: int = 0


def make_table(
    frame: pd.DataFrame, *, most: int = 200, names: dict[str, str] | None = None, off: Collection[tuple[Any, str]] = ()
) -> Table:
    """Return the first rows of a frame as cells.

    Parameters
    ----------
    frame : DataFrame
    most : int
        Most rows.
    names : dict of str to str, optional
        Headings of columns; default: the name of the column with blanks for underscores.
    off : collection of (first cell of the row, column)
        Cells to mark as outside of what is allowed.
    """
    shown = frame.head(most)
    number = [pd.api.types.is_numeric_dtype(shown[c]) and not pd.api.types.is_bool_dtype(shown[c]) for c in shown]
    heads = [_heading(str(c), names or {}) for c in shown]
    marked = set(off)
    rows = []
    for values in shown.itertuples(index=False, name=None):
        row = []
        for column, value, is_number in zip(shown, values, number, strict=True):
            bad = (values[0], column) in marked
            row.append(Cell(cell_text(str(column), value), ("off" if bad else "number") if is_number or bad else ""))
        rows.append(tuple(row))
    columns = tuple(Cell(h, "number" if n else "") for h, n in zip(heads, number, strict=True))
    return Table(columns, tuple(rows), max(0, len(frame) - most))


def _heading(column: str, names: dict[str, str]) -> str:
    text = names.get(column, column)
    return text.removesuffix("_frac").replace("_", " ") if text == column else text


def cell_text(column: str, value: object) -> str:
    """Return a value as a planner writes it: no ``NaN``, no ``True``, no midnight."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if value is None or pd.isna(value):  # type: ignore[call-overload]
        return ""
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, int | float | np.number):
        amount = float(value)
        if not np.isfinite(amount):
            return "none" if column == "tolerance" else ""
        if column.endswith(_PERCENT):
            sign = "+" if column.endswith("deviation") and amount > 0 else ""
            text = percent_text(amount, 1 if abs(amount) >= 0.01 else 3)
            return "0 %" if text == "-0 %" else sign + text
        if column.endswith(_MONEY):
            return f"{amount:,.0f}" if abs(amount) >= 100 or amount == round(amount) else number_text(amount)
        return f"{value:,}" if isinstance(value, int | np.integer) else number_text(amount)
    return str(value)
