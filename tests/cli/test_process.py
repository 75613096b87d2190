"""The command as people start it: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ACCOUNTS, CONFIG, REPS


def gtm_opt(
    root: Path, *arguments: str, cwd: Path | None = None, code: str | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "gtm_opt.cli", *arguments]
    env = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd or root, env=env, timeout=120, check=False)


def test_help_answers_without_loading_anything_heavy(root: Path) -> None:
    code = (
        "import sys\nfrom gtm_opt.cli import main\nsys.argv = ['gtm-opt', '--help']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "heavy = {'numpy', 'pandas', 'scipy', 'pydantic', 'numba', 'ortools', 'pulp', 'matplotlib', 'openpyxl'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = gtm_opt(root, code=code)
    assert done.returncode == 0, done.stderr
    assert "Exit codes: 0 fine" in " ".join(done.stdout.split())


def test_a_plan_and_a_mistake_end_with_their_codes(root: Path, tmp_path: Path) -> None:
    (tmp_path / "accounts.csv").write_text(ACCOUNTS)
    (tmp_path / "reps.csv").write_text(REPS)
    (tmp_path / "config.toml").write_text(CONFIG)
    done = gtm_opt(root, "plan", "config.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert (tmp_path / "plan" / "assignment.csv").exists()
    (tmp_path / "reps.csv").unlink()
    wrong = gtm_opt(root, "plan", "config.toml", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "There is no file 'reps.csv'" in wrong.stderr
    assert wrong.stdout == ""


@pytest.mark.slow
def test_the_demo_makes_a_plan_that_holds(root: Path, tmp_path: Path) -> None:
    done = gtm_opt(root, "demo", "--excel", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "everything holds" in done.stdout
    assert (tmp_path / "demo-plan" / "plan.xlsx").exists()
