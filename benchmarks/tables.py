"""Tables from results: gaps, ratios, wins, failures; performance profiles as data.

All functions take the tidy frame that `benchmarks.runner.run_benchmark` returns or writes, and
count runs without a feasible answer as failures instead of dropping them.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pandas as pd

__all__ = ["by_case", "load", "overview", "profile", "side_by_side", "to_markdown", "wins"]

_TIE = 1e-9


def load(*paths: str | Path) -> pd.DataFrame:
    """Read one or several result files (.csv or .parquet) into one frame."""
    frames = [pd.read_parquet(p) if str(p).endswith(".parquet") else pd.read_csv(p) for p in paths]
    return pd.concat(frames, ignore_index=True)


def _geometric_mean(values: pd.Series) -> float:
    known = values[values > 0].to_numpy(dtype=float)
    return float(np.exp(np.log(known).mean())) if len(known) else math.nan


def _above_best(results: pd.DataFrame) -> pd.Series:
    """Return per run by how many per cent its objective is above the best one of all solvers on that case and seed."""
    good = results["feasible"].astype(bool)
    key = [results["case"], results["seed"]]
    best = results["objective"].where(good).groupby(key).transform("min")
    return (100.0 * (results["objective"] - best) / best.abs().where(best != 0.0)).where(good)


def overview(results: pd.DataFrame) -> pd.DataFrame:
    """Return one row per solver: runs, failures, ratio to the reference, gap to the bound, deviation, seconds.

    ``ratio_gmean`` and ``ratio_worst`` are of objective / reference over feasible runs with a reference;
    ``above_reference_pct`` is 100 (geometric mean - 1). ``above_best_mean_pct`` and ``above_best_worst_pct``
    compare with the best objective any solver of the frame has on the same case and seed. Failures are all runs
    without a feasible answer; proved are those that ended with a proof, be it that there is none.
    """
    rows = []
    results = results.assign(above_best=_above_best(results))
    alone = results["solver"].nunique() == 1
    for solver, runs in results.groupby("solver", sort=True):
        good = runs[runs["feasible"].astype(bool)]
        ratio = good["ratio"].dropna()
        rows.append(
            {
                "solver": solver,
                "runs": len(runs),
                "failures": len(runs) - len(good),
                "proved": int(runs["status"].isin(["optimal", "infeasible"]).sum()) if "status" in runs else 0,
                "ratio_gmean": _geometric_mean(ratio),
                "ratio_worst": ratio.max() if len(ratio) else math.nan,
                "above_reference_pct": 100.0 * (_geometric_mean(ratio) - 1.0),
                "above_best_mean_pct": math.nan if alone else good["above_best"].mean(),
                "above_best_worst_pct": math.nan if alone else good["above_best"].max(),
                "gap_mean": good["gap"].mean(),
                "gap_worst": good["gap"].max(),
                "deviation_mean": runs["worst_deviation"].mean(),
                "deviation_worst": runs["worst_deviation"].max(),
                "seconds_median": runs["seconds"].median(),
                "seconds_worst": runs["seconds"].max(),
                "peak_mb_worst": runs["peak_mb"].max(),
            }
        )
    return pd.DataFrame(rows)


def by_case(results: pd.DataFrame, value: str = "objective") -> pd.DataFrame:
    """Return mean and worst of ``value`` over the seeds, per case and solver, with failures counted."""
    grouped = results.assign(failed=~results["feasible"].astype(bool)).groupby(["case", "solver"], sort=False)
    out = grouped.agg(
        mean=(value, "mean"),
        worst=(value, "max"),
        reference=("reference", "first"),
        seconds=("seconds", "mean"),
        failures=("failed", "sum"),
    )
    return out.reset_index()


def side_by_side(results: pd.DataFrame, value: str = "worst_deviation") -> pd.DataFrame:
    """Return solvers as rows and cases as columns, the mean of ``value`` over the seeds in the cells."""
    order = list(dict.fromkeys(results["case"]))
    return results.pivot_table(index="solver", columns="case", values=value, aggfunc="mean", sort=False)[
        [case for case in order if results.loc[results["case"] == case, value].notna().any()]
    ]


def _costs(results: pd.DataFrame, value: str) -> pd.DataFrame:
    """Return cases and seeds as rows, solvers as columns; infinity where there is no feasible answer."""
    kept = results.assign(cost=results[value].where(results["feasible"].astype(bool), np.inf).fillna(np.inf))
    return kept.pivot_table(index=["case", "seed"], columns="solver", values="cost", aggfunc="min", dropna=False)


def wins(results: pd.DataFrame, value: str = "objective") -> pd.DataFrame:
    """Return per pair of solvers how often the row beats the column (ties count for neither)."""
    costs = _costs(results, value).fillna(np.inf)
    names = list(costs.columns)
    beaten = {
        name: [int((costs[name] < costs[other] - _TIE * costs[other].abs().clip(1, 1e300)).sum()) for other in names]
        for name in names
    }
    return pd.DataFrame(beaten, index=names).T


def profile(results: pd.DataFrame, value: str = "objective", points: int = 200) -> pd.DataFrame:
    """Return a performance profile: the fraction of runs within a factor of the best solver's value.

    Columns ``solver``, ``factor``, ``fraction``. Runs nobody solved are left out of the base; the values
    must be positive (a value of zero counts as the smallest positive one found).

    References
    ----------
    E. D. Dolan, J. J. More, "Benchmarking optimization software with performance profiles", Math. Program.
    91 (2002) 201-213, https://doi.org/10.1007/s101070100263
    """
    costs = _costs(results, value).fillna(np.inf)
    positive = costs.to_numpy()[(costs.to_numpy() > 0) & np.isfinite(costs.to_numpy())]
    least = float(positive.min()) if len(positive) else 1.0
    costs = costs.clip(lower=least)
    costs = costs[np.isfinite(costs.min(axis=1))]
    factors = costs.div(costs.min(axis=1), axis=0)
    finite = factors.to_numpy()[np.isfinite(factors.to_numpy())]
    grid = np.geomspace(1.0, max(float(finite.max()) if len(finite) else 1.0, 1.0 + 1e-9), points)
    rows = [
        {"solver": solver, "factor": factor, "fraction": float((factors[solver] <= factor * (1 + _TIE)).mean())}
        for solver in factors.columns
        for factor in grid
    ]
    return pd.DataFrame(rows, columns=["solver", "factor", "fraction"])


def to_markdown(frame: pd.DataFrame, digits: int = 4) -> str:
    """Return a Markdown table; missing values as a dash."""

    def cell(value: object) -> str:
        if isinstance(value, float | np.floating):
            return "-" if math.isnan(value) else f"{value:.{digits}g}"
        return str(value)

    head = "| " + " | ".join(str(c) for c in frame.columns) + " |"
    rule = "|" + "---|" * len(frame.columns)
    body = ["| " + " | ".join(cell(v) for v in row) + " |" for row in frame.itertuples(index=False)]
    return "\n".join([head, rule, *body])


def main(paths: list[str]) -> int:
    """Print the overview of result files: ``python -m benchmarks.tables FILE...``."""
    frame = overview(load(*paths)).dropna(axis=1, how="all")
    sys.stdout.write(to_markdown(frame) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
