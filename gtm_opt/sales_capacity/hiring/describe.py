"""Rules and targets in a planner's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gtm_opt.sales_capacity.hiring import rules as kinds

if TYPE_CHECKING:
    from gtm_opt.sales_capacity.hiring.problem import HiringProblem, Target

__all__ = ["describe_rule", "describe_target"]


def describe_target(problem: HiringProblem, target: Target) -> str:
    """Return for example ``"target FY2026-Q1 ENT of 2,900,000 EUR"``."""
    return f"target {target.name} of {problem.money(target.amount)}"


def describe_rule(problem: HiringProblem, rule: kinds.HiringRule) -> str:
    """Return a rule in a few words."""
    if isinstance(rule, kinds.RecruitingLimit):
        span = "a month" if rule.months == 1 else f"in any {rule.months} months"
        return f"at most {rule.max_hires:g} hires {span}{_of(rule.roles)}{_between(rule.first, rule.last)}"
    if isinstance(rule, kinds.HiringFreeze):
        return f"no hires{_of(rule.roles)}{_between(rule.first, rule.last)}"
    if isinstance(rule, kinds.SupportRatio):
        parts = ", ".join(f"{number:g} {name}" for name, number in rule.sellers.items())
        lead = f", {rule.lead_m} months ahead" if rule.lead_m else ""
        return f"one {rule.support} for {parts}{lead}{'' if rule.pooled else ', dedicated'}"
    if isinstance(rule, kinds.ManagerSpan):
        least = "" if rule.least is None else f", at least {rule.least:g}"
        return f"at most {rule.most:g}{least} of {' and '.join(rule.reports)} for each {rule.manager}"
    if isinstance(rule, kinds.OnboardingLimit):
        most = (
            f"{rule.share:.0%} of heads" if rule.share is not None else f"{rule.per_manager:g} for each {rule.manager}"
        )
        return f"ramping heads{_of(rule.roles)} at most {most}"
    if isinstance(rule, kinds.HiringBudget):
        return f"budget of {problem.money(rule.amount)} ({rule.period}, {rule.scope})"
    if isinstance(rule, kinds.SeatLimit):
        return "seats: " + ", ".join(f"{name} {seats:g}" for name, seats in rule.seats.items())
    if isinstance(rule, kinds.PipelineLimit):
        return f"pipeline won at {rule.win_rate:.0%}" + ("" if rule.segment is None else f" in {rule.segment}")
    if isinstance(rule, kinds.Promotion):
        return f"promotions from {rule.source} to {rule.destination} after {rule.min_tenure_m} months"
    return f"releases of {rule.role}"


def _of(roles: object) -> str:
    return "" if roles is None else f" of {' and '.join(roles)}"  # type: ignore[arg-type]


def _between(first: str | None, last: str | None) -> str:
    if first is None and last is None:
        return ""
    return f" from {first or 'the start'} to {last or 'the end'}"
