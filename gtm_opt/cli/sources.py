"""Tables as their section of the config asks for them, with every finding at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.cli.exits import UserMistakeError
from gtm_opt.cli.sheet import Layout
from gtm_opt.cli.tables import chosen_rows, column_of, expand, read_sheet
from gtm_opt.cli.totals import footer_text, total_rows, total_text
from gtm_opt.errors import DataError, shorten
from gtm_opt.model.spelling import is_rounded
from gtm_opt.model.tables import parse_numbers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from gtm_opt.cli.config import Source
    from gtm_opt.cli.sheet import Fault, Sheet

__all__ = ["cell_findings", "is_ambiguous", "layout_of", "read_source"]

_THREE_DIGITS = re.compile(r"^[^\w.,]*[1-9]\d{0,2}\.\d{3}[^\w.,]*$")
_ANY_POINT = re.compile(r"\d\.\d")
_MOST_DIGITS = 1e15
"""Spreadsheets keep fifteen digits of a number."""


def read_source(
    source: Source,
    base: Path,
    where: str,
    *,
    text: Iterable[str] = (),
    label: str | None = None,
    key: str | None = None,
    used: Collection[str] | None = None,
) -> pd.DataFrame:
    """Read a table and do what its section asks for: rename, replace, filter, parse, fill.

    Parameters
    ----------
    source : Source
    base : Path
        Folder of the config.
    where : str
        Section, for messages.
    text : iterable of str
        Columns (by the names used here) that stay text.
    label : str, optional
        Column whose values name the rows in messages.
    key : str, optional
        Column that names what the rows are about, where they have no names of their own.
    used : collection of str, optional
        Columns that matter: error cells and formulas without values elsewhere are no finding. Default: all.

    Raises
    ------
    UserMistakeError
        With everything that is wrong with the table.
    """
    back = dict(source.columns)
    path = expand(source.file, base)
    text = list(text)
    sheet = read_sheet(
        path,
        sheet=source.sheet,
        separator=source.separator,
        encoding=source.encoding,
        errors=source.errors,
        text=[back.get(name, name) for name in text],
        parse=[back.get(name, name) for name in source.parse],
        decimal=source.decimal,
        layout=layout_of(source),
        wanted=[*(back.get(name, name) for name in text if name), *back.values()],
    )
    where = f"{where} '{path.name}'"
    table = _rename(sheet, source, where)
    for name, mend in source.replace.items():
        table[name] = column_of(table, name, f"{where}, replace").map(lambda v, m=mend: m.get(str(v), v))
    found: list[str] = []
    keep = _without_totals(table, sheet, source, label or key, found)
    keep &= chosen_rows(table, source.where, source.where_not, where).to_numpy(dtype=bool)
    lines = [sheet.lines[k] for k in np.flatnonzero(keep)]
    table = table[keep].reset_index(drop=True)
    faults = {new: sheet.faults.get(own, []) for new, own in _names(table, back).items()}
    found += cell_findings(faults, set(lines), used)
    found += [line for name in text if name in table.columns for line in _id_findings(table[name], sheet)]
    if not len(table) and not found:
        raise UserMistakeError(f"{where} has no rows{' left after where' if source.where or source.where_not else ''}.")
    if label is not None and label in table.columns:
        table.index = pd.Index(table[label].astype(str))
    _parse(table, source, sheet, where, found)
    if found:
        raise UserMistakeError(f"{where}: " + _numbered(found))
    for name, value in source.fill.items():
        column = column_of(table, name, f"{where}, fill")
        table[name] = column.where(column.notna(), value)
    return table.reset_index(drop=True)


def layout_of(source: Source) -> Layout:
    """Return where the config says that names and rows stand."""
    header = source.header_row
    rows = () if header is None else (header,) if isinstance(header, int) else tuple(header)
    return Layout(rows, frozenset(source.skip_rows), source.skip_last)


def _rename(sheet: Sheet, source: Source, where: str) -> pd.DataFrame:
    table = sheet.table
    for wanted, own in source.columns.items():
        if own not in table.columns:
            elsewhere = [line for line, cells in sheet.head if own in cells]
            if elsewhere:
                raise UserMistakeError(
                    f"{where}, columns.{wanted}: there is no column '{own}', but {sheet.word} {elsewhere[0]} holds "
                    f"that text. If the names stand there, write header_row = {elsewhere[0]}."
                )
        column_of(table, own, f"{where}, columns.{wanted}")
        if wanted in table.columns and wanted != own:
            raise UserMistakeError(
                f"{where}, columns.{wanted}: the file has a column of that name already. "
                f"Choose another name for '{own}'."
            )
    return table.rename(columns={own: wanted for wanted, own in source.columns.items()})


def _names(table: pd.DataFrame, back: dict[str, str]) -> dict[str, str]:
    """Return the name in the file of each column."""
    return {str(name): back.get(str(name), str(name)) for name in table.columns}


def _without_totals(
    table: pd.DataFrame, sheet: Sheet, source: Source, label: str | None, found: list[str]
) -> np.ndarray:
    """Return which rows are rows; record lines of totals (unless they may be dropped) and footers."""
    keep = np.ones(len(table), dtype=bool)
    if sheet.short:
        found.append(footer_text(sheet))
        keep[sheet.short] = False
    if label is None or label not in table.columns:
        return keep
    at = np.flatnonzero(keep)
    totals = [int(at[k]) for k in total_rows(table[keep].reset_index(drop=True), label)]
    # rows that `where_not` leaves out need no other word
    if source.where or source.where_not:
        chosen = chosen_rows(table, source.where, source.where_not, "").to_numpy(dtype=bool)
        totals = [k for k in totals if chosen[k]]
    if totals:
        keep[totals] = False
        if source.totals == "refuse":
            found.append(total_text(table, totals, label, sheet, sheet.lines))
    return keep


def cell_findings(faults: dict[str, list[Fault]], lines: set[int], used: Collection[str] | None) -> list[str]:
    """Return findings about error cells, formulas without values and merged cells, by column."""
    out = []
    for name, cells in faults.items():
        if used is not None and name not in used:
            continue
        there = [fault for fault in cells if fault.line in lines]
        errors = [f"{f.shown} in {f.cell}" for f in there if f.what == "error"]
        formulas = [f.cell for f in there if f.what == "formula"]
        merged = [f.cell for f in there if f.what == "merged"]
        if errors:
            remedy = "Correct what they compute from, or empty the cells if the value is unknown."
            out.append(f"'{name}' holds {_count(errors, 'error cell')}: {', '.join(errors[:5])}. {remedy}")
        if formulas:
            out.append(
                f"'{name}' holds {_count(formulas, 'formula')} without a stored value ({_some(formulas)}): the program "
                "that wrote the file never computed them. Open it in a spreadsheet program, save it, and run again."
            )
        if merged:
            out.append(
                f"'{name}' has {_count(merged, 'cell')} under merged ones ({_some(merged)}): only the first cell of a "
                "merged range holds its value. Unmerge them and fill in every row."
            )
    return out


def _count(items: list[str], what: str) -> str:
    return f"{len(items):,} {what}{'s' if len(items) != 1 else ''}"


def _some(cells: list[str]) -> str:
    return ", ".join(cells[:5]) + (f" and {len(cells) - 5:,} more" if len(cells) > 5 else "")


def _id_findings(column: pd.Series, sheet: Sheet) -> list[str]:
    """Return findings about ids that a spreadsheet rounded."""
    filled = column.dropna()
    rounded = [str(v) for v in filled if is_rounded(v)]
    if rounded:
        return [
            f"{len(rounded):,} of {len(filled):,} cells of '{column.name}' were rounded by a spreadsheet: "
            f"{shorten(rounded, shown=3)}. Their digits are lost, so they match nothing elsewhere and may stand for "
            "several. Export the table again with that column as text."
        ]
    if sheet.word == "row" and "sheet" in sheet.facts:
        long = [str(v) for v in filled if str(v) in sheet.long.get(str(column.name), ())]
        if long:
            return [
                f"{len(long):,} cells of '{column.name}' are numbers of more than 15 digits, which a workbook rounds: "
                f"{shorten(long, shown=3)}. Export the table again with that column as text."
            ]
    return []


def _parse(table: pd.DataFrame, source: Source, sheet: Sheet, where: str, found: list[str]) -> None:
    """Read the columns that the section lists as numbers; record what cannot be read, or be read in two ways."""
    if source.decimal is None:
        doubtful = [*source.parse, *(n for n in sheet.doubtful if n not in source.parse)]
        back = {own: new for new, own in source.columns.items()}
        for name in dict.fromkeys(back.get(n, n) for n in doubtful):
            texts = sheet.doubtful.get(source.columns.get(name, name)) or (
                [v for v in table[name] if isinstance(v, str)] if name in table.columns else []
            )
            if name in table.columns and is_ambiguous(texts):
                shown = shorten([t for t in texts if _ANY_POINT.search(t)], shown=3)
                found.append(
                    f"'{name}' can be read in two ways: {shown} are thousands, or numbers with three decimals. "
                    'Write decimal = "," or decimal = "." into this section (they are thousands with ",").'
                )
    asked = set(found)
    for name in source.parse:
        column = column_of(table, name, f"{where}, parse")
        if any(text.startswith(f"'{name}' can be read in two ways") for text in asked):
            continue
        try:
            table[name] = parse_numbers(column, decimal=source.decimal or ".")
        except DataError as error:
            found.append(str(error))


def is_ambiguous(texts: Iterable[str]) -> bool:
    """Whether every number with a point has exactly three digits behind it, as thousands have.

    Examples
    --------
    >>> is_ambiguous(["1.234", "987.654", "500"]), is_ambiguous(["1.234", "0.5"]), is_ambiguous(["1,234.500"])
    (True, False, False)
    """
    pointed = [text.strip() for text in texts if _ANY_POINT.search(text)]
    return bool(pointed) and all(_THREE_DIGITS.match(text) for text in pointed)


def _numbered(found: list[str]) -> str:
    if len(found) == 1:
        return found[0]
    return f"{len(found)} things are wrong:\n" + "\n".join(f"{n}. {text}" for n, text in enumerate(found, 1))
