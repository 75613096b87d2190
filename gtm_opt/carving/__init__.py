"""Accounts into territories: compile, solve node by node, certify, explain."""

from gtm_opt.carving.carve import carve
from gtm_opt.carving.certificate import Certificate, certify, dual_bound, evenness_bound
from gtm_opt.carving.change import changes, recarve
from gtm_opt.carving.compile import Compiled, compile_problem
from gtm_opt.carving.exceptions import RulePrice, price_of
from gtm_opt.carving.explain import Explanation, explain
from gtm_opt.carving.frontier import Frontier, frontier
from gtm_opt.carving.result import Carving

__all__ = [
    "Carving",
    "Certificate",
    "Compiled",
    "Explanation",
    "Frontier",
    "RulePrice",
    "carve",
    "certify",
    "changes",
    "compile_problem",
    "dual_bound",
    "evenness_bound",
    "explain",
    "frontier",
    "price_of",
    "recarve",
]
