"""The hiring benchmark runs, and its bounds agree with its plans."""

from __future__ import annotations

from benchmarks.hiring import COLUMNS, make_hiring, run_hiring


def test_a_small_run_gives_a_row_per_solver_whose_bounds_do_not_contradict_any_plan(capsys) -> None:  # type: ignore[no-untyped-def]
    table = run_hiring(segments=3, months=6, time_limit=10.0)
    assert list(table.columns) == COLUMNS
    assert table["solver"].tolist() == ["prices", "plain HiGHS", "plain CBC"]
    assert table["bound"].max() <= table["objective"].min() * (1.0 + 1e-6)
    assert "plain CBC" in capsys.readouterr().out


def test_the_same_seed_makes_the_same_case() -> None:
    first, second = make_hiring(3, 6, 1), make_hiring(3, 6, 1)
    assert first["targets"].equals(second["targets"])
    assert first["heads"] == second["heads"]
