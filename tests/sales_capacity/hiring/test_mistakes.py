"""Mistakes in a hiring plan's input: all told in one error."""

from __future__ import annotations

import math
import re
from typing import Any

import pandas as pd
import pytest

import gtm_opt as gtm

CALENDAR = gtm.Calendar("2026-01")
AE = gtm.Role("AE", 1200.0, "ENT", cost_pm=20.0)


def plan(**words: Any) -> gtm.HiringPlan:
    words = {"roles": AE, "heads": {"AE": 4}, "targets": {"Q4": 1500.0}, "calendar": CALENDAR, **words}
    return gtm.plan_hiring(words.pop("roles"), words.pop("heads"), words.pop("targets"), words.pop("calendar"), **words)


def frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(columns)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ({"attrition": {"AE": 1.2}}, "attrition['AE'] must be monthly hazards in [0, 1), not yearly rates or per cent"),
        ({"attrition": {"AE": -0.1}}, "attrition['AE'] must be at least 0, got -0.1"),
        ({"attrition": {"AEE": 0.1}}, "Did you mean 'AE'?"),
        ({"attrition": 0.1}, "attrition must be an Attrition, or a mapping of roles"),
        ({"targets": {"Q4": "1.5 M"}}, "targets['target'] of Q4 must be a finite number, got '1.5 M'"),
        ({"targets": {"Q4": math.nan}}, "targets['target'] of Q4 must be a finite number, got nan"),
        ({"targets": {"Q5": 1.0}}, "targets['quarter'] must be quarters of the calendar, got 'Q5'"),
        ({"targets": frame(quarter=["Q1"], segment=["ENTT"], target=[1.0])}, "Did you mean 'ENT'?"),
        ({"targets": frame(quarter=["Q1", "FY2026-Q1"], target=[1.0, 2.0])}, "one row per quarter and segment"),
        ({"targets": frame(quarter=["Q1"], amount=[1.0])}, "targets must have the columns target, got quarter, amount"),
        ({"heads": {"AE": -1}}, "heads['heads'] of AE must be at least 0, got -1"),
        ({"heads": frame(role=["AE"], heads=[1], tenure_m=[0])}, "heads['tenure_m'] of AE must be a whole number"),
        ({"heads": {"SE": 1}}, "heads['role'] must name known roles, got 'SE'"),
        ({"roles": gtm.Role("AE", 1200.0)}, "Role.cost_pm must be known for every role when cost counts"),
        ({"roles": gtm.Role("AE", 0.0, cost_pm=1.0)}, "Role.productivity_py must be above 0 for roles that sell"),
        ({"objective": "cheapest"}, "objective must be of least_cost, most_coverage"),
        ({"objective": ("least_cost", "most_coverage")}, "objective must begin with most_coverage"),
        ({"objective": "least_change"}, "approved must be given for the objective least_change"),
        ({"approved": frame(role=["AE"], month=["2027-01"], hires=[1])}, "approved['month'] must lie in the calendar"),
        ({"promised": frame(role=["AE"], month=["2026-01"], hires=[1.5])}, "must be a whole number"),
        ({"time_to_fill_m": {"AX": 1}}, "time_to_fill_m must name known roles, got 'AX'"),
        ({"seasonality": "curvy"}, "seasonality must be 'flat', 'calendar' or 'selling_days'"),
        ({"rules": ["fast"]}, "rules must be rules of a hiring plan, got 'fast'"),
        ({"rules": [gtm.SupportRatio("SE", {"AE": 3})]}, "SupportRatio.support must name known roles, got 'SE'"),
        ({"rules": [gtm.HiringFreeze("2026-01", "2027-03")]}, "HiringFreeze.last must be a month of the calendar"),
        ({"rules": [gtm.HiringBudget(1.0, "monthly")]}, "HiringBudget.period must be periods of the calendar"),
        ({"rules": [gtm.SeatLimit({"AF": 3})]}, "SeatLimit.seats must name roles or segments, got 'AF'"),
        ({"rules": [gtm.PipelineLimit({"Q9": 1.0}, 0.2)]}, "PipelineLimit.supply must be periods of the calendar"),
    ],
)
def test_a_mistake_is_named_with_its_rule(words: dict[str, Any], text: str) -> None:
    with pytest.raises(gtm.DataError, match=re.escape(text)):
        plan(**words)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: gtm.RecruitingLimit(-1), "RecruitingLimit.max_hires must be at least 0, got -1"),
        (lambda: gtm.RecruitingLimit(1.5), "RecruitingLimit.max_hires must be a whole number, got 1.5"),
        (lambda: gtm.RecruitingLimit(1, months=0), "RecruitingLimit.months must be at least 1"),
        (lambda: gtm.SupportRatio("SE", {"AE": 0}), "SupportRatio.sellers['AE'] must be above 0"),
        (lambda: gtm.SupportRatio("SE", {}), "SupportRatio.sellers must be a mapping of names to numbers"),
        (lambda: gtm.ManagerSpan("MGR", ["AE"], most=4, least=8), "ManagerSpan.least must not exceed most (4)"),
        (lambda: gtm.OnboardingLimit(), "OnboardingLimit must have either share or per_manager"),
        (lambda: gtm.OnboardingLimit(share=1.5), "OnboardingLimit.share must be above 0 and at most 1, got 1.5"),
        (lambda: gtm.OnboardingLimit(per_manager=2.0), "OnboardingLimit.manager must name a role"),
        (lambda: gtm.HiringBudget("3 M"), "HiringBudget.amount must be a finite number, got '3 M'"),  # type: ignore[arg-type]
        (lambda: gtm.HiringBudget(1.0, scope="new"), "HiringBudget.scope must be 'all' or 'hires'"),  # type: ignore[arg-type]
        (lambda: gtm.PipelineLimit({"Q1": 1.0}, 22.0), "PipelineLimit.win_rate must be above 0 and at most 1"),
        (lambda: gtm.Promotion("SDR", "SDR", 12), "Promotion.destination must differ from source"),
        (lambda: gtm.Promotion("SDR", "AE", 0), "Promotion.min_tenure_m must be at least 1"),
        (lambda: gtm.Release("AE", math.inf), "Release.severance must be a finite number"),
    ],
)
def test_a_rule_checks_its_own_numbers(make: Any, text: str) -> None:
    with pytest.raises(gtm.DataError, match=re.escape(text)):
        make()


def test_slots_below_the_hires_promised_are_refused_with_the_months() -> None:
    promised = frame(role=["AE", "AE"], month=["2026-02", "2026-03"], hires=[3, 1])
    with pytest.raises(gtm.DataError, match=r"must leave slots for the hires already promised, got 3 promised for 2"):
        plan(promised=promised, rules=[gtm.RecruitingLimit(2)])
    with pytest.raises(gtm.DataError, match=r"4 promised for 3 slots"):
        plan(promised=promised, rules=[gtm.RecruitingLimit(3, months=2)])


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(gtm.DataError) as error:
        plan(
            roles=[AE, gtm.Role("MM", 700.0, "MM")],
            heads=frame(role=["AE", "XX"], heads=[math.nan, 1]),
            targets=frame(quarter=["Q1", "Q7"], segment=["EMEA", None], target=[1.0, 2.0]),
            attrition={"AE": 20},
            time_to_fill_m=-1,
            rules=[gtm.SeatLimit({"YY": 1})],
        )
    assert len(error.value.findings) >= 8
