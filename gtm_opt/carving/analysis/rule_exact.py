"""What a rule of a tree costs exactly: the part of the tree it is about, carved again with and without it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.carving.analysis.again import finite_effort
from gtm_opt.carving.analysis.rule_prices import preferred_leaves
from gtm_opt.carving.compile.canonical import order_accounts
from gtm_opt.carving.tree.flat_bound import FULL_CELLS
from gtm_opt.carving.tree.levels import NodeOptions
from gtm_opt.carving.tree.node import root_task
from gtm_opt.carving.tree.rebuild import leaf_of_unit
from gtm_opt.carving.tree.schedule import carve_tree
from gtm_opt.measures import evaluate, rank
from gtm_opt.model import Forbid, KeepApart, KeepTogether, Pin, Within
from gtm_opt.solvers import Run, get_solver
from gtm_opt.solvers.rounding.part import territories_instance

if TYPE_CHECKING:
    from gtm_opt.carving.analysis.rule_prices import RelaxedProblem
    from gtm_opt.carving.result import Carving
    from gtm_opt.instance import Instance, IntArray
    from gtm_opt.model import Rule

__all__ = ["exact_cost"]


def exact_cost(carving: Carving, rule: Rule, without: RelaxedProblem) -> tuple[float, str]:
    """Return what the plan gains when a rule is dropped, and what was carved again to tell.

    Notes
    -----
    The smallest subtree that holds the rule's accounts where they are and where they would go by prices is
    carved twice from the plan as it is, with the rule and without: both have the same chance to get better, so
    that the difference is the rule's. As one node where that is small, else down its tree.
    """
    tree = carving.hierarchy
    top = _top(carving, _touched(carving, rule), without)
    at = carving.unit_leaf
    own, other = carving.compiled.instance, without.compiled.instance
    if own.evenness is not None:
        own = replace(own, target=other.target, lower=other.lower, upper=other.upper, evenness=other.evenness)
    kept, n_units, flat = _carved(carving, own, at, top)
    free, *_ = _carved(carving, other, at[without.unit], top)
    how = "as one node" if flat else "down its tree"
    where = "the whole tree" if top == tree.root else f"what is below {top}"
    return kept - free, f"carved {where} again with and without it, {how} ({n_units:,} accounts or families)"


def _touched(carving: Carving, rule: Rule) -> IntArray:
    """Return the positions of the accounts a rule is about."""
    problem = carving.compiled.problem
    resolved = problem.resolved
    everybody = np.arange(len(resolved.ids))
    if isinstance(rule, Pin):
        names = list(rule.accounts)
    elif isinstance(rule, KeepApart):
        names = [account for group in rule.groups for account in group]
    elif isinstance(rule, Forbid):
        alone = order_accounts(problem.replace(rules=(rule,)))
        return np.unique(alone.resolved.forbidden[0])
    elif isinstance(rule, KeepTogether):
        return everybody[np.bincount(resolved.family)[resolved.family] > 1]
    elif isinstance(rule, Within):
        team = next(t for t in resolved.teams if t.rule is rule)
        return np.flatnonzero(team.group >= 0)
    else:
        return everybody
    return np.unique(resolved.ids.get_indexer(pd.Index(names))).astype(np.int64)


def _top(carving: Carving, accounts: IntArray, without: RelaxedProblem) -> str:
    """Return the lowest node above where accounts are and where they would go."""
    tree = carving.hierarchy
    if carving.compiled.instance.evenness is not None:
        return tree.root
    units = np.unique(without.compiled.units.of_account[accounts])
    preferred, _ = preferred_leaves(carving, without, units)
    leaves = np.concatenate([preferred, carving.unit_leaf[without.unit[units]]])
    if not len(leaves):
        return tree.root
    low, high = int(leaves.min()), int(leaves.max())
    node = tree.root
    while True:
        inside = [c for c in tree.children(node) if tree.leaf_range(c)[0] <= low and high < tree.leaf_range(c)[1]]
        if not inside or tree.is_leaf(inside[0]):
            return node
        node = inside[0]


def _carved(carving: Carving, flat: Instance, at: IntArray, top: str) -> tuple[float, int, bool]:
    """Return the value of a part after it was carved again from where it is, its size, and whether as one node."""
    tree = carving.hierarchy.subtree(top)
    options = replace(carving.options, effort=finite_effort(carving.options.effort))
    start, stop = carving.hierarchy.leaf_range(top)
    leaves = np.arange(start, stop)
    units = np.flatnonzero((at >= start) & (at < stop))
    part = territories_instance(flat, at, units, leaves)
    before = at[units] - start
    run = Run()
    small = len(units) * len(leaves) <= FULL_CELLS
    if small:
        solver = get_solver(options.solver)
        after = solver(part, run=run, seed=options.seed, effort=options.effort, start=before).assignment
    else:
        task = root_task(tree, part, before, carving.settings)
        solutions = carve_tree(task, NodeOptions.of(options, tree), run)
        after = leaf_of_unit(tree, len(units), solutions)
    known, found = evaluate(part, before), None if after is None or (after < 0).any() else evaluate(part, after)
    best = known if found is None or rank(part, known) <= rank(part, found) else found
    return best.objective, len(units), small
