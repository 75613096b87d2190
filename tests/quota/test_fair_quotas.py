"""The worst ratio is the lowest that any allocation in whole units has, and the proof holds by itself."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtm_opt as gtm
from gtm_opt.quota.bounds import round_half_up


def all_allocations(children, factor, floor, cap, node, units):
    """Yield every allocation {leaf: units} below a node that has `units`, with all bounds of nodes kept."""
    if not floor.get(node, 0) <= units <= cap.get(node, 10**9):
        return
    if node not in children:
        yield {node: units}
        return
    total = round_half_up(units, factor[node])
    below = children[node]
    for parts in itertools.product(range(total + 1), repeat=len(below) - 1):
        last = total - sum(parts)
        if last < 0:
            continue
        options = [
            list(all_allocations(children, factor, floor, cap, c, u))
            for c, u in zip(below, (*parts, last), strict=True)
        ]
        for combination in itertools.product(*options):
            yield {leaf: amount for one in combination for leaf, amount in one.items()}


@st.composite
def small_trees(draw, over=(0.0,)):
    shape = draw(st.sampled_from([[3], [4], [2, 1], [2, 2], [1, 2], [3, 1]]))
    children, ids, parents = {"co": []}, ["co"], [None]
    if len(shape) == 1:
        leaves = [f"s{n}" for n in range(shape[0])]
        children["co"] = leaves
        ids, parents = ["co", *leaves], [None, *["co"] * len(leaves)]
    else:
        leaves = []
        for number, size in enumerate(shape):
            manager = f"m{number}"
            children["co"].append(manager)
            children[manager] = [f"{manager}{k}" for k in range(size)]
            leaves += children[manager]
            ids += [manager, *children[manager]]
            parents += ["co", *[manager] * size]
    base = {leaf: float(draw(st.integers(1, 6))) for leaf in leaves}
    rows = {}
    for node in draw(st.lists(st.sampled_from(ids[1:]), max_size=3, unique=True)):
        low = draw(st.one_of(st.none(), st.integers(0, 4)))
        high = draw(st.one_of(st.none(), st.integers(0, 6)))
        if low is not None or high is not None:
            rows[node] = (low, high if low is None or high is None else max(low, high))
    assign = {n: draw(st.sampled_from(over)) for n in children}
    plan = draw(st.integers(0, 8))
    return ids, parents, children, base, rows, assign, plan


def solve(case):
    ids, parents, children, base, rows, assign, plan = case
    tree = gtm.Hierarchy.from_frame(pd.DataFrame({"node_id": ids, "parent_id": parents}))
    bounds = pd.DataFrame(
        {"node_id": list(rows), "floor": [r[0] for r in rows.values()], "cap": [r[1] for r in rows.values()]},
        dtype=object,
    )
    floor = {n: r[0] for n, r in rows.items() if r[0] is not None}
    cap = {n: r[1] for n, r in rows.items() if r[1] is not None}
    factor = {n: 1 + Fraction(str(assign[n])) for n in children}
    every = list(all_allocations(children, factor, floor, cap, "co", plan))
    options = {"by": pd.Series(base), "unit": 1, "bounds": bounds if len(bounds) else None}
    if not every:
        with pytest.raises(gtm.InfeasibleError):
            gtm.fair_quotas(tree, plan, over_assign=assign, **options)
        return None, [], base, tree
    return gtm.fair_quotas(tree, plan, over_assign=assign, **options), every, base, tree


def check_order(case) -> None:
    fair, every, base, _ = solve(case)
    if fair is None:
        return
    best = min(sorted((a[n] / base[n] for n in base), reverse=True) for a in every)
    quota = fair.quotas.table.set_index("node_id")["quota"]
    assert sorted((quota[n] / base[n] for n in base), reverse=True) == best
    assert fair.worst_ratio == best[0]
    assert fair.order_is_exact or any(case[5].values())


@settings(max_examples=30)
@given(small_trees())
def test_fair_quotas_equal_brute_force_in_values_and_leximax_order(case) -> None:
    check_order(case)


@pytest.mark.slow
@settings(max_examples=1_000)
@given(small_trees())
def test_a_thousand_trees_equal_brute_force_in_values_and_leximax_order(case) -> None:
    check_order(case)


def check_worst(case) -> None:
    fair, every, base, _ = solve(case)
    if fair is None:
        return
    best = min(max(a[n] / base[n] for n in base) for a in every)
    quota = fair.quotas.table.set_index("node_id")["quota"]
    assert max(quota[n] / base[n] for n in base) == best == fair.worst_ratio
    assert {n: int(quota[n]) for n in base} in every
    if best > 0:
        fair.certificate.check()
        assert fair.certificate.needed > fair.certificate.possible


@settings(max_examples=30)
@given(small_trees(over=(0.0, 0.5, 0.25, -0.3)))
def test_the_worst_ratio_equals_brute_force_with_over_assignment_and_reserves_anywhere(case) -> None:
    check_worst(case)


@pytest.mark.slow
@settings(max_examples=1_000)
@given(small_trees(over=(0.0, 0.5, 0.25, -0.3)))
def test_the_worst_ratio_of_a_thousand_trees_equals_brute_force(case) -> None:
    check_worst(case)


RESERVE = (
    ["co", "m0", "m00", "m1", "m10", "m11"],
    [None, "co", "m0", "co", "m1", "m1"],
    {"co": ["m0", "m1"], "m0": ["m00"], "m1": ["m10", "m11"]},
    {"m00": 1.0, "m10": 1.0, "m11": 1.0},
    {"m0": (3, None), "m10": (4, None)},
    {"co": 0.0, "m0": 0.0, "m1": -0.3},
    8,
)
SMALL_PLAN = (
    ["co", "s0", "s1", "s2"],
    [None, "co", "co", "co"],
    {"co": ["s0", "s1", "s2"]},
    {"s0": 1.0, "s1": 1.0, "s2": 3.0},
    {"s0": (1, None)},
    {"co": 0.0},
    1,
)


@pytest.mark.parametrize("case", [RESERVE, SMALL_PLAN], ids=["reserve", "plan of one unit"])
def test_reserves_and_plans_of_one_unit_tie_out_and_are_proven(case) -> None:
    check_worst(case)


@settings(max_examples=20)
@given(small_trees(over=(0.0, 0.25)))
def test_a_certificate_for_a_better_ratio_than_the_best_is_refused(case) -> None:
    fair, _, _, _ = solve(case)
    if fair is None or fair.certificate is None:
        return
    claimed = replace(fair.certificate, ratio=fair.worst_ratio * 1.01)
    with pytest.raises(gtm.DataError, match="the certificate is wrong"):
        claimed.check()


def region() -> tuple[gtm.Hierarchy, pd.DataFrame]:
    nodes = ["co", "e", "w", "s1", "s2", "s3", "s4"]
    tree = gtm.Hierarchy.from_frame(
        pd.DataFrame({"node_id": nodes, "parent_id": [None, "co", "co", "e", "e", "w", "w"]})
    )
    metrics = pd.DataFrame({"node_id": nodes[3:], "potential": [4e6, 3e6, 2e6, 1e6]})
    return tree, metrics


def test_the_sentence_names_the_ratio_the_node_and_the_seats() -> None:
    tree, metrics = region()
    bounds = pd.DataFrame({"node_id": ["e"], "cap": [3_000_000]})
    fair = gtm.fair_quotas(tree, 5_000_000, by="potential", metrics=metrics, bounds=bounds)
    assert fair.worst_ratio == 0.667  # 2 million for 3 million of potential, in whole thousands
    assert fair.statement.startswith(
        "In whole units of 1,000 no allocation gives the worst-placed seller a ratio below 0.6670"
    )
    assert fair.certificate.seats == ("s3", "s4")
    assert fair.certificate.binding.query("rule == 'cap'")["node_id"].tolist() == ["e"]
    fair.certificate.check()
    price = fair.prices
    assert price["node_id"].tolist() == ["e"]
    assert price["worst_ratio_without"].item() == 0.5
    assert "FairQuotas by potential: worst ratio 0.667 (proven)" in repr(fair)


def test_another_million_has_a_price_and_payers() -> None:
    tree, metrics = region()
    fair = gtm.fair_quotas(tree, 5_000_000, by="potential", metrics=metrics)
    more = fair.price_of_plan(1_000_000)
    assert more.attrs == {"worst_ratio": 0.5, "new_worst_ratio": 0.6}
    assert more.set_index("seat_id")["change"].to_dict() == {"s1": 400_000, "s2": 300_000, "s3": 200_000, "s4": 100_000}
    assert fair.price_of_plan(-1_000_000)["change"].sum() == -1_000_000
    with pytest.raises(gtm.DataError, match="must be a multiple of 1,000"):
        fair.price_of_plan(500)
    with pytest.raises(gtm.DataError, match="not below -plan"):
        fair.price_of_plan(-6_000_000)


def test_equal_odds_differ_by_one_unit_at_most_and_are_proven() -> None:
    tree, _ = region()
    metrics = pd.DataFrame(
        {"node_id": ["s1", "s2", "s3", "s4"], "capacity": [3e6, 2e6, 2e6, 1e6], "attain_cv": [0.3, 0.5, 0.2, 0.6]}
    )
    fair = gtm.fair_quotas(tree, 7_500_000, by="odds", metrics=metrics)
    assert fair.table["p_attain"].max() - fair.table["p_attain"].min() < 0.002
    fair.certificate.check()
    assert fair.quotas.table.loc[0, "quota"] == 7_500_000


def test_seats_with_nothing_to_compare_get_their_floor_and_are_named() -> None:
    tree, metrics = region()
    metrics["potential"] = [4e6, 3e6, 2e6, 0.0]
    bounds = pd.DataFrame({"node_id": ["s4"], "floor": [100_000]})
    fair = gtm.fair_quotas(tree, 5_000_000, by="potential", metrics=metrics, bounds=bounds)
    assert fair.quotas.quota("s4") == 100_000
    assert "Nothing to compare with for 's4'" in fair.quotas.notes[0]


@given(st.permutations(range(7)), st.sampled_from([1, 7]))
@settings(max_examples=8)
def test_the_order_of_rows_and_the_currency_change_nothing(order, scale) -> None:
    tree, metrics = region()
    frame = pd.DataFrame({"node_id": ["co", "e", "w", "s1", "s2", "s3", "s4"]})
    frame["parent_id"] = [None, "co", "co", "e", "e", "w", "w"]
    other = gtm.Hierarchy.from_frame(frame.iloc[list(order)])
    scaled = metrics.assign(potential=metrics["potential"] * scale)
    first = gtm.fair_quotas(tree, 5_123_000, by="potential", metrics=metrics).quotas.table
    second = gtm.fair_quotas(other, 5_123_000 * scale, by="potential", metrics=scaled, unit=1_000 * scale).quotas.table
    left = first.set_index("node_id")["quota"] * scale
    assert left.sort_index().to_dict() == second.set_index("node_id")["quota"].sort_index().to_dict()


def test_proportional_shares_are_worse_for_the_worst_seller_than_fair_quotas() -> None:
    rng = np.random.default_rng(3)
    names = [f"s{n:03d}" for n in range(300)]
    reps = pd.DataFrame({"rep_id": names, "manager": [f"m{n // 10:02d}" for n in range(300)]})
    tree = gtm.Hierarchy.from_reps(reps, levels=["manager"], max_buckets=50)
    potential = pd.Series(rng.lognormal(13, 0.8, 300), index=names)
    plan = int(potential.sum() * 0.45) // 1_000 * 1_000
    fair = gtm.fair_quotas(tree, plan, by=potential)
    shares = gtm.cascade(tree, plan, weights=potential).table.set_index("node_id")["quota"]
    assert fair.worst_ratio < (shares[names] / potential).max()
    fair.certificate.check()


def test_wrong_arguments_come_in_one_error() -> None:
    tree, metrics = region()
    with pytest.raises(gtm.DataError, match=r"(?s)must be a multiple of the unit.*must be a column of metrics"):
        gtm.fair_quotas(tree, 5_000_500, by="potentail", metrics=metrics)
    with pytest.raises(gtm.DataError, match="must be positive for at least one seat"):
        gtm.fair_quotas(tree, 5_000_000, by=pd.Series(0.0, index=["s1", "s2", "s3", "s4"]))
    with pytest.raises(gtm.InfeasibleError, match="lies outside the reachable range"):
        gtm.fair_quotas(tree, 5_000_000, bounds=pd.DataFrame({"node_id": ["e", "w"], "cap": [1e6, 1e6]}))


def test_the_frontier_of_fairness_against_change_only_falls() -> None:
    tree, metrics = region()
    metrics["prior"] = [1e6, 2e6, 1.5e6, 0.0]
    table = gtm.fairness_frontier(
        tree, 5_000_000, prior="prior", by="potential", metrics=metrics, limits=[0.02, 0.3, 1]
    )
    reached = table[table["status"] == "optimal"]
    assert reached["worst_ratio"].is_monotonic_decreasing
    assert (reached["largest_change_frac"] <= reached["limit_frac"]).all()
    assert table["limit_frac"].tolist()[-1] == np.inf
    assert table["worst_ratio"].iloc[-1] == 0.5
    tight = gtm.fairness_frontier(tree, 9_000_000, prior={"s1": 1e6, "s2": 1e6, "s3": 1e6, "s4": 1e6}, limits=[0.1])
    assert tight["status"].tolist() == ["infeasible", "optimal"]
    assert "lies outside the reachable range" in tight["reason"].iloc[0]
    with pytest.raises(gtm.DataError, match=r"(?s)must be fractions above 0.*must only name seats"):
        gtm.fairness_frontier(tree, 5_000_000, prior={"x": 1.0}, limits=[-1])


@pytest.mark.parametrize(
    ("ratios", "gini", "cv"), [([0.8, 0.9, 1.0, 1.1, 1.2], 0.08, 0.1414213562), ([0, 0, 0, 1], 0.75, 1.7320508076)]
)
def test_dispersion_has_the_reference_values(ratios, gini, cv) -> None:
    seats = pd.DataFrame({"seat_id": range(len(ratios)), "quota": ratios, "base": 1.0})
    measured = gtm.measure_fairness(seats).groups.iloc[0]
    assert measured["gini"] == pytest.approx(gini)
    assert measured["cv"] == pytest.approx(cv)


def test_fairness_is_measured_by_group_and_against_size() -> None:
    seats = pd.DataFrame(
        {
            "seat_id": list("abcd"),
            "quota": [100.0, 200.0, 390.0, 900.0],
            "base": [100.0, 200.0, 400.0, 800.0],
            "segment": ["x", "x", "y", None],
            "size": [1, 2, 3, 4],
        }
    )
    fairness = gtm.measure_fairness(seats, by="segment", attributes=["size"])
    assert fairness.groups["group"].tolist() == ["(all)", "(none)", "x", "y"]
    assert fairness.groups.set_index("group").loc["x", "cv"] == 0.0
    assert fairness.correlations["rank_correlation"].item() == pytest.approx(-0.3162, abs=1e-4)
    assert "Fairness: 4 seats" in repr(fairness)
    wrong = seats.assign(base=[0, 1, 1, "many"])
    with pytest.raises(gtm.DataError, match=r"must hold finite numbers above 0; violated by 2 seats: 'a', 'd'"):
        gtm.measure_fairness(wrong)
    with pytest.raises(gtm.DataError, match=r"seats\['sgment'\] must be there"):
        gtm.measure_fairness(seats, by="sgment")
