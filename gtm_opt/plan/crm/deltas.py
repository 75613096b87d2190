"""A dated plan for a CRM whose association rows have no dates: numbered deltas per effective day."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from gtm_opt.errors import DataError, Findings
from gtm_opt.model.frames import takes_tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from gtm_opt.assignment import Timeline

__all__ = ["LIVE", "Delta", "apply_delta", "compare_live", "live_rows", "ownership_deltas"]

LIVE = ("object", "record_id", "member_id", "role")
"""Columns of association rows: ``object`` (seat, account), its id, the person, and the role of the person."""
_ROLES = {"owner": "owner", "split": "owner", "holdout": "holdout", "interim": "interim", "overlay": "overlay"}


@dataclass(frozen=True, eq=False)
class Delta:
    """What changes on one day.

    Attributes
    ----------
    number : int
        From 1 on, in the order in which deltas must be applied.
    day : Timestamp
    delete, insert : DataFrame
        Rows of `LIVE` columns: first delete, then insert. A row is never updated, since associations cannot be.
    """

    number: int
    day: pd.Timestamp
    delete: pd.DataFrame
    insert: pd.DataFrame

    @property
    def inverse(self) -> Delta:
        """The delta that takes this one back."""
        return Delta(self.number, self.day, self.insert, self.delete)

    @property
    def owner_updates(self) -> pd.DataFrame:
        """Accounts whose owner changes: ``record_id``, ``owner_id``, ``previous_owner_id`` (for the rollback).

        None where nobody owned, or nobody owns it any more.
        """
        before, after = (_owners(rows) for rows in (self.delete, self.insert))
        ids = sorted({*before, *after})
        rows = [(i, after.get(i), before.get(i)) for i in ids if after.get(i) != before.get(i)]
        return pd.DataFrame(rows, columns=["record_id", "owner_id", "previous_owner_id"], dtype=object)

    def chunks(self, size: int = 200) -> Iterator[tuple[str, pd.DataFrame]]:
        """Yield ("delete" or "insert", rows) in the order of loading, at most ``size`` rows at a time."""
        if size < 1:
            raise DataError(f"`size` must be at least 1, got {size}.")
        for what, rows in (("delete", self.delete), ("insert", self.insert)):
            for start in range(0, len(rows), size):
                yield what, rows.iloc[start : start + size].reset_index(drop=True)

    def __repr__(self) -> str:
        return f"Delta {self.number} on {self.day:%Y-%m-%d}: {len(self.delete)} rows out, {len(self.insert)} in"


def live_rows(timeline: Timeline, day: str | date | pd.Timestamp) -> pd.DataFrame:
    """Return the association rows that must be live on a day, sorted."""
    held = timeline.as_of(day)
    rows = pd.DataFrame(
        {
            "object": held["what"],
            "record_id": held["id"],
            "member_id": held["rep_id"],
            "role": held["kind"].map(_ROLES),
        }
    )
    return _sorted(rows.drop_duplicates())


@takes_tables("live")
def ownership_deltas(
    timeline: Timeline,
    live: pd.DataFrame | None = None,
    *,
    ids: Mapping[str, str] | None = None,
    pattern: str | None = None,
    skip: Sequence[str] = ("to be hired",),
) -> list[Delta]:
    """Write a timeline as deltas, one per day on which something changes.

    Parameters
    ----------
    timeline : Timeline
    live : DataFrame, optional
        What is live before the first day (`LIVE` columns). Default: nothing.
    ids : mapping of str to str, optional
        Ids of the CRM for the ids of the plan. Default: the same.
    pattern : str, optional
        Regular expression that every id of the CRM must match whole: ``r"00[0-9A-Za-z]{13}|00[0-9A-Za-z]{16}"``.
    skip : sequence of str
        Persons who are none: expected hires.

    Returns
    -------
    list of Delta
        Applied in their order to ``live`` they give, after each day, what `live_rows` says for that day.

    Raises
    ------
    DataError
        With every finding: ids without a counterpart, ids the CRM would refuse.
    """
    rows = timeline.table[~timeline.table["rep_id"].isin(list(skip))]
    low = timeline.effective if timeline.effective is not None else rows["first"].min()
    found = Findings()
    names = list(dict.fromkeys([*rows["id"], *rows["rep_id"]]))
    if ids is not None and (lacking := [n for n in names if n not in ids]):
        found.add("ids", "must name every seat, account and person", rows=lacking, kind="id")
    theirs = {n: n if ids is None else str(ids.get(n, n)) for n in names}
    if pattern is not None:
        wrong = [f"{n} ({theirs[n]})" if theirs[n] != n else n for n in names if not re.fullmatch(pattern, theirs[n])]
        if wrong:
            found.add("ids", f"must match {pattern}", rows=wrong, kind="id", remedy="Map them with `ids`.")
    found.raise_if_any()
    table = pd.DataFrame(
        {
            "object": rows["what"],
            "record_id": rows["id"].map(theirs),
            "member_id": rows["rep_id"].map(theirs),
            "role": rows["kind"].map(_ROLES),
            "since": rows["first"].where(rows["first"] > low, low),
            "until": rows["last"],
        }
    )
    days = {low} | set(table["since"]) | {d + pd.Timedelta(days=1) for d in table["until"].dropna()}
    end = timeline.until
    days = {day for day in days if day >= low and (end is None or day <= end)}
    current = _keys(live) if live is not None else {}
    starts = {day: part for day, part in table.groupby("since")}
    ended = table.dropna(subset=["until"])
    stops = {pd.Timestamp(str(day)): part for day, part in ended.groupby(ended["until"] + pd.Timedelta(days=1))}
    counts: dict[tuple[str, ...], int] = {}
    deltas: list[Delta] = []
    held: set[tuple[str, ...]] = set(current)
    for day in sorted(days):
        touched: set[tuple[str, ...]] = set(held) if day == low else set()
        for part, step in ((stops.get(day), -1), (starts.get(day), 1)):
            if part is None:
                continue
            for key in part[[*LIVE]].itertuples(index=False, name=None):
                counts[key] = counts.get(key, 0) + step
                touched.add(key)
        gone = {key for key in touched if counts.get(key, 0) <= 0 and key in held}
        new = {key for key in touched if counts.get(key, 0) > 0 and key not in held}
        held = (held - gone) | new
        if gone or new:
            deltas.append(Delta(len(deltas) + 1, day, _table(gone), _table(new)))
    return deltas


@takes_tables("live")
def apply_delta(live: pd.DataFrame, delta: Delta) -> pd.DataFrame:
    """Return the live rows after a delta.

    Raises
    ------
    DataError
        A row to delete is not live, or a row to insert is: the deltas before were not applied.
    """
    held = _keys(live)
    found = Findings()
    out, in_ = _keys(delta.delete), _keys(delta.insert)
    if lacking := [" ".join(k) for k in out if k not in held]:
        found.add(f"delta {delta.number}", "must delete rows that are live", rows=lacking)
    left = {k: None for k in held if k not in out}
    if twice := [" ".join(k) for k in in_ if k in left]:
        found.add(f"delta {delta.number}", "must insert rows that are not live", rows=twice)
    found.raise_if_any()
    return _table({*left, *in_})


@takes_tables("plan", "live")
def compare_live(plan: pd.DataFrame, live: pd.DataFrame) -> pd.DataFrame:
    """Compare what the plan says with what is live, record by record.

    Returns
    -------
    DataFrame
        ``object``, ``record_id``, ``role``, ``plan``, ``live`` (members; None: nobody), ``status``: "in plan only",
        "live only", "different". Records that agree are left out.
    """
    one, two = (_members(rows) for rows in (plan, live))
    rows = []
    for key in sorted({*one, *two}):
        wanted, seen = one.get(key), two.get(key)
        if wanted != seen:
            status = "in plan only" if seen is None else "live only" if wanted is None else "different"
            rows.append((*key, wanted, seen, status))
    columns = ["object", "record_id", "role", "plan", "live", "status"]
    return pd.DataFrame(rows, columns=columns, dtype=object)


def _keys(rows: pd.DataFrame) -> dict[tuple[str, ...], None]:
    missing = [c for c in LIVE if c not in rows.columns]
    if missing:
        got = ", ".join(map(str, rows.columns))
        raise DataError(f"live rows must have the columns {', '.join(LIVE)}, got {got}. Rename the columns.")
    keys = list(rows[[*LIVE]].astype(str).itertuples(index=False, name=None))
    twice = sorted({" ".join(k) for k in keys if keys.count(k) > 1}) if len(set(keys)) < len(keys) else []
    if twice:
        raise DataError(f"live rows must be unique, got {twice[0]} more than once. Delete the copies in the CRM.")
    return dict.fromkeys(keys)


def _members(rows: pd.DataFrame) -> dict[tuple[str, str, str], str]:
    out: dict[tuple[str, str, str], list[str]] = {}
    for what, record, member, role in _keys(rows):
        out.setdefault((what, record, role), []).append(member)
    return {key: ", ".join(sorted(members)) for key, members in out.items()}


def _owners(rows: pd.DataFrame) -> dict[str, str]:
    mine = rows[(rows["object"] == "account") & rows["role"].isin(["owner", "interim"])]
    return dict(zip(mine["record_id"], mine["member_id"], strict=True))


def _table(keys: set[tuple[str, ...]]) -> pd.DataFrame:
    return pd.DataFrame(sorted(keys), columns=[*LIVE], dtype=object)


def _sorted(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values([*LIVE], ignore_index=True).astype(object)
