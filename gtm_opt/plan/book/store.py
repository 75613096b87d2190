"""The file of a book: one append-only table in SQLite, chained by hashes."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gtm_opt.errors import DataError
from gtm_opt.timeline import Change, Event

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from os import PathLike

__all__ = ["Store"]

APPLICATION_ID = 0x67746D42
"""``gtmB``: tells the file from other SQLite files."""
SCHEMA = 1
START = "0" * 64

_TABLES = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE events (number INTEGER PRIMARY KEY, body TEXT NOT NULL, hash TEXT NOT NULL);
CREATE TRIGGER events_keep BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER events_stay BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
CREATE TRIGGER about_keep BEFORE UPDATE ON about BEGIN SELECT RAISE(ABORT, 'a book is never changed'); END;
CREATE TRIGGER about_stay BEFORE DELETE ON about BEGIN SELECT RAISE(ABORT, 'a book is never changed'); END;
"""


class Store:
    """Reads and appends events; a commit is written whole or not at all.

    Parameters
    ----------
    path : path-like
    timeout : float
        Seconds to wait while another process writes.
    """

    def __init__(self, path: str | PathLike[str], timeout: float = 5.0) -> None:
        self.path, self.timeout = Path(path), timeout

    def create(self, about: dict[str, str]) -> None:
        """Make a new file; refuses to replace one."""
        if self.path.exists():
            raise DataError(f"`path` must be a new file, got '{self.path}'. Open it with Book.open.")
        with self._connect() as db:
            marks = f"PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={SCHEMA}"
            db.executescript(f"{marks}; BEGIN IMMEDIATE; {_TABLES} COMMIT;")
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT INTO about VALUES (?, ?)", sorted(about.items()))
            db.execute("COMMIT")

    def about(self) -> dict[str, str]:
        """Return what is known of the book.

        Raises
        ------
        DataError
            No file, no book, or one of a newer version.
        """
        if not self.path.is_file():
            raise DataError(f"`path` must be a book, got '{self.path}': no such file. Make one with Book.create.")
        try:
            with self._connect() as db:
                mine = db.execute("PRAGMA application_id").fetchone()[0]
                schema = db.execute("PRAGMA user_version").fetchone()[0]
                if mine != APPLICATION_ID:
                    raise DataError(f"`path` must be a book of gtm_opt, got '{self.path}', another kind of file.")
                if schema > SCHEMA:
                    raise DataError(
                        f"'{self.path}' is a book of schema {schema}; this version reads {SCHEMA}. Upgrade."
                    )
                return dict(db.execute("SELECT name, value FROM about"))
        except sqlite3.DatabaseError as error:
            raise DataError(f"`path` must be a book of gtm_opt, got '{self.path}': {error}.") from error

    def read(self, after: int = 0) -> list[Event]:
        """Return the events with numbers above ``after``."""
        with self._connect() as db:
            rows = db.execute("SELECT number, body FROM events WHERE number > ? ORDER BY number", (after,)).fetchall()
        return [_event(number, body) for number, body in rows]

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the only right to write; commits at the end, rolls back on any error.

        Raises
        ------
        DataError
            Another process writes for longer than the timeout.
        """
        with self._connect() as db:
            try:
                db.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                text = f"'{self.path}' is being written by another process: {error}. Nothing was written; try again."
                raise DataError(text) from error
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def append(self, db: sqlite3.Connection, events: Sequence[Event]) -> None:
        """Write events inside of `writing`, each with the hash of everything before it."""
        last = db.execute("SELECT hash FROM events ORDER BY number DESC LIMIT 1").fetchone()
        chain = last[0] if last else START
        rows = []
        for event in events:
            body = _body(event)
            chain = _link(chain, event.number, body)
            rows.append((event.number, body, chain))
        db.executemany("INSERT INTO events VALUES (?, ?, ?)", rows)

    def newer(self, db: sqlite3.Connection, after: int) -> list[Event]:
        """Return events that another process wrote in the meantime, inside of `writing`."""
        rows = db.execute("SELECT number, body FROM events WHERE number > ? ORDER BY number", (after,)).fetchall()
        return [_event(number, body) for number, body in rows]

    def broken_at(self) -> int | None:
        """Return the first event whose hash does not follow from the events before; None: all do."""
        chain = START
        with self._connect() as db:
            rows = db.execute("SELECT number, body, hash FROM events ORDER BY number").fetchall()
        for at, (number, body, told) in enumerate(rows, 1):
            chain = _link(chain, number, body)
            if number != at or chain != told:
                return at
        return None

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self.path, timeout=self.timeout, isolation_level=None)
        try:
            db.execute("PRAGMA synchronous=FULL")
            yield db
        finally:
            db.close()


def _link(chain: str, number: int, body: str) -> str:
    return hashlib.sha256(f"{chain}\n{number}\n{body}".encode()).hexdigest()


def _body(event: Event) -> str:
    changes = [
        [c.relation, c.subject, c.first.isoformat(), None if c.last is None else c.last.isoformat(), c.value]
        for c in event.changes
    ]
    told = {
        "kind": event.kind,
        "effective": event.effective.isoformat(),
        "recorded": None if event.recorded is None else event.recorded.isoformat(),
        "changes": changes,
        "undoes": event.undoes,
        "who": event.who,
        "why": event.why,
        "rule": event.rule,
    }
    return json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _event(number: int, body: str) -> Event:
    told: dict[str, Any] = json.loads(body)
    changes = tuple(
        Change(r, s, date.fromisoformat(f), None if t is None else date.fromisoformat(t), v)
        for r, s, f, t, v in told["changes"]
    )
    recorded = None if told["recorded"] is None else date.fromisoformat(told["recorded"])
    effective = date.fromisoformat(told["effective"])
    return Event(
        told["kind"], effective, changes, recorded, number, told["undoes"], told["who"], told["why"], told["rule"]
    )
