"""The year of quotas in double entry: what every event moves, between whom, in which period."""

from __future__ import annotations

from gtm_opt.quota.ledger.actions import (
    MONEY_ACTIONS,
    PeriodClosed,
    PlanChange,
    QuotaCorrection,
    QuotaOpened,
    Relief,
    SeatPlaced,
)
from gtm_opt.quota.ledger.balances import Balances, Entry
from gtm_opt.quota.ledger.opening import open_balances
from gtm_opt.quota.ledger.payload import RELATION, Payload
from gtm_opt.quota.ledger.poster import Poster
from gtm_opt.quota.ledger.settings import QuotaPolicy, Year
from gtm_opt.quota.ledger.view import QuotaYear

__all__ = [
    "MONEY_ACTIONS",
    "RELATION",
    "Balances",
    "Entry",
    "Payload",
    "PeriodClosed",
    "PlanChange",
    "Poster",
    "QuotaCorrection",
    "QuotaOpened",
    "QuotaPolicy",
    "QuotaYear",
    "Relief",
    "SeatPlaced",
    "Year",
    "open_balances",
]
