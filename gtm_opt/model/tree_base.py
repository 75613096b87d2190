"""A rooted tree over territories: what can be asked of it, and how it is shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, Findings, shorten
from gtm_opt.model.tree_checks import check_ids, check_shape

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator
    from typing import Self

    import networkx as nx

__all__ = ["MAX_BUCKETS", "Tree"]

MAX_BUCKETS = 10
"""Planners divide into at most this many buckets at a time."""


@dataclass(frozen=True)
class Tree:
    """Nodes, parents and leaf weights, checked as a whole; see `gtm_opt.Hierarchy`, which adds ways to build one."""

    nodes: tuple[str, ...]
    parents: tuple[str | None, ...]
    weights: tuple[float, ...]
    levels: tuple[str, ...] = ()
    max_buckets: int = MAX_BUCKETS
    _children: dict[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found = Findings()
        check_ids(self, found)
        found.raise_if_any()
        children: dict[str, list[str]] = {node: [] for node in self.nodes}
        for node, parent in zip(self.nodes, self.parents, strict=True):
            if parent is not None:
                children[parent].append(node)
        object.__setattr__(self, "_children", {node: tuple(below) for node, below in children.items()})
        check_shape(self, found)
        found.raise_if_any()
        if len(self.levels) != self.depth + 1:
            named = self.levels or ("company",)
            generic = tuple(f"level {d}" for d in range(len(named), self.depth + 1))
            object.__setattr__(self, "levels", (named + generic)[: self.depth + 1])

    # -- reading ------------------------------------------------------------------

    @property
    def root(self) -> str:
        """The top node."""
        return self.nodes[0]

    @cached_property
    def _parent_of(self) -> dict[str, str | None]:
        return dict(zip(self.nodes, self.parents, strict=True))

    @cached_property
    def leaves(self) -> tuple[str, ...]:
        """All leaves, left to right (depth-first order, so that siblings are neighbors)."""
        return tuple(node for node in self._depth_first() if not self._children[node])

    @cached_property
    def _leaf_ranges(self) -> dict[str, tuple[int, int]]:
        ranges: dict[str, tuple[int, int]] = {leaf: (at, at + 1) for at, leaf in enumerate(self.leaves)}
        for node in reversed(self._depth_first()):
            if self._children[node]:
                below = [ranges[child] for child in self._children[node]]
                ranges[node] = (below[0][0], below[-1][1])
        return ranges

    @cached_property
    def _cumulative(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        weight = dict(zip(self.nodes, self.weights, strict=True))
        return np.concatenate([[0.0], np.cumsum([weight[leaf] for leaf in self.leaves])])

    def _depth_first(self) -> list[str]:
        out: list[str] = []
        todo = [self.root]
        while todo:
            node = todo.pop()
            out.append(node)
            todo.extend(reversed(self._children[node]))
        return out

    @cached_property
    def _depths(self) -> dict[str, int]:
        depths: dict[str, int] = {}
        for node, parent in zip(self.nodes, self.parents, strict=True):
            depths[node] = 0 if parent is None else depths[parent] + 1
        return depths

    @property
    def depth(self) -> int:
        """Number of edges from the root to the deepest leaf."""
        return max(self._depths.values())

    @cached_property
    def _heights(self) -> dict[str, int]:
        heights: dict[str, int] = {}
        for node in reversed(self._depth_first()):
            heights[node] = 1 + max((heights[child] for child in self._children[node]), default=-1)
        return heights

    def height(self, node: str) -> int:
        """Return how many levels lie below ``node``; 0 for a leaf."""
        return self._heights[self._known(node)]

    def children(self, node: str) -> tuple[str, ...]:
        """Return the children of ``node``, in order; empty for a leaf."""
        return self._children[self._known(node)]

    def parent(self, node: str) -> str | None:
        """Return the parent of ``node``; None for the root."""
        return self._parent_of[self._known(node)]

    def level(self, node: str) -> str:
        """Return the level name of ``node``."""
        return self.levels[self._depths[self._known(node)]]

    def path(self, node: str) -> tuple[str, ...]:
        """Return the nodes from the root down to ``node``."""
        at: str | None = self._known(node)
        out: list[str] = []
        while at is not None:
            out.append(at)
            at = self._parent_of[at]
        return tuple(reversed(out))

    def leaves_below(self, node: str) -> tuple[str, ...]:
        """Return the leaves at or below ``node``."""
        start, stop = self._leaf_ranges[self._known(node)]
        return self.leaves[start:stop]

    def leaf_range(self, node: str) -> tuple[int, int]:
        """Return the positions [start, stop) of the leaves of ``node`` in ``leaves``."""
        return self._leaf_ranges[self._known(node)]

    def leaf_count(self, node: str) -> int:
        """Return how many leaves lie at or below ``node``."""
        start, stop = self._leaf_ranges[self._known(node)]
        return stop - start

    def is_leaf(self, node: str) -> bool:
        """Whether ``node`` has no children."""
        return not self._children[self._known(node)]

    def share(self, node: str) -> float:
        """Return the share of ``node`` in the whole, a fraction."""
        start, stop = self._leaf_ranges[self._known(node)]
        return float((self._cumulative[stop] - self._cumulative[start]) / self._cumulative[-1])

    def walk(self) -> Iterator[str]:
        """Yield all nodes, parents first, level by level."""
        yield from sorted(self.nodes, key=lambda node: self._depths[node])

    def nodes_at(self, depth: int) -> tuple[str, ...]:
        """Return the nodes at ``depth``, left to right."""
        return tuple(node for node in self._depth_first() if self._depths[node] == depth)

    def subtree(self, node: str) -> Self:
        """Return the tree below ``node``, which becomes its root."""
        kept = [n for n in self.walk() if self._below(n, node)]
        weight = dict(zip(self.nodes, self.weights, strict=True))
        depth = self._depths[self._known(node)]
        return type(self)(
            tuple(kept),
            tuple(None if n == node else self._parent_of[n] for n in kept),
            tuple(weight[n] for n in kept),
            self.levels[depth:],
            self.max_buckets,
        )

    def _below(self, node: str, above: str) -> bool:
        start, stop = self._leaf_ranges[above]
        first, last = self._leaf_ranges[node]
        return start <= first and last <= stop and self._depths[node] >= self._depths[above]

    def _known(self, node: str) -> str:
        if node not in self._children:
            raise DataError(f"`node` must be in the hierarchy, got '{node}'. Leaves are: {shorten(self.leaves)}.")
        return node

    # -- showing ------------------------------------------------------------------

    @property
    def table(self) -> pd.DataFrame:
        """One row per node, parents first: node_id, parent_id, level, depth, share, leaves, is_leaf."""
        nodes = list(self.walk())
        return pd.DataFrame(
            {
                "node_id": nodes,
                "parent_id": [self._parent_of[n] for n in nodes],
                "level": [self.level(n) for n in nodes],
                "depth": [self._depths[n] for n in nodes],
                "share": [self.share(n) for n in nodes],
                "leaves": [self.leaf_count(n) for n in nodes],
                "is_leaf": [not self._children[n] for n in nodes],
            }
        )

    def to_networkx(self) -> nx.DiGraph[Hashable]:
        """Return the tree as a directed graph, edges from parent to child, with the columns of `table`."""
        import networkx as nx

        graph: nx.DiGraph[Hashable] = nx.DiGraph()
        for row in self.table.to_dict("records"):
            graph.add_node(row["node_id"], **{str(k): v for k, v in row.items() if k not in ("node_id", "parent_id")})
        graph.add_edges_from((p, n) for n, p in self._parent_of.items() if p is not None)
        return graph

    def to_text(self, *, depth: int | None = None) -> str:
        """Return the tree drawn with lines, at most ``depth`` levels below the root."""
        lines: list[str] = []

        def draw(node: str, prefix: str, lead: str, level: int) -> None:
            count = self.leaf_count(node)
            size = "" if not self._children[node] else f"{count} leaves, "
            lines.append(f"{prefix}{lead}{node} ({size}{100 * self.share(node):.1f} %)")
            if depth is not None and level >= depth:
                return
            inner = prefix + ("" if not lead else "│   " if lead.startswith("├") else "    ")
            below = self._children[node]
            for number, child in enumerate(below, 1):
                draw(child, inner, "└── " if number == len(below) else "├── ", level + 1)

        draw(self.root, "", "", 0)
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.to_text()
