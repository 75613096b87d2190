from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from gtm_opt.cli.config import Source
from gtm_opt.cli.exits import UserMistakeError
from gtm_opt.cli.sources import read_source
from gtm_opt.cli.tables import expand, read_table


def source(folder: Path, text: str | bytes, name: str = "t.csv", **words: object) -> Source:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Source(file=name, **words)  # type: ignore[arg-type]


def test_ids_keep_their_leading_zeros_and_the_text_na(tmp_path: Path) -> None:
    table = read_source(source(tmp_path, "id,zip,x\n007,00601,1\nNA,12345,\n"), tmp_path, "[accounts]", text=["id"])
    assert table["id"].tolist() == ["007", "NA"]
    assert table["zip"].tolist() == ["00601", "12345"]
    assert table["x"].isna().tolist() == [False, True]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_separator_is_seen_from_the_header(tmp_path: Path, mark: str) -> None:
    text = f"\ufeffid {mark} name \r\n1{mark} Bob \r\n"
    table = read_source(source(tmp_path, text), tmp_path, "[accounts]", text=["id"])
    assert table.to_dict("list") == {"id": ["1"], "name": ["Bob"]}


def test_amounts_as_exports_write_them_are_parsed(tmp_path: Path) -> None:
    text = 'id,rev\na,"$500,343 "\nb,"($3,864.00)"\nc,-\n'
    words = {"parse": ["revenue"], "columns": {"revenue": "rev"}, "fill": {"revenue": 0}}
    table = read_source(source(tmp_path, text, **words), tmp_path, "[accounts]", text=["id"], label="id")
    assert table["revenue"].tolist() == [500343.0, -3864.0, 0.0]


def test_cells_that_are_no_numbers_are_listed_by_id(tmp_path: Path) -> None:
    text = "id,rev,emp\na,1,x\nb,lots,2\n"
    with pytest.raises(
        UserMistakeError, match=r"(?s)'rev' must hold numbers, got 'lots' in 1 row: 'b'.*'emp'.*'x'.*'a'"
    ):
        read_source(source(tmp_path, text, parse=["rev", "emp"]), tmp_path, "[accounts]", label="id")


def test_rows_are_mended_and_filtered(tmp_path: Path) -> None:
    text = "id,sector,year\na,technolgy,2020\nb,retail,2021\nc,technolgy,2022\n"
    words = {
        "replace": {"sector": {"technolgy": "technology"}},
        "where": {"sector": "technology"},
        "where_not": {"year": [2022]},
    }
    table = read_source(source(tmp_path, text, **words), tmp_path, "[accounts]")
    assert table["id"].tolist() == ["a"]


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        ("id,sector\na,x\n", {"where": {"sectr": "x"}}, "no column 'sectr'. Did you mean 'sector'"),
        (
            "id,sector\na,retail\n",
            {"where": {"sector": "retial"}},
            "no row has sector = 'retial'. Did you mean 'retail'",
        ),
        ("id,x\na,1\n", {"parse": ["y"]}, "parse: there is no column 'y'"),
        ("id,x\na,1\n", {"columns": {"y": "z"}}, "columns.y: there is no column 'z'"),
        ("id,x\na,1\n", {"columns": {"x": "id"}}, "has a column of that name already. Choose another name for 'id'"),
        ("id,x,x\na,1,2\n", {}, "names the columns 'x' more than once"),
        ("", {}, "is empty"),
        ("id,x\n", {}, "has no rows"),
        ("id,x\na,1,2,3\nb\n", {}, "cannot be read: .*line 2"),
        (b"id,x\na,\x9d\n", {}, r"(?s)is not utf-8-sig: byte 0x9d in line 2 .*errors = .replace."),
        (b"id,x\na,1\n", {"encoding": "utf-9"}, "encoding = 'utf-9' is not known"),
        ("id,x\na,1\n", {"sheet": "One"}, "makes sense for .xlsx files only"),
    ],
)
def test_mistakes_in_a_file_are_told(tmp_path: Path, text: str | bytes, words: dict[str, object], message: str) -> None:
    with pytest.raises(UserMistakeError, match=message):
        read_source(source(tmp_path, text, **words), tmp_path, "[accounts]", text=["id"])


def test_undecodable_bytes_can_be_replaced(tmp_path: Path) -> None:
    table = read_source(source(tmp_path, b"id,x\na,\x9d!\n", errors="replace"), tmp_path, "[accounts]")
    assert table["x"].tolist() == ["\ufffd!"]


def test_a_missing_file_suggests_its_neighbor(tmp_path: Path) -> None:
    (tmp_path / "accounts.csv").write_text("id\n1\n")
    with pytest.raises(UserMistakeError, match=r"no file '.*acounts.csv'. Did you mean 'accounts.csv'"):
        read_table(tmp_path / "acounts.csv")
    with pytest.raises(UserMistakeError, match="There is no folder"):
        read_table(tmp_path / "nowhere" / "accounts.csv")


def test_workbooks_are_read_by_sheet(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"id": [1001, 1002], " arr ": [1.5, 2]}).to_excel(book, sheet_name="Accounts", index=False)
        pd.DataFrame({"x": [1]}).to_excel(book, sheet_name="Other", index=False)
    table = read_table(path, sheet="Accounts", text=["id"])
    assert table.to_dict("list") == {"id": ["1001", "1002"], "arr": [1.5, 2.0]}
    assert list(read_table(path, sheet=1)) == ["x"]
    with pytest.raises(UserMistakeError, match=r"has no sheet 'Acounts'. Did you mean 'Accounts'"):
        read_table(path, sheet="Acounts")
    with pytest.raises(UserMistakeError, match="has 2 sheets"):
        read_table(path, sheet=2)
    (tmp_path / "no.xlsx").write_text("hello")
    with pytest.raises(UserMistakeError, match=r"'no.xlsx' cannot be read as an Excel workbook"):
        read_table(tmp_path / "no.xlsx")


def test_parquet_files_are_read(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    pd.DataFrame({"id": ["a"], "x": [1]}).to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet")["x"].tolist() == [1]
    (tmp_path / "bad.parquet").write_text("no")
    with pytest.raises(UserMistakeError, match="cannot be read as Parquet"):
        read_table(tmp_path / "bad.parquet")


def test_variables_in_paths_are_filled_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERE", "there")
    monkeypatch.delenv("NOWHERE", raising=False)
    assert expand("${WHERE}/a.csv", tmp_path) == tmp_path / "there" / "a.csv"
    assert expand("$WHERE/a.csv", tmp_path) == tmp_path / "there" / "a.csv"
    with pytest.raises(UserMistakeError, match="needs the environment variable NOWHERE, which is not set"):
        expand("${NOWHERE}/a.csv", tmp_path)
