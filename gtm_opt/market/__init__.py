"""Market: fit, tiers, whitespace, size and ranking, as additive columns with an uncertainty."""

from gtm_opt.market.icp import Profile, fit_icp
from gtm_opt.market.ranking import Ranking, rank_accounts
from gtm_opt.market.size import MarketSize, market_size
from gtm_opt.market.tiers import Tiers, tier
from gtm_opt.market.white_space import Whitespace, whitespace

__all__ = [
    "MarketSize",
    "Profile",
    "Ranking",
    "Tiers",
    "Whitespace",
    "fit_icp",
    "market_size",
    "rank_accounts",
    "tier",
    "whitespace",
]
