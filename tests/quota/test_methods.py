"""Families share by named methods, by level or node; what has no metric is said; bounds are kept in either distance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtm_opt as gtm
from tests.quota.test_cascade import quotas_of, tree_of
from tests.quota.test_periods import random_tree

FLAT = {"root": None, "a": "root", "b": "root", "c": "root", "d": "root"}
PRIOR = [2.8e6, 3.2e6, 2.5e6, 1.5e6]
METRICS = pd.DataFrame({"node_id": list("abcd"), "potential": [0.4, 0.3, 0.2, 0.1], "prior": PRIOR})


def flat(**options) -> list[int]:
    return (
        gtm.cascade(tree_of(FLAT), 11_000_000, weights="potential", metrics=METRICS, **options)
        .table["quota"]
        .tolist()[1:]
    )


def test_fair_share_growth_has_the_reference_values() -> None:
    assert flat(method="fair_share_growth") == [3_200_000, 3_500_000, 2_700_000, 1_600_000]


def test_same_growth_is_last_year_plus_the_same_for_everybody() -> None:
    assert flat(method="same_growth") == [3_080_000, 3_520_000, 2_750_000, 1_650_000]


def test_growth_by_potential_goes_only_where_last_year_is_behind_the_potential() -> None:
    # shares of potential 4.4/3.3/2.2/1.1 against 2.8/3.2/2.5/1.5: ahead by 1.6 and 0.1, growth of 1.0
    assert flat(method="growth_by_potential") == [3_741_000, 3_259_000, 2_500_000, 1_500_000]


def test_a_function_says_the_shares_of_each_family() -> None:
    def flat_tax(children: pd.DataFrame, total: float) -> np.ndarray:
        assert total == 11_000_000
        return np.sqrt(children["prior"])

    assert sum(flat(method=flat_tax)) == 11_000_000
    with pytest.raises(gtm.DataError, match="must return one finite amount per child"):
        flat(method=lambda children, total: [1.0])
    with pytest.raises(gtm.DataError, match="must be a named method or a function, got 'fair share'"):
        flat(method="fair share")


def test_methods_and_weights_differ_by_level_and_by_node() -> None:
    parents = {"root": None, "x": "root", "y": "root", "x1": "x", "x2": "x", "y1": "y", "y2": "y"}
    tree = tree_of(parents, levels=("company", "manager", "seat"))
    metrics = pd.DataFrame({"node_id": ["x1", "x2", "y1", "y2"], "tam": [1, 2, 3, 4], "prior": [4e4, 1e4, 2e4, 3e4]})
    quotas = gtm.cascade(
        tree,
        100_000,
        weights="tam",
        weights_at={"manager": "equal"},
        method={"y": "same_growth"},
        metrics=metrics,
    )
    assert quotas_of(quotas) == {
        "root": 100_000,
        "x": 50_000,
        "y": 50_000,
        "x1": 17_000,
        "x2": 33_000,
        "y1": 20_000,
        "y2": 30_000,
    }
    with pytest.raises(gtm.DataError, match="must name levels or nodes of the tree, got 'managr'"):
        gtm.cascade(tree, 100_000, weights_at={"managr": "equal"})


def test_bounds_are_kept_in_both_distances_as_in_the_reference() -> None:
    bounds = pd.DataFrame({"node_id": list("abcd"), "prior": PRIOR, "max_down_frac": 0.1, "max_up_frac": 0.25})
    assert flat(bounds=bounds) == [3_500_000, 3_690_000, 2_460_000, 1_350_000]
    assert flat(bounds=bounds, distance="l2") == [3_500_000, 3_600_000, 2_500_000, 1_400_000]
    with pytest.raises(gtm.DataError, match="must be 'kl' or 'l2'"):
        flat(bounds=bounds, distance="l1")


def test_a_family_without_the_metric_falls_back_along_a_chain_and_says_so() -> None:
    parents = {"root": None, "x": "root", "y": "root", "x1": "x", "x2": "x", "y1": "y", "y2": "y"}
    tree = tree_of(parents)
    metrics = pd.DataFrame({"node_id": ["x1", "x2", "y1", "y2"], "tam": [1, 2, 0, 0], "heads": [1, 1, 1, 3]})
    options = {"weights": "tam", "weights_at": {"root": "equal"}, "metrics": metrics}
    chained = gtm.cascade(tree, 80_000, fallback=["heads", "equal"], **options)
    assert (quotas_of(chained)["y1"], quotas_of(chained)["y2"]) == (10_000, 30_000)
    assert chained.notes == ("All weights are zero below y: their children share by 'heads'.",)
    alike = gtm.cascade(tree, 80_000, **options)
    assert (quotas_of(alike)["y1"], quotas_of(alike)["y2"]) == (20_000, 20_000)
    with pytest.raises(gtm.DataError, match="must not all be zero below a node; violated by 1 node: 'y'"):
        gtm.cascade(tree, 80_000, fallback="error", **options)


def test_a_zero_is_a_zero_and_a_new_seat_counts_as_the_mean_of_its_siblings() -> None:
    metrics = METRICS.assign(potential=[0.4, 0.2, 0.0, None])
    with pytest.raises(gtm.DataError, match="must have a number for every leaf"):
        gtm.cascade(tree_of(FLAT), 800_000, weights="potential", metrics=metrics)
    quotas = gtm.cascade(tree_of(FLAT), 800_000, weights="potential", metrics=metrics, missing="mean")
    assert quotas.table["quota"].tolist()[1:] == [400_000, 200_000, 0, 200_000]
    assert "No weight for 'd': counted as the mean" in quotas.notes[0]


def test_the_order_of_pins_never_matters_and_siblings_share_the_remainder() -> None:
    pins = pd.DataFrame({"node_id": ["c", "a"], "pin": [1_000_000, 5_000_000]})
    first, second = flat(bounds=pins), flat(bounds=pins.iloc[::-1])
    assert first == second == [5_000_000, 3_750_000, 1_000_000, 1_250_000]


def test_overlapping_pins_are_refused_with_amounts() -> None:
    twice = pd.DataFrame({"node_id": ["a", "a"], "pin": [1_000_000, 2_000_000]})
    with pytest.raises(gtm.DataError, match="must have one row per node; violated by 1 node: 'a'"):
        flat(bounds=twice)
    parents = {"root": None, "x": "root", "y": "root", "x1": "x", "x2": "x"}
    pins = pd.DataFrame({"node_id": ["x", "x1", "x2"], "pin": [50_000, 30_000, 30_000]})
    with pytest.raises(gtm.InfeasibleError, match="the floors below it need 60,000, its cap is 50,000"):
        gtm.cascade(tree_of(parents), 100_000, bounds=pins)


def test_a_pin_holds_before_or_after_over_assignment() -> None:
    pins = pd.DataFrame({"node_id": ["a", "b"], "pin": [1_000_000, 1_000_000], "basis": ["before", "after"]})
    quotas = gtm.cascade(tree_of(FLAT), 10_000_000, over_assign=0.05, bounds=pins)
    assert (quotas.quota("a"), quotas.quota("b")) == (1_050_000, 1_000_000)
    odd = pd.DataFrame({"node_id": ["a"], "pin": [333_000], "basis": ["before"]})
    assert gtm.cascade(tree_of(FLAT), 10_000_000, over_assign=0.05, bounds=odd).quota("a") == 350_000
    with pytest.raises(gtm.DataError, match="must be 'after' or 'before' over-assignment"):
        gtm.cascade(tree_of(FLAT), 10_000_000, bounds=odd.assign(basis="gross"))


def test_three_layers_of_stretch_compound_to_the_published_range() -> None:
    tree = tree_of({"root": None, "v": "root", "m": "v", "s": "m"})
    for last, street in ((0.05, 1.2705), (0.10, 1.331)):
        quotas = gtm.cascade(tree, 10_000_000, over_assign={"vp": 0.1, "manager": 0.1, "seat": last})
        assert quotas.street / quotas.target == pytest.approx(street)


@settings(max_examples=20)
@given(st.data())
def test_random_trees_tie_out_keep_bounds_and_pins_and_repeat(data) -> None:
    tree = random_tree(data, data.draw(st.integers(1, 3)), 3)
    nodes = list(tree.nodes)[1:]
    plan = data.draw(st.integers(1, 500)) * 1_000
    metrics = pd.DataFrame({"node_id": list(tree.leaves)})
    metrics["m"] = [data.draw(st.integers(0, 9)) for _ in tree.leaves]
    metrics["prior"] = [data.draw(st.integers(0, 90)) * 1_000 for _ in tree.leaves]
    options = {
        "weights": "m",
        "metrics": metrics,
        "method": data.draw(
            st.sampled_from(["proportional", "same_growth", "fair_share_growth", "growth_by_potential"])
        ),
        "distance": data.draw(st.sampled_from(["kl", "l2"])),
        "over_assign": data.draw(st.sampled_from([None, 0.1, -0.1])),
    }
    first = gtm.cascade(tree, plan, **options)
    pinned = data.draw(st.lists(st.sampled_from(nodes), max_size=3, unique=True))
    if not pinned:
        return
    pins = pd.DataFrame({"node_id": pinned, "pin": [first.quota(n) for n in pinned]})
    held = gtm.cascade(tree, plan, bounds=pins, **options)
    assert all(held.quota(n) == first.quota(n) for n in pinned)
    held.tie_out()
    again = gtm.cascade(tree, plan, bounds=pins.iloc[::-1], **options)
    pd.testing.assert_frame_equal(held.table, again.table)
