"""Trees as rows, ``(nodes, parents, weights)``: from nested dicts, tables, rep columns and counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, Findings, shorten
from gtm_opt.model.tables import id_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Nested",
    "TreeRows",
    "group_name",
    "levels_of_frame",
    "parts_of",
    "rows_of_dict",
    "rows_of_frame",
    "rows_of_reps",
    "rows_of_split",
]

Nested = Mapping[str, Any] | Sequence[str] | float | None
TreeRows = tuple[list[str], list[str | None], list[float]]


def rows_of_dict(nested: Nested, root: str) -> TreeRows:
    """Return the rows of nested dicts whose innermost values are leaf names or weights."""
    nodes: list[str] = [root]
    parents: list[str | None] = [None]
    weights: list[float] = [0.0]
    queue: list[tuple[str, Nested]] = [(root, nested)]
    while queue:
        parent, below = queue.pop(0)
        if isinstance(below, Mapping):
            items: list[tuple[str, Nested]] = [(str(name), inner) for name, inner in below.items()]
        elif isinstance(below, Sequence) and not isinstance(below, str):
            items = [(str(name), 1.0) for name in below]
        else:
            what = type(below).__name__
            raise DataError(f"hierarchy node '{parent}' must hold a dict, a list of names or a weight, got {what}.")
        for name, inner in items:
            leaf = inner is None or isinstance(inner, Real)
            nodes.append(name)
            parents.append(parent)
            weights.append(float(inner) if isinstance(inner, Real) else 1.0 if leaf else 0.0)
            if not leaf:
                queue.append((name, inner))
    return nodes, parents, weights


def rows_of_frame(nodes: pd.DataFrame, node: str, parent: str, share: str | None) -> TreeRows:
    """Return the rows of a table with one row per node, parents first."""
    missing = [c for c in (node, parent, *([share] if share else [])) if c not in nodes.columns]
    if missing:
        raise DataError(
            f"`nodes` lacks the columns {shorten(missing)}. It has: {shorten(list(nodes.columns), shown=20)}."
        )
    ids = id_text(nodes[node]).tolist()
    above = [v.strip() or None for v in id_text(nodes[parent])]
    weight = _leaf_weights(nodes, share)
    position = {name: at for at, name in enumerate(ids)}
    depth = {name: _depth(name, position, above) for name in ids}
    order = sorted(range(len(ids)), key=lambda at: (depth[ids[at]], at))
    inner = {a for a in above if a is not None}
    return (
        [ids[at] for at in order],
        [above[at] for at in order],
        [0.0 if ids[at] in inner else weight[at] for at in order],
    )


def levels_of_frame(
    nodes: pd.DataFrame, node: str, level: str, ids: Sequence[str], above: Sequence[str | None]
) -> tuple[str, ...]:
    """Return the name of each depth from a column of level names.

    Raises
    ------
    DataError
        Where a depth has several names, or none: then the column says something else than how deep a node is.
    """
    text = [None if pd.isna(name) else str(name).strip() for name in nodes[level].astype(object)]
    named: dict[str, str | None] = dict(zip(id_text(nodes[node]), text, strict=True))
    position = {name: at for at, name in enumerate(ids)}
    depth = {name: _depth(name, position, list(above)) for name in ids}
    found = Findings()
    names: list[str] = []
    for d in range(max(depth.values(), default=0) + 1):
        here = {n: named[n] for n in ids if depth[n] == d}
        kinds = sorted({name for name in here.values() if name})
        if len(kinds) != 1 or None in here.values():
            said = ", ".join(f"'{k}'" for k in kinds) or "nothing"
            first = kinds[0] if kinds else None
            found.add(
                f"nodes['{level}']",
                f"must name one level for all nodes of depth {d}",
                got=said,
                rows=[n for n, name in here.items() if name != first] or list(here),
                kind="node",
                remedy="Correct the names, pass levels=..., or level=None to ignore the column.",
            )
        names.append(kinds[0] if kinds else str(d))
    found.raise_if_any()
    return tuple(names)


def rows_of_reps(reps: pd.DataFrame, levels: Sequence[str], rep: str, share: str | None, root: str) -> TreeRows:
    """Return the rows of columns of a rep table, one level per column."""
    columns = [*levels, rep, *([share] if share else [])]
    found = Findings()
    for column in columns:
        if column not in reps.columns:
            found.add(
                f"reps['{column}']",
                "must exist",
                got=f"columns {shorten(list(reps.columns), shown=20)}",
                remedy="Name the columns that hold the levels.",
            )
        elif reps[column].isna().any():
            found.add(
                f"reps['{column}']",
                "must not be empty",
                rows=_rep_names(reps, rep)[reps[column].isna().to_numpy()],
                remedy="Fill in the value, or leave the rep out.",
            )
    found.raise_if_any()
    leaves = id_text(reps[rep]).tolist()
    text = [id_text(reps[level]).tolist() for level in levels]
    paths = list(zip(*text, strict=True)) if levels else [()] * len(leaves)
    names = _node_names(paths, {root, *leaves}, root)
    nodes, parents, weights = [root], [None], [0.0]
    above: list[str | None] = list(parents)
    seen: set[tuple[str, ...]] = set()
    for depth in range(len(levels)):
        for path in paths:
            prefix = path[: depth + 1]
            if prefix in seen:
                continue
            seen.add(prefix)
            nodes.append(names[prefix])
            above.append(names[prefix[:-1]] if depth else root)
            weights.append(0.0)
    for path, name, weight in zip(paths, leaves, _leaf_weights(reps, share), strict=True):
        nodes.append(name)
        above.append(names[path] if levels else root)
        weights.append(weight)
    return nodes, above, weights


def rows_of_split(
    leaves: int | Sequence[str], weights: Sequence[float] | None, root: str, max_buckets: int
) -> TreeRows:
    """Return the rows of a balanced tree over a flat list."""
    if max_buckets < 2:
        raise DataError(f"`max_buckets` must be at least 2, got {max_buckets}. Ten is what planners use.")
    names = (
        [f"T{n:0{len(str(leaves))}d}" for n in range(1, int(leaves) + 1)]
        if isinstance(leaves, int | Integral)
        else [str(name) for name in leaves]
    )
    if not names:
        raise DataError(f"`leaves` must be at least 1, got {leaves}.")
    weight = [1.0] * len(names) if weights is None else [float(w) for w in weights]
    if len(weight) != len(names):
        raise DataError(f"`weights` must match `leaves`, got {len(weight)} weights for {len(names)} leaves.")
    nodes, parents, out = [root], [None], [0.0]
    above: list[str | None] = list(parents)
    groups: list[tuple[str, int, int]] = [(root, 0, len(names))]
    taken = {root, *names}
    while groups:
        parent, start, stop = groups.pop(0)
        size = stop - start
        if size <= max_buckets:
            nodes += names[start:stop]
            above += [parent] * size
            out += weight[start:stop]
            continue
        parts = parts_of(size, max_buckets)
        edges = [start + (size * p) // parts for p in range(parts + 1)]
        for p in range(parts):
            child = group_name(names[edges[p]], names[edges[p + 1] - 1], taken, f"{parent}.{p + 1}")
            nodes.append(child)
            above.append(parent)
            out.append(0.0)
            groups.append((child, edges[p], edges[p + 1]))
    return nodes, above, out


def group_name(first: str, last: str, taken: set[str], numbered: str) -> str:
    """Return the name of a group: its first and last leaf, or its number where that name is taken."""
    name = f"{first} to {last}"
    if name in taken:
        name = numbered
    taken.add(name)
    return name


def parts_of(size: int, most: int) -> int:
    """Return the fewest parts such that every part still fits the remaining levels evenly."""
    levels = 1
    while most**levels < size:
        levels += 1
    even = ceil(size ** (1.0 / levels) - 1e-9) if size > most * 2 else 2
    return int(min(most, max(2, even, ceil(size / most ** (levels - 1)))))


def _leaf_weights(table: pd.DataFrame, share: str | None) -> list[float]:
    """Return the weights as written; non-numeric ones are NaN, which the check refuses for leaves."""
    if share is None:
        return [1.0] * len(table)
    weights: list[float] = pd.to_numeric(table[share], errors="coerce").astype(float).tolist()
    return weights


def _rep_names(reps: pd.DataFrame, rep: str) -> NDArray[np.object_]:
    """Return how messages name the rows: by rep, where there is one."""
    rows = [f"row {at}" for at in range(len(reps))]
    names = id_text(reps[rep]) if rep in reps.columns else pd.Series([""] * len(reps))
    return np.array([name or row for name, row in zip(names, rows, strict=True)], dtype=object)


def _depth(name: str, position: Mapping[str, int], above: Sequence[str | None]) -> int:
    depth, at = 0, above[position[name]]
    while at is not None and at in position and depth <= len(above):
        depth, at = depth + 1, above[position[at]]
    return depth


def _node_names(paths: Sequence[tuple[str, ...]], taken: set[str], root: str) -> dict[tuple[str, ...], str]:
    """Name each prefix by its last part; by its whole path where that would not be unique."""
    prefixes = dict.fromkeys(path[: d + 1] for path in paths for d in range(len(path)))
    uses: dict[str, int] = {}
    for prefix in prefixes:
        uses[prefix[-1]] = uses.get(prefix[-1], 0) + 1
    return {
        p: p[-1] if uses[p[-1]] == 1 and p[-1] not in taken else "/".join(p if len(p) > 1 else (root, *p))
        for p in prefixes
    }
