"""What a hiring plan has to keep: recruiting, support, span, money, seats, pipeline, promotions, releases."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gtm_opt.errors import Findings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gtm_opt.model.ramp import Ramp

__all__ = [
    "HiringBudget",
    "HiringFreeze",
    "HiringRule",
    "ManagerSpan",
    "OnboardingLimit",
    "PipelineLimit",
    "Promotion",
    "RecruitingLimit",
    "Release",
    "SeatLimit",
    "SupportRatio",
]


@dataclass(frozen=True)
class RecruitingLimit:
    """At most so many people start in any ``months`` months in a row.

    Parameters
    ----------
    max_hires : int
        Hires of all ``roles`` together, >= 0.
    months : int
        1: in each month; 3: in any three months in a row (a rolling limit).
    roles : sequence of str, optional
        Roles that share the slots. Default: all.
    first, last : str, optional
        Months (``"2026-03"``) between which the limit holds, inclusive. Default: the whole horizon.
    """

    max_hires: int
    months: int = 1
    roles: Sequence[str] | None = None
    first: str | None = None
    last: str | None = None

    def __post_init__(self) -> None:
        found = Findings()
        _number(found, "RecruitingLimit.max_hires", self.max_hires, whole=True)
        _number(found, "RecruitingLimit.months", self.months, least=1, whole=True)
        object.__setattr__(self, "roles", _names(found, "RecruitingLimit.roles", self.roles))
        found.raise_if_any()


@dataclass(frozen=True)
class HiringFreeze:
    """Nobody of these roles starts between two months, inclusive; hires already promised do.

    Parameters
    ----------
    first, last : str
        Months, ``"2026-03"``.
    roles : sequence of str, optional
        Default: all.
    """

    first: str
    last: str
    roles: Sequence[str] | None = None

    def __post_init__(self) -> None:
        found = Findings()
        object.__setattr__(self, "roles", _names(found, "HiringFreeze.roles", self.roles))
        found.raise_if_any()


@dataclass(frozen=True)
class SupportRatio:
    """One head of a support role for every so many sellers, in every month.

    Parameters
    ----------
    support : str
        The role that supports, for example ``"SE"``.
    sellers : mapping of str to float
        Sellers per head of support, by role: ``{"AE-ENT": 2, "AE-MM": 4}`` is one for two and one for four. > 0.
    lead_m : int
        Months by which support has to be there before the sellers it is for.
    pooled : bool
        One pool for all roles (default), or whole heads dedicated to each role.

    Notes
    -----
    ``heads_support(t) >= sum_k heads_k(t + lead) / sellers_k`` with expected heads on both sides. Dedicated: whole
    numbers ``n_k(t) >= heads_k(t + lead) / sellers_k`` with ``sum_k n_k(t) <= heads_support(t)``.
    """

    support: str
    sellers: Mapping[str, float]
    lead_m: int = 0
    pooled: bool = True

    def __post_init__(self) -> None:
        found = Findings()
        object.__setattr__(self, "sellers", _amounts(found, "SupportRatio.sellers", self.sellers, positive=True))
        _number(found, "SupportRatio.lead_m", self.lead_m, whole=True)
        found.raise_if_any()


@dataclass(frozen=True)
class ManagerSpan:
    """Not more, and not fewer, direct reports per manager than a span allows, in every month.

    Parameters
    ----------
    manager : str
        Role of the managers.
    reports : sequence of str
        Roles that report to them.
    most : float
        Reports per manager at most, > 0.
    least : float, optional
        Reports per manager at least, counted without the last manager, whose team may be growing:
        ``reports >= least * (managers - 1)``.
    """

    manager: str
    reports: Sequence[str]
    most: float
    least: float | None = None

    def __post_init__(self) -> None:
        found = Findings()
        object.__setattr__(self, "reports", _names(found, "ManagerSpan.reports", self.reports) or ())
        _number(found, "ManagerSpan.most", self.most, positive=True)
        if self.least is not None:
            _number(found, "ManagerSpan.least", self.least)
            if not found and self.least > self.most:
                found.add("ManagerSpan.least", f"must not exceed most ({self.most:g})", got=f"{self.least:g}")
        found.raise_if_any()


@dataclass(frozen=True)
class OnboardingLimit:
    """Not too many people in their ramp at once.

    Parameters
    ----------
    share : float, optional
        Ramping heads as a part of all heads of ``roles``, in (0, 1]. Give this or ``per_manager``.
    per_manager : float, optional
        Ramping heads per head of ``manager``, > 0.
    manager : str, optional
        Needed with ``per_manager``.
    roles : sequence of str, optional
        Default: all roles that sell.
    """

    share: float | None = None
    per_manager: float | None = None
    manager: str | None = None
    roles: Sequence[str] | None = None

    def __post_init__(self) -> None:
        found = Findings()
        if (self.share is None) == (self.per_manager is None):
            found.add("OnboardingLimit", "must have either share or per_manager", got="both or neither")
        if self.share is not None:
            _number(found, "OnboardingLimit.share", self.share, positive=True, most=1.0)
        if self.per_manager is not None:
            _number(found, "OnboardingLimit.per_manager", self.per_manager, positive=True)
            if self.manager is None:
                found.add("OnboardingLimit.manager", "must name a role when per_manager is given")
        object.__setattr__(self, "roles", _names(found, "OnboardingLimit.roles", self.roles))
        found.raise_if_any()


@dataclass(frozen=True)
class HiringBudget:
    """Payroll, hiring costs and severance stay within an amount.

    Parameters
    ----------
    amount : float
        In the plan's currency, >= 0.
    period : str
        ``"total"``; ``"year"`` or ``"quarter"``: the amount in each of them; or the label of one
        (``"FY2026"``, ``"FY2026-Q3"``).
    scope : {"all", "hires"}
        Everybody's cost, or only what hires, promotions and releases change.
    """

    amount: float
    period: str = "total"
    scope: Literal["all", "hires"] = "all"

    def __post_init__(self) -> None:
        found = Findings()
        _number(found, "HiringBudget.amount", self.amount)
        if self.scope not in ("all", "hires"):
            found.add("HiringBudget.scope", "must be 'all' or 'hires'", got=repr(self.scope))
        found.raise_if_any()


@dataclass(frozen=True)
class SeatLimit:
    """Expected heads never exceed the seats there are.

    Parameters
    ----------
    seats : mapping of str to float
        By role, or by segment (all roles of the segment that hold territories), >= 0.
    """

    seats: Mapping[str, float]

    def __post_init__(self) -> None:
        found = Findings()
        object.__setattr__(self, "seats", _amounts(found, "SeatLimit.seats", self.seats))
        found.raise_if_any()


@dataclass(frozen=True)
class PipelineLimit:
    """Nobody books more than the pipeline yields: a hire without pipeline adds nothing.

    Parameters
    ----------
    supply : mapping of str to float
        Qualified pipeline that closes in a month or quarter, by label, >= 0. Periods that are left out have no limit.
    win_rate : float
        Part of the pipeline's value that is won, in (0, 1].
    segment : str, optional
        Default: the pipeline of all.
    """

    supply: Mapping[str, float]
    win_rate: float
    segment: str | None = None

    def __post_init__(self) -> None:
        found = Findings()
        object.__setattr__(self, "supply", _amounts(found, "PipelineLimit.supply", self.supply))
        _number(found, "PipelineLimit.win_rate", self.win_rate, positive=True, most=1.0)
        found.raise_if_any()


@dataclass(frozen=True)
class Promotion:
    """People move from one role into another, without a recruiting slot.

    Parameters
    ----------
    source, destination : str
        Roles.
    min_tenure_m : int
        Months completed in the source role, >= 1. Heads without a known tenure are eligible.
    max_share : float
        Part of the eligible heads that may be promoted in one month, in (0, 1].
    max_per_month : int, optional
    ramp : Ramp, optional
        Of the promoted in the new role. Default: that of the destination.

    Notes
    -----
    Attrition in the new role begins with tenure month 1, as for a hire.
    """

    source: str
    destination: str
    min_tenure_m: int
    max_share: float = 1.0
    max_per_month: int | None = None
    ramp: Ramp | None = None

    def __post_init__(self) -> None:
        found = Findings()
        if self.source == self.destination:
            found.add("Promotion.destination", "must differ from source", got=repr(self.source))
        _number(found, "Promotion.min_tenure_m", self.min_tenure_m, least=1, whole=True)
        _number(found, "Promotion.max_share", self.max_share, positive=True, most=1.0)
        if self.max_per_month is not None:
            _number(found, "Promotion.max_per_month", self.max_per_month, whole=True)
        found.raise_if_any()


@dataclass(frozen=True)
class Release:
    """People of a role may be let go, with severance.

    Parameters
    ----------
    role : str
    severance : float
        One-off cost per head, >= 0.
    max_per_month : int, optional
    """

    role: str
    severance: float
    max_per_month: int | None = None

    def __post_init__(self) -> None:
        found = Findings()
        _number(found, "Release.severance", self.severance)
        if self.max_per_month is not None:
            _number(found, "Release.max_per_month", self.max_per_month, whole=True)
        found.raise_if_any()


HiringRule = (
    RecruitingLimit
    | HiringFreeze
    | SupportRatio
    | ManagerSpan
    | OnboardingLimit
    | HiringBudget
    | SeatLimit
    | PipelineLimit
    | Promotion
    | Release
)


def _number(
    found: Findings,
    where: str,
    value: Any,
    *,
    least: float = 0.0,
    most: float = math.inf,
    positive: bool = False,
    whole: bool = False,
) -> None:
    """Record a value that is not numeric, not whole, or outside its range."""
    try:
        number = math.nan if isinstance(value, (bool, str)) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    kind = "a whole number" if whole else "a finite number"
    if not math.isfinite(number) or (whole and number != round(number)):
        found.add(where, f"must be {kind}", got=repr(value))
    elif number < least or number > most or (positive and number <= 0):
        low = "above 0" if positive else f"at least {least:g}"
        found.add(where, f"must be {low}" + (f" and at most {most:g}" if most < math.inf else ""), got=f"{number:g}")


def _names(found: Findings, where: str, names: Any) -> tuple[str, ...] | None:
    if names is None:
        return None
    out = (names,) if isinstance(names, str) else tuple(names)
    if not out or not all(isinstance(name, str) for name in out) or len(set(out)) < len(out):
        found.add(where, "must name one or more roles, each once", got=repr(out))
    return out


def _amounts(found: Findings, where: str, values: Any, *, positive: bool = False) -> dict[str, float]:
    """Return a mapping of names to numbers, recording what is wrong with it."""
    if not hasattr(values, "items") or not len(values):
        found.add(where, "must be a mapping of names to numbers", got=repr(values))
        return {}
    for name, value in values.items():
        _number(found, f"{where}[{str(name)!r}]", value, positive=positive)
    return {} if found else {str(name): float(value) for name, value in values.items()}
