"""Accounts into territories: compile, solve node by node, certify, explain."""

from gtm_opt.carving.analysis.explain import Explanation, explain
from gtm_opt.carving.analysis.frontier import Frontier, frontier
from gtm_opt.carving.analysis.rule_costs import RulePrice, price_of
from gtm_opt.carving.carve import carve
from gtm_opt.carving.certificate import Certificate, certify, dual_bound, evenness_bound
from gtm_opt.carving.compile.compiled import Compiled, compile_problem
from gtm_opt.carving.options import CarveKeywords, CarveOptions, TreeOptions
from gtm_opt.carving.recarve import changes, recarve
from gtm_opt.carving.result import Carving
from gtm_opt.carving.segments import Segments
from gtm_opt.carving.tree.partial import compare_trees, recarve_subtree
from gtm_opt.carving.tree.settings import Level

__all__ = [
    "CarveKeywords",
    "CarveOptions",
    "Carving",
    "Certificate",
    "Compiled",
    "Explanation",
    "Frontier",
    "Level",
    "RulePrice",
    "Segments",
    "TreeOptions",
    "carve",
    "certify",
    "changes",
    "compare_trees",
    "compile_problem",
    "dual_bound",
    "evenness_bound",
    "explain",
    "frontier",
    "price_of",
    "recarve",
    "recarve_subtree",
]
