from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from gtm_opt.model.dates import read_dates


@pytest.mark.parametrize(
    "cell", ["2027-01-31", dt.date(2027, 1, 31), dt.datetime(2027, 1, 31, 12), pd.Timestamp("2027-01-31")]
)
def test_dates_of_every_kind_become_days(cell):
    days, bad = read_dates(pd.Series([cell, None, "2027-02-01"], dtype=object))
    assert days[0] == pd.Timestamp("2027-01-31")
    assert not bad.any()


@pytest.mark.parametrize("cell", ["03/04/2027", "soon", 45000, "2027-02-30"])
def test_what_would_need_a_guess_is_flagged(cell):
    _, bad = read_dates(pd.Series([cell, "2027-02-01"], dtype=object))
    assert bad.tolist() == [True, False]


def test_time_zones_are_dropped_and_numbers_refused():
    days, bad = read_dates(pd.Series(pd.to_datetime(["2027-01-31T23:00:00+01:00"])))
    assert str(days[0].date()) == "2027-01-31"
    assert not bad.any()
    assert read_dates(pd.Series([45000.0, None]))[1].tolist() == [True, False]
    assert not read_dates(pd.Series([None, None], dtype=object))[1].any()


def test_times_with_zones_count_on_the_day_that_is_written_whatever_the_zones_of_others() -> None:
    cells = ["2027-01-01T23:59:00Z", "2027-01-02T00:30:00+02:00", "2027-01-03", "2027-01-04 10:00 UTC", None]
    days, bad = read_dates(pd.Series(cells))
    assert [str(day)[:10] for day in days[:4]] == ["2027-01-01", "2027-01-02", "2027-01-03", "2027-01-04"]
    assert not bad.any()
