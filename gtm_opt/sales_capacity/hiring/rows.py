"""Rows of the model, one function per rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.sales_capacity.hiring.formulation import TARGET, Formulation, Linear, month_span
from gtm_opt.sales_capacity.hiring.rules import (
    HiringBudget,
    ManagerSpan,
    OnboardingLimit,
    PipelineLimit,
    Promotion,
    RecruitingLimit,
    SeatLimit,
    SupportRatio,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gtm_opt.sales_capacity.hiring.problem import HiringProblem

__all__ = ["add_identities", "add_rules", "add_targets", "budget_periods", "period_months"]


def add_identities(out: Formulation) -> None:
    """Whole promotions and releases come from cohorts, and no cohort gives more than it has."""
    flow, labels = out.flow, out.problem.calendar.labels
    for at, columns in flow.decisions.items():
        for month, column in enumerate(columns.tolist()):
            parts = [r.column for r in flow.removals if r.rule == at and r.month == month]
            if not parts:
                out.high[column] = 0.0
                continue
            function = Linear(np.array([*parts, column]), np.array([1.0] * len(parts) + [-1.0]))
            out.add_row(
                f"{flow.names[column]} is taken from cohorts", "identity", labels[month], -1, function, low=0, high=0
            )
    for k in sorted({r.cohort for r in flow.removals}):
        cohort = flow.cohorts[k]
        taken = [r for r in flow.removals if r.cohort == k]
        function = Linear(
            np.array([r.column for r in taken]), np.array([-1.0 / cohort.alive[r.month] for r in taken]), cohort.heads
        )
        if cohort.column >= 0:
            function = function.plus([cohort.column], [1.0])
        out.add_row(f"cohort {k} is not taken twice", "identity", labels[cohort.entry], -1, function, low=0.0)


def add_rules(out: Formulation) -> None:
    """Add the rows of every rule."""
    usable = any(isinstance(rule, PipelineLimit) for rule in out.problem.rules)
    if usable:
        _add_usable_bookings(out)
    for at, rule in enumerate(out.problem.rules):
        if isinstance(rule, RecruitingLimit):
            _recruiting(out, at, rule)
        elif isinstance(rule, SupportRatio):
            (_pooled if rule.pooled else _dedicated)(out, at, rule)
        elif isinstance(rule, ManagerSpan):
            _span(out, at, rule)
        elif isinstance(rule, OnboardingLimit):
            _onboarding(out, at, rule)
        elif isinstance(rule, HiringBudget):
            _budget(out, at, rule)
        elif isinstance(rule, SeatLimit):
            _seats(out, at, rule)
        elif isinstance(rule, PipelineLimit):
            _pipeline(out, at, rule)
        elif isinstance(rule, Promotion):
            _promotion(out, at, rule)


def add_targets(out: Formulation, *, soft: bool) -> Linear | None:
    """Add targets as rows, or as columns that count what is reached; return the sum of those."""
    columns = []
    for at, target in enumerate(out.problem.targets):
        function = bookings(out, target.segment, list(target.months))
        if soft:
            column = out.add_column(f"covered[{target.name}]", high=target.amount)
            function = function.plus([column], [-1.0])
            out.add_row(f"target[{target.name}]", "identity", target.quarter, -1, function, low=0.0)
            columns.append(column)
        else:
            out.add_row(f"target[{target.name}]", TARGET, target.quarter, at, function, low=target.amount)
    return Linear(np.array(columns, dtype=np.int64), np.ones(len(columns))) if soft else None


def bookings(out: Formulation, segment: str | None, months: list[int]) -> Linear:
    """Return the bookings of a segment (None: all) over some months, as far as the pipeline allows."""
    roles = out.problem.sellers(segment)
    if "usable" in out.extra:
        columns = out.extra["usable"][roles][:, months].ravel()
        return Linear(columns, np.ones(len(columns)))
    change, base = out.flow.bookings[roles][:, months], out.flow.bookings_0[roles][:, months]
    return Linear.dense(change.sum(axis=(0, 1)), float(base.sum()))


def _add_usable_bookings(out: Formulation) -> None:
    flow, problem = out.flow, out.problem
    columns = np.full(flow.heads_0.shape, -1, dtype=np.int64)
    for role in problem.sellers():
        for month, label in enumerate(problem.calendar.labels):
            name = f"{problem.roles.names[role]},{label}"
            column = columns[role, month] = out.add_column(f"usable[{name}]")
            function = Linear.dense(flow.bookings[role, month], flow.bookings_0[role, month]).plus([column], [-1.0])
            out.add_row(f"usable bookings of {name}", "identity", label, -1, function, low=0.0)
    out.extra["usable"] = columns


def _recruiting(out: Formulation, at: int, rule: RecruitingLimit) -> None:
    problem, labels = out.problem, out.problem.calendar.labels
    roles = [problem.position(name) for name in (rule.roles or problem.roles.names)]
    inside = month_span(problem, rule.first, rule.last)
    window = min(rule.months, len(inside))
    for begin in range(len(inside) - window + 1):
        months = inside[begin : begin + window]
        columns = out.flow.hires[roles][:, months].ravel()
        period = labels[months[0]] if window == 1 else f"{labels[months[0]]} to {labels[months[-1]]}"
        function = Linear(columns, np.ones(len(columns)))
        out.add_row(f"recruiting {at}[{period}]", "recruiting", period, at, function, high=float(rule.max_hires))


def _leads(problem: HiringProblem, lead_m: int) -> Iterator[tuple[int, int]]:
    return ((month, month + lead_m) for month in range(problem.n_months - lead_m))


def _pooled(out: Formulation, at: int, rule: SupportRatio) -> None:
    problem = out.problem
    support, sellers = problem.position(rule.support), [problem.position(name) for name in rule.sellers]
    need = [1.0 / number for number in rule.sellers.values()]
    for month, later in _leads(problem, rule.lead_m):
        label = problem.calendar.labels[month]
        function = out.heads_less(([support], 1.0), (sellers, need), (month, later))
        out.add_row(f"{rule.support} ratio {at}[{label}]", "support", label, at, function, low=0.0)


def _dedicated(out: Formulation, at: int, rule: SupportRatio) -> None:
    problem = out.problem
    support = problem.position(rule.support)
    for month, later in _leads(problem, rule.lead_m):
        label, dedicated = problem.calendar.labels[month], []
        for name, number in rule.sellers.items():
            column = out.add_column(f"dedicated {at}[{rule.support},{name},{label}]", integer=True)
            need = out.heads([problem.position(name)], later, [-1.0 / number]).plus([column], [1.0])
            out.add_row(f"{rule.support} for {name} {at}[{label}]", "support", label, at, need, low=0.0)
            dedicated.append(column)
        function = out.heads([support], month).plus(dedicated, [-1.0] * len(dedicated))
        out.add_row(f"{rule.support} ratio {at}[{label}]", "support", label, at, function, low=0.0)


def _span(out: Formulation, at: int, rule: ManagerSpan) -> None:
    problem = out.problem
    manager, reports = problem.position(rule.manager), [problem.position(name) for name in rule.reports]
    ones = [1.0] * len(reports)
    for month, label in enumerate(problem.calendar.labels):
        function = out.heads_less(([manager], rule.most), (reports, ones), (month, month))
        out.add_row(f"{rule.manager} span {at}[{label}]", "span", label, at, function, low=0.0)
        if rule.least is not None:
            function = out.heads_less(([manager], rule.least), (reports, ones), (month, month))
            name = f"{rule.manager} smallest span {at}[{label}]"
            out.add_row(name, "span", label, at, function, high=float(rule.least))


def _onboarding(out: Formulation, at: int, rule: OnboardingLimit) -> None:
    problem, flow = out.problem, out.flow
    roles = problem.sellers() if rule.roles is None else [problem.position(name) for name in rule.roles]
    for month, label in enumerate(problem.calendar.labels):
        ramping = flow.ramping[roles, month].sum(axis=0), flow.ramping_0[roles, month].sum()
        if rule.share is not None:
            base = rule.share * flow.heads[roles, month].sum(axis=0), rule.share * flow.heads_0[roles, month].sum()
        else:
            assert rule.per_manager is not None and rule.manager is not None
            manager = problem.position(rule.manager)
            base = rule.per_manager * flow.heads[manager, month], rule.per_manager * flow.heads_0[manager, month]
        function = Linear.dense(base[0] - ramping[0], base[1] - ramping[1])
        out.add_row(f"onboarding {at}[{label}]", "onboarding", label, at, function, low=0.0)


def budget_periods(problem: HiringProblem, period: str) -> dict[str, list[int]]:
    """Return the months of every period that a budget names."""
    table = problem.calendar.table
    months = list(range(problem.n_months))
    if period == "total":
        return {"total": months}
    column = {"year": "fiscal_year", "quarter": "quarter"}.get(period)
    if column is not None:
        labels = [str(label) for label in table[column]]
        return {label: [m for m in months if labels[m] == label] for label in dict.fromkeys(labels)}
    return {period: period_months(problem, period)}


def period_months(problem: HiringProblem, label: str) -> list[int]:
    """Return the months of a month, quarter or year by its label; none where it is unknown."""
    table = problem.calendar.table
    for column in ("month", "quarter", "fiscal_year"):
        names = [str(name) for name in table[column]]
        hit = [m for m, name in enumerate(names) if name == label]
        if hit:
            return hit
    quarter = problem.calendar.quarter_of_month.tolist()
    return [m for m, q in enumerate(quarter) if max(quarter) < 4 and label == f"Q{q + 1}"]


def _budget(out: Formulation, at: int, rule: HiringBudget) -> None:
    flow = out.flow
    for label, months in budget_periods(out.problem, rule.period).items():
        base = float(flow.cost_0[months].sum()) if rule.scope == "all" else 0.0
        function = Linear.dense(flow.cost[months].sum(axis=0), base)
        out.add_row(f"budget {at}[{label}]", "budget", label, at, function, high=float(rule.amount))


def _seats(out: Formulation, at: int, rule: SeatLimit) -> None:
    problem = out.problem
    for name, seats in rule.seats.items():
        roles = (
            [problem.position(name)]
            if name in problem.roles
            else [k for k, role in enumerate(problem.roles) if role.segment == name and role.holds_territories]
        )
        for month, label in enumerate(problem.calendar.labels):
            function = out.heads(roles, month)
            out.add_row(f"seats {at}[{name},{label}]", "seats", label, at, function, high=float(seats))


def _pipeline(out: Formulation, at: int, rule: PipelineLimit) -> None:
    usable = out.extra["usable"][out.problem.sellers(rule.segment)]
    for label, supply in rule.supply.items():
        columns = usable[:, period_months(out.problem, label)].ravel()
        function = Linear(columns, np.ones(len(columns)))
        out.add_row(f"pipeline {at}[{label}]", "pipeline", label, at, function, high=supply * rule.win_rate)


def _promotion(out: Formulation, at: int, rule: Promotion) -> None:
    """``promoted(t) <= share * eligible(t)``, the eligible counted before this month's promotions."""
    flow, problem = out.flow, out.problem
    for month, column in enumerate(flow.decisions[at].tolist()):
        eligible = {r.cohort for r in flow.removals if r.rule == at and r.month == month}
        if not eligible:
            continue
        values, constant = np.zeros(flow.n_columns), 0.0
        for k in eligible:
            cohort = flow.cohorts[k]
            if cohort.column >= 0:
                values[cohort.column] += cohort.alive[month]
            else:
                constant += cohort.heads * cohort.alive[month]
        for removal in flow.removals:
            if removal.cohort in eligible and removal.month < month:
                alive = flow.cohorts[removal.cohort].alive
                values[removal.column] -= alive[month] / alive[removal.month]
        values *= rule.max_share
        values[column] -= 1.0
        label = problem.calendar.labels[month]
        function = Linear.dense(values, constant * rule.max_share)
        out.add_row(f"promotion {at}[{label}]", "promotion", label, at, function, low=0.0)
