"""Reference numbers of hiring plans: objective and feasibility, never the plan, where optima are not unique."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, norm

import gtm_opt as gtm
from gtm_opt.mip import Model, solve
from gtm_opt.sales_capacity.hiring.normal_cut import safe_cut
from tests.reference.hiring_cases import TOO_MUCH, plan_h1, plan_h2

BACKENDS = ("highs", "cpsat", "pulp")


@pytest.mark.parametrize("backend", BACKENDS)
def test_h1_costs_560_whatever_the_backend(backend: str) -> None:
    plan = plan_h1(backend=backend)
    assert plan.status == "optimal"
    assert plan.objective == pytest.approx(560.0, abs=1e-6)
    assert plan.bound == pytest.approx(560.0, abs=1e-6)
    assert plan.relaxation == pytest.approx(520.635, abs=5e-4)


def test_h1_has_exactly_two_best_plans_among_all_531441() -> None:
    """Every plan with at most two hires a month, without a model: need above the ten sellers 0, .2, .5, 1.0 million."""
    ramp = np.concatenate([[0.0, 0.25, 0.5, 0.75], np.ones(8)])
    booked = np.array([[100.0 * ramp[t - c] if t >= c else 0.0 for t in range(12)] for c in range(12)])
    per_quarter = booked.reshape(12, 4, 3).sum(axis=2)
    plans = np.stack(np.unravel_index(np.arange(3**12), (3,) * 12), axis=1)
    enough = (plans @ per_quarter >= np.array([0.0, 200.0, 500.0, 1000.0]) - 1e-9).all(axis=1)
    cost = plans @ (20.0 * (12 - np.arange(12)))
    best = plans[enough & (cost <= cost[enough].min() + 1e-9)]
    assert cost[enough].min() == 560.0
    assert best.tolist() == [[0, 1, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0], [0, 1, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0]]
    assert plan_h1().hire_counts[0].tolist() in best.tolist()
    assert plan_h1(objective=("least_cost", "smooth")).hire_counts[0].tolist() == best[1].tolist()


@pytest.mark.parametrize("backend", ["highs", "pulp"])
def test_h2_costs_1530_71(backend: str) -> None:
    plan = plan_h2(backend=backend)
    assert plan.status == "optimal"
    assert plan.objective == pytest.approx(1530.70958, abs=2e-5)
    assert plan.relaxation == pytest.approx(1421.6446, abs=1e-4)


def test_h2_begins_with_the_capacity_of_the_people_who_are_there() -> None:
    present = plan_h2().coverage["from_present"].to_numpy()
    expected = [4859.9, 5453.8, 5525.5, 5962.9, 2817.1, 3181.7, 3244.2, 3523.1]
    assert present == pytest.approx(expected, abs=0.051)


def test_h2_ends_with_27_918_sellers_where_its_published_plan_is_promised() -> None:
    rows = [("AE-ENT", "2026-04", 1), ("AE-ENT", "2026-05", 2), ("AE-MM", "2026-03", 1), ("AE-MM", "2026-05", 1)]
    rows += [("AE-MM", "2026-08", 2), ("AE-MM", "2026-09", 1), ("SE", "2026-04", 1)]
    plan = plan_h2(promised=pd.DataFrame(rows, columns=["role", "month", "hires"]))
    assert plan.objective == pytest.approx(1530.70958, abs=2e-5)
    last = plan.heads[plan.heads["month"].astype(str) == "2026-12"].set_index("role")["heads"]
    assert last["AE-ENT"] + last["AE-MM"] == pytest.approx(27.918, abs=5e-4)


def test_h2_with_higher_targets_is_infeasible_and_solvable_once_one_row_is_lowered() -> None:
    total, enterprise = TOO_MUCH
    assert plan_h2(total, enterprise).status == "infeasible"
    repaired = plan_h2(total, (2.81, *enterprise[1:]))
    assert repaired.status == "optimal"
    assert repaired.objective == pytest.approx(3097.64514, abs=2e-5)


def test_h2s_diagnosis_names_the_only_culprit_and_what_is_reachable() -> None:
    diagnosis = plan_h2(*TOO_MUCH).diagnosis
    reachable = diagnosis.reachable["reachable_recruiting"].to_numpy()
    expected = [5128.7, 7431.5, 10705.4, 15535.2, 2890.9, 4616.2, 7835.5, 12416.3]
    assert reachable == pytest.approx(expected, abs=0.051)
    assert [reason for reason in diagnosis.reachable["reason"] if reason] == [
        "FY2026-Q1 ENT asks 2,900, at most 2,891 is reachable, with every recruiting slot of 2026-01 (4 AE-ENT): "
        "the ramp of AE-ENT begins with 2 months of nothing"
    ]
    assert diagnosis.is_smallest
    assert diagnosis.conflict == (
        "target FY2026-Q1 ENT of 2,900",
        "at most 4 hires a month of AE-ENT and AE-MM",
    )
    assert diagnosis.nearest is not None
    slack = diagnosis.nearest.coverage["slack"].to_numpy()
    assert slack.clip(max=0.0).sum() == pytest.approx(2890.8595 - 2900.0, abs=1e-3)


def h2_as_published() -> gtm.HiringPlan:
    """The plan of the reference, fixed by promises."""
    rows = [("AE-ENT", "2026-04", 1), ("AE-ENT", "2026-05", 2), ("AE-MM", "2026-03", 1), ("AE-MM", "2026-05", 1)]
    rows += [("AE-MM", "2026-08", 2), ("AE-MM", "2026-09", 1), ("SE", "2026-04", 1)]
    return plan_h2(promised=pd.DataFrame(rows, columns=["role", "month", "hires"]))


@pytest.mark.parametrize(
    ("spread", "quarters", "together"),
    [
        ({}, [0.913, 0.555, 0.537, 0.531], 0.258),
        ({"attainment_cv": 0.5}, [0.607, 0.489, 0.489, 0.491], 0.278),
        ({"attainment_cv": 0.5, "correlation": 0.1}, [0.537, 0.468, 0.467, 0.470], 0.323),
    ],
)
def test_h2s_plan_is_a_coin_flip_by_quarter(spread: dict[str, float], quarters: list[float], together: float) -> None:
    """Reference probabilities carry +- .004, these +- .002 (one standard error on 60,000 paths)."""
    odds = h2_as_published().measure(gtm.Confidence(0.5, fresh_paths=60_000, **spread))  # type: ignore[arg-type]
    assert odds.table["probability"][:4].tolist() == pytest.approx(quarters, abs=0.009)
    assert odds.jointly[0] == pytest.approx(together, abs=0.008)
    assert odds.table["mean"][:4].tolist() == pytest.approx([4860, 5608, 6307, 7710], rel=0.002)


def test_c1_the_conservative_cut_reaches_the_exact_optimum_of_23_small_sellers() -> None:
    """Two kinds of seller, mean 1.0 / .5, deviation .5 / .2, cost 350 / 170, ten needed with 90 %; from V0 = 2.5."""
    mean, variance, cost = np.array([1.0, 0.5]), np.array([0.25, 0.04]), np.array([350.0, 170.0])
    z, at = float(norm.ppf(0.9)), 2.5
    for _ in range(6):
        values, constant = safe_cut(mean, variance, 0.0, 0.0, z, at)
        model = Model("C1")
        kinds = model.add_columns(["large", "small"], high=40, integer=True, cost=cost)
        model.add_row("promise", kinds, values, low=10.0 - constant)
        found = solve(model).of(kinds)
        at = float(variance @ found)
    assert found.tolist() == [0.0, 23.0]
    assert float(cost @ found) == 3910.0
    exact = {
        (a, b): float(cost @ (a, b))
        for a in range(12)
        for b in range(30)
        if mean @ (a, b) - z * np.sqrt(variance @ (a, b)) >= 10.0
    }
    ranked = sorted(exact, key=exact.__getitem__)
    assert ranked[:3] == [(0, 23), (1, 21), (2, 19)]
    assert [exact[k] for k in ranked[:3]] == [3910.0, 3920.0, 3930.0]


def test_c2_twelve_hires_leave_eight_survivors_with_90_per_cent() -> None:
    """One role of ten months of life at .8: binomial survivors; the expectation rule says ten."""
    assert [round(float(binom.sf(7, n, 0.8)), 4) for n in range(8, 14)] == [
        0.1678,
        0.4362,
        0.6778,
        0.8389,
        0.9274,
        0.97,
    ]
    role = gtm.Role("AE", 12.0, cost_pm=1.0)
    hires = {}
    for method, confidence in (("expected", None), ("sure", gtm.Confidence(0.9, scenarios=1500, fresh_paths=20_000))):
        plan = gtm.plan_hiring(
            role,
            {"AE": 0},
            {"Q2": 24.0},
            gtm.Calendar("2026-01", months=6),
            rules=[gtm.RecruitingLimit(14), gtm.HiringFreeze("2026-02", "2026-06")],
            attrition={"AE": [0.0, 0.0, 0.2, 0.0]},
            confidence=confidence,
        )
        hires[method] = int(plan.hire_counts.sum())
    assert hires == {"expected": 10, "sure": 12}
