"""One subtree carved again, frozen subtrees, two trees compared, tables per level."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import gtm_opt as gtm
from gtm_opt.carving.tree.partial import _settings
from tests.carving.tree_problems import tree_problem


@pytest.fixture(scope="module")
def carving() -> gtm.Carving:
    tree = gtm.Hierarchy.split([f"T{k:02d}" for k in range(1, 13)], max_buckets=4)
    return gtm.carve(tree_problem(rules=[gtm.MaxMoved(0.9)]), hierarchy=tree, effort=0.1)


def test_only_the_subtree_is_carved_again(carving: gtm.Carving) -> None:
    node = carving.hierarchy.children(carving.hierarchy.root)[1]
    again = gtm.recarve_subtree(carving, node, seed=5)
    inside = carving.labels.isin(carving.hierarchy.leaves_below(node))
    assert (again.labels[~inside] == carving.labels[~inside]).all()
    assert set(again.labels[inside]) <= set(carving.hierarchy.leaves_below(node))
    assert again.check.violations["rule"].str.startswith("band of ").all()


def test_a_frozen_subtree_keeps_exactly_its_accounts(carving: gtm.Carving) -> None:
    frozen = carving.hierarchy.children(carving.hierarchy.root)[0]
    again = gtm.recarve_subtree(carving, frozen=[frozen], from_here=False)
    held = set(carving.hierarchy.leaves_below(frozen))
    before, after = carving.labels.isin(held), again.labels.isin(held)
    assert (before == after).all()
    assert (again.labels[before] == carving.labels[before]).all()


def test_nodes_add_up_after_a_part_was_carved_again(carving: gtm.Carving) -> None:
    again = gtm.recarve_subtree(carving, from_here=False, seed=3)
    tree = again.hierarchy
    for solution in again.solutions.values():
        for position, child in enumerate(tree.children(solution.node)):
            mine = set(solution.units[solution.assignment == position])
            below = again.solutions.get(child)
            if below is not None:
                assert mine == set(below.units)


def test_unknown_nodes_and_too_few_leaves_are_refused(carving: gtm.Carving) -> None:
    with pytest.raises(gtm.DataError, match="'T99'"):
        gtm.recarve_subtree(carving, "T99")
    with pytest.raises(gtm.DataError, match="at least two territories to carve, got 1 below 'T03'"):
        gtm.recarve_subtree(carving, "T03")


def test_two_trees_are_compared_measure_by_measure(carving: gtm.Carving) -> None:
    flat = gtm.carve(carving.problem, hierarchy="flat", effort=0.1)
    table = gtm.compare_trees(carving, flat).set_index("measure")
    assert table.loc["levels", "before"] == carving.hierarchy.depth
    assert table.loc["levels", "after"] == 1
    assert table.loc["preference score", "after"] == pytest.approx(flat.check.score)


def test_level_tables_roll_up(carving: gtm.Carving) -> None:
    total = carving.problem.accounts["arr"].sum()
    for depth in range(carving.hierarchy.depth + 1):
        table = carving.level_table(depth).query("criterion == 'arr'")
        assert table["total"].sum() == pytest.approx(total)
        assert table["accounts"].sum() == 240


def test_the_graph_carries_totals(carving: gtm.Carving) -> None:
    graph = carving.to_networkx()
    assert graph.nodes[carving.hierarchy.root]["accounts"] == 240
    assert graph.nodes["T01"]["accounts"] == (carving.labels == "T01").sum()


def test_a_tree_with_a_flat_bound_says_what_steps_cost_at_most() -> None:
    tree = gtm.Hierarchy.split([f"T{k:02d}" for k in range(1, 13)])
    plan = gtm.carve(tree_problem(), hierarchy=tree, effort=0.2, tree=gtm.TreeOptions(flat_bound=True))
    assert plan.certificate.source == "prices"
    assert plan.certificate.gap < 0.5
    assert any("tree decomposition and whole accounts" in note for note in plan.notes)


def test_a_part_is_carved_with_the_tolerance_budget_and_levels_of_the_whole(tmp_path: Path) -> None:
    tree = gtm.Hierarchy.split([f"T{k:02d}" for k in range(1, 13)], max_buckets=3)
    levels = {"level 1": gtm.Level(tolerance=0.5), "level 2": gtm.Level(tolerance=0.1, prefer=["near"])}
    problem = tree_problem(balance=[gtm.Count(0.3)])
    made = gtm.carve(problem, hierarchy=tree, effort=0.1, tree=gtm.TreeOptions(tolerance_budget=0.9, levels=levels))
    assert (made.settings.tolerance_budget, dict(made.settings.levels)) == (0.9, levels)
    gtm.Plan(made).save(tmp_path / "plan")
    loaded = gtm.Plan.load(tmp_path / "plan").carving
    assert loaded.settings == made.settings
    top = tree.children(tree.root)[0]
    for carving in (made, loaded):
        again = gtm.recarve_subtree(carving, top, from_here=False, seed=4)
        task = _settings(carving, tree.subtree(top), carving.options.tree, True)
        assert (task.tolerance_budget, list(task.levels)) == (0.9, ["level 2"])
        assert again.settings == made.settings
    assert gtm.recarve_subtree(made, tree=gtm.TreeOptions(tolerance_budget=0.4)).settings.tolerance_budget == 0.4
    with pytest.raises(gtm.DataError, match="`tolerance_budget` must be a fraction"):
        gtm.recarve_subtree(made, tree=gtm.TreeOptions(tolerance_budget=2.0))


def test_a_loaded_plan_explains_as_the_saved_one_did(carving: gtm.Carving, tmp_path: Path) -> None:
    gtm.Plan(carving).save(tmp_path / "plan")
    loaded = gtm.Plan.load(tmp_path / "plan").carving
    pd.testing.assert_frame_equal(loaded.explain("A-0007").options, carving.explain("A-0007").options)
