"""``python -m benchmarks run NAME``: cases x solvers x seeds, each in a process of its own, into a tidy table."""

from __future__ import annotations

import datetime
import json
import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.cases import Case
from benchmarks.job import run_task
from benchmarks.meter import machine, version, versions
from benchmarks.specs import SPECS
from gtm_opt.errors import DataError, Finding

__all__ = ["COLUMNS", "run_benchmark", "write_table"]

COLUMNS = [
    "benchmark", "case", "n", "k", "m", "seed", "solver", "effort", "time_limit", "status", "feasible", "objective",
    "bound", "gap", "reference", "reference_from", "ratio", "worst_deviation", "cost", "seconds", "cpu_seconds",
    "setup_seconds", "peak_mb", "termination", "checker_agrees", "error", "problems", "steps", "version", "machine",
    "date",
]  # fmt: skip
"""Columns of the results, in order."""

_GRACE = 180.0
"""Seconds a process may take beyond one and a half time limits (generation, compilation, checking)."""


def _known(solvers: list[str]) -> list[str]:
    """Leave out defaults that are not registered here."""
    from gtm_opt.solvers import solver_names

    known = set(solver_names()) | {"carve"}
    return [name for name in dict.fromkeys(solvers) if name in known or ":" in name]


def _isolated(task: dict[str, Any]) -> dict[str, Any]:
    """Run a task in its own process; a crash or a solver that does not return becomes a row."""
    allowed = 1.5 * task["time_limit"] + _GRACE
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-m", "benchmarks.job"]
    try:
        done = subprocess.run(
            command, input=json.dumps(task), capture_output=True, text=True, timeout=allowed, check=False, cwd=root
        )
    except subprocess.TimeoutExpired:
        return {"status": "killed", "feasible": False, "error": f"did not return within {allowed:.0f} s"}
    lines = done.stdout.strip().splitlines()
    try:
        row: dict[str, Any] = json.loads(lines[-1])
    except (IndexError, json.JSONDecodeError):
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        return {"status": "crashed", "feasible": False, "error": f"exit code {done.returncode}: {last}"[:300]}
    return row


def _own_limit(solver: str, limit: float) -> tuple[str, float]:
    """Split ``NAME@SECONDS``: a solver with a time limit of its own."""
    name, _, seconds = solver.rpartition("@")
    if not name:
        return solver, limit
    try:
        own = float(seconds)
    except ValueError:
        own = math.nan
    if not own > 0:
        raise DataError([Finding("--solvers", "must give seconds above 0 after '@'", got=f"'{solver}'")])
    return name, own


def _tasks(
    cases: list[Case], solvers: list[str], seeds: list[int], limit: float, effort: float, trace: bool
) -> list[tuple[Case, dict[str, Any]]]:
    limits = {solver: _own_limit(solver, limit) for solver in solvers}
    return [
        (
            case,
            {
                "recipe": case.recipe,
                "arguments": case.arguments,
                "seed": seed,
                "label": solver,
                "solver": limits[solver][0],
                "time_limit": limits[solver][1],
                "effort": "inf" if math.isinf(effort) else effort,
                "trace": trace,
            },
        )
        for case in cases
        for seed in seeds
        for solver in solvers
    ]


def run_benchmark(
    name: str,
    *,
    solvers: list[str] | None = None,
    seeds: list[int] | None = None,
    sizes: list[int] | None = None,
    time_limit: float | None = None,
    cases: str | None = None,
    jobs: int = 1,
    effort: float = 1.0,
    out: str | Path | None = None,
    trace: str | Path | None = None,
    isolated: bool = True,
    quiet: bool = False,
) -> pd.DataFrame:
    """Run one of `SPECS` and return the results, one row per case, seed and solver.

    Parameters
    ----------
    name : str
    solvers : list of str, optional
        Registered names, or ``package.module:attribute`` for a plug-in; ``NAME@SECONDS`` gives one a time limit of
        its own. Default: the spec's, as far as registered.
    seeds : list of int, optional
        0, 1, 2 by default. They make generated cases and are passed to the solver.
    sizes : list of int, optional
    time_limit : float, optional
        Seconds per solver and case.
    cases : str, optional
        Only cases whose name contains it.
    jobs : int
        Processes at a time. Timings are only comparable when the cores are not shared: keep 1 for results.
    effort : float
    out : path, optional
        ``.csv`` or ``.parquet``; the versions go to ``<out>.meta.json``. Rows are written as they come.
    trace : path, optional
        CSV of the progress of every run.
    isolated : bool
        False: in this process (for solvers registered in a notebook); memory is then that of everything so far.
    quiet : bool
        No line per run on standard error.

    Raises
    ------
    DataError
        For an unknown benchmark, no case or solver left, or a time limit that is none.
    """
    if name not in SPECS:
        raise DataError([Finding("benchmark", f"must be one of {', '.join(sorted(SPECS))}", got=f"'{name}'")])
    spec = SPECS[name]
    chosen = [case for case in spec.cases(sizes) if cases is None or cases in case.name]
    named = solvers or _known(spec.solvers)
    if not chosen or not named:
        raise DataError([Finding(f"benchmark '{name}'", "must have a case and a solver left", got="none")])
    limit = spec.time_limit if time_limit is None else time_limit
    tasks = _tasks(chosen, named, [0, 1, 2] if seeds is None else seeds, limit, effort, trace is not None)
    fixed = {"version": version(), "machine": machine(), "date": datetime.date.today().isoformat()}
    rows: list[dict[str, Any]] = []
    traces: list[dict[str, Any]] = []
    with ThreadPoolExecutor(max_workers=max(1, jobs if isolated else 1)) as pool:
        answers = pool.map(lambda task: (_isolated if isolated else run_task)(task[1]), tasks)
        for (case, task), answer in zip(tasks, answers, strict=True):
            row = _row(name, case, task, answer) | fixed
            key = {column: row[column] for column in ("benchmark", "case", "seed", "solver")}
            traces += [key | dict(zip(("seconds", "value", "bound"), t, strict=True)) for t in answer.get("trace", [])]
            rows.append(row)
            if not quiet:
                sys.stderr.write(_line(row) + "\n")
            if out is not None:
                write_table(_frame(rows), out)
    if trace is not None:
        pd.DataFrame(traces).to_csv(trace, index=False)
    return _frame(rows)


def _row(name: str, case: Case, task: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    row = {
        "benchmark": name,
        "case": case.name,
        "n": case.n,
        "k": case.k,
        "m": case.m,
        "seed": task["seed"],
        "solver": task["label"],
        "effort": float(task["effort"]),
        "time_limit": task["time_limit"],
        "reference": case.reference,
        "reference_from": case.reference_from,
    }
    row |= {key: value for key, value in answer.items() if key != "trace"}
    objective = row.get("objective")
    known = case.reference is not None and case.reference != 0 and objective is not None and row["feasible"]
    row["ratio"] = objective / case.reference if known else math.nan  # type: ignore[operator]
    return row


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def _line(row: dict[str, Any]) -> str:
    text = f"{row['case']:28s} {row['solver']:20s} seed {row['seed']}  {row['status']:12s}"
    if row.get("objective") is not None and not math.isnan(row.get("objective", math.nan)):
        text += f" objective {row['objective']:.6g}  deviation {100 * row['worst_deviation']:.4g} %"
    if row.get("seconds") is not None:
        text += f"  {row['seconds']:.2f} s  {row['peak_mb']:.0f} MB"
    return text + (f"  {row['error']}" if row.get("error") else "")


def write_table(frame: pd.DataFrame, out: str | Path) -> None:
    """Write results as CSV or Parquet by the suffix, and the versions beside them."""
    path = Path(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    elif path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        raise DataError([Finding("--out", "must end in .csv or .parquet", got=f"'{path.name}'")])
    meta = {"command": " ".join(["python -m benchmarks", *sys.argv[1:]]), "versions": versions(), "machine": machine()}
    path.with_name(path.name + ".meta.json").write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")
