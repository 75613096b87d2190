"""Cross-references of rules: roles, months and periods that must exist, promises that must fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gtm_opt.model.tables import did_you_mean
from gtm_opt.sales_capacity.hiring import rules as kinds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from gtm_opt.errors import Findings
    from gtm_opt.model.calendar import Calendar
    from gtm_opt.model.roles import Roles

__all__ = ["check_rules"]


def check_rules(
    rules: Sequence[Any], roles: Roles, calendar: Calendar, promised: NDArray[np.int64], found: Findings
) -> None:
    """Record every name in a rule that is unknown, and promised hires for which there are no slots."""
    for rule in rules:
        where = type(rule).__name__
        if not isinstance(rule, kinds.HiringRule):
            known = "RecruitingLimit, SupportRatio, ManagerSpan, HiringBudget, SeatLimit, ..."
            found.add("rules", "must be rules of a hiring plan", got=repr(rule)[:80], remedy=f"There are: {known}")
            continue
        for field, names in _role_names(rule).items():
            for name in names:
                if name not in roles:
                    remedy = did_you_mean(name, roles.names)
                    found.add(f"{where}.{field}", "must name known roles", got=repr(name), remedy=remedy)
        if isinstance(rule, kinds.RecruitingLimit | kinds.HiringFreeze):
            before = bool(found)
            _check_months(rule, where, calendar, found)
            if isinstance(rule, kinds.RecruitingLimit) and not before and not found:
                _check_promises(rule, roles, calendar, promised, found)
        if isinstance(rule, kinds.HiringBudget):
            _check_periods([rule.period], where + ".period", calendar, found, ("total", "year", "quarter"))
        if isinstance(rule, kinds.PipelineLimit):
            _check_periods(rule.supply, where + ".supply", calendar, found)
            _check_segment(rule.segment, roles, found)
        if isinstance(rule, kinds.SeatLimit):
            places = [*roles.names, *[str(r.segment) for r in roles if r.segment]]
            for name in rule.seats:
                if name not in places:
                    remedy = did_you_mean(name, dict.fromkeys(places))
                    found.add("SeatLimit.seats", "must name roles or segments", got=repr(name), remedy=remedy)


def _role_names(rule: Any) -> dict[str, Iterable[str]]:
    """Return the roles that a rule names, by field."""
    out: dict[str, Iterable[str]] = {}
    for field in ("roles", "reports", "sellers"):
        names = getattr(rule, field, None)
        if names is not None:
            out[field] = names
    for field in ("support", "manager", "source", "destination", "role"):
        name = getattr(rule, field, None)
        if name is not None:
            out[field] = (name,)
    return out


def _check_months(rule: Any, where: str, calendar: Calendar, found: Findings) -> None:
    labels = list(calendar.labels)
    for field in ("first", "last"):
        value = getattr(rule, field)
        if value is not None and value not in labels:
            remedy = f"Write it as '{labels[0]}'; the calendar ends with {labels[-1]}."
            found.add(f"{where}.{field}", "must be a month of the calendar", got=repr(value), remedy=remedy)
            return
    if rule.first is not None and rule.last is not None and rule.last < rule.first:
        found.add(where, "must not end before it starts", got=f"{rule.first} to {rule.last}")


def _check_promises(
    rule: kinds.RecruitingLimit, roles: Roles, calendar: Calendar, promised: NDArray[np.int64], found: Findings
) -> None:
    labels = list(calendar.labels)
    members = [at for at, name in enumerate(roles.names) if rule.roles is None or name in rule.roles]
    begin = 0 if rule.first is None else labels.index(rule.first)
    end = len(labels) if rule.last is None else labels.index(rule.last) + 1
    by_month = promised[members].sum(axis=0)[begin:end]
    window = min(rule.months, end - begin)
    sums = np.convolve(by_month, np.ones(window, dtype=np.int64), "valid")
    over = np.flatnonzero(sums > rule.max_hires)
    if len(over):
        months = [labels[begin + at] for at in over.tolist()]
        got = f"{int(sums[over[0]])} promised for {rule.max_hires} slots"
        remedy = "Raise max_hires, or take the promise back."
        rule_text = "must leave slots for the hires already promised"
        found.add("RecruitingLimit.max_hires", rule_text, got=got, rows=months, kind="month", remedy=remedy)


def _check_periods(
    labels: Iterable[str], where: str, calendar: Calendar, found: Findings, words: tuple[str, ...] = ()
) -> None:
    known = [*words, *calendar.labels, *calendar.quarters, *calendar.years]
    if len(calendar.quarters) <= 4:
        known += [f"Q{k + 1}" for k in range(len(calendar.quarters))]
    for label in labels:
        if label not in known:
            remedy = f"There are {', '.join([*words, *calendar.quarters[:2], calendar.labels[0]])}, ..."
            found.add(where, "must be periods of the calendar", got=repr(label), remedy=remedy)


def _check_segment(segment: str | None, roles: Roles, found: Findings) -> None:
    segments = sorted({str(role.segment) for role in roles if role.segment})
    if segment is not None and segment not in segments:
        remedy = did_you_mean(segment, segments)
        found.add("PipelineLimit.segment", "must be a segment of a role", got=repr(segment), remedy=remedy)
