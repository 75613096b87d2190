"""Attrition: how likely sellers are to leave in a month, and who leaves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from gtm_opt.errors import DataError, Findings
from gtm_opt.model.by_name import as_pairs, check_names, value_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from gtm_opt.model.roles import Role

    FloatArray = NDArray[np.float64]

__all__ = ["Attrition", "AttritionKind", "monthly_hazard"]

AttritionKind = Literal["cohort", "turnover"]
"""What an annual rate means: a share of those here at the start, or separations over average heads."""

_NO_KIND = "'cohort' (share of the people here in January who are gone in December) or 'turnover' (separations / heads)"


@dataclass(frozen=True, kw_only=True, init=False)
class Attrition:
    """How many sellers leave, by role or segment and tenure, and what they would have booked.

    Parameters
    ----------
    annual : float or mapping of str to float
        Annual rate in [0, 1). A mapping is by role name or segment, with ``"default"`` for the rest.
    kind : {"cohort", "turnover"}
        What the rate means; there is no default, as the two differ by a tenth. ``"cohort"``: of the
        people here in January that share is gone in December. ``"turnover"``: separations divided by
        average heads, seats being refilled.
    new_hire : float or mapping of str to float, optional
        Share of new hires who are gone after their first `new_hire_months` months (new-hire failure), always a
        cohort rate. Default: new hires leave at the rate of the others.
    new_hire_months : int
        Tenure up to which `new_hire` holds, >= 1.
    involuntary_share : float
        Share of exits that the company decides, 0 to 1.
    involuntary_output : float
        What a seller who is let go books, as a fraction of the average, in (0, 1]. Default 1: whoever leaves is
        average, and an exit costs the output of an average seller.
    low_performer_share : float
        Share of sellers who book that fraction, in (0, 1); the others book more, so that the average is 1.
        Matters only with `involuntary_output` below 1.
    exits : {"end_of_month", "mid_month"}
        When in the month people leave: with the month worked in full, or half of it.

    Raises
    ------
    DataError
        With every finding: a rate outside its range or no number, the kind not said.

    Notes
    -----
    Monthly hazard h of an annual rate A::

        cohort     h = 1 - (1 - A) ** (1 / 12)
        turnover   h = 1 - exp(-A / 12)

    A twelfth of the rate is neither. The share of people who remain is the same whatever the involuntary
    share: letting low performers go first only raises what those who remain book on average.

    Examples
    --------
    >>> attrition = Attrition({"AE-ENT": 0.20, "default": 0.30}, kind="cohort", new_hire=0.25)
    >>> monthly_hazard(0.20, "cohort").__round__(7), monthly_hazard(0.20, "turnover").__round__(7)
    (0.0184235, 0.0165285)
    """

    annual: tuple[tuple[str, float], ...]
    kind: AttritionKind
    new_hire: tuple[tuple[str, float], ...] | None
    new_hire_months: int
    involuntary_share: float
    involuntary_output: float
    low_performer_share: float
    exits: Literal["end_of_month", "mid_month"]

    def __init__(
        self,
        annual: float | Mapping[str, float] | tuple[tuple[str, float], ...],
        *,
        kind: AttritionKind | None = None,
        new_hire: float | Mapping[str, float] | tuple[tuple[str, float], ...] | None = None,
        new_hire_months: int = 12,
        involuntary_share: float = 0.5,
        involuntary_output: float = 1.0,
        low_performer_share: float = 0.25,
        exits: Literal["end_of_month", "mid_month"] = "end_of_month",
    ) -> None:
        put = object.__setattr__
        put(self, "annual", as_pairs(annual))
        put(self, "kind", kind)
        put(self, "new_hire", None if new_hire is None else as_pairs(new_hire))
        put(self, "new_hire_months", new_hire_months)
        put(self, "involuntary_share", involuntary_share)
        put(self, "involuntary_output", involuntary_output)
        put(self, "low_performer_share", low_performer_share)
        put(self, "exits", exits)
        self._check()

    def _check(self) -> None:
        found = Findings()
        if self.kind not in get_args(AttritionKind):
            got = "nothing" if self.kind is None else repr(self.kind)
            found.add("Attrition.kind", f"must be {_NO_KIND}", got=got, remedy="The same rate means two hazards.")
        for name, rates in (("annual", self.annual), ("new_hire", self.new_hire or ())):
            if name == "annual" and not rates:
                found.add("Attrition.annual", "must hold at least one rate", got="none")
            for key, rate in rates:
                if not _is_number(rate) or not 0 <= rate < 1:
                    remedy = "Write 20 % as 0.20."
                    where = f"Attrition.{name}[{key!r}]"
                    found.add(where, "must be a rate of at least 0 and below 1", got=repr(rate), remedy=remedy)
        if (
            not _is_number(self.new_hire_months)
            or self.new_hire_months != int(self.new_hire_months)
            or (self.new_hire_months < 1)
        ):
            found.add("Attrition.new_hire_months", "must be a whole number, at least 1", got=repr(self.new_hire_months))
        if not _is_number(self.involuntary_share) or not 0 <= self.involuntary_share <= 1:
            found.add("Attrition.involuntary_share", "must lie between 0 and 1", got=repr(self.involuntary_share))
        if not _is_number(self.involuntary_output) or not 0 < self.involuntary_output <= 1:
            found.add("Attrition.involuntary_output", "must lie in (0, 1]", got=repr(self.involuntary_output))
        if not _is_number(self.low_performer_share) or not 0 < self.low_performer_share < 1:
            found.add("Attrition.low_performer_share", "must lie in (0, 1)", got=repr(self.low_performer_share))
        if self.exits not in ("end_of_month", "mid_month"):
            found.add("Attrition.exits", "must be 'end_of_month' or 'mid_month'", got=repr(self.exits))
        found.raise_if_any()

    @property
    def high_output(self) -> float:
        """What a seller who is no low performer books, as a fraction of the average: at least 1."""
        share = self.low_performer_share
        return (1.0 - share * self.involuntary_output) / (1.0 - share)

    def check_roles(self, roles: Iterable[Role]) -> None:
        """Check that every rate names a role or segment, and that every role has a rate.

        Raises
        ------
        DataError
        """
        found = Findings()
        roles = list(roles)
        check_names(self.annual, roles, "Attrition.annual", found, complete=True)
        check_names(self.new_hire or (), roles, "Attrition.new_hire", found, complete=False)
        found.raise_if_any()

    def rate(self, role: Role) -> float:
        """Return the annual rate of a role.

        Raises
        ------
        DataError
            Where neither the role, nor its segment, nor a default is given.
        """
        rate = value_for(self.annual, role)
        if rate is None:
            names = ", ".join(name for name, _ in self.annual)
            raise DataError(f"Attrition.annual has no rate for role '{role.name}', only for: {names}.")
        return float(rate)

    def hazard(self, role: Role, *, new: bool = False, periods_py: int = 12) -> float:
        """Return the probability that a seller of a role leaves in a month.

        Parameters
        ----------
        role : Role
        new : bool
            Of a new hire (tenure up to `new_hire_months`), or of the others.
        periods_py : int
            Periods of a year: 13 for a year of thirteen periods.
        """
        failure = value_for(self.new_hire, role) if new and self.new_hire is not None else None
        if failure is not None:
            return -math.expm1(math.log1p(-float(failure)) * 12.0 / periods_py / self.new_hire_months)
        return monthly_hazard(self.rate(role), self.kind, periods_py=periods_py)

    def hazards(self, role: Role, months: int, *, periods_py: int = 12) -> FloatArray:
        """Return the probability of leaving in tenure months 1, 2, ..., shape (months,).

        The hire month is tenure month 1; the probability is conditional on still being there.
        """
        young = np.arange(1, months + 1) <= self.new_hire_months * periods_py / 12.0
        return np.where(
            young, self.hazard(role, new=True, periods_py=periods_py), self.hazard(role, periods_py=periods_py)
        )


def monthly_hazard(annual: float, kind: AttritionKind, *, periods_py: int = 12) -> float:
    """Return the monthly probability of leaving that gives an annual rate; see `Attrition`."""
    if kind == "cohort":
        return -math.expm1(math.log1p(-annual) / periods_py)
    return -math.expm1(-annual / periods_py)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(value)
