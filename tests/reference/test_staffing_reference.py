"""Reference cases of staffing: the numbers a planner knows."""

from __future__ import annotations

import pandas as pd

from gtm_opt import RoundRobin, Timeline, support_heads


def test_the_seat_of_a_leaver_is_vacant_for_78_days_until_the_backfill() -> None:
    table = pd.DataFrame(
        {
            "id": ["S-4", "S-4"],
            "rep_id": ["R4", "R5"],
            "first": ["2026-01-01", "2026-11-01"],
            "last": ["2026-08-14", None],
        }
    )
    proof = Timeline.from_table(table, effective="2026-01-01", until="2026-12-31").proof
    assert proof.table["detail"].tolist() == ["S-4: nobody from 2026-08-15 to 2026-10-31 (78 days)"]


def test_an_account_transferred_in_july_has_one_owner_on_each_of_365_days() -> None:
    table = pd.DataFrame({"what": ["account"], "id": ["A"], "rep_id": ["Ana"], "first": ["2026-01-01"], "last": [None]})
    timeline = Timeline.from_table(table, effective="2026-01-01", until="2026-12-31").transfer("A", "Jo", "2026-07-16")
    days = pd.date_range("2026-01-01", "2026-12-31")
    owners = [timeline.as_of(day)["rep_id"].tolist() for day in days]
    assert [len(o) for o in owners] == [1] * 365
    assert [o[0] for o in owners].count("Jo") == 169
    assert timeline.proof.ok


def test_engineers_follow_one_for_three_and_managers_a_span_of_eight() -> None:
    sellers = {"Q1": 9, "Q2": 10, "Q3": 27, "Q4": 28}
    assert support_heads(sellers, ratio=3)["heads"].tolist() == [3, 4, 9, 10]
    assert support_heads(sellers, ratio=8)["heads"].tolist() == [2, 2, 4, 4]


def test_leads_of_the_afternoon_go_to_miriam_and_then_sanjay() -> None:
    times = {"Miriam": "10:02", "Sanjay": "10:31", "Susana": "11:17"}
    last = {name: pd.Timestamp(f"2027-03-01 {time}") for name, time in times.items()}
    leads = pd.DataFrame({"lead_id": [1, 2], "eligible": [None, ["Miriam", "Sanjay"]]})
    leads["at"] = [pd.Timestamp("2027-03-01 13:33"), pd.Timestamp("2027-03-01 13:50")]
    assert RoundRobin(tuple(last), last).route(leads)[0]["rep_id"].tolist() == ["Miriam", "Sanjay"]
