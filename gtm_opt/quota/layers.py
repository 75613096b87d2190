"""A hierarchy as arrays: one layer per depth, siblings side by side and sorted by id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

__all__ = ["Layer", "Layers", "TreeLike"]


class TreeLike(Protocol):
    """What the cascade needs of a hierarchy."""

    @property
    def table(self) -> pd.DataFrame:
        """Columns node_id, parent_id, level, depth, share, is_leaf."""
        ...


@dataclass(frozen=True, eq=False)
class Layer:
    """All nodes of one depth below the root.

    Attributes
    ----------
    nodes : slice
        Their positions.
    starts : ndarray of int, shape (n_groups,)
        First member of each sibling group, relative to the layer.
    group : ndarray of int, shape (n_nodes,)
        Sibling group of each node.
    parents : ndarray of int, shape (n_groups,)
        Position of the parent of each group.
    """

    nodes: slice
    starts: IntArray
    group: IntArray
    parents: IntArray


@dataclass(frozen=True, eq=False)
class Layers:
    """The nodes of a tree in canonical order: by depth, then by parent, then by id.

    Because the order of the rows is forgotten here, no later sum or tie can depend on it.

    Attributes
    ----------
    ids, level : list of str
    parent : ndarray of int, shape (n,)
        Position of the parent, -1 for the root.
    is_leaf : ndarray of bool, shape (n,)
    share : ndarray of shape (n,)
    row : ndarray of int, shape (n,)
        Row of each node in the tree's table.
    bounds : ndarray of int
        Position of the first node of each depth, and the number of nodes.
    """

    ids: list[str]
    level: list[str]
    parent: IntArray
    is_leaf: NDArray[np.bool_]
    share: FloatArray
    row: IntArray
    bounds: IntArray

    @classmethod
    def of(cls, tree: TreeLike) -> Layers:
        """Read the table of a tree.

        Raises
        ------
        DataError
            If ids repeat, a parent is unknown, or the depths do not fit.
        """
        table = tree.table
        ids = np.array([str(n) for n in table["node_id"]], dtype=object)
        above = pd.Index(ids).get_indexer(pd.Index([None if pd.isna(p) else str(p) for p in table["parent_id"]]))
        depth = table["depth"].to_numpy(dtype=np.int64)
        _check(ids, above, depth, table)
        rank = np.empty(len(ids), dtype=np.int64)
        rank[np.argsort(ids, kind="stable")] = np.arange(len(ids))
        order, place = np.flatnonzero(above < 0), np.full(len(ids), -1, dtype=np.int64)
        place[order] = 0
        pieces, bounds = [order], [0, 1]
        for d in range(1, int(depth.max()) + 1):
            here = np.flatnonzero(depth == d)
            here = here[np.lexsort((rank[here], place[above[here]]))]
            place[here] = bounds[-1] + np.arange(len(here))
            pieces.append(here)
            bounds.append(bounds[-1] + len(here))
        row = np.concatenate(pieces)
        parent = np.where(above[row] >= 0, place[above[row]], -1)
        is_leaf = np.ones(len(ids), dtype=bool)
        is_leaf[parent[parent >= 0]] = False
        share = table["share"].to_numpy(dtype=np.float64)[row] if "share" in table.columns else np.ones(len(ids))
        level = [str(x) for x in table["level"].to_numpy(dtype=object)[row]]
        return cls([str(i) for i in ids[row]], level, parent, is_leaf, share, row, np.array(bounds, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.ids)

    def down(self) -> Iterator[Layer]:
        """Yield the layers below the root, from the top."""
        for lo, hi in zip(self.bounds[1:-1], self.bounds[2:], strict=True):
            above = self.parent[lo:hi]
            first = np.concatenate([[True], above[1:] != above[:-1]])
            starts = np.flatnonzero(first)
            yield Layer(slice(int(lo), int(hi)), starts, np.cumsum(first) - 1, above[starts])

    def up(self) -> Iterator[Layer]:
        """Yield the layers below the root, from the bottom."""
        yield from reversed(list(self.down()))

    def roll_up(self, values: FloatArray, missing: NDArray[np.bool_]) -> FloatArray:
        """Return `values` with the missing ones of inner nodes replaced by the sum of their children."""
        out = np.where(missing, 0.0, values)
        for layer in self.up():
            sums = np.add.reduceat(out[layer.nodes], layer.starts)
            fill = missing[layer.parents]
            out[layer.parents[fill]] = sums[fill]
        return out


def _check(ids: NDArray[np.object_], above: IntArray, depth: IntArray, table: pd.DataFrame) -> None:
    found = Findings()
    repeated = pd.Series(ids)[pd.Series(ids).duplicated()]
    if len(repeated):
        found.add("tree", "must have unique node ids", rows=repeated, kind="node")
    lost = (above < 0) & table["parent_id"].notna().to_numpy()
    if lost.any():
        found.add("tree", "must only name known parents", rows=ids[lost], kind="node")
    elif int((above < 0).sum()) != 1:
        found.add("tree", "must have one root", got=f"{int((above < 0).sum())} nodes without a parent")
    else:
        wrong = depth != np.where(above < 0, 0, depth[above] + 1)
        if wrong.any():
            found.add("tree", "must have depths one more than the parent's", rows=ids[wrong], kind="node")
    found.raise_if_any()
