"""Histories of events: what held on a day, as known on a day, agrees with a simulator that paints every day."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtm_opt import DataError
from gtm_opt.timeline import Change, Event, Log, latest_by_day

START = date(2027, 1, 1)
HORIZON = 120


def day(number: int) -> date:
    return START + timedelta(days=int(number))


class Simulator:
    """Paints one cell per subject and day, event by event."""

    def __init__(self) -> None:
        self.applied: list[Event] = []

    def state(self, events: list[Event]) -> dict[str, list[object]]:
        undone: set[int] = set()
        for event in reversed(events):
            if event.undoes is not None and event.number not in undone:
                undone.add(event.undoes)
        cells: dict[str, list[object]] = {}
        for event in events:
            if event.number in undone or event.undoes is not None:
                continue
            for change in event.changes:
                row = cells.setdefault(change.subject, [None] * HORIZON)
                low = (change.first - START).days
                high = HORIZON - 1 if change.last is None else (change.last - START).days
                for at in range(max(low, 0), min(high, HORIZON - 1) + 1):
                    row[at] = change.value
        return cells


def random_log(seed: int, count: int, subjects: int) -> Log:
    rng = np.random.default_rng(seed)
    log, pending, when = Log(), [], 0
    for _ in range(count):
        if len(log) and rng.random() < 0.05:
            target = int(rng.integers(1, len(log) + 1))
            log, pending = log.append(pending, recorded=day(when)), []
            if Log._active(log.events)[target - 1]:
                log = log.undo(target, recorded=day(when))
                continue
        first = int(rng.integers(0, HORIZON))
        last = None if rng.random() < 0.4 else day(min(HORIZON - 1, first + int(rng.integers(0, 30))))
        value = None if rng.random() < 0.1 else f"P{rng.integers(0, 9)}"
        change = Change("owner", f"S{rng.integers(0, subjects)}", day(first), last, value)
        pending.append(Event("transfer", day(first), (change,)))
        if rng.random() < 0.02:
            log, pending, when = log.append(pending, recorded=day(when)), [], when + int(rng.integers(0, 3))
    return log.append(pending, recorded=day(when))


def compare(log: Log, known_on: date | None = None) -> None:
    events = [e for e in log if known_on is None or e.recorded <= known_on]
    cells = Simulator().state(events)
    facts = log.facts(known_on)
    for at in range(0, HORIZON, 7):
        held = facts.as_of(day(at)).get("owner", {})
        assert held == {s: row[at] for s, row in cells.items() if row[at] is not None}


def test_a_history_of_10_000_events_is_that_of_painting_every_day() -> None:
    log = random_log(1, 10_000, 200)
    assert len(log) >= 9_900
    compare(log)
    compare(log, known_on=log.events[5_000].recorded)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 60), st.integers(1, 4))
def test_short_histories_agree_on_every_known_day(seed: int, count: int, subjects: int) -> None:
    log = random_log(seed, count, subjects)
    for known in sorted({e.recorded for e in log}):
        compare(log, known)
    compare(log)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 60))
def test_later_events_change_nothing_that_was_known_before(seed: int, count: int) -> None:
    log = random_log(seed, count, 3)
    known = log.events[count // 2 - 1].recorded
    cut = Log(tuple(e for e in log if e.recorded <= known))
    assert cut.facts().table.equals(log.facts(known).table)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(0, HORIZON - 1))
def test_undo_restores_and_the_undo_of_an_undo_repeats(seed: int, count: int, first: int) -> None:
    log = random_log(seed, count, 3)
    more = log.append([Event("x", day(first), (Change("owner", "S1", day(first), None, "new"),))], recorded=day(999))
    back = more.undo(len(more), recorded=day(999))
    again = back.undo(len(back), recorded=day(999))
    assert back.facts().table.equals(log.facts().table)
    assert again.facts().table.equals(more.facts().table)


def test_what_ends_returns_to_what_held_before() -> None:
    log = Log().append(
        [
            Event("hire", day(0), (Change("owner", "S", day(0), None, "Ana"),)),
            Event("cover", day(10), (Change("owner", "S", day(10), day(19), "Jo"),)),
        ],
        recorded=START,
    )
    held = [log.facts().as_of(day(d))["owner"]["S"] for d in (9, 10, 19, 20)]
    assert held == ["Ana", "Jo", "Jo", "Ana"]
    part = log.facts().between(day(12), day(25)).table
    assert [(r.value, r.first.date(), r.last.date()) for r in part.itertuples()] == [
        ("Jo", day(12), day(19)),
        ("Ana", day(20), day(25)),
    ]
    assert log.facts().history("S")["value"].tolist() == ["Ana", "Jo", "Ana"]


def test_what_is_wrong_with_events_is_reported_together() -> None:
    log = Log().append([Event("hire", day(0), (Change("owner", "S", day(0), None, "Ana"),))], recorded=day(5))
    wrong = [
        Event("leave", day(9), (Change("owner", "S", day(9), day(3), "Jo"),)),
        Event("undo", day(9), undoes=7),
        Event("undo", day(9), undoes=1),
        Event("undo", day(9), undoes=1),
        Event("undo", day(9), (Change("owner", "S", day(9)),), undoes=2),
    ]
    with pytest.raises(
        DataError,
        match=r"(?s)5 things.*before the last event.*end before it begins.*must undo an earlier event.*undone already",
    ):
        log.append(wrong, recorded=day(4))
    with pytest.raises(DataError, match="must be that of an event, 1 to 1, got 9"):
        log.undo(9, recorded=day(9))


def test_nothing_painted_nothing_held() -> None:
    none = np.array([], dtype="datetime64[D]")
    assert len(latest_by_day(np.array([], dtype=np.int64), none, none, np.array([], dtype=np.int64))[0]) == 0
    assert Log().facts().table.empty
    assert Log().facts().as_of(START) == {}
