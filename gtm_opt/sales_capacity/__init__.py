"""From people to productive months: ramp, leave, partial months, open seats."""

from __future__ import annotations

from gtm_opt.sales_capacity.bookings import bookings_model
from gtm_opt.sales_capacity.capacity import capacity
from gtm_opt.sales_capacity.clock import Proration, presence, ramp_fractions
from gtm_opt.sales_capacity.expected import ExpectedCapacity
from gtm_opt.sales_capacity.hiring import (
    HiringBudget,
    HiringFreeze,
    HiringPlan,
    HiringProblem,
    ManagerSpan,
    OnboardingLimit,
    PipelineLimit,
    Promotion,
    RecruitingLimit,
    Release,
    SeatLimit,
    SupportRatio,
    plan_hiring,
)
from gtm_opt.sales_capacity.odds import Backtest, Odds, Scenarios, scenarios, simulate
from gtm_opt.sales_capacity.pipeline import pipeline_need
from gtm_opt.sales_capacity.renewal import seat_factor, seat_output
from gtm_opt.sales_capacity.result import Capacity
from gtm_opt.sales_capacity.roster import HasRoster, Roster, read_leaves, read_roster
from gtm_opt.sales_capacity.sizing import (
    AdbudgResponse,
    BudgetAllocation,
    GrowthPlan,
    HeadAllocation,
    HeadsAndMoney,
    HireReturn,
    ObjectiveCheck,
    PowerResponse,
    SaturatingResponse,
    TeamSize,
    allocate_budget,
    allocate_heads,
    budget_shares,
    cac_payback,
    check_objectives,
    hire_return,
    plan_growth,
    pod_cost,
    size_team,
)

__all__ = [
    "AdbudgResponse",
    "Backtest",
    "BudgetAllocation",
    "Capacity",
    "ExpectedCapacity",
    "GrowthPlan",
    "HasRoster",
    "HeadAllocation",
    "HeadsAndMoney",
    "HireReturn",
    "HiringBudget",
    "HiringFreeze",
    "HiringPlan",
    "HiringProblem",
    "ManagerSpan",
    "ObjectiveCheck",
    "Odds",
    "OnboardingLimit",
    "PipelineLimit",
    "PowerResponse",
    "Promotion",
    "Proration",
    "RecruitingLimit",
    "Release",
    "Roster",
    "SaturatingResponse",
    "Scenarios",
    "SeatLimit",
    "SupportRatio",
    "TeamSize",
    "allocate_budget",
    "allocate_heads",
    "bookings_model",
    "budget_shares",
    "cac_payback",
    "capacity",
    "check_objectives",
    "hire_return",
    "pipeline_need",
    "plan_growth",
    "plan_hiring",
    "pod_cost",
    "presence",
    "ramp_fractions",
    "read_leaves",
    "read_roster",
    "scenarios",
    "seat_factor",
    "seat_output",
    "simulate",
    "size_team",
]
