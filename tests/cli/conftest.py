"""Small files of a made-up company, and a runner for the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gtm_opt.cli.app import app

ACCOUNTS = """\
account_id,arr,owner,parent_id,industry
001,60,r1,,retail
002,50,r1,,retail
003,40,r2,,energy
004,30,r2,001,energy
005,20,r3,,retail
006,10,,,energy
"""
REPS = """\
rep_id,region,start_date
r1,East,2024-01-01
r2,East,2024-01-01
r3,West,2024-01-01
"""
CONFIG = """\
[accounts]
file = "accounts.csv"

[reps]
file = "reps.csv"

[[balance]]
column = "arr"
tolerance = 0.9

[carve]
solver = "greedy_lookahead"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """accounts.csv, reps.csv and config.toml in the current folder."""
    (tmp_path / "accounts.csv").write_text(ACCOUNTS)
    (tmp_path / "reps.csv").write_text(REPS)
    (tmp_path / "config.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Callable[..., Result]:
    """Run ``gtm-opt`` with arguments; a traceback fails the test."""

    def call(*arguments: str, config: str | None = None) -> Result:
        if config is not None:
            (folder / "config.toml").write_text(config)
        result = CliRunner().invoke(app, list(arguments))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call
