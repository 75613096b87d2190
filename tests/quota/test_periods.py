"""Months and quarters tie out along every row and every edge of the tree."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtm_opt as gtm
from gtm_opt.quota.periods import round_table


def random_tree(data, depth: int, most: int) -> gtm.Hierarchy:
    nodes, parents, layer = ["n"], [None], ["n"]
    for _ in range(depth):
        below = []
        for parent in layer:
            for child in range(data.draw(st.integers(1, most))):
                nodes.append(f"{parent}{child}")
                parents.append(parent)
                below.append(nodes[-1])
        layer = below
    weights = [data.draw(st.integers(1, 50)) for _ in nodes]
    frame = pd.DataFrame({"node_id": nodes, "parent_id": parents, "w": weights})
    return gtm.Hierarchy.from_frame(frame, share="w")


@settings(max_examples=60)
@given(st.data())
def test_every_edge_ties_in_every_month(data) -> None:
    tree = random_tree(data, data.draw(st.integers(1, 3)), 4)
    season = [data.draw(st.integers(0, 9)) for _ in range(12)]
    season = season if sum(season) else [1] * 12
    over = data.draw(st.sampled_from([0.0, 0.1, 0.0333, -0.05]))
    calendar = gtm.Calendar("2027-01", season=[s / sum(season) for s in season])
    unit = data.draw(st.sampled_from([1, 1_000]))
    quotas = gtm.cascade(tree, unit * data.draw(st.integers(0, 3_000)), over_assign=over, calendar=calendar, unit=unit)
    wide = quotas.periods.pivot(index="node_id", columns="month", values="quota")
    table = quotas.table.set_index("node_id")
    assert (wide.sum(axis=1) == table["quota"].reindex(wide.index)).all()
    assert (wide % unit == 0).all().all()
    assert (wide >= 0).all().all()
    for parent, below in table.groupby("parent_id"):
        got = wide.loc[below.index].sum().to_numpy()
        year = table.loc[parent, "quota"]
        exact = wide.loc[parent].to_numpy() * (below["quota"].sum() / year if year else 1.0)
        if below["quota"].sum() == year:
            assert (got == wide.loc[parent].to_numpy()).all()
        assert np.abs(got - exact).max() < 2 * unit
        quarters = got.reshape(4, 3).sum(axis=1)
        assert np.abs(quarters - exact.reshape(4, 3).sum(axis=1)).max() < unit


def test_months_of_a_hundred_sellers_are_those_of_the_manager() -> None:
    reps = pd.DataFrame({"rep_id": [f"r{n:03d}" for n in range(100)], "manager": "m"})
    tree = gtm.Hierarchy.from_reps(reps, levels=["manager"], max_buckets=100)
    calendar = gtm.Calendar("2027-01", season=[0.2, 0.24, 0.26, 0.3], in_quarter=[0.3, 0.3, 0.4])
    periods = gtm.cascade(tree, 61_234_000, calendar=calendar).periods.set_index("node_id")
    team = periods[periods.index.str.startswith("r")].groupby("month")["quota"].sum()
    assert (team.to_numpy() == periods.loc["m", "quota"].to_numpy()).all()


@given(st.lists(st.integers(0, 30), min_size=1, max_size=6), st.lists(st.integers(0, 30), min_size=1, max_size=5))
def test_a_table_is_rounded_down_or_up_with_both_margins_exact(rows, weights) -> None:
    total = sum(rows)
    if sum(weights) == 0:
        weights = [1] * len(weights)
    columns = [total * w // sum(weights) for w in weights]
    columns[0] += total - sum(columns)
    table = round_table(np.array(rows), np.array(columns))
    assert table.sum(axis=1).tolist() == rows
    assert table.sum(axis=0).tolist() == columns
    if total:
        exact = np.outer(rows, columns) / total
        assert (np.abs(table - exact) < 1 - 1e-12).all()


def test_amounts_beyond_64_bits_are_exact() -> None:
    rows, columns = np.array([2**40 + 1, 2**40 + 2, 3]), np.array([2**40, 2**40 + 6])
    table = round_table(rows, columns)
    assert table.sum(axis=1).tolist() == rows.tolist()
    assert table.sum(axis=0).tolist() == columns.tolist()


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_order_of_the_rows_of_a_tree_changes_no_month(order) -> None:
    frame = pd.DataFrame({"node_id": ["a", "b", "c"], "parent_id": ["co"] * 3, "w": [5, 3, 3]}).iloc[list(order)]
    frame = pd.concat([pd.DataFrame({"node_id": ["co"], "parent_id": [None], "w": [0]}), frame])
    quotas = gtm.cascade(gtm.Hierarchy.from_frame(frame, share="w"), 101_000, calendar=gtm.Calendar("2027-01"))
    wide = quotas.periods.pivot(index="node_id", columns="month", values="quota").sort_index()
    tree = gtm.Hierarchy.from_frame(frame.sort_values("node_id"), share="w")
    first = gtm.cascade(tree, 101_000, calendar=gtm.Calendar("2027-01")).periods
    pd.testing.assert_frame_equal(wide, first.pivot(index="node_id", columns="month", values="quota").sort_index())
