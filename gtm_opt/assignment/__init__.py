"""From territories to people: matching, temporary cover, effective dates."""

from __future__ import annotations

from gtm_opt.assignment.actions import (
    ACTIONS,
    AccountsMoved,
    Action,
    Correction,
    CoverBegun,
    CoverEnded,
    Exit,
    Hire,
    Leave,
    ManagerChanged,
    Promotion,
    SeatClosed,
    SeatFilled,
    SeatOpened,
    SeatsMerged,
    SeatSplit,
    StartMoved,
    make_event,
)
from gtm_opt.assignment.assign import assign
from gtm_opt.assignment.inputs import CarvingLike
from gtm_opt.assignment.linear import DeficientSet
from gtm_opt.assignment.match_people import Matching, match_people
from gtm_opt.assignment.overcarve import Overcarve, overcarve
from gtm_opt.assignment.preferences import Rank, Skills, Span
from gtm_opt.assignment.proof import TimelineProof, describe_days
from gtm_opt.assignment.routing import RoundRobin
from gtm_opt.assignment.staffing import Staffing
from gtm_opt.assignment.support import carve_support, support_heads
from gtm_opt.assignment.timeline import TIMELINE, Timeline

__all__ = [
    "ACTIONS",
    "TIMELINE",
    "AccountsMoved",
    "Action",
    "CarvingLike",
    "Correction",
    "CoverBegun",
    "CoverEnded",
    "DeficientSet",
    "Exit",
    "Hire",
    "Leave",
    "ManagerChanged",
    "Matching",
    "Overcarve",
    "Promotion",
    "Rank",
    "RoundRobin",
    "SeatClosed",
    "SeatFilled",
    "SeatOpened",
    "SeatSplit",
    "SeatsMerged",
    "Skills",
    "Span",
    "Staffing",
    "StartMoved",
    "Timeline",
    "TimelineProof",
    "assign",
    "carve_support",
    "describe_days",
    "make_event",
    "match_people",
    "overcarve",
    "support_heads",
]
