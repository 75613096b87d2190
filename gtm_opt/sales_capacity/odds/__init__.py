"""The odds of making the number: simulated exits, backfills, ramps and results on common random numbers."""

from __future__ import annotations

from gtm_opt.sales_capacity.odds.backtest import Backtest
from gtm_opt.sales_capacity.odds.result import Odds
from gtm_opt.sales_capacity.odds.run import simulate
from gtm_opt.sales_capacity.odds.scenarios import Scenarios, scenarios

__all__ = ["Backtest", "Odds", "Scenarios", "scenarios", "simulate"]
