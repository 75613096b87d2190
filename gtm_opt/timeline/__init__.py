"""Dated intervals and events: who holds what on which day, in which part, without gap and without overlap.

`Log` is an append-only list of events; `Facts` is what follows from it for every day. `find_gaps` and
`find_overlaps` check intervals by one sweep over their first and last days.
"""

from gtm_opt.timeline.events import Change, Event, Log
from gtm_opt.timeline.facts import Facts
from gtm_opt.timeline.paint import latest_by_day
from gtm_opt.timeline.sweep import Steps, find_gaps, find_overlaps, sum_by_day

__all__ = ["Change", "Event", "Facts", "Log", "Steps", "find_gaps", "find_overlaps", "latest_by_day", "sum_by_day"]
