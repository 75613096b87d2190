"""Families: links, labels and cycles."""

from __future__ import annotations

import networkx as nx
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtm_opt.errors import DataError, Findings
from gtm_opt.model import KeepTogether
from gtm_opt.model.families import family_labels


def labels(parents: list) -> list[int]:
    found = Findings()
    ids = pd.Index([str(i) for i in range(len(parents))])
    out = family_labels(ids, pd.Series(parents), KeepTogether("group"), found)
    found.raise_if_any()
    return out.tolist()


def test_children_of_children_belong_to_the_family_and_heads_may_name_themselves() -> None:
    assert labels([None, "0", "1", None, "3", "4"]) == [0, 0, 0, 1, 1, 1]
    assert labels(["0", "0", ""]) == [0, 0, 1]


def test_labels_that_are_no_ids_group_accounts() -> None:
    assert labels(["ACME", None, "ACME", "Globex"]) == [0, 1, 0, 2]


def test_numeric_parents_with_gaps_match_their_ids() -> None:
    assert labels([None, 0.0, 0.0, None]) == [0, 0, 0, 1]


def test_a_cycle_is_reported_with_its_members_only() -> None:
    with pytest.raises(DataError, match=r"must not form a cycle.*in 3 rows: '0', '1', '2'"):
        labels(["1", "2", "0", "0", None])


@given(st.data(), st.integers(1, 30))
def test_families_are_the_components_of_the_forest(data, count: int) -> None:
    parents = [data.draw(st.none() | st.integers(0, i - 1).map(str)) if i else None for i in range(count)]
    graph = nx.Graph()
    graph.add_nodes_from(range(count))
    graph.add_edges_from((i, int(p)) for i, p in enumerate(parents) if p is not None)
    of = {i: min(c) for c in nx.connected_components(graph) for i in c}
    found = labels(parents)
    assert all((found[i] == found[j]) == (of[i] == of[j]) for i in range(count) for j in range(count))
    assert [found[i] for i in range(count) if found[i] not in found[:i]] == sorted(set(found))
