from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gtm_opt as gtm
from gtm_opt.reporting import PlotNotAvailableError, move_matrix
from gtm_opt.reporting.canvas import svg

PLOTS = {
    "balance": lambda plan, **o: gtm.plot_balance(plan.carving, **o),
    "map": lambda plan, **o: gtm.plot_map(plan.carving, **o),
    "moves": lambda plan, **o: gtm.plot_moves(plan.carving, **o),
    "capacity": lambda plan, **o: gtm.plot_capacity(plan.capacity, plan.quotas, **o),
    "frontier": lambda plan, **o: gtm.plot_frontier(_curve(), **o),
}


def _curve() -> gtm.Frontier:
    """Three points as `gtm.frontier` returns them: the middle one is the knee."""
    table = pd.DataFrame(
        {
            "stretch": [0.1, 1.0, 8.0],
            "score": [0.30, 0.05, 0.0],
            "moved": [0.5, 0.2, 0.0],
            "bound": [-np.inf, 0.04, 0.0],
            "knee": [False, True, False],
        }
    )
    return gtm.Frontier("keep owner", table, (None, None, None))


@pytest.mark.parametrize("name", sorted(PLOTS))
def test_a_picture_is_drawn_on_the_axes_given_and_returned(name: str, plan: gtm.Plan) -> None:
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert PLOTS[name](plan, ax=ax) is ax
    assert ax.has_data()


@pytest.mark.parametrize("name", sorted(PLOTS))
def test_a_picture_of_its_own_shows_itself_and_changes_no_global_state(name: str, plan: gtm.Plan) -> None:
    import matplotlib
    from matplotlib._pylab_helpers import Gcf

    before, settings = len(Gcf.figs), dict(matplotlib.rcParams)
    ax = PLOTS[name](plan)
    text = ax._repr_svg_()
    assert text.startswith("<svg")
    assert len(Gcf.figs) == before
    assert dict(matplotlib.rcParams) == settings


def test_the_same_picture_is_the_same_text_and_ids_differ_between_pictures(plan: gtm.Plan) -> None:
    one, two = (svg(gtm.plot_balance(plan.carving).figure, "a") for _ in range(2))
    assert one == two
    assert 'id="a-' in one
    assert 'id="b-' in svg(gtm.plot_balance(plan.carving).figure, "b")


def test_balance_shows_every_territory_of_every_criterion_with_a_target(nasty: gtm.Carving) -> None:
    ax = gtm.plot_balance(nasty)
    dots = np.concatenate([c.get_offsets() for c in ax.collections])
    wanted = nasty.balance[nasty.balance["target"] > 0]["deviation"]
    assert sorted(np.round(dots[:, 0], 9)) == sorted(np.round(wanted, 9))
    assert [t.get_text() for t in ax.get_yticklabels()] == ["arr"]


def test_balance_of_a_plan_made_elsewhere_marks_what_is_outside(nasty: gtm.Carving) -> None:
    found = gtm.check(nasty.problem, dict.fromkeys(nasty.problem.resolved.ids, "$West$"))
    ax = gtm.plot_balance(found)
    colors = {tuple(np.round(c.get_facecolor()[0][:3], 2)) for c in ax.collections if len(c.get_offsets())}
    assert len(colors) == 1  # all three are outside


def test_names_with_dollar_signs_are_drawn_as_they_are(nasty: gtm.Carving) -> None:
    assert "$West$" in gtm.plot_map(nasty)._repr_svg_()
    assert "&lt;b&gt;" in gtm.plot_moves(nasty)._repr_svg_()


def test_the_matrix_of_moves_holds_every_account_once(nasty: gtm.Carving) -> None:
    matrix = move_matrix(nasty)
    assert matrix.to_numpy().sum() == 12
    assert list(matrix.index) == [*nasty.territories.names, "(nobody)"]
    by = move_matrix(nasty, "arr")
    assert by.sum().to_dict() == pytest.approx(nasty.roll_up("arr").set_index("node_id")["arr"].drop("all").to_dict())
    stays = float(np.trace(by.iloc[:3].to_numpy()))
    owned = nasty.moved.set_index("measure").loc["arr"]
    assert owned["owned"] - owned["moved"] == pytest.approx(stays)


def test_moves_by_a_column_that_is_not_there_name_the_nearest(nasty: gtm.Carving) -> None:
    with pytest.raises(gtm.DataError, match=r"`by` must be a numeric account column, got 'arrr'.*arr"):
        gtm.plot_moves(nasty, by="arrr")


def test_moves_without_owners_and_maps_without_places_say_what_is_missing() -> None:
    accounts = pd.DataFrame({"account_id": ["a", "b"], "arr": [1.0, 1.0]})
    bare = gtm.carve(gtm.CarvingProblem(accounts, 2, [gtm.Balance("arr")]), solver="lpt")
    with pytest.raises(gtm.DataError, match="Moves need today's owners: add KeepOwner"):
        gtm.plot_moves(bare)
    with pytest.raises(gtm.DataError, match=r"no 'lat'\. Pass lat= and lon="):
        gtm.plot_map(bare)


def test_balance_of_nothing_says_so() -> None:
    accounts = pd.DataFrame({"account_id": ["a", "b"], "owner": ["T1", "T2"]})
    problem = gtm.CarvingProblem(accounts, 2, [gtm.Limit("accounts", at_most=1)], [gtm.KeepOwner("owner")])
    with pytest.raises(gtm.MeasureError, match="balances no criterion with a target"):
        gtm.plot_balance(gtm.carve(problem, effort=0.1))


def test_the_frontier_marks_its_knee() -> None:
    ax = gtm.plot_frontier(_curve())
    knee = next(line for line in ax.lines if line.get_label() == "knee")
    assert knee.get_xydata().tolist() == [[1.0, 0.05]]
    assert ax.get_xscale() == "log"


def test_the_frontier_shades_only_what_is_proven() -> None:
    vertices = gtm.plot_frontier(_curve()).collections[0].get_paths()[0].vertices
    between = vertices[(vertices[:, 0] > 0.1) & (vertices[:, 0] < 1.0)]
    assert (between[:, 1] <= 0.04).all()
    beyond = vertices[vertices[:, 0] > 1.0]
    assert (beyond[:, 1] == 0.0).all()  # the bound at 1 says nothing about plans that are less even


def test_capacity_without_quotas_has_bars_only(plan: gtm.Plan) -> None:
    assert plan.capacity is not None
    ax = gtm.plot_capacity(plan.capacity)
    heights = [bar.get_height() for bar in ax.patches]
    assert sum(heights) * 1e6 == pytest.approx(plan.capacity.total)
    assert len(ax.collections) == 0


def test_without_matplotlib_the_error_says_what_to_install(plan: gtm.Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(PlotNotAvailableError, match=r"pip install gtm-opt\[plot\]") as caught:
        gtm.plot_balance(plan.carving)
    assert isinstance(caught.value, gtm.GtmOptError)
    assert isinstance(caught.value, ImportError)


def test_the_reporting_room_loads_no_drawing_package(root: Path) -> None:
    code = "import sys, gtm_opt.reporting; print([n for n in ('matplotlib', 'jinja2', 'plotly') if n in sys.modules])"
    done: Any = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
