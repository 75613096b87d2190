"""Write the tables of docs/errors.md from tests/docs_mistakes/cases.py: ``python docs/make_errors_table.py``."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "errors.md"
MARK = "<!-- the rest of this page is written by docs/make_errors_table.py -->\n"


def message(call: object) -> tuple[str, str]:
    """Return class and text of the error that ``call`` raises."""
    try:
        call()  # type: ignore[operator]
    except Exception as error:
        return type(error).__name__, str(error)
    return "", "no error"


def cell(text: str) -> str:
    """Return a text as one cell of a Markdown table."""
    return (
        text.replace("|", "\\|")
        .replace("<", "&lt;")
        .replace("*", "\\*")
        .replace("\n    ", "<br>")
        .replace("\n", "<br>")
    )


def render() -> str:
    """Return the whole page: its head as it is, the tables anew."""
    from tests.docs_mistakes.cases import SECTIONS

    parts = [PAGE.read_text(encoding="utf-8").split(MARK)[0], MARK]
    for heading, cases in SECTIONS.items():
        parts.append(f"\n## {heading}\n\n| mistake | what gtm_opt says |\n|---|---|\n")
        for name, call in cases:
            kind, text = message(call)
            parts.append(f"| {name} | `{kind}`: {cell(text)} |\n")
    return "".join(parts)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    PAGE.write_text(render(), encoding="utf-8")
