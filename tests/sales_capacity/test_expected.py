"""Expected capacity: its limits, its parts, and an enumeration of histories as oracle."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtm_opt as gtm
from gtm_opt.errors import DataError

FY26 = gtm.Calendar("2026-01")
AE = gtm.Role("AE", 1_200_000, "ENT", ramp=gtm.Ramp.steps([0, 0.25, 0.5, 0.75]))
SDR = gtm.Role("SDR", 120_000, "SMB", ramp=gtm.Ramp.steps([0.5]))
FIFTH = gtm.Attrition(0.2, kind="cohort")
TEAM = pd.DataFrame(
    {
        "seat_id": ["S1", "S2", "S3", "S4", "S4"],
        "rep_id": ["A", "B", None, "D", "E"],
        "start_date": [None, "2026-02-16", "2026-07-01", None, "2026-11-01"],
        "end_date": [None, None, None, "2026-08-14", None],
        "effectiveness": [1.2, 1.0, 1.0, 1.0, 1.0],
    }
)


def expected_of(people: pd.DataFrame, **words: object) -> gtm.ExpectedCapacity:
    roles = words.pop("roles", AE)
    result = gtm.capacity(people, roles, words.pop("calendar", FY26), **words)  # type: ignore[arg-type]
    assert result.expected is not None
    return result.expected


def test_nobody_leaving_leaves_the_roster_as_it_is_and_the_certain_table_never_changes() -> None:
    plain = gtm.capacity(TEAM, AE, FY26)
    calm = gtm.capacity(TEAM, AE, FY26, attrition=gtm.Attrition(0.0, kind="cohort"), backfill=gtm.Backfill(2))
    assert calm.expected is not None
    assert calm.expected.total == pytest.approx(plain.total)
    assert calm.expected.table["sd"].max() < 1e-3
    assert calm.expected.waterfall()["step"].tolist() == ["roster", "expected"]
    stormy = gtm.capacity(TEAM, AE, FY26, attrition=FIFTH)
    pd.testing.assert_frame_equal(stormy.table, plain.table)


def test_a_hire_in_the_first_month_yields_the_renewal_recursion() -> None:
    people = pd.DataFrame({"rep_id": ["A"], "start_date": ["2026-01-01"]})
    for backfill in (None, gtm.Backfill(3), gtm.Backfill(1.5, fill_cv=0.6)):
        table = expected_of(people, attrition=FIFTH, backfill=backfill).table
        wanted = gtm.seat_output(FIFTH.hazard(AE), AE.ramp, backfill) * 100_000
        np.testing.assert_allclose(table["expected"], wanted)


def enumerate_seat(hazard: float, lag: int, months: int, *, middle: bool, cover: float) -> list[tuple[float, float]]:
    """Return mean and variance of a ramped seller's seat by month, following every state of the seat."""
    ramp = AE.ramp
    states: dict[tuple[str, int], float] = {("here", 0): 1.0}
    out = []
    for _ in range(months):
        values: list[tuple[float, float]] = []
        following: dict[tuple[str, int], float] = {}
        for (kind, number), p in states.items():
            if kind == "empty":
                values.append((cover, p))
                moves = [(("empty", number - 1) if number > 1 else ("new", 1), p)]
            else:
                level = 1.0 if kind == "here" else float(ramp.at(number))
                half = 0.5 if middle else 1.0
                values += [(level, p * (1 - hazard)), (level * half, p * hazard)]
                stay = ("here", 0) if kind == "here" else ("new", number + 1)
                moves = [(stay, p * (1 - hazard)), (("empty", lag) if lag else ("new", 1), p * hazard)]
            for state, q in moves:
                following[state] = following.get(state, 0.0) + q
        mean = sum(v * p for v, p in values)
        out.append((mean, sum(v * v * p for v, p in values) - mean**2))
        states = following
    return out


@pytest.mark.parametrize("middle", [False, True])
@pytest.mark.parametrize("lag", [0, 2])
@pytest.mark.parametrize("cover", [0.0, 0.3])
def test_mean_and_variance_are_those_of_all_histories(middle: bool, lag: int, cover: float) -> None:
    attrition = gtm.Attrition(0.5, kind="cohort", exits="mid_month" if middle else "end_of_month")
    people = pd.DataFrame({"rep_id": ["A"]})
    table = expected_of(people, attrition=attrition, backfill=gtm.Backfill(lag), interim_frac=cover).table
    wanted = np.array(enumerate_seat(attrition.hazard(AE), lag, 12, middle=middle, cover=cover))
    np.testing.assert_allclose(table["expected"] / 100_000, wanted[:, 0], atol=1e-12)
    np.testing.assert_allclose((table["sd"] / 100_000) ** 2, wanted[:, 1], atol=1e-9)


@settings(max_examples=25)
@given(
    rate=st.floats(0, 0.9),
    failure=st.none() | st.floats(0, 0.9),
    lag=st.floats(0, 6),
    output=st.floats(0.3, 1),
    cover=st.floats(0, 1),
    middle=st.booleans(),
)
def test_the_waterfall_and_every_roll_up_sum_exactly(rate, failure, lag, output, cover, middle) -> None:
    attrition = gtm.Attrition(
        rate,
        kind="turnover",
        new_hire=failure,
        involuntary_output=output,
        exits="mid_month" if middle else "end_of_month",
    )
    expected = expected_of(TEAM, attrition=attrition, backfill=gtm.Backfill(lag), interim_frac=cover)
    for keys in ((), ("seat_id",), ("segment",)):
        for _, group in expected.waterfall(*keys).groupby(list(keys) or (lambda _: 0)):
            cents = (group["amount"] * 100).round().astype(np.int64).tolist()
            assert sum(cents[:-1]) == cents[-1]
    assert expected.summary()["expected"].iloc[-1] == pytest.approx(expected.total)
    assert expected.by("month", "seat_id")["expected"].sum() == pytest.approx(expected.total)
    assert (expected.table["exits"] <= 1e-6).all()
    assert (expected.table["empty_seats"] <= 1e-6).all()


def test_quicker_backfills_and_fewer_exits_never_yield_less() -> None:
    totals = [expected_of(TEAM, attrition=FIFTH, backfill=b).total for b in (None, gtm.Backfill(6), gtm.Backfill(1))]
    assert totals == sorted(totals)
    rates = [expected_of(TEAM, attrition=gtm.Attrition(r, kind="cohort")).total for r in (0.6, 0.3, 0.1)]
    assert rates == sorted(rates)


def test_a_seat_left_without_backfill_is_an_exit_and_with_one_it_is_empty_until_it_comes() -> None:
    people = pd.DataFrame({"rep_id": ["A"]})
    alone = expected_of(people, attrition=FIFTH).waterfall().set_index("step")["amount"]
    assert alone.index.tolist() == ["roster", "exits not replaced", "expected"]
    expected = expected_of(people, attrition=FIFTH, backfill=gtm.Backfill(2))
    filled = expected.waterfall().set_index("step")["amount"]
    # exits at the end of months 10 and 11 find their backfill beyond the year: 1 + 2 months of vacancy are for good
    ends = FIFTH.hazard(AE) * expected.table["occupied"].to_numpy()
    assert filled["exits not replaced"] == pytest.approx(-100_000 * (2 * ends[9] + ends[10]), abs=0.01)


def test_low_performers_who_leave_first_cost_less_and_keep_the_share_of_leavers() -> None:
    people = pd.DataFrame({"rep_id": ["A"]})
    usual = expected_of(people, attrition=FIFTH)
    milder = expected_of(people, attrition=gtm.Attrition(0.2, kind="cohort", involuntary_output=0.5))
    np.testing.assert_allclose(milder.table["occupied"], usual.table["occupied"])
    assert milder.total > usual.total
    second = 1 - milder.table["expected"].iloc[1] / 100_000
    assert second == pytest.approx(FIFTH.hazard(AE) * 0.75)  # half of the exits take half of an average seller


def test_a_promotion_opens_a_seat_where_it_comes_from() -> None:
    people = pd.DataFrame({"rep_id": [f"A{n}" for n in range(5)] + [f"S{n}" for n in range(10)]})
    people["role"] = ["AE"] * 5 + ["SDR"] * 10
    roles = [AE, SDR]
    quiet = gtm.Attrition({"AE": 0.3, "SDR": 0.0}, kind="cohort")
    outside = expected_of(people, roles=roles, attrition=quiet, backfill={"AE": gtm.Backfill(1)})
    inside = expected_of(
        people, roles=roles, attrition=quiet, backfill={"AE": gtm.Backfill(1, promoted_from="SDR"), "SDR": None}
    )
    heads = {name: e.by("role", "month") for name, e in (("out", outside), ("in", inside))}
    by_role = [heads[k].groupby("role", sort=False)["expected"].sum() for k in ("out", "in")]
    assert by_role[0]["AE"] == pytest.approx(by_role[1]["AE"])
    assert by_role[0]["SDR"] == 1_200_000
    # every AE seat filled again empties one SDR seat for good
    occupied = inside.table.groupby(["role", "month"])["occupied"].sum().unstack("role")
    starts = quiet.hazard(AE) * occupied["AE"].iloc[:10].sum()
    assert 10 - occupied["SDR"].iloc[-1] == pytest.approx(starts)
    with pytest.raises(DataError, match="takes more people than there are"):
        expected_of(
            people.iloc[:6],
            roles=roles,
            attrition=gtm.Attrition({"AE": 0.95, "SDR": 0.5}, kind="cohort"),
            backfill={"AE": gtm.Backfill(0, promoted_from="SDR")},
            calendar=gtm.Calendar("2026-01", months=24),
        )


def test_wrong_words_about_backfills_are_named() -> None:
    with pytest.raises(DataError, match="backfill needs `attrition`"):
        gtm.capacity(TEAM, AE, FY26, backfill=gtm.Backfill(2))
    with pytest.raises(DataError, match="must be a Backfill, or one by role"):
        gtm.capacity(TEAM, AE, FY26, attrition=FIFTH, backfill=3)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="Did you mean 'ENT'"):
        gtm.capacity(TEAM, AE, FY26, attrition=FIFTH, backfill={"ENTT": gtm.Backfill(2)})
    circle = {"AE": gtm.Backfill(1, promoted_from="SDR"), "SDR": gtm.Backfill(1, promoted_from="AE")}
    both = TEAM.assign(role="AE")
    with pytest.raises(DataError, match="must not go in a circle, got AE <- SDR <- AE"):
        gtm.capacity(both, [AE, SDR], FY26, attrition=FIFTH, backfill=circle)
    with pytest.raises(DataError, match="must have a value for every role; violated by 1 role: 'AE'"):
        gtm.capacity(TEAM, AE, FY26, attrition=gtm.Attrition({"SMB": 0.1}, kind="cohort"))
    with pytest.raises(DataError, match=r"`by` must name columns of the table, got 'segmnt'. Did you mean 'segment'"):
        expected_of(TEAM, attrition=FIFTH).by("segmnt")


def test_the_order_of_rows_changes_nothing() -> None:
    whole = expected_of(TEAM, attrition=FIFTH, backfill=gtm.Backfill(2)).by("seat_id").set_index("seat_id")
    turned = expected_of(TEAM.iloc[::-1], attrition=FIFTH, backfill=gtm.Backfill(2)).by("seat_id").set_index("seat_id")
    pd.testing.assert_frame_equal(whole.sort_index(), turned.sort_index())


def test_coverage_says_both_ratios_and_refuses_a_win_rate_in_percent() -> None:
    result = gtm.capacity(TEAM, AE, FY26, attrition=FIFTH)
    table = result.coverage(3_000_000, pipeline=9_000_000, booked={"FY2026-Q1": 750_000}, win_rate=0.25)
    assert table["kappa_expected"].iloc[-1] == pytest.approx(result.expected.total / 3_000_000)  # type: ignore[union-attr]
    assert table["kappa_pipe"].iloc[-1] == pytest.approx(4)
    assert np.isnan(table["kappa_pipe"].iloc[0])  # nothing left to book
    with pytest.raises(DataError, match=r"`win_rate` must lie in \(0, 1\], got 22"):
        result.coverage(1, win_rate=22)


def test_pipeline_words_out_of_range_are_named_together() -> None:
    with pytest.raises(DataError, match="3 things") as caught:
        gtm.pipeline_need(1.0, FY26, win_rate=0, cycle_m=-1, sdr_share=0.5)
    assert "win_rate must lie in (0, 1], got 0" in str(caught.value)
    need = gtm.pipeline_need({"Q1": 3.0}, FY26, win_rate=0.5, cycle_m=4)
    assert str(need["needed_by"].iloc[0]) == "2025-09"
    with pytest.raises(DataError, match="2 things"):
        gtm.bookings_model(gtm.capacity(TEAM, AE, FY26), newbiz_share=70, prior=[1, 2])
