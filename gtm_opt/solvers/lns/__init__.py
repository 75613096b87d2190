"""Exact re-splits of a few territories, or of a core of units, as large neighborhoods."""

from gtm_opt.solvers.lns.solver import LnsSolver, lns, resplit_pass

__all__ = ["LnsSolver", "lns", "resplit_pass"]
