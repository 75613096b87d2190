"""Dated intervals: who holds what on which day, in which part, without gap and without overlap."""

from gtm_opt.timeline.sweep import Steps, find_gaps, find_overlaps, sum_by_day

__all__ = ["Steps", "find_gaps", "find_overlaps", "sum_by_day"]
