"""One object says how to carve: it is checked as a whole, passed on whole, and kept on the result."""

from __future__ import annotations

import inspect

import pytest

import gtm_opt as gtm
from gtm_opt.errors import DataError, RenamedWarning
from gtm_opt.plan import Plan
from tests.carving.tree_problems import tree_problem


def test_everything_out_of_range_is_reported_at_once() -> None:
    with pytest.raises(DataError, match=r"(?s)5 things.*`seed`.*`time_limit`.*`effort`.*`max_gap`.*`on_infeasible`"):
        gtm.CarveOptions(seed=-1, time_limit=0, effort=-1, max_gap=-0.1, on_infeasible="guess")  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"(?s)2 things.*`max_buckets`.*got 1.*`tolerance_budget`.*got 2.0"):
        gtm.TreeOptions(max_buckets=1, tolerance_budget=2.0)


def test_keywords_take_the_place_of_fields_and_unknown_ones_are_named() -> None:
    options = gtm.CarveOptions(effort=0.1, seed=3)
    assert gtm.CarveOptions.of(options, {"seed": 4}) == gtm.CarveOptions(effort=0.1, seed=4)
    with pytest.raises(TypeError, match=r"'efort' is no option of a carve\. Did you mean 'effort'"):
        gtm.carve(tree_problem(40, 4), efort=0.1)
    with pytest.raises(TypeError, match="takes CarveOptions, got dict"):
        gtm.carve(tree_problem(40, 4), options={"effort": 0.1})


@pytest.mark.parametrize("door", [gtm.carve, gtm.recarve, gtm.recarve_subtree, gtm.frontier, gtm.build_plan])
def test_no_function_that_carves_takes_untyped_keywords(door) -> None:
    signature = inspect.signature(door)
    assert "options" in signature.parameters
    rest = [p for p in signature.parameters.values() if p.kind is p.VAR_KEYWORD]
    assert all("Unpack[" in str(p.annotation) for p in rest)


def test_the_keywords_of_the_last_release_give_the_same_plan_with_a_warning() -> None:
    problem = tree_problem(60, 6)
    now = gtm.carve(problem, effort=0.1, tree=gtm.TreeOptions(max_buckets=3, tolerance_budget=0.8))
    with pytest.warns(RenamedWarning, match=r"tree=TreeOptions\((max_buckets|tolerance_budget)=") as seen:
        before = gtm.carve(problem, effort=0.1, max_buckets=3, tolerance_budget=0.8)
    assert len(seen) == 2
    assert {w.filename for w in seen} == {__file__}
    assert before.labels.equals(now.labels)
    assert before.options == now.options


def test_a_level_made_by_hand_is_understood_under_its_former_name() -> None:
    problem = tree_problem(60, 4)
    tree = gtm.Hierarchy.split(problem.territories.names, max_buckets=2)
    node = tree.children(tree.root)[0]
    by_hand = {account: node for account in problem.resolved.ids[:10]}
    with pytest.warns(RenamedWarning, match=r"carve\(given=\.\.\.\) is now called carve\(fixed_nodes=\.\.\.\)"):
        before = gtm.carve(problem, hierarchy=tree, given=by_hand, effort=0.1, on_infeasible="nearest")
    now = gtm.carve(problem, hierarchy=tree, fixed_nodes=by_hand, effort=0.1, on_infeasible="nearest")
    assert before.labels.equals(now.labels)


def test_the_result_keeps_the_options_and_a_saved_plan_returns_them(tmp_path) -> None:
    tree = gtm.TreeOptions(max_buckets=3, tolerance_budget=0.9)
    options = gtm.CarveOptions(effort=0.1, seed=5, max_gap=0.5, time_limit=60, tree=tree)
    plan = gtm.build_plan(tree_problem(60, 6), options=options.replace(progress=lambda _: True))
    assert plan.carving.options == options
    assert plan.carving.options.progress is None
    plan.save(tmp_path / "plan")
    assert Plan.load(tmp_path / "plan").carving.options == options


def test_carving_a_part_again_uses_the_options_of_the_whole() -> None:
    made = gtm.carve(tree_problem(60, 6), effort=0.1, seed=5, max_gap=0.25, tree=gtm.TreeOptions(max_buckets=3))
    again = gtm.recarve_subtree(made, effort=0.2)
    assert again.options == made.options.replace(effort=0.2)


def test_the_mapping_of_the_last_release_is_understood_by_build_plan() -> None:
    with pytest.warns(RenamedWarning, match=r"build_plan\(carve_options=\.\.\.\)"):
        plan = gtm.build_plan(tree_problem(40, 4), carve_options={"effort": 0.1, "seed": 2})
    assert plan.carving.options == gtm.CarveOptions(effort=0.1, seed=2)
