"""What would be read from a file: its layout, its columns, what is odd, and a section to paste into a config."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from gtm_opt.cli.exits import UserMistakeError
from gtm_opt.cli.guesses import ColumnGuess, guess_columns, guess_section
from gtm_opt.cli.headers import guess_header, make_sheet
from gtm_opt.cli.sheet import Layout, Sheet
from gtm_opt.cli.sources import cell_findings, is_ambiguous
from gtm_opt.cli.tables import read_sheet
from gtm_opt.cli.text_files import read_text_rows
from gtm_opt.cli.totals import footer_text, total_rows, total_text
from gtm_opt.cli.workbooks import read_workbook_rows
from gtm_opt.model.spelling import is_rounded

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["inspect_file"]

_SHOWN = 28
_TEXT = (".csv", ".tsv", ".txt")
_BOOKS = (".xlsx", ".xlsm")


def inspect_file(path: Path, *, sheet: str | int | None = None, encoding: str = "utf-8-sig") -> str:
    """Return what would be read from a file, as text.

    Parameters
    ----------
    path : Path
    sheet : str or int, optional
        Of a workbook; default: the first.
    encoding : str
        Of a text file without a byte order mark.

    Raises
    ------
    UserMistakeError
        When the file cannot be read at all.
    """
    found: list[str] = []
    words: dict[str, str] = {}
    encoding = _encoding(path, encoding, found)
    layout = _layout(path, sheet, encoding, found, words)
    read = read_sheet(path, sheet=sheet, encoding=encoding, layout=layout)
    # ids are shown as they are written
    labels = [c.name for c in guess_columns(read.table) if c.word in ("id", "parent", "owner")]
    read = read_sheet(path, sheet=sheet, encoding=encoding, layout=layout, text=labels)
    keep = [k for k in range(len(read.lines)) if k not in read.short]
    table = read.table.iloc[keep].reset_index(drop=True)
    lines = [read.lines[k] for k in keep]
    if read.short:
        found.append(footer_text(read))
        words["skip_last"] = str(len(read.lines) - read.short[0])
    columns = guess_columns(table)
    section, label = guess_section(columns, len(table), path.name)
    totals = total_rows(table, label) if len(columns) else []
    if totals:
        found.append(total_text(table, totals, label, read, lines))
        words["totals"] = '"drop"'
        table = table.drop(index=totals).reset_index(drop=True)
        columns = guess_columns(table)
        section, label = guess_section(columns, len(table), path.name)
    found += cell_findings(read.faults, set(lines), None)
    found += _column_findings(table, columns, read, label, words)
    text = [_describe(path, read, len(table), len(columns)), "", _column_table(columns, len(table))]
    if found:
        text += ["", f"{len(found)} finding{'s' if len(found) != 1 else ''}:"]
        text += [f"{n}. {line}" for n, line in enumerate(found, 1)]
    snippet = _snippet(path, sheet, read, columns, section, label, words)
    text += ["", "To paste into a config (guesses: check them):", snippet]
    return "\n".join(text)


def _encoding(path: Path, encoding: str, found: list[str]) -> str:
    """Return an encoding that reads a text file; another than was asked for is a finding."""
    if path.suffix.lower() not in _TEXT or not path.exists():
        return encoding
    try:
        read_text_rows(path, None, encoding, "strict")
    except UserMistakeError as error:
        if "is not utf-8" not in str(error):
            raise
        found.append(str(error).splitlines()[0].rstrip() + " Shown as cp1252, which Excel exports often are.")
        return "cp1252"
    return encoding


def _layout(path: Path, sheet: str | int | None, encoding: str, found: list[str], words: dict[str, str]) -> Layout:
    """Return where the names seem to stand; a row other than the first is a finding."""
    suffix = path.suffix.lower()
    if not path.exists() or suffix not in (*_TEXT, *_BOOKS):
        return Layout()
    book = suffix in _BOOKS
    rows = read_workbook_rows(path, sheet) if book else read_text_rows(path, None, encoding, "strict")
    try:
        make_sheet(rows, Layout(), path.name)
    except UserMistakeError as error:
        at = guess_header(rows)
        if at is None:
            raise
        found.append(str(error).removeprefix(f"'{path.name}': ").removeprefix(f"'{path.name}' "))
        for header in ((rows.lines[at],), (rows.lines[at - 1], rows.lines[at])) if at else ((rows.lines[at],),):
            try:
                make_sheet(rows, Layout(header), path.name)
            except UserMistakeError:
                continue
            words["header_row"] = str(header[0]) if len(header) == 1 else str(list(header))
            return Layout(header)
        raise
    return Layout()


def _describe(path: Path, read: Sheet, rows: int, columns: int) -> str:
    facts = dict(read.facts)
    parts: list[str] = []
    if "separator" in facts:
        parts.append(f"text in {facts['encoding']}, fields separated by {facts['separator']}")
    elif "sheet" in facts:
        others = f" (others: {facts['other sheets']})" if "other sheets" in facts else ""
        parts.append(f"sheet '{facts['sheet']}'{others}")
    else:
        parts.append(facts.get("format", "table"))
    if read.header:
        where = " and ".join(str(n) for n in read.header)
        parts.append(f"names in {read.word} {where}")
    return f"{path.name}: " + ", ".join(parts) + f", {rows:,} rows, {columns} columns"


def _column_table(columns: list[ColumnGuess], rows: int) -> str:
    lines = [("column", "holds", "empty", "different", "examples", "may be")]
    for c in columns:
        examples = ", ".join(c.examples)
        shown = examples if len(examples) <= _SHOWN else examples[: _SHOWN - 3] + "..."
        what = c.holds + (f" {c.date_format}" if c.date_format not in ("", "?") else "")
        empty = f"{rows - c.filled:,}" if c.filled < rows else ""
        lines.append((c.name, what, empty, f"{c.different:,}", shown, c.word))
    widths = [max(len(line[at]) for line in lines) for at in range(6)]
    return "\n".join(_row(line, widths) for line in lines)


def _row(cells: tuple[str, ...], widths: list[int]) -> str:
    """Return cells in columns; the two that count stand to the right."""
    out = [c.rjust(w) if at in (2, 3) else c.ljust(w) for at, (c, w) in enumerate(zip(cells, widths, strict=True))]
    return "  ".join(out).rstrip()


def _column_findings(
    table: pd.DataFrame, columns: list[ColumnGuess], read: Sheet, label: str, words: dict[str, str]
) -> list[str]:
    out = []
    for c in columns:
        cells = table[c.name].dropna()
        texts = [str(v) for v in cells]
        rounded = [t for t in texts if c.word in ("id", "parent") and is_rounded(t)]
        if rounded:
            many = f"{len(rounded):,} ids were rounded by a spreadsheet ('{rounded[0]}')"
            out.append(f"'{c.name}': {many}. Export that column as text.")
        raw = read.doubtful.get(c.name) or (texts if c.holds == "amounts" else [])
        if is_ambiguous(raw):
            out.append(f"'{c.name}': {raw[0]} may be thousands or three decimals. Say which with decimal.")
            words.setdefault("decimal", '"."')
        if c.note == "decimal comma":
            words["decimal"] = '","'
        elif c.note:
            out.append(f"'{c.name}': {c.note}.")
        if c.date_format == "?":
            shown = f"day and month of '{c.examples[0]}' cannot be distinguished"
            out.append(f"'{c.name}': {shown}. Say it with date_format.")
        if c.name == label and (c.filled < len(table) or c.different < c.filled):
            empty, twice = len(table) - c.filled, c.filled - c.different
            out.append(f"'{c.name}' should name the rows, but {empty:,} cells are empty and {twice:,} repeat others.")
    return out


def _snippet(
    path: Path,
    sheet: str | int | None,
    read: Sheet,
    columns: list[ColumnGuess],
    section: str,
    label: str,
    words: dict[str, str],
) -> str:
    title = {"accounts": "[accounts]", "reps": "[reps]", "join": "[[accounts.join]]"}[section]
    lines = [title, f"file = {_quote(path.name)}"]
    if sheet is not None:
        lines.append(f"sheet = {_quote(sheet) if isinstance(sheet, str) else sheet}")
    lines.append(f"{'key' if section == 'join' else 'id'} = {_quote(label)}")
    encoding = read.facts.get("encoding", "utf-8")
    if encoding not in ("utf-8", "utf-16"):
        lines.append(f"encoding = {_quote(encoding)}")
    amounts = [c.name for c in columns if c.holds == "amounts" and c.name != label]
    if amounts:
        lines.append(f"parse = [{', '.join(map(_quote, amounts))}]")
    lines += [f"{word} = {value}" for word, value in words.items()]
    values = [c for c in columns if c.word == "value"]
    if section == "join":
        dates = [c for c in columns if c.word == "date"]
        if dates:
            lines.append(f"date = {_quote(dates[0].name)}")
            if dates[0].date_format:
                lines.append(f"date_format = {_quote(dates[0].date_format.replace('?', '%d/%m/%Y'))}")
        lines += ["[accounts.join.measures]"]
        sums = [f'total = {{ how = "sum", column = {_quote(c.name)} }}' for c in values[:1]]
        lines += sums or ['deals = { how = "count" }']
    if section == "accounts":
        for c in values[:1]:
            lines += ["", "[[balance]]", f"column = {_quote(c.name)}", "tolerance = 0.05"]
        for word, kind, key in (("owner", "[[prefer]]", "owner"), ("parent", "[[rules]]", "column")):
            named = [c for c in columns if c.word == word and c.filled]
            name = "keep_owner" if word == "owner" else "keep_together"
            lines += [line for c in named[:1] for line in ("", kind, f'kind = "{name}"', f"{key} = {_quote(c.name)}")]
    return "\n".join(lines)


def _quote(text: str | int) -> str:
    escaped = str(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
