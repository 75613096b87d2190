"""Reference numbers of reconciliation: pooling, least squares, entropy, over-assigned trees, the hat matrix."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gtm_opt.model import Hierarchy
from gtm_opt.quota.reconciliation import reconcile

THREE = Hierarchy.from_dict({"a": 1.0, "b": 1.0, "c": 1.0}, root="r")
VALUES = {"r": 100, "a": 40, "b": 30, "c": 20}
SIX = Hierarchy.from_dict({"a": ["a1", "a2"], "b": ["b1", "b2"]}, root="r", levels=("root", "manager", "seat"))
TEAM = {"r": 100, "a": 62, "b": 45, "a1": 35, "a2": 30, "b1": 28, "b2": 20}


def with_variance(values: dict[str, float], variance: dict[str, float]) -> pd.DataFrame:
    ids = list(values)
    return pd.DataFrame(
        {"node_id": ids, "value": [values[i] for i in ids], "sd": [np.sqrt(variance.get(i, 1.0)) for i in ids]}
    )


def coherent(tree, values, **arguments) -> dict[str, float]:
    table = reconcile(tree, values, fixed=["r"], unit=1, **arguments).table
    return dict(zip(table["node_id"], table["coherent"], strict=True))


def test_two_estimates_are_pooled_by_inverse_variance():
    tree = Hierarchy.from_dict({"a": 1.0}, root="r")
    plan = pd.DataFrame({"node_id": ["r", "a"], "value": [12, 12], "sd": [1.5, 1.5]})
    commits = pd.DataFrame({"node_id": ["a"], "value": [10], "sd": [1.0]})
    row = reconcile(tree, plan, commits, unit=1).table.set_index("node_id").loc["a"]
    assert row["pooled"] == pytest.approx(10.615385, abs=5e-7)
    assert row["weight_top_down"] == pytest.approx(0.307692, abs=5e-7)
    assert row["sd"] ** 2 == pytest.approx(0.692308, abs=5e-7)


@pytest.mark.parametrize(
    ("values", "method", "expected"),
    [
        (VALUES, "ols", (43.333, 33.333, 23.333)),
        (with_variance(VALUES, VALUES), "wls", (44.444, 33.333, 22.222)),
        (VALUES, "entropy", (44.444, 33.333, 22.222)),
        (with_variance(VALUES, {"a": 4.0}), "wls", (46.667, 31.667, 21.667)),
    ],
    ids=["ols", "pro rata", "entropy", "the least certain moves most"],
)
def test_three_children_of_a_fixed_root(values, method, expected):
    got = coherent(THREE, values, method=method)
    assert got["r"] == 100
    assert [got["a"], got["b"], got["c"]] == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("wls", (60.604929, 44.395071, 35.896765, 30.768656, 28.486838, 20.347741)),
        ("entropy", (60.609278, 44.390722, 35.899342, 30.770864, 28.484046, 20.345747)),
    ],
)
def test_the_tree_with_over_assignment(method, expected):
    values = with_variance(TEAM, TEAM)
    got = coherent(SIX, values, method=method, over_assign={"manager": 0.05, "seat": 0.1})
    assert [got[n] for n in ("a", "b", "a1", "a2", "b1", "b2")] == pytest.approx(expected, abs=5e-7)
    assert sum(got[n] for n in ("a1", "a2", "b1", "b2")) == pytest.approx(115.5, abs=1e-9)


def test_the_hat_matrix_of_one_three_nine():
    tree = Hierarchy.from_dict({m: [f"{m}{k}" for k in range(3)] for m in "abc"}, root="r")
    base = {"r": 9e6} | {m: 3e6 for m in "abc"} | {f"{m}{k}": 1e6 for m in "abc" for k in range(3)}
    order = ["r", "a", "b", "c", *[f"{m}{k}" for m in "abc" for k in range(3)]]

    def solve(values):
        table = reconcile(tree, values, method="ols", unit=1).table.set_index("node_id")
        return table.loc[order, "coherent"].to_numpy()

    hat = np.column_stack([(solve(base | {n: base[n] + 1000}) - solve(base)) / 1000 for n in order])
    s = np.array([[1] * 9, *np.repeat(np.eye(3), 3, axis=1), *np.eye(9)])
    assert hat == pytest.approx(s @ np.linalg.inv(s.T @ s) @ s.T, abs=1e-6)
    assert hat[0].round(2).tolist() == [0.69] + [0.23] * 3 + [0.08] * 9
    assert hat[1].round(2).tolist() == [0.23, 0.58, -0.17, -0.17] + [0.19] * 3 + [-0.06] * 6
    assert hat[4].round(2).tolist() == [0.08, 0.19, -0.06, -0.06, 0.73, -0.27, -0.27] + [-0.02] * 6
