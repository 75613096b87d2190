"""Accounts into territories: compile, solve node by node, certify, explain."""

from gtm_opt.carving.carve import carve
from gtm_opt.carving.certificate import Certificate, certify, dual_bound, evenness_bound
from gtm_opt.carving.compile import Compiled, compile_problem
from gtm_opt.carving.result import Carving

__all__ = [
    "Carving",
    "Certificate",
    "Compiled",
    "carve",
    "certify",
    "compile_problem",
    "dual_bound",
    "evenness_bound",
]
