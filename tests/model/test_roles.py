from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtm_opt.errors import DataError
from gtm_opt.model.ramp import Ramp, ramp_loss
from gtm_opt.model.roles import Role, Roles

MONTHS = np.arange(1, 10)


def test_steps_are_one_after_the_last_and_nothing_before_the_hire():
    ramp = Ramp.steps([0, 0.25, 0.5, 0.75])
    np.testing.assert_allclose(ramp.at([-1, 0, 1, 2, 3, 4, 5, 99]), [0, 0, 0, 0.25, 0.5, 0.75, 1, 1])
    assert Ramp.none().at([1, 2]).tolist() == [1, 1]
    assert Ramp.steps([0, 0.5], per="quarter").parameters == (0, 0, 0, 0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("convention", "first", "loss"),
    [
        ("start", [0, 1 / 6], 3.5),
        ("mid", [1 / 12, 0.25], 3.0),
        ("end", [1 / 6, 2 / 6], 2.5),
        ("average", [1 / 12, 0.25], 3.0),
    ],
)
def test_a_linear_ramp_depends_on_the_clock_as_the_reference_says(convention, first, loss):
    ramp = Ramp.linear(6, convention=convention)
    np.testing.assert_allclose(ramp.at([1, 2]), first)
    assert ramp.loss == pytest.approx(loss)


def test_a_delayed_line_loses_half_of_delay_plus_months():
    ramp = Ramp.linear(6, delay_m=2)
    assert ramp.loss == pytest.approx(4)
    assert np.sum(1 - ramp.at(np.arange(1, 20))) == pytest.approx(4)


def test_weibull_matches_the_reference():
    ramp = Ramp.weibull(4, 2)
    np.testing.assert_allclose(
        ramp.at(MONTHS), [0.0204, 0.1344, 0.3241, 0.5337, 0.7157, 0.8468, 0.9271, 0.9693, 0.9886], atol=5e-5
    )
    end = Ramp.weibull(4, 2, convention="end").at(MONTHS[:7])
    np.testing.assert_allclose(end, [0.0606, 0.2212, 0.4302, 0.6321, 0.7904, 0.8946, 0.9532], atol=5e-5)
    mid = Ramp.weibull(4, 2, convention="mid").at(MONTHS[:6])
    np.testing.assert_allclose(mid, [0.0155, 0.1312, 0.3234, 0.5350, 0.7179, 0.8490], atol=5e-5)
    assert ramp.loss == pytest.approx(3.5449, abs=5e-5)
    assert ramp.level(3.3302) == pytest.approx(0.5, abs=1e-4)
    assert ramp.level(6.9233) == pytest.approx(0.95, abs=1e-4)


def test_logistic_matches_the_reference():
    ramp = Ramp.logistic(3, 1)
    at_end = [0.0754, 0.2325, 0.4751, 0.7177, 0.8749, 0.9502, 0.9811, 0.9930, 0.9974]
    average = [0.0325, 0.1458, 0.3490, 0.6012, 0.8044, 0.9178, 0.9680, 0.9880, 0.9955]
    np.testing.assert_allclose(ramp.level(MONTHS), at_end, atol=5e-5)
    np.testing.assert_allclose(ramp.at(MONTHS), average, atol=5e-5)
    assert ramp.loss == pytest.approx(3.2004, abs=5e-5)


def test_ramp_loss_of_a_stepped_ramp_is_the_sum_of_what_is_missing():
    assert ramp_loss(Ramp.steps([0, 0, 0.2, 0.4, 0.6, 0.8])) == 4.0


curves = st.one_of(
    st.builds(Ramp.linear, st.floats(3, 24), delay_m=st.floats(0, 3)),
    st.builds(Ramp.weibull, st.floats(0.5, 12), st.floats(0.8, 4)),
    st.builds(Ramp.logistic, st.floats(0, 12), st.floats(0.2, 3)),
    st.builds(Ramp.steps, st.lists(st.floats(0, 1), max_size=12)),
)


@given(ramp=curves, start=st.floats(0, 10), width=st.floats(0.05, 5))
def test_an_average_equals_its_numeric_integral(ramp, start, width):
    grid = start + (np.arange(4000) + 0.5) * width / 4000
    assert ramp.over(start, start + width) == pytest.approx(ramp.level(grid).mean(), abs=2e-3)


@given(ramp=curves)
def test_the_loss_is_what_the_months_miss(ramp):
    assert np.sum(1 - ramp.at(np.arange(1, 2000))) == pytest.approx(ramp.loss, abs=1e-6)


def test_percentages_instead_of_fractions_are_refused():
    with pytest.raises(DataError, match=r"Write 25 % as 0\.25"):
        Ramp.steps([0, 25, 50])
    with pytest.raises(DataError, match="after its delay"):
        Ramp.linear(2, delay_m=3)
    with pytest.raises(DataError, match="positive parameters"):
        Ramp.weibull(0, 2)
    with pytest.raises(DataError, match="'average', 'start', 'mid' or 'end'"):
        Ramp.linear(2, convention="noon")


def test_quota_ramp_defaults_to_the_capacity_ramp():
    ramp, asked = Ramp.linear(6), Ramp.linear(3)
    assert Role("AE", 1e6, ramp=ramp).quota_ramp is ramp
    assert Role("AE", 1e6, ramp=ramp, ramp_quota=asked).quota_ramp is asked


def test_a_role_lists_everything_that_is_wrong():
    with pytest.raises(DataError, match="4 things are wrong") as caught:
        Role("AE", -1, fte=2, quota_type="shared", ramp=[0, 0.5])
    assert "must lie in (0, 1], got 2" in str(caught.value)


def test_roles_are_read_from_a_table():
    frame = pd.DataFrame(
        {
            "role": ["AE", "SE"],
            "productivity_py": [1e6, 0],
            "ramp": [[0, 0.5], None],
            "segment": ["ENT", None],
            "quota_type": ["direct", "overlay"],
        }
    )
    roles = Roles.from_frame(frame)
    assert roles.names == ("AE", "SE")
    assert roles["AE"].ramp == Ramp.steps([0, 0.5])
    assert roles["SE"].ramp == Ramp.none()
    assert roles["SE"].segment is None
    assert "CSM" not in roles


def test_a_bad_table_of_roles_names_every_row():
    frame = pd.DataFrame({"role": ["AE", "AM"], "productivity_py": ["much", -1]})
    with pytest.raises(DataError, match="Role 'AE'") as caught:
        Roles.from_frame(frame)
    assert "Role 'AM'" in str(caught.value)
    with pytest.raises(DataError, match="must have the columns productivity_py"):
        Roles.from_frame(pd.DataFrame({"role": ["AE"]}))
    with pytest.raises(DataError, match=r"unique names.*'AE'"):
        Roles([Role("AE", 1), Role("AE", 2)])
