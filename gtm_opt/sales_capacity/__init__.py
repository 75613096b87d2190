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
from gtm_opt.sales_capacity.pipeline import pipeline_need
from gtm_opt.sales_capacity.renewal import seat_factor, seat_output
from gtm_opt.sales_capacity.result import Capacity
from gtm_opt.sales_capacity.roster import HasRoster, Roster, read_leaves, read_roster

__all__ = [
    "Capacity",
    "ExpectedCapacity",
    "HasRoster",
    "HiringBudget",
    "HiringFreeze",
    "HiringPlan",
    "HiringProblem",
    "ManagerSpan",
    "OnboardingLimit",
    "PipelineLimit",
    "Promotion",
    "Proration",
    "RecruitingLimit",
    "Release",
    "Roster",
    "SeatLimit",
    "SupportRatio",
    "bookings_model",
    "capacity",
    "pipeline_need",
    "plan_hiring",
    "presence",
    "ramp_fractions",
    "read_leaves",
    "read_roster",
    "seat_factor",
    "seat_output",
]
