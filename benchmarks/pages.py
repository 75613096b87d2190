"""The results page of the docs, made from the raw results: ``python -m benchmarks.pages`` writes it.

Every ``benchmarks/results/*.csv`` becomes a section with its command, machine, date and tables.
Nothing on the page comes from anywhere else.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd

from benchmarks.specs import SPECS
from benchmarks.tables import load, overview, side_by_side, to_markdown, wins

__all__ = ["PAGE", "RESULTS", "page"]

RESULTS = Path(__file__).resolve().parent / "results"
PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks" / "results.md"

_HEAD = """# Results

Made from the raw results in `benchmarks/results/` by `python -m benchmarks.pages`; the [protocol](protocol.md) says how
they are measured. Deviations and gaps are fractions (0.02 is 2 %), memory is in MB, `failures` are runs without an
answer that keeps all rules and bands. Methods that know no bands or preferences are blind to them on purpose: the
comparison shows what that costs.
"""

_COLUMNS = {
    "scale": ["failures", "gap_worst", "deviation_worst", "seconds_median", "seconds_worst", "peak_mb_worst"],
    "lumpy": ["failures", "gap_mean", "deviation_mean", "deviation_worst", "seconds_worst"],
    "tree": ["failures", "deviation_worst", "seconds_median", "seconds_worst", "peak_mb_worst"],
    "tree_curve": ["failures", "deviation_worst", "seconds_median", "seconds_worst", "peak_mb_worst"],
    "tree_flat": ["failures", "seconds_median"],
    "tree_rules": ["failures", "deviation_worst", "seconds_median", "peak_mb_worst"],
    "even": ["failures", "deviation_mean", "deviation_worst", "gap_worst", "seconds_median"],
    "balance": ["failures", "ratio_gmean", "ratio_worst", "seconds_median"],
    "assignment": ["failures", "above_reference_pct", "ratio_worst", "seconds_median"],
}  # fmt: skip


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
    return "\n".join(lines)


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
    paths = sorted(RESULTS.glob("*.csv"))
    if not paths:
        return _HEAD + "\nNo results are recorded yet.\n"
    return _HEAD + "\n" + "\n".join(_section(path) for path in paths).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE.name}\n")
