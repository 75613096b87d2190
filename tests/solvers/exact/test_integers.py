"""Scaling to integers says exactly how wrong it is."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gtm_opt.solvers.exact.integers import scale_costs, scale_sums

UNIT = np.array([0, 0, 1, 2, 2, 2])


@given(seed=st.integers(0, 10_000), size=st.sampled_from([1e-6, 1.0, 1e9]))
def test_sums_are_wrong_by_no_more_than_the_stated_error(seed, size):
    rng = np.random.default_rng(seed)
    values = rng.lognormal(0.0, 2.0, 6) * size
    scaled = scale_sums(values, UNIT, 3)
    pick = np.array([rng.integers(0, 2), 2, rng.integers(3, 6)])
    assert abs(scaled.values[pick].sum() - values[pick].sum() * scaled.factor) <= scaled.error
    assert scaled.values.sum() < 2**34


def test_money_in_cents_stays_exact():
    scaled = scale_sums(np.array([12.34, 0.0, 99.99, 1.0, 2.5, 3.75]), UNIT, 3)
    assert scaled.error == 0.0
    assert scaled.factor == 100.0


def test_fine_scaling_of_exact_data_stays_exact():
    scaled = scale_sums(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), UNIT, 3, fine=True)
    assert scaled.error == 0.0
    assert scaled.factor > 1e6
    assert np.array_equal(scaled.values / scaled.factor, np.arange(1.0, 7.0))


@given(seed=st.integers(0, 10_000))
def test_costs_are_rounded_down(seed):
    cost = np.random.default_rng(seed).normal(size=6)
    whole, factor = scale_costs(cost, UNIT, 3, 5.0)
    assert (whole / factor <= cost + 1e-15).all()
    assert (whole / factor >= cost - 1e-9).all()
