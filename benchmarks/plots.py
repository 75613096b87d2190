"""Plots from results; matplotlib is imported when a figure is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from benchmarks.tables import profile

__all__ = ["plot_anytime", "plot_profile", "plot_ratios"]


def _axes(axes: Any, title: str, x: str, y: str) -> Any:
    if axes is None:
        from matplotlib.figure import Figure

        axes = Figure(figsize=(7.0, 4.2), layout="constrained").subplots()
    axes.set(title=title, xlabel=x, ylabel=y)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def plot_profile(results: pd.DataFrame, value: str = "objective", axes: Any = None) -> Any:
    """Draw the performance profile of Dolan and More; returns the axes."""
    axes = _axes(axes, "Within a factor of the best", "factor", "fraction of the runs")
    for solver, curve in profile(results, value).groupby("solver", sort=True):
        axes.step(curve["factor"], curve["fraction"], where="post", label=solver)
    axes.set(xscale="log", ylim=(0.0, 1.02))
    axes.legend(frameon=False, fontsize="small")
    return axes


def plot_ratios(results: pd.DataFrame, axes: Any = None) -> Any:
    """Draw objective / reference per solver as points, with the geometric mean; returns the axes."""
    known = results[results["ratio"].notna() & results["feasible"].astype(bool) & (results["ratio"] > 0)]
    axes = _axes(axes, "Against the reference", "objective / reference", "")
    solvers = sorted(known["solver"].unique())
    for row, solver in enumerate(solvers):
        ratio = known.loc[known["solver"] == solver, "ratio"].to_numpy(dtype=float)
        shift = np.linspace(-0.2, 0.2, len(ratio)) if len(ratio) > 1 else np.zeros(len(ratio))
        axes.plot(ratio, row + shift, ".", alpha=0.5, color="tab:blue")
        axes.plot(np.exp(np.log(ratio).mean()), row, "|", markersize=18, color="black")
    axes.axvline(1.0, linewidth=0.8, color="gray")
    axes.set(yticks=range(len(solvers)), yticklabels=solvers, xscale="log")
    return axes


def plot_anytime(trace: pd.DataFrame, case: str, axes: Any = None) -> Any:
    """Draw best value and bound over time for one case, seed by seed; returns the axes."""
    here = trace[trace["case"] == case]
    axes = _axes(axes, case, "seconds", "value (solid), bound (dashed)")
    for number, (solver, runs) in enumerate(here.groupby("solver", sort=True)):
        color = f"C{number % 10}"
        for seed, run in runs.groupby("seed", sort=True):
            label = solver if seed == runs["seed"].min() else None
            for column, style in (("value", "-"), ("bound", "--")):
                points = run[np.isfinite(run[column].astype(float))]
                shown = label if column == "value" else None
                axes.step(points["seconds"], points[column], style, where="post", color=color, label=shown)
    if len(here):
        axes.legend(frameon=False, fontsize="small")
    return axes
