"""An unforeseen error ends with a code of its own, never with one that means that there is a plan."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

import gtm_opt as gtm
from gtm_opt.cli.exits import FAULT_FILE, ExitCode, guarded


def test_a_fault_says_what_it_is_and_keeps_the_traceback(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(typer.Exit) as caught, guarded():
        raise ZeroDivisionError("division by zero")
    assert caught.value.exit_code == ExitCode.FAULT == 70
    said = capsys.readouterr().err
    assert "This is a fault of gtm-opt, not of your files: ZeroDivisionError: division by zero" in said
    assert FAULT_FILE in said
    assert "ZeroDivisionError" in (tmp_path / FAULT_FILE).read_text(encoding="utf-8")


def test_a_carve_is_not_lost_to_an_error_in_a_later_stage(run, folder: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("in a later stage")

    monkeypatch.setattr("gtm_opt.plan.build.assign", broken)
    result = run("plan", "config.toml", "--out", "out")
    assert result.exit_code == ExitCode.FAULT
    assert "the carve was finished before this error; it was saved in out-carving" in result.stderr
    assert not (folder / "out").exists()
    assert gtm.Plan.load(folder / "out-carving").carving.assignment["territory"].notna().all()
