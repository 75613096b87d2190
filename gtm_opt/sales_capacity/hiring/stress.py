"""Stress tests: what a plan still covers in a harder world, what re-planning costs, and one plan for several worlds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError
from gtm_opt.mip import Status
from gtm_opt.model.ramp import Ramp
from gtm_opt.model.roles import Roles
from gtm_opt.sales_capacity.hiring.flow import build_flow
from gtm_opt.sales_capacity.hiring.formulation import TARGET, Linear, formulate
from gtm_opt.sales_capacity.hiring.result import HiringPlan
from gtm_opt.sales_capacity.hiring.rules import PipelineLimit
from gtm_opt.sales_capacity.hiring.stages import solve_stages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gtm_opt.sales_capacity.hiring.problem import HiringProblem

__all__ = ["plan_for_all", "stress", "worlds"]

_LONG_RAMP_M = 36


def worlds(problem: HiringProblem, factor_down: float = 0.85) -> dict[str, HiringProblem]:
    """Return the usual harder worlds by name.

    Parameters
    ----------
    problem : HiringProblem
    factor_down : float
        What everybody books in a year in which the common factor is one standard deviation down.
    """
    out = {
        "productivity -10 %": _productivity(problem, 0.9),
        "ramp +2 months": _slower_ramp(problem, 2),
        "attrition x 1.5": replace(problem, hazard=np.minimum(1.5 * problem.hazard, 0.999)),
        "hiring slips a quarter": _slipped(problem),
        "three sellers of the best role leave": _fewer_heads(problem, 3.0),
        f"common factor down ({factor_down:g})": _productivity(problem, factor_down),
    }
    segments = dict.fromkeys(role.segment for role in problem.roles if role.segment and role.quota_type == "direct")
    for segment in segments if len(segments) > 1 else ():
        out[f"{segment} -20 %"] = _productivity(problem, 0.8, segment)
    return out


def stress(plan: HiringPlan, harder: Mapping[str, HiringProblem] | None = None) -> pd.DataFrame:
    """Return what a plan covers in harder worlds, and what planning for each would cost; see `HiringPlan.stress`."""
    from gtm_opt.sales_capacity.hiring.plan import solve_problem

    hires = plan.flow_values
    base = plan.objective if plan.objectives[0] == "least_cost" else np.nan
    rows = []
    for name, problem in {"as planned": plan.problem, **(worlds(plan.problem) if harder is None else harder)}.items():
        flow = build_flow(problem)
        booked = flow.bookings_0 + flow.bookings @ hires
        parts = [
            (float(booked[problem.sellers(t.segment)][:, list(t.months)].sum()) / t.amount, t.name)
            for t in problem.targets
            if t.amount > 0
        ]
        missed = [quarter for part, quarter in parts if part < 1.0 - 1e-9]
        again = solve_problem(problem, ("least_cost",), plan.options, plan.backend)
        cost = again.objective if again.values is not None else np.nan
        worst = min((part for part, _ in parts), default=np.inf)
        rows.append((name, worst, len(missed), missed[0] if missed else "", cost, cost - base, again.status.value))
    columns = ["world", "worst_coverage", "missed", "first_missed", "replanned_cost", "extra_cost", "status"]
    return pd.DataFrame(rows, columns=columns)


def plan_for_all(plan: HiringPlan, several: Mapping[str, HiringProblem]) -> HiringPlan:
    """Return the cheapest plan whose hires meet the targets in every world; see `HiringPlan.robust`."""
    base = plan.problem
    if any(isinstance(rule, PipelineLimit) for rule in base.rules):
        raise DataError("one plan for several worlds is not offered together with PipelineLimit. Leave the rule out.")
    form = formulate(base)
    for name, problem in several.items():
        flow = build_flow(problem)
        if flow.names != form.flow.names:
            raise DataError(f"world '{name}' must have the same roles, months and rules as the plan.")
        for at, target in enumerate(problem.targets):
            change = flow.bookings[problem.sellers(target.segment)][:, list(target.months)].sum(axis=(0, 1))
            present = flow.bookings_0[problem.sellers(target.segment)][:, list(target.months)].sum()
            function = Linear.dense(change, float(present))
            form.add_row(f"target[{target.name}] if {name}", TARGET, target.quarter, at, function, low=target.amount)
    stages, values, notes = solve_stages(form, ("least_cost",), plan.options, plan.backend)
    if stages[0].status is Status.INFEASIBLE:
        notes = (*notes, "no plan meets the targets in every one of these worlds")
    return HiringPlan(base, stages, form, values, plan.options, plan.backend, notes)


def _productivity(problem: HiringProblem, factor: float, segment: str | None = None) -> HiringProblem:
    roles = [
        replace(role, productivity_py=factor * role.productivity_py) if segment in (None, role.segment) else role
        for role in problem.roles
    ]
    return replace(problem, roles=Roles(roles))


def _slower_ramp(problem: HiringProblem, months: int) -> HiringProblem:
    """Return the problem with ramps that begin with so many months of nothing more, month by month."""

    def slower(ramp: Ramp) -> Ramp:
        return Ramp.steps([0.0] * months + ramp.at(np.arange(1, _LONG_RAMP_M + 1)).tolist())

    sells = [role.quota_type == "direct" for role in problem.roles]
    roles = [replace(r, ramp=slower(r.ramp)) if s else r for r, s in zip(problem.roles, sells, strict=True)]
    return replace(problem, roles=Roles(roles))


def _slipped(problem: HiringProblem) -> HiringProblem:
    """Return the problem in which every hire brings what it brings three months later, as after a late start."""
    return _slower_ramp(problem, 3)


def _fewer_heads(problem: HiringProblem, leavers: float) -> HiringProblem:
    """Return the problem without some ramped sellers of the most productive role (and no fewer than it has)."""
    order = sorted(
        (k for k, g in enumerate(problem.groups) if g.role in problem.sellers()),
        key=lambda k: -problem.roles.roles[problem.groups[k].role].productivity_py,
    )
    groups = list(problem.groups)
    for k in order:
        gone = min(leavers, groups[k].heads)
        groups[k] = replace(groups[k], heads=groups[k].heads - gone)
        leavers -= gone
    return replace(problem, groups=tuple(groups))
