"""Compiled local search for preference cost under balance bands."""

from gtm_opt.solvers.search.solver import SearchSolver, polish, search

__all__ = ["SearchSolver", "polish", "search"]
