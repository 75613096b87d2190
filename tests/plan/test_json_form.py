"""Problems, plans and results as JSON and back: nothing is lost, nothing edited stays proven."""

from __future__ import annotations

import json
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from pandas.testing import assert_frame_equal

import gtm_opt as gtm
from gtm_opt.model.table_io import frame_from_json, frame_to_json
from tests.plan.conftest import make_plan
from tests.plan.test_store import assert_same


def there_and_back(value: Any) -> Any:
    text = json.dumps(value.to_dict(), allow_nan=False)
    return type(value).from_dict(json.loads(text))


def test_a_whole_plan_comes_back_from_json(plan: gtm.Plan) -> None:
    assert_same(plan, there_and_back(plan))


def test_every_stage_comes_back_by_itself(plan: gtm.Plan) -> None:
    carving = there_and_back(plan.carving)
    assert carving.assignment.equals(plan.carving.assignment)
    assert carving.summary() == plan.carving.summary()
    assert carving.explain("0007").text == plan.carving.explain("0007").text
    problem = there_and_back(plan.carving.problem)
    assert problem.fingerprint == plan.carving.problem.fingerprint
    assert_frame_equal(there_and_back(plan.staffing).table, plan.staffing.table)  # type: ignore[union-attr]
    assert_frame_equal(there_and_back(plan.capacity).summary(), plan.capacity.summary())  # type: ignore[union-attr]
    assert_frame_equal(there_and_back(plan.quotas).by_quarter(), plan.quotas.by_quarter())  # type: ignore[union-attr]


def test_the_form_says_what_it_is_and_by_which_schema(plan: gtm.Plan) -> None:
    data = plan.carving.problem.to_dict()
    assert (data["format"], data["schema"], data["kind"]) == ("gtm_opt", 1, "CarvingProblem")
    assert isinstance(data["gtm_opt"], str)


def test_a_problem_in_every_word_comes_back() -> None:
    accounts = pd.DataFrame(
        {
            "account_id": [1001, 1002, 1003],
            "arr": [1.0, 2.0, np.inf],
            "day": pd.to_datetime(["2027-01-01", None, "2027-02-01"]),
            "kind": pd.Categorical(["a", "b", "a"]),
            "owner": ["x", None, "y"],
        }
    ).replace(np.inf, 3.0)
    scores = pd.DataFrame({"x": [1.0, 0.5], "y": [0.0, 1.0]}, index=["a", "b"])
    problem = gtm.CarvingProblem(
        accounts,
        ["x", "y"],
        [gtm.Balance("arr", 0.9), gtm.Count(0.9), gtm.Mix("kind", 1.0)],
        [gtm.KeepOwner("owner"), gtm.Fit(scores, by="kind")],
        [gtm.Pin({"1001": "x"}), gtm.Forbid([("1002", "x")]), gtm.MaxMoved(0.9, owner="owner")],
    )
    again = there_and_back(problem)
    assert again.fingerprint == problem.fingerprint
    assert_frame_equal(again.accounts, problem.accounts)


def test_numbers_edited_in_the_json_are_measured_and_proven_no_more() -> None:
    accounts = pd.DataFrame({"account_id": list("abcd"), "arr": [4.0, 3.0, 2.0, 1.0]})
    carving = gtm.carve(gtm.CarvingProblem(accounts, ["East", "West"], [gtm.Balance("arr", 0.9)]))
    assert carving.status == "optimal"
    data = json.loads(json.dumps(carving.to_dict()))
    table = data["tables"][data["value"]["state"]["frames"]["assignment"]]
    at = [column["name"] for column in table["columns"]].index("territory")
    table["cells"][at][0] = "West" if table["cells"][at][0] == "East" else "East"
    again = gtm.Carving.from_dict(data)
    assert again.status != "optimal"
    assert again.certificate.gap > 0
    assert any("changed after they were written down" in note for note in again.notes)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ("{}", TypeError, "must be a dict, got str. Read text with json.loads first"),
        ({"kind": "Plan"}, gtm.DataError, "must be what to_dict returned"),
        (
            {"kind": "Carving", "format": "gtm_opt", "schema": 1, "value": {}},
            gtm.DataError,
            "must describe a Plan, got",
        ),
        (
            {"kind": "Plan", "format": "gtm_opt", "schema": 9, "value": {}},
            gtm.DataError,
            r"has schema 9 .* up to 1",
        ),
    ],
)
def test_what_is_no_plan_is_refused(data: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        gtm.Plan.from_dict(data)


def test_nothing_but_our_own_classes_is_made_out_of_json(plan: gtm.Plan) -> None:
    data = plan.carving.problem.to_dict()
    data["value"] = {"type": "Popen", "args": ["true"]}
    with pytest.raises(gtm.DataError, match="holds a 'Popen', which this version of gtm_opt does not know"):
        gtm.CarvingProblem.from_dict(data)


@given(st.lists(st.floats(allow_nan=True) | st.none(), max_size=5), st.lists(st.text(max_size=4), max_size=5))
def test_tables_survive_json(numbers: list[float | None], texts: list[str]) -> None:
    count = min(len(numbers), len(texts))
    frame = pd.DataFrame(
        {
            "n": pd.Series(numbers[:count], dtype=float),
            "t": pd.Series(texts[:count], dtype=object),
            "i": pd.Series(range(count), dtype="Int64"),
        }
    )
    assert_frame_equal(frame_from_json(json.loads(json.dumps(frame_to_json(frame), allow_nan=False))), frame)


def test_plans_that_differ_write_different_seals() -> None:
    one, two = make_plan(), make_plan(target=5_000_000)
    assert one.to_dict()["seal"] != two.to_dict()["seal"]
