"""Hiring plans against brute force, and what must hold for every plan."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtm_opt as gtm
from tests.reference.hiring_cases import plan_h1, plan_h2
from tests.sales_capacity.hiring.brute import Case

MONEY = st.sampled_from([10.0, 20.0, 35.0])


@st.composite
def cases(draw: st.DrawFn, *, window: int = 3, sellers: int = 2) -> Case:
    """Draw a problem that brute force can do."""
    n = draw(st.integers(1, sellers))
    support = draw(st.sampled_from([None, 2.0, 3.5]))
    size = n + (support is not None)
    return Case(
        productivity=draw(st.lists(st.sampled_from([600.0, 1200.0]), min_size=n, max_size=n)),
        ramps=draw(st.lists(st.sampled_from([[], [0.0, 0.5], [0.0, 0.25, 0.5, 0.75]]), min_size=n, max_size=n)),
        hazard=draw(st.lists(st.sampled_from([0.0, 0.02, 0.1]), min_size=size, max_size=size)),
        pay=draw(st.lists(MONEY, min_size=size, max_size=size)),
        hire_cost=draw(st.lists(MONEY, min_size=size, max_size=size)),
        heads=draw(st.lists(st.sampled_from([2.0, 3.0, 5.0]), min_size=size, max_size=size)),
        targets=draw(st.lists(st.sampled_from([0.0, 300.0, 700.0, 1100.0]), min_size=4, max_size=4)),
        slots=2,
        window=window,
        support_per=support,
        share=draw(st.sampled_from([None, 0.4])),
        seats=draw(st.sampled_from([None, [6.0] * n])),
    )


@given(cases())
@settings(max_examples=25)
def test_no_plan_of_all_plans_costs_less(case: Case) -> None:
    plan, best = case.plan(), case.least_cost()
    if best is None:
        assert plan.status == "infeasible"
        return
    assert plan.status == "optimal"
    assert plan.objective == pytest.approx(best, abs=1e-6)
    assert plan.relaxation <= plan.objective + 1e-6
    found = case.value(plan.hire_counts[:, : case.window].tolist())
    assert found is not None
    assert found[0] == pytest.approx(plan.objective, abs=1e-6)
    assert found[1] == pytest.approx(plan.coverage["bookings"].tolist(), abs=1e-6)


@given(cases(), st.sampled_from([0.0, 300.0, 900.0]))
@settings(max_examples=15)
def test_no_plan_of_all_plans_covers_more_within_the_budget(case: Case, budget: float) -> None:
    case = replace(case, budget=budget)
    best = case.most_covered()
    plan = case.plan(objective="most_coverage")
    if best is None:
        assert plan.status == "infeasible"
        return
    assert plan.objective == pytest.approx(best, abs=1e-6)
    assert plan.bound >= plan.objective - 1e-6


@pytest.mark.slow
@given(cases(window=4, sellers=2))
@settings(max_examples=10)
def test_no_plan_of_all_plans_costs_less_over_four_months(case: Case) -> None:
    best = case.least_cost()
    assert case.plan().objective == pytest.approx(math.nan if best is None else best, abs=1e-6, nan_ok=True)


def test_three_roles_and_six_months_are_solved_as_by_brute_force() -> None:
    """Every plan of two selling roles and support with one hire a month: 4 ** 6."""
    case = Case(
        productivity=[1200.0, 700.0],
        ramps=[[0.0, 0.25, 0.5, 0.75], [0.0, 0.5]],
        hazard=[0.02, 0.03, 0.0],
        pay=[25.0, 15.0, 20.0],
        hire_cost=[15.0, 10.0, 0.0],
        heads=[4.0, 4.0, 3.0],
        targets=[1700.0, 1800.0, 1900.0, 1850.0],
        slots=1,
        window=6,
        support_per=3.0,
    )
    assert case.plan().objective == pytest.approx(case.least_cost())


@given(cases(), st.sampled_from([0.01, 3.0, 1000.0]))
@settings(max_examples=15)
def test_money_in_another_unit_scales_the_cost(case: Case, factor: float) -> None:
    scaled = replace(case, pay=[factor * v for v in case.pay], hire_cost=[factor * v for v in case.hire_cost]).plan()
    plan = case.plan()
    assert scaled.status == plan.status
    if plan.status == "optimal":
        assert scaled.objective == pytest.approx(factor * plan.objective, rel=1e-7, abs=1e-6 * factor)


@given(cases())
@settings(max_examples=15)
def test_the_order_of_roles_and_tables_changes_nothing(case: Case) -> None:
    plan = case.plan()
    if plan.status != "optimal":
        return
    problem = plan.problem
    heads = pd.DataFrame({"role": case.names, "heads": list(case.heads)}).iloc[::-1]
    targets = pd.DataFrame({"quarter": ["Q1", "Q2", "Q3", "Q4"], "target": list(case.targets)}).iloc[::-1]
    other = gtm.plan_hiring(
        list(problem.roles)[::-1],
        heads,
        targets,
        problem.calendar,
        rules=problem.rules[::-1],
        attrition=dict(zip(case.names, case.hazard, strict=True)),
    )
    assert other.objective == pytest.approx(plan.objective, abs=1e-6)


def test_a_larger_budget_never_covers_less() -> None:
    covered = [
        plan_h1(objective="most_coverage", rules=[gtm.RecruitingLimit(2), gtm.HiringBudget(b, scope="hires")]).objective
        for b in (0.0, 100.0, 250.0, 400.0, 600.0)
    ]
    assert covered == sorted(covered)
    assert covered[-1] == pytest.approx(13_700.0)


def test_a_later_first_start_never_costs_less() -> None:
    costs = [plan_h1(time_to_fill_m=wait).objective for wait in range(4)]
    assert [c for c in costs if not math.isnan(c)] == sorted(c for c in costs if not math.isnan(c))
    assert plan_h1(time_to_fill_m=6).status == "infeasible"


def test_cumulative_targets_let_an_early_surplus_count_later() -> None:
    alone, together = plan_h1(), plan_h1(cumulative=True)
    assert together.status == "optimal"
    targets = {"Q1": 3100.0, "Q2": 2900.0, "Q3": 3000.0, "Q4": 3000.0}
    role = gtm.Role("AE", 1200.0, cost_pm=20.0)
    late = {"Q1": 2900.0, "Q2": 3100.0, "Q3": 3000.0, "Q4": 3000.0}
    calendar = gtm.Calendar("2026-01")
    assert gtm.plan_hiring(role, {"AE": 10}, late, calendar, cumulative=True).objective == 0.0
    assert gtm.plan_hiring(role, {"AE": 10}, late, calendar).objective > 0.0
    assert gtm.plan_hiring(role, {"AE": 10}, targets, calendar, cumulative=True).objective > 0.0
    assert alone.objective == 560.0


def test_each_later_objective_keeps_what_the_earlier_ones_reached() -> None:
    plan = plan_h1(objective=("least_cost", "smooth", "latest"))
    assert [stage.objective for stage in plan.stages] == ["least_cost", "smooth", "latest"]
    assert [stage.status for stage in plan.stages] == ["optimal"] * 3
    assert plan.objective == pytest.approx(560.0)
    hires = plan.hire_counts.sum(axis=0)
    assert plan.stages[1].value == pytest.approx(np.abs(np.diff(hires)).sum())


def test_least_change_keeps_an_approved_plan_that_is_good_enough() -> None:
    approved = pd.DataFrame({"role": ["AE"] * 2, "month": ["2026-02", "2026-03"], "hires": [2, 2]})
    plan = plan_h1(objective=("least_change", "least_cost"), approved=approved)
    assert plan.objective == 0.0
    assert plan.hires[["month", "hires"]].astype(str).to_numpy().tolist() == [["2026-02", "2"], ["2026-03", "2"]]


def test_promised_hires_start_whatever_the_freeze_says() -> None:
    promised = pd.DataFrame({"role": ["AE"], "month": ["2026-01"], "hires": [1]})
    plan = plan_h1(promised=promised, rules=[gtm.RecruitingLimit(2), gtm.HiringFreeze("2026-01", "2026-03")])
    first = plan.hires.iloc[0]
    assert (str(first["month"]), first["hires"], first["promised"]) == ("2026-01", 1, 1)
    assert (plan.hires["month"].astype(str).iloc[1:] > "2026-03").all()


def test_a_rolling_limit_holds_in_every_three_months() -> None:
    plan = plan_h1(rules=[gtm.RecruitingLimit(2, months=3)])
    assert plan.status == "optimal"
    assert np.convolve(plan.hire_counts[0], np.ones(3), "valid").max() <= 2
    assert plan_h1(rules=[gtm.RecruitingLimit(1, months=3)]).status == "infeasible"


def test_the_model_is_written_for_audit_and_read_back_with_the_same_value(tmp_path: Path) -> None:
    import pulp

    from gtm_opt.mip.pulp import find_cbc

    path = plan_h1().write(tmp_path / "h1.mps")
    _, problem = pulp.LpProblem.fromMPS(str(path))
    problem.solve(pulp.COIN_CMD(path=find_cbc(), msg=False))
    assert pulp.value(problem.objective) == pytest.approx(560.0)
    assert "Minimize" in plan_h1().write(tmp_path / "h1.lp").read_text()


def test_the_cost_table_sums_to_the_objective() -> None:
    plan = plan_h2()
    assert plan.cost["decided"].sum() == pytest.approx(plan.objective)
    assert plan.heads["pay"].sum() == pytest.approx(
        plan.cost["total"].sum() - 15.0 * plan.hires["hires"][plan.hires["role"].isin(["AE-ENT", "AE-MM"])].sum()
    )


def test_a_time_limit_never_makes_a_plan_look_proven() -> None:
    plan = plan_h2(time_limit=0.05)
    if plan.status == "optimal":
        assert plan.bound == pytest.approx(1530.70958, abs=1e-4)
    else:
        assert plan.stages[0].limit_reached
        assert not plan.bound > 1530.7096
