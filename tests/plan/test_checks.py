from __future__ import annotations

from dataclasses import replace

import pandas as pd

from gtm_opt.model import Balance, CarvingProblem
from gtm_opt.plan import Plan, build_plan
from tests.plan.conftest import make_plan


def test_a_sound_plan_holds_and_says_what_was_checked(plan: Plan) -> None:
    check = plan.check()
    assert check.ok
    assert len(check.checked) == 6
    assert str(check).startswith("everything holds (6 checks)")


def test_a_band_that_is_broken_is_a_violation_with_its_territory() -> None:
    accounts = pd.DataFrame({"account_id": list("abc"), "arr_usd": [10.0, 1.0, 1.0]})
    problem = CarvingProblem(accounts, 2, [Balance("arr_usd", 0.05)])
    check = build_plan(problem, carve_options={"solver": "lpt", "on_infeasible": "nearest"}).check()
    assert not check.ok
    assert check.violations["rule"].tolist() == ["band of arr_usd"] * 2
    assert "T1 holds 10" in check.violations["detail"][0]


def test_a_territory_nobody_covers_is_a_violation(plan: Plan) -> None:
    assert plan.staffing is not None
    table = plan.staffing.table.copy()
    table.loc[0, ["rep_id", "cover_rep_id"]] = None
    check = replace(plan, staffing=replace(plan.staffing, table=table)).check()
    assert check.violations["rule"].tolist() == ["staffed or covered"]
    assert "r1 has no rep and no cover" in str(check)


def test_a_rep_in_two_seats_is_a_violation(plan: Plan) -> None:
    assert plan.staffing is not None
    table = plan.staffing.table.copy()
    table.loc[1, "rep_id"] = "r1"
    check = replace(plan, staffing=replace(plan.staffing, table=table)).check()
    assert "r1 sits in 'r1', 'r2'" in str(check)


def test_quotas_that_do_not_tie_out_are_a_violation(plan: Plan) -> None:
    assert plan.quotas is not None
    table = plan.quotas.table.copy()
    leaf = table.index[table["is_leaf"]][0]
    table.loc[leaf, "quota_usd"] += 1_000
    check = replace(plan, quotas=replace(plan.quotas, table=table)).check()
    assert check.violations["rule"].tolist() == ["tie-out"]
    assert "1,000" in check.violations["detail"][0] or "instead of" in check.violations["detail"][0]


def test_stages_about_other_territories_are_a_violation(plan: Plan) -> None:
    assert plan.staffing is not None
    table = plan.staffing.table.replace({"territory": {"r6": "r7"}})
    check = replace(plan, staffing=replace(plan.staffing, table=table)).check()
    details = " ".join(check.violations["detail"])
    assert "1 territory missing: 'r6'" in details
    assert "'r7'" in details


def test_open_seats_and_thin_coverage_are_notes_not_violations(plan: Plan) -> None:
    rules = set(plan.check().notes["rule"])
    assert "open seats with a cover" in rules
    poor = make_plan(target_usd=40_000_000).check()
    assert poor.ok
    assert "covers the target" in set(poor.notes["rule"])
