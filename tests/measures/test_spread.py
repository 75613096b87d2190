"""Reference numbers, and bounds against enumeration."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtm_opt.errors import MeasureError
from gtm_opt.measures import (
    coefficient_of_variation,
    forced_deviation,
    gini,
    max_relative_deviation,
    share_outside,
)

STEPS = np.array([0.8, 0.9, 1.0, 1.1, 1.2])


def test_reference_numbers_of_the_literature_are_met() -> None:
    assert gini(STEPS) == pytest.approx(0.08)
    assert gini(np.array([0.0, 0.0, 0.0, 1.0])) == 0.75
    assert gini(np.ones(7)) == 0.0
    assert coefficient_of_variation(STEPS) == pytest.approx(np.sqrt(0.02))
    assert round(coefficient_of_variation(STEPS), 5) == 0.14142
    assert max_relative_deviation(np.array([90.0, 115.0]), np.array([100.0, 100.0])) == pytest.approx(0.15)
    assert share_outside(np.array([84.0, 85.0, 115.0, 116.0]), np.full(4, 100.0)) == 0.5


positive = st.lists(st.floats(0.01, 100), min_size=1, max_size=8).map(np.array)


@given(positive, st.floats(0.01, 100))
def test_gini_is_the_mean_difference_and_does_not_know_units(values: np.ndarray, factor: float) -> None:
    mean_difference = np.abs(values[:, None] - values[None, :]).mean()
    assert gini(values) == pytest.approx(mean_difference / (2 * values.mean()), abs=1e-9)
    assert gini(values * factor) == pytest.approx(gini(values), abs=1e-9)
    assert coefficient_of_variation(values * factor) == pytest.approx(coefficient_of_variation(values), abs=1e-9)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=6), st.lists(st.floats(0.2, 1.0), min_size=1, max_size=3))
def test_no_assignment_deviates_less_than_what_is_forced(sizes: list[int], weights: list[float]) -> None:
    values = np.array(sizes, dtype=float)
    targets = np.array(weights) / sum(weights) * max(values.sum(), 1.0)
    best = min(
        max_relative_deviation(np.bincount(at, weights=values, minlength=len(targets)), targets)
        for at in product(range(len(targets)), repeat=len(values))
    )
    assert forced_deviation(values, targets) <= best + 1e-12


def test_one_giant_is_forced_exactly() -> None:
    """60 of 120 over three: nobody can do better than 60 against 40, and the others get 30 each."""
    assert forced_deviation(np.array([60.0, 20.0, 20.0, 20.0]), np.full(3, 40.0)) == pytest.approx(0.5)
    assert forced_deviation(np.array([]), np.full(3, 40.0)) == 0.0


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: max_relative_deviation(np.ones(2), np.ones(3)), r"same shape, got \(2,\) and \(3,\)"),
        (lambda: max_relative_deviation(np.ones(2), np.zeros(2)), "must be positive, got 0"),
        (lambda: gini(np.array([-1.0, 2.0])), "values >= 0"),
        (lambda: coefficient_of_variation(np.zeros(3)), "positive mean, got 0"),
    ],
)
def test_undefined_measures_say_so(call, text: str) -> None:
    with pytest.raises(MeasureError, match=text):
        call()
