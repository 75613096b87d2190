"""Explanations, prices of rules, exceptions, the frontier and conflicts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import gtm_opt as gtm
from gtm_opt.carving import dual_bound
from gtm_opt.carving.feasibility.conflicts import conflict, conflict_text
from tests.carving.tree_problems import tree_problem


def make_problem(n: int = 60, k: int = 3, seed: int = 0, **words: object) -> gtm.CarvingProblem:
    rng = np.random.default_rng(seed)
    accounts = pd.DataFrame(
        {
            "account_id": [f"A{i:03d}" for i in range(n)],
            "arr": rng.lognormal(10, 0.5, n).round(2),
            "owner": [f"T{t + 1}" for t in rng.choice(k, size=n, p=[0.5, 0.3, 0.2])],
            "lat": rng.uniform(30, 45, n),
            "lon": rng.uniform(-120, -80, n),
        }
    )
    asked: dict[str, object] = {
        "balance": [gtm.Balance("arr", 0.05), gtm.Count(0.10)],
        "prefer": [gtm.KeepOwner(value="arr")],
    }
    return gtm.CarvingProblem(accounts, gtm.Territories.equal(k), **(asked | words))  # type: ignore[arg-type]


def test_the_parts_of_an_explanation_add_up_to_its_total() -> None:
    carving = gtm.carve(make_problem(prefer=[gtm.KeepOwner(value="arr"), gtm.Near()]))
    table = carving.explain("A007").options
    parts = table.drop(columns=["node", "option", "chosen", "total", "difference"])
    assert np.allclose(parts.sum(axis=1), table["total"])
    assert table["chosen"].sum() == 1
    assert table.loc[table["chosen"], "option"].iloc[0] == carving.labels["A007"]


@pytest.mark.parametrize("account", ["A003", "A010", "A031"])
def test_the_margin_by_prices_agrees_with_a_forced_carve_up_to_the_proven_gap(account: str) -> None:
    """value(forced) >= D(prices) + reduced cost of the forced place, for any prices."""
    carving = gtm.carve(make_problem())
    explanation = carving.explain(account, exact=True)
    assert explanation.forced_cost is not None
    prices = carving.solutions[carving.hierarchy.root].result.prices
    assert prices is not None
    gap = carving.certificate.value - dual_bound(carving.compiled.instance, prices)
    reduced = explanation.options["total"] - explanation.options["total"].min()
    forced_place = reduced[explanation.options["option"] == explanation.next_best].iloc[0]
    assert explanation.forced_cost >= forced_place - gap - 1e-6


def test_a_pinned_account_says_that_there_is_no_other_place() -> None:
    carving = gtm.carve(make_problem(rules=[gtm.Pin({"A001": "T2"})]))
    assert str(carving.explain("A001")) == "'A001' is in T2: pins and forbids leave no other place."


def test_an_unknown_account_is_answered_with_the_nearest_name() -> None:
    carving = gtm.carve(make_problem())
    with pytest.raises(gtm.DataError, match=r"got 'A0O7'\. Did you mean 'A0\d7'\?"):
        carving.explain("A0O7")


def test_even_carves_are_explained_by_the_deviation_after_a_move() -> None:
    carving = gtm.carve(make_problem(prefer=(), objective="even"))
    text = str(carving.explain("A004"))
    assert "the worst deviation would be" in text


def test_every_level_of_a_tree_is_explained() -> None:
    problem = make_problem(n=120, k=3)
    problem = problem.replace(territories=gtm.Territories.equal(12), prefer=[gtm.Near()], balance=[gtm.Count(0.3)])
    carving = gtm.carve(problem)
    explanation = carving.explain("A005")
    assert explanation.options["node"].nunique() == 2
    assert explanation.options["chosen"].sum() == 2


def parts_of(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns=["node", "option", "chosen", "total", "difference"])


def test_the_terms_shown_sum_to_the_difference_at_every_level_of_a_tree() -> None:
    rules = [gtm.MaxMoved(0.8), gtm.Pin({"A-0003": "T05"}), gtm.KeepApart([["A-0007", "A-0008", "A-0009", "A-0010"]])]
    tree = gtm.Hierarchy.split([f"T{k:02d}" for k in range(1, 13)], max_buckets=3)
    carving = gtm.carve(tree_problem(rules=rules), hierarchy=tree, effort=0.1)
    assert any(s.guide is not None for s in carving.solutions.values())
    seen = 0.0
    for account in ["A-0001", "A-0007", "A-0042", "A-0100"]:
        table = carving.explain(account).options
        assert table["node"].nunique() > 1
        for _, level in table.groupby("node"):
            parts = parts_of(level)
            open_to = np.isfinite(level["total"])
            apart = parts[open_to] - parts[level["chosen"]].to_numpy()
            assert np.allclose(apart.sum(axis=1), level.loc[open_to, "difference"])
        last = table["node"] == table["node"].iloc[-1]
        assert (table.loc[last, "slack further down"] == 0).all()
        seen += table["slack further down"].abs().sum()
    assert seen > 0


def test_what_a_carve_adds_itself_has_a_column_of_its_own() -> None:
    """Giants that the nearest plan places beforehand, groups that are spread level by level."""
    problem = tree_problem()
    accounts = problem.accounts.reset_index(drop=True)
    accounts.loc[0, "arr"] = accounts["arr"].sum()
    carving = gtm.carve(problem.replace(accounts=accounts), on_infeasible="nearest", effort=0.1)
    table = carving.explain("A-0000").options
    assert "too large for its band" in table.columns
    assert table["chosen"].sum() == table["node"].nunique()


def test_levels_of_their_own_are_explained_as_they_were_carved() -> None:
    levels = {"level 1": gtm.Level(prefer=["near"])}
    carving = gtm.carve(tree_problem(), tree=gtm.TreeOptions(levels=levels), effort=0.1)
    table = carving.explain("A-0001").options
    top = table["node"] == carving.hierarchy.root
    assert (table.loc[top, "keep owner"] == 0).all()
    assert table.loc[~top, "keep owner"].abs().sum() > 0


def test_the_price_of_a_pin_is_near_its_exact_cost() -> None:
    """An estimate: the prices of the carve with the pin need not be the best ones without it."""
    pin = gtm.Pin({"A000": "T3", "A001": "T3", "A002": "T3"})
    carving = gtm.carve(make_problem(rules=[pin]))
    price = carving.price_of(pin, exact=True)
    assert price.exact is not None
    assert price.exact > 0
    assert price.by_prices == pytest.approx(price.exact, rel=0.25, abs=0.05)


def test_exceptions_list_every_pin_with_the_place_it_would_wish() -> None:
    carving = gtm.carve(make_problem(rules=[gtm.Pin({"A000": "T3", "A001": "T1"})]))
    table = carving.exceptions()
    assert sorted(table["account_id"]) == ["A000", "A001"]
    assert (table["cost"] >= -1e-9).all()


def test_a_rule_of_another_problem_has_no_price() -> None:
    carving = gtm.carve(make_problem())
    with pytest.raises(gtm.DataError, match="one of the problem's own rules"):
        carving.price_of(gtm.Pin({"A000": "T1"}))


def test_a_frontier_has_no_dominated_point_and_ends_with_moving_nothing() -> None:
    found = gtm.frontier(make_problem(), points=5)
    table = found.table
    assert (np.diff(table["stretch"]) > 0).all()
    assert (np.diff(table["score"]) < 0).all()
    assert table["score"].iloc[-1] == pytest.approx(0.0, abs=1e-12)
    assert table["knee"].sum() == 1
    assert (table["bound"] <= table["score"] + 1e-9).all()


def test_a_frontier_begins_as_even_as_an_even_carve() -> None:
    problem = make_problem()
    even = gtm.carve(problem.replace(objective="even"))
    stretch = (even.criteria["worst_deviation"].abs() / even.criteria["tolerance"]).max()
    assert gtm.frontier(problem, points=3).table["stretch"].iloc[0] <= stretch * (1 + 1e-6)


def test_a_frontier_refuses_a_cap_on_moves() -> None:
    with pytest.raises(gtm.DataError, match="drop the rule"):
        gtm.frontier(make_problem(rules=[gtm.MaxMoved(0.2)]))


def test_the_smallest_conflict_names_only_what_conflicts() -> None:
    """Moving at most 5 % cannot even out 50/30/20; the count of a mix has nothing to do with it."""
    cap = gtm.MaxMoved(0.05, by="arr")
    pin = gtm.Pin({"A000": "T1"})
    problem = make_problem(balance=[gtm.Balance("arr", 0.05), gtm.Count(0.9)], rules=[cap, pin])
    elements = conflict(problem)
    assert [e.name for e in elements] == ["arr", cap.name]
    assert "cannot hold together: 'arr' within 5 % and 'at most 5 % of arr moved'" in conflict_text(elements)


def test_a_conflict_that_only_a_solver_can_see_is_raised_with_its_members() -> None:
    problem = make_problem(rules=[gtm.MaxMoved(0.05, by="arr")])
    with pytest.raises(gtm.InfeasibleError, match="These requirements cannot hold together"):
        gtm.carve(problem)


def test_the_nearest_plan_keeps_the_rule_and_lets_the_band_give() -> None:
    problem = make_problem(rules=[gtm.MaxMoved(0.05, by="arr")])
    carving = gtm.carve(problem, on_infeasible="nearest")
    assert carving.status == "infeasible"
    broken = set(carving.check.violations["rule"])
    assert broken
    assert all(rule.startswith("band of") for rule in broken)
