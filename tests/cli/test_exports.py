"""Exports of spreadsheets are read as they are, and lines that are no accounts are refused."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from gtm_opt.cli.config import Source
from gtm_opt.cli.exits import UserMistakeError
from gtm_opt.cli.sources import read_source
from gtm_opt.cli.tables import read_sheet, read_table

LINES = ["Konto;Umsatz", "00100;1250,5", "Müller;300"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "cp1252"])
def test_files_with_a_byte_order_mark_need_no_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes("\r\n".join(LINES).encode(encoding))
    said = {"encoding": "cp1252"} if encoding == "cp1252" else {}
    table = read_sheet(path, text=["Konto"], **said).table
    assert table["Konto"].tolist() == ["00100", "Müller"]


def test_a_first_line_that_names_the_separator_is_no_header(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("\n".join(["sep=;", *LINES]), encoding="utf-8")
    assert read_table(path).columns.tolist() == ["Konto", "Umsatz"]


def test_a_workbook_with_two_columns_of_one_name_is_refused(tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    for row in (["id", "Amount", "Amount"], ["a", 1, 2]):
        book.active.append(row)
    book.save(tmp_path / "twice.xlsx")
    with pytest.raises(UserMistakeError, match="names the columns 'Amount' more than once"):
        read_table(tmp_path / "twice.xlsx")


@pytest.mark.parametrize("word", ["Total", "TOTAL:", "Grand Total", "Summe"])
def test_a_line_of_totals_is_refused_by_name(tmp_path: Path, word: str) -> None:
    frame = pd.DataFrame({"account_id": ["A1", "A2", word], "arr": [1, 2, 3]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(UserMistakeError, match=r"1 line of totals where 'account_id' should name a row.*line 4"):
        read_source(Source(file="a.csv"), tmp_path, "[accounts]", label="account_id")
    left = Source(file="a.csv", where_not={"account_id": [word]})
    assert len(read_source(left, tmp_path, "[accounts]", label="account_id")) == 2
    named = pd.DataFrame({"account_id": ["Total Energies", "Summit"], "arr": [1, 2]})
    named.to_csv(tmp_path / "b.csv", index=False)
    assert len(read_source(Source(file="b.csv"), tmp_path, "[accounts]", label="account_id")) == 2
