"""Exchange between leaves outside their bands, and the reasons of those that stay outside."""

from __future__ import annotations

import numpy as np

import gtm_opt as gtm
from gtm_opt.carving.compile.compiled import compile_problem
from gtm_opt.carving.tree.node import root_task
from gtm_opt.carving.tree.polish import leaf_excess, polish_leaves
from gtm_opt.measures import evaluate
from gtm_opt.solvers import Run
from tests.carving.tree_problems import tree_problem


def spoiled(problem: gtm.CarvingProblem) -> tuple:
    """A plan in bands, but five accounts of the first leaf are in the last one, a cousin."""
    tree = gtm.Hierarchy.split(problem.territories.names, max_buckets=4)
    carving = gtm.carve(problem, hierarchy=tree, effort=0.2)
    leaf = carving.unit_leaf.copy()
    leaf[np.flatnonzero(leaf == 0)[:6]] = len(tree.leaves) - 1
    return root_task(tree, carving.compiled.instance), leaf


def test_polish_mends_leaves_across_the_tree() -> None:
    task, leaf = spoiled(tree_problem())
    assert leaf_excess(task.instance, leaf).sum() > 0
    after = polish_leaves(task, leaf, Run(), seed=0)
    assert leaf_excess(task.instance, after).sum() < 0.2 * leaf_excess(task.instance, leaf).sum()


def test_polish_is_deterministic_and_leaves_what_is_in_band() -> None:
    task, leaf = spoiled(tree_problem())
    once, again = (polish_leaves(task, leaf, Run(), seed=4) for _ in range(2))
    assert (once == again).all()
    assert (polish_leaves(task, once, Run(), seed=4) == once).all() or leaf_excess(task.instance, once).any()


def test_polish_keeps_pins_families_and_move_limits() -> None:
    rules = [gtm.Pin({"A-0007": "T12", "A-0013": "T01"}), gtm.KeepTogether("family"), gtm.MaxMoved(0.9)]
    problem = tree_problem(rules=rules)
    task, leaf = spoiled(problem)
    compiled = compile_problem(problem, task.tree.leaves)
    pinned = np.isinf(compiled.instance.cost_block(np.arange(len(leaf)))).sum(axis=1) == 11
    leaf[pinned] = compiled.instance.cost_block(np.flatnonzero(pinned)).argmin(axis=1)
    after = polish_leaves(task, leaf, Run(), seed=0)
    assert evaluate(task.instance, after).rules_kept


def test_every_territory_outside_gets_a_reason() -> None:
    problem = tree_problem()
    table = problem.accounts.copy()
    table.loc["A-0005", "arr"] = table["arr"].sum()
    oversized = problem.replace(accounts=table.reset_index(drop=True))
    carving = gtm.carve(oversized, on_infeasible="nearest", effort=0.1)
    outside = carving.outside
    assert len(outside) == (~carving.balance["within"]).sum() > 0
    assert outside["reason"].str.len().min() > 10
    assert "A-0005" in " ".join(outside.loc[outside["relaxed"], "reason"])
