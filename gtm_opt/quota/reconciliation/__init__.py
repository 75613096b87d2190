"""Top-down, bottom-up and capacity reconciled: pooled by reliability, coherent at every edge, in whole units."""

from __future__ import annotations

from gtm_opt.quota.reconciliation.reconcile import reconcile
from gtm_opt.quota.reconciliation.result import Reconciliation

__all__ = ["Reconciliation", "reconcile"]
