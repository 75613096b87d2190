"""From target to quotas: an exact cascade, over time and down to sellers; fair quotas with a proof."""

from __future__ import annotations

from gtm_opt.quota.accounts import AccountTargets, account_targets
from gtm_opt.quota.cascade import cascade
from gtm_opt.quota.components import ComponentQuotas, QuotaComponent, cascade_components
from gtm_opt.quota.cube import Cube, allocate
from gtm_opt.quota.fairness import (
    Fairness,
    FairnessCertificate,
    FairQuotas,
    check_certificate,
    fair_quotas,
    fairness_frontier,
    measure_fairness,
)
from gtm_opt.quota.feasibility import Feasibility, check_feasibility
from gtm_opt.quota.odds import QuotaOdds, least_over_assignment, over_assignment_odds, quota_odds
from gtm_opt.quota.reconciliation import Reconciliation, reconcile
from gtm_opt.quota.result import Quotas

__all__ = [
    "AccountTargets",
    "ComponentQuotas",
    "Cube",
    "FairQuotas",
    "Fairness",
    "FairnessCertificate",
    "Feasibility",
    "QuotaComponent",
    "QuotaOdds",
    "Quotas",
    "Reconciliation",
    "account_targets",
    "allocate",
    "cascade",
    "cascade_components",
    "check_certificate",
    "check_feasibility",
    "fair_quotas",
    "fairness_frontier",
    "least_over_assignment",
    "measure_fairness",
    "over_assignment_odds",
    "quota_odds",
    "reconcile",
]
