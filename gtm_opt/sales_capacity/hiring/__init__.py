"""Whom to hire and when: a time-expanded integer model, its bound, and its answers in a planner's words."""

from __future__ import annotations

from gtm_opt.sales_capacity.hiring.confidence import Confidence
from gtm_opt.sales_capacity.hiring.odds import HiringOdds
from gtm_opt.sales_capacity.hiring.plan import plan_hiring
from gtm_opt.sales_capacity.hiring.problem import HiringProblem
from gtm_opt.sales_capacity.hiring.result import HiringPlan
from gtm_opt.sales_capacity.hiring.rules import (
    HiringBudget,
    HiringFreeze,
    ManagerSpan,
    OnboardingLimit,
    PipelineLimit,
    Promotion,
    RecruitingLimit,
    Release,
    SeatLimit,
    SupportRatio,
)

__all__ = [
    "Confidence",
    "HiringBudget",
    "HiringFreeze",
    "HiringOdds",
    "HiringPlan",
    "HiringProblem",
    "ManagerSpan",
    "OnboardingLimit",
    "PipelineLimit",
    "Promotion",
    "RecruitingLimit",
    "Release",
    "SeatLimit",
    "SupportRatio",
    "plan_hiring",
]
