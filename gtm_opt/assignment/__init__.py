"""From territories to people: matching, temporary cover, effective dates."""

from __future__ import annotations

from gtm_opt.assignment.assign import assign
from gtm_opt.assignment.inputs import CarvingLike
from gtm_opt.assignment.staffing import Staffing, describe_days

__all__ = ["CarvingLike", "Staffing", "assign", "describe_days"]
