"""Attainment: how far sellers' results spread around what their seats are expected to yield."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import Findings
from gtm_opt.model.by_name import as_pairs, check_names, value_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gtm_opt.model.roles import Role

__all__ = ["Attainment"]


@dataclass(frozen=True, init=False)
class Attainment:
    """Spread of results, and how much of it sellers share.

    Parameters
    ----------
    cv : float or mapping of str to float
        Standard deviation of a seller's annual result divided by its mean, 0 to 3; by role, segment and ``"default"``.
        Practice lies around 0.3 to 0.6.
    correlation : float
        Correlation of the annual results of two sellers, 0 to 1: market, product, price. There is no default:
        with independent sellers a large team would hardly ever miss its plan.
    zero_share : float
        Share of sellers who book nothing at all, in [0, 1); the others book more, so that mean and `cv` hold.
    persistence : float
        Part of the variance that lasts all year, 0 to 1; the rest is drawn anew every month, for sellers and
        market alike. Default 1: a seller's year is good or bad as a whole, and so are all its quarters.
    ramp_cv : float
        Standard deviation over mean of the time that sellers take for their ramp, 0 to 1.
    deal_size : float, optional
        Average booking: bookings come in whole deals, a Poisson number of them. Default: any amount.

    Raises
    ------
    DataError
        With every finding, if a field breaks its rule.

    Notes
    -----
    A seller's result is ``mu * Z * eps`` with lognormal factors of mean 1. The common factor Z has variance
    ``correlation * cv**2``, so that two sellers have that correlation exactly, and the mean of n sellers a
    coefficient of variation of ``cv * sqrt((1 - correlation) / n + correlation)``.

    Examples
    --------
    >>> Attainment(0.5, correlation=0.1).team_cv(50)
    0.17175...
    """

    cv: tuple[tuple[str, float], ...]
    correlation: float
    zero_share: float
    persistence: float
    ramp_cv: float
    deal_size: float | None

    def __init__(
        self,
        cv: float | Mapping[str, float] | tuple[tuple[str, float], ...],
        *,
        correlation: float,
        zero_share: float = 0.0,
        persistence: float = 1.0,
        ramp_cv: float = 0.0,
        deal_size: float | None = None,
    ) -> None:
        put = object.__setattr__
        put(self, "cv", as_pairs(cv))
        put(self, "correlation", correlation)
        put(self, "zero_share", zero_share)
        put(self, "persistence", persistence)
        put(self, "ramp_cv", ramp_cv)
        put(self, "deal_size", deal_size)
        self._check()

    def _check(self) -> None:
        found = Findings()
        for key, value in self.cv or (("none", None),):
            if not _is_number(value) or not 0 <= value <= 3:  # type: ignore[operator]
                remedy = "Write 50 % as 0.5."
                found.add(f"Attainment.cv[{key!r}]", "must lie between 0 and 3", got=repr(value), remedy=remedy)
        for name in ("correlation", "persistence", "ramp_cv"):
            value = getattr(self, name)
            if not _is_number(value) or not 0 <= value <= 1:
                found.add(f"Attainment.{name}", "must lie between 0 and 1", got=repr(value))
        if not _is_number(self.zero_share) or not 0 <= self.zero_share < 1:
            found.add("Attainment.zero_share", "must be at least 0 and below 1", got=repr(self.zero_share))
        if self.deal_size is not None and (not _is_number(self.deal_size) or self.deal_size <= 0):
            found.add("Attainment.deal_size", "must be a positive amount", got=repr(self.deal_size))
        found.raise_if_any()
        for key, value in self.cv:
            if self.zero_share and self._own(value)[0] < 0:
                least = math.sqrt(self.zero_share / (1 - self.zero_share))
                found.add(
                    f"Attainment.cv[{key!r}]",
                    f"must be larger with {self.zero_share:.0%} who book nothing",
                    got=repr(value),
                    remedy=f"These alone spread results by {least:.2f}, in the part that is not shared and lasts.",
                )
        found.raise_if_any()

    def check_roles(self, roles: Iterable[Role]) -> None:
        """Check that every name is a role or segment, and that every role has a spread.

        Raises
        ------
        DataError
        """
        found = Findings()
        check_names(self.cv, list(roles), "Attainment.cv", found, complete=True)
        found.raise_if_any()

    def team_cv(self, n: int, role: Role | None = None) -> float:
        """Return the standard deviation over the mean of the joint result of n sellers with equal seats."""
        cv = float((None if role is None else value_for(self.cv, role)) or self.cv[0][1])
        return cv * math.sqrt((1.0 - self.correlation) / n + self.correlation)

    def sigmas(self, role: Role) -> tuple[float, float, float, float]:
        """Return the log standard deviations of a role's factors.

        Returns
        -------
        tuple of float
            Own and lasting, own of a month, common and lasting, common of a month.
        """
        cv = float(value_for(self.cv, role) or 0.0)
        common = self.correlation * cv**2
        lasting, month = self._split(common)
        own = self._own(cv)
        return tuple(math.sqrt(math.log1p(max(v, 0.0))) for v in (*own, lasting, month))  # type: ignore[return-value]

    def _own(self, cv: float) -> tuple[float, float]:
        """Return the squared variation of a seller's own factors, the lasting one without the mass at zero."""
        own = (1.0 + cv**2) / (1.0 + self.correlation * cv**2) - 1.0
        lasting = self.persistence * own
        common, common_month = self._split(self.correlation * cv**2)
        # own and common months multiply each other: what is left of the year's variance, for both together
        both = 12.0 * ((1.0 + cv**2) / ((1.0 + lasting) * (1.0 + common)) - 1.0)
        month = (1.0 + both) / (1.0 + common_month) - 1.0
        return (1.0 + lasting) * (1.0 - self.zero_share) - 1.0, month

    def _split(self, variance: float) -> tuple[float, float]:
        """Split a squared variation of a year into a lasting part, and one of every month."""
        lasting = self.persistence * variance
        return lasting, 12.0 * ((1.0 + variance) / (1.0 + lasting) - 1.0)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(value)
