"""What must not change the answer, and what must not improve it.

What is guaranteed: the *measured* objective of a given plan does not depend on the order of rows, the names and the
order of territories, or the unit of an activity. Accounts and territories are sorted by name before anything is
decided: the plan does not depend on the order of rows, and names that sort alike rename the plan. The exact solver
reaches the same optimum whatever the order.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtm_opt as gtm
from gtm_opt.solvers import solver_names

SEEDS = st.integers(0, 10**6)
EXACT = [name for name in ("milp", "cpsat") if name in solver_names()]
FAST = ("annealing", "greedy_lookahead", "lpt", "round_robin", "snake_draft", "waterfall")


def table(seed: int, count: int = 14, names: tuple[str, ...] = ("T1", "T2", "T3")) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "account_id": [f"A{i:02d}" for i in range(count)],
            "arr": rng.lognormal(3, 0.6, count),
            "owner": rng.choice([*names, None], count),
            "industry": rng.choice(["Bank", "Tech"], count),
            "lat": rng.uniform(40, 45, count),
            "lon": rng.uniform(-100, -90, count),
            "parent_id": [f"A{i // 2 * 2:02d}" if i % 5 == 0 else None for i in range(count)],
        }
    )


def asked(accounts: pd.DataFrame, territories=("T1", "T2", "T3"), **wishes) -> gtm.CarvingProblem:
    wishes = {
        "balance": [gtm.Balance("arr", 0.3), gtm.Count(0.3)],
        "prefer": [gtm.KeepOwner(value="arr")],
        **wishes,
    }
    return gtm.CarvingProblem(accounts, list(territories), **wishes)


def numbers(problem: gtm.CarvingProblem, plan: pd.Series) -> list[float]:
    """Return everything relative that is measured about a plan, territories in alphabetical order."""
    found = gtm.check(problem, plan)
    balance = found.balance.sort_values(["criterion", "territory"])
    return [found.score, len(found.violations), *balance["deviation"], *found.moved["share_moved"]]


@settings(max_examples=20)
@given(SEEDS)
def test_row_order_territory_order_and_units_change_no_measure(seed: int) -> None:
    rng = np.random.default_rng(seed)
    accounts = table(seed)
    plan = pd.Series(rng.choice(["T1", "T2", "T3"], len(accounts)), index=accounts["account_id"])
    prefer = [gtm.KeepOwner(value="arr"), gtm.Near(centers={"T1": (40, -95), "T2": (42, -92), "T3": (44, -99)})]
    balance = [gtm.Balance("arr", 0.3), gtm.Mix("industry", 0.5), gtm.Count(0.2)]
    expected = numbers(asked(accounts, balance=balance, prefer=prefer), plan)
    shuffled = asked(accounts.sample(frac=1, random_state=seed), ("T3", "T1", "T2"), balance=balance, prefer=prefer)
    scaled = asked(accounts.assign(arr=accounts["arr"] * 1000), balance=balance, prefer=prefer)
    assert numbers(shuffled, plan) == pytest.approx(expected)
    assert numbers(scaled, plan) == pytest.approx(expected)


@pytest.mark.parametrize("solver", FAST)
@settings(max_examples=6)
@given(SEEDS)
def test_renaming_territories_by_names_that_sort_alike_renames_the_plan(solver: str, seed: int) -> None:
    accounts = table(seed)
    other = {"T1": "Alpha", "T2": "Mid", "T3": "Zed"}
    plan = gtm.carve(asked(accounts), solver=solver, seed=1).labels
    renamed = gtm.carve(
        asked(accounts.assign(owner=accounts["owner"].map(other)), other.values()), solver=solver, seed=1
    ).labels
    assert renamed.tolist() == plan.map(other).tolist()


@pytest.mark.parametrize("solver", FAST)
@settings(max_examples=6)
@given(SEEDS)
def test_a_plan_is_whole_its_totals_recompute_and_its_bound_holds(solver: str, seed: int) -> None:
    problem = asked(table(seed), rules=[gtm.KeepTogether(), gtm.Pin({"A03": "T2"})])
    carving = gtm.carve(problem, solver=solver, seed=seed, on_infeasible="nearest")
    assert carving.assignment["account_id"].tolist() == problem.resolved.ids.tolist()
    assert carving.labels["A03"] == "T2"
    assert carving.accounts.groupby("parent_id")["territory"].nunique().max() == 1
    totals = carving.accounts.groupby("territory")["arr"].sum()
    table_of = carving.balance[carving.balance["criterion"] == "arr"].set_index("territory")["total"]
    assert table_of[totals.index].to_numpy() == pytest.approx(totals.to_numpy())
    assert carving.certificate.bound <= carving.certificate.value + 1e-9
    again = gtm.carve(problem, solver=solver, seed=seed, on_infeasible="nearest")
    assert again.labels.tolist() == carving.labels.tolist()


def optimum(problem: gtm.CarvingProblem, solver: str) -> float:
    """Return the proven least preference score, inf when nothing keeps the bands."""
    try:
        carving = gtm.carve(problem, solver=solver)
    except gtm.GtmOptError:
        return np.inf
    return carving.check.score if carving.check.ok else np.inf


@pytest.mark.skipif(not EXACT, reason="no exact solver is registered")
@settings(max_examples=6)
@given(SEEDS)
def test_a_rule_more_never_improves_the_optimum_and_a_looser_tolerance_never_worsens_it(seed: int) -> None:
    accounts = table(seed, count=10)
    free = optimum(asked(accounts), EXACT[0])
    for rule in (gtm.Pin({"A01": "T3"}), gtm.KeepTogether(), gtm.MaxMoved(0.3), gtm.Forbid([("A02", "T1")])):
        assert optimum(asked(accounts, rules=[rule]), EXACT[0]) >= free - 1e-6
    loose = [gtm.Balance("arr", 0.5), gtm.Count(0.5)]
    assert optimum(asked(accounts, balance=loose), EXACT[0]) <= free + 1e-6


@pytest.mark.skipif(not EXACT, reason="no exact solver is registered")
@settings(max_examples=4)
@given(SEEDS)
def test_the_optimum_does_not_depend_on_order_names_or_units(seed: int) -> None:
    accounts = table(seed, count=10)
    free = optimum(asked(accounts), EXACT[0])
    shuffled = accounts.sample(frac=1, random_state=seed).assign(arr=lambda t: t["arr"] * 7)
    assert optimum(asked(shuffled, ("T2", "T3", "T1")), EXACT[0]) == pytest.approx(free, abs=1e-6)
