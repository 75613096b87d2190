"""All stages under one roof: build, check, summarize, save, load, export, compare."""

from __future__ import annotations

from gtm_opt.plan.book import Book, Policy, QuotaBook, Trigger
from gtm_opt.plan.build import build_plan
from gtm_opt.plan.checks import PlanCheck
from gtm_opt.plan.compare import PlanComparison
from gtm_opt.plan.people import PeopleOptions
from gtm_opt.plan.plan import Plan
from gtm_opt.plan.repair_effects import repair_effects

__all__ = [
    "Book",
    "PeopleOptions",
    "Plan",
    "PlanCheck",
    "PlanComparison",
    "Policy",
    "QuotaBook",
    "Trigger",
    "build_plan",
    "repair_effects",
]
