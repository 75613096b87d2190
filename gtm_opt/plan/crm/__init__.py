"""Out to a CRM and back: a dated plan as numbered deltas, and the comparison of plan and live rows."""

from gtm_opt.plan.crm.deltas import LIVE, Delta, apply_delta, compare_live, live_rows, ownership_deltas

__all__ = ["LIVE", "Delta", "apply_delta", "compare_live", "live_rows", "ownership_deltas"]
