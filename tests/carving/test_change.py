"""Carving again: caps, holds, new territories, weekly refreshes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import gtm_opt as gtm


def make_problem(n: int = 300, k: int = 4, seed: int = 0) -> gtm.CarvingProblem:
    rng = np.random.default_rng(seed)
    accounts = pd.DataFrame(
        {
            "account_id": [f"A{i:04d}" for i in range(n)],
            "arr": rng.lognormal(10, 1.0, n).round(2),
            "leads": rng.poisson(3, n),
            "owner": [f"T{t + 1}" for t in rng.integers(k, size=n)],
        }
    )
    balance = [gtm.Balance("arr", 0.05), gtm.Balance("leads", 0.05), gtm.Count(0.05)]
    return gtm.CarvingProblem(accounts, gtm.Territories.equal(k), balance, [gtm.KeepOwner(value="arr")])


def test_a_cap_of_zero_returns_the_old_plan() -> None:
    problem = make_problem()
    plan = gtm.carve(problem)
    again = gtm.recarve(plan, problem, max_moved=0.0)
    assert (again.labels == plan.labels).all()


def test_a_cap_is_kept_in_the_unit_it_is_given() -> None:
    problem = make_problem()
    old = pd.Series([f"T{1 + i % 4}" for i in range(300)], index=problem.resolved.ids)
    again = gtm.recarve(old, problem, value="arr", max_moved=0.1)
    arr = problem.accounts["arr"]
    assert arr[again.labels != old].sum() <= 0.1 * arr.sum() * (1 + 1e-9)


def test_without_changes_in_the_data_nothing_moves() -> None:
    problem = make_problem()
    plan = gtm.carve(problem)
    again = gtm.recarve(plan, problem, weight=100.0)
    assert len(gtm.changes(plan, again)) == 0


def test_a_new_territory_takes_little_more_than_its_share() -> None:
    problem = make_problem(k=4)
    plan = gtm.carve(problem)
    five = problem.replace(territories=gtm.Territories.equal(5), prefer=())
    again = gtm.recarve(plan, five)
    assert again.check.ok
    moved = gtm.changes(plan, again)
    assert len(moved) <= 0.2 * problem.n_accounts * 1.15  # a fifth goes to the newcomer, and a few more even it out
    assert (moved["after"] == "T5").mean() > 0.8


def test_accounts_of_a_territory_that_is_gone_are_spread_and_few_others_move() -> None:
    problem = make_problem(k=4)
    plan = gtm.carve(problem)
    three = problem.replace(territories=gtm.Territories.equal(3), prefer=())
    again = gtm.recarve(plan, three)
    assert again.check.ok
    stayed = plan.labels[plan.labels != "T4"]
    assert (again.labels[stayed.index] != stayed).mean() < 0.05


def test_held_territories_stay_exactly_as_they_are() -> None:
    problem = make_problem()
    old = pd.Series([f"T{1 + i % 4}" for i in range(300)], index=problem.resolved.ids)
    again = gtm.recarve(old, problem.replace(balance=[gtm.Count(0.2)]), hold=["T2"])
    assert set(again.labels.index[again.labels == "T2"]) == set(old.index[old == "T2"])


def test_holding_an_unknown_territory_is_refused() -> None:
    problem = make_problem()
    with pytest.raises(gtm.DataError, match=r"`hold` must name territories of the problem, got 'T9'"):
        gtm.recarve(gtm.carve(problem), problem, hold=["T9"])


def test_changes_name_new_and_gone_accounts() -> None:
    table = gtm.changes({"a": "x", "b": "y", "c": "x"}, {"a": "x", "b": "x", "d": "y"})
    assert dict(zip(table["account_id"], table["change"], strict=True)) == {"b": "moved", "c": "gone", "d": "new"}


@pytest.mark.slow
def test_twelve_weekly_refreshes_move_few_accounts_and_stay_as_even_as_a_fresh_carve() -> None:
    """2 % of the accounts change every week: the plan in force follows with few owner changes."""
    problem = make_problem(n=1_000, k=8, seed=3)
    rng = np.random.default_rng(1)
    plan = gtm.carve(problem.replace(prefer=()))
    accounts = problem.accounts.drop(columns="owner")
    moved = []
    for week in range(12):
        accounts = accounts.copy()
        changed = rng.choice(len(accounts), 20, replace=False)
        accounts.iloc[changed, accounts.columns.get_loc("arr")] = rng.lognormal(10, 1.0, 20).round(2)
        fresh = gtm.CarvingProblem(accounts, problem.territories, problem.balance, rules=())
        again = gtm.recarve(plan, fresh)
        assert again.check.ok, f"week {week}"
        moved.append(len(gtm.changes(plan, again)) / len(accounts))
        plan = again
    assert max(moved) <= 0.04  # never more than twice what changed
    assert float(np.mean(moved)) <= 0.02
