"""The cells of a cube: which combinations of labels exist, their seed, and the groups that sum them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings, shorten
from gtm_opt.model.tables import did_you_mean, id_text, number_column
from gtm_opt.quota.layers import Layers, TreeLike

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

__all__ = ["Axis", "Cells", "label_positions", "read_cells"]


@dataclass(frozen=True, eq=False)
class Axis:
    """A dimension, or a level of a tree over one: how its labels are grouped.

    Attributes
    ----------
    name : str
        Of the dimension or the level.
    dimension : int
        Position of the dimension.
    depth : int
        0 is the coarsest level of the tree below its root; the dimension itself is the deepest.
    labels : ndarray of str, shape (n_groups,)
        Sorted.
    group : ndarray of int, shape (n_labels,)
        Group of each label of the dimension.
    """

    name: str
    dimension: int
    depth: int
    labels: NDArray[np.object_]
    group: IntArray


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells with a positive seed, in the order of their labels; everything else is a structural zero.

    Attributes
    ----------
    axes : dict of str to Axis
        Dimensions first, in the order of the seed, then levels of trees.
    dimensions : tuple of str
    code : tuple of ndarray of int, one per dimension, each of shape (n_cells,)
        Label of every cell.
    seed : ndarray of shape (n_cells,)
        Positive.
    zeros : int
        Combinations of labels that are structural zeros.
    """

    axes: dict[str, Axis]
    dimensions: tuple[str, ...]
    code: tuple[IntArray, ...]
    seed: FloatArray
    zeros: int = 0
    _cache: dict[tuple[str, ...], tuple[IntArray, int]] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.seed)

    def group(self, axes: Sequence[str]) -> tuple[IntArray, int]:
        """Return the group of each cell by these axes, shape (n_cells,), and how many groups there can be."""
        key = tuple(axes)
        if key not in self._cache:
            out, count = np.zeros(len(self), dtype=np.int64), 1
            for name in key:
                axis = self.axes[name]
                out = out * len(axis.labels) + axis.group[self.code[axis.dimension]]
                count *= len(axis.labels)
            self._cache[key] = (out, count)
        return self._cache[key]

    def labels(self, axes: Sequence[str], groups: IntArray) -> list[tuple[str, ...]]:
        """Return the labels of groups by these axes."""
        sizes = tuple(len(self.axes[name].labels) for name in axes)
        codes = np.unravel_index(groups, sizes) if sizes else ()
        columns = [self.axes[name].labels[code] for name, code in zip(axes, codes, strict=True)]
        return [tuple(str(x) for x in row) for row in zip(*columns, strict=True)]

    def cell_names(self, where: IntArray) -> list[str]:
        """Return cells as text, for messages."""
        return [" x ".join(row) for row in self.names_of(where)]

    def names_of(self, where: IntArray) -> list[tuple[str, ...]]:
        """Return the labels of cells, one per dimension."""
        columns = [self.axes[d].labels[self.code[k][where]] for k, d in enumerate(self.dimensions)]
        return [tuple(str(x) for x in row) for row in zip(*columns, strict=True)]

    @property
    def frame(self) -> pd.DataFrame:
        """One row per cell with its labels, one column per dimension."""
        return pd.DataFrame({d: self.axes[d].labels[self.code[k]] for k, d in enumerate(self.dimensions)})


def read_cells(
    seed: pd.DataFrame | Mapping[str, pd.Series], value: str, trees: Mapping[str, TreeLike] | None, found: Findings
) -> Cells | None:
    """Read the seed, or record what is wrong with it and return None.

    Parameters
    ----------
    seed : DataFrame or mapping
        One row per cell, or shares by dimension whose product is the seed.
    value : str
        Column of the seed's numbers; all other columns are dimensions.
    trees : mapping of str to Hierarchy, optional
        Trees over the labels of a dimension.
    found : Findings
    """
    table = _product(seed, value, found) if isinstance(seed, Mapping) else seed
    if table is None or not _has_cells(table, value, found):
        return None
    dimensions = [str(c) for c in table.columns if c != value]
    table = table.set_axis([str(c) for c in table.columns], axis=1)
    numbers = number_column(table, value, found, what="seed", fill="Give 0 for cells that must stay empty.")
    codes, labels = [], []
    for name in dimensions:
        code, unique = label_codes(table[name])
        if (code < 0).any():
            found.add(f"seed['{name}']", "must not be empty", rows=table.index[code < 0])
        codes.append(code)
        labels.append(unique)
    if found or numbers is None:
        return None
    shape = tuple(len(x) for x in labels)
    place = np.ravel_multi_index(tuple(codes), shape)
    order = np.argsort(place, kind="stable")
    twice = np.flatnonzero(place[order][1:] == place[order][:-1])
    if len(twice):
        names = [" x ".join(str(labels[k][codes[k][order[t]]]) for k in range(len(shape))) for t in twice]
        found.add("seed", "must have one row per cell", rows=names, kind="cell", remedy="Add up the rows of a cell.")
        return None
    amounts = numbers.to_numpy(dtype=np.float64)[order]
    if not amounts.any():
        found.add(
            "seed", "must not be zero everywhere", remedy="Give a positive weight to every cell that may get some."
        )
        return None
    keep = amounts > 0
    axes = {d: Axis(d, k, 1_000, labels[k], np.arange(shape[k])) for k, d in enumerate(dimensions)}
    for name, tree in (trees or {}).items():
        _add_levels(str(name), tree, axes, found)
    if found:
        return None
    kept = tuple(c[order][keep] for c in codes)
    return Cells(axes, tuple(dimensions), kept, amounts[keep], int(np.prod(shape, dtype=object)) - int(keep.sum()))


def label_codes(values: pd.Series) -> tuple[IntArray, NDArray[np.object_]]:
    """Return the position of each label (-1: empty) among the sorted labels, read as text."""
    raw, distinct = pd.factorize(values)
    text = id_text(pd.Series(distinct)).str.strip()
    code, labels = pd.factorize(text.mask(text == "").to_numpy(dtype=object), sort=True)
    return np.append(code, -1)[raw].astype(np.int64), np.asarray(labels, dtype=object)


def label_positions(values: pd.Series, labels: NDArray[np.object_]) -> tuple[IntArray, list[str]]:
    """Return the position of each value among known labels (-1: unknown), and the unknown ones as text."""
    code, own = label_codes(values)
    place = pd.Index(labels).get_indexer(pd.Index(own))
    strange = [str(x) for x in own[place < 0]]
    if (code < 0).any():
        strange.append("(empty)")
    return np.append(place, -1)[code].astype(np.int64), strange


def _has_cells(table: pd.DataFrame, value: str, found: Findings) -> bool:
    if not isinstance(table, pd.DataFrame):
        found.add("seed", "must be a table or shares by dimension", got=type(table).__name__)
    elif value not in table.columns:
        remedy = f"{did_you_mean(value, table.columns)} Pass value= to name the column of weights."
        found.add(f"seed['{value}']", "must exist", got="no such column", remedy=remedy)
    elif len(table.columns) < 2:
        found.add("seed", "must have a column per dimension", got="none", remedy="territory, product, quarter, say.")
    elif table.empty:
        found.add("seed", "must have at least one row", got="an empty table")
    elif not table.columns.is_unique:
        found.add("seed", "must not repeat a column", rows=table.columns[table.columns.duplicated()], kind="column")
    else:
        return True
    return False


def _product(shares: Mapping[str, pd.Series], value: str, found: Findings) -> pd.DataFrame | None:
    """Return the product of shares by dimension as a table: no interaction between dimensions."""
    parts = {str(name): pd.Series(given) for name, given in shares.items()}
    for name, part in parts.items():
        if part.empty:
            found.add(f"seed['{name}']", "must have at least one label")
        number_column(part.rename("share").to_frame(), "share", found, what=f"seed['{name}']")
    if found or not parts:
        if not parts:
            found.add("seed", "must have at least one dimension")
        return None
    sizes = [len(part) for part in parts.values()]
    grid = np.indices(sizes).reshape(len(sizes), -1)
    table = pd.DataFrame({n: p.index.to_numpy()[grid[k]] for k, (n, p) in enumerate(parts.items())})
    weights = [p.to_numpy(dtype=np.float64)[grid[k]] for k, p in enumerate(parts.values())]
    return table.assign(**{value: np.prod(weights, axis=0)})


def _add_levels(name: str, tree: TreeLike, axes: dict[str, Axis], found: Findings) -> None:
    """Add the levels between root and leaves of a tree as axes."""
    base = axes.get(name)
    if base is None or base.depth != 1_000:
        known = [a for a in axes if axes[a].depth == 1_000]
        found.add(f"trees['{name}']", "must name a dimension of the seed", remedy=did_you_mean(name, known))
        return
    layers = Layers.of(tree)
    at = pd.Index(layers.ids).get_indexer(pd.Index(base.labels))
    lost = (at < 0) | ~layers.is_leaf[np.maximum(at, 0)]
    if lost.any():
        remedy = f"The leaves are {shorten([i for i, leaf in zip(layers.ids, layers.is_leaf, strict=True) if leaf])}."
        found.add(
            f"trees['{name}']", "must have every label as a leaf", rows=base.labels[lost], kind="label", remedy=remedy
        )
        return
    depth = np.searchsorted(layers.bounds, np.arange(len(layers)), side="right") - 1
    above, chain = at.copy(), []
    for level in range(int(depth.max()) - 1, 0, -1):
        above = np.where(depth[above] > level, layers.parent[above], above)
        chain.append((level, above.copy()))
    for level, nodes in chain:
        title = layers.level[int(layers.bounds[level])]
        if title in axes:
            found.add(f"trees['{name}']", "must not name a level like another axis", got=f"'{title}'")
            continue
        group, labels = pd.factorize(np.array(layers.ids, dtype=object)[nodes], sort=True)
        axes[title] = Axis(title, base.dimension, level, np.asarray(labels, dtype=object), group.astype(np.int64))
