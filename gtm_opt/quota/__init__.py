"""From target to quotas: an exact cascade, over time and down to sellers."""

from __future__ import annotations

from gtm_opt.quota.cascade import cascade
from gtm_opt.quota.cube import Cube, allocate
from gtm_opt.quota.reconciliation import Reconciliation, reconcile
from gtm_opt.quota.result import Quotas

__all__ = ["Cube", "Quotas", "Reconciliation", "allocate", "cascade", "reconcile"]
