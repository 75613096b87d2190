"""Capacities only (generalized assignment): dives over knapsacks, ejection chains and bounds."""

from gtm_opt.solvers.generalized_assignment.solver import GeneralizedAssignmentSolver, generalized_assignment
from gtm_opt.solvers.generalized_assignment.tables import is_packing

__all__ = ["GeneralizedAssignmentSolver", "generalized_assignment", "is_packing"]
