"""What preferences are worth for each seat and person."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.assignment.preferences import Rank, Skills
from gtm_opt.model.preferences import Fit, KeepOwner, Near
from gtm_opt.model.tables import did_you_mean, number_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gtm_opt.assignment.inputs import CarvingLike, Request
    from gtm_opt.errors import Findings

    StaffingPreference = KeepOwner | Fit | Near | Skills | Rank

__all__ = ["Terms", "read_terms"]

_EARTH_KM = 6371.0088


@dataclass(frozen=True, eq=False)
class Terms:
    """Worth of each preference, weighed.

    Attributes
    ----------
    parts : dict of str to ndarray of shape (n_seats, n_people)
    forbidden : ndarray of bool, shape (n_seats, n_people)
        Pairs that miss a mandatory skill.
    """

    parts: dict[str, NDArray[np.float64]]
    forbidden: NDArray[np.bool_]
    about: dict[str, str] = field(default_factory=dict)

    def total(self) -> NDArray[np.float64]:
        """Return the sum of the parts, shape (n_seats, n_people); in a fixed order."""
        out = np.zeros(self.forbidden.shape)
        for part in self.parts.values():
            out += part
        return out


def read_terms(
    ask: Request,
    carving: CarvingLike,
    prefer: Sequence[StaffingPreference],
    fit_weight: float,
    keep_weight: float,
    found: Findings,
) -> Terms:
    """Read preferences into one matrix each; findings are recorded."""
    shape = ask.forbidden.shape
    parts = {"retained": keep_weight * ask.retained / ask.scale}
    if ask.has_fit:
        parts["fit"] = fit_weight * ask.fit
    forbidden = np.zeros(shape, dtype=bool)
    for preference in prefer:
        if isinstance(preference, KeepOwner):
            continue  # read with the accounts
        if isinstance(preference, Fit):
            part = _fit(preference, ask, carving, found)
        elif isinstance(preference, Near):
            part = _near(preference, ask, carving, found)
        elif isinstance(preference, Rank):
            part = _rank(preference, ask, carving, found)
        elif isinstance(preference, Skills):
            part, off = _skills(preference, ask, carving, found)
            forbidden |= off
        else:
            names = "KeepOwner, Fit, Near, Skills, Rank"
            found.add("prefer", f"must hold preferences of {names}", got=type(preference).__name__)
            continue
        name = preference.name
        while name in parts:
            name += "'"
        parts[name] = preference.weight * part
    return Terms(parts, forbidden)


def _mix(
    ask: Request, carving: CarvingLike, by: str | None, value: str | None, groups: pd.Index, found: Findings
) -> NDArray[np.float64]:
    """Return the part of each seat's value that lies in each group, shape (n_seats, n_groups)."""
    if by is None:
        at = groups.get_indexer(pd.Index(ask.seats))
        out = np.zeros((len(ask.seats), len(groups)))
        known = np.flatnonzero(at >= 0)
        out[known, at[known]] = 1.0
        return out
    if by not in carving.accounts.columns:
        found.add("by", "must be an account column", got=f"'{by}'", remedy=did_you_mean(by, carving.accounts.columns))
        return np.zeros((len(ask.seats), len(groups)))
    worth = _worth(ask, carving, value, found)
    label = carving.accounts[by].reindex(carving.assignment["account_id"]).astype(object)
    at = groups.get_indexer(pd.Index([None if pd.isna(v) else str(v) for v in label], dtype=object))
    seat = pd.Index(ask.seats).get_indexer(pd.Index(carving.assignment["territory"]))
    out, total = np.zeros((len(ask.seats), len(groups))), np.zeros(len(ask.seats))
    order = np.lexsort((worth, at, seat))
    seat, at, worth = seat[order], at[order], worth[order]
    np.add.at(total, seat, worth)
    np.add.at(out, (seat[at >= 0], at[at >= 0]), worth[at >= 0])
    return out / np.where(total > 0, total, 1.0)[:, None]


def _worth(ask: Request, carving: CarvingLike, value: str | None, found: Findings) -> NDArray[np.float64]:
    if value is None:
        return np.ones(len(carving.assignment))
    if value not in carving.accounts.columns:
        remedy = did_you_mean(value, carving.accounts.columns)
        found.add("value", "must be an account column", got=f"'{value}'", remedy=remedy)
        return np.ones(len(carving.assignment))
    numbers = number_column(carving.accounts, value, found)
    if numbers is None:
        return np.ones(len(carving.assignment))
    return numbers.reindex(carving.assignment["account_id"]).to_numpy(dtype=np.float64)


def _fit(preference: Fit, ask: Request, carving: CarvingLike, found: Findings) -> NDArray[np.float64]:
    scores = preference.scores.rename(index=str, columns=str)
    nothing = np.zeros((len(ask.seats), len(ask.people)))
    if scores.index.has_duplicates or scores.columns.has_duplicates:
        found.add("Fit", "must have unique rows and columns")
        return nothing
    strange = [c for c in scores.columns if c not in ask.reps.index]
    if strange:
        remedy = did_you_mean(strange[0], ask.reps.index)
        found.add("Fit columns", "must be rep ids", rows=strange, kind="column", remedy=remedy)
    if preference.by is None and (unknown := [r for r in scores.index if r not in ask.seats]):
        found.add("Fit rows", "must be territories", rows=unknown, remedy=did_you_mean(unknown[0], ask.seats))
    numbers = scores.reindex(columns=ask.people).apply(pd.to_numeric, errors="coerce").fillna(0.0).to_numpy(np.float64)
    if ((numbers < 0) | (numbers > 1)).any():
        found.add("Fit", "must lie between 0 and 1", got=f"{numbers.min():g} to {numbers.max():g}")
    out: NDArray[np.float64] = _mix(ask, carving, preference.by, preference.value, scores.index, found) @ numbers
    return out


def _near(preference: Near, ask: Request, carving: CarvingLike, found: Findings) -> NDArray[np.float64]:
    """Return minus the distance from home to the seat's center, in units of the mean distance."""
    nothing = np.zeros((len(ask.seats), len(ask.people)))
    lacking = [c for c in (preference.lat, preference.lon) if c not in ask.reps.columns]
    lacking_here = [c for c in (preference.lat, preference.lon) if c not in carving.accounts.columns]
    for where, names in (("reps", lacking), ("accounts", lacking_here)):
        if names:
            rule = f"must have the columns {preference.lat} and {preference.lon} for Near"
            found.add(where, rule, got=f"no {', '.join(names)}")
    if lacking or lacking_here:
        return nothing
    home = (
        ask.reps.loc[ask.people, [preference.lat, preference.lon]]
        .apply(pd.to_numeric, errors="coerce")
        .to_numpy(np.float64)
    )
    if np.isnan(home).any():
        rows = [p for p, bad in zip(ask.people, np.isnan(home).any(axis=1), strict=True) if bad]
        found.add("reps", "must have a home for Near", rows=rows, kind="rep", remedy="Fill in the coordinates.")
        return nothing
    at = carving.accounts[[preference.lat, preference.lon]].reindex(carving.assignment["account_id"])
    places = at.apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    worth = _worth(ask, carving, preference.value, found)
    known = ~np.isnan(places).any(axis=1)
    seat = pd.Index(ask.seats).get_indexer(pd.Index(carving.assignment["territory"]))
    round_ = preference.metric == "haversine"
    points, homes = (_on_sphere(places), _on_sphere(home)) if round_ else (places, home)
    center = np.zeros((len(ask.seats), points.shape[1]))
    order = np.lexsort((worth, places[:, 1], places[:, 0], seat))
    order = order[known[order] & (seat[order] >= 0)]
    np.add.at(center, seat[order], points[order] * worth[order, None])
    total = np.zeros(len(ask.seats))
    np.add.at(total, seat[order], worth[order])
    has = total > 0
    center[has] /= total[has, None]
    if round_:
        size = np.linalg.norm(center, axis=1, keepdims=True)
        center = center / np.where(size > 0, size, 1.0)
    square = np.maximum((center**2).sum(1)[:, None] + (homes**2).sum(1)[None, :] - 2 * center @ homes.T, 0.0)
    distance = 2 * _EARTH_KM * np.arcsin(np.minimum(np.sqrt(square) / 2, 1.0)) if round_ else np.sqrt(square)
    distance[~has] = 0.0
    if preference.squared:
        distance = distance**2
    mean = float(distance[has].mean()) if has.any() else 0.0
    out: NDArray[np.float64] = -distance / (mean if mean > 0 else 1.0)
    return out


def _on_sphere(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    lat, lon = np.radians(degrees).T
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def _rank(preference: Rank, ask: Request, carving: CarvingLike, found: Findings) -> NDArray[np.float64]:
    nothing = np.zeros((len(ask.seats), len(ask.people)))
    if preference.rep not in ask.reps.columns:
        remedy = did_you_mean(preference.rep, ask.reps.columns)
        found.add("Rank", "must name a column of the reps", got=f"'{preference.rep}'", remedy=remedy)
        return nothing
    mine = pd.to_numeric(ask.reps.loc[ask.people, preference.rep], errors="coerce")
    if mine.isna().any():
        found.add(f"reps['{preference.rep}']", "must hold numbers", rows=mine.index[mine.isna()], kind="rep")
        return nothing
    worth = _worth(ask, carving, preference.seat, found)
    seat = pd.Index(ask.seats).get_indexer(pd.Index(carving.assignment["territory"]))
    order = np.lexsort((worth, seat))
    total = np.zeros(len(ask.seats))
    np.add.at(total, seat[order], worth[order])
    one, two = (_ranks(v) for v in (total, mine.to_numpy(dtype=np.float64)))
    return 1.0 - np.abs(one[:, None] - two[None, :])


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(values) < 2:
        return np.full(len(values), 0.5)
    ranks = pd.Series(values).rank(method="average").to_numpy(dtype=np.float64)
    return np.asarray((ranks - 1.0) / (len(values) - 1.0), dtype=np.float64)


def _skills(
    preference: Skills, ask: Request, carving: CarvingLike, found: Findings
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    shape = (len(ask.seats), len(ask.people))
    required = preference.required.rename(index=str, columns=str)
    offered = preference.offered.rename(index=str, columns=str)
    bad = False
    for where, table in (("Skills required", required), ("Skills offered", offered)):
        if table.index.has_duplicates or table.columns.has_duplicates:
            rows = table.index[table.index.duplicated()].unique()
            found.add(where, "must have one row for each name, and unique columns", rows=rows, kind="name")
            bad = True
    lacking = [c for c in required.columns if c not in offered.columns]
    if lacking:
        found.add("Skills offered", "must have the columns of `required`", rows=lacking, kind="skill")
    strange = [s for s in preference.mandatory if s not in required.columns]
    if strange:
        remedy = did_you_mean(strange[0], required.columns)
        found.add("Skills mandatory", "must be columns of `required`", rows=strange, kind="skill", remedy=remedy)
    if preference.by is None and (unknown := [r for r in required.index if r not in ask.seats]):
        remedy = did_you_mean(unknown[0], ask.seats)
        found.add("Skills required", "must name territories", rows=unknown, kind="row", remedy=remedy)
    if bad or lacking or strange:
        return np.zeros(shape), np.zeros(shape, dtype=bool)
    asked = required.apply(pd.to_numeric, errors="coerce")
    have = offered.reindex(index=ask.people, columns=required.columns).apply(pd.to_numeric, errors="coerce")
    if preference.missing is not None:
        have = have.fillna(preference.missing)
    elif have.isna().any(axis=None):
        blank = zip(*np.nonzero(have.isna().to_numpy()), strict=True)
        cells = [f"{have.index[p]}: {have.columns[s]}" for p, s in blank]
        remedy = "Fill them in, or say which level `missing` stands for: an empty cell is not 0."
        found.add("Skills offered", "must have a level for every skill", rows=cells, kind="cell", remedy=remedy)
        return np.zeros(shape), np.zeros(shape, dtype=bool)
    low, high = preference.scale
    for where, table in (("Skills required", asked), ("Skills offered", have)):
        out = (table < low) | (table > high)
        if out.any(axis=None):
            rows = table.index[out.any(axis=1)]
            found.add(where, f"must lie between {low:g} and {high:g}", rows=rows, kind="row", remedy="Rescale them.")
    need, level = asked.to_numpy(dtype=np.float64), have.to_numpy(dtype=np.float64)
    met = np.ones((len(need), len(level)))
    short = np.zeros((len(need), len(level)), dtype=bool)
    must = np.array([c in preference.mandatory for c in asked.columns], dtype=bool)
    for row, levels in enumerate(need):
        is_asked = ~np.isnan(levels) & (levels > 0)
        if is_asked.any():
            met[row] = np.minimum(level[:, is_asked] / levels[is_asked], 1.0).mean(axis=1)
            short[row] = (level[:, is_asked & must] < levels[is_asked & must]).any(axis=1)
    mix = _mix(ask, carving, preference.by, None, asked.index, found)
    return mix @ met, (mix > 0).astype(np.float64) @ short > 0
