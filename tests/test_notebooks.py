"""What is committed of a notebook: a question for a title, and no output. ``dev.py notebooks`` runs them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]


def notebooks() -> list[Any]:
    """List the notebooks of the checkout, each under its name."""
    return [pytest.param(path, id=path.name) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]


def cells(path: Path) -> list[dict[str, Any]]:
    """Return the cells of a notebook."""
    return list(json.loads(path.read_text(encoding="utf-8"))["cells"])


@pytest.mark.parametrize("path", notebooks())
def test_the_title_of_a_notebook_is_a_question(path: Path) -> None:
    first = cells(path)[0]
    assert first["cell_type"] == "markdown"
    title = "".join(first["source"]).splitlines()[0]
    assert title.startswith("# ")
    assert title.endswith("?")


@pytest.mark.parametrize("path", notebooks())
def test_a_notebook_is_committed_without_output(path: Path) -> None:
    code = [cell for cell in cells(path) if cell["cell_type"] == "code"]
    assert [index for index, cell in enumerate(code) if cell["outputs"] or cell["execution_count"]] == []


@pytest.mark.parametrize("path", notebooks())
def test_a_notebook_stays_short_enough_to_read(path: Path) -> None:
    assert len(cells(path)) <= 40
