"""A dated plan as deltas: applied one after another they are the plan; taken back they leave nothing behind."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtm_opt import DataError, Timeline
from gtm_opt.plan.crm import LIVE, apply_delta, compare_live, live_rows, ownership_deltas

START = pd.Timestamp("2027-01-01")
NOTHING = pd.DataFrame(columns=[*LIVE], dtype=object)


def day(number: int) -> pd.Timestamp:
    return START + pd.Timedelta(days=number)


move = st.tuples(st.sampled_from(["A1", "A2", "S1"]), st.sampled_from("pqr"), st.integers(0, 20), st.integers(0, 6))


@settings(max_examples=15, deadline=None)
@given(st.lists(move, max_size=8), st.booleans())
def test_deltas_in_their_order_are_the_plan_and_their_inverses_leave_nothing_behind(moves, seeded) -> None:
    table = pd.DataFrame(
        {
            "what": ["account", "account", "seat"],
            "id": ["A1", "A2", "S1"],
            "rep_id": "p",
            "first": START,
            "last": pd.NaT,
        }
    )
    timeline = Timeline.from_table(table, effective=START, until=day(30))
    for name, rep, first, length in moves:
        last = None if length == 0 else day(first + length)
        timeline = timeline.transfer(name, rep, day(first), last, kind="interim" if length == 3 else "owner")
    before = pd.DataFrame([("account", "A1", "old", "owner")], columns=[*LIVE], dtype=object) if seeded else NOTHING
    deltas = ownership_deltas(timeline, before)
    assert [d.number for d in deltas] == list(range(1, len(deltas) + 1))
    live, at = before, 0
    for number in range(0, 31, 2):
        while at < len(deltas) and deltas[at].day <= day(number):
            live = apply_delta(live, deltas[at])
            at += 1
        pd.testing.assert_frame_equal(live, live_rows(timeline, day(number)), check_dtype=False)
        assert compare_live(live_rows(timeline, day(number)), live).empty
    for delta in reversed(deltas):
        live = apply_delta(live, delta.inverse)
    pd.testing.assert_frame_equal(live, before, check_dtype=False)


def test_owner_updates_name_the_previous_owner_and_chunks_delete_first() -> None:
    table = pd.DataFrame(
        {"what": "account", "id": ["A1", "A2"], "rep_id": ["p", "p"], "first": START, "last": [pd.NaT, day(9)]}
    )
    deltas = ownership_deltas(Timeline.from_table(table, effective=START).transfer("A1", "q", day(10)))
    assert [repr(d) for d in deltas] == [
        "Delta 1 on 2027-01-01: 0 rows out, 2 in",
        "Delta 2 on 2027-01-11: 2 rows out, 1 in",
    ]
    assert deltas[1].owner_updates.to_numpy().tolist() == [["A1", "q", "p"], ["A2", None, "p"]]
    assert [(what, len(rows)) for what, rows in deltas[1].chunks(1)] == [("delete", 1), ("delete", 1), ("insert", 1)]
    with pytest.raises(DataError, match="must be at least 1"):
        list(deltas[1].chunks(0))


def test_five_rows_changed_by_hand_are_exactly_the_five_that_differ() -> None:
    rng = np.random.default_rng(4)
    table = pd.DataFrame({"what": "account", "id": [f"A{n}" for n in range(50)], "first": START, "last": pd.NaT})
    table["rep_id"] = rng.choice(list("pqr"), 50)
    plan = live_rows(Timeline.from_table(table), START)
    live = plan.copy()
    for at in (3, 17, 20):
        live.loc[at, "member_id"] = "someone"
    live = live.drop(index=40)
    live.loc[99] = ["account", "A99", "p", "owner"]
    found = compare_live(plan, live)
    assert found["status"].value_counts().to_dict() == {"different": 3, "in plan only": 1, "live only": 1}
    assert set(found["record_id"]) == {*plan.loc[[3, 17, 20, 40], "record_id"], "A99"}


def test_ids_the_crm_would_refuse_and_states_that_do_not_fit_are_reported() -> None:
    table = pd.DataFrame({"id": ["S1", "S2"], "rep_id": ["p", "q"], "first": START, "last": pd.NaT})
    timeline = Timeline.from_table(table)
    with pytest.raises(DataError, match=r"(?s)2 things.*must name every seat.*'q'.*must match.*'S1 \(x\)', 'S2 \(x\)'"):
        ownership_deltas(timeline, ids={"S1": "x", "S2": "x", "p": "005A"}, pattern=r"00\w+|q")
    (delta,) = ownership_deltas(timeline)
    live = apply_delta(NOTHING, delta)
    with pytest.raises(DataError, match="delta 1 must insert rows that are not live in 2 rows: 'seat S1 p owner'"):
        apply_delta(live, delta)
    with pytest.raises(DataError, match="delta 1 must delete rows that are live"):
        apply_delta(NOTHING, delta.inverse)
    with pytest.raises(DataError, match="must have the columns object, record_id"):
        apply_delta(pd.DataFrame({"x": [1]}), delta)
    with pytest.raises(DataError, match="must be unique, got seat S1 p owner more than once"):
        compare_live(pd.concat([live, live]), live)
