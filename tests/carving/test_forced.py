"""What forcing an account elsewhere costs: beside every plan there is, in units a planner knows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import gtm_opt as gtm
from tests.carving.small_problems import enumerate_plans, random_problem

TINY = 1e-6


def judge(seed: int, *, rules: bool = True, per_problem: int = 2) -> int:
    """Compare explanations of one random problem with all plans; return how many questions were asked."""
    problem = random_problem(seed, rules=rules)
    if problem is None:
        return 0
    every = enumerate_plans(problem)
    kept = every.rules & (sum(every.tiers) <= 0)
    if not kept.any():
        return 0
    carving = gtm.carve(problem, effort=0.1)
    names, ids = list(problem.territories.names), list(problem.resolved.ids)
    value = every.value[every.row(carving.labels, names)]
    asked = 0
    for account in np.random.default_rng(seed).choice(ids, per_problem, replace=False):
        found = carving.explain(str(account), exact=bool(seed % 2))
        at = every.plans[:, ids.index(account)]
        for row in found.alternatives.itertuples():
            there = kept & (at == names.index(row.territory))
            truth = (every.value[there].min() - value) * problem.n_accounts if there.any() else np.inf
            asked += 1
            if row.outcome == "exact":
                assert row.cost == pytest.approx(truth, abs=TINY), (seed, account, str(found))
            elif row.outcome == "at least":
                assert row.cost <= truth + TINY
            else:
                assert row.outcome == "impossible"
                assert np.isinf(truth), (seed, account, str(found))
        others = [n for n in names if n != carving.labels[account]]
        best = min(
            (
                float(every.value[kept & (at == names.index(n))].min())
                for n in others
                if (kept & (at == names.index(n))).any()
            ),
            default=np.inf,
        )
        if np.isfinite(best):
            cost = (best - value) * problem.n_accounts
            assert found.forced_cost == pytest.approx(cost, abs=TINY)
            assert found.margin == found.forced_cost
            assert found.forced_cost >= -TINY
        elif found.next_best is not None:
            assert found.forced_cost == np.inf
            assert "impossible" in str(found)
            assert "costs" not in str(found)
            if seed % 2:
                assert len(str(found)) > 120, "the reason is told"
    return asked


def test_what_forcing_costs_is_what_all_plans_say() -> None:
    assert sum(judge(seed, rules=bool(seed % 3)) for seed in range(500, 540)) > 25


@pytest.mark.slow
@pytest.mark.parametrize("block", range(4))
def test_hundreds_of_forced_moves_cost_what_all_plans_say(block: int) -> None:
    seeds = range(20_000 + 100 * block, 20_000 + 100 * (block + 1))
    assert sum(judge(seed, rules=bool(seed % 3), per_problem=3) for seed in seeds) > 50


PLACES = pd.DataFrame(
    {
        "account_id": list("ABCDEFGH"),
        "arr": [90.0, 80.0, 70.0, 60.0, 50.0, 40.0, 30.0, 20.0],
        "owner": ["T1", "T1", "T1", "T1", "T2", "T2", "T2", "T2"],
        "lat": [40.0, 40.1, 40.2, 41.0, 44.0, 44.1, 44.2, 43.0],
        "lon": [-100.0] * 8,
        "skill": ["x", "y"] * 4,
    }
)


def make_problem(**words: object) -> gtm.CarvingProblem:
    asked: dict[str, object] = {
        "balance": [gtm.Balance("arr", 0.15)],
        "prefer": [
            gtm.KeepOwner(value="arr"),
            gtm.Near(centers={"T1": (40.0, -100.0), "T2": (44.0, -100.0)}, weight=0.5),
            gtm.Fit(pd.DataFrame({"T1": [1.0, 0.2], "T2": [0.1, 0.9]}, index=["x", "y"]), by="skill", weight=0.2),
        ],
    }
    return gtm.CarvingProblem(PLACES, ["T1", "T2"], **(asked | words))  # type: ignore[arg-type]


def test_costs_are_told_in_planners_units_and_come_out_as_measured() -> None:
    problem = make_problem()
    carving = gtm.carve(problem, effort=0.1)
    found = carving.explain("A")
    forced = gtm.carve(problem.replace(rules=[gtm.Pin({"A": str(found.next_best)})]), effort=0.1)
    changes = {q.name: q.amount for q in found.changes}
    moved = [float(PLACES["arr"][(c.labels != PLACES["owner"].to_numpy()).to_numpy()].sum()) for c in (carving, forced)]
    assert changes["arr that changes owner"] == pytest.approx(moved[1] - moved[0])
    assert {"km", "points of fit skill"} <= set(changes)
    text = str(found)
    assert "arr that changes owner" in text
    assert " km" in text
    assert "of the plan's score" in text
    assert found.forced_cost == pytest.approx(forced.certificate.value - carving.certificate.value, abs=TINY)


def test_a_carve_of_endless_effort_can_be_asked_what_moves_and_rules_cost() -> None:
    pin = gtm.Pin({"A": "T2"})
    carving = gtm.carve(make_problem(rules=[pin]), effort=float("inf"), time_limit=0.3)
    assert carving.explain("B", exact=True).forced_cost is not None
    assert carving.price_of(pin, exact=True).exact is not None


def test_where_a_node_is_large_the_answer_is_called_an_estimate_and_is_not_negative() -> None:
    rng = np.random.default_rng(4)
    accounts = pd.DataFrame(
        {
            "account_id": [f"A{i:04d}" for i in range(900)],
            "arr": rng.lognormal(3, 1, 900).round(1),
            "owner": rng.choice(["T1", "T2", "T3"], 900),
        }
    )
    problem = gtm.CarvingProblem(accounts, ["T1", "T2", "T3"], [gtm.Balance("arr", 0.02)], [gtm.KeepOwner(value="arr")])
    carving = gtm.carve(problem, effort=0.1)
    for account in accounts["account_id"][:20]:
        found = carving.explain(account)
        assert "estimate" in str(found)
        assert found.margin >= 0
        assert found.forced_cost is None
        assert set(found.alternatives["outcome"]) == {"estimate"}
    again = carving.explain("A0000", exact=True)
    assert again.forced_cost is not None
    assert "At most" in str(again)


def test_the_plan_that_is_nearest_already_is_told_what_would_grow() -> None:
    accounts = PLACES.assign(arr=[300.0, 10, 10, 10, 10, 10, 10, 10])
    problem = gtm.CarvingProblem(accounts, ["T1", "T2"], [gtm.Balance("arr", 0.05)], [gtm.KeepOwner()])
    problem = problem.replace(rules=[gtm.Pin({"A": "T1"})])
    carving = gtm.carve(problem, on_infeasible="nearest", effort=0.1)
    text = str(carving.explain("B"))
    assert "moves the plan further from what was asked" in text
    assert "excess of bands of priority 1" in text


def test_even_carves_of_few_accounts_tell_the_best_deviation_with_the_account_there() -> None:
    problem = make_problem(prefer=(), objective="even")
    carving = gtm.carve(problem, effort=0.1)
    found = carving.explain("A")
    forced = gtm.carve(problem.replace(rules=[gtm.Pin({"A": str(found.next_best)})]), effort=0.1)
    assert found.forced_cost == pytest.approx(forced.certificate.value - carving.certificate.value, abs=TINY)
    assert "a worst deviation of" in str(found)


def test_in_a_tree_the_siblings_of_a_small_node_are_asked_exactly() -> None:
    rng = np.random.default_rng(1)
    names = [f"T{t:02d}" for t in range(24)]
    accounts = pd.DataFrame(
        {
            "account_id": [f"A{i:04d}" for i in range(480)],
            "arr": rng.lognormal(3, 0.5, 480).round(1),
            "owner": rng.choice(names, 480),
        }
    )
    problem = gtm.CarvingProblem(accounts, names, [gtm.Balance("arr", 0.2)], [gtm.KeepOwner()])
    carving = gtm.carve(problem, tree=gtm.TreeOptions(max_buckets=5), effort=0.1)
    found = carving.explain("A0001")
    assert found.alternatives["outcome"].isin(["exact", "at least", "impossible"]).all()
    assert "while the accounts outside this node stay where they are" in str(found)


def test_in_a_small_tree_every_territory_is_asked_not_only_the_siblings() -> None:
    rng = np.random.default_rng(3)
    names = ["T1", "T2", "T3", "T4"]
    accounts = pd.DataFrame(
        {"account_id": [f"A{i}" for i in range(12)], "arr": rng.integers(5, 9, 12), "owner": rng.choice(names, 12)}
    )
    problem = gtm.CarvingProblem(accounts, names, [gtm.Balance("arr", 0.5)], [gtm.KeepOwner()])
    carving = gtm.carve(problem, tree=gtm.TreeOptions(max_buckets=2), effort=0.1)
    found = carving.explain("A3")
    assert set(found.alternatives["territory"]) == set(names) - {found.territory}
    costs = []
    for name in found.alternatives["territory"]:
        forced = gtm.carve(problem.replace(rules=[gtm.Pin({"A3": name})]), effort=0.1)
        costs.append(forced.certificate.value - carving.certificate.value)
    assert found.forced_cost == pytest.approx(min(costs), abs=TINY)
