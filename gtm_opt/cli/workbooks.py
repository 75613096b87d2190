"""Workbooks: their sheets, rows, merged cells, error cells and formulas without values."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from gtm_opt.cli.exits import UserMistakeError
from gtm_opt.cli.sheet import Fault, Rows, is_blank
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_workbook_rows"]

_RANGE = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')
_FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def read_workbook_rows(path: Path, sheet: str | int | None) -> Rows:
    """Return the rows of a sheet that are not blank.

    Raises
    ------
    UserMistakeError
        For a file that is no workbook, and a sheet that is not in it.
    """
    try:
        return _read(path, sheet)
    except UserMistakeError:
        raise
    except Exception as error:
        raise UserMistakeError(f"'{path.name}' cannot be read as an Excel workbook: {error}.") from None


def _read(path: Path, sheet: str | int | None) -> Rows:
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
    try:
        names = [ws.title for ws in book.worksheets]
        if isinstance(sheet, str) and sheet not in names:
            raise UserMistakeError(f"'{path.name}' has no sheet '{sheet}'. {did_you_mean(sheet, names)}")
        if isinstance(sheet, int) and not 0 <= sheet < len(names):
            raise UserMistakeError(f"'{path.name}' has {len(names)} sheets, numbered from 0, got sheet = {sheet}.")
        chosen = names.index(sheet) if isinstance(sheet, str) else sheet or 0
        xml = _sheet_xml(path, names[chosen])
        cells, lines, faults = _cells(book.worksheets[chosen])
    finally:
        book.close()
    merged = _merged(xml)
    faults += _under_merged(merged)
    if _FORMULA.search(xml):
        faults += _formulas_without_values(path, chosen, cells, lines)
    facts = {"sheet": names[chosen]}
    if len(names) > 1:
        facts["other sheets"] = ", ".join(name for name in names if name != names[chosen])
    return Rows(cells, lines, "row", facts, merged, faults)


def _cells(worksheet: Any) -> tuple[list[list[object]], list[int], list[Fault]]:
    cells: list[list[object]] = []
    lines: list[int] = []
    faults: list[Fault] = []
    worksheet.reset_dimensions()  # some writers state a size that is wrong
    for line, row in enumerate(worksheet.iter_rows(), 1):
        values: list[object] = []
        for at, cell in enumerate(row):
            value = cell.value
            if cell.data_type == "e":
                faults.append(Fault(line, at, "error", str(value)))
                value = None
            elif isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
                value = int(value)
            values.append(value)
        if not all(is_blank(v) for v in values) or any(f.line == line for f in faults[-len(row) :]):
            cells.append(values)
            lines.append(line)
    return cells, lines, faults


def _sheet_xml(path: Path, name: str) -> bytes:
    """Return the XML of a sheet, which holds what a reader of values does not tell; empty where it is not found."""
    with zipfile.ZipFile(path) as archive:
        try:
            book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
            links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
        except KeyError:
            return b""
        files = {link.get("Id"): link.get("Target", "") for link in links}
        for sheet in book.iter(f"{_MAIN}sheet"):
            target = files.get(sheet.get(_LINK))
            if sheet.get("name") == name and target:
                inside = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
                return archive.read(inside) if inside in archive.namelist() else b""
    return b""


def _merged(xml: bytes) -> tuple[tuple[int, int, int, int], ...]:
    found = _RANGE.findall(xml)
    return tuple((int(top), _position(left), int(bottom), _position(right)) for left, top, right, bottom in found)


def _position(letters: bytes) -> int:
    at = 0
    for letter in letters:
        at = at * 26 + letter - 64
    return at - 1


def _under_merged(merged: tuple[tuple[int, int, int, int], ...]) -> list[Fault]:
    """Return the cells that a merged one hides; only the first of a range holds its value."""
    return [
        Fault(line, column, "merged", f"{top}")
        for top, left, bottom, right in merged
        for line in range(top, min(bottom, top + 10_000) + 1)
        for column in range(left, right + 1)
        if (line, column) != (top, left)
    ]


def _formulas_without_values(path: Path, chosen: int, cells: list[list[object]], lines: list[int]) -> list[Fault]:
    """Return the formulas that no program has computed yet: they read as empty cells."""
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True, data_only=False, keep_links=False)
    try:
        worksheet = book.worksheets[chosen]
        worksheet.reset_dimensions()
        values = dict(zip(lines, cells, strict=True))
        out = []
        for line, row in enumerate(worksheet.iter_rows(), 1):
            read = values.get(line, [])
            for at, cell in enumerate(row):
                if cell.data_type == "f" and (at >= len(read) or read[at] is None):
                    out.append(Fault(line, at, "formula", str(cell.value)))
        return out
    finally:
        book.close()
