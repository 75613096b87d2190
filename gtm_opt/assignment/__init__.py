"""From territories to people: matching, temporary cover, effective dates."""

from __future__ import annotations

from gtm_opt.assignment.assign import assign
from gtm_opt.assignment.inputs import CarvingLike
from gtm_opt.assignment.linear import DeficientSet
from gtm_opt.assignment.match_people import Matching, match_people
from gtm_opt.assignment.preferences import Rank, Skills, Span
from gtm_opt.assignment.proof import TimelineProof, describe_days
from gtm_opt.assignment.staffing import Staffing
from gtm_opt.assignment.timeline import Timeline

__all__ = [
    "CarvingLike",
    "DeficientSet",
    "Matching",
    "Rank",
    "Skills",
    "Span",
    "Staffing",
    "Timeline",
    "TimelineProof",
    "assign",
    "describe_days",
    "match_people",
]
