"""Every benchmark is built once, tiny, without looking at the clock."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.job import resolve_solver, run_task
from benchmarks.recipes import build_case, instances_path
from benchmarks.runner import COLUMNS, run_benchmark
from benchmarks.specs import SPECS
from gtm_opt.errors import DataError
from gtm_opt.instance import Instance
from gtm_opt.solvers import Capabilities, Run, SolverResult, Termination

NEEDS_FILES = {"assignment", "balance"}


class Oops:
    """A plug-in that raises."""

    name, source, capabilities = "oops", "tests", Capabilities()

    def __call__(self, instance: Instance, **more: Any) -> SolverResult:
        raise ZeroDivisionError("on purpose")


class Zero:
    """A plug-in that puts everything into the first territory and lies about its bound."""

    name, source, capabilities = "zero", "tests", Capabilities(lower_bound=True)

    def __call__(self, instance: Instance, *, run: Run, **more: Any) -> SolverResult:
        run.report("zero", value=1.0)
        return SolverResult(np.zeros(instance.n_units, dtype=np.int64), termination=Termination.FINISHED)


@pytest.mark.parametrize("name", sorted(SPECS))
def test_every_benchmark_runs_tiny(name: str) -> None:
    if name in NEEDS_FILES and not instances_path().is_dir():
        pytest.skip("the public instances are not here: set GTM_OPT_INSTANCES to their folder")
    tiny = {"solvers": ["greedy_lookahead"], **SPECS[name].tiny}
    if name.startswith("tree"):
        tiny["solvers"] = ["carve"]
    results = run_benchmark(name, seeds=[0], effort=0.05, isolated=False, quiet=True, **tiny)
    assert len(results) >= 1
    assert list(results.columns) == COLUMNS
    assert results["error"].isna().all(), results["error"].tolist()
    assert results["checker_agrees"].astype(bool).all()


@pytest.mark.parametrize("name", sorted(SPECS))
def test_every_case_is_a_recipe_that_survives_json(name: str) -> None:
    if name in NEEDS_FILES and not instances_path().is_dir():
        pytest.skip("the public instances are not here: set GTM_OPT_INSTANCES to their folder")
    cases = SPECS[name].cases(None)
    assert len({case.name for case in cases}) == len(cases)
    for case in cases:
        assert json.loads(json.dumps(case.arguments)) == case.arguments


def test_each_run_in_a_process_of_its_own_gives_the_same_row(tmp_path: Path) -> None:
    out, trace = tmp_path / "r.csv", tmp_path / "t.csv"
    given: dict[str, Any] = {"solvers": ["lpt"], "seeds": [3], "sizes": [100], "time_limit": 5.0, "quiet": True}
    alone = run_benchmark("even", out=out, trace=trace, **given)
    here = run_benchmark("even", isolated=False, **given)
    assert alone["objective"].tolist() == here["objective"].tolist()
    assert pd.read_csv(out)["objective"].tolist() == pytest.approx(alone["objective"].tolist())
    assert "numpy" in json.loads(out.with_name("r.csv.meta.json").read_text(encoding="utf-8"))["versions"]
    assert list(pd.read_csv(trace).columns)[:4] == ["benchmark", "case", "seed", "solver"]


def test_failures_are_rows_and_are_counted() -> None:
    given: dict[str, Any] = {"seeds": [0], "sizes": [100], "time_limit": 1.0, "quiet": True, "isolated": False}
    results = run_benchmark("even", solvers=["nobody", f"{__name__}:Oops", f"{__name__}:Zero"], **given)
    assert results["status"].tolist() == ["error", "error", "feasible"]
    assert results["error"].iloc[1] == "ZeroDivisionError: on purpose"
    assert not results["feasible"].iloc[0]


def test_an_answer_out_of_band_is_not_feasible() -> None:
    task = {"recipe": "scale", "arguments": {"n": 200}, "seed": 0, "solver": f"{__name__}:Zero", "time_limit": 1.0}
    row = run_task({**task, "effort": 1.0, "trace": True})
    assert (row["status"], row["feasible"]) == ("out_of_band", False)
    assert row["trace"]
    assert row["peak_mb"] > 10


def test_plug_ins_resolve_by_module_and_attribute() -> None:
    assert resolve_solver(f"{__name__}:Zero").name == "zero"
    assert resolve_solver("lpt").name == "lpt"


def test_unknown_benchmarks_and_empty_choices_are_named() -> None:
    with pytest.raises(DataError, match="tree, tree_curve, tree_flat, tree_rules, got 'speed'"):
        run_benchmark("speed")
    with pytest.raises(DataError, match="must have a case and a solver left"):
        run_benchmark("even", cases="nothing like this")


def test_results_go_to_csv_or_parquet_only(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"\.csv or \.parquet, got 'r\.txt'"):
        run_benchmark("even", solvers=["lpt"], sizes=[50], seeds=[0], isolated=False, out=tmp_path / "r.txt")


def test_the_same_seed_builds_the_same_case() -> None:
    first, again = (build_case("lumpy", {}, 1)[0] for _ in range(2))
    assert np.array_equal(first.activities, again.activities)


def test_a_solver_may_have_a_time_limit_of_its_own() -> None:
    found = run_benchmark(
        "even", sizes=[60], seeds=[0], solvers=["lpt", "lpt@2.5"], time_limit=1.0, isolated=False, quiet=True
    )
    assert dict(zip(found["solver"], found["time_limit"], strict=True)) == {"lpt": 1.0, "lpt@2.5": 2.5}
    with pytest.raises(DataError, match="must give seconds above 0 after '@', got 'lpt@soon'"):
        run_benchmark("even", sizes=[60], solvers=["lpt@soon"], isolated=False, quiet=True)
