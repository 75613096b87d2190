"""Nodes of a tree: sums of their leaves, room for the leaves, budgets that add up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtm_opt as gtm
from gtm_opt.carving.compile.compiled import compile_problem
from gtm_opt.carving.tree.node import NodeTask, children_tasks, node_instance, root_task
from gtm_opt.measures import evaluate

TREE = gtm.Hierarchy.from_dict({"East": {"E1": 2, "E2": 1}, "West": {"W1": 1, "W2": 1, "W3": 1}, "House": 2})


def problem(count: int = 40, tree: gtm.Hierarchy = TREE, seed: int = 0, **wishes) -> gtm.CarvingProblem:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "account_id": [f"A{i}" for i in range(count)],
            "arr": rng.lognormal(3, 0.5, count),
            "owner": rng.choice([*tree.leaves, None], count),
            "parent_id": [f"A{i // 3 * 3}" if i % 4 else None for i in range(count)],
        }
    )
    wishes = {"balance": [gtm.Balance("arr", 0.4), gtm.Count(0.4)], "prefer": [gtm.KeepOwner()], **wishes}
    return gtm.CarvingProblem(table, tree, **wishes)


def task_of(asked: gtm.CarvingProblem, tree: gtm.Hierarchy = TREE) -> NodeTask:
    return root_task(tree, compile_problem(asked, tree.leaves).instance)


def test_an_inner_node_wants_the_sum_of_its_leaves_and_leaves_them_room() -> None:
    task = task_of(problem(balance=[gtm.Balance("arr", 0.4), gtm.Limit("arr", at_most=500)]))
    node, flat = node_instance(task), task.instance
    sums = np.array([flat.target[:2].sum(axis=0), flat.target[2:5].sum(axis=0), flat.target[5]])
    np.testing.assert_allclose(node.target, sums)
    np.testing.assert_allclose(node.shares, [3 / 8, 3 / 8, 2 / 8])
    np.testing.assert_allclose(node.upper[:, 0] / node.target[:, 0], [1.2, 1.2, 1.4])
    np.testing.assert_allclose(node.lower[:, 0] / node.target[:, 0], [0.8, 0.8, 0.6])
    assert node.upper[:, 1].tolist() == [1000.0, 1500.0, 500.0]
    assert np.isneginf(node.lower[:, 1]).all()


def test_the_root_of_a_flat_tree_is_the_problem_itself() -> None:
    flat = gtm.Hierarchy.split(4)
    task = task_of(problem(tree=flat), flat)
    node = node_instance(task)
    np.testing.assert_array_equal(node.upper, task.instance.upper)
    assert node.cost is task.instance.cost


def test_children_get_their_units_their_leaves_and_nothing_else() -> None:
    task = task_of(problem())
    node = node_instance(task)
    at = np.arange(node.n_units) % 3
    east, west = children_tasks(task, node, at)
    assert (east.tree.leaves, west.tree.leaves) == (("E1", "E2"), ("W1", "W2", "W3"))
    assert east.units.tolist() == np.flatnonzero(at == 0).tolist()
    np.testing.assert_allclose(west.instance.target, task.instance.target[2:5])
    block = task.instance.cost_block(west.units)[:, 2:5]
    np.testing.assert_allclose(west.instance.cost_block(slice(0, west.instance.n_units)), block)


def descend(task: NodeTask, rng: np.random.Generator) -> np.ndarray:
    """Return a leaf per unit by random moves that keep each node's side rows."""
    node = node_instance(task)
    everything = slice(0, node.n_units)
    open_to = np.isfinite(node.cost_block(everything))
    best = np.where(open_to, node.side[0].term.block(everything), np.inf).argmin(axis=1)
    at = best.copy()
    for unit in rng.permutation(node.n_units):
        trial = at.copy()
        trial[unit] = rng.integers(node.n_territories)
        if evaluate(node, trial).rules_kept:
            at = trial
    assert evaluate(node, at).rules_kept
    leaf = np.empty(node.n_units, dtype=np.int64)
    below = {t.tree.root: t for t in children_tasks(task, node, at)}
    for position, child in enumerate(task.tree.children(task.tree.root)):
        start, _ = task.tree.leaf_range(child)
        here = np.flatnonzero(at == position)
        leaf[here] = start + (descend(below[child], rng) if child in below and len(here) else 0)
    return leaf


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.05, 0.2, 0.5]), st.booleans())
def test_move_limits_kept_at_every_node_are_kept_by_the_whole_plan(seed: int, share: float, families: bool) -> None:
    rules = [gtm.MaxMoved(share, by="arr"), *([gtm.KeepTogether()] if families else [])]
    if seed % 2:
        rules += [gtm.Pin({"A0": "W1"}), gtm.Forbid([("A5", "E1"), ("A6", "W2"), ("A9", "House")])]
    task = task_of(problem(count=24, seed=seed, rules=rules))
    row = task.instance.side[0]
    if task.budget[0] < 0:  # the families alone move more than that
        return
    leaf = descend(task, np.random.default_rng(seed))
    used = float(row.term.block(slice(0, task.instance.n_units))[np.arange(len(leaf)), leaf].sum())
    assert used <= row.upper * (1 + 1e-9) + 1e-9


def test_accounts_kept_apart_may_share_a_region_when_they_are_pinned_there() -> None:
    rules = [gtm.KeepApart([["A0", "A1", "A2"]]), gtm.Pin({"A0": "W1", "A1": "W2", "A2": "W3"})]
    carving = gtm.carve(problem(rules=rules), hierarchy=TREE, solver="greedy_lookahead")
    assert carving.labels[["A0", "A1", "A2"]].tolist() == ["W1", "W2", "W3"]


def test_a_group_larger_than_the_root_is_spread_so_that_the_leaves_can_part_it() -> None:
    apart = [f"A{i}" for i in range(6)]
    carving = gtm.carve(problem(rules=[gtm.KeepApart([apart[:5]])]), hierarchy=TREE, solver="greedy_lookahead")
    assert carving.labels[apart[:5]].nunique() == 5


@pytest.mark.parametrize("count", [1, 3, 7])
def test_fewer_accounts_than_territories_can_be_carved_down_a_tree(count: int) -> None:
    asked = problem(count=count, balance=[gtm.Count(1.0)])
    for solver in ("greedy_lookahead", "auto"):
        assert len(gtm.carve(asked, hierarchy=TREE, solver=solver).assignment) == count


def test_a_manager_with_one_rep_is_no_problem() -> None:
    tree = gtm.Hierarchy.from_dict({"East": {"Ann": ["E1"]}, "West": ["W1", "W2"]})
    carving = gtm.carve(problem(tree=tree, balance=[gtm.Count(0.5)]), hierarchy=tree, solver="greedy_lookahead")
    assert set(carving.labels) == {"E1", "W1", "W2"}
    assert set(carving.level(1)["node"]) == {"East", "West"}
    assert set(carving.level(3)["node"]) == {"E1", "W1", "W2"}


@settings(max_examples=60)
@given(st.data())
def test_a_child_is_open_exactly_where_all_rules_together_leave_a_leaf(data) -> None:
    tree = gtm.Hierarchy.from_dict({"East": {"E1": 1, "E2": 1}, "West": {"W1": 1, "W2": 1}})
    leaves = list(tree.leaves)
    table = pd.DataFrame(
        {
            "account_id": [f"A{i}" for i in range(4)],
            "segment": ["large", "small", "large", "small"],
            "parent_id": [None, "A0" if data.draw(st.booleans()) else None, None, None],
        }
    )
    some = st.lists(st.sampled_from(leaves), min_size=1, unique=True)
    teams = data.draw(st.dictionaries(st.sampled_from(["large", "small"]), some, min_size=1))
    closed = data.draw(
        st.lists(st.tuples(st.sampled_from(list(table["account_id"])), st.sampled_from(leaves)), unique=True)
    )
    rules = [gtm.Within(teams, by="segment"), gtm.Forbid(closed), gtm.KeepTogether()]
    try:
        flat = compile_problem(gtm.CarvingProblem(table, tree, balance=[gtm.Count(0.5)], rules=rules)).instance
    except (gtm.DataError, gtm.InfeasibleError):
        return  # rules that leave an account no territory are refused before any node
    nodes = node_instance(root_task(tree, flat))
    units = np.arange(flat.n_units)
    below = np.isfinite(flat.cost_block(units)).reshape(len(units), 2, 2).any(axis=2)
    np.testing.assert_array_equal(np.isfinite(nodes.cost_block(units)), below)


def test_an_account_two_rules_leave_one_territory_goes_there_down_a_tree() -> None:
    tree = gtm.Hierarchy.from_dict({"East": {"E1": 1, "E2": 1}, "West": {"W1": 1, "W2": 1}})
    table = pd.DataFrame(
        {
            "account_id": [f"A{i}" for i in range(8)],
            "segment": ["small", *["large"] * 7],
            "owner": ["W2", "E1", "E1", "E2", "E2", "W1", "W1", "W2"],
        }
    )
    rules = [gtm.Within({"small": ["E1", "E2", "W2"]}, by="segment"), gtm.Forbid([("A0", "E2"), ("A0", "W2")])]
    problem = gtm.CarvingProblem(
        table, list(tree.leaves), balance=[gtm.Count(0.5)], prefer=[gtm.KeepOwner()], rules=rules
    )
    plan = gtm.carve(problem, hierarchy=tree, effort=0.1, seed=0)
    assert plan.check.ok
    assert plan.labels["A0"] == "E1"
