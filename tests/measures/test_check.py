"""The checker finds what is planted, and its numbers agree with the compiled instance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtm_opt as gtm
from gtm_opt.carving.compile.compiled import compile_problem
from gtm_opt.errors import DataError
from gtm_opt.measures import balance_table, criterion_table, disruption_table, evaluate, read_assignment

COUNT = 12
EVEN = {f"A{i}": f"T{i % 3 + 1}" for i in range(COUNT)}


def accounts() -> pd.DataFrame:
    """Return twelve accounts worth 10 each, owned by turns, in pairs of parent and child."""
    return pd.DataFrame(
        {
            "account_id": [f"A{i}" for i in range(COUNT)],
            "arr": 10.0,
            "owner": [f"T{i % 3 + 1}" for i in range(COUNT)],
            "industry": ["Bank", "Tech", "Tech"] * 4,
            "parent_id": [None] * 3 + ["A0", "A1", "A2"] + [None] * 6,
            "lat": np.linspace(40.0, 45.0, COUNT),
            "lon": np.linspace(-100.0, -90.0, COUNT),
        }
    )


def problem(**wishes) -> gtm.CarvingProblem:
    wishes = {"balance": [gtm.Balance("arr", 0.05), gtm.Count(0.05)], **wishes}
    return gtm.CarvingProblem(accounts(), ["T1", "T2", "T3"], **wishes)


def violations(plan: dict[str, str], **wishes) -> list[tuple[str, str]]:
    table = gtm.check(problem(**wishes), plan).violations
    return list(zip(table["rule"], table["detail"], strict=True))


def test_a_plan_that_keeps_everything_has_no_violations() -> None:
    rules = [
        gtm.KeepTogether(),
        gtm.Pin({"A0": "T1"}),
        gtm.Forbid([("A0", "T2")]),
        gtm.KeepApart([["A0", "A1"]]),
        gtm.MaxMoved(0.0),
    ]
    found = gtm.check(problem(rules=rules, prefer=[gtm.KeepOwner()]), EVEN)
    assert found.ok
    assert str(found) == "All rules and bands hold."
    assert found.score == 0.0


@pytest.mark.parametrize(
    ("change", "wishes", "expected"),
    [
        ({"A0": "T2"}, {}, ("band of arr", "T1 holds 30, below 38, 25 % under its target")),
        ({"A0": "T2"}, {}, ("band of accounts", "T2 holds 5, above 4.2, 25 % over its target")),
        ({}, {"rules": [gtm.Pin({"A0": "T3"})]}, ("pin", "'A0' is pinned to T3, but is in T1")),
        ({}, {"rules": [gtm.Forbid([("A4", "T2")])]}, ("forbid", "'A4' must not be in T2")),
        ({}, {"rules": [gtm.Forbid([("Bank", "T1")], by="industry")]}, ("forbid", "'A9' must not be in T1")),
        (
            {"A3": "T2", "A1": "T1"},
            {"rules": [gtm.KeepTogether()]},
            ("keep together", "a family is split: 'A0: T1', 'A3: T2'"),
        ),
        ({}, {"rules": [gtm.KeepApart([["A0", "A3", "A1"]])]}, ("keep apart", "'A0', 'A3' are all in T1")),
        (
            {"A0": "T2", "A1": "T1"},
            {"rules": [gtm.MaxMoved(0.1, by="arr")]},
            ("at most 10 % of arr moved", "20 of 120 arr move, 16.67 %"),
        ),
        (
            {},
            {"balance": [gtm.Limit("arr", at_most={"T2": 35.0})]},
            ("band of limit arr", "T2 holds 40, above 35"),
        ),
        (
            {"A0": "T2"},
            {"balance": [gtm.Mix("industry", tolerance=0.1)]},
            ("band of industry=Bank", "T2 holds 1, above 0"),
        ),
    ],
)
def test_every_planted_violation_is_found(change, wishes, expected) -> None:
    found = violations({**EVEN, **change}, **wishes)
    if expected[0] == "band of industry=Bank":  # 4 banks over 3 territories: 1 or 2 each, T1 keeps 3 of them
        assert ("band of industry=Bank", "T1 holds 3, above 2, 125 % over its target") in found
    else:
        assert expected in found


def test_all_split_families_are_listed() -> None:
    plan = {f"A{i}": f"T{i % 2 + 1}" for i in range(COUNT)}
    found = [d for r, d in violations(plan, rules=[gtm.KeepTogether()]) if r == "keep together"]
    assert found == [f"a family is split: 'A{i}: T{i % 2 + 1}', 'A{i + 3}: T{(i + 3) % 2 + 1}'" for i in range(3)]


def test_balance_tables_add_up_and_name_the_worst() -> None:
    asked = problem(balance=[gtm.Balance("arr", 0.05), gtm.Limit("arr", at_most=60)])
    at = np.array([0] * 6 + [1] * 4 + [2] * 2)
    table = balance_table(asked, at)
    first = table[table["criterion"] == "arr"]
    assert first["total"].tolist() == [60.0, 40.0, 20.0]
    assert first["deviation"].tolist() == pytest.approx([0.5, 0.0, -0.5])
    assert first["within"].tolist() == [False, True, False]
    limit = table[table["criterion"] == "limit arr"]
    assert limit["within"].all()
    assert limit["target"].isna().all()
    row = criterion_table(asked, at).iloc[0]
    assert (row["worst_territory"], row["worst_deviation"]) == ("T1", pytest.approx(0.5))
    assert row["forced_deviation"] == 0.0
    assert row["avoidable_deviation"] == pytest.approx(0.5)
    assert row["gini"] == pytest.approx(2 / 9)
    assert row["outside_15"] == pytest.approx(2 / 3)


def test_disruption_is_counted_in_accounts_and_in_every_column_asked_for() -> None:
    free = accounts().assign(arr=np.arange(12.0), owner=[None, *["T1"] * 11])
    asked = gtm.CarvingProblem(free, ["T1", "T2", "T3"], [gtm.Balance("arr")], [gtm.KeepOwner(value="arr")])
    at = np.array([2, 0, 1, *[0] * 9])
    table = disruption_table(asked, at).set_index("measure")
    assert table.loc["accounts"].tolist() == [1.0, 11.0, pytest.approx(1 / 11)]
    assert table.loc["arr"].tolist() == [2.0, 66.0, pytest.approx(2 / 66)]
    assert gtm.check(asked, asked.home.where(asked.home.notna(), "T3")).moved["moved"].tolist() == [0.0, 0.0]


wish_lists = st.lists(
    st.sampled_from(["keep", "fit", "fit id", "near", "near squared", "plane"]), min_size=1, unique=True
)


@settings(max_examples=40)
@given(wish_lists, st.booleans(), st.integers(0, 10**6))
def test_preference_scores_agree_with_the_cost_of_the_compiled_instance(names, families: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = accounts().assign(
        arr=rng.lognormal(3, 1, COUNT), owner=rng.choice(["T1", "T2", "R3", None], COUNT), visits=rng.random(COUNT)
    )
    seats = gtm.Territories(("T1", "T2", "T3"), reps=("R1", "R2", "R3"))
    scores = pd.DataFrame(rng.random((2, 3)), index=["Bank", "Tech"], columns=["R2", "T1", "T3"])
    own = pd.DataFrame(rng.random((COUNT, 3)), index=table["account_id"], columns=["T3", "T1", "T2"])
    centers = {t: tuple(rng.uniform(40, 45, 2)) for t in ("T1", "R2", "T3")}
    wishes = {
        "keep": gtm.KeepOwner(value="arr", weight=2.0),
        "fit": gtm.Fit(scores, by="industry", value="visits", weight=0.5),
        "fit id": gtm.Fit(own),
        "near": gtm.Near(centers=centers),
        "near squared": gtm.Near(centers=centers, squared=True, value="visits"),
        "plane": gtm.Near(centers=centers, metric="euclidean", weight=3.0),
    }
    rules = [gtm.KeepTogether()] if families else []
    asked = gtm.CarvingProblem(table, seats, [gtm.Count(1.0)], [wishes[n] for n in names], rules)
    order = list(rng.permutation(["T1", "T2", "T3"]))
    compiled = compile_problem(asked, order)
    units = rng.integers(0, 3, compiled.units.count)
    plan = pd.Series(np.array(order)[units[compiled.units.of_account]], index=compiled.problem.resolved.ids)
    cost = evaluate(compiled.instance, units).cost / asked.n_accounts
    assert gtm.check(asked, plan).score == pytest.approx(cost, rel=1e-9)


@settings(max_examples=30)
@given(st.integers(0, 10**6))
def test_totals_of_the_compiled_instance_agree_with_the_tables(seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = pd.DataFrame(rng.random((COUNT, 3)), index=accounts()["account_id"], columns=["T2", "T1", "T3"])
    asked = problem(
        balance=[
            gtm.Balance("arr", shares={"T1": 0.5, "T2": 0.3, "T3": 0.2}),
            gtm.Mix("industry"),
            gtm.Balance("hours", by_territory=matrix),
            gtm.Limit("accounts", at_most=8),
        ],
        rules=[gtm.KeepTogether()],
    )
    compiled = compile_problem(asked)
    units = rng.integers(0, 3, compiled.units.count)
    at = units[compiled.units.of_account]
    table = balance_table(compiled.problem, at)
    found = evaluate(compiled.instance, units)
    np.testing.assert_allclose(table["total"].to_numpy().reshape(-1, 3).T, found.totals)
    np.testing.assert_allclose(table["lower"].to_numpy().reshape(-1, 3).T, compiled.instance.lower)
    assert found.in_band == bool(table["within"].all())


def test_assignments_are_read_in_any_form_and_order() -> None:
    asked = gtm.CarvingProblem(
        accounts().rename(columns={"account_id": "Id"}),
        gtm.Territories(("East", "West"), reps=("r1", "r2")),
        [gtm.Count()],
        account_id="Id",
    )
    plan = {f"A{i}": "r1" if i < 6 else " West " for i in reversed(range(COUNT))}
    frame = pd.DataFrame({"Id": list(plan), "territory": list(plan.values())})
    for given_as in (plan, pd.Series(plan), frame, pd.Series(plan).astype("category")):
        assert read_assignment(asked, given_as).tolist() == ["East"] * 6 + ["West"] * 6
    series = pd.Series(["r1"] * COUNT, index=pd.Index([f"A{i}" for i in range(COUNT)], name="mine"))
    read_assignment(asked, series)
    assert series.index.name == "mine"


def test_assignments_that_do_not_fit_say_everything_at_once() -> None:
    plan = pd.DataFrame({"account_id": ["A0", "A0", "B7", "A1"], "territory": ["T1", "T1", "T2", None]})
    with pytest.raises(DataError, match="3 things are wrong") as caught:
        gtm.check(problem(), plan)
    text = str(caught.value)
    assert "list every account once; violated by 1 account: 'A0'" in text
    assert "place every account; violated by 11 accounts: 'A1', 'A2'" in text
    assert "only name known accounts; violated by 1 account: 'B7'" in text
