from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.plots import plot_anytime, plot_profile, plot_ratios
from benchmarks.tables import by_case, load, overview, profile, side_by_side, to_markdown, wins


@pytest.fixture
def results() -> pd.DataFrame:
    """Two cases, two solvers: fast is best on one, slow on the other, and slow fails once."""
    rows = [
        ("one", 0, "fast", True, 10.0, 1.0),
        ("one", 0, "slow", True, 20.0, 2.0),
        ("two", 0, "fast", True, 30.0, 3.0),
        ("two", 0, "slow", True, 15.0, 1.5),
        ("two", 1, "fast", True, 30.0, 3.0),
        ("two", 1, "slow", False, math.nan, math.nan),
    ]
    frame = pd.DataFrame(rows, columns=["case", "seed", "solver", "feasible", "objective", "ratio"])
    return frame.assign(reference=10.0, gap=0.1, worst_deviation=0.2, seconds=1.0, peak_mb=100.0)


def test_overview_counts_failures_and_takes_geometric_means(results: pd.DataFrame) -> None:
    table = overview(results).set_index("solver")
    assert table.loc["slow", "failures"] == 1
    assert table.loc["fast", "ratio_gmean"] == pytest.approx(9 ** (1 / 3))
    assert table.loc["slow", "ratio_gmean"] == pytest.approx(math.sqrt(3))
    assert table.loc["fast", "ratio_worst"] == 3.0
    assert table.loc["fast", "above_best_worst_pct"] == pytest.approx(100.0)
    assert table.loc["fast", "above_best_mean_pct"] == pytest.approx(100.0 / 3)


def test_wins_count_a_failure_as_lost(results: pd.DataFrame) -> None:
    table = wins(results)
    assert table.loc["fast", "slow"] == 2
    assert table.loc["slow", "fast"] == 1
    assert table.loc["fast", "fast"] == 0


def test_profile_starts_at_the_wins_and_ends_at_what_was_solved(results: pd.DataFrame) -> None:
    table = profile(results)
    ends = table.groupby("solver")["fraction"].agg(["first", "last"])
    assert ends.loc["fast"].tolist() == pytest.approx([2 / 3, 1.0])
    assert ends.loc["slow"].tolist() == pytest.approx([1 / 3, 2 / 3])
    assert table.groupby("solver")["fraction"].apply(lambda s: s.is_monotonic_increasing).all()


def test_profile_stands_values_of_zero() -> None:
    rows = [("a", 0, "x", True, 0.0), ("a", 0, "y", True, 2.0), ("b", 0, "x", True, 4.0), ("b", 0, "y", True, 0.0)]
    frame = pd.DataFrame(rows, columns=["case", "seed", "solver", "feasible", "objective"])
    assert np.isfinite(profile(frame)["factor"]).all()


def test_side_by_side_and_by_case_average_over_the_seeds(results: pd.DataFrame) -> None:
    assert side_by_side(results, "objective").loc["fast", "two"] == 30.0
    table = by_case(results).set_index(["case", "solver"])
    assert table.loc[("two", "slow"), "failures"] == 1


def test_markdown_shows_what_is_missing_as_a_dash() -> None:
    assert to_markdown(pd.DataFrame({"a": [1.23456], "b": [math.nan]})) == "| a | b |\n|---|---|\n| 1.235 | - |"


def test_results_are_read_from_csv_and_parquet(results: pd.DataFrame, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    results.to_csv(tmp_path / "r.csv", index=False)
    results.to_parquet(tmp_path / "r.parquet", index=False)
    assert len(load(tmp_path / "r.csv", tmp_path / "r.parquet")) == 12


def test_plots_draw_one_thing_per_solver(results: pd.DataFrame) -> None:
    pytest.importorskip("matplotlib")
    assert len(plot_profile(results).get_lines()) == 2
    assert len(plot_ratios(results).get_yticklabels()) == 2
    trace = pd.DataFrame(
        {"case": "one", "solver": "fast", "seed": 0, "seconds": [0, 1], "value": [2.0, 1.0], "bound": [-np.inf, 1.0]}
    )
    assert len(plot_anytime(trace, "one").get_lines()) == 2


def test_the_results_page_is_made_from_the_raw_results() -> None:
    from benchmarks.pages import FIGURES, PAGE, page

    text = PAGE.read_text(encoding="utf-8")
    assert text == page()
    named = set(re.findall(r"\(figures/([^)]+)\)", text))
    assert named == {path.name for path in FIGURES.glob("*.svg")}
