"""`HiringProblem`: everything a hiring plan is made of, checked and in arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gtm_opt.errors import amount_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gtm_opt.model.calendar import Calendar
    from gtm_opt.model.roles import Roles
    from gtm_opt.sales_capacity.hiring.rules import HiringRule

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]
    BoolArray = NDArray[np.bool_]

__all__ = ["HeadGroup", "HiringProblem", "Target"]


@dataclass(frozen=True)
class HeadGroup:
    """Heads of one role that started together.

    Attributes
    ----------
    role : int
    heads : float
    tenure_m : int or None
        Tenure month in the first month of the horizon (1: started then); None: ramped, tenure unknown.
    """

    role: int
    heads: float
    tenure_m: int | None = None


@dataclass(frozen=True)
class Target:
    """Bookings asked for in a period.

    Attributes
    ----------
    quarter : str
        Label; of the last quarter where the target is cumulative.
    months : tuple of int
        Positions of the months that count.
    segment : str or None
        None: all segments.
    amount : float
        Asked for, coverage included.
    """

    quarter: str
    months: tuple[int, ...]
    segment: str | None
    amount: float

    @property
    def name(self) -> str:
        """For example ``"FY2026-Q1 ENT"``, or ``"FY2026-Q1"`` for all segments."""
        return self.quarter if self.segment is None else f"{self.quarter} {self.segment}"


@dataclass(frozen=True, eq=False)
class HiringProblem:
    """A hiring problem in arrays; `gtm_opt.plan_hiring` makes it.

    Attributes
    ----------
    calendar : Calendar
        ``T`` months.
    roles : Roles
        ``R`` roles.
    hazard : ndarray of shape (R, n_tenure)
        Part of the heads that leave at the end of tenure month 1, 2, ...; the last column holds from there on.
    groups : tuple of HeadGroup
    targets : tuple of Target
    rules : tuple of HiringRule
    may_start : ndarray of bool, shape (R, T)
        Whether anybody may start in a month after the time to fill; freezes are rules and come on top.
    promised : ndarray of int, shape (R, T)
        Hires that are certain already, whatever `may_start` says.
    shares : ndarray of shape (T,)
        Part of a year's productivity that falls into each month.
    approved : ndarray of int, shape (R, T), or None
        The plan that ``least_change`` stays close to.
    cumulative : bool
        Targets count all bookings of the year up to and including their quarter.
    currency : str
    """

    calendar: Calendar
    roles: Roles
    hazard: FloatArray
    groups: tuple[HeadGroup, ...]
    targets: tuple[Target, ...]
    rules: tuple[HiringRule, ...]
    may_start: BoolArray
    promised: IntArray
    shares: FloatArray
    approved: IntArray | None = None
    cumulative: bool = False
    currency: str = ""

    @property
    def n_months(self) -> int:
        """Months of the horizon."""
        return len(self.shares)

    def position(self, role: str) -> int:
        """Return the position of a role."""
        return self.roles.names.index(role)

    def sellers(self, segment: str | None = None) -> list[int]:
        """Return the positions of roles whose bookings count, of one segment or of all."""
        return [
            at
            for at, role in enumerate(self.roles)
            if role.quota_type == "direct" and (segment is None or role.segment == segment)
        ]

    def with_targets(self, targets: tuple[Target, ...]) -> HiringProblem:
        """Return the problem with other targets."""
        return replace(self, targets=targets)

    def with_rules(self, rules: tuple[HiringRule, ...]) -> HiringProblem:
        """Return the problem with other rules."""
        return replace(self, rules=rules)

    def money(self, amount: float) -> str:
        """Return an amount as text."""
        return amount_text(amount, self.currency)
