"""``python -m benchmarks record | compare``: what each solver reached, with fixed iteration budgets and no clock.

A recording is a small table in the repository: solver, case, seed, objective. Before a change of a solver is kept, the
same runs are made again and compared: the safety net under every merge of searches and every new default.
"""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.job import run_task
from benchmarks.meter import machine, versions
from gtm_opt.errors import DataError, Finding

__all__ = [
    "PLAN",
    "RECORDED",
    "Recording",
    "compare_recordings",
    "read_recording",
    "record",
    "recording_tasks",
    "write_recording",
]

RECORDED = Path(__file__).resolve().parent / "recorded.csv"
"""The recording in the repository."""
WORSE = 1.005
"""A solver whose objectives grew by more than this factor in geometric mean fails the comparison."""
FARTHER = 1.05
"""The same for the worst deviation of plans that are out of band before and after."""
COLUMNS = ["solver", "case", "seed", "effort", "feasible", "objective", "bound", "excess", "cpu_seconds"]
KEY = ["solver", "case", "seed", "effort"]
_NEVER = 1e9
"""Seconds: a clock that does not strike."""
_FLOOR = 1e-9
"""Objectives below this count as this: an evenness of zero has no ratio."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One case of the recording and the solvers that are run on it.

    Attributes
    ----------
    case : str
    recipe : str
    arguments : dict
        See `benchmarks.recipes.build_case`.
    solvers : tuple of str
    effort : float
    seeds : tuple of int
    """

    case: str
    recipe: str
    arguments: dict[str, Any]
    solvers: tuple[str, ...]
    effort: float = 1.0
    seeds: tuple[int, ...] = (0, 1)


_SEARCHES = ("auto", "lagrangian", "local_search", "lns")
_OWNERS = ("count", "value", "both", "fit", "mixed")

PLAN: tuple[Recording, ...] = (
    Recording("lumpy-300", "lumpy", {"n": 300, "k": 5}, _SEARCHES, 0.2),
    Recording("lumpy-1000", "lumpy", {"n": 1_000}, ("auto",), 0.2, (0,)),
    Recording("scale-2000", "scale", {"n": 2_000}, ("lagrangian", "local_search"), 0.5),
    Recording("scale-20000", "scale", {"n": 20_000}, ("auto",), 1.0),
    Recording("scale-5000x40", "scale", {"n": 5_000, "k": 40, "band": 0.05}, ("lagrangian",), 0.5),
    *(
        Recording(f"owners-{kind}-5000", "owners", {"n": 5_000, "kind": kind}, ("auto", "lagrangian"), 0.5, (0,))
        for kind in _OWNERS
    ),
    Recording("owners-count-70000", "owners", {"n": 70_000}, ("lagrangian",), 1.0, (0,)),
    Recording("owners-count-12000x30", "owners", {"n": 12_000, "k": 30}, ("lagrangian",), 0.5, (0,)),
    Recording("even-300", "even", {"n": 300, "k": 5}, ("auto", "balancing"), 0.2),
    Recording("even-2000", "even", {"n": 2_000}, ("balancing",), 0.1),
    *(
        Recording(
            f"{name}-400",
            "pattern",
            {"name": name, "n": 400, "k": 5, "severity": 0.5},
            ("auto",),
            0.1,
            (0,),
        )
        for name in ("big_families", "oversized", "hard_pins", "unequal_shares")
    ),
    *(
        Recording(
            f"gap-{letter}-8x80",
            "classic",
            {"kind": "gap", "letter": letter, "agents": 8, "jobs": 80},
            ("generalized_assignment",),
            0.3,
        )
        for letter in "cde"
    ),
    *(
        Recording(name, "file", {"folder": "frozen", "name": name, "family": family, "k": k}, ("balancing",), effort)
        for name, family, k, effort in (
            ("mdmwnpp_200x12.txt", "mdmwnpp", 5, 0.1),
            ("pcmax_u_6x40.txt", "pcmax", 6, 0.3),
            ("bpp_triplets_60.txt", "bpp", 20, 0.3),
        )
    ),
    Recording("tree-3000", "tree", {"n": 3_000, "fanout": "4x6"}, ("carve",), 0.5, (0,)),
)
"""Small cases of every kind of problem: a few CPU minutes together."""


def recording_tasks(
    plan: tuple[Recording, ...] = PLAN, *, solver: str | None = None, case: str | None = None
) -> list[dict[str, Any]]:
    """Return the runs of a plan as tasks of `benchmarks.job.run_task`, in order.

    Parameters
    ----------
    plan : tuple of Recording
    solver : str, optional
        Only this solver.
    case : str, optional
        Only cases whose name contains it.
    """
    return [
        {
            "case": entry.case,
            "recipe": entry.recipe,
            "arguments": entry.arguments,
            "seed": seed,
            "solver": name,
            "time_limit": _NEVER,
            "effort": entry.effort,
        }
        for entry in plan
        if case is None or case in entry.case
        for seed in entry.seeds
        for name in entry.solvers
        if solver is None or solver == name
    ]


def record(tasks: list[dict[str, Any]], *, quiet: bool = False) -> pd.DataFrame:
    """Run tasks one after the other and return the recording, one row per task.

    Raises
    ------
    RuntimeError
        When a run fails: a recording with holes would compare nothing there.
    """
    rows: list[dict[str, Any]] = []
    for task in tasks:
        cold = all(row["solver"] != task["solver"] for row in rows)  # compilation is not timed
        answer = run_task({**task, "arguments": dict(task["arguments"]), "trace": False, "warm": cold})
        if answer.get("error"):
            raise RuntimeError(f"{task['solver']} on {task['case']}, seed {task['seed']}: {answer['error']}")
        row = {name: task[name] for name in KEY} | {
            "feasible": bool(answer["feasible"]),
            "objective": float(answer["objective"]),
            "bound": float(answer.get("bound", math.nan)),
            "excess": float(answer.get("worst_deviation", math.nan)),
            "cpu_seconds": round(float(answer["cpu_seconds"]), 2),
        }
        rows.append(row)
        if not quiet:
            sys.stderr.write(f"{_label(row):60s} {_value(row)}  {row['cpu_seconds']:.2f} s\n")
    return pd.DataFrame(rows, columns=COLUMNS)


def compare_recordings(before: pd.DataFrame, after: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the comparison by solver, and what got worse.

    Parameters
    ----------
    before, after : DataFrame
        Recordings. Only runs in both are compared.

    Returns
    -------
    table : DataFrame
        Per solver: runs, feasible before and after, geometric mean and worst of objective after / before over the runs
        that were feasible both times, better, same, worse; geometric mean of the worst deviation after / before over
        the runs that were out of band both times; ratio of CPU seconds.
    findings : list of str
        A plan that kept everything and does not any more, a solver whose objectives grew by more than 0.5 % in
        geometric mean, or the deviations of its plans out of band by more than 5 %; a bound above an objective.
        Empty: nothing got worse.
    """
    both = before.merge(after, on=KEY, suffixes=("_before", "_after"))
    if both.empty:
        raise DataError([Finding("recordings", "must have runs in common", remedy="Record again with the same plan.")])
    findings = []
    for row in both.itertuples():
        label = f"{row.solver} on {row.case}, seed {row.seed}"
        if row.feasible_before and not row.feasible_after:
            findings.append(f"{label}: kept everything before, and does not now")
        if row.feasible_after and row.bound_after > row.objective_after * (1 + 1e-6) + 1e-9:
            findings.append(f"{label}: bound {row.bound_after:.8g} above the objective {row.objective_after:.8g}")
    lines = []
    for solver, part in both.groupby("solver", sort=True):
        kept = part["feasible_before"] & part["feasible_after"]
        ratio = (part["objective_after"].clip(lower=_FLOOR) / part["objective_before"].clip(lower=_FLOOR))[kept]
        mean = _geometric_mean(ratio)
        outside = part[~part["feasible_before"] & ~part["feasible_after"]]
        farther = _geometric_mean((outside["excess_after"] / outside["excess_before"]).dropna())
        lines.append(
            {
                "solver": solver,
                "runs": len(part),
                "feasible_before": int(part["feasible_before"].sum()),
                "feasible_after": int(part["feasible_after"].sum()),
                "geometric_mean": mean,
                "worst": float(ratio.max()) if len(ratio) else math.nan,
                "better": int((ratio < 1 - 1e-9).sum()),
                "same": int((np.abs(ratio - 1) <= 1e-9).sum()),
                "worse": int((ratio > 1 + 1e-9).sum()),
                "deviation_out_of_band": farther,
                "cpu_ratio": float(part["cpu_seconds_after"].sum() / max(part["cpu_seconds_before"].sum(), 1e-9)),
            }
        )
        if mean > WORSE:
            findings.append(f"{solver}: objectives {100 * (mean - 1):.2f} % higher in geometric mean")
        if farther > FARTHER:
            findings.append(f"{solver}: plans out of band are {100 * (farther - 1):.0f} % farther out")
    return pd.DataFrame(lines), findings


def _geometric_mean(ratio: pd.Series) -> float:
    return float(np.exp(np.log(ratio).mean())) if len(ratio) else math.nan


def read_recording(path: str | Path) -> pd.DataFrame:
    """Return a recording from a file.

    Raises
    ------
    DataError
        When there is no such file, or it lacks a column.
    """
    place = Path(path)
    if not place.is_file():
        raise DataError([Finding(f"recording '{place}'", "must exist", remedy="Make it: python -m benchmarks record.")])
    table = pd.read_csv(place)
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise DataError([Finding(f"recording '{place}'", f"must have the columns {', '.join(missing)}")])
    return table


def write_recording(table: pd.DataFrame, path: str | Path) -> None:
    """Write a recording, and the versions it was made with beside it."""
    place = Path(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(place, index=False)
    meta = {"command": " ".join(["python -m benchmarks", *sys.argv[1:]]), "versions": versions(), "machine": machine()}
    place.with_name(place.name + ".meta.json").write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")


def _label(row: dict[str, Any]) -> str:
    return f"{row['case']} {row['solver']} seed {row['seed']} effort {row['effort']:g}"


def _value(row: dict[str, Any]) -> str:
    return f"{row['objective']:.8g}" + ("" if row["feasible"] else f" out of band ({100 * row['excess']:.2f} %)")
