from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import gtm_opt as gtm
from gtm_opt.reporting import PlotNotAvailableError
from gtm_opt.reporting.cells import cell_text
from gtm_opt.reporting.words import exception_costs, proof, verdict

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Reader(HTMLParser):
    """Collects tags, attributes and text, and whether every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(path: Path) -> Reader:
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def page(plan: gtm.Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gtm.report(plan, tmp_path_factory.mktemp("page") / "plan.html", title="FY27")


@pytest.fixture(scope="module")
def nasty_page(nasty: gtm.Carving, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gtm.report(nasty, tmp_path_factory.mktemp("nasty") / "plan.html", title="A & <B>")


def test_the_page_of_a_whole_plan_has_every_section(page: Path) -> None:
    reader = read(page)
    ids = {value for key, value in reader.attributes if key == "id"}
    assert ids >= {"gave", "balance", "moves", "exceptions", "map", "staffing", "capacity", "territories"}
    links = {value[1:] for key, value in reader.attributes if key == "href" and value and value.startswith("#")}
    assert links <= ids  # section links and what the pictures refer to
    assert reader.tags.count("svg") == 4


def test_the_page_needs_no_network_and_runs_no_script(page: Path, nasty_page: Path) -> None:
    for path in (page, nasty_page):
        reader = read(path)
        assert "script" not in reader.tags
        for key, value in reader.attributes:
            assert key not in ("src", "srcset", "data", "action")
            assert key not in ("href", "xlink:href") or (value or "").startswith(("#", "data:image/png;"))
        text = path.read_text(encoding="utf-8")
        assert "@import" not in text
        assert set(re.findall(r"https?://[^\"' <)]+", text)) <= {
            "http://www.w3.org/2000/svg",  # names of XML vocabularies, which nothing fetches
            "http://www.w3.org/1999/xlink",
        }


def test_text_of_the_user_is_escaped(nasty_page: Path) -> None:
    reader = read(nasty_page)
    assert not {"b>", "script"} & set(reader.tags)
    words = "".join(reader.text)
    assert "A & <B>" in words
    assert "<script>alert('x')</script>" in words
    assert "East <b>&" in words
    assert "$West$" in words


def test_ids_in_the_page_are_unique(page: Path) -> None:
    ids = [value for key, value in read(page).attributes if key == "id"]
    assert len(ids) == len(set(ids))


def test_the_same_plan_gives_the_same_page(nasty: gtm.Carving, nasty_page: Path, tmp_path: Path) -> None:
    again = gtm.report(nasty, tmp_path / "again.html", title="A & <B>")
    assert again.read_bytes() == nasty_page.read_bytes()


def test_pins_and_rules_have_their_cost(nasty_page: Path) -> None:
    words = "".join(read(nasty_page).text)
    assert "pin (2 accounts)" in words
    assert "The most expensive pins" in words
    assert "would go to" in words


def test_rules_have_their_cost_where_centers_were_found() -> None:
    accounts = pd.DataFrame(
        {
            "account_id": [f"A-{i}" for i in range(12)],
            "parent_id": [None, "A-0", *[None] * 10],
            "lat": [30.0 + i % 4 for i in range(12)],
            "lon": [-120.0 + 5 * i for i in range(12)],
        }
    )
    rules = [gtm.KeepTogether("parent_id"), gtm.Pin({"A-11": "T1"})]
    problem = gtm.CarvingProblem(accounts, 2, [gtm.Count(tolerance=0.2)], [gtm.Near("lat", "lon")], rules)
    costs, pins, remark = exception_costs(gtm.carve(problem, effort=0.1))
    assert [rule for rule, _ in costs] == ["keep together by parent_id", "pin (1 accounts)"]
    assert all(float(cost) >= 0 for _, cost in costs)
    assert pins is not None
    assert "Estimated by prices" in remark


def test_a_band_with_a_penalty_that_is_left_is_told() -> None:
    accounts = pd.DataFrame({"account_id": list("abc"), "arr": [9.0, 1.0, 1.0], "owner": ["T1", "T2", "T2"]})
    soft = [gtm.Balance("arr", tolerance=0.01, penalty=0.001)]
    carving = gtm.carve(gtm.CarvingProblem(accounts, 2, soft, [gtm.KeepOwner("owner")]), effort=0.1)
    assert "bands with a penalty are exceeded" in carving.summary()
    assert "Bands that have a penalty" in verdict(carving)


def test_a_loaded_plan_has_the_same_page_but_for_its_clock(plan: gtm.Plan, page: Path, tmp_path: Path) -> None:
    again = gtm.report(gtm.Plan.load(plan.save(tmp_path / "saved")), tmp_path / "again.html", title="FY27")
    assert again.read_text(encoding="utf-8") == page.read_text(encoding="utf-8")


def test_an_existing_page_is_replaced_and_nothing_else_is_left(nasty: gtm.Carving, tmp_path: Path) -> None:
    (tmp_path / "plan.html").write_text("old")
    assert gtm.report(nasty, tmp_path / "plan.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [path.name for path in tmp_path.iterdir()] == ["plan.html"]


def test_a_page_must_be_html(nasty: gtm.Carving, tmp_path: Path) -> None:
    with pytest.raises(gtm.DataError, match=r"must end in .html, got 'plan.pdf'"):
        gtm.report(nasty, tmp_path / "plan.pdf")


def test_without_jinja2_the_error_says_what_to_install(
    nasty: gtm.Carving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(PlotNotAvailableError, match=r"pip install gtm-opt\[report\]"):
        gtm.report(nasty, tmp_path / "plan.html")


def test_verdict_and_proof_are_sentences_with_numbers(nasty: gtm.Carving) -> None:
    assert verdict(nasty).endswith(".")
    assert re.search(r"score of 0\.\d{4}", proof(nasty))


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("deviation", 0.0312, "+3.1 %"),
        ("deviation", -0.000001, "0 %"),
        ("tolerance", 0.0001, "0.01 %"),
        ("tolerance", float("inf"), "none"),
        ("arr", 1234567.0, "1,234,567"),
        ("moved", True, "yes"),
        ("rep_id", None, ""),
        ("fit", float("nan"), ""),
        ("score", 0.01234, "0.01234"),
    ],
)
def test_cells_read_as_planners_write(column: str, value: Any, expected: str) -> None:
    assert cell_text(column, value) == expected


@pytest.mark.skipif(BROWSER is None, reason="chromium is not installed")
def test_a_browser_shows_the_page_without_a_fault(page: Path, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1200,3000", f"--screenshot={picture}"]
    done = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    shown = subprocess.run(
        [*command[:-1], "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    assert "Capacity and quotas" in shown.stdout
    assert picture.stat().st_size > 50_000  # a blank page is a few kilobytes


@pytest.mark.parametrize("column", ["Account Name", "company", "customer_name"])
def test_accounts_are_named_whatever_their_column_of_names_is_called(column: str) -> None:
    from gtm_opt.model import Balance, CarvingProblem, KeepOwner
    from gtm_opt.reporting.contents import _largest

    accounts = pd.DataFrame({"account_id": list("abcd"), "arr": [4.0, 3.0, 2.0, 1.0], "owner": ["x"] * 4})
    accounts[column] = ["Ann's", "Bob's", "Cy's", "Di's"]
    keep = KeepOwner("owner", value="arr")
    carving = gtm.carve(CarvingProblem(accounts, ["x", "y"], [Balance("arr", 0.3)], keep))
    table = _largest(carving)
    assert table is not None
    assert any("'s" in str(cell) for row in table.rows for cell in row)
