from __future__ import annotations

import pandas as pd
import pytest

from gtm_opt.carving import CarveOptions
from gtm_opt.errors import DataError
from gtm_opt.model import Balance, CarvingProblem
from gtm_opt.plan import Plan, build_plan

QUICK = CarveOptions(solver="lpt")


def accounts() -> pd.DataFrame:
    return pd.DataFrame({"account_id": list("abcdef"), "arr": [6.0, 5.0, 4.0, 3.0, 2.0, 1.0]})


def test_every_stage_is_made_when_its_input_is_there(plan: Plan) -> None:
    assert plan.staffing is not None
    assert plan.capacity is not None
    assert plan.quotas is not None
    assert plan.quotas.street == 4_200_000
    assert plan.carving.hierarchy.leaves == ("r1", "r2", "r3", "r4", "r5", "r6")
    assert plan.staffing.effective == pd.Timestamp("2027-01-01")


def test_a_carve_alone_is_a_plan_without_further_stages() -> None:
    plan = build_plan(accounts(), territories=2, balance=[Balance("arr")], options=QUICK)
    assert (plan.staffing, plan.capacity, plan.quotas) == (None, None, None)
    assert "Carving of 6 accounts" in plan.summary()


def test_plan_build_is_the_same_door() -> None:
    problem = CarvingProblem(accounts(), 2, [Balance("arr")])
    one, two = Plan.build(problem, options=QUICK), build_plan(problem, options=QUICK)
    assert one.compare(two).same


def test_quotas_follow_the_account_column_they_are_weighed_by() -> None:
    plan = build_plan(
        accounts(),
        territories=2,
        balance=[Balance("arr")],
        target=2_100,
        unit=1,
        quota_weights="arr",
        options=QUICK,
    )
    carried = plan.carving.accounts.groupby("territory")["arr"].sum()
    assert plan.quotas is not None
    assert plan.quotas.quota("T1") == 100 * carried["T1"]


def test_mistakes_in_the_quota_words_are_found_before_the_carve() -> None:
    with pytest.raises(DataError, match=r"multiple of the unit of 1,000.*got 1,500"):
        build_plan(accounts(), territories=2, balance=[Balance("arr")], target=1_500, options=CarveOptions(solver="?"))
    with pytest.raises(DataError, match="account column, got 'arrr'"):
        build_plan(
            accounts(),
            territories=2,
            balance=[Balance("arr")],
            target=1_000,
            quota_weights="arrr",
            options=QUICK,
        )


def test_a_problem_and_its_parts_together_are_refused() -> None:
    problem = CarvingProblem(accounts(), 2, [Balance("arr")])
    with pytest.raises(TypeError, match="got a problem and balance"):
        build_plan(problem, balance=[])
    with pytest.raises(TypeError, match="needs `reps`, `territories` or a hierarchy"):
        build_plan(accounts(), balance=[Balance("arr")])
    with pytest.raises(DataError, match="levels needs `reps`"):
        build_plan(problem, levels=["region"])
