"""A table as it stands in a file: its rows with their numbers, and what is odd about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Fault", "Layout", "Rows", "Sheet", "cell_name", "is_blank"]


@dataclass(frozen=True)
class Layout:
    """Where the table stands in its file, as far as the config says.

    Attributes
    ----------
    header : tuple of int
        Numbers of the rows that hold the column names, from 1; empty: the first row that is not blank.
    skip_rows : frozenset of int
        Numbers of rows that are left out.
    skip_last : int
        Rows left out at the end, blank ones not counted.
    """

    header: tuple[int, ...] = ()
    skip_rows: frozenset[int] = frozenset()
    skip_last: int = 0


@dataclass(frozen=True)
class Fault:
    """A cell that does not hold what its reader would take it for."""

    line: int
    column: int
    what: str
    """"error", "formula" (without a stored value) or "merged" (under a cell that spans several)."""
    shown: str = ""

    @property
    def cell(self) -> str:
        """Name of the cell as spreadsheets write it."""
        return cell_name(self.line, self.column)


@dataclass(frozen=True)
class Rows:
    """The rows of a file that are not blank.

    Attributes
    ----------
    cells : list of list
    lines : list of int
        Number of each row in its file, from 1.
    word : str
        What people call a row of such a file: "line" or "row".
    facts : dict
        What was found out about the file: encoding, separator, sheet.
    merged : tuple of (first row, first column, last row, last column)
        Rows from 1, columns from 0.
    faults : list of Fault
    """

    cells: list[list[object]]
    lines: list[int]
    word: str = "line"
    facts: dict[str, str] = field(default_factory=dict)
    merged: tuple[tuple[int, int, int, int], ...] = ()
    faults: list[Fault] = field(default_factory=list)


@dataclass
class Sheet:
    """A table with names, and where it comes from.

    Attributes
    ----------
    table : DataFrame
        Raw cells: text of text files, values of workbooks.
    lines : list of int
        Number in the file of each row.
    header : tuple of int
        Rows that hold the names.
    short : list of int
        Positions of rows with a single cell where the others have several.
    faults : dict of str to list of Fault
        By column.
    head : list of (int, list of str)
        The first rows of the file as they stand.
    doubtful : dict of str to list of str
        Columns of a text file that were read as numbers, though their points may separate thousands.
    long : dict of str to set of str
        Whole numbers of a workbook with more digits than it keeps, by column of ids.
    """

    table: pd.DataFrame
    lines: list[int]
    header: tuple[int, ...]
    word: str = "line"
    facts: dict[str, str] = field(default_factory=dict)
    short: list[int] = field(default_factory=list)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    head: list[tuple[int, list[str]]] = field(default_factory=list)
    doubtful: dict[str, list[str]] = field(default_factory=dict)
    long: dict[str, set[str]] = field(default_factory=dict)


def is_blank(cell: object) -> bool:
    """Whether a cell holds nothing, or blanks."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def cell_name(line: int, column: int) -> str:
    """Return the name of a cell.

    Examples
    --------
    >>> cell_name(3, 0), cell_name(10, 27)
    ('A3', 'AB10')
    """
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{line}"
