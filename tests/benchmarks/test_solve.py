"""The `solve` command: exact keys, right numbers, always an answer, within the time limit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.checker import check_problem
from benchmarks.construct import construct_gap
from benchmarks.frozen_sets import FROZEN
from benchmarks.readers import Gap, read

KEYS = ["family", "file", "objective", "bound", "status", "seconds", "assignment", "feasible", "version", "seed"]


def solve(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", "solve", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=root, timeout=120, check=False, env=os.environ | environment
    )


@pytest.mark.parametrize(
    ("family", "name", "options"),
    [
        ("gap", "gap_d_8x60.txt", []),
        ("mdmwnpp", "mdmwnpp_80x6.txt", ["--n", "40", "--m", "3", "--k", "4"]),
        ("pcmax", "pcmax_u_6x40.txt", []),
        ("bpp", "bpp_triplets_60.txt", ["--k", "20"]),
    ],
)
def test_solve_writes_a_checked_result(root: Path, tmp_path: Path, family: str, name: str, options: list[str]) -> None:
    out = tmp_path / "deep" / "result.json"
    limit = ["--time-limit", "1.5", "--seed", "1", "--out", str(out)]
    done = solve(root, family, str(FROZEN / name), *options, *limit)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    assert list(result) == KEYS
    given = {option[2:]: int(value) for option, value in zip(options[::2], options[1::2], strict=True)}
    problem = read(family, FROZEN / name, **given)
    verdict = check_problem(problem, result["assignment"])
    assert result["objective"] == pytest.approx(verdict.objective, rel=1e-12)
    assert result["feasible"] == verdict.feasible
    assert result["bound"] <= result["objective"]
    assert result["seed"] == 1


def test_no_time_at_all_still_gives_an_answer(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "result.json"
    begun = time.perf_counter()
    done = solve(root, "gap", str(FROZEN / "gap_c_5x40.txt"), "--time-limit", "0.1", "--out", str(out))
    assert time.perf_counter() - begun < 10
    assert done.returncode == 0, done.stderr
    result = json.loads(out.read_text(encoding="utf-8"))
    assert len(result["assignment"]) == 40
    assert result["feasible"]


@pytest.mark.slow
def test_an_empty_kernel_cache_still_gives_an_answer_in_time(root: Path, tmp_path: Path) -> None:
    for family, name, options in (("gap", "gap_d_8x60.txt", []), ("mdmwnpp", "mdmwnpp_200x12.txt", ["--k", "10"])):
        out, cache = tmp_path / f"{family}.json", tmp_path / f"cache-{family}"
        arguments = [family, str(FROZEN / name), *options, "--time-limit", "3", "--out", str(out)]
        done = solve(root, *arguments, NUMBA_CACHE_DIR=str(cache))
        assert done.returncode == 0, done.stderr
        result = json.loads(out.read_text(encoding="utf-8"))
        assert result["feasible"]
        assert result["seconds"] <= 3 * 1.1 + 1.0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["gap", "nowhere.txt"], "must exist"),
        (["gap", str(FROZEN / "gap_c_5x40.txt"), "--solver", "magic"], "no solver named 'magic'"),
    ],
)
def test_mistakes_end_in_one_line_and_exit_code_two(root: Path, arguments: list[str], text: str) -> None:
    done = solve(root, *arguments)
    assert done.returncode == 2
    assert text in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("kind", ["c_5x40", "d_8x60", "e_5x50"])
def test_construction_is_feasible_without_any_solver(kind: str) -> None:
    problem = read("gap", FROZEN / f"gap_{kind}.txt")
    assert isinstance(problem, Gap)
    assert check_problem(problem, construct_gap(problem, 5.0)).feasible


def test_construction_of_one_agent_and_of_too_little_room_is_still_an_assignment() -> None:
    one = Gap(np.ones((1, 4)), np.ones((1, 4)), np.array([2.0]))
    assert construct_gap(one, 1.0) == [0, 0, 0, 0]
    tight = Gap(np.ones((2, 3)), np.full((2, 3), 5.0), np.array([4.0, 4.0]))
    assert set(construct_gap(tight, 1.0)) <= {0, 1}


def test_a_bound_above_the_objective_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import __main__ as command
    from benchmarks import solve as module

    path = FROZEN / "pcmax_u_6x40.txt"
    problem = read("pcmax", path)
    assignment = [i % problem.k for i in range(problem.n)]
    verdict = check_problem(problem, assignment)
    claim = module.Answer(assignment, verdict, 1.01 * verdict.objective, "a solver that is wrong")
    monkeypatch.setattr(module, "_best", lambda *_: claim)
    out = tmp_path / "result.json"
    assert command.main(["solve", "pcmax", str(path), "--out", str(out)]) == 3
    result = json.loads(out.read_text(encoding="utf-8"))
    assert result["status"] == "wrong_bound"
    assert result["bound"] > result["objective"]
