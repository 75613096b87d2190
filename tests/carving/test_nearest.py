"""The nearest possible request: what is relaxed, and that nothing else does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import gtm_opt as gtm
from gtm_opt.carving.compile.compiled import Compiled, compile_problem
from gtm_opt.carving.feasibility.nearest import make_possible


def with_giant(size: float, tolerance: float = 0.05) -> Compiled:
    """Two hundred accounts of 1 and a giant, for ten territories."""
    names = [f"T{k}" for k in range(10)]
    accounts = pd.DataFrame({"account_id": [f"A-{i}" for i in range(201)], "arr": [1.0] * 200 + [size]})
    problem = gtm.CarvingProblem(
        accounts.assign(owner=[names[i % 10] for i in range(201)]),
        gtm.Territories(names),
        balance=[gtm.Balance("arr", tolerance=tolerance)],
        prefer=[gtm.KeepOwner("owner")],
    )
    return compile_problem(problem)


def test_the_others_keep_the_limits_asked_for_where_what_is_left_allows_it() -> None:
    compiled = with_giant(25.0)  # a target of 22.5; the others have 200 / 9 = 22.2
    possible, notes = make_possible(compiled)
    asked, given = compiled.columns[0], possible.instance
    oversized = int(given.target[:, 0].argmax())
    others = np.arange(10) != oversized
    assert given.lower[others, 0] == pytest.approx(asked.lower[others])
    assert (given.upper[others, 0] <= asked.upper[others] + 1e-9).all()
    assert given.lower[oversized, 0] == given.target[oversized, 0] == 25.0
    assert any("its band was raised to that" in note for note in notes)


def test_the_others_get_room_around_what_is_left_where_the_limits_asked_for_cannot_hold() -> None:
    compiled = with_giant(100.0)  # a target of 30; the others have 22.2, far below their band
    given = make_possible(compiled)[0].instance
    others = given.target[:, 0] < 50
    fair = 200 / 9
    assert given.target[others, 0] == pytest.approx(fair)
    assert (given.lower[others, 0] < fair - 0.3).all()
    assert (given.upper[others, 0] > fair + 0.3).all()


@pytest.mark.parametrize("size", [24.0, 25.0, 40.0, 100.0, 1e4])
def test_targets_of_a_nearest_request_add_up_and_lie_in_their_bands(size: float) -> None:
    given = make_possible(with_giant(size))[0].instance
    assert given.target[:, 0].sum() == pytest.approx(200 + size)
    assert (given.lower <= given.target + 1e-9).all()
    assert (given.target <= given.upper + 1e-9).all()


def test_the_leaves_below_a_node_with_a_giant_are_in_band() -> None:
    rng = np.random.default_rng(0)
    accounts = pd.DataFrame({"account_id": [f"A-{i}" for i in range(900)], "arr": rng.lognormal(0, 0.3, 900)})
    accounts.loc[0, "arr"] = 80.0
    problem = gtm.CarvingProblem(
        accounts, gtm.Territories([f"T{k}" for k in range(16)]), balance=[gtm.Balance("arr", tolerance=0.05)]
    )
    carving = gtm.carve(problem, tree=gtm.TreeOptions(max_buckets=4), on_infeasible="nearest", effort=0.2)
    assert len(carving.outside["territory"].unique()) == 1


def test_teams_of_accounts_that_are_all_pinned_need_no_places() -> None:
    accounts = pd.DataFrame({"account_id": ["A", "B"], "arr": [1.0, 9.0], "segment": ["x", "x"]})
    rules = [gtm.Pin({"A": "T2", "B": "T1"}), gtm.Within({"x": ["T1", "T2"]}, by="segment")]
    problem = gtm.CarvingProblem(accounts, ["T1", "T2", "T3"], [gtm.Balance("arr", 0.1)], [], rules)
    assert gtm.carve(problem, on_infeasible="nearest").labels.tolist() == ["T2", "T1"]
