"""Made-up accounts and reps, shaped like real customer data, at any size."""

from gtm_opt.datasets.crm import Crm, make_crm
from gtm_opt.datasets.dirt import dirty
from gtm_opt.datasets.saas import load_saas, make_saas

__all__ = ["Crm", "dirty", "load_saas", "make_crm", "make_saas"]
