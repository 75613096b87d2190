"""Attrition and backfill: what is understood, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gtm_opt as gtm
from gtm_opt.errors import DataError

ENT, SMB = gtm.Role("AE-ENT", 1_200_000, "ENT"), gtm.Role("AE-SMB", 400_000, "SMB")


def test_rates_are_found_by_role_then_segment_then_default() -> None:
    attrition = gtm.Attrition({"AE-ENT": 0.1, "SMB": 0.3, "default": 0.2}, kind="cohort")
    assert [attrition.rate(role) for role in (ENT, SMB, gtm.Role("AM", 1.0))] == [0.1, 0.3, 0.2]
    attrition.check_roles([ENT, SMB])


def test_new_hires_fail_apart_and_lose_the_stated_share_in_their_first_year() -> None:
    hazards = gtm.Attrition(0.15, kind="turnover", new_hire=0.28).hazards(ENT, 24)
    assert np.prod(1 - hazards[:12]) == pytest.approx(0.72)
    assert set(hazards[12:]) == {gtm.monthly_hazard(0.15, "turnover")}


def test_thirteen_periods_of_a_year_lose_as_many_as_twelve_months() -> None:
    attrition = gtm.Attrition(0.2, kind="cohort", new_hire=0.3)
    assert np.prod(1 - attrition.hazards(ENT, 13, periods_py=13)) == pytest.approx(0.7)
    assert (1 - attrition.hazard(ENT, periods_py=13)) ** 13 == pytest.approx(0.8)


def test_the_kind_of_a_rate_must_be_said() -> None:
    with pytest.raises(DataError, match=r"Attrition.kind must be 'cohort' .* or 'turnover' .*, got nothing"):
        gtm.Attrition(0.2)


def test_everything_wrong_with_an_attrition_is_said_at_once() -> None:
    with pytest.raises(DataError, match="7 things are wrong") as caught:
        gtm.Attrition(
            {"AE-ENT": 20, "SMB": -0.1, "AM": "a lot"},  # type: ignore[dict-item]
            kind="yearly",  # type: ignore[arg-type]
            new_hire=float("nan"),
            involuntary_output=0.0,
            exits="never",  # type: ignore[arg-type]
        )
    text = str(caught.value)
    assert "Attrition.annual['AE-ENT'] must be a rate of at least 0 and below 1, got 20." in text
    assert "Write 20 % as 0.20." in text
    assert "got 'a lot'" in text
    assert "got nan" in text
    assert "Attrition.exits must be 'end_of_month' or 'mid_month'" in text


def test_a_rate_for_an_unknown_name_and_a_role_without_a_rate_are_refused_together() -> None:
    with pytest.raises(DataError, match="2 things") as caught:
        gtm.Attrition({"AE-ENTT": 0.2}, kind="cohort").check_roles([ENT, SMB])
    assert "Did you mean 'AE-ENT'?" in str(caught.value)
    assert "must have a value for every role; violated by 2 roles: 'AE-ENT', 'AE-SMB'" in str(caught.value)
    with pytest.raises(DataError, match="no rate for role 'AE-SMB', only for: AE-ENT"):
        gtm.Attrition({"AE-ENT": 0.2}, kind="cohort").hazard(SMB)


@given(time=st.floats(0, 9), notice=st.floats(0, 4), spread=st.floats(0, 1.2))
def test_a_lag_in_whole_months_keeps_its_mean(time: float, notice: float, spread: float) -> None:
    backfill = gtm.Backfill(time, notice_m=notice, fill_cv=spread)
    chances = backfill.lag_distribution()
    assert chances.sum() == pytest.approx(1)
    assert (chances >= 0).all()
    assert np.arange(len(chances)) @ chances == pytest.approx(time + notice, abs=2e-3)


def test_a_backfill_with_impossible_words_is_refused() -> None:
    with pytest.raises(DataError, match="3 things") as caught:
        gtm.Backfill(-1, fill_cv=9, ramp=[0, 0.5])  # type: ignore[arg-type]
    assert "Backfill.time_to_fill_m must lie between 0 and 36, got -1" in str(caught.value)
    assert "Backfill.ramp must be a Ramp" in str(caught.value)


def test_both_are_values_that_can_be_compared_and_hashed() -> None:
    assert gtm.Attrition({"A": 0.1}, kind="cohort") == gtm.Attrition({"A": 0.1}, kind="cohort")
    assert hash(gtm.Attrition(0.1, kind="cohort")) == hash(gtm.Attrition({"default": 0.1}, kind="cohort"))
    assert gtm.Backfill(2) == gtm.Backfill(2.0)
