"""Fair quotas with a proof, and how fair any quotas are."""

from __future__ import annotations

from gtm_opt.quota.fairness.certificate import FairnessCertificate, check_certificate
from gtm_opt.quota.fairness.fair_quotas import fair_quotas
from gtm_opt.quota.fairness.frontier import fairness_frontier
from gtm_opt.quota.fairness.measures import Fairness, gini, measure_fairness
from gtm_opt.quota.fairness.result import FairQuotas

__all__ = [
    "FairQuotas",
    "Fairness",
    "FairnessCertificate",
    "check_certificate",
    "fair_quotas",
    "fairness_frontier",
    "gini",
    "measure_fairness",
]
