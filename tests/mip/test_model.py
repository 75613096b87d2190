"""The model: what is refused, and what its files hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gtm_opt.errors import DataError
from gtm_opt.mip import Model, Options, solve, write_model
from gtm_opt.mip.files import file_names
from gtm_opt.mip.integers import to_integers
from gtm_opt.mip.scaling import scale_program


def knapsack() -> Model:
    model = Model("weights & values", maximize=True)
    x = model.add_columns(
        ["a 1", "b", "e1"], low=[0, -1, 0], high=[1, 2, 5], integer=[True, True, False], cost=[5, 4, 3]
    )
    model.add_row("weight <kg>", x, [2.0, 3.0, 1.0 / 3.0], low=1.0, high=4.0)
    model.add_row("sum", x, 1.0, low=1.0)
    model.add_row("free", x, 1.0)
    model.offset = 2.5
    return model


def test_all_mistakes_are_reported_together() -> None:
    model = Model("m")
    x = model.add_columns(["a", "a", "b"], low=[0, 0, 3], high=[1, 1, 2], cost=[0, np.nan, 0])
    model.add_row("r", x, [1.0, np.inf, 1.0])
    model.add_row("s", [7], 1.0)
    model.add_row("t", x, 1.0, low=2.0, high=1.0)
    with pytest.raises(DataError) as caught:
        model.program()
    text = str(caught.value)
    for part in (
        "names of columns of model 'm' must be unique",
        "bounds of columns",
        "costs of model 'm'",
        "bounds of rows",
    ):
        assert part in text
    assert "values of rows of model 'm' must be finite numbers in 1 row: 'r'" in text
    assert "columns of row 's' must be positions from 0 to 2" in text


def test_a_column_named_twice_in_a_row_counts_with_its_sum() -> None:
    model = Model()
    x = model.add_column("x", high=10.0, cost=-1.0)
    model.add_row("r", [x, x], [1.0, 1.0], high=6.0)
    assert solve(model).objective == pytest.approx(-3.0)


def test_bounds_of_integer_columns_are_rounded_inwards() -> None:
    model = Model(maximize=True)
    model.add_column("x", low=0.2, high=2.7, integer=True, cost=1.0)
    assert solve(model).by_name() == {"x": 2.0}


def test_options_refuse_wrong_limits() -> None:
    with pytest.raises(DataError, match=r"time_limit must be positive(.|\n)*rel_gap must be at least 0"):
        Options(time_limit=0.0, rel_gap=1.5)


def test_names_become_safe_and_stay_unique() -> None:
    assert file_names(["a b", "a_b", "e1", "", "9"], "x") == ["a_b", "a_b_1", "x_e1", "x_", "x_9"]


@pytest.mark.parametrize("ending", [".lp", ".mps"])
def test_a_written_model_read_by_another_solver_has_the_same_optimum(tmp_path: Path, ending: str) -> None:
    import subprocess

    from gtm_opt.mip.pulp import find_cbc

    path = write_model(knapsack(), tmp_path / f"model{ending}")
    best = solve(knapsack()).objective
    out = tmp_path / "out.txt"
    subprocess.run([str(find_cbc()), str(path), "-solve", "-solu", str(out)], check=True, capture_output=True)
    assert "Optimal" in out.read_text()
    values = {line.split()[-3]: float(line.split()[-2]) for line in out.read_text().splitlines()[1:]}
    assert 5 * values.get("a_1", 0) + 4 * values.get("b", 0) + 3 * values.get("x_e1", 0) + 2.5 == pytest.approx(best)


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"must end in \.lp or \.mps"):
        write_model(knapsack(), tmp_path / "model.txt")


def test_scaling_changes_no_digit_and_keeps_integer_columns() -> None:
    model = Model()
    x = model.add_columns(["i", "c"], high=[1.0, 1e12], integer=[True, False], cost=[1e8, 3.0])
    model.add_row("r", x, [7e8, -1.0], high=0.0)
    scaling = scale_program(model.program())
    assert scaling.column[0] == 1.0
    assert np.abs(scaling.program.matrix.data).max() < 2.0
    back = scaling.program.matrix.toarray() / scaling.row[:, None] / scaling.column
    assert np.array_equal(back, model.program().matrix.toarray())
    assert np.array_equal(scaling.to_user(scaling.to_scaled(np.array([1.0, 0.1]))), [1.0, 0.1])


def test_whole_numbers_know_the_error_that_they_make() -> None:
    rng = np.random.default_rng(2)
    model = Model()
    x = model.add_columns([f"x{j}" for j in range(6)], high=[1, 1, 3, 3, 10.5, 0.01], integer=[True] * 4 + [False] * 2)
    model.add_row("money", x, rng.uniform(0.0, 1e6, 6), high=1e6)
    model.add_row("exact", x[:4], [0.25, 3.0, 7.5, 0.01], high=10.0)
    program = model.program()
    whole = to_integers(program)
    assert whole.row_error[1] == 0.0
    for _ in range(50):
        true = np.where(program.integer, rng.integers(0, program.high.astype(int) + 1), rng.uniform(0, program.high))
        near = np.rint(true / whole.step)
        scaled = np.bincount(
            np.repeat([0, 1], np.diff(program.matrix.indptr)), weights=whole.values * near[program.matrix.indices]
        )
        assert (np.abs(scaled - program.activity(true) * whole.row_factor) <= whole.row_error + 1e-6).all()
