"""What is assumed about people's time reaches capacity, quotas of sellers, saved plans and the config."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import gtm_opt as gtm

ACCOUNTS = pd.DataFrame({"account_id": list("abcd"), "arr": [1.0, 1.0, 1.0, 1.0]})
REPS = pd.DataFrame({"rep_id": ["Ann", "Bob"], "start_date": ["2020-01-01", "2027-03-01"]})
YEAR = gtm.Calendar("2027-01", season=[0.2, 0.2, 0.2, 0.4])
LEAVE = pd.DataFrame({"rep_id": ["Ann"], "start_date": ["2027-07-01"], "end_date": ["2027-09-30"]})


def build(**words: Any) -> gtm.Plan:
    return gtm.build_plan(
        ACCOUNTS,
        REPS,
        balance=[gtm.Count(0.5)],
        roles=gtm.Role("AE", 1_200_000),
        calendar=YEAR,
        target=200_000,
        quota_weights="equal",
        options=gtm.CarveOptions(effort=0.1),
        **words,
    )


def asked(plan: gtm.Plan, rep: str) -> float:
    sellers = plan.tables["sellers"]
    return float(sellers.loc[sellers["rep_id"] == rep, "seller_quota"].sum())


def test_who_starts_in_march_is_asked_for_exactly_ten_months_of_the_season() -> None:
    # 100,000 a year by quarters of 20, 20, 20 and 40 %: 6,667 + 20,000 + 20,000 + 40,000
    assert asked(build(), "Bob") == pytest.approx(86_666.67, abs=0.01)


def test_leaves_and_seasonality_reach_the_capacity() -> None:
    plain, away = build().capacity, build(people=gtm.PeopleOptions(leaves=LEAVE)).capacity
    assert plain is not None
    assert away is not None
    assert plain.total - away.total == pytest.approx(300_000, rel=0.01)
    season = build(people={"seasonality": "calendar"}).capacity
    assert season is not None
    lost = 1_200_000 * 2 / 3 * 0.2  # January and February of a first quarter with 20 %
    assert season.total == pytest.approx(2_400_000 - lost, rel=0.02)


def test_leaves_relieve_quota_only_where_that_is_asked_for() -> None:
    assert asked(build(people={"leaves": LEAVE}), "Ann") == pytest.approx(100_000)
    relieved = build(people={"leaves": LEAVE, "relieve_quota": True})
    assert asked(relieved, "Ann") == pytest.approx(80_000)
    assert relieved.tables["sellers"]["hold"].sum() == pytest.approx(20_000 + 13_333.33, abs=0.01)


def test_signed_adjustments_are_part_of_the_sheet_of_sellers() -> None:
    plan = build(people=gtm.PeopleOptions(adjustments={"Ann": -10_000, "Bob": 5_000}))
    assert asked(plan, "Ann") == pytest.approx(90_000)
    assert asked(plan, "Bob") == pytest.approx(91_666.67, abs=0.01)


def test_saved_plans_keep_what_was_assumed(tmp_path: Path) -> None:
    plan = build(people=gtm.PeopleOptions(leaves=LEAVE, relieve_quota=True, adjustments={"Ann": -10_000}))
    plan.save(tmp_path / "p")
    again = gtm.Plan.load(tmp_path / "p")
    assert again.people is not None
    assert again.people.adjustments == {"Ann": -10_000}
    pd.testing.assert_frame_equal(again.tables["sellers"], plan.tables["sellers"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"proration": "weeks"}, "`proration` must be one of days"),
        ({"interim_frac": 1.5}, "`interim_frac` must lie between 0 and 1"),
        ({"seasonality": "wavy"}, "`seasonality` must be one of flat"),
    ],
)
def test_assumptions_out_of_range_are_told(words: dict[str, Any], message: str) -> None:
    with pytest.raises(gtm.DataError, match=message):
        gtm.PeopleOptions(**words)


def test_an_unknown_assumption_is_refused() -> None:
    with pytest.raises(TypeError, match="'leave' is no option of people"):
        build(people={"leave": LEAVE})


def test_leaves_and_adjustments_of_strangers_are_told_before_the_carve() -> None:
    words = {"leaves": LEAVE.assign(rep_id="Zoe"), "adjustments": {"BOB": -1_000}}
    with pytest.raises(gtm.DataError) as caught:
        build(people=words)
    assert "leaves['rep_id'] must name people of the team" in str(caught.value)
    assert "would match in another case: 'BOB' as 'Bob'" in str(caught.value)
