"""Records: what is wrong with the accounts as they stand in the customer system, and repairs that can be undone."""

from gtm_opt.records.duplicates import Duplicates, find_duplicates
from gtm_opt.records.inspect import inspect_accounts
from gtm_opt.records.quality import DataQuality
from gtm_opt.records.repair import Repair

__all__ = ["DataQuality", "Duplicates", "Repair", "find_duplicates", "inspect_accounts"]
