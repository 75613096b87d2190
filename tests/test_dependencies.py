"""Each direct dependency does the one thing we rely on, without a warning, at every allowed release.

With the floors job this is what proves the ranges in ``pyproject.toml``: the oldest and the newest
releases pass the same small tasks.
"""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import Bounds, LinearConstraint, linear_sum_assignment, linprog, milp


def test_scipy_solves_a_small_milp_and_its_relaxation() -> None:
    """Three items of 3, 4 and 5 into a bag of 8: the best two fill it."""
    size = np.array([3.0, 4.0, 5.0])
    whole = milp(
        c=-size, constraints=LinearConstraint(size[None, :], ub=8.0), integrality=np.ones(3), bounds=Bounds(0, 1)
    )
    assert whole.success
    assert -whole.fun == pytest.approx(8.0)
    relaxed = linprog(c=-size, A_ub=size[None, :], b_ub=[8.0], bounds=(0, 1), method="highs")
    assert -relaxed.fun == pytest.approx(8.0)


def test_scipy_matches_people_to_territories() -> None:
    rows, columns = linear_sum_assignment(np.array([[1.0, 0.0], [0.0, 1.0]]), maximize=True)
    assert rows.tolist() == [0, 1]
    assert columns.tolist() == [0, 1]


def test_narwhals_tells_eager_frames_from_lazy_ones() -> None:
    import narwhals as nw

    polars = pytest.importorskip("polars")
    frame = nw.from_native(polars.DataFrame({"a": [1, None]}), pass_through=True)
    assert isinstance(frame, nw.DataFrame)
    assert frame["a"].dtype.is_integer()
    assert frame["a"].to_list() == [1, None]
    assert not isinstance(nw.from_native(polars.LazyFrame({"a": [1]}), pass_through=True), nw.DataFrame)
    assert nw.from_native(3, pass_through=True) == 3


def test_networkx_finds_articulation_points() -> None:
    assert set(nx.articulation_points(nx.path_graph(5))) == {1, 2, 3}


def test_pulp_solves_with_a_packaged_cbc() -> None:
    import pulp

    from gtm_opt.mip.pulp import find_cbc

    problem = pulp.LpProblem("bag", pulp.LpMaximize)
    x = [problem.add_variable(f"x{i}", cat="Binary") for i in range(3)]
    problem += 3 * x[0] + 4 * x[1] + 5 * x[2]
    problem += 3 * x[0] + 4 * x[1] + 5 * x[2] <= 8
    problem.solve(pulp.COIN_CMD(path=find_cbc(), msg=False))
    assert pulp.LpStatus[problem.status] == "Optimal"
    assert pulp.value(problem.objective) == pytest.approx(8.0)


def test_cp_sat_repeats_with_one_worker_and_a_seed() -> None:
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    x = [model.new_bool_var(f"x{i}") for i in range(3)]
    total = 3 * x[0] + 4 * x[1] + 5 * x[2]
    model.add(total <= 8)
    model.maximize(total)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    assert solver.solve(model) == cp_model.OPTIMAL
    assert solver.objective_value == 8
    assert solver.best_objective_bound == 8


def test_numba_compiles_and_lets_go_of_the_interpreter(tmp_path: Path) -> None:
    """In a module of its own, as the cache on disk wants it."""
    code = """
import numba, numpy as np
@numba.njit(cache=True, nogil=True)
def total(values):
    out = 0.0
    for value in values:
        out += value
    return out
assert total(np.arange(4.0)) == 6.0
"""
    (tmp_path / "kernel.py").write_text(code, encoding="utf-8")
    command = [sys.executable, "-W", "error", str(tmp_path / "kernel.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_pandas_reads_and_writes_a_workbook(tmp_path: Path) -> None:
    table = pd.DataFrame({"account": ["A-1", "A-2"], "revenue": [1.5, 2.0]})
    path = tmp_path / "book.xlsx"
    with pd.ExcelWriter(path, engine="openpyxl") as writer:
        table.to_excel(writer, sheet_name="accounts", index=False)
    pd.testing.assert_frame_equal(pd.read_excel(path, sheet_name="accounts"), table)


def test_pandas_reads_and_writes_parquet(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    table = pd.DataFrame({"account": ["A-1", "A-2"], "revenue": [1.5, 2.0]})
    table.to_parquet(tmp_path / "accounts.parquet", index=False)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "accounts.parquet"), table)


def test_tqdm_draws_a_bar_where_it_is_told_to() -> None:
    from tqdm.auto import tqdm

    out = io.StringIO()
    assert sum(tqdm(range(4), file=out, disable=False)) == 6
    assert "4/4" in out.getvalue()


def test_typer_runs_a_command_and_rich_prints_a_table() -> None:
    import typer
    from rich.console import Console
    from rich.table import Table
    from typer.testing import CliRunner

    app = typer.Typer()

    @app.command()
    def hello(name: str, loud: bool = False) -> None:
        table = Table("name")
        table.add_row(name.upper() if loud else name)
        out = io.StringIO()
        Console(file=out, width=40).print(table)
        typer.echo(out.getvalue())

    result = CliRunner().invoke(app, ["ann", "--loud"])
    assert result.exit_code == 0
    assert "ANN" in result.output


def test_pydantic_names_the_place_of_a_mistake() -> None:
    from pydantic import BaseModel, ConfigDict, ValidationError

    class Target(BaseModel):
        model_config = ConfigDict(extra="forbid", frozen=True)
        usd: float

    assert Target(usd=1).usd == 1.0
    with pytest.raises(ValidationError, match="usd"):
        Target.model_validate({"usd": "a lot"})


def test_matplotlib_draws_without_a_screen(tmp_path: Path) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().bar(["East", "West"], [1.0, 2.0])
    figure.savefig(tmp_path / "bars.png")
    assert (tmp_path / "bars.png").stat().st_size > 0


def test_jinja_escapes_text_and_takes_markup_as_it_is() -> None:
    jinja2 = pytest.importorskip("jinja2")
    from markupsafe import Markup

    page = jinja2.Environment(autoescape=True).from_string("<h1>{{ title }}</h1>{{ picture }}")
    assert page.render(title="A & B", picture=Markup("<svg/>")) == "<h1>A &amp; B</h1><svg/>"


def test_dask_offers_an_executor() -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None, worker_dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert list(client.get_executor().map(abs, [-1, -2])) == [1, 2]
