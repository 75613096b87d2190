"""From prices to whole units."""

from gtm_opt.solvers.rounding.rounding import core_units, default_core_size, round_prices

__all__ = ["core_units", "default_core_size", "round_prices"]
