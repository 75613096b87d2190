"""Repairs: cell changes with their rule, and the way back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError
from gtm_opt.model.frames import takes_tables

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Repair", "change_cells"]


@dataclass(frozen=True, eq=False)
class Repair:
    """A repaired table and how it came about.

    Attributes
    ----------
    accounts : DataFrame
        The copy with the changes in it.
    log : DataFrame
        One row per cell: ``rule, account_id, row`` (position), ``column, before, after``.
    skipped : DataFrame
        Accepted findings that changed nothing: ``rule, account_id, column, reason``.
    """

    accounts: pd.DataFrame
    log: pd.DataFrame
    skipped: pd.DataFrame
    _dtypes: dict[str, Any] = field(default_factory=dict, repr=False)

    @takes_tables("accounts")
    def undo(self, accounts: pd.DataFrame | None = None) -> pd.DataFrame:
        """Return the table without the changes.

        Parameters
        ----------
        accounts : DataFrame, optional
            Default: the repaired table. Another table must have the same number of rows and the repaired columns:
            its other cells are kept.

        Raises
        ------
        DataError
            If a repaired cell was changed again.
        """
        table = self.accounts if accounts is None else accounts
        out = table.copy()
        for column, part in self.log.groupby("column", sort=False):
            rows = part["row"].to_numpy(dtype=np.int64)
            if column not in out.columns or len(out) != len(self.accounts):
                raise DataError(f"`accounts` must have the rows and the column '{column}' of the repaired table.")
            cells = out[column].to_numpy(dtype=object, copy=True)
            later = [
                row for row, after in zip(rows.tolist(), part["after"], strict=True) if not _same(cells[row], after)
            ]
            if later:
                raise DataError(
                    f"accounts['{column}'] was changed after the repair in {len(later):,} rows: {later[0]} first.\n"
                    "    Undo those changes first, or undo the repair from a copy."
                )
            _set(cells, rows, part["before"].tolist())
            out[column] = pd.Series(cells, index=out.index, dtype=self._dtypes[str(column)])
        return out

    def __repr__(self) -> str:
        """Return how many cells were changed by which rule."""
        counts = self.log["rule"].value_counts().sort_index()
        text = ", ".join(f"{rule} {count:,}" for rule, count in counts.items()) or "nothing"
        return f"Repair({len(self.log):,} cells: {text}; {len(self.skipped):,} skipped)"


def _same(one: Any, two: Any) -> bool:
    if pd.isna(one) or pd.isna(two):
        return bool(pd.isna(one)) and bool(pd.isna(two))
    return bool(one == two)


def _set(cells: NDArray[np.object_], rows: NDArray[np.int64], values: list[object]) -> None:
    for row, value in zip(rows.tolist(), values, strict=True):
        cells[row] = value


def change_cells(
    accounts: pd.DataFrame,
    table: pd.DataFrame,
    rows: NDArray[np.int64],
    changes: tuple[tuple[tuple[str, object], ...], ...],
    take: NDArray[np.bool_],
) -> Repair:
    """Make the changes of the findings in ``take``, the first of each cell only."""
    log: list[dict[str, object]] = []
    skipped: list[dict[str, object]] = []
    done: dict[tuple[int, str], str] = {}
    columns = {c: accounts[c].to_numpy(dtype=object, copy=True) for c in sorted({c for t in changes for c, _ in t})}
    rules, ids, named = (table[c].tolist() for c in ("rule", "account_id", "column"))
    for place in np.flatnonzero(take).tolist():
        row, rule = int(rows[place]), rules[place]
        cells = changes[place]
        taken = [done[(row, column)] for column, _ in cells if (row, column) in done]
        if not cells or taken:
            reason = f"already changed by {taken[0]}" if taken else "there is no repair; see the remedy"
            skipped.append({"rule": rule, "account_id": ids[place], "column": named[place], "reason": reason})
            continue
        for column, after in cells:
            before = columns[column][row]
            done[(row, column)] = rule
            columns[column][row] = after
            entry = {"rule": rule, "account_id": ids[place], "row": row, "column": column}
            log.append({**entry, "before": before, "after": after})
    changed = {str(entry["column"]) for entry in log}
    out = accounts.copy()
    for column in changed:
        out[column] = pd.Series(columns[column], index=accounts.index, dtype=object).infer_objects()
    records = pd.DataFrame({c: [e[c] for e in log] for c in ("rule", "account_id", "row", "column")})
    for side in ("before", "after"):
        records[side] = pd.Series([entry[side] for entry in log], dtype=object)
    passed = pd.DataFrame(skipped, columns=["rule", "account_id", "column", "reason"])
    return Repair(out, records, passed, {column: accounts[column].dtype for column in changed})
