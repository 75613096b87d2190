"""Reference numbers of capacity planning: hazards, the renewal recursion, ramps, published models."""

from __future__ import annotations

import numpy as np
import pytest

import gtm_opt as gtm


@pytest.mark.parametrize(
    ("annual", "hazard"),
    [(0.15, 0.0134519), (0.20, 0.0184235), (0.25, 0.0236884), (0.30, 0.0292855), (0.35, 0.0352619)],
)
def test_a_cohort_rate_gives_the_hazard_that_loses_it_in_twelve_months(annual: float, hazard: float) -> None:
    role = gtm.Role("AE", 1.0)
    attrition = gtm.Attrition(annual, kind="cohort")
    assert attrition.hazard(role) == pytest.approx(hazard, abs=5e-8)
    assert np.prod(1 - attrition.hazards(role, 12)) == pytest.approx(1 - annual)


@pytest.mark.parametrize(("annual", "hazard"), [(0.20, 0.0165285), (0.30, 0.0246901)])
def test_a_turnover_rate_gives_a_smaller_hazard(annual: float, hazard: float) -> None:
    assert gtm.monthly_hazard(annual, "turnover") == pytest.approx(hazard, abs=5e-8)


def test_the_renewal_recursion_gives_the_published_months_and_sums() -> None:
    ramp, wanted = [0, 0.25, 0.5, 0.75], [0, 0.245, 0.4802, 0.705894, 0.922368, 0.908821, 0.900248, 0.896361]
    wanted += [0.896881, 0.897120, 0.897183, 0.897166]
    months = gtm.seat_output(0.02, ramp, 3)
    np.testing.assert_allclose(months, wanted, atol=5e-7)
    assert months.sum() == pytest.approx(8.647243, abs=5e-7)
    assert gtm.seat_output(0.02, ramp).sum() == pytest.approx(8.313666, abs=5e-7)
    assert gtm.seat_output(0, ramp, 3).sum() == 10.5 - 1.0  # no attrition: twelve months less a ramp loss of 2.5


def test_the_long_run_factor_of_a_seat_and_the_seats_needed() -> None:
    phi = gtm.seat_factor(0.02, [0, 0.25, 0.5, 0.75], 3)
    assert phi == pytest.approx(0.8971604, abs=5e-8)
    assert 10 / phi == pytest.approx(11.146, abs=5e-4)
    assert gtm.seat_output(0.02, [0, 0.25, 0.5, 0.75], 3, months=400)[-1] == pytest.approx(phi, abs=1e-9)
    slow = gtm.seat_factor(gtm.monthly_hazard(0.25, "cohort"), [0, 0, 0.25, 0.5, 0.75, 0.9], 3)
    assert slow == pytest.approx(0.8568531, abs=5e-8)
    assert 10 / slow == pytest.approx(11.6706, abs=5e-5)


def test_published_ramps_and_their_losses() -> None:
    for convention, first, loss in (("start", 0, 3.5), ("mid", 1 / 12, 3.0), ("end", 1 / 6, 2.5)):
        ramp = gtm.Ramp.linear(6, convention=convention)  # type: ignore[arg-type]
        np.testing.assert_allclose(ramp.at(range(1, 7)), first + np.arange(6) / 6)
        assert gtm.ramp_loss(ramp) == pytest.approx(loss)
    months = range(1, 10)
    ends = gtm.Ramp.weibull(4, 2, convention="end").at(range(1, 8))
    np.testing.assert_allclose(ends, [0.0606, 0.2212, 0.4302, 0.6321, 0.7904, 0.8946, 0.9532], atol=5e-5)
    mids = gtm.Ramp.weibull(4, 2, convention="mid").at(range(1, 7))
    np.testing.assert_allclose(mids, [0.0155, 0.1312, 0.3234, 0.5350, 0.7179, 0.8490], atol=5e-5)
    weibull = gtm.Ramp.weibull(4, 2)
    wanted = [0.0204, 0.1344, 0.3241, 0.5337, 0.7157, 0.8468, 0.9271, 0.9693, 0.9886]
    np.testing.assert_allclose(weibull.at(months), wanted, atol=5e-5)
    assert weibull.loss == pytest.approx(3.5449, abs=5e-5)
    np.testing.assert_allclose(weibull.level([3.3302, 6.9233]), [0.5, 0.95], atol=5e-5)
    logistic = gtm.Ramp.logistic(3, 1)
    wanted = [0.0754, 0.2325, 0.4751, 0.7177, 0.8749, 0.9502, 0.9811, 0.9930, 0.9974]
    np.testing.assert_allclose(gtm.Ramp.logistic(3, 1, convention="end").at(months), wanted, atol=5e-5)
    wanted = [0.0325, 0.1458, 0.3490, 0.6012, 0.8044, 0.9178, 0.9680, 0.9880, 0.9955]
    np.testing.assert_allclose(logistic.at(months), wanted, atol=5e-5)
    assert logistic.loss == pytest.approx(3.2004, abs=5e-5)
