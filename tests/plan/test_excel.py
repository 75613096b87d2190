from __future__ import annotations

import os
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from gtm_opt.errors import DataError
from gtm_opt.plan import Plan


def test_the_workbook_has_a_summary_and_a_sheet_per_table(plan: Plan, tmp_path: Path) -> None:
    path = plan.to_excel(tmp_path / "plan.xlsx")
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["summary", *plan.tables]
    assert str(book["summary"]["A1"].value).startswith("Carving of 60 accounts")
    sheet = book["territories"]
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref == f"A1:{sheet.cell(1, sheet.max_column).column_letter}{sheet.max_row}"
    assert sheet.max_row == 7
    assert [p.name for p in tmp_path.iterdir()] == ["plan.xlsx"]


def test_sheets_hold_the_numbers_of_the_tables(plan: Plan, tmp_path: Path) -> None:
    path = plan.to_excel(tmp_path / "plan.xlsx")
    read = pd.read_excel(path, sheet_name="quotas")
    assert read["quota"].tolist() == plan.tables["quotas"]["quota"].tolist()
    book = openpyxl.load_workbook(path)
    names = [c.value for c in book["territories"][1]]
    assert book["territories"].cell(2, names.index("quota") + 1).number_format == "#,##0"
    assert book["territories"].cell(2, names.index("arr_deviation") + 1).number_format == "0.0%"


def test_text_that_looks_like_a_formula_stays_text(plan: Plan, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(plan.to_excel(tmp_path / "plan.xlsx"))
    names = [c.value for c in book["accounts"][1]]
    cells = [row[names.index("industry")] for row in book["accounts"].iter_rows(min_row=2)]
    formula_like = [c for c in cells if c.value == "=SUM(A1)"]
    assert formula_like
    assert {c.data_type for c in formula_like} == {"s"}


def test_another_ending_is_refused(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"must end in .xlsx, got 'plan.csv'"):
        plan.to_excel(tmp_path / "plan.csv")


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_workbook_is_as_readable_as_any_new_file(plan: Plan, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        path = plan.to_excel(tmp_path / "p.xlsx")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644
