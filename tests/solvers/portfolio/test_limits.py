"""As even as possible within limits: quick, kept, and proven where the bound is reached."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtm_opt as gtm


def carve(accounts: pd.DataFrame, names: list[str], balance: list, **options) -> gtm.Carving:
    return gtm.carve(gtm.CarvingProblem(accounts, names, balance), seed=0, **options)


def test_hours_within_a_limit_and_counts_as_even_as_whole_accounts_allow() -> None:
    hours = [5] * 2 + [3] * 3 + [1] * 6  # 25 hours of 11 accounts over three people
    accounts = pd.DataFrame({"account_id": [f"A{n:02d}" for n in range(11)], "hours": hours})
    for limit in (30, None):
        plan = carve(accounts, list("abc"), [gtm.Limit("hours", at_most=9), gtm.Count(0.05)], time_limit=limit)
        by_name = plan.assignment.merge(accounts, on="account_id").groupby("territory")["hours"].agg(["sum", "size"])
        assert plan.status is gtm.SolveStatus.OPTIMAL
        assert by_name["sum"].max() <= 9
        assert sorted(by_name["size"]) == [3, 4, 4]


def test_a_limit_without_any_slack_and_even_counts_are_met_together() -> None:
    hours = [40] * 60 + [20] * 140 + [10] * 300  # 8,200 hours for ten people of 820
    accounts = pd.DataFrame({"account_id": [f"A{n:04d}" for n in range(len(hours))], "hours": hours})
    names = [f"T{n}" for n in range(10)]
    plan = carve(accounts, names, [gtm.Limit("hours", at_most=820), gtm.Count(0.05, priority=2)], effort=0.2)
    total = plan.assignment.merge(accounts, on="account_id").groupby("territory")["hours"].agg(["sum", "size"])
    assert total["sum"].tolist() == [820] * 10
    assert total["size"].tolist() == [50] * 10
    assert plan.status is gtm.SolveStatus.OPTIMAL


@settings(max_examples=15)
@given(st.data())
def test_small_problems_with_limits_are_solved_exactly(data) -> None:
    count, k = data.draw(st.integers(3, 7)), data.draw(st.integers(2, 3))
    hours = [data.draw(st.integers(1, 9)) for _ in range(count)]
    worth = [data.draw(st.integers(1, 20)) for _ in range(count)]
    accounts = pd.DataFrame({"account_id": [f"A{n}" for n in range(count)], "hours": hours, "arr": worth})
    most = data.draw(st.integers(max(max(hours), sum(hours) // k), sum(hours)))
    names = [f"T{n}" for n in range(k)]

    def worst(plan: tuple[int, ...]) -> float:
        load = np.bincount(plan, weights=hours, minlength=k)
        value = np.bincount(plan, weights=worth, minlength=k)
        return np.inf if load.max() > most else float(np.abs(value - sum(worth) / k).max())

    best = min(worst(plan) for plan in itertools.product(range(k), repeat=count))
    balance = [gtm.Limit("hours", at_most=most), gtm.Balance("arr", tolerance=1.0)]
    problem = gtm.CarvingProblem(accounts, names, balance)
    if np.isinf(best):
        with pytest.raises(gtm.InfeasibleError):
            gtm.carve(problem, seed=0, effort=0.1)
        return
    plan = gtm.carve(problem, seed=0, effort=0.1)
    place = [
        names.index(t) for t in plan.assignment.set_index("account_id")["territory"].reindex(accounts["account_id"])
    ]
    assert worst(tuple(place)) == pytest.approx(best)


@settings(max_examples=8)
@given(st.data())
def test_no_plan_is_worse_than_its_start_when_priorities_differ(data) -> None:
    count = data.draw(st.integers(4, 8))
    accounts = pd.DataFrame(
        {
            "account_id": [f"A{n}" for n in range(count)],
            "x": [data.draw(st.integers(1, 9)) for _ in range(count)],
            "y": [data.draw(st.integers(1, 9)) for _ in range(count)],
            "owner": [data.draw(st.sampled_from(["a", "b"])) for _ in range(count)],
        }
    )
    balance = [gtm.Balance("x", tolerance=0.01, priority=1), gtm.Balance("y", tolerance=0.01, priority=2)]
    problem = gtm.CarvingProblem(accounts, ["a", "b"], balance, prefer=[gtm.KeepOwner()])
    from gtm_opt.carving.compile.compiled import compile_problem
    from gtm_opt.measures import evaluate, rank
    from gtm_opt.solvers import get_solver
    from gtm_opt.solvers.protocol import Run

    instance = compile_problem(problem, problem.territories.names).instance
    start = np.array([data.draw(st.integers(0, 1)) for _ in range(instance.n_units)])
    for name in ("annealing", "greedy_lookahead", "lagrangian", "local_search", "transport", "auto"):
        found = get_solver(name)(instance, run=Run(20.0), seed=0, effort=0.05, start=start).assignment
        assert found is not None
        assert rank(instance, evaluate(instance, found)) <= rank(instance, evaluate(instance, start)), name
