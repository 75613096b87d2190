"""What rules cost: in one node by the dual bound, in a tree by the prices of its nodes, and exactly."""

from __future__ import annotations

import numpy as np
import pytest

import gtm_opt as gtm
from gtm_opt.carving import dual_bound
from gtm_opt.carving.analysis.place_prices import node_prices
from gtm_opt.carving.analysis.rule_prices import without_rule
from tests.carving.tree_problems import tree_problem

TREE = gtm.Hierarchy.split([f"T{k:02d}" for k in range(1, 13)], max_buckets=4)
FAR = {"A-0005": "T12", "A-0009": "T01"}


@pytest.fixture(scope="module")
def carving() -> gtm.Carving:
    """A tree of three inner nodes with a rule of every kind."""
    problem = tree_problem()
    near = problem.accounts["lon"].sort_values().index
    rules = [
        gtm.Pin(FAR),
        gtm.Forbid([(str(a), "T03") for a in near[:10]]),
        gtm.KeepTogether("family"),
        gtm.KeepApart([[str(a) for a in near[20:23]]]),
        gtm.MaxMoved(0.75),
        gtm.Within({"bank": [f"T{k:02d}" for k in range(1, 13) if k != 6]}, by="industry"),
    ]
    return gtm.carve(problem.replace(rules=rules), hierarchy=TREE, effort=0.1, on_infeasible="nearest")


def rule_of(carving: gtm.Carving, kind: type) -> gtm.Pin:
    return next(r for r in carving.problem.rules if isinstance(r, kind))


def test_in_one_node_the_price_is_the_fall_of_the_dual_bound() -> None:
    rules = [gtm.Pin(FAR), gtm.KeepTogether("family"), gtm.MaxMoved(0.6), gtm.Forbid([("A-0007", "T02")])]
    flat = gtm.carve(tree_problem(rules=rules), hierarchy="flat", effort=0.1, on_infeasible="nearest")
    prices = node_prices(flat, flat.hierarchy.root)
    assert prices is not None
    bound = dual_bound(flat.compiled.instance, *prices)
    for rule in rules:
        without = without_rule(flat, rule)
        free = dual_bound(without.compiled.instance, prices[0], prices[1][without.side])
        assert flat.price_of(rule).by_prices == pytest.approx(max(0.0, bound - free), abs=1e-6)


@pytest.mark.parametrize("kind", [gtm.Pin, gtm.Forbid, gtm.KeepTogether, gtm.MaxMoved, gtm.Within])
def test_every_rule_of_a_tree_has_a_price(carving: gtm.Carving, kind: type) -> None:
    price = carving.price_of(rule_of(carving, kind))
    assert np.isfinite(price.by_prices)
    assert price.by_prices >= 0
    assert price.exact is None


def test_the_price_of_pins_in_a_tree_is_the_sum_of_its_exceptions_and_near_the_exact_cost() -> None:
    pin = gtm.Pin(FAR)
    carving = gtm.carve(tree_problem(rules=[pin]), hierarchy=TREE, effort=0.2)
    table = carving.exceptions()
    price = carving.price_of(pin, exact=True)
    assert set(table["account_id"]) == set(FAR)
    assert (table["cost"] >= -1e-9).all()
    assert price.by_prices == pytest.approx(table["cost"].sum(), abs=1e-9)
    assert price.exact is not None
    assert price.by_prices > 0.5
    assert price.exact == pytest.approx(price.by_prices, rel=0.5)
    assert price.note.startswith("carved the whole tree again with and without it, as one node (240 ")


def test_a_pin_that_stays_near_is_asked_of_the_smallest_subtree() -> None:
    free = gtm.carve(tree_problem(), hierarchy=TREE, effort=0.2)
    top = TREE.children(TREE.root)[1]
    leaves = TREE.leaves_below(top)
    inside = free.labels[free.labels.isin(leaves)]
    pin = gtm.Pin({str(inside.index[0]): leaves[(leaves.index(inside.iloc[0]) + 1) % len(leaves)]})
    carving = gtm.carve(tree_problem(rules=[pin]), hierarchy=TREE, effort=0.2)
    price = carving.price_of(pin, exact=True)
    preferred = carving.exceptions()["preferred_territory"].iloc[0]
    assert preferred in leaves
    assert f"carved what is below {top} again" in price.note


def test_keeping_apart_has_no_price_by_account_but_an_exact_cost(carving: gtm.Carving) -> None:
    rule = rule_of(carving, gtm.KeepApart)
    price = carving.price_of(rule)
    assert np.isnan(price.by_prices)
    assert "cannot tell what keeping several apart costs: ask with exact=True" in price.note
    exact = carving.price_of(rule, exact=True).exact
    assert exact is not None
    assert exact >= -1e-6 * carving.certificate.value


def test_even_carves_say_that_they_have_no_prices_and_give_the_exact_cost() -> None:
    pin = gtm.Pin({f"A-{i:04d}": "T01" for i in range(30)})
    problem = tree_problem(prefer=(), objective="even", balance=[gtm.Count(0.15)], rules=[pin])
    carving = gtm.carve(problem, hierarchy=TREE, effort=0.1, on_infeasible="nearest")
    with pytest.raises(gtm.SolverError, match="ask with exact=True"):
        carving.price_of(pin)
    with pytest.raises(gtm.SolverError, match="have no prices"):
        carving.exceptions()
    price = carving.price_of(pin, exact=True)
    assert price.exact is not None
    assert price.exact > 0
    assert "tolerances of the worst deviation" in price.note


def test_levels_of_the_carving_count_in_its_prices() -> None:
    pin = gtm.Pin(FAR)
    levels = {"level 1": gtm.Level(prefer=["near"])}
    carving = gtm.carve(tree_problem(rules=[pin]), hierarchy=TREE, tree=gtm.TreeOptions(levels=levels), effort=0.1)
    assert carving.price_of(pin).by_prices > 0
    assert len(carving.exceptions()) == 2
