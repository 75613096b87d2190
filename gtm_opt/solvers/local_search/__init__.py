"""Compiled local search for preference cost under balance bands."""

from gtm_opt.solvers.local_search.solver import LocalSearchSolver, local_search, polish

__all__ = ["LocalSearchSolver", "local_search", "polish"]
