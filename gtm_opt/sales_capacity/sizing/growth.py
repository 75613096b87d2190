"""The inverse question: what a growth takes in heads, money and dates, or from when on it is possible at all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings, percent_text
from gtm_opt.mip import Status
from gtm_opt.model.frames import takes_tables
from gtm_opt.sales_capacity.hiring import HiringPlan, plan_hiring

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gtm_opt.model.calendar import Calendar
    from gtm_opt.model.roles import Role, Roles

__all__ = ["GrowthPlan", "plan_growth"]


@dataclass(frozen=True, eq=False)
class GrowthPlan:
    """What a growth takes.

    Attributes
    ----------
    growth : float
        Asked for: 0.25 is a quarter more.
    table : DataFrame
        One row per quarter: ``quarter``, ``last_year``, ``target``, ``reachable`` (at most, by itself),
        ``most_growth`` (the growth that is reachable at most in this quarter, by itself).
    first_quarter : str or None
        The first quarter from which on every quarter of the calendar can grow as asked, together; None: not in this
        calendar.
    is_proven : bool
        Whether every earlier start was proven impossible.
    plan : HiringPlan
        The cheapest plan for these quarters; for none of them, the infeasible plan of the last quarter.
    """

    growth: float
    table: pd.DataFrame
    first_quarter: str | None
    is_proven: bool
    plan: HiringPlan

    def summary(self) -> str:
        """Return the answer as text, and the plan."""
        more = percent_text(self.growth)
        first = str(self.table["quarter"].iloc[0])
        proven = "" if self.is_proven else " (not proven: a limit cut the search)"
        if self.first_quarter is None:
            most = float(self.table["most_growth"].iloc[-1])
            last = str(self.table["quarter"].iloc[-1])
            return f"{more} growth is not possible in this calendar{proven}: at most {percent_text(most)} in {last}"
        if self.first_quarter == first:
            return f"{more} growth is possible from {first} on\n{self.plan.summary()}"
        at = self.table["quarter"].tolist().index(self.first_quarter) - 1
        most = float(self.table["most_growth"].iloc[at])
        reason = f"at most {percent_text(most)} in {self.table['quarter'].iloc[at]} by itself"
        return f"{more} growth is not possible before {self.first_quarter}{proven}: {reason}\n{self.plan.summary()}"

    def __repr__(self) -> str:
        return f"GrowthPlan: {self.summary().splitlines()[0]}"


@takes_tables(either=("heads",))
def plan_growth(
    growth: float,
    last_year: Mapping[str, float],
    roles: Role | Roles | Sequence[Role],
    heads: pd.DataFrame | Mapping[str, float],
    calendar: Calendar,
    **hiring: Any,
) -> GrowthPlan:
    """Find the first quarter from which on bookings can grow as asked, and the cheapest plan that does it.

    Parameters
    ----------
    growth : float
        Over the same quarter of the year before, > -1: 0.25 is a quarter more.
    last_year : mapping of str to float
        Bookings of the year before by quarter of the calendar (``"Q1"`` or its label), all of them, >= 0.
    roles, heads, calendar
        As in `gtm_opt.plan_hiring`.
    **hiring
        Further arguments of `gtm_opt.plan_hiring`: rules, attrition, time_to_fill_m, ...

    Raises
    ------
    DataError
        With every finding.
    """
    found = Findings()
    if isinstance(growth, bool) or not isinstance(growth, int | float) or not math.isfinite(growth) or growth <= -1:
        found.add("growth", "must be a number above -1", got=repr(growth), remedy="Write 25 % as 0.25.")
    wrong = [name for name in ("objective", "cumulative", "approved") if name in hiring]
    if wrong:
        found.add("plan_growth", f"must not be given {', '.join(wrong)}", remedy="It asks for least cost by quarter.")
    quarters = list(calendar.quarters)
    known = {f"Q{k + 1}": label for k, label in enumerate(quarters)} if len(quarters) <= 4 else {}
    booked = {known.get(str(name), str(name)): value for name, value in last_year.items()}
    if set(booked) != set(quarters):
        found.add("last_year", f"must hold {', '.join(quarters)}", got=", ".join(map(str, last_year)) or "nothing")
    found.raise_if_any()
    plan, first, proven = _first_plan(growth, booked, quarters, roles, heads, calendar, hiring)
    targets = {q: (1.0 + growth) * booked[q] for q in quarters}
    whole = plan if first == 0 else plan_hiring(roles, heads, targets, calendar, **hiring)
    reach = whole.reachable["reachable"].to_numpy(dtype=np.float64)
    before = np.array([float(booked[q]) for q in quarters])
    with np.errstate(divide="ignore", invalid="ignore"):
        most = np.where(before > 0, reach / before - 1.0, np.inf)
    table = pd.DataFrame({"quarter": quarters, "last_year": before, "target": list(targets.values())})
    table["reachable"], table["most_growth"] = reach, most
    return GrowthPlan(float(growth), table, None if first is None else quarters[first], proven, plan)


def _first_plan(
    growth: float,
    booked: Mapping[str, float],
    quarters: Sequence[str],
    roles: Any,
    heads: Any,
    calendar: Calendar,
    hiring: Mapping[str, Any],
) -> tuple[HiringPlan, int | None, bool]:
    """Return the plan for the most quarters up to the last, the first of them, and whether that is proven."""
    proven = True
    plan = None
    for at in range(len(quarters)):
        targets = {q: (1.0 + growth) * booked[q] for q in quarters[at:]}
        plan = plan_hiring(roles, heads, targets, calendar, **hiring)
        if plan.values is not None:
            return plan, at, proven
        proven = proven and plan.status is Status.INFEASIBLE
    assert plan is not None
    return plan, None, proven
