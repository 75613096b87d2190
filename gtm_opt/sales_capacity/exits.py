"""Who is still there: survival of a cohort, by kind of seller, and what its successors do, month by month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import Findings
from gtm_opt.model.by_name import as_pairs, check_names, value_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gtm_opt.model.attrition import Attrition
    from gtm_opt.model.backfill import Backfill
    from gtm_opt.model.calendar import Calendar
    from gtm_opt.model.ramp import Ramp
    from gtm_opt.model.roles import Role, Roles

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]
    Backfills = Backfill | Mapping[str, Backfill | None] | None

__all__ = ["Cohort", "Successors", "read_backfills", "survive", "tenure_hazards", "tenure_ramp"]


@dataclass(frozen=True, eq=False)
class Cohort:
    """Shares of sellers who are still there, at the start of each month and after the last, shape (n, T + 1).

    Attributes
    ----------
    low, high : ndarray of shape (n, T + 1)
        Low performers and the others; together the survival.
    output : tuple of two float
        What each of the two kinds books, as a fraction of the average.
    """

    low: FloatArray
    high: FloatArray
    output: tuple[float, float]

    @property
    def alive(self) -> FloatArray:
        """Share of the sellers who are still there."""
        return self.low + self.high

    @property
    def yielding(self) -> FloatArray:
        """Their output, as a fraction of that of all at the start."""
        return self.output[0] * self.low + self.output[1] * self.high

    @property
    def squared(self) -> FloatArray:
        """The same with squared outputs."""
        return self.output[0] ** 2 * self.low + self.output[1] ** 2 * self.high


def survive(hazard: FloatArray, attrition: Attrition, promoted: FloatArray | float = 0.0) -> Cohort:
    """Follow a cohort through its months.

    Parameters
    ----------
    hazard : ndarray of shape (n, T)
        Probability of leaving in the month, for those still there; 0 before somebody has come.
    attrition : Attrition
        Says who leaves: involuntary exits are low performers as long as there are any.
    promoted : ndarray of shape (n, T) or float
        Probability of being promoted away at the end of the month, whoever it is.
    """
    n, months = hazard.shape
    move = np.broadcast_to(np.asarray(promoted, dtype=np.float64), (n, months))
    share = attrition.low_performer_share if attrition.involuntary_output < 1 else 0.0
    low, high = np.empty((n, months + 1)), np.empty((n, months + 1))
    low[:, 0], high[:, 0] = share, 1.0 - share
    for t in range(months):
        stay = 1.0 - move[:, t]
        voluntary = (1.0 - attrition.involuntary_share) * hazard[:, t]
        dismissed = attrition.involuntary_share * hazard[:, t] * (low[:, t] + high[:, t])
        from_low = np.minimum(dismissed, (1.0 - voluntary) * low[:, t])
        low[:, t + 1] = ((1.0 - voluntary) * low[:, t] - from_low) * stay
        high[:, t + 1] = np.maximum((1.0 - voluntary) * high[:, t] - (dismissed - from_low), 0.0) * stay
    return Cohort(low, high, (attrition.involuntary_output, attrition.high_output if share else 1.0))


def tenure_hazards(attrition: Attrition, role: Role, tenure: IntArray, calendar: Calendar) -> FloatArray:
    """Return the monthly hazard at given tenure months (0: not there yet, no hazard)."""
    longest = max(int(attrition.new_hire_months * calendar.periods_py / 12) + 2, 2)
    table = np.concatenate([[0.0], attrition.hazards(role, longest, periods_py=calendar.periods_py)])
    return np.asarray(table[np.clip(tenure, 0, longest)])


def tenure_ramp(ramp: Ramp, calendar: Calendar) -> FloatArray:
    """Return what a new hire yields in the periods 1, 2, ... after the hire, shape (n_periods,)."""
    period = np.arange(1, calendar.n_periods + 1)
    if calendar.periods_py == 12:
        return ramp.at(period)
    return ramp.over((period - 1) * 12.0 / calendar.periods_py, period * 12.0 / calendar.periods_py)


@dataclass(frozen=True, eq=False)
class Successors:
    """What a seat does from the month of a hire on, exits and further backfills included.

    Rows are hire months, columns months of the plan; entries before the hire are 0.

    Attributes
    ----------
    output, output_even : ndarray of shape (T, T)
        Expected output as a fraction of a ramped average seller's, with and without the effect that low
        performers leave first.
    squared : ndarray of shape (T, T)
        Expected square of the output.
    ramped : ndarray of shape (T, T)
        Output if every successor were fully productive at once: the share of time somebody is there.
    exits : ndarray of shape (T, T)
        Probability that somebody leaves at the end of the month.
    lag : ndarray or None
        Probability of 0, 1, ... months of vacancy; None: seats are not filled again.
    own : Cohort
        The hires themselves, without their successors.
    """

    output: FloatArray
    output_even: FloatArray
    squared: FloatArray
    ramped: FloatArray
    exits: FloatArray
    lag: FloatArray | None
    own: Cohort

    @classmethod
    def of(
        cls,
        role: Role,
        attrition: Attrition,
        backfill: Backfill | None,
        calendar: Calendar,
        promoted: FloatArray | float = 0.0,
    ) -> Successors:
        """Solve the renewal equation backwards from the last hire month; O(T ** 3)."""
        months = calendar.n_periods
        tenure = np.maximum(np.arange(months)[None, :] - np.arange(months)[:, None] + 1, 0)
        there = tenure > 0
        own = survive(tenure_hazards(attrition, role, tenure, calendar), attrition, np.where(there, promoted, 0.0))
        curve = tenure_ramp((backfill and backfill.ramp) or role.ramp, calendar)
        ramp = np.where(there, curve[np.maximum(tenure - 1, 0)], 0.0)
        out = {
            "output": during(own.yielding, attrition) * ramp,
            "output_even": during(own.alive, attrition) * ramp,
            "squared": during_squared(own.squared, attrition) * ramp**2,
            "ramped": during(own.alive, attrition) * there,
            "exits": -np.diff(own.alive, axis=1) * there,
        }
        lag = None if backfill is None else backfill.lag_distribution(periods_py=calendar.periods_py)
        if lag is not None:
            start = start_months(out["exits"], lag)
            for hire in range(months - 2, -1, -1):
                for values in out.values():
                    values[hire] += start[hire, hire + 1 :] @ values[hire + 1 :]
        return cls(**out, lag=lag, own=own)


def during(stock: FloatArray, attrition: Attrition) -> FloatArray:
    """Return a stock during each month, given at its edges: that of the start, or the mean with exits in mid-month."""
    return stock[:, :-1] if attrition.exits == "end_of_month" else (stock[:, :-1] + stock[:, 1:]) / 2.0


def during_squared(stock: FloatArray, attrition: Attrition) -> FloatArray:
    """Return the squared output during each month: whoever leaves in mid-month has half, a quarter squared."""
    if attrition.exits == "end_of_month":
        return stock[:, :-1]
    return stock[:, 1:] + (stock[:, :-1] - stock[:, 1:]) / 4.0


def start_months(exits: FloatArray, lag: FloatArray) -> FloatArray:
    """Return the probability that a successor starts in each month, given that of an exit at the end of each."""
    out = np.zeros_like(exits)
    months = exits.shape[1]
    for wait, chance in enumerate(lag[: months - 1]):
        out[:, wait + 1 :] += chance * exits[:, : months - wait - 1]
    return out


def read_backfills(backfill: Backfills, roles: Roles, attrition: Attrition | None) -> dict[str, Backfill | None]:
    """Return the backfill of each role, checked.

    Raises
    ------
    DataError
        For a backfill without attrition, unknown names, and promotions out of unknown roles or in a circle.
    """
    from gtm_opt.model.backfill import Backfill

    found = Findings()
    if backfill is None:
        return dict.fromkeys(roles.names)
    if attrition is None:
        found.add("backfill", "needs `attrition`", got="none", remedy="Pass attrition=Attrition(0.2, kind='cohort').")
    pairs: tuple[tuple[str, Backfill | None], ...] = as_pairs(backfill)
    wrong = [name for name, value in pairs if value is not None and not isinstance(value, Backfill)]
    if wrong:
        found.add("backfill", "must be a Backfill, or one by role, segment and 'default'", rows=wrong, kind="name")
    check_names(pairs, roles, "backfill", found, complete=False)
    found.raise_if_any()
    out = {role.name: value_for(pairs, role) for role in roles}
    source = {name: b.promoted_from for name, b in out.items() if b is not None and b.promoted_from is not None}
    unknown = sorted({origin for origin in source.values() if origin not in roles})
    if unknown:
        found.add("Backfill.promoted_from", "must name a role", rows=unknown, kind="role")
    for name in source:
        path = [name]
        while path[-1] in source and len(path) <= len(source) + 1:
            path.append(source[path[-1]])
            if path[-1] == name:
                found.add("Backfill.promoted_from", "must not go in a circle", got=" <- ".join(path))
                break
    found.raise_if_any()
    return out
