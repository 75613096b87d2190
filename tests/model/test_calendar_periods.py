"""Horizons, years of whole weeks, selling days: period boundaries are days everywhere."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gtm_opt as gtm
from gtm_opt.errors import DataError

RAMPED = pd.DataFrame({"rep_id": ["R"]})


def test_every_horizon_of_whole_quarters_up_to_five_years_is_a_calendar() -> None:
    for months in range(3, 61, 3):
        calendar = gtm.Calendar("2026-02", months=months)
        assert len(calendar.quarters) == months // 3
        assert calendar.edges[-1] == np.datetime64("2026-02", "M") + months
        assert gtm.capacity(RAMPED, gtm.Role("AE", 1_200_000), calendar).total == pytest.approx(100_000 * months)
    for months in (0, 4, 63, True, 12.5):
        with pytest.raises(DataError, match="must be whole quarters, 3 to 60 months"):
            gtm.Calendar("2026-02", months=months)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("weeks", "first", "last"), [("4-4-5", [4, 4, 5], "2026-05-02"), ("4-5-4", [4, 5, 4], "2026-05-02")]
)
def test_periods_of_weeks_begin_on_the_same_weekday(weeks: str, first: list[int], last: str) -> None:
    calendar = gtm.Calendar("2026-02-01", weeks=weeks)  # type: ignore[arg-type]
    assert (calendar.days[:3] / 7).tolist() == first
    assert {pd.Timestamp(day).day_name() for day in calendar.edges} == {"Sunday"}
    assert calendar.days.sum() == 364
    assert pd.Timestamp(calendar.edges[3]) - pd.Timedelta(days=1) == pd.Timestamp(last)
    assert calendar.labels[0] == "2026-02"
    np.testing.assert_allclose(calendar.shares[:3], np.array(first) / 52)
    assert calendar.years == ("FY2027",)


def test_a_year_of_53_weeks_is_named_and_never_guessed() -> None:
    plain = gtm.Calendar("2026-02-01", months=24, weeks="4-4-5")
    long = gtm.Calendar("2026-02-01", months=24, weeks="4-4-5", long_years=["FY2027"])
    assert (long.days - plain.days).tolist() == [0] * 11 + [7] + [0] * 12
    assert long.shares[:12].sum() == pytest.approx(1)
    assert long.shares[0] == pytest.approx(4 / 53)
    with pytest.raises(DataError, match="must name fiscal years of the calendar, and needs `weeks`, got FY2031"):
        gtm.Calendar("2026-02-01", weeks="4-4-5", long_years=["FY2031"])


def test_thirteen_periods_have_quarters_of_three_three_three_and_four() -> None:
    calendar = gtm.Calendar("2025-12-28", months=18, weeks="13x4")
    assert calendar.n_periods == 19
    assert calendar.labels[:2] == ("FY2026-P01", "FY2026-P02")
    assert np.bincount(calendar.quarter_of_month).tolist() == [3, 3, 3, 4, 3, 3]
    np.testing.assert_allclose(calendar.quarter_shares[:4], np.array([3, 3, 3, 4]) / 13)
    seasonal = gtm.Calendar("2025-12-28", weeks="13x4", season=[0.2, 0.24, 0.26, 0.3])
    np.testing.assert_allclose(seasonal.quarter_shares, [0.2, 0.24, 0.26, 0.3])
    with pytest.raises(DataError, match="must not be given with thirteen periods"):
        gtm.Calendar("2025-12-28", weeks="13x4", in_quarter=[0.3, 0.3, 0.4])


def test_capacity_and_quotas_follow_thirteen_periods() -> None:
    calendar = gtm.Calendar("2025-12-28", weeks="13x4", season=[0.2, 0.24, 0.26, 0.3])
    role = gtm.Role("AE", 1_300_000, ramp=gtm.Ramp.linear(6))
    people = pd.DataFrame({"rep_id": ["R"], "start_date": ["2025-12-28"]})
    result = gtm.capacity(people, role, calendar)
    assert len(result.table) == 13
    # thirteen periods are twelve months: what the ramp costs is its loss of three months
    assert result.total == pytest.approx(1_300_000 * (1 - 3 / 12))
    tree = gtm.Hierarchy.from_frame(
        pd.DataFrame({"node_id": ["all", "A", "B"], "parent_id": [None, "all", "all"], "w": [3, 1, 2]}), share="w"
    )
    quotas = gtm.cascade(tree, 1_000_000, calendar=calendar)
    root = quotas.by_quarter().iloc[0, 1:].tolist()
    assert root == [200_000, 240_000, 260_000, 300_000]


def test_a_tenure_month_of_weeks_is_a_period_also_for_hires_before_the_plan() -> None:
    calendar = gtm.Calendar("2026-02-01", weeks="4-4-5")
    role = gtm.Role("AE", 5_200_000, ramp=gtm.Ramp.steps([0, 0.25, 0.5, 0.75]))
    people = pd.DataFrame({"rep_id": ["R"], "start_date": ["2025-12-28"]})  # first day of the last period of 2025
    table = gtm.capacity(people, role, calendar).table
    assert table["tenure_m"].tolist()[:3] == [2, 3, 4]
    np.testing.assert_allclose(table["capacity"][:4], [100_000, 200_000, 375_000, 400_000])


def test_selling_days_leave_out_weekends_and_holidays() -> None:
    calendar = gtm.Calendar("2026-01", holidays=["2026-01-01", "2026-01-01", "2026-01-06"])
    assert calendar.holidays == ("2026-01-01", "2026-01-06")
    assert calendar.selling_days[:2].tolist() == [20, 20]
    six = gtm.Calendar("2026-01", weekmask="1111110")
    assert six.selling_days[0] == 27


def test_selling_days_prorate_and_spread_the_year() -> None:
    role = gtm.Role("AE", 1_200_000)
    calendar = gtm.Calendar("2026-01", holidays=["2026-01-01", "2026-01-06"])
    joiner = pd.DataFrame({"rep_id": ["R"], "start_date": ["2026-01-19"]})
    january = gtm.capacity(joiner, role, calendar, proration="selling_days").by("month")["capacity"][0]
    assert january == pytest.approx(100_000 * 10 / 20)
    spread = gtm.capacity(RAMPED, role, calendar, seasonality="selling_days")
    assert spread.total == pytest.approx(1_200_000)
    days = calendar.selling_days
    np.testing.assert_allclose(spread.by("month")["capacity"], 1_200_000 * days / days.sum())


def test_a_period_without_selling_days_cannot_prorate() -> None:
    closed = pd.date_range("2026-08-01", "2026-08-31").strftime("%Y-%m-%d")
    calendar = gtm.Calendar("2026-01", holidays=list(closed))
    with pytest.raises(DataError, match="must not be 'selling_days' where a period has none: '2026-08'"):
        gtm.capacity(RAMPED, gtm.Role("AE", 1.0), calendar, proration="selling_days")
    assert gtm.capacity(RAMPED, gtm.Role("AE", 1.0), calendar, seasonality="selling_days").total == pytest.approx(1)


def test_everything_wrong_with_a_calendar_of_weeks_is_said_at_once() -> None:
    with pytest.raises(DataError, match="4 things are wrong") as caught:
        gtm.Calendar("2026-02", weeks="4-4-5", holidays=["1/2/2026"], weekmask="11111", season=[1.0])
    text = str(caught.value)
    assert "must be a day where periods are whole weeks, got '2026-02'" in text
    assert "Calendar.holidays must hold dates; violated by 1 holiday: '1/2/2026'" in text
    assert "seven 0 or 1" in text
    with pytest.raises(DataError, match=r"Calendar.weeks must be one of 4-4-5, 4-5-4, 5-4-4, 13x4"):
        gtm.Calendar("2026-02", weeks="4-4-4")  # type: ignore[arg-type]


@given(
    weeks=st.sampled_from([None, "4-4-5", "4-5-4", "5-4-4", "13x4"]),
    months=st.integers(1, 20).map(lambda quarters: 3 * quarters),
    first=st.dates(pd.Timestamp("2020-01-01").date(), pd.Timestamp("2030-12-28").date()),
    offset=st.integers(-4000, 4000),
)
def test_positions_count_periods_and_go_back_to_days(weeks, months, first, offset) -> None:
    calendar = gtm.Calendar(first, months=months, weeks=weeks)
    assert len(calendar.periods) == calendar.n_periods == len(calendar.days) == len(calendar.shares)
    assert len(set(calendar.labels)) == calendar.n_periods
    day = calendar.edges[0] + np.timedelta64(offset, "D")
    position = calendar.grid.position(np.array([day]))[0]
    assert (
        calendar.grid.first_day(int(np.floor(position))) <= day < calendar.grid.first_day(int(np.floor(position)) + 1)
    )
    np.testing.assert_allclose(calendar.grid.position(calendar.edges), np.arange(calendar.n_periods + 1))
    full = calendar.n_periods // calendar.periods_py * calendar.periods_py
    for shares in (calendar.shares, calendar.flat_shares, calendar.selling_shares):
        assert shares[:full].sum() == pytest.approx(full / calendar.periods_py)
