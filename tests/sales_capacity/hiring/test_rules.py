"""Each rule of a hiring plan does what it says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import gtm_opt as gtm

CALENDAR = gtm.Calendar("2026-01")
STEPS = gtm.Ramp.steps
AE = gtm.Role("AE", 1200.0, "ENT", STEPS([0, 0.5]), cost_pm=20.0, hire_cost=5.0)
SDR = gtm.Role("SDR", 0.0, quota_type="overlay", cost_pm=8.0)
SE = gtm.Role("SE", 0.0, quota_type="overlay", cost_pm=20.0)
MM = gtm.Role("MM", 1200.0, "MM", STEPS([0, 0.5]), cost_pm=20.0, hire_cost=5.0)


def heads_of(plan: gtm.HiringPlan, role: str) -> np.ndarray:
    return plan.heads.loc[plan.heads["role"] == role, "heads"].to_numpy()


def test_support_with_a_lead_is_there_before_the_sellers() -> None:
    rules = [gtm.SupportRatio("SE", {"AE": 2}, lead_m=2)]
    plan = gtm.plan_hiring([AE, SE], {"AE": 4, "SE": 2}, {"Q3": 1500.0}, CALENDAR, rules=rules)
    sellers, engineers = heads_of(plan, "AE"), heads_of(plan, "SE")
    assert (engineers[:-2] >= sellers[2:] / 2 - 1e-9).all()
    assert plan.hires.set_index("role").loc["SE", "month"] <= plan.hires.set_index("role").loc["AE", "month"]


def test_dedicated_support_needs_whole_heads_for_each_role() -> None:
    """Four and five sellers at one for three: 3 engineers pooled, 2 + 2 dedicated."""
    asked = {"Q1": 0.0}
    engineers = {}
    for pooled in (True, False):
        rules = [gtm.SupportRatio("SE", {"AE": 3, "MM": 3}, pooled=pooled)]
        plan = gtm.plan_hiring([AE, MM, SE], {"AE": 4, "MM": 5, "SE": 0}, asked, CALENDAR, rules=rules)
        engineers[pooled] = int(plan.hire_counts[2].sum())
    assert engineers == {True: 3, False: 4}


@pytest.mark.parametrize(("sellers", "engineers", "managers"), [(9, 3, 2), (10, 4, 2), (27, 9, 4), (28, 10, 4)])
def test_ratios_round_up_to_whole_support(sellers: int, engineers: int, managers: int) -> None:
    manager = gtm.Role("MGR", 0.0, quota_type="overlay", cost_pm=30.0)
    rules = [gtm.SupportRatio("SE", {"AE": 3}), gtm.ManagerSpan("MGR", ["AE"], most=8)]
    plan = gtm.plan_hiring([AE, SE, manager], {"AE": sellers}, {"Q1": 0.0}, CALENDAR, rules=rules)
    assert plan.hire_counts.sum(axis=1).tolist() == [0, engineers, managers]


def test_no_manager_is_left_without_a_team() -> None:
    manager = gtm.Role("MGR", 0.0, quota_type="overlay", cost_pm=30.0)
    rules = [gtm.ManagerSpan("MGR", ["AE"], most=8, least=4)]
    plan = gtm.plan_hiring([AE, manager], {"AE": 6, "MGR": 3}, {"Q1": 0.0}, CALENDAR, rules=rules)
    assert plan.hire_counts[0].tolist() == [2] + [0] * 11


def test_seats_by_role_and_by_segment_hold_in_every_month() -> None:
    for seats in ({"AE": 6}, {"ENT": 6}):
        plan = gtm.plan_hiring([AE], {"AE": 5}, {"Q4": 1800.0}, CALENDAR, rules=[gtm.SeatLimit(seats)])
        assert heads_of(plan, "AE").max() <= 6 + 1e-9
    assert gtm.plan_hiring([AE], {"AE": 5}, {"Q4": 1900.0}, CALENDAR, rules=[gtm.SeatLimit({"AE": 6})]).values is None


def test_a_budget_holds_in_each_quarter_and_counts_everybody() -> None:
    rules = [gtm.HiringBudget(420.0, "quarter")]
    plan = gtm.plan_hiring([AE], {"AE": 5}, {"Q4": 5000.0}, CALENDAR, rules=rules, objective="most_coverage")
    assert plan.cost["total"].max() <= 420.0 + 1e-6
    assert heads_of(plan, "AE")[-1] == 7
    one = gtm.plan_hiring(
        [AE], {"AE": 5}, {"Q4": 5000.0}, CALENDAR, rules=[gtm.HiringBudget(0.0, "FY2026-Q4", "hires")],
        objective="most_coverage",
    )  # fmt: skip
    assert one.hire_counts.sum() == 0


def test_a_hire_without_pipeline_adds_nothing() -> None:
    free = gtm.plan_hiring([AE], {"AE": 5}, {"Q2": 1600.0}, CALENDAR)
    assert free.status == "optimal"
    for supply, status in (({"Q2": 8000.0}, "optimal"), ({"FY2026-Q2": 7999.0}, "infeasible")):
        rules = [gtm.PipelineLimit(supply, win_rate=0.2)]
        assert gtm.plan_hiring([AE], {"AE": 5}, {"Q2": 1600.0}, CALENDAR, rules=rules).status == status
    rules = [gtm.PipelineLimit({"Q2": 5000.0}, win_rate=0.2, segment="ENT")]
    most = gtm.plan_hiring([AE], {"AE": 5}, {"Q2": 1600.0}, CALENDAR, rules=rules, objective="most_coverage")
    assert most.objective == pytest.approx(1000.0)


def test_not_too_many_ramp_at_once() -> None:
    rules = [gtm.OnboardingLimit(share=0.2)]
    plan = gtm.plan_hiring([AE], {"AE": 8}, {"Q4": 3300.0}, CALENDAR, rules=rules)
    assert (plan.heads["ramping"] <= 0.2 * plan.heads["heads"] + 1e-9).all()
    manager = gtm.Role("MGR", 0.0, quota_type="overlay", cost_pm=30.0)
    rules = [gtm.OnboardingLimit(per_manager=1.0, manager="MGR")]
    plan = gtm.plan_hiring([AE, manager], {"AE": 8, "MGR": 1}, {"Q4": 3300.0}, CALENDAR, rules=rules)
    ramping = plan.heads.loc[plan.heads["role"] == "AE", "ramping"].to_numpy()
    assert (ramping <= heads_of(plan, "MGR") + 1e-9).all()


def test_promotions_need_tenure_and_use_no_recruiting_slot() -> None:
    heads = pd.DataFrame({"role": ["AE", "SDR", "SDR"], "heads": [4.0, 2.0, 3.0], "tenure_m": [None, 9, 1]})
    rules = [gtm.RecruitingLimit(0), gtm.Promotion("SDR", "AE", min_tenure_m=12, ramp=STEPS([0.5]))]
    plan = gtm.plan_hiring([AE, SDR], heads, {"Q4": 1700.0}, CALENDAR, rules=rules)
    assert plan.status == "optimal"
    assert plan.hire_counts.sum() == 0
    # tenure month 9 in January is more than twelve completed months in May
    assert (plan.moves["month"].astype(str) >= "2026-05").all()
    assert plan.moves["heads"].sum() == 2
    assert heads_of(plan, "SDR")[-1] == 3
    assert heads_of(plan, "AE")[-1] == 6
    assert gtm.plan_hiring([AE, SDR], heads, {"Q4": 1900.0}, CALENDAR, rules=rules).status == "infeasible"


def test_nobody_is_promoted_twice_out_of_a_shrinking_cohort() -> None:
    heads = pd.DataFrame({"role": ["AE", "SDR"], "heads": [4.0, 6.0]})
    rules = [gtm.RecruitingLimit(0), gtm.Promotion("SDR", "AE", min_tenure_m=1, max_share=0.5)]
    plan = gtm.plan_hiring([AE, SDR], heads, {"Q4": 5000.0}, CALENDAR, rules=rules, attrition={"SDR": 0.05},
                           objective="most_coverage")  # fmt: skip
    left = heads_of(plan, "SDR")
    assert (left >= -1e-9).all()
    promoted = plan.moves.set_index(plan.moves["month"].astype(str))["heads"]
    before = 6.0
    for month, label in enumerate(CALENDAR.labels):
        assert promoted.get(label, 0) <= 0.5 * before + 1e-9
        before = left[month] * 0.95


def test_people_are_released_where_that_pays_after_severance() -> None:
    cheap, dear = gtm.Release("AE", severance=10.0), gtm.Release("AE", severance=10_000.0)
    costs = [
        gtm.plan_hiring([AE], {"AE": 5}, {"Q4": 900.0}, CALENDAR, rules=[rule, gtm.RecruitingLimit(0)])
        for rule in (cheap, dear)
    ]
    assert costs[0].moves[["kind", "heads"]].to_numpy().tolist() == [["release", 2]]
    assert costs[0].objective == pytest.approx(2 * 10.0 - 2 * 12 * 20.0)
    assert costs[1].objective == 0.0


def test_tenure_of_the_people_who_are_there_sets_their_ramp_and_their_hazard() -> None:
    heads = pd.DataFrame({"role": ["AE"], "heads": [10.0], "tenure_m": [1]})
    plan = gtm.plan_hiring([AE], heads, {"Q1": 0.0}, CALENDAR, attrition={"AE": [0.5, 0.0]})
    assert heads_of(plan, "AE").tolist() == [10.0] + [5.0] * 11
    assert plan.coverage["bookings"].tolist() == [pytest.approx(100.0 * (0 + 2.5 + 5.0))]


def test_seats_to_carve_are_the_fullest_months_heads() -> None:
    plan = gtm.plan_hiring([AE, SE], {"AE": 4, "SE": 1}, {"Q4": 1500.0}, CALENDAR)
    assert plan.seats[["role", "seats"]].to_numpy().tolist() == [["AE", 5]]


def test_the_hires_as_a_roster_have_the_capacity_that_the_plan_counts_on() -> None:
    plan = gtm.plan_hiring([AE, MM], {"AE": 0, "MM": 0}, {"Q3": 900.0, "Q4": 1500.0}, CALENDAR,
                           rules=[gtm.RecruitingLimit(2)])  # fmt: skip
    assert len(plan.roster) == plan.hire_counts.sum()
    assert plan.roster["seat_id"].is_unique
    quarters = gtm.capacity(plan.roster, plan.problem.roles, CALENDAR).by("quarter")["capacity"]
    assert quarters.tolist()[2:] == pytest.approx(plan.coverage["bookings"].tolist())
    none = gtm.plan_hiring([AE], {"AE": 5}, {"Q4": 0.0}, CALENDAR)
    assert none.roster.empty
