"""Heads, ramped heads and cost as linear functions of hires, promotions and releases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.sales_capacity.hiring.rules import Promotion, Release

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gtm_opt.model.ramp import Ramp
    from gtm_opt.sales_capacity.hiring.problem import HiringProblem

    FloatArray = NDArray[np.float64]

__all__ = ["Cohort", "Flow", "Removal", "build_flow", "survival"]

_RAMPED = 1.0 - 1e-9


@dataclass(frozen=True, eq=False)
class Cohort:
    """People who entered a role together.

    Attributes
    ----------
    role : int
    entry : int
        First month in the horizon, 0 for people who are there already.
    tenure_m : int or None
        Tenure month in month ``entry``; None: ramped.
    column : int
        Column of its size, -1 where the size is known.
    heads : float
        Its size where it is known.
    alive : ndarray of shape (T,)
        Part that is still in the role in each month, 1 in month ``entry``, 0 before.
    ramp : ndarray of shape (T,)
        Productivity of those who are.
    """

    role: int
    entry: int
    tenure_m: int | None
    column: int
    heads: float
    alive: FloatArray
    ramp: FloatArray


@dataclass(frozen=True)
class Removal:
    """People of a cohort who are promoted or released at the start of a month (a column of the model)."""

    rule: int
    cohort: int
    month: int
    column: int


@dataclass(frozen=True, eq=False)
class Flow:
    """Linear functions of the ``C`` columns (hires first, then promotions and releases).

    Attributes
    ----------
    heads, ramping, productive : ndarray of shape (R, T, C)
        Expected heads, heads in their ramp, ramped-rep equivalents; all change per unit of a column.
    heads_0, ramping_0, productive_0 : ndarray of shape (R, T)
        Of the people who are there already.
    cost : ndarray of shape (T, C)
        Payroll, hiring cost and severance in each month.
    cost_0 : ndarray of shape (T,)
    bookings : ndarray of shape (R, T, C)
    bookings_0 : ndarray of shape (R, T)
    decisions : dict of int to ndarray of int, shape (T,)
        Columns of whole promotions and releases, by position of their rule.
    cohorts : tuple of Cohort
    removals : tuple of Removal
    names : tuple of str
        Of the columns.
    """

    heads: FloatArray
    ramping: FloatArray
    productive: FloatArray
    heads_0: FloatArray
    ramping_0: FloatArray
    productive_0: FloatArray
    cost: FloatArray
    cost_0: FloatArray
    bookings: FloatArray
    bookings_0: FloatArray
    decisions: dict[int, NDArray[np.int64]]
    cohorts: tuple[Cohort, ...]
    removals: tuple[Removal, ...]
    names: tuple[str, ...]

    @property
    def n_columns(self) -> int:
        """Columns, hires included."""
        return len(self.names)

    @property
    def hires(self) -> NDArray[np.int64]:
        """Columns of the hires, shape (R, T)."""
        roles, months = self.heads_0.shape
        return np.arange(roles * months, dtype=np.int64).reshape(roles, months)


def survival(hazard: FloatArray, tenure_m: int | None, months: int) -> FloatArray:
    """Return the part of a cohort that is there in each of ``months`` months: exits are at the end of a month."""
    n = len(hazard)
    tenure = np.full(months, n) if tenure_m is None else tenure_m + np.arange(months)
    leaving = hazard[np.clip(tenure, 1, n) - 1]
    return np.concatenate([[1.0], np.cumprod(1.0 - leaving)])[:months]


def build_flow(problem: HiringProblem) -> Flow:
    """Return heads, ramped heads, bookings and cost as linear functions of the decisions.

    Notes
    -----
    A hire of month c counts ``S(a-1) r(a)`` in tenure month ``a = t - c + 1`` and costs ``S(a-1)`` months of pay, where
    ``S(a) = prod (1 - h(j))``. People who are there lose the same hazard month by month. A removal takes the part of
    the cohort that would still be there later, so that nobody leaves twice.
    """
    cohorts = list(_known(problem)) + list(_hired(problem))
    names = _hire_names(problem)
    decisions: dict[int, NDArray[np.int64]] = {}
    for at, rule in enumerate(problem.rules):
        if isinstance(rule, Promotion | Release):
            first = len(names)
            names += [f"{_verb(rule)}[{month}]" for month in problem.calendar.labels]
            decisions[at] = np.arange(first, len(names), dtype=np.int64)
            if isinstance(rule, Promotion):
                cohorts += list(_promoted(problem, rule, decisions[at]))
    removals = []
    for at, rule in enumerate(problem.rules):
        if isinstance(rule, Promotion | Release):
            for k, month in _removable(problem, rule, cohorts):
                removals.append(Removal(at, k, month, len(names)))
                names.append(f"from[{_verb(rule)},{problem.calendar.labels[month]},{k}]")
    return _sum_up(problem, cohorts, removals, decisions, names)


def _verb(rule: Promotion | Release) -> str:
    if isinstance(rule, Promotion):
        return f"promote[{rule.source},{rule.destination}]"
    return f"release[{rule.role}]"


def _hire_names(problem: HiringProblem) -> list[str]:
    return [f"hire[{role.name},{month}]" for role in problem.roles for month in problem.calendar.labels]


def _cohort(
    problem: HiringProblem, role: int, entry: int, tenure_m: int | None, column: int, heads: float, ramp: Ramp
) -> Cohort:
    months = problem.n_months
    alive, level = np.zeros(months), np.ones(months)
    alive[entry:] = survival(problem.hazard[role], tenure_m, months - entry)
    if tenure_m is not None:
        level[entry:] = _levels(ramp, tenure_m + np.arange(months - entry), 12.0 / problem.calendar.periods_py)
    return Cohort(role, entry, tenure_m, column, heads, alive, level)


def _levels(ramp: Ramp, tenure: NDArray[np.int64], months_per_period: float) -> FloatArray:
    if months_per_period == 1.0:
        return ramp.at(tenure)
    return ramp.over((tenure - 1) * months_per_period, tenure * months_per_period)


def _known(problem: HiringProblem) -> Iterator[Cohort]:
    for group in problem.groups:
        ramp = problem.roles.roles[group.role].ramp
        yield _cohort(problem, group.role, 0, group.tenure_m, -1, group.heads, ramp)


def _hired(problem: HiringProblem) -> Iterator[Cohort]:
    for at, role in enumerate(problem.roles):
        for month in range(problem.n_months):
            yield _cohort(problem, at, month, 1, at * problem.n_months + month, 0.0, role.ramp)


def _promoted(problem: HiringProblem, rule: Promotion, columns: NDArray[np.int64]) -> Iterator[Cohort]:
    role = problem.position(rule.destination)
    ramp = problem.roles[rule.destination].ramp if rule.ramp is None else rule.ramp
    for month, column in enumerate(columns.tolist()):
        yield _cohort(problem, role, month, 1, column, 0.0, ramp)


def _removable(problem: HiringProblem, rule: Promotion | Release, cohorts: list[Cohort]) -> Iterator[tuple[int, int]]:
    """Yield (cohort, month) pairs from which the rule may take people."""
    role = problem.position(rule.source if isinstance(rule, Promotion) else rule.role)
    wait = rule.min_tenure_m if isinstance(rule, Promotion) else 0
    for k, cohort in enumerate(cohorts):
        if cohort.role != role:
            continue
        for month in range(cohort.entry, problem.n_months):
            tenure = None if cohort.tenure_m is None else cohort.tenure_m + month - cohort.entry
            if (tenure is None or tenure > wait) and not (month == cohort.entry and cohort.column >= 0):
                yield k, month


def _sum_up(
    problem: HiringProblem,
    cohorts: list[Cohort],
    removals: list[Removal],
    decisions: dict[int, NDArray[np.int64]],
    names: list[str],
) -> Flow:
    roles, months, columns = len(problem.roles), problem.n_months, len(names)
    heads, ramping, productive = (np.zeros((roles, months, columns)) for _ in range(3))
    heads_0, ramping_0, productive_0 = (np.zeros((roles, months)) for _ in range(3))
    for cohort in cohorts:
        steep = cohort.ramp < _RAMPED
        if cohort.column >= 0:
            heads[cohort.role, :, cohort.column] += cohort.alive
            ramping[cohort.role, :, cohort.column] += cohort.alive * steep
            productive[cohort.role, :, cohort.column] += cohort.alive * cohort.ramp
        else:
            heads_0[cohort.role] += cohort.heads * cohort.alive
            ramping_0[cohort.role] += cohort.heads * cohort.alive * steep
            productive_0[cohort.role] += cohort.heads * cohort.alive * cohort.ramp
    for removal in removals:
        cohort = cohorts[removal.cohort]
        gone = np.where(np.arange(months) >= removal.month, cohort.alive, 0.0) / cohort.alive[removal.month]
        heads[cohort.role, :, removal.column] -= gone
        ramping[cohort.role, :, removal.column] -= gone * (cohort.ramp < _RAMPED)
        productive[cohort.role, :, removal.column] -= gone * cohort.ramp
    pay = np.array([role.cost_pm or 0.0 for role in problem.roles]) * 12.0 / problem.calendar.periods_py
    cost, cost_0 = np.tensordot(pay, heads, axes=1), pay @ heads_0
    for at, role in enumerate(problem.roles):
        where = np.arange(months)
        cost[where, at * months + where] += role.hire_cost or 0.0
    for at, rule in enumerate(problem.rules):
        if isinstance(rule, Release):
            cost[np.arange(months), decisions[at]] += rule.severance
    worth = np.array(
        [role.productivity_py * role.fte if role.quota_type == "direct" else 0.0 for role in problem.roles]
    )
    rate = worth[:, None] * problem.shares[None, :]
    return Flow(
        heads=heads,
        ramping=ramping,
        productive=productive,
        heads_0=heads_0,
        ramping_0=ramping_0,
        productive_0=productive_0,
        cost=cost,
        cost_0=cost_0,
        bookings=productive * rate[:, :, None],
        bookings_0=productive_0 * rate,
        decisions=decisions,
        cohorts=tuple(cohorts),
        removals=tuple(removals),
        names=tuple(names),
    )
