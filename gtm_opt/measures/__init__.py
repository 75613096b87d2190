"""The one place where a reported number is computed."""

from gtm_opt.measures.objective import Evaluation, evaluate, evenness_by_criterion, territory_totals

__all__ = ["Evaluation", "evaluate", "evenness_by_criterion", "territory_totals"]
