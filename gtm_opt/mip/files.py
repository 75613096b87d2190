"""Models as .lp and .mps files, for audit and for any solver that reads them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import DataError, Finding
from gtm_opt.mip.model import Model, Program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["file_names", "write_model"]

_UNSAFE = re.compile(r"[^A-Za-z0-9_.\[\]]")
_LONGEST = 200


def write_model(model: Model | Program, path: str | Path) -> Path:
    """Write ``model`` to a file and return its path.

    Parameters
    ----------
    model : Model or Program
    path : path-like
        Ends in ``.lp`` or ``.mps``.

    Raises
    ------
    DataError
        Another ending.

    Notes
    -----
    All numbers have 17 digits, so reading the file gives the same model. Characters that the formats do not allow
    in names become ``_``; names that then collide get their position. Free-format MPS has no
    direction: a model to maximize is written with its costs turned round, and says so in its first line.
    """
    program = model.program() if isinstance(model, Model) else model
    target = Path(path)
    writers = {".lp": _lp_lines, ".mps": _mps_lines}
    if target.suffix.lower() not in writers:
        raise DataError([Finding("path", "must end in .lp or .mps", f"'{target.name}'")])
    with target.open("w", encoding="ascii", newline="\n") as file:
        file.writelines(line + "\n" for line in writers[target.suffix.lower()](program))
    return target


def file_names(names: Sequence[str], letter: str) -> list[str]:
    """Return unique names that both formats allow."""
    out, seen = [], set()
    for position, name in enumerate(names):
        safe = _UNSAFE.sub("_", name)[:_LONGEST]
        if not safe or not (safe[0].isalpha() or safe[0] == "_") or re.match(r"[eE]\d*$", safe):
            safe = f"{letter}_{safe}"
        if safe in seen:
            safe = f"{safe}_{position}"
        while safe in seen:
            safe += "_"
        seen.add(safe)
        out.append(safe)
    return out


def _number(value: float) -> str:
    return "inf" if value == np.inf else "-inf" if value == -np.inf else repr(float(value))


def _sum(names: list[str], columns: list[int], values: list[float]) -> Iterator[str]:
    """Write a linear expression, a few terms per line (the format limits lines to 255 characters)."""
    for column, value in zip(columns, values, strict=True):
        yield f"   {'+' if value >= 0 else '-'} {_number(abs(value))} {names[column]}"


def _lp_lines(program: Program) -> Iterator[str]:
    columns, rows = file_names(program.column_names, "x"), file_names(program.row_names, "r")
    yield f"\\ {_UNSAFE.sub('_', program.name)}"
    sign = -1.0 if program.maximize else 1.0
    yield "Maximize" if program.maximize else "Minimize"
    yield " objective:"
    costly = np.flatnonzero(program.cost).tolist()
    yield from _sum(columns, costly, (sign * program.cost[costly]).tolist())
    if program.offset:
        yield f"   {'+' if sign * program.offset >= 0 else '-'} {_number(abs(program.offset))}"
    if not costly and program.n_columns:
        yield f"   0 {columns[0]}"
    yield "Subject To"
    matrix = program.matrix
    for row, name in enumerate(rows):
        span = slice(matrix.indptr[row], matrix.indptr[row + 1])
        low, high = float(program.row_low[row]), float(program.row_high[row])
        used, values = matrix.indices[span].tolist(), matrix.data[span].tolist()
        limits = [("=", low, "")] if low == high else []
        if low != high:
            both = np.isfinite(low) and np.isfinite(high)
            limits += [(">=", low, "_low" if both else "")] if np.isfinite(low) else []
            limits += [("<=", high, "_high" if both else "")] if np.isfinite(high) else []
        for relation, limit, ending in limits:
            yield f" {name}{ending}:"
            yield from _sum(columns, used, values) if used else iter([f"   0 {columns[0]}"])
            yield f"   {relation} {_number(limit)}"
    yield "Bounds"
    for name, low, high in zip(columns, program.low.tolist(), program.high.tolist(), strict=True):
        yield f" {_number(low)} <= {name} <= {_number(high)}"
    whole = [columns[j] for j in np.flatnonzero(program.integer).tolist()]
    if whole:
        yield "General"
        yield from (f" {name}" for name in whole)
    yield "End"


def _mps_lines(program: Program) -> Iterator[str]:
    columns, rows = file_names(program.column_names, "x"), file_names(program.row_names, "r")
    if program.maximize:
        yield "* the model is to be maximized: its costs are written with the opposite sign"
    yield f"NAME {_UNSAFE.sub('_', program.name) or 'model'}"
    yield "ROWS"
    yield " N objective"
    kinds = []
    for name, low, high in zip(rows, program.row_low.tolist(), program.row_high.tolist(), strict=True):
        kind = "E" if low == high else "L" if high < np.inf else "G" if low > -np.inf else "N"
        kinds.append(kind)
        yield f" {kind} {name}"
    yield "COLUMNS"
    table = program.matrix.tocsc()
    inside = False
    for j, name in enumerate(columns):
        if bool(program.integer[j]) != inside:
            inside = not inside
            yield f" MARKER{j} 'MARKER' '{'INTORG' if inside else 'INTEND'}'"
        span = slice(table.indptr[j], table.indptr[j + 1])
        if program.cost[j] != 0.0 or span.start == span.stop:
            yield f" {name} objective {_number(program.cost[j])}"
        for row, value in zip(table.indices[span].tolist(), table.data[span].tolist(), strict=True):
            yield f" {name} {rows[row]} {_number(value)}"
    if inside:
        yield " MARKERend 'MARKER' 'INTEND'"
    yield "RHS"
    if program.offset:
        yield f" rhs objective {_number(-program.offset)}"
    for kind, name, low, high in zip(kinds, rows, program.row_low.tolist(), program.row_high.tolist(), strict=True):
        if kind != "N":
            yield f" rhs {name} {_number(low if kind == 'G' else high)}"
    limits = zip(kinds, rows, program.row_low.tolist(), program.row_high.tolist(), strict=True)
    ranges = [(name, high - low) for kind, name, low, high in limits if kind == "L" and low > -np.inf]
    if ranges:  # an empty section stops some readers, PuLP's among them
        yield "RANGES"
        yield from (f" ranges {name} {_number(width)}" for name, width in ranges)
    yield "BOUNDS"
    for name, low, high in zip(columns, program.low.tolist(), program.high.tolist(), strict=True):
        yield f" MI bounds {name}" if low == -np.inf else f" LO bounds {name} {_number(low)}"
        yield f" PL bounds {name}" if high == np.inf else f" UP bounds {name} {_number(high)}"
    yield "ENDATA"
