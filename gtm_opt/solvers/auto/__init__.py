"""The default solver: mixes the named methods by size and lumpiness."""

from gtm_opt.solvers.auto.solver import AutoSolver, auto

__all__ = ["AutoSolver", "auto"]
