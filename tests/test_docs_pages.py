"""The pages hang together: links lead somewhere, and every page is reached from the index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\[[^\]]*\]\((?!https?://|mailto:|#)([^)#\s]+)")
TOC = re.compile(r"```\{toctree\}\n(.*?)```", re.DOTALL)


def markdown() -> list[Path]:
    """List every page of the checkout that people read."""
    pages = [path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts]
    return sorted([*ROOT.glob("*.md"), *pages])


@pytest.mark.parametrize("page", [pytest.param(path, id=path.relative_to(ROOT).as_posix()) for path in markdown()])
def test_links_between_files_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_page_is_in_a_table_of_contents() -> None:
    reached = {ROOT / "docs" / "index.md"}
    for page in markdown():
        for toc in TOC.findall(page.read_text(encoding="utf-8")):
            entries = [line.strip() for line in toc.splitlines() if line.strip() and not line.startswith(":")]
            for entry in entries:
                reached |= set(page.parent.glob(entry if "*" in entry else f"{entry.removesuffix('.md')}.md"))
    pages = {page for page in markdown() if page.is_relative_to(ROOT / "docs")}
    assert sorted(str(page.relative_to(ROOT)) for page in pages - reached) == []
