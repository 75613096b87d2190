"""The book of a plan: an append-only record of people and ownership in one file."""

from gtm_opt.plan.book.book import Book
from gtm_opt.plan.book.policy import Policy, Trigger
from gtm_opt.plan.book.quota_book import QuotaBook
from gtm_opt.plan.book.store import Store

__all__ = ["Book", "Policy", "QuotaBook", "Store", "Trigger"]
