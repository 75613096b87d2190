"""What a plan moves, and how well it keeps the preferences: recomputed from the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.instance import Distance, dot
from gtm_opt.model import Fit, KeepOwner, MaxMoved, Near
from gtm_opt.model.tables import label_text

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.model import CarvingProblem, Preference

__all__ = ["disruption_table", "moved_value", "preference_table"]


def moved_value(problem: CarvingProblem, at: IntArray, owner: str, by: str | None) -> tuple[float, float]:
    """Return (value that leaves its present owner, value that is owned at all).

    Parameters
    ----------
    problem : CarvingProblem
    at : ndarray of int, shape (n_accounts,)
        Territory positions.
    owner : str
        Owner column.
    by : str or None
        Value column; None counts accounts.
    """
    home = problem.resolved.home[owner]
    value = np.ones(len(at)) if by is None else problem.accounts[by].to_numpy(dtype=float)
    owned = home >= 0
    return float(value[owned & (home != at)].sum()), float(value[owned].sum())


def disruption_table(problem: CarvingProblem, at: IntArray) -> pd.DataFrame:
    """Return what moves, by accounts and by every balanced or preferred column.

    Returns
    -------
    DataFrame
        measure, moved, owned, share_moved. Empty when the problem names no present owner.
    """
    columns = ["measure", "moved", "owned", "share_moved"]
    if problem.previous is None:
        return pd.DataFrame(columns=columns)
    wanted: dict[str | None, None] = {None: None}
    for preference in problem.prefer:
        if isinstance(preference, KeepOwner):
            wanted[preference.value] = None
    for rule in problem.rules:
        if isinstance(rule, MaxMoved):
            wanted[rule.by] = None
    for criterion in problem.balance:
        column = getattr(criterion, "column", None)
        if column in problem.accounts.columns and pd.api.types.is_numeric_dtype(problem.accounts[column]):
            wanted[column] = None
    rows = []
    for by in wanted:
        moved, owned = moved_value(problem, at, problem.previous, by)
        rows.append((by or "accounts", moved, owned, moved / owned if owned > 0 else 0.0))
    return pd.DataFrame(rows, columns=columns)


def preference_table(problem: CarvingProblem, at: IntArray) -> pd.DataFrame:
    """Return how well each preference is kept.

    Returns
    -------
    DataFrame
        preference, weight, score (0 is best; share of value moved, average misfit, average
        distance in units of the accounts' spread), natural (the same in natural units), unit.
    """
    rows = [(p.name, p.weight, *_score(problem, p, at)) for p in problem.prefer]
    return pd.DataFrame(rows, columns=["preference", "weight", "score", "natural", "unit"])


def _value(problem: CarvingProblem, preference: Preference) -> FloatArray:
    if preference.value is None:
        return np.ones(problem.n_accounts)
    return problem.accounts[preference.value].to_numpy(dtype=float)


def _score(problem: CarvingProblem, preference: Preference, at: IntArray) -> tuple[float, float, str]:
    if isinstance(preference, KeepOwner):
        moved, owned = moved_value(problem, at, preference.owner, preference.value)
        share = moved / owned if owned > 0 else 0.0
        if preference.value is not None:
            accounts, all_accounts = moved_value(problem, at, preference.owner, None)
            plain = accounts / all_accounts if all_accounts > 0 else 0.0
            share = (share + preference.per_account * plain) / (1.0 + preference.per_account)
        return share, moved, f"{preference.value or 'accounts'} moved"
    value = _value(problem, preference)
    total = float(value.sum())
    if total <= 0:
        return 0.0, 0.0, "nothing weighed"
    if isinstance(preference, Fit):
        misfit = 1.0 - _fit_scores(problem, preference, at)
        average = dot(misfit, value) / total
        return average, average, "average misfit"
    return _near_score(problem, preference, at, value / total)


def _fit_scores(problem: CarvingProblem, fit: Fit, at: IntArray) -> FloatArray:
    position = problem.territories.position
    territory_of = pd.Series({str(c): position[str(c)] for c in fit.scores.columns if str(c) in position})
    by = fit.by if fit.by is not None else problem.account_id
    row = pd.Index(fit.scores.index.astype(str)).get_indexer(pd.Index(label_text(problem.accounts[by])))
    column_at = np.full(problem.territories.count, -1)
    for name, k in territory_of.items():
        column_at[k] = list(map(str, fit.scores.columns)).index(str(name)) if column_at[k] < 0 else column_at[k]
    out: FloatArray = fit.scores.to_numpy(dtype=float)[row, column_at[at]]
    return out


def _near_score(problem: CarvingProblem, near: Near, at: IntArray, weight: FloatArray) -> tuple[float, float, str]:
    """Return the weighted mean distance to the center; without given centers, to each territory's mean point."""
    points = problem.accounts[[near.lat, near.lon]].to_numpy(dtype=float)
    k = problem.territories.count
    given = near.centers
    if given is not None:
        position = problem.territories.position
        by_position = {position[name]: point for name, point in given.items()}
        centers = np.array([by_position[t] for t in range(k)], dtype=float)
    elif problem.territories.centers is not None:
        centers = np.array(problem.territories.centers, dtype=float)
    else:
        mass = np.maximum(np.bincount(at, weights=weight, minlength=k), 1e-300)
        centers = np.stack([np.bincount(at, weights=weight * points[:, d], minlength=k) / mass for d in (0, 1)], axis=1)
    haversine = near.metric == "haversine"
    ones = np.ones(len(points))
    distance = np.empty(len(points))
    order = np.argsort(at, kind="stable")
    edges = np.searchsorted(at[order], np.arange(k + 1))
    for t in range(k):
        here = order[edges[t] : edges[t + 1]]
        term = Distance(points[here], centers[t : t + 1], ones[here], near.squared, haversine)
        distance[here] = term.block(slice(0, len(here)))[:, 0]
    middle = Distance(points, points.mean(axis=0, keepdims=True), ones, True, haversine)
    spread = float(np.sqrt(middle.block(slice(0, len(points))).mean())) or 1.0
    natural = dot(distance, weight)
    unit = "average km" if haversine else "average distance"
    return natural / spread ** (2 if near.squared else 1), natural, unit + (" squared" if near.squared else "")
