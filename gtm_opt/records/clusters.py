"""Pairs to companies: connected records, cut where one weak link joins two groups."""

from __future__ import annotations

import networkx as nx
import pandas as pd

__all__ = ["cluster_records"]

_CERTAIN = 0.999


def cluster_records(pairs: pd.DataFrame, refused: list[tuple[str, str]], largest: int) -> pd.DataFrame:
    """Return ``account_id, company, records`` for records that belong to a company of several.

    Parameters
    ----------
    pairs : DataFrame
        ``account_id, other_id, probability``; those that count.
    refused : list of pairs of ids
        Never in one cluster: the weakest links between them are cut.
    largest : int
        A larger cluster loses its weakest links until it falls apart.
    """
    graph: nx.Graph[str] = nx.Graph()
    ordered = pairs.sort_values(["account_id", "other_id"], kind="stable")
    for one, two, p in zip(ordered["account_id"], ordered["other_id"], ordered["probability"], strict=True):
        graph.add_edge(one, two, p=float(p))
    todo = [frozenset(part) for part in nx.connected_components(graph)]
    done: list[frozenset[str]] = []
    while todo:
        part = todo.pop()
        cut = _cut(graph.subgraph(part), [pair for pair in refused if set(pair) <= part], largest)
        if not cut:
            done.append(part)
            continue
        graph.remove_edges_from(cut)
        todo += [frozenset(piece) for piece in nx.connected_components(graph.subgraph(part))]
    rows = [(record, min(part), len(part)) for part in done if len(part) > 1 for record in part]
    return pd.DataFrame(sorted(rows), columns=["account_id", "company", "records"])


def _cut(part: nx.Graph[str], refused: list[tuple[str, str]], largest: int) -> list[tuple[str, str]]:
    """Return links to remove from one cluster, none where it may stay."""
    if refused:
        one, two = min(refused)
        flow: nx.Graph[str] = nx.Graph()
        flow.add_edges_from((a, b, {"capacity": d["p"]}) for a, b, d in part.edges(data=True))
        _, (side, _) = nx.minimum_cut(flow, one, two)
        return [(a, b) for a, b in part.edges() if (a in side) != (b in side)]
    if len(part) > largest:
        weakest = min(d["p"] for _, _, d in part.edges(data=True))
        return [(a, b) for a, b, d in part.edges(data=True) if d["p"] <= weakest]
    if len(part) < 4:
        return []
    for a, b in sorted((min(edge), max(edge)) for edge in nx.bridges(part)):
        if part.edges[a, b]["p"] < _CERTAIN and min(part.degree(a), part.degree(b)) >= 2:
            return [(a, b)]
    return []
