"""The waterfall and the fan are drawn where asked, and show what the numbers say."""

from __future__ import annotations

import pandas as pd
import pytest

import gtm_opt as gtm

TEAM = pd.DataFrame({"rep_id": [f"R{n}" for n in range(6)], "start_date": [None] * 5 + ["2026-02-01"]})
ROLE = gtm.Role("AE", 1_000_000, ramp=gtm.Ramp.steps([0, 0.5]))
YEAR = gtm.Calendar("2026-01")
LEAVING = gtm.Attrition(0.3, kind="cohort")


def expected() -> gtm.ExpectedCapacity:
    result = gtm.capacity(TEAM, ROLE, YEAR, attrition=LEAVING, backfill=gtm.Backfill(2), currency="EUR").expected
    assert result is not None
    return result


def odds() -> gtm.Odds:
    return gtm.simulate(
        TEAM, ROLE, YEAR, 5e6, attrition=LEAVING, attainment=gtm.Attainment(0.4, correlation=0.1), paths=500
    )


@pytest.mark.parametrize(
    "draw", [lambda **o: gtm.plot_waterfall(expected(), **o), lambda **o: gtm.plot_odds(odds(), **o)]
)
def test_a_picture_is_drawn_on_the_axes_given_and_returned(draw) -> None:  # type: ignore[no-untyped-def]
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert draw(ax=ax) is ax
    assert ax.has_data()
    assert draw()._repr_svg_().startswith("<svg")


def test_the_waterfall_has_a_bar_per_step_and_ends_where_the_numbers_end() -> None:
    result = expected()
    ax = gtm.plot_waterfall(result)
    assert [label.get_text().replace("\n", " ") for label in ax.get_xticklabels()] == result.waterfall()[
        "step"
    ].tolist()
    heights = [bar.get_height() for bar in ax.patches]
    assert heights[1] * 1e6 == pytest.approx(result.total, abs=0.01)
    assert ax.get_ylabel() == "million EUR"


def test_the_fan_says_the_probability_with_its_interval() -> None:
    result = odds()
    assert f"with probability {result.p_target:.2f}" in gtm.plot_odds(result).get_title(loc="left")
