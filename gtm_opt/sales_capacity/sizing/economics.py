"""What a hire costs and returns: pod cost, payback, return by start month, value of a faster ramp or of fewer exits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings
from gtm_opt.model.attrition import Attrition
from gtm_opt.sales_capacity.hiring.flow import survival

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gtm_opt.model.calendar import Calendar
    from gtm_opt.model.roles import Role

    FloatArray = NDArray[np.float64]

__all__ = ["HireReturn", "cac_payback", "hire_return", "pod_cost"]


def pod_cost(seller: float, support: Mapping[str, tuple[float, float]] | None = None, further: float = 0.0) -> float:
    """Return the fully loaded cost per seller: own cost, the share of everybody who supports, tools and travel.

    Parameters
    ----------
    seller : float
        Cost of the seller per year.
    support : mapping of str to (cost, sellers)
        By role the cost of a head and the sellers it serves: ``{"SE": (250_000, 3)}``.
    further : float
        Tools, travel and the like per seller.

    Examples
    --------
    >>> round(pod_cost(300, {"SE": (250, 3), "MGR": (400, 8), "SDR": (110, 2.5)}), 2)
    477.33
    """
    found = Findings()
    _check(found, "seller", seller)
    _check(found, "further", further)
    for name, (cost, sellers) in (support or {}).items():
        _check(found, f"support[{name!r}] cost", cost)
        _check(found, f"support[{name!r}] sellers", sellers, positive=True)
    found.raise_if_any()
    return seller + further + math.fsum(cost / sellers for cost, sellers in (support or {}).values())


def cac_payback(cost: float, new_bookings_py: float, *, margin: float = 1.0) -> float:
    """Return after how many months the margin of new yearly bookings has paid what it cost to win them.

    Parameters
    ----------
    cost : float
        Sales and marketing cost, >= 0.
    new_bookings_py : float
        New recurring bookings per year that it won, > 0.
    margin : float
        Gross margin, in (0, 1]; 1 counts revenue instead: say which of the two is meant.

    Examples
    --------
    >>> round(cac_payback(4.0, 3.0, margin=0.78), 4), cac_payback(4.0, 3.0)
    (20.5128, 16.0)
    """
    found = Findings()
    _check(found, "cost", cost)
    _check(found, "new_bookings_py", new_bookings_py, positive=True)
    _check(found, "margin", margin, positive=True, most=1.0)
    found.raise_if_any()
    return 12.0 * cost / (new_bookings_py * margin)


@dataclass(frozen=True, eq=False)
class HireReturn:
    """What one hire costs and returns, by the month of the start.

    Attributes
    ----------
    table : DataFrame
        One row per start month: ``month``, ``bookings`` (expected until the end of the calendar), ``margin``,
        ``cost``, ``net``, ``return_frac`` (margin over cost), ``cost_of_sale`` (cost over bookings), ``payback_m``
        (months from the start until the margin has paid the cost; missing: not within the calendar),
        ``faster_ramp`` (net with a ramp one month shorter, less net), ``fewer_exits`` (net with a
        yearly attrition one point lower, less net).
    role : str
    """

    table: pd.DataFrame
    role: str

    def __repr__(self) -> str:
        first = self.table.iloc[0]
        return f"HireReturn: {self.role} from {first['month']} returns {first['return_frac']:.2f} of its cost"


def hire_return(
    role: Role,
    calendar: Calendar,
    *,
    attrition: Attrition | float | Sequence[float] = 0.0,
    margin: float = 1.0,
    pod_cost_py: float | None = None,
    seasonality: str = "flat",
) -> HireReturn:
    """Return what one hire is worth by the month in which it starts.

    Parameters
    ----------
    role : Role
        With productivity, ramp and ``hire_cost``, and ``cost_pm`` unless `pod_cost_py` is given.
    calendar : Calendar
    attrition : Attrition, float or sequence of float
        Yearly rates; or the monthly exit hazard, or one per tenure month, in [0, 1).
    margin : float
        Gross margin of bookings, in (0, 1].
    pod_cost_py : float, optional
        Yearly cost with everybody who supports, see `pod_cost`. Default: the role's own.
    seasonality : {"flat", "calendar"}

    Raises
    ------
    DataError

    Notes
    -----
    ``return_c = sum_t margin P sigma_t S(t-c) r(t-c+1) / (hire cost + sum_t cost S(t-c))``. Only what the calendar
    holds is counted: a late start has costs but little time to return them.
    """
    found = Findings()
    rates = _read_rates(attrition, role, calendar, found)
    _check(found, "margin", margin, positive=True, most=1.0)
    if seasonality not in ("flat", "calendar"):
        found.add("seasonality", "must be 'flat' or 'calendar'", got=repr(seasonality))
    if pod_cost_py is None and role.cost_pm is None:
        found.add("pod_cost_py", "must be given where the role has no cost_pm", got="none")
    if pod_cost_py is not None:
        _check(found, "pod_cost_py", pod_cost_py)
    found.raise_if_any()
    shares = calendar.shares if seasonality == "calendar" else calendar.flat_shares
    yearly = 12.0 * (role.cost_pm or 0.0) if pod_cost_py is None else pod_cost_py
    pay = yearly / calendar.periods_py
    rows = []
    for start in range(calendar.n_periods):
        booked, cost = _flows(role, shares[start:], rates, pay, calendar.periods_py)
        net = margin * booked - cost
        faster = _flows(role, shares[start:], rates, pay, calendar.periods_py, ahead_m=1)
        fewer = _flows(role, shares[start:], _fewer(rates), pay, calendar.periods_py)
        paid = np.flatnonzero(np.cumsum(net) >= -1e-9)
        total, spent = float(booked.sum()), float(cost.sum())
        rows.append(
            {
                "month": calendar.periods[start],
                "bookings": total,
                "margin": margin * total,
                "cost": spent,
                "net": float(net.sum()),
                "return_frac": margin * total / spent if spent > 0 else np.inf,
                "cost_of_sale": spent / total if total > 0 else np.inf,
                "payback_m": int(paid[0]) + 1 if len(paid) else pd.NA,
                "faster_ramp": float((margin * faster[0] - faster[1]).sum() - net.sum()),
                "fewer_exits": float((margin * fewer[0] - fewer[1]).sum() - net.sum()),
            }
        )
    table = pd.DataFrame(rows)
    table["payback_m"] = table["payback_m"].astype("Int64")
    return HireReturn(table, role.name)


def _read_rates(attrition: Any, role: Role, calendar: Calendar, found: Findings) -> FloatArray:
    """Return the hazard by tenure month; the last one holds from there on."""
    if isinstance(attrition, Attrition):
        longest = math.ceil(attrition.new_hire_months * calendar.periods_py / 12.0) + 1
        return attrition.hazards(role, longest, periods_py=calendar.periods_py)
    try:
        rates = np.atleast_1d(np.asarray(attrition, dtype=np.float64))
    except (TypeError, ValueError):
        rates = np.array([np.nan])
    if rates.ndim != 1 or not len(rates) or not ((rates >= 0) & (rates < 1)).all():
        found.add("attrition", "must be an Attrition, or monthly probabilities in [0, 1)", got=repr(attrition))
        return np.zeros(1)
    return rates


def _flows(
    role: Role, shares: FloatArray, rates: FloatArray, pay: float, periods_py: int, ahead_m: int = 0
) -> tuple[FloatArray, FloatArray]:
    """Return expected bookings and cost by month since the start; the ramp may be some months ahead."""
    months = len(shares)
    alive = survival(rates, 1, months)
    tenure = np.arange(1, months + 1)
    length = 12.0 / periods_py
    if length == 1.0:
        ramp = role.ramp.at(tenure + ahead_m)
    else:
        ramp = role.ramp.over((tenure - 1) * length + ahead_m, tenure * length + ahead_m)
    cost = pay * alive
    cost[0] += role.hire_cost or 0.0
    return role.productivity_py * role.fte * shares * alive * ramp, cost


def _fewer(rates: FloatArray) -> FloatArray:
    """Return hazards with the yearly attrition of a cohort one point lower."""
    yearly = 1.0 - (1.0 - rates) ** 12
    return np.asarray(1.0 - (1.0 - np.maximum(yearly - 0.01, 0.0)) ** (1.0 / 12.0))


def _check(found: Findings, where: str, value: object, *, positive: bool = False, most: float = math.inf) -> None:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(value)
    if not number or float(value) < 0 or (positive and float(value) <= 0) or float(value) > most:  # type: ignore[arg-type]
        rule = "must be a number above 0" if positive else "must be a number, not negative"
        found.add(where, rule + (f" and at most {most:g}" if most < math.inf else ""), got=repr(value))
