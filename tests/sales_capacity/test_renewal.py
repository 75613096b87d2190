"""The renewal recursion: limits, bounds, and a direct count of all histories as its oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gtm_opt as gtm
from gtm_opt.errors import DataError

steps = st.lists(st.floats(0, 1), max_size=5)
hazards = st.floats(0, 0.4)


def enumerate_histories(hazard: float, ramp: gtm.Ramp, lag: int, months: int) -> list[float]:
    """Follow every state of the seat, a person's tenure or months of vacancy left, with its probability."""
    states, out = {("filled", 1): 1.0}, []
    for _ in range(months):
        out.append(sum(p * float(ramp.at(tenure)) for (kind, tenure), p in states.items() if kind == "filled"))
        following: dict[tuple[str, int], float] = {}
        for (kind, number), p in states.items():
            if kind == "filled":
                gone = ("vacant", lag) if lag else ("filled", 1)
                moves = [(("filled", number + 1), p * (1 - hazard)), (gone, p * hazard)]
            else:
                moves = [(("vacant", number - 1) if number > 1 else ("filled", 1), p)]
            for state, q in moves:
                following[state] = following.get(state, 0.0) + q
        states = following
    return out


@given(hazard=hazards, fractions=steps, lag=st.integers(0, 5))
def test_the_recursion_is_the_count_of_all_histories(hazard: float, fractions: list[float], lag: int) -> None:
    ramp = gtm.Ramp.steps(fractions)
    months = gtm.seat_output(hazard, ramp, lag, months=15)
    np.testing.assert_allclose(months, enumerate_histories(hazard, ramp, lag, 15), atol=1e-12)


@given(hazard=st.floats(0.01, 0.4), fractions=steps, lag=st.floats(0, 6))
def test_the_recursion_tends_to_the_closed_form(hazard: float, fractions: list[float], lag: float) -> None:
    months = gtm.seat_output(hazard, fractions, lag, months=900)
    assert months[600:].mean() == pytest.approx(gtm.seat_factor(hazard, fractions, lag), abs=2e-3)


@given(hazard=hazards, fractions=steps, lag=st.integers(0, 6))
def test_a_backfill_never_lowers_a_seat_and_nobody_leaving_gives_the_ramp(
    hazard: float, fractions: list[float], lag: int
) -> None:
    ramp = gtm.Ramp.steps(fractions)
    with_one, without = gtm.seat_output(hazard, ramp, lag, months=24), gtm.seat_output(hazard, ramp, months=24)
    assert (with_one >= without - 1e-12).all()
    np.testing.assert_allclose(gtm.seat_output(0, ramp, lag, months=24), ramp.at(range(1, 25)))
    np.testing.assert_allclose(gtm.seat_output(hazard, ramp, 36, months=24), without)


def test_a_tenure_dependent_hazard_holds_its_last_value() -> None:
    short, long = gtm.seat_output([0.1, 0.02], [0.5], 2), gtm.seat_output([0.1] + [0.02] * 11, [0.5], 2)
    np.testing.assert_array_equal(short, long)


def test_wrong_words_are_refused_together() -> None:
    with pytest.raises(DataError, match="3 things") as caught:
        gtm.seat_output(1.2, [0, 25], -1)
    for text in ("hazard must be monthly probabilities", "ramp must be a Ramp", "lag_m must be a number of months"):
        assert text in str(caught.value)
    with pytest.raises(DataError, match="lag_m must be a number of months or a Backfill, got None"):
        gtm.seat_factor(0.02, [0], None)  # type: ignore[arg-type]
