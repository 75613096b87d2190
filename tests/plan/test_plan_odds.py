"""A plan with attrition has its expected capacity, and with a spread of results its odds."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import gtm_opt as gtm
from gtm_opt.errors import DataError
from tests.plan.conftest import QUICK, tables

PEOPLE = {
    "attrition": gtm.Attrition(0.25, kind="cohort", new_hire=0.3),
    "backfill": {"default": gtm.Backfill(2, fill_cv=0.3)},
    "attainment": gtm.Attainment(0.4, correlation=0.1),
}


@pytest.fixture(scope="module")
def odds_plan() -> gtm.Plan:
    accounts, reps = tables()
    return gtm.build_plan(
        accounts,
        reps,
        levels=["region"],
        balance=[gtm.Balance("arr", 0.5)],
        roles=gtm.Role("AE", 800_000, ramp=gtm.Ramp.steps([0, 0.25, 0.5, 0.75])),
        calendar=gtm.Calendar("2027-01", season=[0.2, 0.24, 0.26, 0.3]),
        target=3_000_000,
        people=PEOPLE,
        currency="EUR",
        options=QUICK,
    )


def test_the_expected_capacity_stands_beside_the_certain_one(odds_plan: gtm.Plan) -> None:
    assert odds_plan.capacity is not None
    assert odds_plan.capacity.expected is not None
    assert odds_plan.capacity.expected.total < odds_plan.capacity.total
    steps = odds_plan.tables["capacity_waterfall"]
    assert steps["step"].iloc[[0, -1]].tolist() == ["roster", "expected"]
    assert "expected after exits and backfills" in odds_plan.summary()
    assert "odds       FY2027 makes 3,000,000 EUR with probability " in odds_plan.summary()


def test_the_odds_are_those_of_the_quotas_target(odds_plan: gtm.Plan) -> None:
    odds = odds_plan.odds()
    assert odds.targets()[0] == 3_000_000
    assert odds.request.currency == "EUR"
    pd.testing.assert_frame_equal(odds_plan.tables["odds"], odds.table)
    harder = odds_plan.odds(target=6_000_000, paths=2_000, by="role")
    assert harder.p_target < odds.p_target
    assert harder.groups["role"].tolist() == ["AE"]


def test_a_saved_plan_keeps_its_assumptions_and_its_odds(odds_plan: gtm.Plan, tmp_path: Path) -> None:
    odds_plan.save(tmp_path / "plan")
    loaded = gtm.Plan.load(tmp_path / "plan")
    assert loaded.people is not None
    assert loaded.people.attrition == PEOPLE["attrition"]
    assert loaded.capacity is not None
    assert loaded.capacity.expected is not None
    pd.testing.assert_frame_equal(loaded.capacity.expected.waterfall(), odds_plan.capacity.expected.waterfall())  # type: ignore[union-attr]
    assert loaded.odds(paths=1_000).p_target == odds_plan.odds(paths=1_000).p_target


def test_the_report_page_shows_the_waterfall_and_the_fan(odds_plan: gtm.Plan, tmp_path: Path) -> None:
    page = gtm.report(odds_plan, tmp_path / "plan.html")
    text = Path(page).read_text(encoding="utf-8")
    assert "exits and backfills included" in text
    assert "target made with probability" in text


def test_what_a_plan_lacks_for_its_odds_is_named(plan: gtm.Plan) -> None:
    with pytest.raises(DataError, match="`attainment` is needed for the odds"):
        plan.odds()
    bare = gtm.Plan(plan.carving)
    with pytest.raises(DataError, match="a plan has odds only with reps, roles and a calendar"):
        bare.odds(target=1.0, attainment=gtm.Attainment(0.5, correlation=0.1))


def test_wrong_assumptions_about_people_are_told_together() -> None:
    with pytest.raises(DataError, match="3 things") as caught:
        _people(attrition=0.2, attainment=0.5, interim_frac=2)
    for text in ("`attrition` must be an Attrition", "`attainment` must be an Attainment", "`interim_frac`"):
        assert text in str(caught.value)
    with pytest.raises(DataError, match="`backfill` needs `attrition`"):
        _people(backfill=gtm.Backfill(2))


def _people(**words: object) -> object:
    from gtm_opt.plan.people import PeopleOptions

    return PeopleOptions(**words)  # type: ignore[arg-type]
