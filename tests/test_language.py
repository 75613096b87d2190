"""The words of the library are those of the field: what a native reader would stumble over does not come back."""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# what not to say -> what to say
SAY = {
    r"mend(s|ed|ing)?": "fix, repair",
    r"wish(es|ed)?": "requirement, preference",
    r"giants?": "oversized account",
    r"barred": "forbidden",
    r"ga?ve way|gives way|giving way": "relaxed",
    r"told apart|told all at once": "distinguished; reported together",
    r"takes? part": "participates",
    r"nobody's": "unassigned",
    r"(limit|clock)s? (has |had )?(struck|strikes?)": "limit reached",
    r"dear(er|est)": "more expensive",
    r"other people's": "third-party",
    r"not so for": "violated by",
    r"are no numbers|is no number": "non-numeric",
    r"one page a task": "one page per task",
    r"(tight core|exact prices)": "restricted LP core; LP duals",
    r"carving step by step": "tree decomposition",
    r"used up (its|the) effort": "iteration budget exhausted",
    r"the (door|hall|room) of": "public entry point, package",
    r"a hair": "within tolerance",
    r"deal(s|t)? by the shares": "assign in proportion to shares",
}
RULE = re.compile("|".join(rf"(?P<w{i}>\b(?:{pattern})\b)" for i, pattern in enumerate(SAY)), re.IGNORECASE)


def texts(path: Path) -> list[tuple[int, str]]:
    """Return the prose of a file with its lines: a page as it is, of a module the strings and comments."""
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return list(enumerate(source.splitlines(), 1))
    out = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", -1)):
            out += [(token.start[0] + i, line) for i, line in enumerate(token.string.splitlines())]
    return out


def findings(path: Path, root: Path = ROOT) -> list[str]:
    out = []
    for number, line in texts(path):
        for match in RULE.finditer(line):
            say = list(SAY.values())[int(str(match.lastgroup)[1:])]
            out.append(f"{path.relative_to(root)}:{number}: '{match.group()}': say {say}")
    return out


def files() -> list[Path]:
    pages = [*ROOT.glob("docs/**/*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    modules = [*ROOT.glob("gtm_opt/**/*.py"), *ROOT.glob("gtm_opt/**/*.j2"), *ROOT.glob("notebooks/*.py")]
    # the results quote names of recorded instances
    return [p for p in (*pages, *modules) if "_build" not in p.parts and p.name != "results.md"]


def test_no_word_that_a_native_reader_would_stumble_over_is_left() -> None:
    assert not [text for path in files() for text in findings(path)]


@pytest.mark.parametrize(
    "line", ["# mend it", '"""Return the giants."""', 'x = f"{n} gave way by force"', "y = 'rows that are no numbers'"]
)
def test_the_rule_finds_words_in_comments_docstrings_and_messages(line: str, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(f"{line}\n", encoding="utf-8")
    assert len(findings(tmp_path / "module.py", tmp_path)) == 1
