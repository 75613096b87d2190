"""The default solver: mixes the named methods by size and lumpiness."""

from gtm_opt.solvers.portfolio.solver import MENDING_ROUNDS, PortfolioSolver, auto

__all__ = ["MENDING_ROUNDS", "PortfolioSolver", "auto"]
