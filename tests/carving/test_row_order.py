"""The plan does not depend on the order of rows: accounts, territories, nodes of a tree, the plan it starts from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtm_opt as gtm
from gtm_opt.carving.compile.canonical import natural_order, order_accounts, order_tree
from gtm_opt.carving.compile.compiled import compile_problem


def accounts(count: int, names: list[str], seed: int) -> pd.DataFrame:
    """Amounts whose sums depend on their order in the last bits, families, places, owners."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "account_id": [f"A{i}" for i in rng.permutation(count)],
            "arr": rng.lognormal(3.0, 1.0, count) / 3.0,
            "family": [f"F{i // 9}" if i % 9 < 2 else None for i in range(count)],
            "segment": rng.choice(["a", "b", "c"], count),
            "owner": rng.choice([*names, None], count),
            "lat": rng.uniform(30, 48, count),
            "lon": rng.uniform(-120, -75, count),
        }
    )


def make_problem(
    kind: str, count: int, k: int, seed: int, rng: np.random.Generator | None = None
) -> gtm.CarvingProblem:
    """One problem; with a generator, its rows in another order."""
    names = [f"T{t + 1}" for t in range(k)]
    table = accounts(count, names, seed)
    weights = np.random.default_rng([seed, 1]).uniform(1, 2, k)
    order = np.arange(k) if rng is None else rng.permutation(k)
    if rng is not None:
        table = table.iloc[rng.permutation(count)]
    seats = gtm.Territories.from_weights({names[t]: weights[t] for t in order})
    rules = [
        gtm.KeepTogether("family"),
        gtm.KeepApart([["A1", "A2"]]),
        gtm.Forbid([("A3", "T1"), ("A4", "T1")]),
        gtm.MaxMoved(0.9),
        gtm.Within({"a": names[1:]}, by="segment"),
    ]
    if kind == "even":
        return gtm.CarvingProblem(table, seats, [gtm.Balance("arr", 0.1), gtm.Count(0.3)])
    if kind == "near":
        return gtm.CarvingProblem(table, seats, [gtm.Balance("arr", 0.3)], [gtm.Near()])
    return gtm.CarvingProblem(table, seats, [gtm.Balance("arr", 0.2)], [gtm.KeepOwner(value="arr")], rules)


def carved(problem: gtm.CarvingProblem, **options: object) -> gtm.Carving:
    return gtm.carve(problem, on_infeasible="nearest", effort=0.1, **options)  # type: ignore[arg-type]


def assert_same(one: gtm.Carving, other: gtm.Carving) -> None:
    assert one.labels.sort_index().equals(other.labels.sort_index())
    assert one.certificate.value == other.certificate.value
    assert one.certificate.bound == other.certificate.bound
    assert one.status is other.status


@pytest.mark.parametrize("kind", ["owners", "even", "near"])
@pytest.mark.parametrize(("count", "k", "buckets"), [(24, 3, 10), (90, 5, 10), (90, 9, 3)])
def test_the_plan_does_not_depend_on_the_order_of_rows(kind: str, count: int, k: int, buckets: int) -> None:
    first = carved(make_problem(kind, count, k, seed=3), tree=gtm.TreeOptions(max_buckets=buckets))
    for shuffle in range(2):
        problem = make_problem(kind, count, k, 3, np.random.default_rng(shuffle))
        other = carved(problem, tree=gtm.TreeOptions(max_buckets=buckets))
        assert_same(first, other)
        assert other.labels.index.equals(problem.resolved.ids), "tables stay in the order of the rows they came in"
        assert (other.accounts["territory"] == other.labels).all()
        assert other.check.ok == first.check.ok


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000), count=st.integers(6, 40), k=st.integers(3, 4))
def test_no_order_of_rows_changes_a_small_plan(seed: int, count: int, k: int) -> None:
    shuffled = make_problem("owners", count, k, seed, np.random.default_rng(seed))
    try:
        first = carved(make_problem("owners", count, k, seed))
    except gtm.InfeasibleError as error:
        with pytest.raises(gtm.InfeasibleError) as caught:
            carved(shuffled)
        assert sorted(caught.value.reasons) == sorted(error.reasons)
        return
    assert_same(first, carved(shuffled))


def test_a_plan_carved_again_and_its_answers_do_not_depend_on_the_order_of_rows() -> None:
    problem = make_problem("owners", 60, 4, 5)
    other = make_problem("owners", 60, 4, 5, np.random.default_rng(1))
    first, second = carved(problem), carved(other)
    words = {"effort": 0.1, "on_infeasible": "nearest"}
    again = gtm.recarve(first, problem, **words)
    assert_same(
        again, gtm.recarve(second.labels.sample(frac=1.0, random_state=1), other, effort=0.1, on_infeasible="nearest")
    )
    assert first.explain("A7").text == second.explain("A7").text
    rule = problem.rules[2]
    assert first.price_of(rule).by_prices == second.price_of(rule).by_prices


def test_a_tree_from_a_table_carves_the_same_whatever_the_order_of_its_rows() -> None:
    nodes = [("all", ""), *((f"R{r}", "all") for r in range(3)), *((f"T{t + 1}", f"R{t % 3}") for t in range(9))]
    table = pd.DataFrame(nodes, columns=["node", "parent"])
    problem = make_problem("owners", 90, 9, 3)
    plans = []
    for rows in (table, table.sample(frac=1.0, random_state=2)):
        tree = gtm.Hierarchy.from_frame(rows, node="node", parent="parent")
        plans.append(carved(problem, hierarchy=tree))
    assert_same(*plans)


def test_siblings_are_sorted_with_their_numbers_by_value() -> None:
    assert natural_order(["T10", "T2", "b", "T1", "a"]) == [3, 1, 0, 4, 2]
    tree = gtm.Hierarchy.from_dict({"W": ["T10", "T2"], "E": ["T1"]}, root="all")
    assert order_tree(tree).leaves == ("T1", "T2", "T10")
    ordered = order_tree(tree)
    assert order_tree(ordered) is ordered


def test_accounts_in_order_are_left_alone_and_others_are_resolved_as_if_they_had_come_in_order() -> None:
    problem = make_problem("owners", 30, 3, 1)
    ordered = order_accounts(problem)
    assert order_accounts(ordered) is ordered
    table = problem.accounts.sort_index().reset_index(drop=True)
    fresh = problem.replace(accounts=table)
    for name in ("family", "pinned"):
        assert np.array_equal(getattr(ordered.resolved, name), getattr(fresh.resolved, name))
    assert ordered.resolved.ids.equals(fresh.resolved.ids)
    one, other = compile_problem(problem).instance, compile_problem(fresh).instance
    assert np.array_equal(one.activities, other.activities)
    assert np.array_equal(one.cost_block(slice(0, 30)), other.cost_block(slice(0, 30)))
