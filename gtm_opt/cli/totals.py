"""Lines that are no rows of a table: totals, and the footers of reports."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import shorten
from gtm_opt.model.tables import parse_numbers

if TYPE_CHECKING:
    from gtm_opt.cli.sheet import Sheet

__all__ = ["footer_text", "total_rows", "total_text"]

_WORD = (
    r"(?:grand[\s-]*)?(?:sub[\s-]*)?"
    r"(?:totals?|totale?|sums?|summe|gesamt(?:summe)?|insgesamt|zwischensumme|somme|suma)"
)
_RECORDS = r"(?:\(?\d[\d,.]*\W*(?:records?|rows?|items?)?\W*)?"
_TOTAL = re.compile(rf"^\W*{_WORD}(?:\s+(?:general|général|geral|generale))?\W*{_RECORDS}$", re.I)
_BEGINS = re.compile(rf"^\W*(?:{_WORD})\b|\b{_WORD}\W*$", re.I)


def total_rows(table: pd.DataFrame, label: str) -> list[int]:
    """Return the positions of the lines of totals.

    A line is one when the cell that should name a row is a word for a total; or when that cell is empty or has such a
    word in it and a number of the line equals the sum of all others in its column.
    """
    ids = table[label].map(lambda v: "" if v is None or pd.isna(v) else str(v).strip())
    words = ids.map(lambda v: _TOTAL.match(v) is not None).to_numpy(dtype=bool, copy=True)
    maybe = ids.map(lambda v: v == "" or _BEGINS.search(v) is not None).to_numpy(dtype=bool) & ~words
    # an empty id beside a word for a total in another column
    for at in np.flatnonzero(maybe & (ids == "").to_numpy(dtype=bool)):
        cells = [v for v in table.iloc[int(at)] if isinstance(v, str)]
        words[at] |= any(_TOTAL.match(cell.strip()) for cell in cells)
    if (maybe & ~words).any() and len(table) > 2:
        sums = _is_sum(table.drop(columns=label), words)
        words |= maybe & sums
    return [int(at) for at in np.flatnonzero(words)]


def _is_sum(table: pd.DataFrame, leave_out: np.ndarray) -> np.ndarray:
    """Whether a row's number equals the sum of all other rows, in any column of amounts."""
    out = np.zeros(len(table), dtype=bool)
    for name in table.columns:
        numbers = _numbers(table[name])
        if numbers is None:
            continue
        others = np.nansum(np.where(leave_out, 0.0, numbers)) - numbers
        out |= (numbers != 0) & np.isclose(others, numbers, rtol=1e-9, atol=0.0)
    return out


def _numbers(column: pd.Series) -> np.ndarray | None:
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(dtype=float)
    try:
        return parse_numbers(column).to_numpy(dtype=float)
    except ValueError:
        return None


def total_text(table: pd.DataFrame, rows: list[int], label: str, sheet: Sheet, lines: list[int]) -> str:
    """Return the finding about lines of totals."""
    named = shorten([str(v) if v is not None and not pd.isna(v) else "(empty)" for v in table[label].iloc[rows]])
    where = ", ".join(str(lines[r]) for r in rows[:5])
    plural = "s" if len(rows) != 1 else ""
    return (
        f"{len(rows)} line{plural} of totals where '{label}' should name a row: {named} ({sheet.word} {where}). "
        f'They are sums of others. Delete them, or write totals = "drop".'
    )


def footer_text(sheet: Sheet) -> str:
    """Return the finding about rows with a single cell, or an empty text."""
    if not sheet.short:
        return ""
    texts = [next((str(v).strip() for v in sheet.table.iloc[k] if v is not None), "") for k in sheet.short]
    count, rows = len(sheet.short), len(sheet.lines)
    where = ", ".join(str(sheet.lines[k]) for k in sheet.short[:5])
    many = f"{count} {sheet.word}s hold" if count > 1 else f"1 {sheet.word} holds"
    text = f"{many} a single cell: {shorten(texts)} ({sheet.word} {where}). "
    last = rows - sheet.short[0]
    if last <= max(count, 20):
        return text + (
            f"{'They look' if count > 1 else 'It looks'} like the footer of a report. Delete "
            f"{'them' if count > 1 else 'it'}, or leave {'them' if count > 1 else 'it'} out with skip_last = {last}"
            + ("." if last == count else " (which leaves out every row from there on), or with skip_rows.")
        )
    return text + "Delete them, or leave them out with skip_rows = [...]."
