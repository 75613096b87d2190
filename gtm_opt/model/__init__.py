"""What the planner says: accounts, territories, criteria, preferences, rules, the calendar."""

from gtm_opt.model.attainment import Attainment
from gtm_opt.model.attrition import Attrition, monthly_hazard
from gtm_opt.model.backfill import Backfill
from gtm_opt.model.balance import Balance, Count, Criterion, Limit, Mix, Objective
from gtm_opt.model.calendar import Calendar
from gtm_opt.model.hierarchy import MAX_BUCKETS, Hierarchy
from gtm_opt.model.preferences import Fit, KeepOwner, Near, Preference
from gtm_opt.model.problem import CarvingProblem
from gtm_opt.model.ramp import Ramp, ramp_loss
from gtm_opt.model.roles import Role, Roles
from gtm_opt.model.rules import Forbid, KeepApart, KeepTogether, MaxMoved, Pin, Rule, Within
from gtm_opt.model.tables import parse_numbers
from gtm_opt.model.territories import SeatStatus, Territories

__all__ = [
    "MAX_BUCKETS",
    "Attainment",
    "Attrition",
    "Backfill",
    "Balance",
    "Calendar",
    "CarvingProblem",
    "Count",
    "Criterion",
    "Fit",
    "Forbid",
    "Hierarchy",
    "KeepApart",
    "KeepOwner",
    "KeepTogether",
    "Limit",
    "MaxMoved",
    "Mix",
    "Near",
    "Objective",
    "Pin",
    "Preference",
    "Ramp",
    "Role",
    "Roles",
    "Rule",
    "SeatStatus",
    "Territories",
    "Within",
    "monthly_hazard",
    "parse_numbers",
    "ramp_loss",
]
