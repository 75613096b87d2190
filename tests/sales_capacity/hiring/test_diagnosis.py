"""Why there is no plan, and what a little more of something costs."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtm_opt as gtm
from gtm_opt.sales_capacity.hiring.conflict import smallest_conflict
from tests.reference.hiring_cases import plan_h1, plan_h2

AE = gtm.Role("AE", 1200.0, "ENT", gtm.Ramp.steps([0, 0.5]), cost_pm=20.0)
CALENDAR = gtm.Calendar("2026-01")


@given(st.sets(st.frozensets(st.integers(0, 5), min_size=1, max_size=4), min_size=1, max_size=6))
@settings(max_examples=60)
def test_no_smaller_set_conflicts(conflicts: set[frozenset[int]]) -> None:
    """Against every subset, where a set of units conflicts as soon as it contains one of those drawn."""

    def is_feasible(units: frozenset[int]) -> bool:
        return not any(conflict <= units for conflict in conflicts)

    found = smallest_conflict(6, is_feasible)
    assert found is not None
    assert found[1]
    assert not is_feasible(found[0])
    assert len(found[0]) == min(map(len, conflicts))


def test_an_open_question_gives_no_conflict_instead_of_a_wrong_one() -> None:
    assert smallest_conflict(3, lambda units: False if len(units) == 3 else None) is None
    assert smallest_conflict(3, lambda units: None) is None


def test_two_targets_that_conflict_only_together_are_named_together() -> None:
    """Either segment can be reached with the one hire of the year, but not both."""
    other = gtm.Role("MM", 1200.0, "MM", gtm.Ramp.steps([0, 0.5]), cost_pm=20.0)
    table = pd.DataFrame(
        {"quarter": ["Q3", "Q3", "Q1"], "segment": ["ENT", "MM", None], "target": [900.0, 900.0, 100.0]}
    )
    plan = gtm.plan_hiring([AE, other], {"AE": 2, "MM": 2}, table, CALENDAR, rules=[gtm.RecruitingLimit(1, months=12)])
    assert plan.status == "infeasible"
    assert plan.diagnosis.is_smallest
    assert plan.diagnosis.conflict == (
        "target FY2026-Q3 ENT of 900",
        "target FY2026-Q3 MM of 900",
        "at most 1 hires in any 12 months",
    )
    assert plan.diagnosis.reachable["short"].tolist() == [0.0, 0.0, 0.0]
    assert plan.diagnosis.nearest is not None
    assert plan.diagnosis.nearest.coverage["slack"].clip(upper=0).sum() == pytest.approx(-300.0)


def test_rules_that_conflict_without_any_target_have_no_nearest_plan() -> None:
    engineer = gtm.Role("SE", 0.0, quota_type="overlay", cost_pm=20.0)
    rules = [gtm.SupportRatio("SE", {"AE": 2}), gtm.HiringFreeze("2026-01", "2026-02")]
    plan = gtm.plan_hiring([AE, engineer], {"AE": 4}, {"Q4": 1.0}, CALENDAR, rules=rules)
    assert plan.diagnosis.nearest is None
    assert plan.diagnosis.conflict == ("one SE for 2 AE", "no hires from 2026-01 to 2026-02")
    assert "no plan keeps the rules" in plan.summary()


def test_the_time_to_fill_can_be_what_stands_in_the_way() -> None:
    plan = gtm.plan_hiring([AE], {"AE": 4}, {"Q2": 1300.0}, CALENDAR, time_to_fill_m=6)
    assert plan.diagnosis.conflict == ("target FY2026-Q2 of 1,300", "the time to fill")
    assert "no hire adds to it" in plan.diagnosis.summary()


def test_what_is_reachable_has_no_limit_without_recruiting_limits() -> None:
    plan = gtm.plan_hiring([AE], {"AE": 4}, {"Q2": 1300.0}, CALENDAR)
    assert plan.reachable["reachable"].tolist() == [math.inf]
    assert plan.reachable["reason"].tolist() == [""]


def test_the_largest_reachable_amount_is_reached_and_a_unit_more_is_not() -> None:
    plan = plan_h1()
    most = plan.reachable["reachable"].to_numpy()
    for at, quarter in enumerate(["Q1", "Q2", "Q3", "Q4"]):
        for extra, status in ((-1e-6, "optimal"), (0.01, "infeasible")):
            role, rules = plan.problem.roles, [gtm.RecruitingLimit(2)]
            asked = {quarter: most[at] + extra}
            assert gtm.plan_hiring(role, {"AE": 10}, asked, CALENDAR, rules=rules).status == status


def test_prices_are_differences_of_plans_solved_again() -> None:
    plan = plan_h1()
    prices = plan.price_changes(amount=100.0).set_index("change")
    assert prices.loc["100 more in FY2026-Q2", "cost_change"] == pytest.approx(40.0)
    assert (prices["at_least"] <= prices["cost_change"]).all()
    assert (prices["cost_change"] <= prices["at_most"]).all()
    role = plan.problem.roles
    targets = {"Q1": 3000.0, "Q2": 3300.0, "Q3": 3500.0, "Q4": 4000.0}
    again = gtm.plan_hiring(role, {"AE": 10}, targets, CALENDAR, rules=[gtm.RecruitingLimit(2)])
    assert again.objective - plan.objective == pytest.approx(40.0)


def test_a_scarce_slot_and_a_scarce_seat_are_worth_money() -> None:
    rules = [gtm.RecruitingLimit(1), gtm.SeatLimit({"AE": 6})]
    mm = gtm.Role("MM", 600.0, "MM", gtm.Ramp.steps([0, 0.5]), cost_pm=20.0)
    plan = gtm.plan_hiring([AE, mm], {"AE": 5, "MM": 5}, {"Q4": 2850.0}, CALENDAR, rules=rules)
    prices = plan.price_changes(("recruiting", "seats"))
    assert prices.loc[prices["kind"] == "recruiting", "cost_change"].min() < 0.0
    assert (prices["cost_change"] <= 1e-6).all()
    assert prices.loc[prices["kind"] == "seats", "cost_change"].min() < 0.0


def test_an_impossible_step_costs_infinitely_much() -> None:
    plan = plan_h1(rules=[gtm.RecruitingLimit(2)])
    assert plan.price_changes(("target",), amount=5000.0)["cost_change"].tolist() == [math.inf] * 4


def test_prices_need_a_plan_of_least_cost() -> None:
    with pytest.raises(gtm.DataError, match="prices need a plan with the objective least_cost"):
        plan_h1(objective="fewest_hires").price_changes()
    with pytest.raises(gtm.DataError, match="`kinds` must be of target, recruiting, seats, budget, got 'slots'"):
        plan_h1().price_changes(("slots",))
    with pytest.raises(gtm.DataError, match="`factors` must be one or more finite numbers"):
        plan_h1().cost_curve(())


def test_the_cost_curve_rises_and_each_point_has_its_own_bound() -> None:
    curve = plan_h2().cost_curve((0.9, 1.0, 1.05, 1.1)).table
    assert curve["factor"].tolist() == [0.9, 1.0, 1.05, 1.1]
    cost = curve["cost"].to_numpy()
    assert cost[1] == pytest.approx(1530.70958, abs=2e-5)
    assert (np.diff(cost[:3]) > 0).all()
    assert curve["status"].tolist() == ["optimal"] * 3 + ["infeasible"]
    assert all(low <= high for low, high in itertools.pairwise(curve["bound"]))
