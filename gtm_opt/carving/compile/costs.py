"""Preferences as cost terms on one scale: an average of 1 per account is "as bad as it gets"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.instance import Distance, MoveCost, Table, UnitSum
from gtm_opt.model import Fit, KeepOwner, Near
from gtm_opt.model.tables import label_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.carving.compile.compiled import Units
    from gtm_opt.instance import FloatArray, IntArray, Term
    from gtm_opt.model import CarvingProblem, Preference, Territories

__all__ = ["OpenCenters", "compile_costs", "preference_term", "spread_of"]


@dataclass(frozen=True, eq=False)
class OpenCenters:
    """A distance preference whose centers are not known yet.

    Attributes
    ----------
    points : ndarray of shape (n_accounts, 2)
    weight : ndarray of shape (n_accounts,)
        Already on the common scale.
    squared, haversine : bool
    """

    points: FloatArray
    weight: FloatArray
    squared: bool
    haversine: bool


def compile_costs(
    problem: CarvingProblem, territories: Territories, units: Units, position: IntArray
) -> tuple[tuple[Term, ...], tuple[str, ...], tuple[OpenCenters, ...]]:
    """Return the cost terms over units, their names, and the distances that still need centers.

    The sum over all accounts is ``n_accounts`` times the weighted score of the preferences:
    costs are of the order of 1 per account whatever the size of the problem.
    """
    terms: list[Term] = []
    names: list[str] = []
    open_centers: list[OpenCenters] = []
    for preference in problem.prefer:
        built = preference_term(problem, preference, territories, position)
        if isinstance(built, OpenCenters):
            open_centers.append(built)
        else:
            terms.append(built if units.single else UnitSum(built, units.members, units.start))
            names.append(preference.name)
    return tuple(terms), tuple(names), tuple(open_centers)


def preference_term(
    problem: CarvingProblem, preference: Preference, territories: Territories, position: IntArray
) -> Term | OpenCenters:
    """Return the term of one preference over accounts."""
    if isinstance(preference, KeepOwner):
        return _keep_term(problem, preference, territories.count, position)
    if isinstance(preference, Fit):
        return _fit_term(problem, preference, territories)
    return _near_term(problem, preference, territories)


def account_weight(
    problem: CarvingProblem, preference: Preference, among: NDArray[np.bool_] | None = None
) -> FloatArray:
    """Return ``weight * n * value / sum(value)`` per account; zero outside ``among``."""
    n = problem.n_accounts
    value = np.ones(n) if preference.value is None else problem.accounts[preference.value].to_numpy(dtype=float)
    if among is not None:
        value = np.where(among, value, 0.0)
    total = float(value.sum())
    return value * (preference.weight * n / total) if total > 0 else np.zeros(n)


def _keep_term(problem: CarvingProblem, keep: KeepOwner, k: int, position: IntArray) -> MoveCost:
    home = problem.resolved.home[keep.owner]
    owned = home >= 0
    weight = account_weight(problem, keep, owned)
    if keep.value is not None:
        plain = np.where(owned, keep.weight * problem.n_accounts / max(int(owned.sum()), 1), 0.0)
        weight = (weight + keep.per_account * plain) / (1.0 + keep.per_account)
    return MoveCost(np.where(owned, position[home], -1), weight, k)


def _fit_term(problem: CarvingProblem, fit: Fit, territories: Territories) -> Table:
    at = {
        territories.position[str(c)]: i
        for i, c in reversed(list(enumerate(fit.scores.columns)))
        if str(c) in territories.position
    }
    scores = fit.scores.to_numpy(dtype=float)[:, [at[k] for k in range(territories.count)]]
    by = fit.by if fit.by is not None else problem.account_id
    codes = pd.Index(fit.scores.index.astype(str)).get_indexer(pd.Index(label_text(problem.accounts[by])))
    return Table(codes.astype(np.int64), 1.0 - scores, account_weight(problem, fit))


def spread_of(points: FloatArray, haversine: bool) -> float:
    """Return the root mean square distance of points from their mean: the unit of `Near`."""
    center = points.mean(axis=0, keepdims=True)
    term = Distance(points, center, np.ones(len(points)), squared=True, haversine=haversine)
    spread = float(np.sqrt(term.block(slice(0, len(points))).mean()))
    return spread if spread > 0 else 1.0


def _near_term(problem: CarvingProblem, near: Near, territories: Territories) -> Term | OpenCenters:
    points = problem.accounts[[near.lat, near.lon]].to_numpy(dtype=float)
    haversine = near.metric == "haversine"
    unit = spread_of(points, haversine) ** (2 if near.squared else 1)
    weight = account_weight(problem, near) / unit
    centers = _centers(near, territories)
    if centers is None:
        return OpenCenters(points, weight, near.squared, haversine)
    return Distance(points, centers, weight, near.squared, haversine)


def _centers(near: Near, territories: Territories) -> FloatArray | None:
    if near.centers is not None:
        by_position = {territories.position[name]: point for name, point in near.centers.items()}
        return np.array([by_position[k] for k in range(territories.count)], dtype=float)
    return None if territories.centers is None else np.array(territories.centers, dtype=float)
