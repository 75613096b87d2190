"""Text files: their encoding, their separator, their rows."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from typing import TYPE_CHECKING

from gtm_opt.cli.exits import UserMistakeError
from gtm_opt.cli.sheet import Rows, is_blank

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_text_rows"]

_MARKS = ",;\t|"
_LOOKED_AT = 50
"""Records that decide about the separator."""
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


def read_text_rows(path: Path, separator: str | None, encoding: str, errors: str) -> Rows:
    """Return the records of a text file that are not blank.

    Raises
    ------
    UserMistakeError
        For bytes that are not of the encoding, with line and byte; for quotes that are never closed.
    """
    raw = path.read_bytes()
    # a byte order mark says what the file is: what spreadsheets call Unicode text is UTF-16
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif raw.startswith(codecs.BOM_UTF8):
        encoding = "utf-8-sig"
    text = _decode(raw, path.name, encoding, errors)
    before = 0
    named = re.match(r"^sep=(.)\r?\n", text)  # what spreadsheets write for themselves; no line of names
    if named is not None:
        text, separator, before = text[named.end() :], separator or named[1], 1
    mark = separator or _find_separator(text)
    facts = {"encoding": encoding.removesuffix("-sig"), "separator": _NAMES.get(mark, mark)}
    cells: list[list[object]] = []
    lines: list[int] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, skipinitialspace=True, strict=True)
    start = 1 + before
    try:
        for record in reader:
            if any(cell.strip() for cell in record):
                cells.append(list(record))
                lines.append(start)
            start = reader.line_num + 1 + before
    except csv.Error as error:
        raise UserMistakeError(_csv_mistake(path.name, start, mark, str(error))) from None
    return Rows(cells, lines, "line", facts)


def _csv_mistake(name: str, line: int, mark: str, error: str) -> str:
    where = f"'{name}' cannot be read: in the record that begins in line {line} "
    if "end of data" in error:
        return where + "a quotation mark opens and is never closed. Close it, or double it if it is part of the text."
    if "expected after" in error:
        return where + "text follows a closing quotation mark. Double the quotation marks within a quoted field."
    return where + f"{error}. Quote fields that contain '{mark}'."


def _decode(raw: bytes, name: str, encoding: str, errors: str) -> str:
    try:
        return raw.decode(encoding, errors)
    except LookupError:
        raise UserMistakeError(
            f"encoding = '{encoding}' is not known. Usual ones are utf-8, cp1252 and latin-1."
        ) from None
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        lines = raw.splitlines()
        shown = lines[line - 1][:60].decode(encoding, "replace") if line <= len(lines) else ""
        raise UserMistakeError(
            f"'{name}' is not {encoding}: byte 0x{raw[error.start]:02x} in line {line} ({shown}...).\n"
            '    Name its encoding (encoding = "cp1252" is common for Excel exports), or write errors = "replace".'
        ) from None


def _find_separator(text: str) -> str:
    """Return the sign that cuts most of the first records into equally many fields (titles above have none)."""
    best, mark = (0, 0, 0), ","
    first = next((line for line in text.split("\n", _LOOKED_AT) if line.strip()), "")
    for sign in _MARKS:
        widths: Counter[int] = Counter()
        try:
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign, skipinitialspace=True)
            for count, record in enumerate(reader):
                if count == _LOOKED_AT:
                    break
                if any(not is_blank(cell) for cell in record):
                    widths[len(record)] += 1
        except csv.Error:
            continue
        width, times = max(((w, n) for w, n in widths.items() if w > 1), key=lambda x: (x[1], x[0]), default=(1, 0))
        if (times, width, first.count(sign)) > best:
            best, mark = (times, width, first.count(sign)), sign
    return mark
