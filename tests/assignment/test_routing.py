"""Leads go to whose turn it is, one by one or in a batch."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtm_opt import DataError, RoundRobin


def leads(*rows: tuple) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["lead_id", "at", "eligible"])
    return frame.assign(at=[pd.Timestamp(f"2027-03-01 {t}") for t in frame["at"]])


def last(**times: str) -> dict[str, pd.Timestamp]:
    return {name: pd.Timestamp(f"2027-03-01 {t}") for name, t in times.items()}


def test_the_member_whose_last_lead_is_longest_ago_is_next() -> None:
    policy = RoundRobin(("Susana", "Sanjay", "Miriam"), last(Miriam="10:02", Sanjay="10:31", Susana="11:17"))
    routed, after = policy.route(leads(("L1", "13:33", None), ("L2", "13:50", ["Miriam", "Sanjay"])))
    assert routed["rep_id"].tolist() == ["Miriam", "Sanjay"]
    assert after.members == ("Susana", "Miriam", "Sanjay")
    assert after.last["Sanjay"] == pd.Timestamp("2027-03-01 13:50")


row = st.tuples(
    st.integers(9, 16),
    st.one_of(st.none(), st.lists(st.sampled_from("abcd"), min_size=0, max_size=3, unique=True)),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(row, max_size=14), st.integers(0, 14), st.one_of(st.none(), st.integers(1, 3)), st.booleans())
def test_a_batch_is_routed_like_single_leads_and_agrees_with_a_plain_simulator(rows, cut, cap, absent) -> None:
    rows = sorted(rows, key=lambda r: r[0])
    frame = leads(*((f"L{n}", f"{hour}:00", who) for n, (hour, who) in enumerate(rows)))
    away = pd.DataFrame({"rep_id": ["b"], "first": last(x="11:00").values(), "last": last(x="13:30").values()})
    policy = RoundRobin(tuple("abcd"), absences=away if absent else None, cap=cap)
    whole, _ = policy.route(frame)
    if cut < len(frame):
        one, after = policy.route(frame.iloc[:cut])
        two, _ = after.route(frame.iloc[cut:])
        assert [*one["rep_id"], *two["rep_id"]] == whole["rep_id"].tolist()
    turn, given_, expected = {m: -1 for m in "abcd"}, dict.fromkeys("abcd", 0), []
    for number, (hour, who) in enumerate(rows):
        here = [m for m in "abcd" if who is None or m in who]
        here = [m for m in here if not (absent and m == "b" and 11 <= hour <= 13) and (cap is None or given_[m] < cap)]
        best = min(here, key=lambda m: turn[m], default=None)
        expected.append(best)
        if best is not None:
            turn[best] = number
            given_[best] += 1
    assert whole["rep_id"].tolist() == expected


def test_an_absent_member_pushes_no_turns_to_anybody() -> None:
    away = pd.DataFrame({"rep_id": ["b"], "first": last(x="09:00").values(), "last": last(x="17:00").values()})
    routed, after = RoundRobin(tuple("abc"), absences=away).route(leads(*((n, f"1{n}:00", None) for n in range(6))))
    assert routed["rep_id"].tolist() == ["a", "c"] * 3
    back, _ = after.route(leads(("x", "18:00", None), ("y", "18:30", None)))
    assert back["rep_id"].tolist() == ["b", "a"]


def test_what_is_wrong_with_leads_is_reported_together() -> None:
    policy = RoundRobin(("a", "b"), last(a="12:00"))
    with pytest.raises(DataError, match=r"(?s)2 things.*must name members.*must not lie before the last routed lead"):
        policy.route(leads(("L", "11:00", ["z"])))
    mixed = pd.DataFrame({"lead_id": [1], "at": [pd.Timestamp("2027-03-02", tz="UTC")]})
    with pytest.raises(DataError, match="must not mix times with and without a time zone"):
        policy.route(mixed)
    with pytest.raises(DataError, match="must hold moments, got 'soon'"):
        policy.route(mixed.assign(at="soon"))
    with pytest.raises(DataError, match=r"(?s)3 things.*unique.*must name members.*at least 1"):
        RoundRobin(("a", "a"), last(q="12:00"), cap=0)
