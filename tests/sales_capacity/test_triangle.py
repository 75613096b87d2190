"""The plan triangle: two give the third, three that contradict each other are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gtm_opt as gtm
from gtm_opt.errors import DataError

spreads = st.floats(0.05, 1.5)


@given(coverage=st.floats(0.5, 2), over=st.floats(-0.3, 0.6), cv=spreads)
def test_any_two_give_the_third_and_all_three_agree(coverage: float, over: float, cv: float) -> None:
    first = gtm.plan_triangle(coverage=coverage, over_assignment=over, cv=cv)
    if not 1e-6 < first.share_at_quota < 1 - 1e-6:
        return
    second = gtm.plan_triangle(coverage=coverage, share_at_quota=first.share_at_quota, cv=cv)
    third = gtm.plan_triangle(over_assignment=over, share_at_quota=first.share_at_quota, cv=cv)
    assert second.over_assignment == pytest.approx(over, abs=1e-6)
    assert third.coverage == pytest.approx(coverage, rel=1e-6)
    gtm.plan_triangle(coverage=coverage, over_assignment=over, share_at_quota=first.share_at_quota, cv=cv)


@given(share=st.floats(0.01, 0.99), cv=spreads)
def test_share_and_ratio_are_inverse_to_each_other(share: float, cv: float) -> None:
    assert gtm.share_at_quota(gtm.quota_ratio(share, cv), cv) == pytest.approx(share)


@given(p=st.floats(0.05, 0.95), cv=st.floats(0.05, 0.5), n=st.integers(1, 500), rho=st.floats(0, 1))
def test_coverage_and_probability_are_inverse_to_each_other(p: float, cv: float, n: int, rho: float) -> None:
    coverage = gtm.required_coverage(p, cv, n=n, correlation=rho)
    assert gtm.plan_probability(coverage, cv, n=n, correlation=rho) == pytest.approx(p)


def test_three_that_contradict_each_other_are_refused_with_the_arithmetic() -> None:
    with pytest.raises(DataError, match="contradict each other") as caught:
        gtm.plan_triangle(coverage=1.0, over_assignment=0.1, share_at_quota=0.6, cv=0.5)
    text = str(caught.value)
    assert "1.1 / 1 = 1.1000 of expected capacity, which 33.1% of sellers make when results spread by 0.5" in text
    assert "coverage would be 1.386, over_assignment -20.6%, or share_at_quota 33.1%" in text


def test_wrong_words_are_named() -> None:
    with pytest.raises(DataError, match="needs two of coverage, over_assignment and share_at_quota, got coverage"):
        gtm.plan_triangle(coverage=1.1, cv=0.5)
    with pytest.raises(DataError, match="2 things") as caught:
        gtm.plan_triangle(coverage=1.1, share_at_quota=60, cv=0)
    assert "share_at_quota must lie strictly between 0 and 1, got 60" in str(caught.value)
    with pytest.raises(DataError, match="needs n and correlation together"):
        gtm.plan_triangle(coverage=1.1, over_assignment=0.1, cv=0.5, n=10)
    with pytest.raises(
        DataError,
        match=r"`probability` must be below 0\.9772 for a team",
    ):
        gtm.required_coverage(0.99, 0.5, n=1000, correlation=1.0)


def test_the_triangle_shows_what_other_shares_would_need() -> None:
    triangle = gtm.plan_triangle(over_assignment=0.1, share_at_quota=0.6, cv=0.5, n=50, correlation=0.1)
    table = triangle.table()
    assert table["coverage"].is_monotonic_increasing
    assert table["over_assignment"].is_monotonic_decreasing
    assert table.loc[2, "coverage"] == pytest.approx(triangle.coverage)
    assert "60.0% of sellers at quota" in repr(triangle)
