"""The default solver: mixes the named methods by size and lumpiness."""

from gtm_opt.solvers.auto.solver import MENDING_ROUNDS, AutoSolver, auto

__all__ = ["MENDING_ROUNDS", "AutoSolver", "auto"]
