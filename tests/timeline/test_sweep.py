"""Sums, gaps and overlaps by day agree with counting day by day."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from gtm_opt.timeline import find_gaps, find_overlaps, sum_by_day

START = np.datetime64("2027-01-01", "D")
HORIZON = 40

interval = st.tuples(
    st.sampled_from(["S-1", "S-2", "S-3"]),
    st.integers(-5, HORIZON + 5),
    st.integers(-5, HORIZON + 5),
    st.sampled_from([0.0, 0.25, 1 / 3, 0.5, 1.0]),
)


def arrays(rows: list[tuple[str, int, int, float]]) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    first = START + np.array([r[1] for r in rows], dtype="timedelta64[D]")
    last = START + np.array([r[2] for r in rows], dtype="timedelta64[D]")
    return [r[0] for r in rows], first, last, np.array([r[3] for r in rows], dtype=float)


def by_day(rows: list[tuple[str, int, int, float]], key: str, day: int) -> float:
    return sum(part for name, first, last, part in rows if name == key and first <= day <= last)


@given(st.lists(interval, min_size=1, max_size=12))
def test_gaps_and_overlaps_are_those_of_counting_every_day(rows) -> None:
    keys, first, last, part = arrays(rows)
    within = (START, START + np.timedelta64(HORIZON - 1, "D"))
    gaps = find_gaps(keys, first, last, part, within=within)
    overlaps = find_overlaps(keys, first, last, part)
    found = []
    for table in (gaps, overlaps):
        cells = {}
        for row in table.itertuples():
            since = (row.first - pd.Timestamp(START)).days
            for day in range(since, since + row.days):
                assert (row.key, day) not in cells
                cells[row.key, day] = row.total
        found.append(cells)
    for key in set(keys):
        for day in range(HORIZON):
            total = by_day(rows, key, day)
            for cells, expected in zip(found, (total < 1 - 1e-9, total > 1 + 1e-9), strict=True):
                assert ((key, day) in cells) == expected
                assert not expected or abs(cells[key, day] - total) < 1e-9


@given(st.lists(interval, min_size=2, max_size=12), st.randoms())
def test_the_order_of_the_rows_changes_nothing(rows, random) -> None:
    one = sum_by_day(*arrays(rows))
    random.shuffle(rows)
    two = sum_by_day(*arrays(rows))
    for name in ("key", "first", "last", "total"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    assert one.keys == two.keys


def test_open_ends_reach_beyond_every_day_and_thirds_make_a_whole() -> None:
    nat = np.datetime64("NaT", "D")
    first, last = np.array([nat, nat, START]), np.array([nat, START, nat])
    parts = np.array([1 / 3, 1 / 3, 1 / 3])
    within = (START, START)
    assert find_gaps(["a"] * 3, first, last, parts, within=within).empty
    assert find_overlaps(["a"] * 3, first, last, parts).empty
    day_after = (START + np.timedelta64(1, "D"),) * 2
    assert find_gaps(["a"] * 3, first, last, parts, within=day_after)["days"].tolist() == [1]


def test_nothing_in_nothing_out() -> None:
    none = np.array([], dtype="datetime64[D]")
    assert find_overlaps([], none, none).empty
