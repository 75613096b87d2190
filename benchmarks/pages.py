"""The results page of the docs, made from the raw results: ``python -m benchmarks.pages`` writes it.

Every ``benchmarks/results/*.csv`` becomes a section with its command, machine, date and tables.
Nothing on the page comes from anywhere else.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.plots import plot_anytime, plot_profile
from benchmarks.specs import SPECS
from benchmarks.tables import load, overview, side_by_side, to_markdown, wins

__all__ = ["PAGE", "RESULTS", "page"]

RESULTS = Path(__file__).resolve().parent / "results"
PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks" / "results.md"
FIGURES = PAGE.parent / "figures"
_PROFILE_RUNS = 6

_HEAD = """# Results

Made from the raw results in `benchmarks/results/` by `python -m benchmarks.pages`; the [protocol](protocol.md) says how
they are measured. Deviations and gaps are fractions (0.02 is 2 %), memory is in MB, `failures` are runs without an
answer that keeps all rules and bands, `above_best_*` is how far answers are above the best one that any method of the
table has on the same case and seed, and `NAME@S` is a method with a limit of its own, of S seconds. Methods that know
no bands or preferences are blind to them on purpose: the comparison shows what that costs.
"""

_BEST = ["above_best_mean_pct", "above_best_worst_pct"]
_COLUMNS = {
    "scale": ["failures", *_BEST, "gap_worst", "deviation_worst", "seconds_median", "seconds_worst", "peak_mb_worst"],
    "lumpy": ["failures", *_BEST, "gap_mean", "deviation_mean", "deviation_worst", "seconds_worst"],
    "owners": ["failures", *_BEST, "gap_worst", "deviation_worst", "seconds_median"],
    "tree": ["failures", "deviation_worst", "seconds_median", "seconds_worst", "peak_mb_worst"],
    "tree_curve": ["failures", "deviation_worst", "seconds_median", "seconds_worst", "peak_mb_worst"],
    "tree_flat": ["failures", "seconds_median"],
    "tree_rules": ["failures", "deviation_worst", "seconds_median", "peak_mb_worst"],
    "even": ["failures", "deviation_mean", "deviation_worst", "gap_worst", "seconds_median"],
    "small": ["proved", "seconds_median", "seconds_worst"],
    "balance": ["failures", "ratio_gmean", "ratio_worst", "seconds_median"],
    "assignment": ["failures", "above_reference_pct", "ratio_worst", "seconds_median"],
    "classics": ["failures", *_BEST, "gap_mean", "gap_worst", "seconds_median"],
    "patterns": ["failures", *_BEST, "gap_mean", "deviation_worst", "seconds_median"],
}


def _section(path: Path) -> str:
    frame = load(path)
    name = str(frame["benchmark"].iloc[0])
    spec = SPECS.get(name)
    meta_path = path.with_name(path.name + ".meta.json")
    meta = json.loads(meta_path.read_text(encoding="utf-8")) if meta_path.is_file() else {}
    lines = [f"## {path.stem}", ""]
    if spec is not None:
        lines += [spec.summary[0].upper() + spec.summary[1:] + ".", ""]
    lines += [
        f"`{meta.get('command', 'command not recorded')}`",
        "",
        f"{frame['machine'].iloc[0]}; gtm_opt {frame['version'].iloc[0]}; {frame['date'].max()}; "
        f"{len(frame)} runs, seeds {', '.join(str(s) for s in sorted(frame['seed'].unique()))}, "
        f"limit {frame['time_limit'].max():g} s.",
        "",
    ]
    table = overview(frame)
    wanted = ["solver", "runs", *_COLUMNS.get(name, list(table.columns[2:]))]
    lines += [to_markdown(table[[c for c in wanted if table[c].notna().any()]]), ""]
    lines += _cells(frame, name)
    lines += [line for title, file, _ in _figures(path, frame) for line in (f"![{title}](figures/{file})", "")]
    return "\n".join(lines)


def _figures(path: Path, frame: pd.DataFrame) -> list[tuple[str, str, Callable[[], Any]]]:
    """Return title, file name and drawing of the figures of one result."""
    found: list[tuple[str, str, Callable[[], Any]]] = []
    runs = frame[["case", "seed"]].drop_duplicates()
    if frame["solver"].nunique() > 1 and len(runs) >= _PROFILE_RUNS and not path.stem.startswith("tree"):
        found.append((f"Performance profile of {path.stem}", f"{path.stem}_profile.svg", lambda: plot_profile(frame)))
    trace = path.with_name(f"{path.stem}.trace.csv")
    if trace.is_file():
        case = str(frame["case"].iloc[0])
        title = f"Value and bound over time, {path.stem}"
        found.append((title, f"{path.stem}_anytime.svg", lambda: plot_anytime(pd.read_csv(trace), case)))
    return found


def _results() -> list[Path]:
    return sorted(path for path in RESULTS.glob("*.csv") if not path.name.endswith(".trace.csv"))


def _draw() -> None:
    """Write the figures; the same results give the same bytes with the same matplotlib."""
    import matplotlib

    FIGURES.mkdir(exist_ok=True)
    with matplotlib.rc_context({"svg.hashsalt": "gtm_opt"}):
        for path in _results():
            for _, file, plot in _figures(path, load(path)):
                plot().figure.savefig(FIGURES / file, metadata={"Date": None})


def _cells(frame: pd.DataFrame, name: str) -> list[str]:
    """Return the table of solvers by cases, where there are few enough cases to read; of trees every run."""
    if name.startswith("tree"):
        columns = ["case", "seed", "status", "seconds", "peak_mb", "objective", "worst_deviation", "problems"]
        return [to_markdown(frame[columns].rename(columns={"problems": "leaves"})), ""]
    if not 1 < frame["case"].nunique() <= 12:
        shown = wins(frame).reset_index(names="wins over") if frame["solver"].nunique() > 1 else None
        return [] if shown is None else ["How often the row beats the column:", "", to_markdown(shown), ""]
    value = "ratio" if name in ("balance", "assignment") else "worst_deviation"
    value = value if frame[value].notna().any() else "objective"
    table = side_by_side(frame, value).reset_index()
    return [f"Mean `{value}` per case:", "", to_markdown(table), ""]


def page() -> str:
    """Return the text of the results page."""
    paths = _results()
    if not paths:
        return _HEAD + "\nNo results are recorded yet.\n"
    return _HEAD + "\n" + "\n".join(_section(path) for path in paths).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    _draw()
    sys.stdout.write(f"wrote {PAGE.name}\n")
