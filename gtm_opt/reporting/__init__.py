"""Reporting: pictures, tables, one page."""

from gtm_opt.reporting.balance import plot_balance
from gtm_opt.reporting.canvas import PlotNotAvailableError
from gtm_opt.reporting.frontier import plot_frontier
from gtm_opt.reporting.moves import move_matrix, plot_moves
from gtm_opt.reporting.odds import plot_odds, plot_waterfall
from gtm_opt.reporting.page import report
from gtm_opt.reporting.places import plot_map
from gtm_opt.reporting.productivity import plot_capacity

__all__ = [
    "PlotNotAvailableError",
    "move_matrix",
    "plot_balance",
    "plot_capacity",
    "plot_frontier",
    "plot_map",
    "plot_moves",
    "plot_odds",
    "plot_waterfall",
    "report",
]
