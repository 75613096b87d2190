"""Capacities only (generalized assignment): ejection chains, columns and knapsack bounds."""

from gtm_opt.solvers.packing.solver import PackingSolver, packing
from gtm_opt.solvers.packing.tables import is_packing

__all__ = ["PackingSolver", "is_packing", "packing"]
