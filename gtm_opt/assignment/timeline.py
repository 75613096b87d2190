"""The timeline of a plan: who owns which seat and account on which days."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import pandas as pd

from gtm_opt.assignment.proof import TimelineProof, prove
from gtm_opt.errors import DataError, Findings
from gtm_opt.model.dates import read_dates
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    Day = str | date | pd.Timestamp

__all__ = ["KINDS", "TIMELINE", "Timeline"]

TIMELINE = ("what", "id", "rep_id", "first", "last", "share", "kind", "reason")
HIRE = "to be hired"
"""Stands for the person nobody has hired yet."""
KINDS = ("owner", "split", "interim", "holdout", "overlay")
_DAY = pd.Timedelta(days=1)


@dataclass(frozen=True, eq=False)
class Timeline:
    """Every assignment as an interval of days.

    Attributes
    ----------
    table : DataFrame
        One row per interval: ``what`` ("seat" or "account"), ``id``, ``rep_id``, ``first`` and ``last`` (inclusive;
        NaT: open), ``share`` (above 0, up to 1), ``kind`` ("owner", "split": one of several owners; "interim":
        covers an empty seat; "holdout": keeps an account for credit; "overlay": beside the owner, never in a sum),
        ``reason``.
    people : DataFrame
        By ``rep_id``: ``start_date`` and ``end_date`` (inclusive; NaT: open), and what else is known of a person.
    subjects : DataFrame
        What must have an owner on every day: ``what``, ``id``; optionally ``first`` and ``last`` day on which it
        exists (NaT: always).
    effective, until : Timestamp or None
        First and last day of the plan.
    most : mapping of str to float
        Persons who may sit in more than 100 % of seats, and up to how much (1.2 is 120 %).
    hires : DataFrame
        Expected hires, as rows of a roster without a person.
    """

    table: pd.DataFrame
    people: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["start_date", "end_date"]))
    subjects: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["what", "id"]))
    effective: pd.Timestamp | None = None
    until: pd.Timestamp | None = None
    most: Mapping[str, float] = field(default_factory=dict)
    hires: pd.DataFrame = field(default_factory=pd.DataFrame)

    @classmethod
    @takes_tables("table", "people")
    def from_table(
        cls,
        table: pd.DataFrame,
        *,
        people: pd.DataFrame | None = None,
        effective: Day | None = None,
        until: Day | None = None,
        most: Mapping[str, float] | None = None,
    ) -> Timeline:
        """Read intervals from a table with the columns ``id``, ``rep_id``, ``first``, ``last``.

        Parameters
        ----------
        table : DataFrame
            Optional columns: ``what`` (default "seat"), ``share`` (default 1), ``kind`` (default "owner"), ``reason``.
        people : DataFrame, optional
            ``rep_id``, ``start_date``, ``end_date``. Default: nothing is known of the people.
        effective, until : date, optional
            First and last day of the plan.
        most : mapping of str to float, optional
            See `Timeline`.

        Raises
        ------
        DataError
            With every finding: missing columns, dates that cannot be read or are reversed, shares outside 0 to 1,
            unknown kinds and persons, a person listed twice.
        """
        found = Findings()
        rows = _read_intervals(table, found)
        known = _read_people(people, found)
        if people is not None:
            strange = rows.loc[~rows["rep_id"].isin(known.index), "rep_id"].unique()
            if len(strange):
                remedy = did_you_mean(str(strange[0]), known.index)
                found.add("'rep_id'", "must name known people", rows=strange, kind="person", remedy=remedy)
        found.raise_if_any()
        subjects = rows[["what", "id"]].drop_duplicates(ignore_index=True)
        when, end = (None if day is None else pd.Timestamp(day).normalize() for day in (effective, until))
        return cls(rows, known, subjects, when, end, dict(most or {}))

    def as_of(self, day: Day, *, what: Literal["seat", "account"] | None = None) -> pd.DataFrame:
        """Return the intervals that hold on a day."""
        return self.between(day, day, what=what)

    def between(self, first: Day, last: Day, *, what: Literal["seat", "account"] | None = None) -> pd.DataFrame:
        """Return the intervals that hold on some day from ``first`` to ``last``, cut to these days."""
        low, high = pd.Timestamp(first).normalize(), pd.Timestamp(last).normalize()
        if high < low:
            raise DataError(f"`last` must not lie before `first`, got {high:%Y-%m-%d} before {low:%Y-%m-%d}.")
        keep = ~(self.table["first"] > high) & ~(self.table["last"] < low)
        if what is not None:
            keep &= self.table["what"] == what
        cut = self.table[keep].reset_index(drop=True)
        cut["first"] = cut["first"].where(cut["first"] > low, low)
        cut["last"] = cut["last"].where(cut["last"] < high, high)
        return cut

    def history(self, name: str) -> pd.DataFrame:
        """Return every interval of a seat, an account or a person, by first day.

        Raises
        ------
        DataError
            For a name that is none of them.
        """
        hit = self.table[(self.table["id"] == name) | (self.table["rep_id"] == name)]
        known = [*self.subjects["id"], *self.people.index]
        if hit.empty and name not in known:
            raise DataError(f"`name` must be a seat, an account or a person, got '{name}'. {did_you_mean(name, known)}")
        return hit.sort_values(["first", "what", "id"], kind="stable", ignore_index=True, na_position="first")

    @takes_tables("assignment")
    def with_accounts(self, assignment: pd.DataFrame) -> Timeline:
        """Return the timeline with an interval for every account and owner of its seat.

        Parameters
        ----------
        assignment : DataFrame
            ``account_id`` and ``territory``.
        """
        seats = self.table[self.table["what"] == "seat"]
        pairs = assignment[["account_id", "territory"]].rename(columns={"territory": "id"})
        rows = pairs.merge(seats.drop(columns="what"), on="id", how="inner").drop(columns="id")
        rows = rows.rename(columns={"account_id": "id"})
        rows.insert(0, "what", "account")
        accounts = pd.DataFrame({"what": "account", "id": assignment["account_id"]})
        return replace(
            self,
            table=pd.concat([self.table, rows[[*TIMELINE]]], ignore_index=True),
            subjects=pd.concat([self.subjects, accounts], ignore_index=True),
        )

    def transfer(
        self,
        name: str,
        rep_id: str,
        first: Day,
        last: Day | None = None,
        *,
        kind: str = "owner",
        reason: str = "",
    ) -> Timeline:
        """Return the timeline with a seat or account in other hands from ``first`` to ``last``.

        What held on these days ends the day before, and resumes afterwards.

        Raises
        ------
        DataError
            With every finding: an unknown seat, account or person, dates reversed, an unknown kind.
        """
        low = pd.Timestamp(first).normalize()
        high = pd.NaT if last is None else pd.Timestamp(last).normalize()
        found = Findings()
        known = self.subjects["id"]
        if name not in set(known):
            found.add("name", "must be a seat or an account", got=f"'{name}'", remedy=did_you_mean(name, known))
        if len(self.people) and rep_id not in self.people.index:
            remedy = did_you_mean(rep_id, self.people.index)
            found.add("rep_id", "must be a known person", got=f"'{rep_id}'", remedy=remedy)
        if high < low:
            found.add("last", "must not lie before `first`", got=f"{high:%Y-%m-%d} before {low:%Y-%m-%d}")
        if kind not in KINDS:
            found.add("kind", f"must be one of {', '.join(KINDS)}", got=f"'{kind}'")
        found.raise_if_any()
        own = (self.table["id"] == name) & (self.table["kind"] != "overlay" if kind != "overlay" else False)
        held = self.table[own]
        before, after = held.copy(), held.iloc[:0] if pd.isna(high) else held.copy()
        before["last"] = before["last"].where(before["last"] < low, low - _DAY)
        if len(after):
            after["first"] = after["first"].where(after["first"] > high, high + _DAY)
        what = self.subjects.loc[known == name, "what"].iloc[0]
        new = pd.DataFrame([(what, name, rep_id, low, high, 1.0, kind, reason)], columns=[*TIMELINE])
        pieces = [piece[~(piece["first"] > piece["last"])] for piece in (before, new, after)]
        rows = pd.concat([self.table[~own], *[p for p in pieces if len(p)]], ignore_index=True)
        return replace(self, table=rows)

    @cached_property
    def proof(self) -> TimelineProof:
        """Check every day of the plan from the raw intervals; see `TimelineProof`."""
        return prove(self.table, self.subjects, self.people, self.effective, self.until, self.most)

    @cached_property
    def roster(self) -> pd.DataFrame:
        """What `gtm_opt.capacity` and `gtm_opt.Quotas.sellers` read: stints of owners in seats, and expected hires.

        An interim owner is on no roster: the seat's quota is then held.

        Raises
        ------
        DataError
            When days of a seat or a person are owned more than once.
        """
        twice = self.proof.table[self.proof.table["rule"].isin(["more than one owner", "person above the limit"])]
        if len(twice):
            text = "the timeline must not own a day twice"
            raise DataError(f"{text}: {'; '.join(twice['detail'].head(3))}. End one of the intervals earlier.")
        own = self.table[(self.table["what"] == "seat") & self.table["kind"].isin(["owner", "split"])]
        own = own[own["rep_id"] != HIRE]
        rows = pd.DataFrame(
            {
                "seat_id": own["id"],
                "rep_id": own["rep_id"],
                "status": "filled",
                "from_date": own["first"],
                "end_date": own["last"],
                "assignment_frac": own["share"],
            }
        )
        further = self.people.drop(columns=["end_date"], errors="ignore")
        rows = rows.merge(further, left_on="rep_id", right_index=True, how="left", suffixes=("", "_person"))
        if len(self.hires):
            rows = pd.concat([rows, self.hires], ignore_index=True)
        return rows.reset_index(drop=True)


def _read_intervals(table: pd.DataFrame, found: Findings) -> pd.DataFrame:
    missing = [c for c in ("id", "rep_id", "first", "last") if c not in table.columns]
    if missing:
        got = ", ".join(map(str, table.columns))
        found.add("the timeline", f"must have the columns {', '.join(missing)}", got=got)
        found.raise_if_any()
    rows = pd.DataFrame(index=range(len(table)))
    defaults: dict[str, str | float] = {"what": "seat", "share": 1.0, "kind": "owner", "reason": ""}
    for column in TIMELINE:
        rows[column] = table[column].to_numpy() if column in table.columns else defaults[column]
    label = rows["id"].astype(str) + " " + rows["rep_id"].astype(str)
    for column in ("id", "rep_id"):
        empty = rows[column].isna()
        if empty.any():
            found.add(f"'{column}'", "must not be empty", rows=table.index[empty])
        rows[column] = rows[column].astype(str)
    for column in ("first", "last"):
        read, bad = read_dates(rows[column])
        if bad.any():
            found.add(f"'{column}'", "must hold dates", rows=label[bad], remedy="Write them as 2027-01-31.")
        rows[column] = read
    late = rows["last"] < rows["first"]
    if late.any():
        found.add("intervals", "must not end before they begin", rows=label[late], kind="interval")
    share = pd.to_numeric(rows["share"], errors="coerce")
    if (wrong := ~((share > 0) & (share <= 1))).any():
        remedy = "Write 0.5 for 50 %."
        found.add("'share'", "must be above 0 and at most 1", rows=label[wrong], kind="interval", remedy=remedy)
    rows["share"] = share
    for column, words in (("what", ("seat", "account")), ("kind", KINDS)):
        strange = ~rows[column].isin(words)
        if strange.any():
            found.add(f"'{column}'", f"must be one of {', '.join(words)}", rows=label[strange], kind="interval")
    return rows


def _read_people(people: pd.DataFrame | None, found: Findings) -> pd.DataFrame:
    if people is None:
        return pd.DataFrame(columns=["start_date", "end_date"])
    if "rep_id" not in people.columns:
        found.add("people", "must have the column rep_id", got=", ".join(map(str, people.columns)))
        found.raise_if_any()
    known = people.copy()
    known["rep_id"] = known["rep_id"].astype(str)
    twice = known.loc[known["rep_id"].duplicated(), "rep_id"].unique()
    if len(twice):
        found.add("people", "must have one row for each person", rows=twice, kind="person")
    for column in ("start_date", "end_date"):
        read, bad = read_dates(known[column] if column in known else pd.Series(pd.NaT, index=known.index))
        if bad.any():
            found.add(f"people['{column}']", "must hold dates", rows=known.loc[bad, "rep_id"], kind="person")
        known[column] = read
    late = known["end_date"] < known["start_date"]
    if late.any():
        found.add("people", "must not leave before they start", rows=known.loc[late, "rep_id"], kind="person")
    return known.set_index("rep_id")
