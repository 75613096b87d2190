"""Rules about amounts and categories."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import number_text
from gtm_opt.records.prepare import hits, name_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gtm_opt.records.prepare import Records

__all__ = ["currencies", "frozen", "negative", "no_number", "outlier", "spelling", "text_number"]

_SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
_CURRENCY = re.compile(r"[$€£¥]|\b(?:USD|EUR|GBP|JPY|CHF|AUD|CAD|SEK|NOK|DKK|INR|CNY)\b")
_NOTHING = hits(np.array([]), "", "", "")
_WORDS_FOR_NONE = {"", "-", "–", "n/a", "#n/a", "na", "nan", "none", "null"}


def _text_cells(records: Records, column: str) -> tuple[NDArray[np.int64], list[str]]:
    """Return positions and contents of the cells that are text."""
    values = records.accounts[column]
    if pd.api.types.is_numeric_dtype(values.dtype):
        return np.array([], dtype=np.int64), []
    cells = values.tolist()
    rows = [place for place, cell in enumerate(cells) if isinstance(cell, str)]
    return np.array(rows, dtype=np.int64), [cells[row].strip() for row in rows]


def _together(parts: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else _NOTHING


def currencies(records: Records, _: Mapping[str, float]) -> pd.DataFrame:
    """Find amounts of another currency than most of their column."""
    parts = []
    for column in records.values:
        rows, cells = _text_cells(records, column)
        seen = [_CURRENCY.search(cell.upper()) for cell in cells]
        code = np.array(["" if m is None else _SIGNS.get(m[0], m[0]) for m in seen], dtype=object)
        counts = pd.Series(code[code != ""]).value_counts()
        if len(counts) < 2:
            continue
        usual = min(counts.index[counts == counts.iloc[0]])
        other = np.flatnonzero((code != "") & (code != usual))
        text = np.array([f"{cells[o]}, others in {usual}" for o in other.tolist()], dtype=object)
        parts.append(hits(rows[other], column, text, "Convert it at a stated rate."))
    return _together(parts)


def text_number(records: Records, _: Mapping[str, float]) -> pd.DataFrame:
    """Find numbers written as text, and words for none; the repair reads them, unless their column mixes currencies."""
    mixed = set(currencies(records, {})["column"])
    parts = []
    for column in records.values:
        rows, cells = _text_cells(records, column)
        read = records.numbers(column)[rows] if len(rows) else np.array([])
        nothing = np.array([cell.lower() in _WORDS_FOR_NONE for cell in cells], dtype=bool)
        fine = ~np.isnan(read) | nothing
        text = np.array(cells, dtype=object)[fine]
        changes: list[tuple[tuple[str, object], ...]] = [
            () if column in mixed else ((column, float(value)),) for value in read[fine].tolist()
        ]
        parts.append(hits(rows[fine], column, text, "Read it with gtm_opt.parse_numbers.", changes=changes))
    return _together(parts)


def no_number(records: Records, _: Mapping[str, float]) -> pd.DataFrame:
    """Find cells of an amount that are empty or no number."""
    parts = []
    for column in records.values:
        rows = np.flatnonzero(~np.isfinite(records.numbers(column)))
        found = records.accounts[column].iloc[rows].to_numpy(dtype=object)
        parts.append(hits(rows, column, found, "Fill in the amount; 0 where there is none."))
    return _together(parts)


def negative(records: Records, _: Mapping[str, float]) -> pd.DataFrame:
    """Find amounts below zero."""
    parts = []
    for column in records.values:
        numbers = records.numbers(column)
        rows = np.flatnonzero(numbers < 0)
        text = np.array([number_text(v) for v in numbers[rows]], dtype=object)
        parts.append(hits(rows, column, text, "Set it to 0, or correct the sign."))
    return _together(parts)


def outlier(records: Records, limits: Mapping[str, float]) -> pd.DataFrame:
    """Find amounts whose logarithm lies more than ``z`` robust deviations above the median.

    Notes
    -----
    The robust deviation is 1.4826 times the median absolute deviation (Hampel, The influence curve and its role in
    robust estimation, JASA 69 (1974), doi:10.1080/01621459.1974.10482962). Small amounts are no outliers: they weigh
    nothing.
    """
    parts = []
    for column in records.values:
        numbers = records.numbers(column)
        size = np.log(np.where(numbers > 0, numbers, np.nan))
        if np.isfinite(size).sum() < limits["at_least"]:
            continue
        middle = float(np.nanmedian(size))
        spread = 1.4826 * float(np.nanmedian(np.abs(size - middle)))
        if spread == 0.0:
            continue
        z = (size - middle) / spread
        rows = np.flatnonzero(np.nan_to_num(z) > limits["z"])
        text = np.array([f"{number_text(numbers[r])}, z {z[r]:.1f}" for r in rows], dtype=object)
        parts.append(hits(rows, column, text, "Look whether thousands were entered as units."))
    return _together(parts)


def frozen(records: Records, limits: Mapping[str, float]) -> pd.DataFrame:
    """Find amounts whose ``<column>_updated`` is older than ``days``."""
    parts = []
    for column in records.values:
        stamp = f"{column}_updated"
        if not records.has(stamp):
            continue
        updated = records.days(stamp)
        rows = np.flatnonzero(((records.as_of - updated).dt.days > limits["days"]).to_numpy())
        text = updated.iloc[rows].dt.strftime("%Y-%m-%d").to_numpy(dtype=object)
        parts.append(hits(rows, column, text, "Estimate the amount anew."))
    return _together(parts)


def spelling(records: Records, limits: Mapping[str, float]) -> pd.DataFrame:
    """Find categories that differ from a more frequent one by case, blanks, signs or a slip.

    Notes
    -----
    A slip: at least ``similar`` by difflib's ratio, and at most ``rare`` times as frequent. The repair takes the
    more frequent spelling.
    """
    parts = []
    for column in records.categories:
        values = records.accounts[column]
        cells = values.map(lambda v: v if isinstance(v, str) else "").to_numpy(dtype=object)
        count = pd.Series(cells[cells != ""]).value_counts()
        count = count.sort_index(kind="stable").sort_values(ascending=False, kind="stable")
        better = _better_spellings(count, limits) if len(count) <= limits["most"] else {}
        wrong = pd.Series(cells).isin(list(better)).to_numpy()
        rows = np.flatnonzero(wrong)
        text = np.array([f"'{cells[r]}' for '{better[cells[r]]}'" for r in rows], dtype=object)
        changes: list[tuple[tuple[str, object], ...]] = [((column, better[cells[r]]),) for r in rows]
        parts.append(hits(rows, column, text, "Use one spelling per category.", changes=changes))
    return _together(parts)


def _better_spellings(count: pd.Series, limits: Mapping[str, float]) -> dict[str, str]:
    """Return the spelling to use instead, for those that have a more frequent one."""
    better: dict[str, str] = {}
    kept: dict[str, str] = {}
    for spelling, n in count.items():
        key = name_key(str(spelling))
        near = [key] if key in kept else []
        if not near and len(key) >= 5:
            near = [k for k in difflib.get_close_matches(key, list(kept), n=1, cutoff=limits["similar"])]
            near = [k for k in near if n <= limits["rare"] * count[kept[k]] and not any(c.isdigit() for c in key)]
        if near:
            better[str(spelling)] = kept[near[0]]
        else:
            kept[key] = str(spelling)
    return better
