"""From territories to people: matching, temporary cover, effective dates."""

from __future__ import annotations

from gtm_opt.assignment.assign import assign
from gtm_opt.assignment.inputs import CarvingLike
from gtm_opt.assignment.proof import TimelineProof, describe_days
from gtm_opt.assignment.staffing import Staffing
from gtm_opt.assignment.timeline import Timeline

__all__ = ["CarvingLike", "Staffing", "Timeline", "TimelineProof", "assign", "describe_days"]
