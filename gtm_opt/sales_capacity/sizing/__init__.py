"""How large the team should be, where the heads and the money go, and what a hire returns."""

from __future__ import annotations

from gtm_opt.sales_capacity.sizing.budget import BudgetAllocation, HeadsAndMoney, allocate_budget, budget_shares
from gtm_opt.sales_capacity.sizing.economics import HireReturn, cac_payback, hire_return, pod_cost
from gtm_opt.sales_capacity.sizing.growth import GrowthPlan, plan_growth
from gtm_opt.sales_capacity.sizing.heads import HeadAllocation, allocate_heads
from gtm_opt.sales_capacity.sizing.objectives import ObjectiveCheck, check_objectives
from gtm_opt.sales_capacity.sizing.responses import AdbudgResponse, PowerResponse, SaturatingResponse
from gtm_opt.sales_capacity.sizing.team import TeamSize, size_team

__all__ = [
    "AdbudgResponse",
    "BudgetAllocation",
    "GrowthPlan",
    "HeadAllocation",
    "HeadsAndMoney",
    "HireReturn",
    "ObjectiveCheck",
    "PowerResponse",
    "SaturatingResponse",
    "TeamSize",
    "allocate_budget",
    "allocate_heads",
    "budget_shares",
    "cac_payback",
    "check_objectives",
    "hire_return",
    "plan_growth",
    "pod_cost",
    "size_team",
]
