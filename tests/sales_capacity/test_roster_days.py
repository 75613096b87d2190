"""No day counts twice, no date is swallowed by another, and heads add up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gtm_opt as gtm

ROLE = gtm.Role("AE", 900_000)
YEAR = gtm.Calendar("2027-01")


def roster(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(list(rows))


def test_a_seat_taken_over_in_july_counts_half_a_year_with_or_without_a_hire_date() -> None:
    late = roster({"rep_id": "b", "seat_id": "s", "from_date": "2027-07-01"})
    assert gtm.capacity(late, ROLE, YEAR).total == pytest.approx(450_000)
    assert gtm.capacity(late.assign(start_date="2020-01-01"), ROLE, YEAR).total == pytest.approx(450_000)
    tree = gtm.Hierarchy.from_frame(pd.DataFrame({"node_id": ["co", "s"], "parent_id": [None, "co"]}))
    quotas = gtm.cascade(tree, 1_200_000, calendar=YEAR)
    assert quotas.sellers(late, ROLE)["seller_quota"].sum() == pytest.approx(600_000)


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (
            [
                {"rep_id": "a", "seat_id": "s", "from_date": "2027-01-01", "end_date": "2027-12-31"},
                {"rep_id": "b", "seat_id": "s", "from_date": "2027-06-01"},
            ],
            r"more than one whole owner on a day, got 200% of 's' from 2027-06-01 to 2027-12-31",
        ),
        (
            [{"rep_id": "a", "seat_id": "s"}, {"rep_id": "a", "seat_id": "t"}],
            r"a person at more than 100 % on a day, got 200% of 'a' from the beginning on",
        ),
        (
            [
                {"rep_id": "a", "seat_id": "s", "assignment_frac": 0.6},
                {"rep_id": "b", "seat_id": "s", "assignment_frac": 0.6},
            ],
            r"got 120% of 's'",
        ),
    ],
)
def test_what_would_count_twice_is_refused_with_days(rows, text: str) -> None:
    with pytest.raises(gtm.DataError, match=text):
        gtm.capacity(roster(*rows), ROLE, YEAR)


def test_shares_of_a_seat_are_taken_and_the_rest_is_vacant() -> None:
    table = gtm.capacity(roster({"rep_id": "a", "seat_id": "s", "assignment_frac": 0.6}), ROLE, YEAR).table
    assert table["capacity"].sum() == pytest.approx(540_000)
    assert table.loc[table["rep_id"].isna(), "vacant_frac"].sum() == pytest.approx(12 * 0.4)
    both = roster(
        {"rep_id": "a", "seat_id": "s", "assignment_frac": 0.6}, {"rep_id": "b", "seat_id": "s", "assignment_frac": 0.4}
    )
    assert gtm.capacity(both, ROLE, YEAR).total == pytest.approx(900_000)


def test_heads_at_the_start_and_the_end_of_the_published_model() -> None:
    rows = [{"rep_id": f"a{n}", "start_date": "2020-01-01"} for n in range(20)]
    rows += [{"rep_id": f"q1-{n}", "start_date": "2027-02-01"} for n in range(5)]
    rows += [{"rep_id": f"q2-{n}", "start_date": "2027-05-01"} for n in range(6)]
    rows += [{"rep_id": f"q3-{n}", "start_date": "2027-08-01"} for n in range(7)]
    for n, day in ((0, "2027-03-31"), (1, "2027-06-30"), (2, "2027-09-15")):
        rows[n]["end_date"] = day
    heads = gtm.capacity(roster(*rows), ROLE, YEAR).heads()
    assert heads["start"].tolist() == [20, 24, 29, 35]
    assert heads["end"].tolist() == [24, 29, 35, 35]
    assert heads["joined"].tolist() == [5, 6, 7, 0]
    assert heads["left"].tolist() == [1, 1, 1, 0]


def test_who_changes_the_seat_has_neither_joined_nor_left() -> None:
    moved = roster(
        {"rep_id": "a", "seat_id": "s", "from_date": "2026-01-01", "end_date": "2027-05-14"},
        {"rep_id": "a", "seat_id": "t", "from_date": "2027-05-15"},
    )
    table = gtm.capacity(moved, ROLE, YEAR)
    assert table.heads(period="fiscal_year")[["start", "joined", "left", "end"]].iloc[0].tolist() == [1, 0, 0, 1]
    by_seat = table.heads("seat_id", period="fiscal_year").set_index("seat_id")
    assert by_seat.loc["s", ["start", "left", "end"]].tolist() == [1, 1, 0]
    with pytest.raises(gtm.DataError, match=r"must name columns of the roster, got 'rol'.*role"):
        table.heads("rol")


days = st.one_of(st.none(), st.integers(-100, 500))


@given(st.lists(st.tuples(days, days), min_size=1, max_size=6))
def test_start_plus_joined_minus_left_is_end(stints) -> None:
    origin = pd.Timestamp("2027-01-01")
    rows = []
    for n, (first, last) in enumerate(stints):
        if first is not None and last is not None and last < first:
            first, last = last, first
        rows.append(
            {
                "rep_id": f"r{n}",
                "from_date": None if first is None else origin + pd.Timedelta(days=first),
                "end_date": None if last is None else origin + pd.Timedelta(days=last),
            }
        )
    heads = gtm.capacity(roster(*rows), ROLE, YEAR).heads(period="month")
    assert (heads["start"] + heads["joined"] - heads["left"] == heads["end"]).all()
    assert (heads["end"].to_numpy()[:-1] == heads["start"].to_numpy()[1:]).all()


@given(st.data())
def test_leaves_in_one_sweep_are_those_of_a_loop_over_days(data) -> None:
    table = roster({"rep_id": "a", "seat_id": "s"}, {"rep_id": "b", "seat_id": "t"})
    count = data.draw(st.integers(1, 4))
    rows = [
        (data.draw(st.sampled_from("ab")), *sorted((data.draw(st.integers(0, 364)), data.draw(st.integers(0, 364)))))
        for _ in range(count)
    ]
    origin = pd.Timestamp("2027-01-01")
    leaves = pd.DataFrame(
        [(r, origin + pd.Timedelta(days=a), origin + pd.Timedelta(days=b)) for r, a, b in rows],
        columns=["rep_id", "start_date", "end_date"],
    )
    out = gtm.capacity(table, ROLE, YEAR, leaves=leaves).table.pivot_table(
        index="rep_id", columns="month", values="active_frac", sort=False
    )
    for rep in "ab":
        day = pd.date_range(origin, periods=365)
        lost = np.zeros(365)
        for name, a, b in rows:
            if name == rep:
                lost[a : b + 1] += 1.0
        by_month = pd.Series(lost, index=day.to_period("M")).groupby(level=0).mean().clip(upper=1.0)
        np.testing.assert_allclose(out.loc[rep].to_numpy(), 1.0 - by_month.to_numpy(), atol=1e-12)
