"""Sizing: which way binds, heads and money over segments, growth, return of a hire."""

from __future__ import annotations

import itertools
import math
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtm_opt as gtm

CALENDAR = gtm.Calendar("2026-01")


@given(
    st.lists(st.lists(st.integers(0, 20), min_size=6, max_size=6), min_size=1, max_size=3),
    st.integers(0, 5),
    st.lists(st.integers(0, 1), min_size=3, max_size=3),
)
@settings(max_examples=80)
def test_no_other_split_of_heads_brings_more(values: list[list[int]], heads: int, least: list[int]) -> None:
    responses = {f"s{k}": [float(v) for v in row] for k, row in enumerate(values)}
    at_least = dict(zip(responses, least, strict=False))
    if sum(at_least.values()) > heads:
        return
    found = gtm.allocate_heads(responses, heads, at_least=at_least)
    splits = [
        s
        for s in itertools.product(range(heads + 1), repeat=len(values))
        if sum(s) == heads and all(n >= m for n, m in zip(s, at_least.values(), strict=True))
    ]
    best = max(sum(row[n] for row, n in zip(values, s, strict=True)) for s in splits)
    assert found.value == best
    assert found.heads == heads
    assert found.greedy_value <= found.value


@given(st.integers(0, 12))
def test_more_heads_never_bring_less_on_rising_curves(heads: int) -> None:
    curves = {"A": gtm.AdbudgResponse(0, 10, 3, 64), "B": gtm.SaturatingResponse(5, 0.3)}
    less, more = (gtm.allocate_heads(curves, n).value for n in (heads, heads + 1))
    assert more >= less


def test_a_tie_goes_to_the_earlier_segment() -> None:
    assert gtm.allocate_heads({"A": [0, 1, 2], "B": [0, 1, 2]}, 2).table["heads"].tolist() == [2, 0]


def test_a_segment_takes_no_more_heads_than_it_may() -> None:
    curves = {"A": gtm.SaturatingResponse(100, 0.5), "B": gtm.SaturatingResponse(1, 0.5)}
    found = gtm.allocate_heads(curves, 5, at_most={"A": 2}, at_least={"B": 1})
    assert found.table["heads"].tolist() == [2, 3]
    assert math.isnan(found.table["next"][0])


def test_a_budget_keeps_its_fixed_part_and_equalizes_marginal_returns() -> None:
    curves = {"A": gtm.PowerResponse(3.0, 0.4), "B": gtm.PowerResponse(2.0, 0.5)}
    found = gtm.allocate_budget(curves, 10.0, fixed={"A": 1.0}, step=0.01)
    spend = found.table["spend"].to_numpy()
    assert spend.sum() == pytest.approx(10.0)
    assert spend[0] >= 1.0
    slopes = [3.0 * 0.4 * spend[0] ** -0.6, 2.0 * 0.5 * spend[1] ** -0.5]
    assert slopes[0] == pytest.approx(slopes[1], rel=5e-3)
    large = gtm.allocate_budget(curves, 10.0, fixed={"A": 9.0}, step=0.01)
    assert large.table["spend"].tolist() == pytest.approx([9.0, 1.0])
    assert large.value < found.value


def test_money_that_adds_nothing_is_left_over() -> None:
    found = gtm.allocate_budget({"A": lambda x: np.minimum(x, 3.0)}, 10.0, step=1.0)
    assert found.table["spend"].tolist() == [3.0]
    assert found.unspent == 7.0


def test_heads_and_programme_money_are_decided_together() -> None:
    """Each head works 2 of money: more money than that is wasted, more heads idle; checked against every division."""

    def response(heads: Any, money: Any) -> Any:
        return 10.0 * np.minimum(heads, np.asarray(money) / 2.0)

    pod = gtm.HeadsAndMoney(3.0, response)
    curve = gtm.SaturatingResponse(12.0, 0.2)
    found = gtm.allocate_budget({"pod": pod, "web": curve}, 20.0, step=0.5)
    best = max(
        10.0 * min(heads, money / 2.0) + float(curve(20.0 - 3.0 * heads - money))
        for heads in range(7)
        for money in np.arange(0.0, 20.5, 0.5)
        if 3.0 * heads + money <= 20.0
    )
    assert found.value == pytest.approx(best)
    assert found.table["heads"].tolist()[0] == 4


def test_fits_recover_the_curves_that_made_the_points() -> None:
    x = np.array([0.25, 0.5, 1.0, 1.5, 2.0])
    power = gtm.PowerResponse(2.0, 0.3)
    fitted = gtm.PowerResponse.fit(x, power(x))
    assert (fitted.scale, fitted.elasticity) == pytest.approx((2.0, 0.3))
    curve = gtm.AdbudgResponse(0.2, 1.7, 2.2, 0.8)
    again = gtm.AdbudgResponse.fit(x, curve(x), none=0.2, saturation=1.7)
    assert (again.shape, again.scale) == pytest.approx((2.2, 0.8), rel=1e-5)
    half = float(curve(0.5) / curve(1.0))
    asked = gtm.AdbudgResponse.from_answers(
        none=0.2 / float(curve(1.0)), half=half, more=float(curve(1.5) / curve(1.0)), saturation=1.7 / float(curve(1.0))
    )
    assert asked.shape == pytest.approx(2.2, rel=1e-4)


def test_the_way_that_needs_most_heads_binds_and_the_market_is_a_ceiling() -> None:
    table = pd.DataFrame(
        {
            "segment": ["ENT", "MM"],
            "accounts": [100, 300],
            "calls_py": [20, 10],
            "hours_per_call": [1.0, 0.5],
            "accounts_per_rep": [20, 60],
            "target": [9e6, 2e6],
            "productivity_py": [1e6, 0.7e6],
            "potential": [30e6, 20e6],
            "obtainable_share": [0.25, 0.25],
            "viable_territory": [1e6, 0.5e6],
        }
    )
    size = gtm.size_team(table, weeks_py=46, hours_per_week=40, selling_share=0.5).table
    assert size["binds"].tolist() == ["revenue", "coverage"]
    assert size["heads"].tolist() == [9, 5]
    assert size["market"].tolist() == [7.5, 10.0]
    assert size["beyond_market"].tolist() == [2, 0]
    only = gtm.size_team(table, ways=["workload"]).table
    assert only["binds"].tolist() == ["workload", "workload"]


def test_growth_that_is_possible_comes_with_its_cheapest_plan() -> None:
    role = gtm.Role("AE", 1200.0, ramp=gtm.Ramp.steps([0, 0.5]), cost_pm=20.0)
    last = dict.fromkeys(["Q1", "Q2", "Q3", "Q4"], 1000.0)
    found = gtm.plan_growth(0.3, last, role, {"AE": 4}, CALENDAR, rules=[gtm.RecruitingLimit(1)])
    assert found.first_quarter == "FY2026-Q1"
    assert found.plan.objective > 0
    direct = gtm.plan_hiring(
        role,
        {"AE": 4},
        dict.fromkeys(found.table["quarter"], 1300.0),
        CALENDAR,
        rules=[gtm.RecruitingLimit(1)],
    )
    assert found.plan.objective == pytest.approx(direct.objective)


def test_growth_that_is_too_fast_is_dated() -> None:
    role = gtm.Role("AE", 1200.0, ramp=gtm.Ramp.steps([0, 0, 0]), cost_pm=20.0)
    last = dict.fromkeys(["Q1", "Q2", "Q3", "Q4"], 1200.0)
    found = gtm.plan_growth(0.6, last, role, {"AE": 4}, CALENDAR, rules=[gtm.RecruitingLimit(1)])
    # three hires in Q1 are productive for three, two and one months of Q2: 600 of the 720 that are missing
    assert found.first_quarter == "FY2026-Q3"
    assert found.is_proven
    assert "60 % growth is not possible before FY2026-Q3" in found.summary()
    never = gtm.plan_growth(5.0, last, role, {"AE": 4}, CALENDAR, rules=[gtm.RecruitingLimit(1)])
    assert never.first_quarter is None
    assert "500 % growth is not possible in this calendar: at most" in never.summary()


def test_a_late_start_returns_less_and_a_month_faster_ramp_is_worth_its_bookings() -> None:
    role = gtm.Role("AE", 1200.0, ramp=gtm.Ramp.steps([0, 0.5]), cost_pm=20.0, hire_cost=15.0)
    table = gtm.hire_return(role, CALENDAR, margin=0.8).table
    assert table["bookings"].tolist()[:2] == [100.0 * 10.5, 100.0 * 9.5]
    assert table["cost"].tolist()[:2] == [15 + 240, 15 + 220]
    assert (np.diff(table["return_frac"]) < 0).all()
    assert table["faster_ramp"][0] == pytest.approx(0.8 * (0.5 + 0.5) * 100.0)
    assert table["fewer_exits"].abs().max() < 1e-9
    # 15 + 20, then 20 a month, against 0, 40, 80: paid in month 3
    assert table["payback_m"].tolist()[0] == 3
    assert pd.isna(table["payback_m"].tolist()[-1])


def test_fewer_exits_are_worth_something_where_people_leave() -> None:
    role = gtm.Role("AE", 1200.0, ramp=gtm.Ramp.steps([0, 0.5]), cost_pm=20.0)
    flat = gtm.hire_return(role, CALENDAR, attrition=0.02)
    yearly = gtm.Attrition(1.0 - 0.98**12, kind="cohort")
    assert (flat.table["fewer_exits"].iloc[:-1] >= 0).all()
    assert flat.table["fewer_exits"][0] > 0
    assert gtm.hire_return(role, CALENDAR, attrition=yearly).table["net"].tolist() == pytest.approx(
        flat.table["net"].tolist()
    )


def test_objectives_that_do_not_add_up_or_have_no_accounts_behind_them_are_told() -> None:
    table = pd.DataFrame(
        {
            "by": ["tier", "tier", "motion", "motion"],
            "name": ["A", "B", "new", "expand"],
            "target": [6e6, 4e6, 7e6, 2e6],
            "accounts": [200, 500, None, None],
            "win_rate": [0.2, 0.1, None, None],
            "deal_size": [120e3, 100e3, None, None],
        }
    )
    check = gtm.check_objectives(table, 10e6, currency="EUR")
    assert not check.ties_out
    assert not check.is_supported
    assert check.summary().splitlines() == [
        "motion: targets sum to 9,000,000 EUR, 1,000,000 EUR less than the total of 10,000,000 EUR",
        "tier A: 4,800,000 EUR from below for 6,000,000 EUR asked, its accounts would have to be won at 25 %",
    ]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: gtm.PowerResponse(2, 1.0), "PowerResponse.elasticity must be a number above 0 and below 1, got 1.0"),
        (lambda: gtm.AdbudgResponse(2, 1, 1, 1), "AdbudgResponse must have 0 <= low < high"),
        (
            lambda: gtm.AdbudgResponse.from_answers(none=0.5, more=2, saturation=1.5),
            "0 <= none < 1 < more < saturation",
        ),
        (lambda: gtm.PowerResponse.fit([1, 1, 1], [1, 2, 3]), "a fit needs 3 or more points of different effort"),
        (lambda: gtm.allocate_heads({}, 3), "responses must be a mapping of segments to responses"),
        (lambda: gtm.allocate_heads({"A": [0, 1]}, -1), "heads must be a whole number, not negative"),
        (lambda: gtm.allocate_heads({"A": [0, math.nan]}, 1), "responses['A'] must give finite numbers"),
        (lambda: gtm.allocate_heads({"A": [0, 1]}, 1, at_least={"B": 1}), "at_least must name segments of responses"),
        (lambda: gtm.allocate_heads({"A": [0, 1]}, 1, at_least={"A": 2}), "at_least must not exceed at_most"),
        (lambda: gtm.allocate_budget({"A": gtm.PowerResponse(1, 0.5)}, 0), "budget must be a number above 0"),
        (
            lambda: gtm.allocate_budget({"A": gtm.PowerResponse(1, 0.5)}, 1, fixed={"A": 2}),
            "must not exceed the budget",
        ),
        (lambda: gtm.size_team(pd.DataFrame({"segment": ["A"], "acounts": [1]})), "Did you mean 'accounts'?"),
        (lambda: gtm.size_team(pd.DataFrame({"segment": ["A"], "accounts": [5], "accounts_per_rep": [0]})), "above 0"),
        (lambda: gtm.size_team(pd.DataFrame({"segment": ["A"], "accounts": [5]})), "the columns of at least one way"),
        (lambda: gtm.pod_cost(1, {"SE": (1, 0)}), "support['SE'] sellers must be a number above 0"),
        (lambda: gtm.cac_payback(1, 1, margin=78), "margin must be a number above 0 and at most 1, got 78"),
        (
            lambda: gtm.hire_return(gtm.Role("AE", 1.0), CALENDAR),
            "pod_cost_py must be given where the role has no cost",
        ),
        (lambda: gtm.plan_growth(0.2, {"Q1": 1.0}, gtm.Role("AE", 1.0), {}, CALENDAR), "last_year must hold FY2026-Q1"),
        (lambda: gtm.check_objectives(pd.DataFrame({"by": [1]}), 1.0), "objectives must have the columns name, target"),
    ],
)
def test_a_mistake_is_named_with_its_rule(call: Any, text: str) -> None:
    with pytest.raises(gtm.DataError, match=re.escape(text)):
        call()
