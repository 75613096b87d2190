"""The README shows what the demo prints."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest


def comparable(text: str) -> list[str]:
    """Return the lines without what differs from run to run: seconds, and folders."""
    text = re.sub(r"\d+\.\d+ s\b", "- s", text)
    return [line.rstrip() for line in text.strip().splitlines()]


@pytest.mark.slow
@pytest.mark.determinism
def test_the_output_in_the_readme_is_that_of_a_run(root: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gtm_opt.cli", "demo"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    shown = re.search(r"The demo ends with\n\n```text\n(.*?)```", (root / "README.md").read_text("utf-8"), re.DOTALL)
    assert shown is not None
    assert comparable(done.stdout) == comparable(shown[1])
