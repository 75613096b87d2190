"""Margins: reading them, and saying which of them contradict each other before anything is computed."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings, number_text
from gtm_opt.model.tables import did_you_mean, number_column
from gtm_opt.quota.cube.space import label_positions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gtm_opt.quota.cube.space import Cells

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

__all__ = ["Margin", "check_agreement", "read_margins"]

_CLOSE = 1e-6
_SHOWN = 5


@dataclass(frozen=True, eq=False)
class Margin:
    """Sums that a cube must have.

    Attributes
    ----------
    axes : tuple of str
    group : ndarray of int, shape (n_cells,)
        Group of each cell.
    total : ndarray of shape (n_groups,)
        In units; whole numbers where the cube is rounded.
    """

    axes: tuple[str, ...]
    group: IntArray
    total: FloatArray

    @property
    def name(self) -> str:
        """As a planner writes it."""
        return " x ".join(self.axes)

    def sums(self, values: FloatArray) -> FloatArray:
        """Return the sums of cells by group."""
        return np.bincount(self.group, weights=values, minlength=len(self.total)).astype(np.float64)


def read_margins(margins: Mapping[Any, Any], cells: Cells, unit: int | None, found: Findings) -> list[Margin]:
    """Read all margins in units, and record what is wrong with them."""
    out: list[Margin] = []
    if not isinstance(margins, Mapping) or not margins:
        found.add("margins", "must map dimensions to amounts", got=repr(margins)[:60])
        return out
    for key, amounts in margins.items():
        axes = (str(key),) if isinstance(key, str) else tuple(str(k) for k in key)
        where = f"margins[{axes[0]!r}]" if len(axes) == 1 else f"margins[{axes!r}]"
        unknown = [a for a in axes if a not in cells.axes]
        over = [cells.axes[a].dimension for a in axes if a in cells.axes]
        if unknown:
            remedy = did_you_mean(unknown[0], cells.axes)
            found.add(
                where, "must name dimensions of the seed or levels of a tree", rows=unknown, kind="name", remedy=remedy
            )
        elif len(set(over)) < len(over):
            found.add(where, "must name a dimension once", remedy="A level contains its dimension: give the finer one.")
        elif (read := _read_margin(amounts, axes, where, cells, unit, found)) is not None:
            out.append(Margin(axes, cells.group(axes)[0], read))
    return out


def _read_margin(
    amounts: Any, axes: tuple[str, ...], where: str, cells: Cells, unit: int | None, found: Findings
) -> FloatArray | None:
    table = _tidy(amounts, axes, where, found)
    if table is None:
        return None
    numbers = number_column(table, "amount", found, what=where, fill="Give 0 where nothing is wanted.")
    codes, is_known = np.zeros(len(table), dtype=np.int64), True
    for name in axes:
        labels = cells.axes[name].labels
        code, strange = label_positions(table[name], labels)
        if strange:
            remedy = did_you_mean(strange[0], labels) + " A label needs a row in the seed."
            found.add(where, f"must only name labels of '{name}'", rows=strange, kind="label", remedy=remedy)
            is_known = False
        codes = codes * len(labels) + code
    if numbers is None or not is_known:
        return None
    if len(np.unique(codes)) < len(codes):
        twice = table.index[pd.Series(codes).duplicated().to_numpy()]
        found.add(where, "must have one amount per group", rows=twice)
        return None
    group, count = cells.group(axes)
    total = np.zeros(count)
    total[codes] = numbers.to_numpy(dtype=np.float64)
    absent = np.setdiff1d(group, codes)
    if len(absent):
        names = [" x ".join(x) for x in cells.labels(axes, absent)]
        found.add(
            where, "must give every group an amount", rows=names, kind="group", remedy="Give 0 where nothing is wanted."
        )
        return None
    if unit is None:
        return total
    units = total / unit
    whole = np.rint(units)
    broken = np.flatnonzero(np.abs(units - whole) > _CLOSE)
    if len(broken):
        names = [f"{' x '.join(x)}: {total[g]:,.2f}" for g, x in zip(broken, cells.labels(axes, broken), strict=True)]
        rule = f"must be multiples of the unit of {unit:,}, or nothing can tie out"
        found.add(
            where, rule, rows=names, kind="group", remedy="Round them, or pass a smaller unit (None: no rounding)."
        )
        return None
    return whole


def _tidy(amounts: Any, axes: tuple[str, ...], where: str, found: Findings) -> pd.DataFrame | None:
    """Return one column per axis and ``amount``, from a Series, a table, a mapping, or quotas of a cascade."""
    nodes = getattr(amounts, "table", None)
    if isinstance(nodes, pd.DataFrame) and {"node_id", "quota", "is_leaf"} <= set(nodes.columns) and len(axes) == 1:
        leaves = nodes[nodes["is_leaf"]]
        return pd.DataFrame({axes[0]: leaves["node_id"].to_numpy(), "amount": leaves["quota"].to_numpy()})
    if isinstance(amounts, Mapping):
        amounts = pd.Series(dict(amounts))
    if isinstance(amounts, pd.Series):
        if amounts.index.nlevels != len(axes):
            got = f"{amounts.index.nlevels} levels"
            found.add(where, f"must have an index of {len(axes)} level(s): {', '.join(axes)}", got=got)
            return None
        levels = [amounts.index.get_level_values(k) for k in range(len(axes))]
        if amounts.index.nlevels > 1 and set(amounts.index.names) == set(axes):
            levels = [amounts.index.get_level_values(name) for name in axes]
        return pd.DataFrame(
            {name: level for name, level in zip(axes, levels, strict=True)} | {"amount": amounts.to_numpy()}
        )
    if isinstance(amounts, pd.DataFrame):
        missing = [name for name in axes if name not in amounts.columns]
        rest = [c for c in amounts.columns if c not in axes]
        if missing or len(rest) != 1:
            got = ", ".join(map(str, amounts.columns))
            found.add(where, f"must have the columns {', '.join(axes)} and one of amounts", got=got)
            return None
        return amounts.rename(columns={rest[0]: "amount"}).reset_index(drop=True)
    found.add(where, "must be a Series, a table or a mapping", got=type(amounts).__name__)
    return None


def check_agreement(margins: Sequence[Margin], cells: Cells, unit: int | None, found: Findings) -> None:
    """Record every pair of margins that disagrees on what both say, with the cells and the amounts."""
    scale = unit or 1
    for one, two in itertools.combinations(margins, 2):
        shared = _shared_axes(one, two, cells)
        sums = [_coarsen(margin, shared, cells) for margin in (one, two)]
        off = np.flatnonzero(np.abs(sums[0] - sums[1]) > _CLOSE * np.maximum(1.0, np.maximum(*np.abs(sums))))
        if not len(off):
            continue
        names = cells.labels(shared, off) if shared else [("everything",)] * len(off)
        rows = [
            f"{' x '.join(n)}: {number_text(sums[0][g] * scale)} and {number_text(sums[1][g] * scale)}"
            for g, n in zip(off[:_SHOWN], names, strict=False)
        ]
        rows += [" x ".join(n) for n in names[_SHOWN:]]
        what = f"the sums by {' x '.join(shared)}" if shared else "the grand total"
        remedy = (
            f"They differ by {number_text(float(np.abs(sums[0] - sums[1]).sum()) * scale)} in all: change one of them."
        )
        found.add(f"margins {one.name} and {two.name}", f"must agree on {what}", rows=rows, kind="cell", remedy=remedy)


def _shared_axes(one: Margin, two: Margin, cells: Cells) -> list[str]:
    """Return the finest axes on which both margins have sums."""
    out = []
    for name in one.axes:
        axis = cells.axes[name]
        other = [cells.axes[b] for b in two.axes if cells.axes[b].dimension == axis.dimension]
        if other:
            out.append(min((axis, other[0]), key=lambda a: a.depth).name)
    return out


def _coarsen(margin: Margin, axes: list[str], cells: Cells) -> FloatArray:
    """Return the sums of a margin by coarser axes, of which each is a level of one of its own."""
    sizes = tuple(len(cells.axes[a].labels) for a in margin.axes)
    codes = np.unravel_index(np.arange(len(margin.total)), sizes)
    own = {cells.axes[a].dimension: k for k, a in enumerate(margin.axes)}
    target, count = np.zeros(len(margin.total), dtype=np.int64), 1
    for name in axes:
        axis = cells.axes[name]
        fine = cells.axes[margin.axes[own[axis.dimension]]]
        lift = np.zeros(len(fine.labels), dtype=np.int64)
        lift[fine.group] = axis.group
        target = target * len(axis.labels) + lift[codes[own[axis.dimension]]]
        count *= len(axis.labels)
    return np.bincount(target, weights=margin.total, minlength=count).astype(np.float64)
