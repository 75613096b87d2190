"""Trees by place and by attribute, and their names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import gtm_opt as gtm
from tests.carving.tree_problems import territories


def test_seventeen_become_eight_and_nine_named_by_first_and_last() -> None:
    tree = gtm.Hierarchy.split(17)
    assert tree.children(tree.root) == ("T01 to T08", "T09 to T17")
    assert [tree.leaf_count(c) for c in tree.children(tree.root)] == [8, 9]


def test_a_thousand_become_ten_by_ten_by_ten() -> None:
    tree = gtm.Hierarchy.split(1000)
    sizes = {len(tree.children(node)) for node in tree.nodes if not tree.is_leaf(node)}
    assert (sizes, tree.depth, len(tree.nodes)) == ({10}, 3, 1111)
    assert tree.children("T0001 to T0100")[0] == "T0001 to T0010"


def test_groups_by_place_are_compact_and_as_large_as_those_of_split() -> None:
    given = territories(100)
    by_place, by_order = gtm.Hierarchy.by_place(given), gtm.Hierarchy.split(given.names)
    centers = dict(zip(given.names, np.array(given.centers), strict=True))

    def scatter(tree: gtm.Hierarchy) -> float:
        groups = [np.array([centers[x] for x in tree.leaves_below(c)]) for c in tree.children(tree.root)]
        return float(sum(g.var(axis=0).sum() * len(g) for g in groups))

    assert scatter(by_place) < 0.3 * scatter(by_order)
    assert [by_place.leaf_count(c) for c in by_place.children(by_place.root)] == [10] * 10
    assert sorted(by_place.leaves) == sorted(given.names)
    assert by_place.children(by_place.root)[0].startswith("around T")


def test_by_place_does_not_depend_on_the_order_of_the_territories() -> None:
    given = territories(40)
    turned = gtm.Territories(given.names[::-1], centers=given.centers[::-1])
    groups = [
        {frozenset(t.leaves_below(c)) for c in t.children(t.root)}
        for t in (gtm.Hierarchy.by_place(given), gtm.Hierarchy.by_place(turned))
    ]
    assert groups[0] == groups[1]


def test_by_place_asks_for_centers() -> None:
    with pytest.raises(gtm.DataError, match="must have centers"):
        gtm.Hierarchy.by_place(gtm.Territories.equal(30))


def test_reps_are_grouped_by_skill_and_large_groups_divided() -> None:
    reps = pd.DataFrame({"rep_id": [f"R{i}" for i in range(24)], "skill": ["bank"] * 18 + ["retail"] * 6})
    tree = gtm.Hierarchy.group(reps, "skill")
    assert tree.children(tree.root) == ("bank", "retail")
    assert tree.leaf_count("bank") == 18
    assert len(tree.children("bank")) == 2
    assert tree.leaves_below("retail") == tuple(f"R{i}" for i in range(18, 24))


def test_group_names_columns_that_are_missing() -> None:
    with pytest.raises(gtm.DataError, match=r"reps\['skil'\] must exist"):
        gtm.Hierarchy.group(pd.DataFrame({"rep_id": ["a"], "skill": ["x"]}), "skil")


def test_a_leaf_that_is_called_like_a_group_keeps_its_name() -> None:
    names = ["a", "b", "c", "a to b"]
    tree = gtm.Hierarchy.split(names, max_buckets=2)
    assert set(names) == set(tree.leaves)
    assert len(set(tree.nodes)) == len(tree.nodes)
