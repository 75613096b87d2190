"""Every mistake in docs/errors.md raises one of our errors, and the page shows its text."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from gtm_opt.errors import DataError, GtmOptError
from tests.docs_mistakes.cases import SECTIONS

ROOT = Path(__file__).resolve().parents[2]
CASES = [pytest.param(name, call, id=name.replace(" ", "_")) for cases in SECTIONS.values() for name, call in cases]


@pytest.mark.parametrize(("name", "call"), CASES)
def test_a_mistake_raises_our_error_with_a_remedy(name: str, call) -> None:
    with pytest.raises(GtmOptError) as caught:
        call()
    text = str(caught.value)
    assert len(text) > 40
    assert "nan" not in text
    if isinstance(caught.value, DataError):
        assert caught.value.findings
    row = runpy.run_path(str(ROOT / "docs" / "make_errors_table.py"))["cell"](text)
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert f"| {name} | `{type(caught.value).__name__}`: {row} |" in page, "run docs/make_errors_table.py"


def test_the_page_has_no_rows_but_these() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    rows = [
        line for line in page.split("<!--")[1].splitlines() if line.startswith("| ") and "what gtm_opt says" not in line
    ]
    assert [row.split(" | ")[0][2:] for row in rows] == [name for cases in SECTIONS.values() for name, _ in cases]
    assert len(rows) >= 60
