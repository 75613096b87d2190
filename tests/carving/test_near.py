"""Near without centers: centers and assignment are one problem, and the certificate says what it proves."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gtm_opt as gtm
from gtm_opt.carving.centers.location import locate
from gtm_opt.carving.centers.scope import THESE_CENTERS, plan_key
from gtm_opt.carving.compile.compiled import compile_problem
from gtm_opt.model import Hierarchy
from gtm_opt.solvers import Run


def points(n: int, seed: int, **columns: Any) -> pd.DataFrame:
    at = np.random.default_rng(seed).random((n, 2)) * 100
    return pd.DataFrame({"account_id": [f"A{i:03d}" for i in range(n)], "x": at[:, 0], "y": at[:, 1], **columns})


def near(**words: Any) -> gtm.Near:
    return gtm.Near("x", "y", metric="euclidean", **words)


def metros(owners: str = "abc") -> pd.DataFrame:
    """Return three dense places of twelve accounts, each owned by one seller."""
    rng = np.random.default_rng(4)
    at = np.concatenate([np.array(c) + rng.normal(0, 1, (12, 2)) for c in ((0, 0), (50, 0), (20, 60))])
    owner = np.repeat(list(owners), 12)
    ids = [f"A{i:02d}" for i in range(36)]
    return pd.DataFrame({"account_id": ids, "x": at[:, 0], "y": at[:, 1], "owner": owner, "arr": rng.random(36) + 1})


def best_by_enumeration(problem: gtm.CarvingProblem) -> float:
    ids, names = list(problem.resolved.ids), problem.territories.names
    best = np.inf
    for plan in itertools.product(names, repeat=len(ids)):
        found = gtm.check(problem, dict(zip(ids, plan, strict=True)))
        if found.ok:
            best = min(best, found.score)
    return best


@pytest.mark.parametrize("order", list(itertools.permutations("abc")))
def test_a_plan_in_force_that_is_nearest_and_even_moves_nobody_whatever_the_order_of_names(order: tuple[str]) -> None:
    problem = gtm.CarvingProblem(
        metros(), list(order), [gtm.Count(0.05)], [gtm.KeepOwner("owner", value="arr"), near()]
    )
    carving = gtm.carve(problem)
    assert not carving.assignment["moved"].any()


def test_a_certificate_for_chosen_centers_never_reads_proven_best() -> None:
    problem = gtm.CarvingProblem(metros(), ["a", "b", "c"], [gtm.Count(0.05)], [near()])
    carving = gtm.carve(problem)
    assert carving.status is gtm.SolveStatus.FEASIBLE
    assert carving.certificate.bound_scope == THESE_CENTERS
    assert "proven best for these centers" in str(carving) and "optimal" not in str(carving)
    assert set(carving.nodes["bound_scope"]) == {THESE_CENTERS}
    assert carving.termination.value == "finished"


def test_given_centers_are_proven_for_all_plans() -> None:
    centers = {"a": (0.0, 0.0), "b": (50.0, 0.0), "c": (20.0, 60.0)}
    carving = gtm.carve(gtm.CarvingProblem(metros(), list("abc"), [gtm.Count(0.05)], [near(centers=centers)]))
    assert carving.certificate.bound_scope == "all plans"
    assert carving.status is gtm.SolveStatus.OPTIMAL


def test_the_value_of_a_certificate_is_the_checker_s_score() -> None:
    for squared in (False, True):
        problem = gtm.CarvingProblem(points(120, 1), 5, [gtm.Count(0.1)], [near(squared=squared)])
        carving = gtm.carve(problem)
        assert carving.certificate.value == pytest.approx(carving.check.score * 120, rel=1e-9)
        assert carving.certificate.bound <= carving.certificate.value * (1 + 1e-9)


@pytest.mark.parametrize("caps", [{"T1": 4, "T2": 2}, {"T1": 2, "T2": 4}])
def test_limits_decide_which_cluster_goes_to_which_territory(caps: dict[str, int]) -> None:
    accounts = pd.DataFrame({"account_id": list("pqabcd"), "x": [0, 1, 100, 101, 102, 103.0], "y": 0.0})
    problem = gtm.CarvingProblem(accounts, ["T1", "T2"], [gtm.Limit("accounts", at_most=caps)], [near()])
    compiled = compile_problem(problem)
    plan = locate(compiled, _flat(problem), Run(), 0, 1.0, None)
    assert plan is not None
    assert plan_key(compiled, plan)[-1] == pytest.approx(best_by_enumeration(problem) * 6)


def test_pins_say_where_a_territory_is() -> None:
    accounts = metros()
    pins = gtm.Pin({"A00": "c", "A12": "a", "A24": "b"})
    carving = gtm.carve(gtm.CarvingProblem(accounts, list("abc"), [gtm.Count(0.05)], [near()], [pins]))
    got = carving.labels.groupby(accounts["owner"].to_numpy()).agg(lambda s: "".join(sorted(set(s))))
    assert dict(got) == {"a": "c", "b": "a", "c": "b"}


def test_unequal_shares_fit_clusters_of_unequal_size() -> None:
    rng = np.random.default_rng(0)
    at = np.concatenate([rng.normal(0, 1, (10, 2)), rng.normal(0, 1, (30, 2)) + 80])
    accounts = pd.DataFrame({"account_id": [f"A{i}" for i in range(40)], "x": at[:, 0], "y": at[:, 1]})
    for shares in ((0.25, 0.75), (0.75, 0.25)):
        territories = gtm.Territories(("T1", "T2"), shares=shares)
        carving = gtm.carve(gtm.CarvingProblem(accounts, territories, [gtm.Count(0.0)], [near()]))
        small = ("T1", "T2")[int(np.argmin(shares))]
        assert set(carving.labels[:10]) == {small}


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10_000), squared=st.booleans(), keep=st.booleans(), k=st.integers(2, 3))
def test_the_small_are_proven_over_all_centers(seed: int, squared: bool, keep: bool, k: int) -> None:
    n = 7 if k == 2 else 5
    rng = np.random.default_rng(seed)
    names = ["T1", "T2", "T3"][:k]
    accounts = points(n, seed, owner=rng.choice(names, n), arr=rng.integers(1, 4, n).astype(float))
    prefer = [near(squared=squared, value="arr")] + ([gtm.KeepOwner("owner", weight=0.3)] if keep else [])
    rules = [gtm.MaxMoved(0.6, owner="owner")] if keep else []
    problem = gtm.CarvingProblem(accounts, names, [gtm.Balance("arr", 0.5)], prefer, rules)
    best = best_by_enumeration(problem)
    try:
        carving = gtm.carve(problem)
    except gtm.InfeasibleError:
        assert np.isinf(best)
        return
    assert carving.status is gtm.SolveStatus.OPTIMAL and carving.certificate.bound_scope == "all plans"
    assert carving.check.score == pytest.approx(best, rel=1e-7)
    assert carving.certificate.bound == pytest.approx(best * n, rel=1e-6)


def _flat(problem: gtm.CarvingProblem) -> Hierarchy:
    return Hierarchy.split(problem.territories.names, root="all", max_buckets=100)


def test_alternation_finds_what_enumeration_finds_in_nearly_all_small_problems() -> None:
    worse = []
    for seed in range(8):
        problem = gtm.CarvingProblem(points(9, seed), 2, [gtm.Count(0.12)], [near(squared=True)])
        compiled = compile_problem(problem)
        plan = locate(compiled, _flat(problem), Run(), 0, 1.0, None)
        assert plan is not None
        value = plan_key(compiled, plan)[-1] / 9
        best = gtm.carve(problem).check.score
        assert value >= best * (1 - 1e-9)
        worse.append(value > best * (1 + 1e-6))
    assert sum(worse) <= 1


@pytest.mark.parametrize("seed", range(3))
def test_a_plan_to_begin_from_is_never_made_worse(seed: int) -> None:
    accounts = points(60, seed)
    problem = gtm.CarvingProblem(accounts, 4, [gtm.Count(0.1)], [near()])
    good = gtm.carve(problem, seed=seed)
    again = gtm.carve(problem, seed=seed + 50, start=good.labels, effort=0.2)
    assert again.check.ok and again.check.score <= good.check.score * (1 + 1e-9)


def test_a_present_plan_that_is_in_band_is_never_made_worse() -> None:
    accounts = points(60, 5)
    first = gtm.carve(gtm.CarvingProblem(accounts, 4, [gtm.Count(0.1)], [near()]), effort=4)
    accounts["owner"] = first.labels.to_numpy()
    problem = gtm.CarvingProblem(accounts, first.problem.territories, [gtm.Count(0.1)], [near()], previous="owner")
    carving = gtm.carve(problem, effort=0.1, seed=9)
    assert carving.check.score <= first.check.score * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_neither_row_order_nor_names_change_the_clusters(seed: int) -> None:
    accounts = points(50, seed)
    balance, prefer = [gtm.Count(0.1)], [near(squared=True)]
    plain = gtm.carve(gtm.CarvingProblem(accounts, ["T1", "T2", "T3"], balance, prefer))
    turned = accounts.sample(frac=1.0, random_state=seed)
    other = gtm.carve(gtm.CarvingProblem(turned, ["Z", "B", "K"], balance, prefer))
    assert _clusters(plain) == _clusters(other)


def _clusters(carving: gtm.Carving) -> set[frozenset[str]]:
    return {frozenset(part.index) for _, part in carving.labels.groupby(carving.labels)}


def test_down_a_tree_the_value_is_the_checker_s_and_the_scope_is_said() -> None:
    accounts = points(260, 2)
    problem = gtm.CarvingProblem(accounts, 13, [gtm.Count(0.15)], [near(squared=True)])
    carving = gtm.carve(problem, effort=0.3)
    assert len(carving.solutions) > 1
    assert carving.certificate.value == pytest.approx(carving.check.score * 260, rel=1e-9)
    assert carving.certificate.bound_scope == THESE_CENTERS
    assert carving.status is not gtm.SolveStatus.OPTIMAL


def test_a_part_carved_again_proves_nothing_about_other_centers() -> None:
    carving = gtm.carve(gtm.CarvingProblem(metros(), list("abc"), [gtm.Count(0.05)], [near()]))
    again = gtm.recarve_subtree(carving)
    assert again.certificate.bound_scope == THESE_CENTERS
    assert again.status is gtm.SolveStatus.FEASIBLE and "optimal" not in str(again)


def test_a_frontier_over_distance_gives_no_bound_that_holds_for_chosen_centers_only() -> None:
    problem = gtm.CarvingProblem(metros(), list("abc"), [gtm.Count(0.05)], [near()])
    assert (gtm.frontier(problem, over="near", points=2).table["bound"] == -np.inf).all()


def test_distance_without_any_band_is_carved_without_a_warning() -> None:
    carving = gtm.carve(gtm.CarvingProblem(metros(), list("abc"), [], [near()]))
    assert carving.check.ok
    assert {frozenset(part) for _, part in metros().groupby("owner")["account_id"]} == _clusters(carving)
