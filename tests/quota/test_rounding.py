from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtm_opt.quota.rounding import UNBOUNDED, clip_proportional, largest_remainder, round_rows


def one_group(total, weights, floors=None, caps=None):
    n = len(weights)
    weights = np.array(weights, dtype=float)
    starts, group = np.array([0]), np.zeros(n, dtype=np.int64)
    floors = np.zeros(n, dtype=np.int64) if floors is None else np.array(floors)
    caps = np.full(n, UNBOUNDED) if caps is None else np.array(caps)
    amounts, side = clip_proportional(np.array([total]), weights / weights.sum(), starts, group, floors, caps)
    return amounts, side, largest_remainder(np.array([total]), amounts, starts, group, floors, caps)


def test_clipping_matches_the_reference_on_change_limits():
    prior = np.array([2800, 3200, 2500, 1500])
    amounts, side, units = one_group(11_000, [0.4, 0.3, 0.2, 0.1], prior * 0.9, prior * 1.25)
    np.testing.assert_allclose(amounts, [3500, 3690, 2460, 1350])
    assert side.tolist() == [1, 0, 0, -1]
    assert units.tolist() == [3500, 3690, 2460, 1350]
    assert amounts[1] / 0.3 == pytest.approx(12_300)


def test_equal_remainders_go_to_the_earlier_member():
    assert one_group(6930, [3, 2, 2, 1])[2].tolist() == [2599, 1733, 1732, 866]
    assert one_group(2, [1, 1, 1])[2].tolist() == [1, 1, 0]


def test_members_without_weight_share_what_the_others_cannot_take():
    amounts, _, units = one_group(10, [1, 0, 0], caps=[4, 10, 10])
    np.testing.assert_allclose(amounts, [4, 3, 3])
    assert units.sum() == 10
    assert one_group(10, [1, 0], floors=[0, 3])[2].tolist() == [7, 3]


def test_quarters_then_months_match_the_reference():
    quarters = round_rows(np.array([1155]), np.array([0.20, 0.24, 0.26, 0.30]))[0]
    assert quarters.tolist() == [231, 277, 300, 347]
    months = round_rows(quarters, np.array([0.3, 0.3, 0.4]))
    assert months.tolist() == [[69, 69, 93], [83, 83, 111], [90, 90, 120], [104, 104, 139]]


@st.composite
def bounded_problems(draw):
    n = draw(st.integers(1, 8))
    weights = draw(st.lists(st.just(0.0) | st.floats(0.001, 10), min_size=n, max_size=n).filter(any))
    floors = np.array(draw(st.lists(st.integers(0, 40), min_size=n, max_size=n)))
    caps = floors + np.array(draw(st.lists(st.integers(0, 60), min_size=n, max_size=n)))
    total = draw(st.integers(int(floors.sum()), int(caps.sum())))
    return total, weights, floors, caps


@settings(max_examples=100, deadline=None)
@given(bounded_problems())
def test_bounds_and_totals_hold_and_the_split_is_one_clipped_line(problem):
    total, weights, floors, caps = problem
    amounts, _, units = one_group(total, weights, floors, caps)
    assert units.sum() == total
    assert (units >= floors).all()
    assert (units <= caps).all()
    assert amounts.sum() == pytest.approx(total)
    assert (np.abs(units - amounts) < 1 + 1e-6).all()
    weights = np.array(weights)
    inside = (amounts > floors + 1e-6) & (amounts < caps - 1e-6) & (weights > 0)
    if inside.any():
        scale = amounts[inside] / weights[inside]
        np.testing.assert_allclose(scale, scale[0], rtol=1e-6)
        np.testing.assert_allclose(
            amounts[weights > 0], np.clip(scale[0] * weights, floors, caps)[weights > 0], atol=1e-5
        )


@given(st.integers(0, 10**12), st.lists(st.floats(0, 1), min_size=1, max_size=12).filter(lambda w: sum(w) > 0.01))
def test_large_totals_are_split_exactly(total, weights):
    units = round_rows(np.array([total]), np.array(weights))[0]
    assert units.sum() == total
    assert (units >= 0).all()
