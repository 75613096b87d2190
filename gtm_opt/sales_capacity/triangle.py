"""Coverage, over-assignment and share of sellers at quota: any two give the third."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, Findings

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PlanTriangle", "plan_probability", "plan_triangle", "quota_ratio", "required_coverage", "share_at_quota"]

_CLOSE = 5e-3


def share_at_quota(quota_ratio: float, cv: float) -> float:
    """Return the share of sellers who make their quota.

    Parameters
    ----------
    quota_ratio : float
        Quota divided by what the seller is expected to book, > 0.
    cv : float
        Standard deviation of a seller's result divided by its mean, > 0.

    Notes
    -----
    With a lognormal result of mean mu and ``s**2 = ln(1 + cv**2)``::

        P(result >= Q) = Phi(-(ln(Q / mu) + s**2 / 2) / s)                               (5)

    Examples
    --------
    >>> round(share_at_quota(1.1, 0.5), 4)
    0.3307
    """
    _check(quota_ratio=(quota_ratio, 0.0, math.inf), cv=(cv, 0.0, math.inf))
    s = _sigma(cv)
    return _phi(-(math.log(quota_ratio) + s * s / 2) / s)


def quota_ratio(share: float, cv: float) -> float:
    """Return the quota, divided by what a seller is expected to book, that a share of sellers makes.

    Parameters
    ----------
    share : float
        Wanted share of sellers at quota, strictly between 0 and 1.
    cv : float
        As in `share_at_quota`.

    Notes
    -----
    ``Q / mu = exp(-s**2 / 2 + s * Phi^-1(1 - share))`` (6), the inverse of `share_at_quota`.

    Examples
    --------
    >>> round(quota_ratio(0.6, 0.5), 4)
    0.7935
    """
    _check(share=(share, 0.0, 1.0), cv=(cv, 0.0, math.inf))
    s = _sigma(cv)
    return math.exp(-s * s / 2 + s * _quantile(1.0 - share))


def plan_probability(coverage: float, cv: float, *, n: int, correlation: float) -> float:
    """Return the probability that a team with equal seats makes its plan (a normal approximation).

    Parameters
    ----------
    coverage : float
        Expected capacity divided by the plan, > 0.
    cv : float
        Standard deviation of a seller's result divided by its mean, > 0.
    n : int
        Number of sellers.
    correlation : float
        Correlation of the results of two sellers, 0 to 1.

    Notes
    -----
    ``P = Phi((1 - 1 / coverage) / SD)``, ``SD = cv * sqrt((1 - correlation) / n + correlation)`` (8). Seats that
    differ, exits and skew need `gtm_opt.simulate`.

    Examples
    --------
    >>> round(plan_probability(1.1, 0.5, n=50, correlation=0.1), 4)
    0.7017
    """
    _check(coverage=(coverage, 0.0, math.inf))
    return _phi((1.0 - 1.0 / coverage) / _team_sd(cv, n, correlation))


def required_coverage(probability: float, cv: float, *, n: int, correlation: float) -> float:
    """Return the coverage that makes the plan with a probability: the inverse of `plan_probability`.

    Raises
    ------
    DataError
        Where no coverage is enough: the spread of the team is so large that the normal approximation has results
        below zero more often than the plan may fail.

    Examples
    --------
    >>> round(required_coverage(0.9, 0.5, n=50, correlation=0.1), 3)
    1.282
    """
    _check(probability=(probability, 0.0, 1.0))
    spread = _team_sd(cv, n, correlation)
    rest = 1.0 - _quantile(probability) * spread
    if rest <= 0:
        raise DataError(
            f"`probability` must be below {_phi(1.0 / spread):.4f} for a team that spreads by {spread:.2f} of its "
            f"mean, got {probability!r}.\n    No coverage is enough; simulate the team instead of approximating it."
        )
    return 1.0 / rest


@dataclass(frozen=True)
class PlanTriangle:
    """Three numbers that belong together.

    Attributes
    ----------
    coverage : float
        Expected capacity divided by the plan.
    over_assignment : float
        Quotas of the street divided by the plan, minus 1.
    share_at_quota : float
        Share of sellers who make their quota.
    cv : float
        Spread of a seller's result.
    quota_ratio : float
        Quotas divided by expected capacity: ``(1 + over_assignment) / coverage`` (7).
    plan_probability : float or None
        Probability of making the plan, where number of sellers and correlation were given.
    """

    coverage: float
    over_assignment: float
    share_at_quota: float
    cv: float
    quota_ratio: float
    plan_probability: float | None = None

    def table(self, shares: Sequence[float] = (0.4, 0.5, 0.6, 0.7)) -> pd.DataFrame:
        """Return what other shares at quota would need: the coverage at this over-assignment, or the reverse.

        Returns
        -------
        DataFrame
            ``share_at_quota``, ``quota_ratio``, ``coverage`` (at the over-assignment of the triangle),
            ``over_assignment`` (at its coverage).
        """
        ratios = np.array([quota_ratio(share, self.cv) for share in shares])
        return pd.DataFrame(
            {
                "share_at_quota": list(shares),
                "quota_ratio": ratios,
                "coverage": (1.0 + self.over_assignment) / ratios,
                "over_assignment": self.coverage * ratios - 1.0,
            }
        )

    def summary(self) -> pd.DataFrame:
        """Return `table`."""
        return self.table()

    def __repr__(self) -> str:
        text = (
            f"PlanTriangle: expected capacity {self.coverage:.3f} x plan, quotas {1 + self.over_assignment:.3f} x "
            f"plan, {self.share_at_quota:.1%} of sellers at quota (spread {self.cv:g})"
        )
        return (
            text if self.plan_probability is None else f"{text}; plan made with probability {self.plan_probability:.3f}"
        )


def plan_triangle(
    *,
    coverage: float | None = None,
    over_assignment: float | None = None,
    share_at_quota: float | None = None,
    cv: float,
    n: int | None = None,
    correlation: float | None = None,
) -> PlanTriangle:
    """Return the third of coverage, over-assignment and share at quota from the other two.

    Parameters
    ----------
    coverage : float, optional
        Expected capacity divided by the plan, > 0.
    over_assignment : float, optional
        Quotas of the street divided by the plan, minus 1; above -1.
    share_at_quota : float, optional
        Share of sellers who make their quota, strictly between 0 and 1.
    cv : float
        Standard deviation of a seller's result divided by its mean, > 0.
    n, correlation : optional
        Number of sellers and correlation of two: with them the probability of the plan is told too.

    Returns
    -------
    PlanTriangle

    Raises
    ------
    DataError
        With fewer than two of the three, for numbers out of range, and for three that contradict each other, with
        the arithmetic and the three ways out.

    Examples
    --------
    >>> triangle = plan_triangle(over_assignment=0.10, share_at_quota=0.60, cv=0.5)
    >>> round(triangle.coverage, 3)
    1.386
    """
    found = Findings()
    given = {"coverage": coverage, "over_assignment": over_assignment, "share_at_quota": share_at_quota}
    known = {name: value for name, value in given.items() if value is not None}
    if len(known) < 2:
        got = ", ".join(known) or "none"
        found.add("plan_triangle", "needs two of coverage, over_assignment and share_at_quota", got=got)
    if (n is None) != (correlation is None):
        found.add("plan_triangle", "needs n and correlation together, or neither", got="one of them")
    found.raise_if_any()
    limits = {"coverage": (0.0, math.inf), "over_assignment": (-1.0, math.inf), "share_at_quota": (0.0, 1.0)}
    _check(cv=(cv, 0.0, math.inf), **{name: (value, *limits[name]) for name, value in known.items()})
    if share_at_quota is None:
        assert coverage is not None and over_assignment is not None
        ratio = (1.0 + over_assignment) / coverage
        share_at_quota = _share(ratio, cv)
    else:
        ratio = quota_ratio(share_at_quota, cv)
        if coverage is not None and over_assignment is not None:
            _refuse_contradiction(coverage, over_assignment, share_at_quota, cv, ratio)
        elif coverage is None:
            assert over_assignment is not None
            coverage = (1.0 + over_assignment) / ratio
        else:
            over_assignment = coverage * ratio - 1.0
    assert coverage is not None and over_assignment is not None
    odds = None if n is None or correlation is None else plan_probability(coverage, cv, n=n, correlation=correlation)
    return PlanTriangle(coverage, over_assignment, share_at_quota, cv, ratio, odds)


_share = share_at_quota


def _refuse_contradiction(coverage: float, over_assignment: float, share: float, cv: float, ratio: float) -> None:
    """Raise if three given numbers do not fit together to half a percentage point of sellers."""
    given = (1.0 + over_assignment) / coverage
    true_share = _share(given, cv)
    if abs(true_share - share) <= _CLOSE:
        return
    raise DataError(
        f"coverage {coverage:g}, over_assignment {over_assignment:.1%} and share_at_quota {share:.1%} contradict each "
        f"other: quotas are {1 + over_assignment:g} / {coverage:g} = {given:.4f} of expected capacity, which "
        f"{true_share:.1%} of sellers make when results spread by {cv:g}; {share:.1%} make {ratio:.4f}.\n"
        f"    Leave one out: coverage would be {(1 + over_assignment) / ratio:.3f}, over_assignment "
        f"{coverage * ratio - 1:.1%}, or share_at_quota {true_share:.1%}."
    )


def _check(**values: tuple[object, float, float]) -> None:
    """Raise for numbers that do not lie strictly between their limits."""
    found = Findings()
    for name, (value, low, high) in values.items():
        number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if not number or not low < value < high:  # type: ignore[operator]
            rule = f"must be above {low:g}" if math.isinf(high) else f"must lie strictly between {low:g} and {high:g}"
            found.add(name, rule, got=repr(value))
    found.raise_if_any()


def _team_sd(cv: float, n: int, correlation: float) -> float:
    _check(cv=(cv, 0.0, math.inf))
    found = Findings()
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        found.add("n", "must be a whole number of sellers, at least 1", got=repr(n))
    if not isinstance(correlation, int | float | np.number) or not 0 <= correlation <= 1:
        found.add("correlation", "must lie between 0 and 1", got=repr(correlation))
    found.raise_if_any()
    return cv * math.sqrt((1.0 - correlation) / n + correlation)


def _sigma(cv: float) -> float:
    return math.sqrt(math.log1p(cv * cv))


def _phi(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def _quantile(p: float) -> float:
    from scipy.special import ndtri  # late: keeps `import gtm_opt` quick

    return float(ndtri(p))
