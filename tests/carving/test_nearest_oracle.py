"""Small requests beside every plan there is: what is kept, what is relaxed, what is called forced and proven."""

from __future__ import annotations

import numpy as np
import pytest

import gtm_opt as gtm
from gtm_opt.carving.compile.compiled import account_labels, compile_problem
from gtm_opt.solvers import Run
from gtm_opt.solvers.exact.lexicographic import find_nearest
from tests.carving.small_problems import enumerate_plans, random_problem

TINY = 1e-6


def judge(seed: int, **options: object) -> None:
    """Carve one random problem and compare it with all plans."""
    problem = random_problem(seed)
    if problem is None:
        return
    every = enumerate_plans(problem)
    names = list(problem.territories.names)
    kept = every.rules & (sum(every.tiers) <= 0)
    try:
        carving = gtm.carve(problem, on_infeasible="nearest", effort=0.1, **options)
    except gtm.InfeasibleError:
        assert not every.rules.any()
        return
    row = every.row(carving.labels, names)
    certificate = carving.certificate
    if not every.rules.any():
        assert carving.status == "infeasible"
        return
    assert every.rules[row], "a rule was relaxed that could be kept"
    best = every.nearest()
    mine = [*(float(tier[row]) for tier in every.tiers), float(every.value[row])]
    assert mine[:-1] == pytest.approx(best[:-1], abs=TINY)
    if carving.status == "optimal" or not kept.any():
        assert mine[-1] == pytest.approx(best[-1], abs=TINY)
    assert certificate.value / problem.n_accounts == pytest.approx(mine[-1], abs=TINY)
    assert certificate.bound <= certificate.value + TINY
    if kept.any():
        assert carving.status in ("optimal", "feasible", "within_gap")
        assert certificate.bound / problem.n_accounts <= best[-1] + TINY
    else:
        assert carving.status == "infeasible"
        assert certificate.nearest
    for criterion, place, forced in carving.outside[["criterion", "territory", "forced"]].itertuples(index=False):
        keepable = (every.excess[criterion][every.rules, names.index(place)] <= 0).any()
        assert forced == (not keepable), "forced means that no plan which keeps the rules holds this band"


def judge_model(seed: int) -> None:
    """Ask the exact models alone, and compare them with all plans."""
    problem = random_problem(seed)
    if problem is None:
        return
    every = enumerate_plans(problem)
    compiled = compile_problem(problem)
    found = find_nearest(compiled.instance, Run())
    assert found.proven
    if not every.rules.any():
        assert found.infeasible
        return
    best = every.nearest()
    values = [stage.value for stage in found.stages if stage.name != "rules"]
    values[-1] /= problem.n_accounts
    assert values == pytest.approx(best, abs=TINY)
    assert found.infeasible == (sum(best[:-1]) > 0)
    row = every.row(account_labels(compiled, found.assignment), list(problem.territories.names))
    assert every.rules[row]


@pytest.mark.parametrize("block", range(5))
def test_exact_models_find_the_nearest_of_all_plans(block: int) -> None:
    for seed in range(2000 + 50 * block, 2000 + 50 * (block + 1)):
        judge_model(seed)


@pytest.mark.parametrize("block", range(2))
def test_the_nearest_plan_is_the_nearest_there_is_and_says_so(block: int) -> None:
    for seed in range(15 * block, 15 * (block + 1)):
        judge(seed)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(6))
def test_hundreds_of_nearest_plans_are_the_nearest_there_are(block: int) -> None:
    for seed in range(10_000 + 60 * block, 10_000 + 60 * (block + 1)):
        judge_model(seed)
        if seed % 4 == 0:
            judge(seed)


def test_in_a_tree_too_the_nearest_plan_of_a_small_problem_is_the_nearest() -> None:
    for seed in range(400, 408):
        judge(seed, tree=gtm.TreeOptions(max_buckets=2))


def test_a_small_impossible_request_is_refused_and_a_possible_one_is_not() -> None:
    for seed in range(200, 216):
        problem = random_problem(seed)
        if problem is None:
            continue
        every = enumerate_plans(problem)
        possible = bool((every.rules & (sum(every.tiers) <= 0)).any())
        try:
            carving = gtm.carve(problem, effort=0.1)
        except gtm.InfeasibleError as error:
            assert not possible, error
            assert all(len(reason) > 30 for reason in error.reasons)
            continue
        assert possible
        assert carving.check.ok or any(getattr(b, "penalty", None) for b in problem.balance)
        value = float(every.value[every.row(carving.labels, list(problem.territories.names))])
        assert carving.certificate.value / problem.n_accounts == pytest.approx(value, abs=TINY)


def test_plans_are_enumerated_in_full() -> None:
    problem = next(p for p in map(random_problem, range(50)) if p is not None)
    every = enumerate_plans(problem)
    assert len(every.plans) == problem.territories.count**problem.n_accounts
    assert np.isfinite(every.value).all()
