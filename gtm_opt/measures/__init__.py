"""The one place where a reported number is computed."""

from gtm_opt.measures.balance import balance_table, criterion_table, territory_positions
from gtm_opt.measures.check import Check, check, read_assignment
from gtm_opt.measures.criteria import CriterionColumn, compile_criteria
from gtm_opt.measures.disruption import disruption_table, moved_value, preference_table
from gtm_opt.measures.objective import Evaluation, better, evaluate, evenness_by_criterion, rank, territory_totals
from gtm_opt.measures.spread import (
    coefficient_of_variation,
    forced_deviation,
    gini,
    max_relative_deviation,
    share_outside,
)

__all__ = [
    "Check",
    "CriterionColumn",
    "Evaluation",
    "balance_table",
    "better",
    "check",
    "coefficient_of_variation",
    "compile_criteria",
    "criterion_table",
    "disruption_table",
    "evaluate",
    "evenness_by_criterion",
    "forced_deviation",
    "gini",
    "max_relative_deviation",
    "moved_value",
    "preference_table",
    "rank",
    "read_assignment",
    "share_outside",
    "territory_positions",
    "territory_totals",
]
