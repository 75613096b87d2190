"""`gtm-opt inspect` shows what would be read, and what it suggests can be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook
from typer.testing import Result

from gtm_opt.cli.config import Accounts
from gtm_opt.cli.inspect_file import inspect_file
from gtm_opt.cli.read_config import read_config
from gtm_opt.cli.sources import read_source

REPORT = """\
Accounts by owner;;;;
;;;;
Kundennummer;Firma;Betreuer;Umsatz;Beginn
00100;Müller;ann;1.250,50;01.03.2025
00101;Söhne;bob;987,00;13.04.2025
00102;Weiß;ann;3.000,25;02.05.2025
Summe;;;5.237,75;
"""


def test_a_report_is_described_with_findings_and_a_section_that_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "umsatz.csv"
    path.write_bytes(REPORT.encode("cp1252"))
    text = inspect_file(path)
    assert "text in cp1252, fields separated by semicolon, names in line 3, 3 rows, 5 columns" in text
    assert "is not utf-8-sig: byte 0xfc in line 4" in text
    assert "They seem to stand in line 3" in text
    assert "1 line of totals where 'Kundennummer' should name a row: 'Summe' (line 7)" in text
    section = text.split("check them):\n")[1]
    config = tmp_path / "plan.toml"
    config.write_text(section + "\n[territories]\ncount = 2\n", encoding="utf-8")
    words = read_config(config).accounts
    assert isinstance(words, Accounts)
    table = read_source(words, tmp_path, "[accounts]", text=[words.id], label=words.id)
    assert table["Kundennummer"].tolist() == ["00100", "00101", "00102"]
    assert table["Umsatz"].sum() == 5237.75


def test_columns_are_told_with_content_examples_and_the_word_they_may_stand_for(tmp_path: Path) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text(
        "Account ID,Owner,Annual Revenue,Parent ID,Closed,Industry\n"
        '001,ann,"$1,200",,2026-01-31T10:00:00Z,retail\n002,bob,$300,001,2026-02-01T00:00:00Z,energy\n'
    )
    rows = {line.split("  ")[0]: line for line in inspect_file(path).splitlines()}
    assert rows["Account ID"].split() == ["Account", "ID", "text", "2", "001,", "002", "id"]
    assert "amounts" in rows["Annual Revenue"]
    assert rows["Annual Revenue"].endswith("value")
    assert rows["Owner"].endswith("owner")
    assert rows["Parent ID"].endswith("parent")
    assert "times" in rows["Closed"]


@pytest.mark.parametrize(
    ("name", "text", "section"),
    [
        (
            "team.csv",
            "email,name,manager\nann@x.test,Ann,Kim\nbob@x.test,Bob,Kim\n",
            '[reps]\nfile = "team.csv"\nid = "email"',
        ),
        (
            "o.csv",
            "account_id,amount,close_date\nA,1,2026-01-01\nA,2,2026-02-01\n",
            '[[accounts.join]]\nfile = "o.csv"\nkey =',
        ),
    ],
)
def test_the_section_is_guessed_from_the_columns(tmp_path: Path, name: str, text: str, section: str) -> None:
    (tmp_path / name).write_text(text)
    assert section in inspect_file(tmp_path / name)


def test_a_workbook_tells_its_sheets_and_its_odd_cells(tmp_path: Path) -> None:
    book = Workbook()
    book.active.title = "Data"
    for row in (["id", "arr"], ["a", "=1+1"], ["b", "#DIV/0!"], ["c", 3]):
        book.active.append(row)
    book.create_sheet("Notes")
    book.save(tmp_path / "b.xlsx")
    text = inspect_file(tmp_path / "b.xlsx")
    assert "sheet 'Data' (others: Notes)" in text
    assert "#DIV/0! in B3" in text
    assert "1 formula without a stored value (B2)" in text


def test_the_command_prints_it(run: Callable[..., Result]) -> None:
    result = run("inspect", "accounts.csv")
    assert result.exit_code == 0
    assert "names in line 1, 6 rows, 5 columns" in result.stdout
    assert 'id = "account_id"' in result.stdout
    missing = run("inspect", "acounts.csv")
    assert missing.exit_code == 2
    assert "Did you mean 'accounts.csv'" in missing.stderr
