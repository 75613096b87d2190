"""From a planner's tables to a checked `HiringProblem`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, Findings
from gtm_opt.model.attrition import Attrition
from gtm_opt.model.roles import Roles
from gtm_opt.model.tables import did_you_mean
from gtm_opt.sales_capacity.hiring.checks import check_rules
from gtm_opt.sales_capacity.hiring.problem import HeadGroup, HiringProblem, Target
from gtm_opt.sales_capacity.hiring.tables import hire_counts, read_number, record_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from gtm_opt.model.calendar import Calendar
    from gtm_opt.model.roles import Role
    from gtm_opt.sales_capacity.hiring.rules import HiringRule

__all__ = ["read_problem"]

_SHARES: dict[str, Callable[[Calendar], NDArray[np.float64]]] = {
    "flat": lambda calendar: calendar.flat_shares,
    "calendar": lambda calendar: calendar.shares,
    "selling_days": lambda calendar: calendar.selling_shares,
}
_ALL = ("", "all", "total", "(all)")


def read_problem(
    roles: Role | Roles | Sequence[Role],
    heads: pd.DataFrame | Mapping[str, float],
    targets: pd.DataFrame | Mapping[str, float],
    calendar: Calendar,
    *,
    rules: Sequence[HiringRule],
    attrition: Attrition | Mapping[str, Any] | None,
    promised: pd.DataFrame | None,
    approved: pd.DataFrame | None,
    time_to_fill_m: float | Mapping[str, float],
    cumulative: bool,
    seasonality: str,
    currency: str,
    needs_cost: bool,
) -> HiringProblem:
    """Read everything and report all findings together; see `gtm_opt.plan_hiring` for the arguments.

    Raises
    ------
    DataError
    """
    found = Findings()
    known = Roles.of(roles)
    if seasonality not in _SHARES:
        found.add("seasonality", "must be 'flat', 'calendar' or 'selling_days'", got=repr(seasonality))
    _check_roles(known, needs_cost, found)
    groups = _read_heads(heads, known, found)
    hazard = _read_attrition(attrition, known, calendar, found)
    asked = _read_targets(targets, known, calendar, cumulative, found)
    shares = _SHARES.get(seasonality, _SHARES["flat"])(calendar)
    may_start = _earliest(time_to_fill_m, known, calendar, found)
    certain = hire_counts(promised, "promised", known, calendar, found)
    plan = None if approved is None else hire_counts(approved, "approved", known, calendar, found)
    check_rules(rules, known, calendar, certain, found)
    found.raise_if_any()
    return HiringProblem(
        calendar=calendar,
        roles=known,
        hazard=hazard,
        groups=tuple(groups),
        targets=tuple(asked),
        rules=tuple(rules),
        may_start=may_start,
        promised=certain,
        shares=np.asarray(shares, dtype=np.float64),
        approved=plan,
        cumulative=cumulative,
        currency=currency,
    )


def _check_roles(roles: Roles, needs_cost: bool, found: Findings) -> None:
    if needs_cost:
        missing = [role.name for role in roles if role.cost_pm is None]
        if missing:
            remedy = "Give Role(..., cost_pm=...): fully loaded cost per head and month."
            rule = "must be known for every role when cost counts (objective or budget)"
            found.add("Role.cost_pm", rule, rows=missing, kind="role", remedy=remedy)
    idle = [role.name for role in roles if role.quota_type == "direct" and role.productivity_py <= 0]
    if idle:
        remedy = "Give their productivity, or quota_type='overlay' where others book what they help to sell."
        found.add("Role.productivity_py", "must be above 0 for roles that sell", rows=idle, kind="role", remedy=remedy)


def _read_heads(heads: Any, roles: Roles, found: Findings) -> list[HeadGroup]:
    if not isinstance(heads, pd.DataFrame):
        if not hasattr(heads, "items"):
            found.add("heads", "must be a table with role and heads, or a mapping", got=type(heads).__name__)
            return []
        heads = pd.DataFrame({"role": list(heads), "heads": list(heads.values())})
    if record_missing(heads, ("role", "heads"), "heads", found):
        return []
    groups = []
    for row, record in enumerate(heads.to_dict("records")):
        name = str(record["role"])
        if name not in roles:
            rule, remedy = "must name known roles", did_you_mean(name, roles.names)
            found.add("heads['role']", rule, got=repr(name), rows=[heads.index[row]], remedy=remedy)
            continue
        number = read_number(record["heads"], f"heads['heads'] of {name}", found)
        tenure = record.get("tenure_m")
        if tenure is not None and not pd.isna(tenure):
            tenure = read_number(tenure, f"heads['tenure_m'] of {name}", found, least=1.0, whole=True)
            tenure = None if tenure is None else int(tenure)
        else:
            tenure = None
        if number is not None and number > 0:
            groups.append(HeadGroup(roles.names.index(name), number, tenure))
    return groups


def _read_attrition(attrition: Any, roles: Roles, calendar: Calendar, found: Findings) -> NDArray[np.float64]:
    """Return the hazard by role and tenure month; the last column holds from there on."""
    if isinstance(attrition, Attrition):
        return _hazards(attrition, roles, calendar, found)
    rates = {name: [0.0] for name in roles.names}
    if attrition is not None and not hasattr(attrition, "items"):
        found.add(
            "attrition", "must be an Attrition, or a mapping of roles to monthly hazards", got=type(attrition).__name__
        )
        attrition = None
    for name, value in (attrition or {}).items():
        if name not in roles:
            remedy = did_you_mean(name, roles.names)
            found.add("attrition", "must name known roles", got=repr(str(name)), remedy=remedy)
            continue
        values = [value] if np.isscalar(value) or isinstance(value, str) else list(value)
        read = [read_number(v, f"attrition[{name!r}]", found) for v in values]
        wrong = [v for v in read if v is not None and v >= 1.0]
        if wrong or not read:
            remedy = "A yearly rate A of a cohort is 1 - (1 - A) ** (1 / 12) a month: 20 % a year is 0.0184."
            rule = "must be monthly hazards in [0, 1), not yearly rates or per cent"
            found.add(f"attrition[{name!r}]", rule, got=", ".join(f"{w:g}" for w in wrong) or "none", remedy=remedy)
        elif None not in read:
            rates[name] = [float(v) for v in read if v is not None]
    longest = max(len(values) for values in rates.values())
    return np.array([values + [values[-1]] * (longest - len(values)) for values in rates.values()])


def _hazards(attrition: Attrition, roles: Roles, calendar: Calendar, found: Findings) -> NDArray[np.float64]:
    try:
        attrition.check_roles(roles)
    except DataError as error:
        found.extend(error)
        return np.zeros((len(roles), 1))
    if attrition.involuntary_output < 1.0:
        remedy = "Leave it at 1 here: whoever leaves is average, which counts an exit in full."
        found.add("Attrition.involuntary_output", "must be 1 in a hiring plan", remedy=remedy)
    if attrition.exits != "end_of_month":
        remedy = "Use exits='end_of_month' here."
        found.add("Attrition.exits", "must be 'end_of_month' in a hiring plan", got=attrition.exits, remedy=remedy)
    longest = math.ceil(attrition.new_hire_months * calendar.periods_py / 12.0) + 1
    return np.stack([attrition.hazards(role, longest, periods_py=calendar.periods_py) for role in roles])


def _read_targets(targets: Any, roles: Roles, calendar: Calendar, cumulative: bool, found: Findings) -> list[Target]:
    if not isinstance(targets, pd.DataFrame):
        if not hasattr(targets, "items"):
            found.add("targets", "must be a table with quarter and target, or a mapping", got=type(targets).__name__)
            return []
        targets = pd.DataFrame({"quarter": list(targets), "target": list(targets.values())})
    if record_missing(targets, ("quarter", "target"), "targets", found):
        return []
    quarters = list(calendar.quarters)
    short = {f"Q{k + 1}": k for k in range(len(quarters))} if len(quarters) <= 4 else {}
    segments = sorted({str(role.segment) for role in roles if role.segment and role.quota_type == "direct"})
    out: list[Target] = []
    for row, record in enumerate(targets.to_dict("records")):
        label, segment = str(record["quarter"]), record.get("segment")
        place = f"targets['target'] of {label}"
        amount = read_number(record["target"], place, found)
        coverage = record.get("min_coverage")
        if coverage is not None and not pd.isna(coverage):
            factor = read_number(coverage, f"targets['min_coverage'] of {label}", found)
            amount = None if amount is None or factor is None else amount * factor
        if label not in quarters and label not in short:
            remedy = f"Quarters are {', '.join(quarters)}."
            found.add("targets['quarter']", "must be quarters of the calendar", got=repr(label), remedy=remedy)
            continue
        whole = segment is None or pd.isna(segment) or str(segment).strip().lower() in _ALL
        if not whole and str(segment) not in segments:
            remedy = did_you_mean(segment, segments)
            rule = "must be segments of roles that sell"
            found.add("targets['segment']", rule, got=repr(str(segment)), rows=[targets.index[row]], remedy=remedy)
            continue
        at = short.get(label, quarters.index(label) if label in quarters else -1)
        first = 4 * (at // 4) if cumulative else at
        months = tuple(m for m, q in enumerate(calendar.quarter_of_month.tolist()) if first <= q <= at)
        if amount is not None:
            out.append(Target(quarters[at], months, None if whole else str(segment), amount))
    names = [target.name for target in out]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        found.add("targets", "must have one row per quarter and segment", rows=twice, kind="target")
    return out


def _earliest(wait: Any, roles: Roles, calendar: Calendar, found: Findings) -> NDArray[np.bool_]:
    """Return whether anybody decided on today can start, by role and month."""
    allowed = np.ones((len(roles), calendar.n_periods), dtype=bool)
    by_role = wait if hasattr(wait, "items") else dict.fromkeys(roles.names, wait)
    for name, value in by_role.items():
        if name not in roles:
            remedy = did_you_mean(name, roles.names)
            found.add("time_to_fill_m", "must name known roles", got=repr(str(name)), remedy=remedy)
            continue
        months = read_number(value, f"time_to_fill_m of {name}", found)
        if months is not None:
            allowed[roles.names.index(name), : math.ceil(months * calendar.periods_py / 12.0 - 1e-9)] = False
    return allowed
