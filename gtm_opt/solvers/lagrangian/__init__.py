"""Prices of the balance bands: a certified lower bound, and where each unit wants to sit."""

from gtm_opt.solvers.lagrangian.ascent import Prices, reduced_costs, solve_prices
from gtm_opt.solvers.lagrangian.solver import LagrangianSolver, lagrangian

__all__ = ["LagrangianSolver", "Prices", "lagrangian", "reduced_costs", "solve_prices"]
