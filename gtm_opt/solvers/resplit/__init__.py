"""Exact re-splits of a few territories, or of a core of units, as large neighborhoods."""

from gtm_opt.solvers.resplit.solver import ResplitSolver, resplit, resplit_pass

__all__ = ["ResplitSolver", "resplit", "resplit_pass"]
