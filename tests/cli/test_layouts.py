"""Where the names and rows of a table stand in its file, and what is odd about its cells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import Workbook

from gtm_opt.cli.config import Source
from gtm_opt.cli.exits import UserMistakeError
from gtm_opt.cli.sources import read_source
from gtm_opt.cli.totals import total_rows

ROWS = [["K1", "North", 100], ["K2", "South", 200], ["K3", "East", 300]]
NAMES = ["Konto", "Region", "Umsatz"]


def csv_of(folder: Path, rows: list[list[object]], mark: str = ",") -> Path:
    path = folder / "t.csv"
    path.write_text("\n".join(mark.join("" if c is None else str(c) for c in row) for row in rows) + "\n")
    return path


def book_of(folder: Path, rows: list[list[object]], merged: tuple[str, ...] = ()) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    for cells in merged:
        book.active.merge_cells(cells)
    book.save(folder / "t.xlsx")
    return folder / "t.xlsx"


def read(path: Path, **words: object) -> list[list[object]]:
    source = Source(file=path.name, **words)  # type: ignore[arg-type]
    table = read_source(source, path.parent, "[accounts]", text=["Konto"], label="Konto")
    return table.to_numpy().tolist()


@pytest.mark.parametrize("make", [csv_of, book_of])
def test_names_below_a_title_are_offered_and_never_taken_silently(tmp_path: Path, make: Callable[..., Path]) -> None:
    path = make(tmp_path, [["Accounts of 2027"], [], NAMES, *ROWS])
    with pytest.raises(UserMistakeError, match=r"(?s)does not look like column names.*'Konto'.*Write header_row = 3"):
        read(path)
    assert read(path, header_row=3) == ROWS


@pytest.mark.parametrize("make", [csv_of, book_of])
def test_names_in_two_rows_are_joined_on_request(tmp_path: Path, make: Callable[..., Path]) -> None:
    rows: list[list[object]] = [
        [None, "FY25", None, "FY26", None],
        ["Konto", "Q1", "Q2", "Q1", "Q2"],
        ["K1", 1, 2, 3, 4],
    ]
    path = make(tmp_path, rows, ("B1:C1", "D1:E1")) if make is book_of else make(tmp_path, rows)
    with pytest.raises(UserMistakeError, match=r"header_row = \[1, 2\], which joins both: 'FY25 Q1', 'FY25 Q2'"):
        read(path)
    source = Source(file=path.name, header_row=[1, 2])
    table = read_source(source, tmp_path, "[accounts]", text=["Konto"], label="Konto")
    assert table.columns.tolist() == ["Konto", "FY25 Q1", "FY25 Q2", "FY26 Q1", "FY26 Q2"]


def test_a_header_row_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserMistakeError, match=r"header_row = 9: line 9 of 't.csv' is blank or absent"):
        read(csv_of(tmp_path, [NAMES, *ROWS]), header_row=9)


def test_a_renamed_column_that_stands_further_down_is_found(tmp_path: Path) -> None:
    path = csv_of(tmp_path, [["a", "b", "c"], ["x", "y", "z"], NAMES, *ROWS])
    with pytest.raises(UserMistakeError, match=r"line 3 holds that text. .* write header_row = 3"):
        read(path, columns={"arr": "Umsatz"}, header_row=1)


@pytest.mark.parametrize("make", [csv_of, book_of])
def test_footer_and_totals_are_told_at_once_and_left_out_on_request(tmp_path: Path, make: Callable[..., Path]) -> None:
    footer = [["Total", None, 600], [], ["Made by the night job"], ["For internal use"]]
    path = make(tmp_path, [NAMES, *ROWS, *footer])
    with pytest.raises(UserMistakeError) as caught:
        read(path)
    assert "2 things are wrong" in str(caught.value)
    assert "skip_last = 2" in str(caught.value)
    assert "1 line of totals where 'Konto' should name a row: 'Total'" in str(caught.value)
    assert 'totals = "drop"' in str(caught.value)
    assert read(path, skip_last=2, totals="drop") == ROWS
    padded = [[*line, None, None][:3] for line in footer]
    with pytest.raises(UserMistakeError, match="skip_last = 2"):
        read(make(tmp_path, [NAMES, *ROWS, *padded]))
    assert read(path, skip_last=3) == ROWS


def test_rows_can_be_left_out_by_their_numbers(tmp_path: Path) -> None:
    path = csv_of(tmp_path, [["-----"], NAMES, ["unit", "name", "EUR"], *ROWS])
    assert read(path, skip_rows=[1, 3], header_row=2) == ROWS


@pytest.mark.parametrize(
    ("label", "is_total"),
    [
        ("Total", True),
        ("GRAND TOTAL:", True),
        ("Sub-Total", True),
        ("Gesamtsumme", True),
        ("Total (3 records)", True),
        ("Total général", True),
        ("Total North", True),  # its number is the sum of the others
        ("", True),
        ("Totally Different Ltd", False),
        ("Sumitomo", False),
        ("K4", False),
    ],
)
def test_lines_of_totals_are_told_by_their_word_or_their_sum(label: str, is_total: bool) -> None:
    table = pd.DataFrame([*ROWS, [label, "", 600]], columns=NAMES)
    assert total_rows(table, "Konto") == ([3] if is_total else [])


def test_a_company_whose_name_begins_like_a_total_is_one_where_its_number_is_no_sum() -> None:
    table = pd.DataFrame([*ROWS, ["Total Energies", "", 50]], columns=NAMES)
    assert total_rows(table, "Konto") == []


def test_error_cells_are_named_in_columns_that_are_used(tmp_path: Path) -> None:
    path = book_of(tmp_path, [[*NAMES, "Note"], ["K1", "North", "#N/A", "#REF!"], ["K2", "South", 5, "x"]])
    with pytest.raises(UserMistakeError, match=r"'Umsatz' holds 1 error cell: #N/A in C2"):
        read(path)
    source = Source(file=path.name)
    table = read_source(source, tmp_path, "[accounts]", text=["Konto"], used={"Konto", "Region"})
    assert table["Umsatz"].isna().tolist() == [True, False]


def test_formulas_that_were_never_computed_are_named(tmp_path: Path) -> None:
    path = book_of(tmp_path, [NAMES, ["K1", "North", "=1+1"], ["K2", "South", "=2+2"]])
    with pytest.raises(UserMistakeError, match=r"'Umsatz' holds 2 formulas without a stored value \(C2, C3\).*save it"):
        read(path)


def test_cells_under_merged_ones_are_named(tmp_path: Path) -> None:
    path = book_of(tmp_path, [NAMES, *ROWS], ("B2:B4",))
    with pytest.raises(UserMistakeError, match=r"'Region' has 2 cells under merged ones \(B3, B4\)"):
        read(path)


def test_ids_that_a_spreadsheet_rounded_are_refused(tmp_path: Path) -> None:
    path = csv_of(tmp_path, [NAMES, ["1.23457E+13", "x", 1], ["1.23458E+13", "y", 2]])
    with pytest.raises(UserMistakeError, match=r"2 of 2 cells of 'Konto' were rounded by a spreadsheet"):
        read(path)
    path = book_of(tmp_path, [NAMES, [1234567890123456789, "x", 1]])
    with pytest.raises(UserMistakeError, match="1 cells of 'Konto' are numbers of more than 15 digits"):
        read(path)


@pytest.mark.parametrize("parse", [[], ["Umsatz"]])
def test_three_digits_behind_every_point_are_a_question(tmp_path: Path, parse: list[str]) -> None:
    rows = [NAMES, ["K1", "x", "1.234"], ["K2", "y", "45.000"], ["K3", "z", "500"]]
    path = csv_of(tmp_path, rows, ";")
    with pytest.raises(UserMistakeError, match=r"'Umsatz' can be read in two ways: '1.234', '45.000' are thousands"):
        read(path, parse=parse)
    assert [row[2] for row in read(path, parse=["Umsatz"], decimal=",")] == [1234.0, 45000.0, 500.0]
    assert [row[2] for row in read(path, parse=["Umsatz"], decimal=".")] == [1.234, 45.0, 500.0]


def test_plain_numbers_follow_the_decimal_sign_of_the_section(tmp_path: Path) -> None:
    path = csv_of(tmp_path, [NAMES, ["K1", "x", "12,5"], ["K2", "y", "3"]], ";")
    assert [row[2] for row in read(path, decimal=",")] == [12.5, 3.0]


def test_a_quotation_mark_that_is_never_closed_swallows_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('Konto,Umsatz\nK1,1\n"K2,2\nK3,3\n')
    with pytest.raises(UserMistakeError, match="begins in line 3 a quotation mark opens and is never closed"):
        read(path)


def test_the_separator_is_seen_below_a_title_and_beside_quoted_commas(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('Sales, all of it\nKonto;Region;Umsatz\nK1;"a, b, c, d";1\nK2;x;2\n')
    assert read(path, header_row=2) == [["K1", "a, b, c, d", 1], ["K2", "x", 2]]


def test_a_comma_behind_every_line_is_no_column(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Konto,Region,Umsatz,\nK1,a,1,\nK2,b,2,\n")
    assert read(path) == [["K1", "a", 1], ["K2", "b", 2]]
