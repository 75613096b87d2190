"""The book keeps every event once, survives a kill at any moment, and refuses what no rule allows."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import date

import pytest

import gtm_opt as gtm
from gtm_opt import Book, DataError, Policy, Trigger
from gtm_opt.assignment import (
    AccountsMoved,
    Correction,
    CoverBegun,
    CoverEnded,
    Exit,
    Hire,
    Leave,
    ManagerChanged,
    Promotion,
    SeatClosed,
    SeatFilled,
    SeatOpened,
    SeatsMerged,
    SeatSplit,
    StartMoved,
)

OPENS = date(2027, 1, 1)
NOTE = {"who": "ops", "why": "plan", "recorded": OPENS}


def filled(path) -> Book:
    book = Book.create(path, opens=OPENS)
    book.commit(
        [
            SeatOpened("S1", OPENS),
            SeatOpened("S2", OPENS),
            Hire("ana", OPENS, "S1", role="AE", manager_id="mo"),
            Hire("jo", OPENS, "S2", role="AE", manager_id="mo"),
            AccountsMoved({"a": "S1", "b": "S1", "c": "S2"}, OPENS),
        ],
        **NOTE,
    )
    return book


def owner(book: Book, seat: str, day: date) -> object:
    return book.facts.held("owner of seat", day).get(seat)


def test_everything_that_happens_in_a_year_keeps_one_owner_for_every_day(tmp_path) -> None:
    book = filled(tmp_path / "book.db")
    book.commit([Exit("ana", date(2027, 3, 31)), CoverBegun("jo", "S1", date(2027, 4, 1))], **NOTE)
    book.commit(Hire("lu", date(2027, 6, 1), "S1"), **NOTE)
    book.commit(SeatSplit("S1", "S3", ("b",), date(2027, 7, 1)), **NOTE)
    book.commit(Hire("kim", date(2027, 7, 1), "S3"), **NOTE)
    book.commit(SeatsMerged("S3", "S2", date(2027, 10, 1)), **NOTE)
    book.commit(
        [Leave("jo", date(2027, 8, 1), date(2027, 8, 15)), ManagerChanged("jo", "pat", date(2027, 9, 1))], **NOTE
    )
    timeline = book.timeline(until=date(2027, 12, 31))
    assert timeline.proof.ok, timeline.proof.table["detail"].tolist()
    owners = timeline.history("b").sort_values("first")["rep_id"].tolist()
    assert owners == ["ana", "jo", "lu", "kim", "jo"]
    assert book.diff(date(2027, 6, 30), date(2027, 7, 1)).to_dict("records") == [
        {"relation": "employed", "subject": "kim", "before": None, "after": True},
        {"relation": "open seat", "subject": "S3", "before": None, "after": True},
        {"relation": "owner of seat", "subject": "S3", "before": None, "after": "kim"},
        {"relation": "seat of account", "subject": "b", "before": "S1", "after": "S3"},
    ]
    assert gtm.capacity(timeline, gtm.Role("AE", 1.0), gtm.Calendar("2027-01")).total > 0


def test_start_moved_promotion_transfer_and_closed_seats_open_vacancies_that_the_proof_names(tmp_path) -> None:
    book = filled(tmp_path / "book.db")
    book.commit(Promotion("ana", "AE-ENT", date(2027, 4, 1)), **NOTE)
    assert owner(book, "S1", date(2027, 4, 1)) is None
    book.commit(Hire("lu", date(2027, 5, 1), "S1"), **NOTE)
    book.commit(StartMoved("lu", date(2027, 5, 11)), **NOTE)
    detail = book.timeline(until=date(2027, 12, 31)).proof.table["detail"]
    assert detail.tolist()[0] == "S1: nobody from 2027-04-01 to 2027-05-10 (40 days)"
    book.commit(StartMoved("lu", date(2027, 4, 1)), **NOTE)
    assert book.timeline(until=date(2027, 12, 31)).proof.ok
    book.commit([SeatOpened("S4", date(2027, 6, 1)), SeatFilled("jo", "S4", date(2027, 6, 1))], **NOTE)
    assert (owner(book, "S2", date(2027, 6, 1)), owner(book, "S4", date(2027, 6, 1))) == (None, "jo")
    book.commit(SeatClosed("S2", date(2027, 5, 31), {"c": "S4"}), **NOTE)
    assert book.timeline(until=date(2027, 12, 31)).proof.ok


def test_two_times_are_kept_and_undo_restores(tmp_path) -> None:
    book = filled(tmp_path / "book.db")
    before = book.as_of(date(2027, 12, 1))
    (number,) = book.commit(Exit("ana", date(2027, 6, 30)), who="ops", why="resigned", recorded=date(2027, 5, 2))
    assert owner(book, "S1", date(2027, 12, 1)) is None
    known = book.as_of(date(2027, 12, 1), known_on=date(2027, 5, 1))
    assert known.equals(before)
    undone = book.undo(number, who="ops", why="she stays", recorded=date(2027, 5, 9))
    assert book.as_of(date(2027, 12, 1)).equals(before)
    book.undo(undone, who="ops", why="she goes", recorded=date(2027, 5, 10))
    assert owner(book, "S1", date(2027, 12, 1)) is None
    again = Book.open(tmp_path / "book.db")
    assert again.as_of(date(2027, 12, 1)).equals(book.as_of(date(2027, 12, 1)))
    assert again.replay().table.equals(book.facts.table)
    assert again.events["who"].tolist()[-1] == "ops"


def test_preview_writes_nothing_and_shows_the_filled_seat_alone(tmp_path) -> None:
    book = filled(tmp_path / "book.db")
    book.commit([Exit("ana", date(2027, 3, 31)), CoverBegun("jo", "S1", date(2027, 4, 1))], **NOTE)
    seen = book.preview(Hire("lu", date(2027, 6, 1), "S1"))
    assert seen[["relation", "subject"]].to_numpy().tolist() == [
        ["cover of seat", "S1"],
        ["employed", "lu"],
        ["owner of seat", "S1"],
    ]
    assert len(Book.open(tmp_path / "book.db")) == len(book)
    assert owner(book, "S1", date(2027, 6, 1)) is None


def test_mistakes_are_reported_together_and_the_book_stays_as_it_was(tmp_path) -> None:
    book = filled(tmp_path / "book.db")
    book.commit(Exit("ana", date(2027, 6, 30)), **NOTE)
    wrong = [
        Hire("jo", date(2027, 2, 1)),
        Leave("jo", date(2027, 9, 1), date(2027, 8, 1)),
        Exit("anna", date(2027, 2, 1)),
        ManagerChanged("jo", "jo", date(2027, 2, 1)),
        CoverBegun("ana", "S2", date(2027, 3, 1)),
        CoverBegun("ana", "S2", date(2027, 3, 1), date(2027, 7, 9)),
        AccountsMoved({"x": "S1", "a": "S9"}, date(2027, 2, 1)),
        SeatOpened("S1", date(2027, 2, 1)),
        SeatOpened("S8", date(2026, 12, 31)),
        SeatClosed("S1", date(2027, 5, 1)),
        SeatSplit("S1", "S2", ("c",), date(2027, 2, 1)),
        Correction("owner", "S1", date(2027, 2, 1)),
    ]
    with pytest.raises(DataError) as error:
        book.commit(wrong, who="", why="", recorded=OPENS)
    for text in (
        "who and why must not be empty",
        "Hire must name somebody who is not employed yet, got 'jo'",
        "Leave must not end before it begins",
        "Exit must name a known person, got 'anna'.\n    Did you mean 'ana'?",
        "ManagerChanged must not let anybody report to himself, got jo reports to jo",
        "CoverBegun must end before the person leaves, got 'ana', who leaves 2027-06-30",
        "CoverBegun must name a person employed on that day, got 'ana' on 2027-07-09",
        "AccountsMoved must name an open seat, got 'S9'",
        "AccountsMoved must name known accounts; violated by 1 account: 'x'",
        "SeatOpened must name a seat that is not open yet",
        "SeatOpened must not lie before the book opens",
        "SeatClosed must leave no account behind",
        "SeatSplit must take accounts of 'S1'",
        "SeatSplit must open a new seat, got 'S2'",
        "Correction must name a known relation, got 'owner'",
    ):
        assert text in str(error.value)
    assert len(Book.open(tmp_path / "book.db")) == 6


def test_the_policy_refuses_and_names_the_nearest_rule(tmp_path) -> None:
    filled(tmp_path / "book.db")
    policy = Policy(
        [
            Trigger("new address", changes_owners=False),
            Trigger("hire or exit", ["Hire", "Exit", "SeatOpened", "CoverBegun", "CoverEnded"]),
            Trigger("rebalance", ["AccountsMoved"], approve_above=1),
        ],
        closed_until=date(2027, 1, 31),
    )
    book = Book.open(tmp_path / "book.db", policy=policy)
    move = AccountsMoved({"a": "S2", "b": "S2"}, date(2027, 3, 1))
    note = {"who": "ops", "why": "x", "recorded": date(2027, 2, 15)}
    with pytest.raises(DataError, match=r"'new address' never changes an owner, got 2 changes.*\n.*'rebalance'"):
        book.commit(move, rule="new address", **note)
    with pytest.raises(DataError, match=r"'hire or exit' must allow what is done, got AccountsMoved"):
        book.commit(move, rule="hire or exit", **note)
    with pytest.raises(DataError, match=r"got 'rebalancing'.*\n.*nearest rule that allows it is 'rebalance'"):
        book.commit(move, rule="rebalancing", **note)
    with pytest.raises(DataError, match="needs approval above 1, got 2 changes of owners"):
        book.commit(move, rule="rebalance", **note)
    book.commit(move, rule="rebalance", approved_by="vp", **note)
    assert book.events["who"].iloc[-1] == "ops, approved by vp"
    with pytest.raises(DataError, match="not change days before it is recorded, got 2027-02-10, recorded 2027-02-15"):
        book.commit(Hire("lu", date(2027, 2, 10)), rule="hire or exit", **note)
    with pytest.raises(DataError, match="must not change a closed period, got 2027-01-20, closed until 2027-01-31"):
        book.commit(CoverEnded("S1", date(2027, 1, 19)), rule="hire or exit", **note)
    with pytest.raises(DataError, match="event 3 must not be undone: it changes 2027-01-01, closed until"):
        book.undo(3, who="ops", why="x", recorded=date(2027, 2, 15))
    with pytest.raises(DataError, match="must allow known kinds, got 'Hires'"):
        Trigger("x", ["Hires"])


def test_a_changed_byte_is_found_and_rows_cannot_be_changed(tmp_path) -> None:
    path = tmp_path / "book.db"
    filled(path)
    db = sqlite3.connect(path)
    for text in ("UPDATE events SET body = '{}'", "DELETE FROM events", "DELETE FROM about"):
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            db.execute(text)
    db.close()
    raw = path.read_bytes()
    at = raw.index(b'"why":"plan"') + 7
    path.write_bytes(raw[:at] + b"P" + raw[at + 1 :])
    with pytest.raises(DataError, match="was changed from outside: event"):
        Book.open(path)
    (tmp_path / "x.db").write_text("no book")
    with pytest.raises(DataError, match="must be a book"):
        Book.open(tmp_path / "x.db")
    with pytest.raises(DataError, match="no such file"):
        Book.open(tmp_path / "y.db")
    with pytest.raises(DataError, match="must be a new file"):
        Book.create(path, opens=OPENS)


def test_two_writers_both_land_or_one_is_told(tmp_path) -> None:
    path = tmp_path / "book.db"
    one = filled(path)
    two = Book.open(path, timeout=0.05)
    one.commit(Hire("lu", OPENS), **NOTE)
    two.commit(Hire("kim", OPENS), **NOTE)
    assert len(two) == 7
    with pytest.raises(DataError, match="not employed yet, got 'kim'"):
        one.commit(Hire("kim", OPENS), **NOTE)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    with pytest.raises(DataError, match=r"being written by another process.*Nothing was written"):
        two.commit(Hire("pat", OPENS), **NOTE)
    db.execute("ROLLBACK")
    db.close()
    two.commit(Hire("pat", OPENS), **NOTE)
    assert len(Book.open(path)) == 8


WRITER = """
import sys
from datetime import date
from gtm_opt import Book
from gtm_opt.assignment import Hire
book = Book.open(sys.argv[1])
print("ready", flush=True)
n = len(book)
while True:
    day = date(2027, 1, 1)
    book.commit([Hire(f"p{n}", day), Hire(f"q{n}", day)], who="w", why="y", recorded=day)
    n += 2
"""


@pytest.mark.parametrize("kills", [4, pytest.param(25, marks=[pytest.mark.slow, pytest.mark.timeout(600)])])
def test_a_book_killed_at_any_moment_holds_whole_commits(tmp_path, kills: int) -> None:
    path = tmp_path / "book.db"
    filled(path)
    draw = random.Random(1)
    for _ in range(kills):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, env=os.environ)
        try:
            writer.stdout.readline()
            time.sleep(draw.random() * 0.1)
        finally:
            writer.send_signal(signal.SIGKILL)
            writer.wait()
        writer.stdout.close()
        book = Book.open(path)
        assert len(book) % 2 == 1
        assert book.replay().table.equals(book.facts.table)
