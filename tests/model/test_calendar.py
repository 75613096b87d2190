from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtm_opt.errors import DataError
from gtm_opt.model.calendar import Calendar


def test_a_flat_year_has_twelve_equal_months():
    calendar = Calendar("2026-01")
    np.testing.assert_allclose(calendar.shares, 1 / 12)
    assert calendar.labels[0] == "2026-01"
    assert calendar.labels[-1] == "2026-12"
    assert calendar.days.sum() == 365
    assert str(calendar.end.date()) == "2026-12-31"


def test_quarter_and_in_quarter_shapes_multiply():
    calendar = Calendar("2026-01", season=[0.20, 0.24, 0.26, 0.30], in_quarter=[0.3, 0.3, 0.4])
    np.testing.assert_allclose(calendar.shares[:6], [0.06, 0.06, 0.08, 0.072, 0.072, 0.096])
    np.testing.assert_allclose(calendar.quarter_shares, [0.20, 0.24, 0.26, 0.30])


def test_twelve_numbers_are_shares_of_months():
    season = [0.05] * 11 + [0.45]
    np.testing.assert_allclose(Calendar("2026-01", season=season).shares, season)


def test_a_fiscal_year_is_named_after_the_year_it_ends_in_unless_told_otherwise():
    assert Calendar("2025-02").years == ("FY2026",)
    assert Calendar("2025-02", year_label="start").years == ("FY2025",)
    assert Calendar("2026-01", months=18).quarters[4] == "FY2027-Q1"


def test_a_long_horizon_repeats_the_season_and_every_full_year_sums_to_one():
    calendar = Calendar("2026-01", months=24, season=[0.1, 0.2, 0.3, 0.4])
    assert calendar.shares[:12].sum() == pytest.approx(1)
    assert calendar.shares[12:].sum() == pytest.approx(1)
    half = Calendar("2026-01", months=18, season=[0.1, 0.2, 0.3, 0.4])
    assert half.shares[12:].sum() == pytest.approx(0.3)
    assert half.first_year() == Calendar("2026-01", season=[0.1, 0.2, 0.3, 0.4])


def test_the_start_may_be_a_date_a_period_or_text():
    for start in ("2026-01", "2026-01-15", pd.Timestamp("2026-01-03"), pd.Period("2026-01", "M")):
        assert Calendar(start) == Calendar("2026-01")


def test_the_share_after_a_transfer_date_matches_the_reference():
    flat = Calendar("2026-01")
    assert flat.share_from("2026-07-16") * 120_000 == pytest.approx(55_161.29, abs=0.005)
    seasonal = Calendar("2026-01", season=[0.20, 0.24, 0.26, 0.30], in_quarter=[0.3, 0.3, 0.4])
    assert seasonal.share_from("2026-07-16") == pytest.approx(0.522258, abs=5e-7)
    assert flat.share_from("2025-01-01") == 1
    assert flat.share_from("2027-01-01") == 0


def test_all_findings_come_in_one_error():
    with pytest.raises(DataError, match="3 things are wrong") as caught:
        Calendar("someday", months=13, season=[0.3, 0.3, 0.3, 0.3])
    text = str(caught.value)
    assert "must be a month, got 'someday'" in text
    assert "must be whole quarters, 3 to 60 months, got 13" in text
    assert "Divide each number by 1.2" in text


def test_a_season_of_the_wrong_length_is_named():
    with pytest.raises(DataError, match="must have 4 or 12 numbers, got 3"):
        Calendar("2026-01", season=[0.3, 0.3, 0.4])
    with pytest.raises(DataError, match="must not be given when season has 12 numbers"):
        Calendar("2026-01", season=[1 / 12] * 12, in_quarter=[0.3, 0.3, 0.4])
    with pytest.raises(DataError, match="none negative"):
        Calendar("2026-01", season=[-0.5, 0.5, 0.5, 0.5])


def test_arrays_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        Calendar("2026-01").shares[0] = 1


@given(
    season=st.lists(st.floats(0.01, 1), min_size=4, max_size=4),
    inside=st.lists(st.floats(0.01, 1), min_size=3, max_size=3),
    month=st.integers(1, 12),
)
def test_shares_always_sum_to_one(season, inside, month):
    season = [s / sum(season) for s in season]
    inside = [s / sum(inside) for s in inside]
    calendar = Calendar(f"2026-{month:02d}", season=season, in_quarter=inside)
    assert calendar.shares.sum() == pytest.approx(1, abs=1e-12)
    assert calendar.table["share_frac"].groupby(calendar.table["quarter"]).sum().sum() == pytest.approx(1)
