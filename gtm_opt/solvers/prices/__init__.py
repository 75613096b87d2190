"""Prices of the balance bands: a certified lower bound, and where each unit wants to sit."""

from gtm_opt.solvers.prices.ascent import Prices, reduced_costs, solve_prices

__all__ = ["Prices", "reduced_costs", "solve_prices"]
