"""Conformance checks for solvers, for our own and for anybody's: ``check_solver(MySolver())``."""

from gtm_opt.testing.cases import Case, all_cases, cases_for
from gtm_opt.testing.conformance import CHECKS, Outcome, check_solver

__all__ = ["CHECKS", "Case", "Outcome", "all_cases", "cases_for", "check_solver"]
