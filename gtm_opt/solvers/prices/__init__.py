"""Prices of the balance bands: a certified lower bound, and where each unit wants to sit."""

from gtm_opt.solvers.prices.ascent import Prices, reduced_costs, solve_prices
from gtm_opt.solvers.prices.solver import PricesSolver, prices

__all__ = ["Prices", "PricesSolver", "prices", "reduced_costs", "solve_prices"]
