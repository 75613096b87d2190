"""Trees: building, reading, and what is refused."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtm_opt.errors import DataError
from gtm_opt.model import Hierarchy


@given(st.integers(1, 400), st.integers(2, 12))
def test_split_keeps_every_leaf_in_order_and_no_node_too_wide(count: int, buckets: int) -> None:
    tree = Hierarchy.split(count, max_buckets=buckets)
    assert len(tree.leaves) == count
    assert list(tree.leaves) == sorted(tree.leaves)
    assert max(len(tree.children(node)) for node in tree.nodes) <= buckets
    assert sum(tree.share(leaf) for leaf in tree.leaves) == pytest.approx(1.0)


@given(st.integers(11, 300))
def test_split_makes_siblings_of_nearly_equal_size(count: int) -> None:
    tree = Hierarchy.split(count)
    for node in tree.nodes:
        sizes = [tree.leaf_count(child) for child in tree.children(node)]
        assert not sizes or max(sizes) - min(sizes) <= 1


def test_seventeen_reps_become_eight_and_nine() -> None:
    tree = Hierarchy.split(17)
    assert [tree.leaf_count(c) for c in tree.children(tree.root)] == [8, 9]
    assert tree.share("T09 to T17") == pytest.approx(9 / 17)


def test_the_share_of_a_node_is_the_sum_of_its_leaves() -> None:
    tree = Hierarchy.from_dict({"East": {"E1": 3, "E2": 1}, "West": {"North": ["N1", "N2"], "South": None}})
    assert tree.leaves == ("E1", "E2", "N1", "N2", "South")
    assert tree.share("East") == pytest.approx(4 / 7)
    assert tree.share("North") == pytest.approx(2 / 7)
    assert tree.path("N2") == ("company", "West", "North", "N2")
    assert tree.leaves_below("West") == ("N1", "N2", "South")
    assert tree.depth == 3
    assert tree.levels == ("company", "level 1", "level 2", "level 3")


@given(st.integers(5, 60))
def test_a_subtree_has_the_leaves_of_its_root_in_the_same_order(count: int) -> None:
    tree = Hierarchy.split(count, max_buckets=4)
    for node in tree.children(tree.root):
        below = tree.subtree(node)
        start, stop = tree.leaf_range(node)
        assert below.root == node
        assert below.leaves == tree.leaves[start:stop] == tree.leaves_below(node)


def test_reps_with_regions_and_managers_become_a_tree() -> None:
    reps = pd.DataFrame(
        {"region": ["E", "E", "W"], "manager": ["Ann", "Bob", "Ann"], "rep_id": ["r1", "r2", "r3"], "fte": [1, 0.5, 1]}
    )
    tree = Hierarchy.from_reps(reps, ["region", "manager"], share="fte")
    assert tree.children("E") == ("E/Ann", "Bob")
    assert tree.children("W") == ("W/Ann",)
    assert tree.share("Bob") == pytest.approx(0.2)
    assert tree.levels == ("company", "region", "manager", "seat")


def test_a_manager_who_is_a_rep_as_well_gets_a_node_of_her_own() -> None:
    reps = pd.DataFrame({"manager": ["Ann", "Ann"], "rep_id": ["Ann", "Bob"]})
    tree = Hierarchy.from_reps(reps, "manager")
    assert tree.children("company") == ("company/Ann",)
    assert tree.leaves == ("Ann", "Bob")


def test_ids_that_a_csv_reader_turned_into_fractions_are_found_again() -> None:
    table = pd.DataFrame({"node_id": [3, 1, 2], "parent_id": [1.0, None, 1.0], "fte": [2.0, None, 1.0]})
    tree = Hierarchy.from_frame(table, share="fte")
    assert tree.root == "1"
    assert tree.leaves == ("3", "2")
    assert tree.share("3") == pytest.approx(2 / 3)


def test_the_table_the_graph_and_the_text_agree() -> None:
    tree = Hierarchy.from_dict({"100 % East": ["A", "B"], "West": ["C"]})
    graph = tree.to_networkx()
    assert set(graph.nodes) == set(tree.table["node_id"])
    assert graph.nodes["100 % East"]["share"] == pytest.approx(2 / 3)
    assert "100 % East (2 leaves, 66.7 %)" in str(tree)


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda: Hierarchy(("a", "b", "b"), (None, "a", "a"), (0, 1, 1)), "name every node once.*'b'"),
        (lambda: Hierarchy(("a", "b"), (None, None), (0, 1)), "exactly one root, got 2 nodes"),
        (lambda: Hierarchy(("a", "b"), (None, "x"), (0, 1)), "only name known parents.*1 node: 'b'"),
        (lambda: Hierarchy(("a", "b", "c", "d"), (None, "a", "d", "c"), (0, 1, 1, 1)), "must be a tree.*'c', 'd'"),
        (lambda: Hierarchy(("b", "a"), ("a", None), (1, 0)), "parents before their children|must be a tree"),
        (lambda: Hierarchy(("a", "b"), (None, "a"), (0,)), "one parent and one weight"),
        (lambda: Hierarchy(("a", "b"), (None, "a"), (0, float("inf"))), "positive share for every leaf.*'b'"),
        (lambda: Hierarchy(("a",), (None,), (1,)), "a root and at least one leaf"),
        (lambda: Hierarchy.from_dict({"r": [f"t{i}" for i in range(11)]}), "at most 10 buckets.*max_buckets=11"),
        (lambda: Hierarchy.from_dict({"r": {"a": 0.0, "b": 1}}), "positive share for every leaf.*1 leaf: 'a'"),
        (lambda: Hierarchy.from_dict({"r": "East"}), "must hold a dict, a list of names or a weight, got str"),
        (lambda: Hierarchy.split(0), "`leaves` must be at least 1, got 0"),
        (lambda: Hierarchy.split(3, max_buckets=1), "`max_buckets` must be at least 2, got 1"),
        (lambda: Hierarchy.split(3, weights=[1, 2]), "got 2 weights for 3 leaves"),
        (lambda: Hierarchy.split(3).children("X"), "must be in the hierarchy, got 'X'"),
    ],
)
def test_what_is_no_tree_is_refused_with_its_nodes(build, text: str) -> None:
    with pytest.raises(DataError, match=f"(?s){text}"):
        build()
