"""Finding the row of column names, and making a table of the rows below it."""

from __future__ import annotations

import re
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING

import pandas as pd

from gtm_opt.cli.exits import UserMistakeError
from gtm_opt.cli.sheet import Fault, Layout, Rows, Sheet, is_blank
from gtm_opt.errors import shorten

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["guess_header", "make_sheet"]

_SEARCHED = 30
"""Rows from the top among which the names may stand."""
_NUMBER = re.compile(r"^\W*[\d.,'\s]+\W*$|^\d{4}-\d{2}-\d{2}")


def guess_header(rows: Rows, wanted: Iterable[str] = ()) -> int | None:
    """Return the position of the row that looks like column names; None where none does.

    Parameters
    ----------
    rows : Rows
    wanted : iterable of str
        Names the config uses: a row that holds them is the one.
    """
    names = {name.strip() for name in wanted}
    top = rows.cells[:_SEARCHED]
    held = [len(names & {str(cell).strip() for cell in row if not is_blank(cell)}) for row in top]
    if held and max(held) > 0:
        return held.index(max(held))
    width = _width(rows)
    for at, row in enumerate(top):
        filled = [str(cell).strip() for cell in row if not is_blank(cell)]
        full = len(filled) >= max(2, 0.6 * width) or (width == 1 and len(filled) == 1)
        text = all(isinstance(cell, str) for cell in row if cell is not None)
        if full and text and not any(_NUMBER.match(name) for name in filled):
            return at
    return None


def _width(rows: Rows) -> int:
    """Return how many cells most rows have, the blank ones at their ends left out."""
    widths = [max((at + 1 for at, cell in enumerate(row) if not is_blank(cell)), default=0) for row in rows.cells[:200]]
    return max(set(widths), key=lambda w: (widths.count(w), w), default=0)


def make_sheet(rows: Rows, layout: Layout, name: str, wanted: Iterable[str] = ()) -> Sheet:
    """Return the table of a file: names from the header rows, cells from the rows below.

    Raises
    ------
    UserMistakeError
        When the names are missing, stand elsewhere, or repeat; when a row has more cells than there are names.
    """
    if not rows.cells:
        raise UserMistakeError(f"'{name}' is empty, or does not begin with a line of column names.")
    at = _header_positions(rows, layout, name, wanted)
    heads = _join_headers(rows, at)
    named = [head for head in heads if head]
    twice = sorted({head for head in named if named.count(head) > 1})
    if twice:
        grouped = "" if len(at) > 1 or at[0] == 0 else f" {_two_rows(rows, at[0])}"
        raise UserMistakeError(f"'{name}' names the columns {shorten(twice)} more than once. Rename them.{grouped}")
    use = [p for p in range(at[-1] + 1, len(rows.cells)) if rows.lines[p] not in layout.skip_rows and p not in at]
    use = use[: len(use) - layout.skip_last] if layout.skip_last else use
    columns = _columns(rows, use, heads, name)
    lines = [rows.lines[p] for p in use]
    footer = _footer_rows(rows, use, len(named))
    single = [k for k, p in enumerate(use) if rows.word == "line" and len(named) > 1 and len(rows.cells[p]) == 1]
    short = sorted({*single, *footer})
    head = [(rows.lines[p], _texts(rows.cells[p])) for p in range(min(_SEARCHED, len(rows.cells)))]
    kept = set(lines)
    faults: dict[str, list[Fault]] = {}
    for fault in rows.faults:
        if fault.line in kept and fault.column < len(heads):
            faults.setdefault(heads[fault.column] or f"Unnamed: {fault.column}", []).append(fault)
    return Sheet(
        pd.DataFrame(columns), lines, tuple(rows.lines[p] for p in at), rows.word, rows.facts, short, faults, head
    )


def _header_positions(rows: Rows, layout: Layout, name: str, wanted: Iterable[str]) -> tuple[int, ...]:
    """Return the positions of the header rows; a header that stands elsewhere is offered, never taken silently."""
    if layout.header:
        missing = [line for line in layout.header if line not in rows.lines]
        if missing:
            raise UserMistakeError(
                f"header_row = {_numbers(layout.header)}: {rows.word} {missing[0]} of '{name}' is blank or absent."
            )
        return tuple(rows.lines.index(line) for line in sorted(layout.header))
    first = next(p for p in range(len(rows.cells)) if rows.lines[p] not in layout.skip_rows)
    guess = guess_header(rows, wanted)
    filled = sum(not is_blank(cell) for cell in rows.cells[first])
    if guess is None or guess <= first or filled > 0.5 * max(_width(rows), 1):
        return (first,)
    shown = shorten(_texts(rows.cells[guess]))
    said = shorten(_texts(rows.cells[first]))
    both = _two_rows(rows, guess)
    raise UserMistakeError(
        f"'{name}': {rows.word} {rows.lines[first]} does not look like column names: {said}.\n"
        f"    They seem to stand in {rows.word} {rows.lines[guess]}: {shown}. Write header_row = {rows.lines[guess]} "
        f"(or header_row = {rows.lines[first]} if the first is right).{f' {both}' if both else ''}"
    )


def _two_rows(rows: Rows, at: int) -> str:
    """Offer to join the row above the names with them, where it holds groups of columns."""
    if at == 0 or rows.lines[at - 1] != rows.lines[at] - 1:
        return ""
    if len(_texts(rows.cells[at - 1])) < 2:
        return ""
    both, low = _join_headers(rows, (at - 1, at)), _join_headers(rows, (at,))
    joined = [head for head, name in zip(both, low, strict=False) if head != name]
    one, two = rows.lines[at - 1], rows.lines[at]
    return f"Or header_row = [{one}, {two}], which joins both: {shorten(joined, shown=3)}."


def _join_headers(rows: Rows, at: tuple[int, ...]) -> list[str]:
    """Return one name per column; a group above spans the columns of its merged cell, or up to the next group."""
    width = max(len(rows.cells[p]) for p in at)
    levels = []
    for level, p in enumerate(at):
        cells = ["" if is_blank(c) else " ".join(str(c).split()) for c in rows.cells[p]]
        cells += [""] * (width - len(cells))
        if level < len(at) - 1:
            cells = _spread(cells, rows, rows.lines[p])
        levels.append(cells)
    heads = []
    for parts in zip(*levels, strict=True):
        kept = [part for part in parts if part]
        heads.append(" ".join(part for before, part in pairwise(["", *kept]) if part != before))
    while heads and not heads[-1]:
        heads.pop()
    return heads


def _spread(cells: list[str], rows: Rows, line: int) -> list[str]:
    out = list(cells)
    if rows.word == "row":
        for top, left, bottom, right in rows.merged:
            if top <= line <= bottom and left < len(out):
                out[left : right + 1] = [cells[left]] * (min(right + 1, len(out)) - left)
        return out
    for at in range(1, len(out)):
        out[at] = out[at] or out[at - 1]
    return out


def _columns(rows: Rows, use: list[int], heads: list[str], name: str) -> dict[str, pd.Series]:
    width = len(heads)
    data: list[list[object]] = [[] for _ in heads]
    empty = "" if rows.word == "line" else None
    for p in use:
        row = rows.cells[p]
        if len(row) > width and any(not is_blank(cell) for cell in row[width:]):
            quote = " Quote fields that contain the separator." if rows.word == "line" else ""
            raise UserMistakeError(
                f"'{name}' cannot be read: {rows.word} {rows.lines[p]} has more fields than the {width} column names."
                f"{quote}"
            )
        for column, cell in zip_longest(data, row[:width], fillvalue=empty):
            column.append(cell)  # type: ignore[union-attr]
    out = {}
    kind = object if rows.word == "line" or not use else None
    for at, (head, column) in enumerate(zip(heads, data, strict=True)):
        if head or any(not is_blank(cell) for cell in column):
            out[head or f"Unnamed: {at}"] = pd.Series(column, dtype=kind)
    return out


def _footer_rows(rows: Rows, use: list[int], width: int) -> list[int]:
    """Return the rows at the end of a table that hold a single cell of text, as the footers of reports do."""
    out: list[int] = []
    sizes = sorted(len(_texts(rows.cells[p])) for p in use[:200])
    if not sizes or sizes[len(sizes) // 2] < 2 or width < 2:
        return out
    for k in range(len(use) - 1, -1, -1):
        texts = _texts(rows.cells[use[k]])
        if len(texts) != 1 or " " not in texts[0]:
            break
        out.append(k)
    return out[::-1]


def _texts(row: list[object]) -> list[str]:
    return [str(cell).strip() for cell in row if not is_blank(cell)]


def _numbers(header: tuple[int, ...]) -> str:
    return str(header[0]) if len(header) == 1 else str(list(header))
