"""Capacities only (generalized assignment): dives over knapsacks, ejection chains and bounds."""

from gtm_opt.solvers.packing.solver import PackingSolver, packing
from gtm_opt.solvers.packing.tables import is_packing

__all__ = ["PackingSolver", "is_packing", "packing"]
