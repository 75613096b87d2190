"""The recorded objectives: complete, repeatable, and a comparison that sees what got worse."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.__main__ import main
from benchmarks.owners import KINDS, owners_instance
from benchmarks.recording import (
    KEY,
    RECORDED,
    Recording,
    compare_recordings,
    read_recording,
    record,
    recording_tasks,
)
from gtm_opt.errors import DataError
from gtm_opt.measures import evaluate


def recording(**changes: object) -> pd.DataFrame:
    """Two runs of one solver: in band at 100, and out of band by 4 %."""
    rows = pd.DataFrame(
        {
            "solver": "auto",
            "case": ["inside", "outside"],
            "seed": 0,
            "effort": 1.0,
            "feasible": [True, False],
            "objective": [100.0, 50.0],
            "bound": [99.0, float("nan")],
            "excess": [0.02, 0.04],
            "cpu_seconds": 1.0,
        }
    )
    for name, values in changes.items():
        rows[name] = values
    return rows


def test_the_recording_in_the_repository_has_every_run_of_the_plan() -> None:
    recorded = read_recording(RECORDED)
    wanted = {tuple(task[name] for name in KEY) for task in recording_tasks()}
    assert wanted == set(recorded[KEY].itertuples(index=False, name=None))


def test_every_own_search_has_a_recording() -> None:
    solvers = {task["solver"] for task in recording_tasks()}
    assert {"auto", "lagrangian", "local_search", "lns", "balancing", "generalized_assignment", "carve"} <= solvers


def test_a_run_repeats_what_it_recorded() -> None:
    plan = (Recording("lumpy", "lumpy", {"n": 300, "k": 5}, ("lagrangian",), 0.1, (0,)),)
    first, second = (record(recording_tasks(plan), quiet=True) for _ in range(2))
    assert first["objective"].equals(second["objective"])
    assert compare_recordings(first, second)[1] == []


def test_equal_recordings_have_no_findings() -> None:
    table, findings = compare_recordings(recording(), recording())
    assert findings == []
    assert table.loc[0, ["geometric_mean", "same", "deviation_out_of_band"]].tolist() == [1.0, 1, 1.0]


@pytest.mark.parametrize(
    ("after", "text"),
    [
        ({"objective": [100.6, 50.0]}, r"auto: objectives 0\.60 % higher"),
        ({"feasible": [False, False]}, r"auto on inside, seed 0: kept everything before"),
        ({"excess": [0.02, 0.05]}, r"auto: plans out of band are 25 % farther out"),
        ({"bound": [101.0, float("nan")]}, r"auto on inside, seed 0: bound 101 above the objective 100"),
    ],
)
def test_what_got_worse_is_a_finding(after: dict[str, object], text: str) -> None:
    _, findings = compare_recordings(recording(), recording(**after))
    assert len(findings) == 1
    assert pd.Series(findings).str.contains(text).all()


def test_what_got_better_is_none() -> None:
    _, findings = compare_recordings(recording(), recording(objective=[90.0, 50.0], feasible=[True, True], bound=45.0))
    assert findings == []


def test_recordings_without_a_common_run_are_refused() -> None:
    with pytest.raises(DataError, match="must have runs in common"):
        compare_recordings(recording(), recording(seed=1))


def test_the_command_line_compares_two_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording().to_csv(tmp_path / "a.csv", index=False)
    recording(objective=[103.0, 50.0]).to_csv(tmp_path / "b.csv", index=False)
    assert main(["compare", str(tmp_path / "a.csv"), str(tmp_path / "a.csv")]) == 0
    assert "nothing got worse" in capsys.readouterr().out
    assert main(["compare", str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]) == 1
    assert "3.00 % higher" in capsys.readouterr().out
    assert main(["compare", str(tmp_path / "none.csv")]) == 2


def test_recording_writes_a_file_that_reads_back(tmp_path: Path) -> None:
    out = tmp_path / "new.csv"
    only = ["--case", "lumpy-300", "--solver", "lagrangian"]
    assert main(["record", *only, "--out", str(out)]) == 0
    assert len(read_recording(out)) == 2
    assert main(["compare", *only, str(out)]) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_owners_tie_in_every_kind(kind: str) -> None:
    """Accounts of one class cost the same everywhere: that is what makes the workload hard."""
    instance = owners_instance(400, k=4, kind=kind)  # type: ignore[arg-type]
    cost = instance.cost_block(slice(0, 400))
    assert evaluate(instance, cost.argmin(axis=1)).rules_kept
    if kind in ("count", "fit"):
        assert len({tuple(row) for row in cost}) <= 5


def test_an_unknown_kind_of_owners_is_refused() -> None:
    with pytest.raises(ValueError, match="`kind` must be one of count, value, both, fit, mixed, got 'sizes'"):
        owners_instance(10, k=2, kind="sizes")  # type: ignore[arg-type]
