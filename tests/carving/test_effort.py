"""More effort is never worse, and a plan to begin from is never made worse, flat and down a tree."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtm_opt as gtm
from gtm_opt.carving.tree.levels import NodeOptions
from gtm_opt.carving.tree.nested import NESTED_CELLS, nested_efforts
from gtm_opt.measures import evaluate, rank


def make_problem(count: int, k: int, seed: int, tolerance: float) -> gtm.CarvingProblem:
    rng = np.random.default_rng(seed)
    names = [f"T{t:02d}" for t in range(k)]
    accounts = pd.DataFrame(
        {
            "account_id": [f"A{i:03d}" for i in range(count)],
            "arr": rng.lognormal(3, 1, count).round(2),
            "leads": rng.integers(0, 9, count).astype(float),
            "owner": rng.choice(names, count),
        }
    )
    balance = [gtm.Balance("arr", tolerance), gtm.Balance("leads", tolerance, priority=2), gtm.Count(0.2)]
    return gtm.CarvingProblem(accounts, names, balance, [gtm.KeepOwner(value="arr")])


def key(plan: gtm.Carving) -> tuple[float, ...]:
    instance = plan.compiled.instance
    return rank(instance, evaluate(instance, plan.unit_leaf))


def judge(problem: gtm.CarvingProblem, efforts: tuple[float, ...], **options: object) -> None:
    plans = [gtm.carve(problem, effort=e, on_infeasible="nearest", **options) for e in efforts]  # type: ignore[arg-type]
    for less, more in itertools.pairwise(plans):
        assert key(more) <= key(less)


@settings(max_examples=4)
@given(st.integers(0, 10**6), st.sampled_from([0.05, 0.2]))
def test_more_effort_is_never_worse(seed: int, tolerance: float) -> None:
    judge(make_problem(24, 3, seed, tolerance), (0.1, 0.3))


@pytest.mark.parametrize("hierarchy", [None, "tree"])
def test_more_effort_is_never_worse_for_larger_problems(hierarchy: str | None) -> None:
    problem = make_problem(180, 12, 3, 0.3)
    tree = gtm.Hierarchy.split(problem.territories.names, max_buckets=4)
    judge(problem, (0.1, 0.2), hierarchy=tree if hierarchy == "tree" else hierarchy)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_more_effort_is_never_worse_from_rung_to_rung(seed: int) -> None:
    judge(make_problem(60, 5, seed, 0.02 if seed % 2 else 0.1), (0.1, 1.0))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_more_effort_is_never_worse_up_to_ten_times_the_default(seed: int) -> None:
    problem = make_problem(150 + 20 * seed, 6 + seed, seed, 0.05)
    tree = gtm.Hierarchy.split(problem.territories.names, max_buckets=3)
    judge(problem, (0.1, 1.0, 3.0), hierarchy=tree if seed % 2 else None)


@pytest.mark.parametrize("seed", range(1))
def test_a_tree_never_ends_worse_than_the_plan_it_began_from(seed: int) -> None:
    problem = make_problem(220, 12, seed, 0.3)
    good = gtm.carve(problem, hierarchy="flat", effort=0.1, on_infeasible="nearest")
    tree = gtm.Hierarchy.split(problem.territories.names, max_buckets=3)
    again = gtm.carve(problem, hierarchy=tree, effort=0.05, start=good.labels, on_infeasible="nearest")
    assert key(again)[:-1] <= key(good)[:-1]
    assert again.certificate.value <= good.certificate.value + 1e-9


def test_a_tree_that_was_not_asked_for_costs_no_quality() -> None:
    problem = make_problem(200, 12, 1, 0.3)
    by_default = gtm.carve(problem, effort=0.1)
    tree = gtm.Hierarchy.split(problem.territories.names)
    assert by_default.hierarchy.depth == 2
    assert by_default.certificate.value <= gtm.carve(problem, hierarchy=tree, effort=0.1).certificate.value
    nodes = {s.node: len(s.units) for s in by_default.solutions.values()}
    assert nodes[by_default.hierarchy.root] == 200
    assert sum(nodes[n] for n in by_default.hierarchy.children(by_default.hierarchy.root)) == 200


def test_efforts_nest_by_decades_and_only_where_that_is_cheap() -> None:
    assert nested_efforts(NodeOptions("auto", 0, 0.05), 100) == (0.05,)
    assert nested_efforts(NodeOptions("auto", 0, 1.0), 100) == (0.1, 1.0)
    assert nested_efforts(NodeOptions("auto", 0, np.inf), 100) == (0.1, np.inf)
    assert nested_efforts(NodeOptions("auto", 0, 1.0), NESTED_CELLS + 1) == (1.0,)
    assert nested_efforts(NodeOptions("annealing", 0, 1.0), 100) == (1.0,)
