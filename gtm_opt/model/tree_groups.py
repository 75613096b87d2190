"""Trees that group territories by where they are, or by an attribute of their reps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import DataError, Findings
from gtm_opt.model.tables import did_you_mean, id_text
from gtm_opt.model.trees import parts_of, rows_of_split

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from gtm_opt.model.trees import TreeRows

__all__ = ["rows_of_groups", "rows_of_places"]


def rows_of_places(
    names: Sequence[str], centers: Sequence[tuple[float, float]], weights: Sequence[float], root: str, max_buckets: int
) -> TreeRows:
    """Return the rows of a balanced tree over territories whose neighbors stay together."""
    if max_buckets < 2:
        raise DataError(f"`max_buckets` must be at least 2, got {max_buckets}. Ten is what planners use.")
    points = _plane(np.array(centers, dtype=float))
    nodes, parents, out = [root], [None], [0.0]
    above: list[str | None] = list(parents)
    taken = {root, *names}
    groups: list[tuple[str, NDArray[np.int64]]] = [(root, np.arange(len(names)))]
    while groups:
        parent, members = groups.pop(0)
        if len(members) <= max_buckets:
            members = members[_along(points[members])]
            nodes += [names[k] for k in members]
            above += [parent] * len(members)
            out += [float(weights[k]) for k in members]
            continue
        parts = parts_of(len(members), max_buckets)
        edges = [(len(members) * p) // parts for p in range(parts + 1)]
        for part in _cut(points, members, np.diff(edges).tolist()):
            name = _central_name(names, points, part, taken)
            nodes.append(name)
            above.append(parent)
            out.append(0.0)
            groups.append((name, part))
    return nodes, above, out


def rows_of_groups(reps: pd.DataFrame, by: str, rep: str, share: str | None, root: str, max_buckets: int) -> TreeRows:
    """Return the rows of a tree over reps with the values of a column as nodes."""
    found = Findings()
    for column in (by, rep, *([share] if share else [])):
        if column not in reps.columns:
            found.add(f"reps['{column}']", "must exist", remedy=did_you_mean(column, reps.columns))
        elif reps[column].isna().any():
            found.add(f"reps['{column}']", "must not be empty", got=f"{int(reps[column].isna().sum())} empty cells")
    found.raise_if_any()
    leaves, values = id_text(reps[rep]), id_text(reps[by])
    weight = np.ones(len(reps)) if share is None else reps[share].to_numpy(dtype=float)
    taken = {root, *leaves}
    groups = {v: v if v not in taken else f"{by} {v}" for v in values.drop_duplicates()}
    nodes, above, out = rows_of_split(list(groups.values()), None, root, max_buckets)
    out = [0.0] * len(nodes)
    for value, name in groups.items():
        mine = np.flatnonzero((values == value).to_numpy())
        rows = rows_of_split([leaves.iloc[k] for k in mine], weight[mine].tolist(), name, max_buckets)
        nodes, above, out = nodes + rows[0][1:], above + rows[1][1:], out + rows[2][1:]
    return nodes, above, out


def _plane(centers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return coordinates in which distances compare; what looks like degrees is taken as latitude and longitude."""
    if not len(centers) or (np.abs(centers) > [90.0, 180.0]).any():
        return centers
    out: NDArray[np.float64] = centers * np.array([1.0, np.cos(np.radians(centers[:, 0].mean()))])
    return out


def _along(points: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the order along the direction in which points are spread most."""
    if len(points) < 2:
        return np.arange(len(points))
    # the principal axis of two coordinates, in closed form: LAPACK's last bits depend on the processor
    centered = points - points.mean(axis=0)
    (east, north), both = (centered**2).sum(axis=0), float((centered[:, 0] * centered[:, 1]).sum())
    angle = 0.5 * np.arctan2(2.0 * both, east - north)
    axis = np.array([np.cos(angle), np.sin(angle)])
    # the sign of an eigenvector is arbitrary: from south to north, or west to east
    axis = axis * np.sign(axis[np.abs(axis).argmax()])
    return np.argsort(np.round((points * axis).sum(axis=1), 9), kind="stable").astype(np.int64)


def _cut(points: NDArray[np.float64], members: NDArray[np.int64], sizes: list[int]) -> list[NDArray[np.int64]]:
    """Return parts of the given sizes by repeated bisection."""
    if len(sizes) == 1:
        return [members]
    half = len(sizes) // 2
    ordered = members[_along(points[members])]
    at = sum(sizes[:half])
    return [*_cut(points, ordered[:at], sizes[:half]), *_cut(points, ordered[at:], sizes[half:])]


def _central_name(
    names: Sequence[str], points: NDArray[np.float64], members: NDArray[np.int64], taken: set[str]
) -> str:
    away = ((points[members] - points[members].mean(axis=0)) ** 2).sum(axis=1)
    for k in members[np.argsort(away, kind="stable")]:
        name = f"around {names[k]}"
        if name not in taken:
            taken.add(name)
            return name
    name = f"around {names[members[0]]} ({len(members)})"
    taken.add(name)
    return name
