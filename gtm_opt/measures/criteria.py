"""Balance criteria as columns: one number per account, a target and a band per territory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.model import Balance, Count, Limit, Mix

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray
    from gtm_opt.model import CarvingProblem, Criterion, Territories

__all__ = ["CriterionColumn", "band_of", "compile_criteria", "granule"]


@dataclass(frozen=True, eq=False)
class CriterionColumn:
    """One additive activity with its targets and bands.

    Attributes
    ----------
    name : str
        ``column``, ``column=category`` for a mix, ``limit column`` for a limit.
    criterion : Balance or Count or Mix or Limit
    values : ndarray of shape (n_accounts,) or (n_accounts, n_territories)
    target, lower, upper : ndarray of shape (n_territories,)
    shares : ndarray of shape (n_territories,)
    """

    name: str
    criterion: Criterion
    values: FloatArray
    target: FloatArray
    lower: FloatArray
    upper: FloatArray
    shares: FloatArray

    @property
    def priority(self) -> int:
        """Tier, 1 first."""
        return self.criterion.priority

    @property
    def penalty(self) -> float | None:
        """Score per 100 % of excess; None: hard."""
        return None if isinstance(self.criterion, Limit) else self.criterion.penalty

    @property
    def tolerance(self) -> float:
        """Allowed relative deviation, a fraction; ``inf`` for a limit."""
        return np.inf if isinstance(self.criterion, Limit) else self.criterion.tolerance

    @property
    def limit(self) -> bool:
        """Whether this is an absolute limit without a target of its own."""
        return isinstance(self.criterion, Limit)


def compile_criteria(problem: CarvingProblem, territories: Territories) -> tuple[CriterionColumn, ...]:
    """Return one column per criterion (one per category for a mix), in the order given."""
    return tuple(column for c in problem.balance for column in _columns(problem, c, territories))


def _columns(problem: CarvingProblem, criterion: Criterion, territories: Territories) -> Iterator[CriterionColumn]:
    if isinstance(criterion, Mix):
        yield from _mix_columns(problem, criterion, territories)
        return
    values = _values(problem, criterion, territories)
    shares = _shares(criterion, territories)
    target = shares * _total(values, shares)
    if isinstance(criterion, Limit):
        lower = _limit(criterion.at_least, territories, -np.inf)
        upper = _limit(criterion.at_most, territories, np.inf)
        yield CriterionColumn(criterion.name, criterion, values, np.maximum(target, 1e-12), lower, upper, shares)
        return
    lower, upper = band_of(values, target, criterion.tolerance, counted=isinstance(criterion, Count))
    yield CriterionColumn(criterion.name, criterion, values, target, lower, upper, shares)


def _mix_columns(problem: CarvingProblem, mix: Mix, territories: Territories) -> Iterator[CriterionColumn]:
    labels = (
        problem.accounts[mix.column].astype(object).where(problem.accounts[mix.column].notna(), "(none)").astype(str)
    )
    value = np.ones(len(labels)) if mix.value is None else problem.accounts[mix.value].to_numpy(dtype=float)
    shares = np.array(territories.shares)
    codes, categories = pd.factorize(labels, sort=True)
    for code, category in enumerate(categories):
        values = np.where(codes == code, value, 0.0)
        if not values.any():
            continue
        target = shares * values.sum()
        lower, upper = band_of(values, target, mix.tolerance, counted=mix.value is None)
        yield CriterionColumn(f"{mix.column}={category}", mix, values, target, lower, upper, shares)


def _values(problem: CarvingProblem, criterion: Balance | Count | Limit, territories: Territories) -> FloatArray:
    if isinstance(criterion, Count) or (isinstance(criterion, Limit) and criterion.column == "accounts"):
        return np.ones(problem.n_accounts)
    if criterion.by_territory is not None:
        matrix = criterion.by_territory
        matrix = matrix.set_axis(matrix.index.astype(str))
        return matrix.loc[problem.resolved.ids, list(territories.names)].to_numpy(dtype=float)
    return problem.accounts[criterion.column].to_numpy(dtype=float)


def _shares(criterion: Balance | Count | Limit, territories: Territories) -> FloatArray:
    own = getattr(criterion, "shares", None)
    if own is None:
        return np.array(territories.shares)
    by_position = {territories.position[name]: float(share) for name, share in own.items()}
    return np.array([by_position[k] for k in range(territories.count)])


def _total(values: FloatArray, shares: FloatArray) -> float:
    """Return the total; where it depends on the territory, that of an assignment in proportion to shares."""
    return float(values.sum()) if values.ndim == 1 else float((values.sum(axis=0) * shares).sum())


def _limit(given: float | Mapping[str, float] | None, territories: Territories, none: float) -> FloatArray:
    if given is None:
        return np.full(territories.count, none)
    if not isinstance(given, Mapping):
        return np.full(territories.count, float(given))
    by_position = {territories.position[name]: float(value) for name, value in given.items()}
    return np.array([by_position.get(k, none) for k in range(territories.count)])


def granule(values: FloatArray) -> float:
    """Return the greatest common divisor of whole-number values; 0 where there is none.

    Examples
    --------
    >>> granule(np.array([4.0, 6.0, 0.0]))
    2.0
    >>> granule(np.array([0.5, 1.0]))
    0.0
    """
    flat = values.ravel()
    if not len(flat) or float(flat.max()) > 2**53 or not (flat == np.round(flat)).all():
        return 0.0
    return float(np.gcd.reduce(flat.astype(np.int64)))


def band_of(
    values: FloatArray, target: FloatArray, tolerance: float, *, counted: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Return the band around each target.

    Parameters
    ----------
    values : ndarray of shape (n_accounts,) or (n_accounts, n_territories)
    target : ndarray of shape (n_territories,)
    tolerance : float
        A fraction.
    counted : bool
        The values count accounts. So do values that are all 0 or 1.

    Notes
    -----
    A band of a count is widened to the two whole numbers around the target: ten accounts for three territories are
    three or four each, and nothing narrower exists. Nothing else is widened: money that comes in equal lumps may
    miss its band, and then it does.
    """
    lower, upper = target * (1.0 - tolerance), target * (1.0 + tolerance)
    if counted or ((values == 0.0) | (values == 1.0)).all():
        nearest = np.round(target)
        exact = np.abs(target - nearest) < 1e-9
        lower = np.minimum(lower, np.where(exact, nearest, np.floor(target)))
        upper = np.maximum(upper, np.where(exact, nearest, np.ceil(target)))
    return lower, upper
