"""The stints of a roster as arrays over months: what each yields, and how likely its seller is to be there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import DataError
from gtm_opt.sales_capacity.exits import Cohort, Successors, start_months, survive, tenure_hazards

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.model.attrition import Attrition
    from gtm_opt.model.backfill import Backfill
    from gtm_opt.model.calendar import Calendar
    from gtm_opt.model.roles import Role, Roles

    FloatArray = NDArray[np.float64]

__all__ = ["Flow", "Slots", "follow"]

_ROUNDS, _CLOSE = 60, 1e-10


@dataclass(frozen=True, eq=False)
class Slots:
    """What a roster says about every stint and month, shape (n, T) each.

    Attributes
    ----------
    planned : ndarray
        Amount that the person of the roster books, taken as certain.
    full : ndarray
        Amount that an average ramped seller would book in the same seat and days.
    employed : ndarray
        Heads: part of the month in the seat, times the part of the person.
    tenure : ndarray of int
        Tenure month; 0 before somebody is there.
    role : list of Role
    calendar : Calendar
    """

    planned: FloatArray
    full: FloatArray
    employed: FloatArray
    tenure: NDArray[np.int64]
    role: list[Role]
    calendar: Calendar

    @cached_property
    def last(self) -> NDArray[np.int64]:
        """Last month in which each stint is there; -1 where it never is."""
        there = self.employed > 0
        months = there.shape[1]
        return np.where(there.any(axis=1), months - 1 - np.argmax(there[:, ::-1], axis=1), -1)

    def rows_of(self, name: str) -> NDArray[np.int64]:
        """Return the stints of a role."""
        return np.flatnonzero([role.name == name for role in self.role])


@dataclass(frozen=True, eq=False)
class Flow:
    """What attrition makes of the slots.

    Attributes
    ----------
    slots : Slots
    hazard, promoted : ndarray of shape (n, T)
        Probability that the person of the roster leaves, and is promoted away, at the end of a month.
    cohort : Cohort
        The people of the roster, shares at the edges of months.
    start : ndarray of shape (n, T)
        Probability that the first successor starts in a month.
    successors : dict of str to Successors
        By role.
    """

    slots: Slots
    hazard: FloatArray
    promoted: FloatArray
    cohort: Cohort
    start: FloatArray
    successors: dict[str, Successors]

    def after(self, field: str) -> FloatArray:
        """Return what successors are expected to be, a field of `Successors`, per stint and month."""
        out = np.zeros_like(self.start)
        for name, successors in self.successors.items():
            rows = self.slots.rows_of(name)
            out[rows] = self.start[rows] @ getattr(successors, field)
        return out

    @cached_property
    def exits(self) -> FloatArray:
        """Probability that somebody leaves the seat at the end of a month, whoever sits there."""
        return -np.diff(self.cohort.alive, axis=1) + self.after("exits")

    @cached_property
    def waiting(self) -> FloatArray:
        """Probability that the seat is empty in a month and will be filled before the stint ends."""
        out = np.zeros_like(self.start)
        months = out.shape[1]
        for name, successors in self.successors.items():
            if successors.lag is None:
                continue
            within = np.zeros(months + 1)  # probability that a vacancy lasts at most k - 1 months
            within[1:] = np.cumsum(np.pad(successors.lag, (0, months))[:months])
            rows = self.slots.rows_of(name)
            for last in np.unique(self.slots.last[rows]):
                chosen = rows[self.slots.last[rows] == last]
                for t in range(1, int(last) + 1):
                    ago = np.arange(t, 0, -1)  # exits at the end of months 0, ..., t - 1
                    share = within[np.minimum(last - t + ago, months)] - within[ago]
                    out[chosen, t] = self.exits[chosen, :t] @ np.maximum(share, 0.0)
        return out


def follow(slots: Slots, roles: Roles, attrition: Attrition, backfills: dict[str, Backfill | None]) -> Flow:
    """Follow every stint and its successors through the months.

    Raises
    ------
    DataError
        If more people are promoted out of a role than it has.

    Notes
    -----
    Without promotions every role is solved once. A promotion is an exit of the role it comes from; the number of
    promotions and the number of people it is taken from depend on each other, and are iterated to a fixed point.
    """
    calendar, months = slots.calendar, slots.calendar.n_periods
    there = slots.employed > 0
    hazard = np.zeros_like(slots.planned)
    for role in roles:
        rows = slots.rows_of(role.name)
        hazard[rows] = np.where(there[rows], tenure_hazards(attrition, role, slots.tenure[rows], calendar), 0.0)
    sources = {b.promoted_from for b in backfills.values() if b is not None and b.promoted_from is not None}
    rate = {name: np.zeros(months) for name in sources}
    while True:
        promoted = np.zeros_like(hazard)
        for name, by_month in rate.items():
            promoted[slots.rows_of(name)] = by_month
        promoted = np.where(there, promoted, 0.0)
        cohort = survive(hazard, attrition, promoted)
        successors = {
            role.name: Successors.of(role, attrition, backfills[role.name], calendar, rate.get(role.name, 0.0))
            for role in roles
        }
        start = np.zeros_like(hazard)
        for name, role_successors in successors.items():
            if role_successors.lag is not None:
                rows = slots.rows_of(name)
                start[rows] = start_months(-np.diff(cohort.alive[rows], axis=1), role_successors.lag)
        flow = Flow(slots, hazard, promoted, cohort, start, successors)
        if not sources:
            return flow
        following = {name: _promotion_rate(name, flow, backfills) for name in sources}
        change = max(float(np.abs(following[name] - rate[name]).max()) for name in sources)
        if change < _CLOSE:
            return flow
        rate = following


def _promotion_rate(source: str, flow: Flow, backfills: dict[str, Backfill | None]) -> FloatArray:
    """Return the share of a role's people who are promoted at the end of each month."""
    slots = flow.slots
    wanted = np.zeros(slots.calendar.n_periods)
    for name, backfill in backfills.items():
        if backfill is not None and backfill.promoted_from == source:
            rows = slots.rows_of(name)
            lag = flow.successors[name].lag
            if lag is None:
                continue
            parts = (slots.employed[rows] > 0).astype(np.float64)
            starts = start_months(flow.exits[rows], lag) * parts
            wanted[:-1] += starts.sum(axis=0)[1:]
    rows = slots.rows_of(source)
    alive = flow.cohort.alive[rows, :-1] + flow.after("ramped")[rows]
    people = (alive * (slots.employed[rows] > 0)).sum(axis=0)
    short = wanted > people + 1e-9
    if short.any():
        t = int(np.flatnonzero(short)[0])
        raise DataError(
            f"Backfill.promoted_from='{source}' takes more people than there are: {wanted[t]:.2f} promotions at the "
            f"end of {slots.calendar.labels[t]}, {people[t]:.2f} people in the role.\n"
            "    Hire some of the backfills outside."
        )
    return np.asarray(np.divide(wanted, people, out=np.zeros_like(wanted), where=people > 0))
