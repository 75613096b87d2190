"""The timeline of a plan says who owns what on every day, and its proof finds every day that is wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtm_opt as gtm
from gtm_opt import DataError, Timeline

START = pd.Timestamp("2027-01-01")
HORIZON = 30


def day(number: int) -> pd.Timestamp:
    return START + pd.Timedelta(days=number)


def intervals(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["id", "rep_id", "first", "last", "share", "kind"])


row = st.tuples(
    st.sampled_from(["S-1", "S-2"]),
    st.sampled_from(["Ana", "Jo", "Lu"]),
    st.integers(-3, HORIZON - 1),
    st.one_of(st.none(), st.integers(0, 12)),
    st.sampled_from([0.25, 0.5, 1.0]),
    st.sampled_from(["owner", "split", "interim", "overlay"]),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(row, min_size=1, max_size=8), st.lists(st.integers(-2, HORIZON), min_size=6, max_size=6))
def test_the_proof_agrees_with_looking_at_every_day(rows, dates) -> None:
    rows = [(i, p, f, None if n is None else f + n, s, k) for i, p, f, n, s, k in rows]
    people = pd.DataFrame({"rep_id": ["Ana", "Jo", "Lu"], "start_date": [day(d) for d in dates[:3]]})
    people["end_date"] = [day(max(a, b)) for a, b in zip(dates[:3], dates[3:], strict=True)]
    table = intervals(*((i, p, day(f), None if n is None else day(n), s, k) for i, p, f, n, s, k in rows))
    proof = Timeline.from_table(table, people=people, effective=START, until=day(HORIZON - 1), most={"Lu": 1.5}).proof
    found = {}
    for finding in proof.table.itertuples():
        for at in range((finding.first - START).days, (finding.last - START).days + 1):
            found.setdefault((finding.rule, finding.id, at), 0)
            found[finding.rule, finding.id, at] += 1
    expected = {}
    hired = dict(zip(["Ana", "Jo", "Lu"], zip(people["start_date"], people["end_date"], strict=True), strict=True))
    for at in range(HORIZON):
        here = [r for r in rows if r[2] <= at and (r[3] is None or r[3] >= at)]
        for seat in {r[0] for r in rows}:
            total = sum(r[4] for r in here if r[0] == seat and r[5] != "overlay")
            if total == 0:
                expected["no owner", seat, at] = 1
            elif total < 1:
                expected["owners below a whole", seat, at] = 1
            elif total > 1:
                expected["more than one owner", seat, at] = 1
        for person, limit in (("Ana", 1.0), ("Jo", 1.0), ("Lu", 1.5)):
            if sum(r[4] for r in here if r[1] == person and r[5] in ("owner", "split")) > limit:
                expected["person above the limit", person, at] = 1
        for seat, person, *_ in here:
            if not hired[person][0] <= day(at) <= hired[person][1]:
                expected.setdefault(("not employed", seat, at), 0)
                expected["not employed", seat, at] += 1
    assert found == expected
    assert proof.ok == (not expected)
    assert proof.days == HORIZON


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, HORIZON - 1), st.integers(0, 9)), max_size=12))
def test_transfers_leave_one_owner_on_every_day(moves) -> None:
    timeline = Timeline.from_table(
        intervals(("a", "P", START, None, 1.0, "owner"), ("b", "P", START, None, 1.0, "owner")).assign(what="account"),
        effective=START,
        until=day(HORIZON - 1),
    )
    cells = {name: ["P"] * HORIZON for name in "ab"}
    for number, (name, first, length) in enumerate(moves):
        last = None if length == 0 else first + length - 1
        timeline = timeline.transfer(name, f"Q{number}", day(first), None if last is None else day(last))
        for at in range(first, HORIZON if last is None else min(last + 1, HORIZON)):
            cells[name][at] = f"Q{number}"
        assert timeline.proof.ok
    for at in range(HORIZON):
        held = timeline.as_of(day(at)).set_index("id")["rep_id"]
        assert held.to_dict() == {name: cells[name][at] for name in "ab"}
    seen = timeline.between(START, day(HORIZON - 1))
    assert (seen["id"] == "a").sum() == 1 + sum(x != y for x, y in zip(cells["a"], cells["a"][1:], strict=False))


def plan() -> gtm.Plan:
    accounts = pd.DataFrame({"account_id": list("abcdef"), "arr": [4.0, 3.0, 2.0, 1.0, 2.0, 3.0]})
    reps = pd.DataFrame(
        {
            "rep_id": ["r1", "r2", "T3"],
            "start_date": ["2020-01-01", "2020-01-01", "2027-04-01"],
            "end_date": ["2027-08-14", None, None],
            "status": ["filled", "filled", "to be hired"],
        }
    )
    return gtm.build_plan(
        accounts,
        reps,
        balance=[gtm.Balance("arr", tolerance=0.9)],
        roles=gtm.Role("AE", 900_000),
        calendar=gtm.Calendar("2027-01"),
        target=1_500_000,
        options=gtm.CarveOptions(effort=0.05),
    )


def test_seats_and_accounts_of_a_plan_have_an_owner_on_every_day(tmp_path) -> None:
    made = plan()
    assert made.timeline.proof.ok
    assert made.timeline.proof.subjects == 9
    assert "9 seats and accounts, 365 days: holds" in repr(made.timeline.proof)
    seat = made.staffing.history("T3")
    seat = seat[seat["what"] == "seat"]
    assert seat["kind"].tolist() == ["interim", "owner"]
    assert seat["rep_id"].iloc[-1] == "to be hired"
    account = made.carving.assignment.set_index("territory").loc["r1", "account_id"]
    account = account if isinstance(account, str) else account.iloc[0]
    assert made.staffing.history(account)["first"].tolist() == [START, pd.Timestamp("2027-08-15")]
    assert set(made.staffing.as_of("2027-09-01")["rep_id"]) == {"r2", "to be hired"}
    made.save(tmp_path / "plan")
    loaded = gtm.Plan.load(tmp_path / "plan")
    pd.testing.assert_frame_equal(loaded.timeline.table, made.timeline.table, check_dtype=False)
    assert loaded.check().ok == made.check().ok


def test_capacity_and_quotas_read_the_timeline_as_they_read_the_staffing() -> None:
    made = plan()
    role, calendar = gtm.Role("AE", 900_000), gtm.Calendar("2027-01")
    one, two = (gtm.capacity(source, role, calendar) for source in (made.staffing, made.staffing.timeline))
    assert one.total == pytest.approx(two.total)
    carried = [made.quotas.sellers(s, role)["seller_quota"].sum() for s in (made.staffing, made.staffing.timeline)]
    assert carried[0] == pytest.approx(carried[1])


def test_days_that_are_owned_twice_reach_neither_capacity_nor_quotas() -> None:
    twice = intervals(
        ("S", "Ana", START, None, 1.0, "owner"),
        ("S", "Jo", day(5), day(9), 0.5, "split"),
        ("T", "Jo", day(9), None, 1, "owner"),
    )
    timeline = Timeline.from_table(twice)
    with pytest.raises(
        DataError, match=r"must not own a day twice: S: owners of 150% .* \(5 days\); Jo: in seats of 150%"
    ):
        gtm.capacity(timeline, gtm.Role("AE", 900_000), gtm.Calendar("2027-01"))
    with pytest.raises(DataError, match=r"(?s)3 findings.*T: nobody from 2027-01-01 to 2027-01-09 \(9 days\)"):
        timeline.proof.raise_if_any()


def test_what_is_wrong_with_intervals_is_reported_together() -> None:
    table = intervals(
        ("S", "Ana", "2027-05-01", "2027-04-01", 1.0, "owner"),
        ("S", "Who", "2027-05-01", None, 1.5, "owner"),
        (None, "Ana", "05/06/2027", None, 1.0, "boss"),
    )
    people = pd.DataFrame({"rep_id": ["Ana", "Ana", "Jo"], "start_date": ["2027-01-01"] * 3})
    people["end_date"] = [None, None, "2026-01-01"]
    with pytest.raises(DataError) as error:
        Timeline.from_table(table, people=people)
    for text in (
        "'id' must not be empty",
        "'first' must hold dates",
        "must not end before they begin in 1 interval",
        "'share' must be above 0 and at most 1",
        "'kind' must be one of owner",
        "people must have one row for each person",
        "people must not leave before they start",
        "must name known people",
    ):
        assert text.split(" in 1")[0] in str(error.value)
    good = Timeline.from_table(intervals(("S", "Ana", START, None, 1.0, "owner")), people=people.iloc[1:2])
    with pytest.raises(
        DataError, match=r"(?s)4 things.*seat or an account.*known person.*before `first`.*one of owner"
    ):
        good.transfer("X", "Y", "2027-05-01", "2027-04-01", kind="boss")
    with pytest.raises(DataError, match=r"got 'Sx'\. Did you mean"):
        good.history("Sx")
    with pytest.raises(DataError, match="must not lie before `first`"):
        good.between("2027-05-01", "2027-04-01")
    with pytest.raises(DataError, match="must have the columns rep_id, first, last"):
        Timeline.from_table(table[["id"]])


def test_the_order_of_the_rows_changes_no_finding() -> None:
    rng = np.random.default_rng(3)
    rows = [
        (f"S{rng.integers(3)}", f"P{rng.integers(4)}", day(f := int(rng.integers(20))), day(f + 5), 0.5, "split")
        for _ in range(30)
    ]
    table = intervals(*rows)
    one, two = (Timeline.from_table(t, effective=START, until=day(29)).proof for t in (table, table[::-1]))
    pd.testing.assert_frame_equal(one.table, two.table)
