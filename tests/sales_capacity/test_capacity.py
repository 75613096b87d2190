from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtm_opt.errors import DataError
from gtm_opt.model.calendar import Calendar
from gtm_opt.model.ramp import Ramp
from gtm_opt.model.roles import Role
from gtm_opt.sales_capacity import capacity

FY26 = Calendar("2026-01")
AE = Role("AE", 1_200_000, ramp=Ramp.steps([0, 0.25, 0.5, 0.75]))


def roster(*rows: dict) -> pd.DataFrame:
    return pd.DataFrame(list(rows))


T_ROSTER = roster(
    {"seat_id": "S1", "rep_id": "R1"},
    {"seat_id": "S2", "rep_id": "R2", "start_date": "2026-03-16"},
    {"seat_id": "S3", "rep_id": "R3"},
    {"seat_id": "S4", "rep_id": "R4", "end_date": "2026-08-14"},
    {"seat_id": "S4", "rep_id": "R5", "start_date": "2026-11-01"},
)
LEAVE = pd.DataFrame({"rep_id": ["R3"], "start_date": ["2026-05-01"], "end_date": ["2026-06-30"]})


def test_the_reference_roster_gives_the_reference_numbers():
    result = capacity(T_ROSTER, AE, FY26, leaves=LEAVE)
    by_rep = result.by("rep_id").dropna(subset=["rep_id"]).set_index("rep_id")["capacity"]
    np.testing.assert_allclose(by_rep[["R1", "R2", "R3"]], [1_200_000, 750_000, 1_000_000])
    np.testing.assert_allclose(by_rep[["R4", "R5"]], [745_161.29, 25_000], atol=0.005)
    np.testing.assert_allclose(result.by("quarter")["capacity"], [900_000, 850_000, 1_045_161.29, 925_000], atol=0.005)
    assert result.total == pytest.approx(3_720_161.29, abs=0.005)
    months = result.table[result.table["rep_id"] == "R2"]["capacity"].tolist()
    assert months[:5] == [0, 25_000, 50_000, 75_000, 100_000]


def test_empty_seats_say_whether_they_are_to_be_hired_or_replaced():
    table = capacity(T_ROSTER, AE, FY26).table
    empty = table[table["rep_id"].isna()]
    assert set(empty.loc[empty["seat_id"] == "S2", "status"]) == {"to be hired"}
    assert set(empty.loc[empty["seat_id"] == "S4", "status"]) == {"to be replaced"}
    assert empty.loc[empty["seat_id"] == "S2", "vacant_frac"].tolist() == pytest.approx([1, 1, 15 / 31])
    whole = table.groupby(["seat_id", "month"])[["employed_frac", "vacant_frac"]].sum().sum(axis=1)
    np.testing.assert_allclose(whole, 1)


def test_a_cover_yields_its_part_while_the_seat_is_empty():
    plain = capacity(T_ROSTER, AE, FY26)
    covered = capacity(T_ROSTER, AE, FY26, interim_frac=0.25)
    empty_months = (2 + 15 / 31) + (17 / 31 + 2)
    assert covered.total - plain.total == pytest.approx(0.25 * 100_000 * empty_months)
    assert covered.by("quarter")["rre"].tolist() == plain.by("quarter")["rre"].tolist()


def test_the_published_bookings_and_quota_capacity_model_is_reproduced():
    hired = {"1Q": "2020-01-01", "2nd": "2019-10-01", "3rd": "2019-07-01", "4th": "2019-04-01"}
    counts = {"1Q": 4, "2nd": 3, "3rd": 2, "4th": 1}
    rows = [{"rep_id": f"{k}-{n}", "start_date": hired[k]} for k, count in counts.items() for n in range(count)]
    leavers = ["2020-06-30", "2020-09-30", "2020-12-31"] + [None] * 7
    rows += [{"rep_id": f"old-{n}", "end_date": leavers[n]} for n in range(10)]
    later = {"2020-04-01": 5, "2020-07-01": 6, "2020-10-01": 7}
    rows += [{"rep_id": f"{day}-{n}", "start_date": day} for day, count in later.items() for n in range(count)]
    role = Role("AE", 1_000_000, ramp=Ramp.steps([0, 0.25, 0.5, 0.75], per="quarter"))
    judgment = {"FY2020-Q1": -300_000, "FY2020-Q2": -200_000, "FY2020-Q3": -200_000, "FY2020-Q4": 250_000}
    result = capacity(pd.DataFrame(rows), role, Calendar("2020-01"), judgment=judgment)
    by_quarter = result.by("quarter")
    np.testing.assert_allclose(by_quarter["rre"], [12.5, 15, 17.5, 21])
    np.testing.assert_allclose(by_quarter["heads"], [20, 25, 30, 36])
    np.testing.assert_allclose(by_quarter["ramping_heads"], [10, 14, 18, 22])
    np.testing.assert_allclose(by_quarter["capacity"], [3_125_000, 3_750_000, 4_375_000, 5_250_000])
    summary = result.summary()
    np.testing.assert_allclose(summary["adjusted"], [2_825_000, 3_550_000, 4_175_000, 5_500_000, 16_050_000])
    plan = dict(zip(by_quarter["quarter"], [2_825_000, 3_550_000, 4_175_000, 5_500_000], strict=True))
    coverage = result.coverage(plan)
    assert coverage["kappa_cap"].iloc[-1] == pytest.approx(1.0280, abs=5e-5)
    assert coverage["surplus"].iloc[-1] == pytest.approx(450_000)


def test_ramped_rep_equivalents_match_the_published_example():
    starts = ["2026-01-01"] * 5 + ["2025-12-01"] * 3 + ["2025-11-01"] * 2 + [None] * 15
    people = pd.DataFrame({"rep_id": [f"R{n}" for n in range(25)], "start_date": starts})
    role = Role("AE", 1_000_000, ramp=Ramp.steps([0.25, 0.60, 0.85]))
    assert capacity(people, role, FY26).by("month")["rre"].iloc[0] == pytest.approx(19.75)


@pytest.mark.parametrize(
    ("rule", "start", "first_months"),
    [
        ("days", "2026-03-16", [0, 0, 0, 25, 50]),
        ("15th", "2026-03-16", [0, 0, 0, 0, 25]),
        ("15th", "2026-03-15", [0, 0, 0, 25, 50]),
        ("next_month", "2026-03-02", [0, 0, 0, 0, 25]),
    ],
)
def test_a_partial_month_follows_the_stated_rule(rule, start, first_months):
    table = capacity(roster({"rep_id": "R", "start_date": start}), AE, FY26, proration=rule).by("month")
    np.testing.assert_allclose(table["capacity"].iloc[:5], np.array(first_months) * 1000)


@pytest.mark.parametrize(
    ("rule", "last", "months"),
    [
        ("days", "2026-02-14", 1.5),
        ("15th", "2026-02-14", 1),
        ("15th", "2026-02-20", 2),
        ("next_month", "2026-02-02", 2),
    ],
)
def test_a_last_month_follows_the_stated_rule(rule, last, months):
    result = capacity(roster({"rep_id": "R", "end_date": last}), AE, FY26, proration=rule)
    assert result.total == pytest.approx(100_000 * months)


def test_a_long_leave_stops_the_tenure_clock_and_a_short_one_does_not():
    people = roster({"rep_id": "R", "start_date": "2026-01-01"})
    long = pd.DataFrame({"rep_id": ["R"], "start_date": ["2026-02-01"], "end_date": ["2026-03-31"]})
    short = pd.DataFrame({"rep_id": ["R"], "start_date": ["2026-02-01"], "end_date": ["2026-02-28"]})
    paused = capacity(people, AE, FY26, leaves=long).by("month")["capacity"].tolist()
    assert paused[:7] == pytest.approx([0, 0, 0, 25_000, 50_000, 75_000, 100_000])
    going_on = capacity(people, AE, FY26, leaves=short).by("month")["capacity"].tolist()
    assert going_on[:5] == pytest.approx([0, 0, 50_000, 75_000, 100_000])
    half = capacity(
        people, AE, FY26, leaves=short.assign(start_date="2026-08-01", end_date="2026-08-31", capacity_frac=0.5)
    )
    assert half.by("month")["capacity"][7] == pytest.approx(50_000)


def test_tenure_credit_and_an_earlier_hire_shorten_the_ramp():
    people = roster(
        {"rep_id": "new", "start_date": "2026-01-01"},
        {"rep_id": "promoted", "start_date": "2026-01-01", "tenure_credit_m": 3},
        {"rep_id": "moved", "start_date": "2025-10-01", "from_date": "2026-01-01"},
    )
    first = capacity(people, AE, FY26).table.groupby("rep_id")["capacity"].first()
    assert first.to_dict() == {"new": 0, "promoted": 75_000, "moved": 75_000}


def test_a_seat_to_be_hired_counts_from_its_expected_start():
    people = roster(
        {"seat_id": "S1", "rep_id": None, "status": "TBH", "start_date": "2026-07-01"},
        {"seat_id": "S2", "rep_id": None, "status": "to be hired", "start_date": None},
    )
    result = capacity(people, AE, FY26)
    by_seat = result.by("seat_id").set_index("seat_id")["capacity"]
    assert by_seat.to_dict() == pytest.approx({"S1": 350_000, "S2": 0})
    assert set(result.table["status"]) == {"to be hired"}


def test_a_curve_is_averaged_over_the_days_in_the_seat():
    role = Role("AE", 1_200_000, ramp=Ramp.linear(6))
    half = capacity(roster({"rep_id": "R", "start_date": "2026-04-16"}), role, FY26).table.set_index("month")
    april, may = half.loc["2026-04"], half.loc["2026-05"]
    filled = half[half["rep_id"].notna()]
    assert filled["ramp_frac"].iloc[0] == pytest.approx(0.25 / 6)
    assert filled["ramp_frac"].iloc[1] == pytest.approx(1 / 6)
    assert len(april) == 2
    assert may["employed_frac"] == 1


def test_seasonality_is_flat_unless_asked_for():
    calendar = Calendar("2026-01", season=[0.2, 0.24, 0.26, 0.3])
    people = roster({"rep_id": "R"})
    assert capacity(people, AE, calendar).by("quarter")["capacity"].tolist() == pytest.approx([300_000] * 4)
    seasonal = capacity(people, AE, calendar, seasonality="calendar").by("quarter")["capacity"]
    assert seasonal.tolist() == pytest.approx([240_000, 288_000, 312_000, 360_000])


def test_overlay_roles_stay_out_of_sums():
    people = roster({"rep_id": "R", "role": "AE"}, {"rep_id": "E", "role": "SE"})
    roles = [AE, Role("SE", 5_000_000, quota_type="overlay")]
    result = capacity(people, roles, FY26)
    assert result.total == pytest.approx(1_200_000)
    assert result.by("role", include_overlay=True)["role"].tolist() == ["AE", "SE"]


def test_coverage_of_an_annual_plan_follows_the_season():
    calendar = Calendar("2026-01", season=[0.1, 0.2, 0.3, 0.4])
    coverage = capacity(roster({"rep_id": "R"}), AE, calendar).coverage(1_000_000)
    assert coverage["target"].tolist() == pytest.approx([100_000, 200_000, 300_000, 400_000, 1_000_000])
    assert coverage["kappa_cap"].iloc[-1] == pytest.approx(1.2)
    by_name = capacity(roster({"rep_id": "R"}), AE, calendar).coverage({"Q1": 300_000, "2026-12": 50_000})
    assert by_name["target"].tolist() == [300_000, 0, 0, 50_000, 350_000]
    assert np.isnan(by_name["kappa_cap"][1])
    with pytest.raises(DataError, match="'FY2027-Q1'"):
        capacity(roster({"rep_id": "R"}), AE, calendar).coverage({"FY2027-Q1": 1})


def test_everything_wrong_with_a_roster_comes_in_one_error():
    bad = roster(
        {"rep_id": "R1", "role": "AX", "start_date": "soon"},
        {"rep_id": "R2", "role": "AE", "start_date": "2026-05-01", "end_date": "2026-01-01", "fte_frac": 3},
    )
    with pytest.raises(DataError, match="4 things are wrong") as caught:
        capacity(bad, AE, FY26)
    text = str(caught.value)
    assert re.search("'start_date' must hold dates.*'R1'", text)
    assert re.search("must not end before it starts.*'R2'", text)
    assert "Did you mean 'AE'" in text or "There are: 'AE'" in text
    with pytest.raises(DataError, match="must exist when there are 2 roles"):
        capacity(roster({"rep_id": "R1"}), [AE, Role("AM", 1)], FY26)
    with pytest.raises(DataError, match=r"must be on the roster.*'X'"):
        capacity(roster({"rep_id": "R1"}), AE, FY26, leaves=LEAVE.assign(rep_id="X"))
    with pytest.raises(DataError, match="interim_frac"):
        capacity(roster({"rep_id": "R1"}), AE, FY26, interim_frac=2)
    with pytest.raises(DataError, match="proration"):
        capacity(roster({"rep_id": "R1"}), AE, FY26, proration="weeks")
    with pytest.raises(DataError, match="must have the columns rep_id"):
        capacity(pd.DataFrame({"name": ["x"]}), AE, FY26)
    with pytest.raises(DataError, match="'quartr'"):
        capacity(roster({"rep_id": "R1"}), AE, FY26).by("quartr")


days = st.dates(pd.Timestamp("2025-01-01").date(), pd.Timestamp("2026-12-31").date())


@settings(max_examples=12, deadline=None)
@given(starts=st.lists(days, min_size=1, max_size=6), steps=st.lists(st.floats(0, 1), max_size=8))
def test_capacity_adds_up_and_grows_with_the_ramp(starts, steps):
    people = pd.DataFrame({"rep_id": [f"R{n}" for n in range(len(starts))], "start_date": pd.to_datetime(starts)})
    role = Role("AE", 1_000_000, ramp=Ramp.steps(steps))
    whole = capacity(people, role, FY26)
    apart = sum(capacity(people.iloc[[n]], role, FY26).total for n in range(len(people)))
    assert whole.total == pytest.approx(apart)
    assert whole.by("month")["capacity"].sum() == pytest.approx(whole.total)
    better = Role("AE", 1_000_000, ramp=Ramp.steps([(1 + s) / 2 for s in steps]))
    assert capacity(people, better, FY26).total >= whole.total - 1e-6
    half = capacity(people.assign(fte_frac=0.5), role, FY26)
    assert half.total == pytest.approx(whole.total / 2)
