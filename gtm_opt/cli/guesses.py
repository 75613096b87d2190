"""What the columns of a file hold, and which words of a config they may stand for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from gtm_opt.errors import DataError
from gtm_opt.model.dates import likely_format
from gtm_opt.model.tables import parse_numbers

if TYPE_CHECKING:
    pass

__all__ = ["ColumnGuess", "guess_columns", "guess_section"]

_ISO = re.compile(r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?\s?(Z|UTC|[+-]\d{2}:?\d{2})?$")
_SLASHED = re.compile(r"^(\d{1,2})([./-])(\d{1,2})\2(\d{4})$")
# word of a config: how columns that stand for it are often called
_NAMES: tuple[tuple[str, str], ...] = (
    ("parent", r"parent|ultimate|headquarter|konzern|mutter"),
    ("owner", r"owner|account.?manager|assigned.?to|besitzer|betreuer|vertriebler|sales.?rep$|^rep(.?id)?$|propri"),
    (
        "id",
        r"(^|[ _.-])(id|key|number|no|nr|code)$|^(account|record|customer|rep).*(id|number)$|nummer$|^id\b",
    ),
    ("lat", r"^lat(itude)?$|breite"),
    ("lon", r"^(lon|lng|long)(itude)?$|laenge|länge"),
    ("status", r"^(seat.?)?status$"),
    ("start_date", r"start|hire|eintritt"),
    ("stage", r"stage|phase"),
    ("date", r"date|closed?$|datum|created"),
    ("email", r"e-?mail"),
    ("value", r"arr\b|mrr\b|acv\b|revenue|amount|umsatz|pipeline|potential|value|bookings|spend|employees|betrag"),
    ("category", r"industry|segment|region|country|state|sector|branche|land|type|tier|size"),
    ("name", r"name|firma|company"),
)


@dataclass(frozen=True)
class ColumnGuess:
    """One column of a file.

    Attributes
    ----------
    name : str
    holds : str
        "numbers", "amounts" (numbers written as text), "dates", "times", "text", "flags", "nothing".
    filled, different : int
        Cells that are not empty, and how many of them differ.
    examples : tuple of str
    word : str
        Word of a config the column may stand for; empty where nothing suggests one.
    note : str
        What is odd about it.
    date_format : str
        How its dates are written where they are not ISO; "?" where day and month cannot be distinguished.
    """

    name: str
    holds: str
    filled: int
    different: int
    examples: tuple[str, ...]
    word: str
    note: str = ""
    date_format: str = ""


def guess_columns(table: pd.DataFrame) -> list[ColumnGuess]:
    """Return what each column holds and may stand for."""
    out = []
    for name in table.columns:
        column = table[name]
        cells = column.dropna()
        holds, note, date_format = _content(cells)
        different = int(cells.astype(str).nunique())
        examples = tuple(_example(v) for v in cells.drop_duplicates().head(3))
        word = _word(str(name), holds, len(cells), different, len(table))
        if word in ("id", "parent", "owner") and holds == "amounts":
            holds = "text"  # ids of digits, kept as they are written
        out.append(ColumnGuess(str(name), holds, len(cells), different, examples, word, note, date_format))
    return out


def _example(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _content(cells: pd.Series) -> tuple[str, str, str]:
    """Return what cells hold, what is odd, and the format of dates that are not ISO."""
    if not len(cells):
        return "nothing", "", ""
    if pd.api.types.is_bool_dtype(cells.dtype):
        return "flags", "", ""
    if pd.api.types.is_datetime64_any_dtype(cells.dtype):
        return "dates", "", ""
    if pd.api.types.is_numeric_dtype(cells.dtype):
        return "numbers", "", ""
    texts = [str(v).strip() for v in cells]
    iso = [t for t in texts if _ISO.match(t)]
    if len(iso) == len(texts):
        if any(":" in t and re.search(r"(Z|UTC|[+-]\d{2}:?\d{2})$", t) for t in texts):
            return "times", "with a zone: each counts on the day that is written there", ""
        return "dates", "", ""
    if all(_SLASHED.match(t) for t in texts):
        return "dates", "", likely_format(texts) or "?"
    if {t.lower() for t in texts} <= {"true", "false", "yes", "no"}:
        return "flags", "", ""
    try:
        parse_numbers(pd.Series(texts))
    except DataError as error:
        if "currencies" in str(error):
            return "amounts", "several currencies", ""
        if all(re.fullmatch(r"\W*[\d.]+,\d+\W*|\W*[\d.]+\W*", t) for t in texts) and any("," in t for t in texts):
            return "amounts", "decimal comma", ""
        return "text", _almost(texts), ""
    return ("amounts" if any(any(c.isdigit() for c in t) for t in texts) else "text"), "", ""


def _almost(texts: list[str]) -> str:
    """Say where all but a few cells are numbers: the few are likely mistakes."""
    bad = []
    for text in texts[:20_000]:
        try:
            parse_numbers(pd.Series([text]))
        except DataError:
            bad.append(text)
        if len(bad) > 5:
            return ""
    return f"numbers, except {', '.join(repr(t) for t in bad[:3])}" if 0 < len(bad) <= 0.2 * len(texts) else ""


def _word(name: str, holds: str, filled: int, different: int, rows: int) -> str:
    low = name.strip()
    for word, pattern in _NAMES:
        if not re.search(pattern, low, re.IGNORECASE):
            continue
        if word == "value" and holds not in ("numbers", "amounts"):
            continue
        if word in ("lat", "lon") and holds != "numbers":
            continue
        if word in ("date", "start_date") and holds not in ("dates", "times"):
            continue
        if word == "category" and not (holds == "text" and 1 < different <= max(30, rows // 20)):
            continue
        return word
    return ""


def guess_section(columns: list[ColumnGuess], rows: int, file: str = "") -> tuple[str, str]:
    """Return the section a file is for ("accounts", "reps", "join"), and its column of ids."""
    words = {c.word: c for c in reversed(columns)}
    names = ("text", "numbers", "amounts")
    unique = [c for c in columns if c.filled == rows and c.different == rows and c.holds in names]
    ids = [c for c in unique if c.word == "id"] or [c for c in unique if c.word == "email"]
    ids = ids or [c for c in unique if c.word == "name"] or unique
    rep_like = any(re.search(r"\b(rep|seller)|manager|email", c.name.replace("_", " "), re.IGNORECASE) for c in columns)
    about_deals = bool(re.search(r"opp|deal|ticket|invoice|subscription|order", file, re.IGNORECASE))
    repeated = [c for c in columns if c.word == "id" and c.different < c.filled]
    keys = repeated or [c for c in columns if c.word == "id"]
    if (repeated or (about_deals and keys)) and ("value" in words or "date" in words):
        return "join", keys[0].name
    team = [c for c in columns if c.word == "owner" and c.filled == c.different == rows]
    if team and "value" not in words and "parent" not in words:
        return "reps", team[0].name
    if rep_like and "value" not in words and rows <= 5_000 and "parent" not in words and "owner" not in words:
        return "reps", ids[0].name if ids else columns[0].name
    return "accounts", ids[0].name if ids else columns[0].name
