"""Territories: shares, seats, incumbents."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gtm_opt.errors import DataError
from gtm_opt.model import Hierarchy, SeatStatus, Territories

REPS = pd.DataFrame(
    {
        "rep_id": ["r1", "r2", "r3"],
        "capacity": [1.0, 0.5, 1.0],
        "status": ["filled", "TBH", "to be replaced"],
        "lat": [1.0, 2.0, 3.0],
        "lon": [4.0, 5.0, 6.0],
        "name": ["East", "West", "North"],
    }
)


def test_a_number_a_list_and_weights_make_territories() -> None:
    assert Territories.equal(12).names[0] == "T01"
    assert Territories.equal(np.int64(2)).names == ("T1", "T2")
    assert Territories.equal(["A", "B"]).shares == (0.5, 0.5)
    assert Territories.from_weights({"East": 8, "West": 9}).shares == pytest.approx((8 / 17, 9 / 17))
    assert Territories.from_hierarchy(Hierarchy.split(3)).names == ("T1", "T2", "T3")


def test_a_rep_table_gives_shares_status_and_centers() -> None:
    seats = Territories.from_reps(REPS, name="name")
    assert seats.shares == pytest.approx((0.4, 0.2, 0.4))
    assert seats.status == (SeatStatus.FILLED, SeatStatus.TO_BE_HIRED, SeatStatus.TO_BE_REPLACED)
    assert seats.centers == ((1.0, 4.0), (2.0, 5.0), (3.0, 6.0))
    assert seats.position == {"r1": 0, "r2": 1, "r3": 2, "East": 0, "West": 1, "North": 2}
    assert list(seats.table["rep_id"]) == ["r1", "r2", "r3"]


def test_lists_are_taken_as_tuples_and_status_words_are_read() -> None:
    seats = Territories(["A", "B"], [0.5, 0.5], ["TBH", "filled"], [None, 7], [[0, 1], [2, 3]])
    assert seats.status[0] is SeatStatus.TO_BE_HIRED
    assert seats.reps == (None, "7")
    assert seats.centers == ((0.0, 1.0), (2.0, 3.0))
    assert hash(seats) == hash(Territories(("A", "B"), (0.5, 0.5), ("TBH", "filled"), (None, "7"), ((0, 1), (2, 3))))


def change(column: str, values: list) -> pd.DataFrame:
    return REPS.assign(**{column: values})


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda: Territories(()), "needs at least one territory"),
        (lambda: Territories.equal(0), "must be at least 1, got 0"),
        (lambda: Territories.equal("East"), "must be a (list|sequence) of names, got the text 'East'"),
        (lambda: Territories(("A", "A")), "unique names, got repeated names in 1 name: 'A'"),
        (lambda: Territories(("A", "B"), (0.5, 0.6)), "must sum to 1, got 1.1"),
        (lambda: Territories(("A", "B"), (1.5, -0.5)), "must be positive; violated by 1 territory: 'B'"),
        (lambda: Territories(("A", "B"), (1.0,)), "one entry for each of the 2 territories, got 1"),
        (lambda: Territories(("A", "B"), reps=("x", "x")), "seat every rep once.*1 rep: 'x'"),
        (lambda: Territories(("A", "B"), reps=("B", "A")), "must not be the name of another territory.*'B', 'A'"),
        (lambda: Territories(("A",), status=("gone",)), "status of a seat must be 'filled'.*got 'gone'"),
        (lambda: Territories.from_weights({"A": 0}), "positive sum, got 0"),
        (lambda: Territories.from_reps(REPS, rep="rep"), r"reps\['rep'\] must exist.*Did you mean 'rep_id'"),
        (lambda: Territories.from_reps(change("rep_id", ["a", None, "c"])), "must not be empty in 1 row: 'row 1'"),
        (lambda: Territories.from_reps(change("rep_id", ["a", "a", "c"])), "every rep once.*'a'"),
        (lambda: Territories.from_reps(change("capacity", [1, 0, "x"])), "positive capacities in 2 rows: 'r2', 'r3'"),
        (lambda: Territories.from_reps(change("status", ["x", "TBH", "TBR"])), r"must be 'filled'.*'r1: x'"),
        (lambda: Territories.from_reps(change("lat", [1, None, 3])), "must hold coordinates in 1 row: 'r2'"),
        (lambda: Territories.from_reps(change("name", ["A", None, "C"]), name="name"), "must not be empty.*'r2'"),
    ],
)
def test_what_cannot_be_is_refused(build, text: str) -> None:
    with pytest.raises(DataError, match=f"(?s){text}"):
        build()
