from __future__ import annotations

import re
import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtm_opt.errors import DataError, InfeasibleError
from gtm_opt.model.calendar import Calendar
from gtm_opt.model.hierarchy import Hierarchy
from gtm_opt.quota import cascade

LEVELS = ("company", "vp", "manager", "seat")


def tree_of(parents: dict[str, str | None], weights: dict[str, float] | None = None, levels=LEVELS):
    """A tree from {node: parent}, parents first."""
    depth: dict[str, int] = {}
    for node, parent in parents.items():
        depth[node] = 0 if parent is None else depth[parent] + 1
    inner = set(parents.values())
    table = pd.DataFrame(
        {
            "node_id": list(parents),
            "parent_id": list(parents.values()),
            "level": [levels[min(depth[n], len(levels) - 1)] for n in parents],
            "depth": [depth[n] for n in parents],
            "share": [1.0 if weights is None else weights.get(n, 0.0) for n in parents],
            "is_leaf": [n not in inner for n in parents],
        }
    )
    return SimpleNamespace(table=table)


def reference_tree():
    """Root; VPs 60/40; managers (5,3,2) and (4,3); AEs as in the reference cascade."""
    weights = {"vp1": 60, "vp2": 40}
    parents: dict[str, str | None] = {"root": None, "vp1": "root", "vp2": "root"}
    managers = {"m1": ("vp1", 5), "m2": ("vp1", 3), "m3": ("vp1", 2), "m4": ("vp2", 4), "m5": ("vp2", 3)}
    for name, (above, weight) in managers.items():
        parents[name], weights[name] = above, weight
    sellers = {"m1": (3, 2, 2, 1), "m2": (1, 1, 1), "m3": (2, 1), "m4": (5, 4, 3), "m5": (1, 1, 1, 1)}
    for manager, team in sellers.items():
        for n, weight in enumerate(team, 1):
            parents[f"{manager}-{n}"], weights[f"{manager}-{n}"] = manager, weight
    return tree_of(parents, weights), pd.Series(weights, dtype=float)


def quotas_of(result) -> dict[str, int]:
    return dict(zip(result.table["node_id"], result.table["quota"], strict=True))


@pytest.mark.determinism
def test_the_reference_cascade_is_exact_to_the_unit():
    tree, weights = reference_tree()
    result = cascade(tree, 20_000_000, over_assign={"vp": 0.0, "manager": 0.05, "seat": 0.10}, weights=weights)
    quota = {k: v // 1000 for k, v in quotas_of(result).items()}
    assert [quota["vp1"], quota["vp2"]] == [12_000, 8_000]
    assert [quota[f"m{k}"] for k in range(1, 6)] == [6300, 3780, 2520, 4800, 3600]
    assert [quota[f"m1-{k}"] for k in range(1, 5)] == [2599, 1733, 1732, 866]
    assert [quota[f"m2-{k}"] for k in range(1, 4)] == [1386] * 3
    assert [quota[f"m3-{k}"] for k in range(1, 3)] == [1848, 924]
    assert [quota[f"m4-{k}"] for k in range(1, 4)] == [2200, 1760, 1320]
    assert [quota[f"m5-{k}"] for k in range(1, 5)] == [990] * 4
    assert result.street == 23_100_000
    over = result.over_assignment().set_index("node_id")["gross_oa_frac"]
    assert over["root"] == pytest.approx(0.155)
    assert over["m1"] == pytest.approx(0.10)
    assert "10.00% over-assignment" in result.explain("m1-1")


def test_a_blend_of_metrics_counts_shares_not_sizes():
    tree = tree_of({"root": None, "a": "root", "b": "root", "c": "root", "d": "root"})
    metrics = pd.DataFrame(
        {
            "node_id": list("abcd"),
            "potential": [400, 300, 200, 100],
            "prior": [2.8, 3.2, 2.5, 1.5],
            "capacity": [25, 30, 25, 20],
        }
    )
    blend = {"potential": 0.5, "prior": 0.3, "capacity": 0.2}
    result = cascade(tree, 11_000_000, weights=blend, metrics=metrics)
    np.testing.assert_allclose(result.table["weight_frac"][1:], [0.334, 0.306, 0.225, 0.135])
    assert result.table["quota"][1:].tolist() == [3_674_000, 3_366_000, 2_475_000, 1_485_000]


def test_change_limits_match_the_reference():
    tree = tree_of({"root": None, "a": "root", "b": "root", "c": "root", "d": "root"})
    weights = pd.Series({"a": 0.4, "b": 0.3, "c": 0.2, "d": 0.1})
    bounds = pd.DataFrame({"node_id": list("abcd"), "prior": [2.8e6, 3.2e6, 2.5e6, 1.5e6]})
    bounds = bounds.assign(max_down_frac=0.10, max_up_frac=0.25)
    result = cascade(tree, 11_000_000, weights=weights, bounds=bounds)
    assert result.table["quota"][1:].tolist() == [3_500_000, 3_690_000, 2_460_000, 1_350_000]
    assert result.table["at_bound"][1:].tolist() == ["cap", None, None, "floor"]
    assert "its cap binds" in result.explain("a")


def test_over_assignment_is_the_number_as_written():
    tree = tree_of({"root": None, "m": "root", "a": "m"}, levels=("company", "manager", "seat"))
    preset = {"manager": 0.10, "seat": 120 / 110 - 1}
    result = cascade(tree, 100_000_000, over_assign=preset)
    assert quotas_of(result) == {"root": 100_000_000, "m": 110_000_000, "a": 120_000_000}
    per_node = cascade(tree, 100_000_000, over_assign={"root": 0.2, "seat": -0.5})
    assert quotas_of(per_node) == {"root": 100_000_000, "m": 120_000_000, "a": 60_000_000}
    everywhere = cascade(tree, 100_000_000, over_assign=0.1)
    assert everywhere.street == 121_000_000


def test_leaf_metrics_roll_up_and_blank_siblings_share_alike():
    tree = tree_of({"root": None, "x": "root", "y": "root", "x1": "x", "x2": "x", "y1": "y", "y2": "y"})
    leaves = pd.DataFrame({"tam": {"x1": 30, "x2": 60, "y1": 0, "y2": 0}})
    leaves.index.name = "node_id"
    result = cascade(tree, 90_000, weights="tam", metrics=leaves)
    assert quotas_of(result)["x"] == 90_000
    mixed = cascade(tree, 90_000, weights={"tam": 0.5, "equal": 0.5}, metrics=leaves)
    assert quotas_of(mixed) == {
        "root": 90_000,
        "x": 68_000,
        "y": 22_000,
        "x1": 28_000,
        "x2": 40_000,
        "y1": 11_000,
        "y2": 11_000,
    }
    assert "All weights are zero below y" in result.notes[0]


def test_floors_below_reach_up_to_the_manager():
    tree = tree_of({"root": None, "x": "root", "y": "root", "x1": "x", "x2": "x", "y1": "y"})
    bounds = pd.DataFrame({"node_id": ["x1", "x2"], "floor": [50_000, 30_000]})
    weights = pd.Series({"x1": 1.0, "x2": 1.0, "y1": 8.0})
    quota = quotas_of(cascade(tree, 100_000, weights=weights, bounds=bounds))
    assert quota == {"root": 100_000, "x": 80_000, "y": 20_000, "x1": 50_000, "x2": 30_000, "y1": 20_000}


def test_what_cannot_be_met_is_explained_with_numbers():
    tree = tree_of({"root": None, "x": "root", "y": "root"})
    low = pd.DataFrame({"node_id": ["x", "y"], "cap": [40_000, 30_000]})
    with pytest.raises(InfeasibleError, match=r"lies outside the reachable range \[0, 70,000\]") as caught:
        cascade(tree, 100_000, bounds=low)
    assert "The caps are 30,000 too low; the largest are those of 'x', 'y'" in str(caught.value)
    high = pd.DataFrame({"node_id": ["x", "y"], "floor": [90_000, 30_000]})
    with pytest.raises(InfeasibleError, match="The floors are 20,000 too high"):
        cascade(tree, 100_000, bounds=high)
    crossed = pd.DataFrame({"node_id": ["x"], "floor": [40_500], "cap": [40_900]})
    with pytest.raises(InfeasibleError, match="Node 'x' lies between 40,500 and 40,900, where no multiple of the unit"):
        cascade(tree, 100_000, bounds=crossed)
    deep = tree_of({"root": None, "m": "root", "z": "root", "m1": "m", "m2": "m"})
    squeezed = pd.DataFrame({"node_id": ["m", "m1", "m2"], "floor": [0, 30_000, 30_000], "cap": [50_000, None, None]})
    with pytest.raises(InfeasibleError, match="Node 'm': the floors below it need 60,000, its cap is 50,000"):
        cascade(deep, 100_000, bounds=squeezed)
    starved = pd.DataFrame({"node_id": ["m", "m1", "m2"], "floor": [50_000, None, None], "cap": [None, 20_000, 20_000]})
    with pytest.raises(InfeasibleError, match="the caps below it take at most 40,000, it must get 50,000"):
        cascade(deep, 100_000, bounds=starved)


def test_all_wrong_arguments_come_in_one_error():
    tree = tree_of({"root": None, "x": "root", "y": "root"}, levels=("company", "seat"))
    metrics = pd.DataFrame({"node_id": ["x", "w"], "tam": [1, -1]})
    with pytest.raises(DataError, match="5 things are wrong") as caught:
        cascade(tree, 1_234_567, over_assign={"seats": 0.1, "seat": 10.5}, weights="tam", metrics=metrics)
    text = str(caught.value)
    assert "must be a multiple of the unit of 1,000" in text
    assert "or a target of 1,235,000" in text
    assert "Did you mean 'seat'?" in text
    assert re.search("must have a number for every leaf.*'y'", text)
    assert re.search("must only name nodes of the tree.*'w'", text)
    with pytest.raises(DataError, match=r"must sum to 1, got 0\.9"):
        cascade(tree, 1000, weights={"share": 0.5, "equal": 0.4})
    with pytest.raises(DataError, match="must not name the root's level"):
        cascade(tree, 1000, over_assign={"company": 0.1})
    with pytest.raises(DataError, match="must have prior"):
        cascade(tree, 1000, bounds=pd.DataFrame({"node_id": ["x"], "max_up_frac": [0.1]}))
    with pytest.raises(DataError, match="unit must be a whole number"):
        cascade(tree, 1000, unit=0)
    with pytest.raises(DataError, match="must be a column of metrics"):
        cascade(tree, 1000, weights="potential")
    ragged = tree_of({"root": None, "x": "root", "m": "root", "m1": "m"}, levels=("company", "manager", "seat"))
    ragged.table.loc[1, "level"] = "seat"
    with pytest.raises(DataError, match=r"must be the same for all children of a node.*'root'"):
        cascade(ragged, 1000, over_assign={"seat": 0.1})


def test_an_edited_table_no_longer_ties_out():
    tree, weights = reference_tree()
    result = cascade(tree, 20_000_000, weights=weights)
    assert len(result.tie_out()) == 8
    result.table.loc[result.table["node_id"] == "m1-1", "quota"] += 1000
    with pytest.raises(DataError, match=r"must tie out at every node.*at 'm1'"):
        result.tie_out()


def test_periods_sum_exactly_to_quarters_and_years():
    calendar = Calendar("2026-01", months=24, season=[0.20, 0.24, 0.26, 0.30], in_quarter=[0.3, 0.3, 0.4])
    result = cascade(tree_of({"root": None, "a": "root"}), 1_155_000, calendar=calendar)
    assert result.by_quarter().iloc[1, 1:].tolist() == [231_000, 277_000, 300_000, 347_000]
    months = result.periods[result.periods["node_id"] == "a"]["quota"] // 1000
    assert months.tolist() == [69, 69, 93, 83, 83, 111, 90, 90, 120, 104, 104, 139]
    with pytest.raises(DataError, match="need a calendar"):
        _ = cascade(tree_of({"root": None, "a": "root"}), 1000).periods


def test_a_real_hierarchy_can_be_cascaded():
    tree = Hierarchy.split(17)
    result = cascade(tree, 17_000_000)
    assert result.street == 17_000_000
    assert set(result.table.loc[result.table["is_leaf"], "quota"]) == {1_000_000}
    assert "street 17,000,000" in repr(result)
    assert result.summary()["quota"].tolist()[0] == 17_000_000


@st.composite
def trees(draw):
    n = draw(st.integers(1, 25))
    parents: dict[str, str | None] = {"n00": None}
    for k in range(1, n):
        parents[f"n{k:02d}"] = f"n{draw(st.integers(max(0, k - 6), k - 1)):02d}"
    inner = set(parents.values())
    leaves = {k: draw(st.integers(0, 9)) for k in parents if k not in inner}
    return parents, pd.Series(leaves, dtype=float)


@settings(max_examples=30, deadline=None)
@given(trees(), st.integers(0, 10**6), st.sampled_from([None, 0.05, 0.1, -0.2, 1 / 3]), st.integers(0, 10_000))
def test_every_edge_is_exact_and_row_order_does_not_matter(drawn, plan, over, seed):
    parents, weights = drawn
    result = cascade(tree_of(parents), plan, over_assign=over, weights=weights, unit=1)
    result.tie_out()
    assert quotas_of(result)["n00"] == plan
    assert (result.table["quota"] >= 0).all()
    order = np.random.default_rng(seed).permutation(len(parents))
    shuffled = SimpleNamespace(table=tree_of(parents).table.iloc[order])
    again = cascade(shuffled, plan, over_assign=over, weights=weights.sample(frac=1, random_state=seed), unit=1)
    assert quotas_of(again) == quotas_of(result)
    scaled = cascade(tree_of(parents), plan, over_assign=over, weights=weights * 4, unit=1)
    assert quotas_of(scaled) == quotas_of(result)


@settings(max_examples=20, deadline=None)
@given(trees(), st.integers(0, 10**6))
def test_without_bounds_every_child_is_within_a_unit_of_its_proportional_part(drawn, plan):
    parents, weights = drawn
    table = cascade(tree_of(parents), plan, weights=weights, unit=1).table
    quota = table.set_index("node_id")["quota"]
    part = table["weight_frac"] * table["parent_id"].map(quota)
    assert ((table["quota"] - part).abs().dropna() < 1 + 1e-6).all()


@settings(max_examples=30, deadline=None)
@given(trees(), st.integers(0, 300), st.sampled_from([None, 0.07, -0.1]), st.integers(0, 10_000))
def test_bounds_hold_or_the_refusal_is_right(drawn, plan, over, seed):
    parents, weights = drawn
    rng = np.random.default_rng(seed)
    ids = np.array(list(parents))
    floors = rng.integers(0, 12, len(ids)) * (rng.random(len(ids)) < 0.3)
    caps = np.where(rng.random(len(ids)) < 0.4, floors + rng.integers(0, 150, len(ids)), np.nan)
    bounds = pd.DataFrame({"node_id": ids, "floor": floors, "cap": caps})
    tree = tree_of(parents)
    try:
        result = cascade(tree, plan, over_assign=over, weights=weights, bounds=bounds, unit=1)
    except InfeasibleError:
        assert not reachable(tree.table, dict(zip(ids, zip(floors, caps, strict=True), strict=True)), plan, over)
        return
    quota = result.table["quota"].to_numpy()
    assert (quota >= floors).all()
    assert not (quota > np.where(np.isnan(caps), np.inf, caps)).any()
    result.tie_out()


def reachable(table, bounds, plan, over) -> bool:
    """By brute force over whole units: can each node pass down what it gets?"""
    from fractions import Fraction

    factor = 1 + Fraction(str(over or 0))
    children = {n: table.loc[table["parent_id"] == n, "node_id"].tolist() for n in table["node_id"]}
    top = 1000

    def able(node):
        low, high = bounds[node]
        high = top if np.isnan(high) else int(high)
        if not children[node]:
            return int(low), high
        parts = [able(c) for c in children[node]]
        if any(p is None for p in parts):
            return None
        need, most = sum(p[0] for p in parts), sum(p[1] for p in parts)
        fits = [q for q in range(int(low), min(high, top) + 1) if need <= int(q * factor + Fraction(1, 2)) <= most]
        return (fits[0], fits[-1]) if fits else None

    span = able("n00")
    return span is not None and span[0] <= plan <= span[1]


def test_a_hundred_thousand_nodes_take_few_seconds():
    parents: dict[str, str | None] = {"r": None}
    layer = ["r"]
    for _ in range(5):
        layer = [c for p in layer for c in (f"{p}{k}" for k in range(10))]
        parents |= {c: c[:-1] for c in layer}
    tree = tree_of(parents)
    rng = np.random.default_rng(0)
    weights = pd.Series(rng.lognormal(0, 1.5, len(layer)), index=layer)
    bounds = pd.DataFrame({"node_id": layer, "floor": 1_000, "cap": 400_000})
    start = time.process_time()
    result = cascade(
        tree, 10_000_000_000, over_assign=0.05, weights=weights, bounds=bounds, calendar=Calendar("2026-01")
    )
    assert time.process_time() - start < 5
    assert len(result.table) == 111_111
