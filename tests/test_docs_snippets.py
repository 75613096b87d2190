"""The Python on the pages is run, page by page, so that the pages cannot rot.

The fenced ``python`` blocks of a page run in order, in one namespace and an empty folder. A block
that is only for reading has the word ``skip`` after ``python`` in its fence line.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(
    r"^```(?:python|\{code-block\} python)(?P<words>[^\n`]*)\n(?P<code>.*?)^```\s*$", re.MULTILINE | re.DOTALL
)


def blocks(text: str) -> list[tuple[int, str]]:
    """List (line, code) of the blocks of a page that are to be run."""
    found = []
    for match in FENCE.finditer(text):
        if "skip" not in match["words"].split():
            found.append((text.count("\n", 0, match.start("code")), match["code"]))
    return found


def run_page(path: Path) -> None:
    """Run the blocks of a page; a failure names the page and the line."""
    namespace: dict[str, object] = {"__name__": "page"}
    for line, code in blocks(path.read_text(encoding="utf-8")):
        # Leading newlines make the line numbers of a traceback those of the page.
        exec(compile("\n" * line + code, str(path), "exec"), namespace)


def pages() -> list[Path]:
    """List the pages that have something to run."""
    candidates = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    for folder in ("howto", "concepts", "benchmarks"):
        candidates += sorted((ROOT / "docs" / folder).glob("*.md"))
    return [path for path in candidates if path.exists() and blocks(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", [pytest.param(path, id=path.relative_to(ROOT).as_posix()) for path in pages()])
def test_the_python_on_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_page(page)


def test_blocks_share_a_namespace_and_skipped_ones_do_not_run(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\na = 1\n```\n```python skip\nraise ValueError\n```\n```python\nassert a == 1\n```\n")
    run_page(page)
    assert len(blocks(page.read_text())) == 2


def test_a_failing_block_names_the_page_and_its_line(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n```python\nx = 1\nraise ValueError('here')\n```\n")
    with pytest.raises(ValueError, match="here") as caught:
        run_page(page)
    assert caught.traceback[-1].lineno + 1 == 5
    assert str(caught.traceback[-1].path).endswith("page.md")
