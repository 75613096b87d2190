"""What planners ask of a quota tool in public issues, each as a statement."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtm_opt as gtm

TREE = gtm.Hierarchy.from_dict({"e": ["a", "b"], "w": ["c", "d"]})
METRICS = pd.DataFrame({"node_id": list("abcd"), "m": [0.0, 0.0, 0.0, 5.0]})


def quota(**options) -> dict[str, int]:
    table = gtm.cascade(TREE, 1_000_000, weights="m", metrics=METRICS, **options).table
    return dict(zip(table["node_id"], table["quota"], strict=True))


def test_no_target_vanishes_where_a_whole_branch_has_zero_metrics() -> None:
    pinned = pd.DataFrame({"node_id": ["e"], "pin": [400_000]})
    assert quota(bounds=pinned) == {
        "company": 1_000_000,
        "e": 400_000,
        "w": 600_000,
        "a": 200_000,
        "b": 200_000,
        "c": 0,
    } | {"d": 600_000}


def test_a_pin_on_a_seat_with_a_zero_metric_is_kept() -> None:
    assert quota(bounds=pd.DataFrame({"node_id": ["a"], "pin": [123_000]}))["a"] == 123_000


def test_the_order_of_pins_and_the_grain_of_rows_change_nothing() -> None:
    pins = pd.DataFrame({"node_id": ["a", "w", "c"], "pin": [100_000, 700_000, 50_000]})
    first = quota(bounds=pins)
    assert first == quota(bounds=pins.iloc[[2, 0, 1]])
    assert (first["b"], first["d"]) == (200_000, 650_000)


def test_an_exact_amount_moves_from_one_seat_to_another_and_no_other_number_changes() -> None:
    before = quota(bounds=pd.DataFrame({"node_id": ["e", "a", "c"], "pin": [500_000, 250_000, 100_000]}))
    after = quota(bounds=pd.DataFrame({"node_id": ["e", "a", "c"], "pin": [500_000, 250_000, 137_000]}))
    assert {n: after[n] - before[n] for n in after if after[n] != before[n]} == {"c": 37_000, "d": -37_000}


def test_no_split_overshoots_its_parent_by_a_unit() -> None:
    table = gtm.cascade(TREE, 1_000_001, weights="equal", unit=1).table.set_index("node_id")["quota"]
    assert table[["a", "b"]].sum() == table["e"]
    assert table[["e", "w"]].sum() == 1_000_001


def test_two_cuts_of_one_organization_carry_two_components() -> None:
    other = gtm.Hierarchy.from_dict({"hunters": ["a", "c"], "farmers": ["b", "d"]})
    both = gtm.cascade_components(
        [
            gtm.QuotaComponent("new", 1_000_000, TREE, weight_frac=0.5, measure="EUR"),
            gtm.QuotaComponent("renewal", 600_000, other, weight_frac=0.5, measure="EUR"),
        ]
    )
    assert both.seats.groupby("seat_id")["quota"].sum().to_dict() == dict.fromkeys("abcd", 400_000)


@settings(max_examples=30)
@given(st.integers(1, 10_000), st.sampled_from([3, 7, 1_000]))
def test_scaling_the_currency_scales_the_result(plan: int, factor: int) -> None:
    metrics = METRICS.assign(m=[3, 1, 4, 1])
    first = gtm.cascade(TREE, plan, weights="m", metrics=metrics, unit=1, over_assign=0.05).table["quota"]
    second = gtm.cascade(TREE, plan * factor, weights="m", metrics=metrics, unit=factor, over_assign=0.05).table[
        "quota"
    ]
    assert (first * factor == second).all()


def test_what_is_cascaded_twice_is_what_is_cascaded_once() -> None:
    first = gtm.cascade(TREE, 1_000_000, weights="m", metrics=METRICS.assign(m=[3, 1, 4, 1]))
    leaves = first.table[first.table["is_leaf"]]
    again = gtm.cascade(TREE, 1_000_000, weights=leaves.set_index("node_id")["quota"].astype(float))
    assert again.table["quota"].tolist() == first.table["quota"].tolist()


@pytest.mark.slow
def test_months_of_ten_thousand_seats_tie_at_every_edge() -> None:
    names = [f"s{n:05d}" for n in range(10_000)]
    reps = pd.DataFrame({"rep_id": names, "m": [f"m{n // 10:04d}" for n in range(10_000)]})
    reps["v"] = [f"v{n // 100:03d}" for n in range(10_000)]
    tree = gtm.Hierarchy.from_reps(reps, levels=["v", "m"], max_buckets=200)
    weights = pd.Series(np.random.default_rng(0).lognormal(0, 1, 10_000), index=names)
    quotas = gtm.cascade(tree, 5_000_000_000, weights=weights, over_assign=0.05, calendar=gtm.Calendar("2027-01"))
    months = quotas.spread("month").pivot(index="node_id", columns="period", values="quota")
    table = quotas.table.set_index("node_id")
    assert (months.sum(axis=1) == table["quota"].reindex(months.index)).all()
    together = months.groupby(table["parent_id"].reindex(months.index)).sum()
    year = table["quota"].groupby(table["parent_id"]).sum()
    assert (together.sum(axis=1) == year.reindex(together.index)).all()
    exact = months.loc[together.index].mul(
        year.reindex(together.index) / table["quota"].reindex(together.index), axis=0
    )
    assert (together - exact).abs().max().max() < 2 * quotas.unit
