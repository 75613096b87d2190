"""One proof for the timeline of a plan: every day of everything has owners who make exactly a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError
from gtm_opt.timeline import find_overlaps, sum_by_day

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["TimelineProof", "describe_days", "prove"]

_COLUMNS = ("rule", "what", "id", "first", "last", "days", "detail")
_CLOSE = 1e-9
_NEVER = pd.Timestamp("2199-12-31")
_OWNS = ("owner", "split", "interim", "holdout")


@dataclass(frozen=True, eq=False)
class TimelineProof:
    """What was checked for every day of a plan, and what does not hold.

    Attributes
    ----------
    table : DataFrame
        One row per finding: ``rule`` ("no owner", "owners below a whole", "more than one owner", "person above the
        limit", "not employed"), ``what`` (seat, account, person), ``id``, ``first``, ``last``, ``days``, ``detail``.
    subjects : int
        Seats and accounts that were checked.
    days : int or None
        Days of the plan; None: the plan has no last day.
    """

    table: pd.DataFrame
    subjects: int
    days: int | None

    @property
    def ok(self) -> bool:
        """Whether every rule holds on every day."""
        return self.table.empty

    def raise_if_any(self) -> None:
        """Raise one `gtm_opt.DataError` with every finding, if there is any."""
        if not self.ok:
            lines = "\n".join(f"{number}. {text}." for number, text in enumerate(self.table["detail"], 1))
            raise DataError(f"{len(self.table)} findings in the timeline:\n{lines}")

    def __repr__(self) -> str:
        span = "every day" if self.days is None else f"{self.days:,} days"
        verdict = "holds" if self.ok else f"{len(self.table):,} findings"
        return f"TimelineProof: {self.subjects:,} seats and accounts, {span}: {verdict}"


def prove(
    table: pd.DataFrame,
    subjects: pd.DataFrame,
    people: pd.DataFrame,
    effective: pd.Timestamp | None,
    until: pd.Timestamp | None,
    most: Mapping[str, float],
) -> TimelineProof:
    """Check a timeline from its raw intervals; see `gtm_opt.assignment.Timeline` for the arguments.

    Notes
    -----
    One sort of all first and last days, O(n log n). Days outside ``effective`` to ``until`` are not looked at;
    without ``effective`` the plan begins with its first interval.
    """
    low, high = _plan_days(table, effective, until)
    first, last = (table[c].to_numpy().astype("datetime64[D]") for c in ("first", "last"))
    owns = table["kind"].isin(_OWNS).to_numpy()
    found: list[pd.DataFrame] = []
    for what in ("seat", "account"):
        mine = owns & (table["what"] == what).to_numpy()
        names = subjects[subjects["what"] == what]
        if len(names) or mine.any():
            found += _owners(what, table[mine], first[mine], last[mine], names, low, high)
    seats = ((table["what"] == "seat") & table["kind"].isin(["owner", "split"])).to_numpy()
    found.append(_persons(table[seats], first[seats], last[seats], most, low, high))
    found.append(_employment(table, people, first, last, low, high))
    rows = pd.concat([f for f in found if len(f)] or [pd.DataFrame(columns=[*_COLUMNS])], ignore_index=True)
    open_end = rows["last"] >= _NEVER
    rows["last"] = pd.to_datetime(rows["last"]).where(~open_end)
    rows["days"] = rows["days"].astype("Int64").where(~open_end)
    rows["detail"] = _details(rows)
    endless = until is None
    return TimelineProof(rows[[*_COLUMNS]], len(subjects), None if endless else int((high - low).astype(int)) + 1)


def _plan_days(
    table: pd.DataFrame, effective: pd.Timestamp | None, until: pd.Timestamp | None
) -> tuple[np.datetime64, np.datetime64]:
    begin = effective
    if begin is None:
        known = table["first"].dropna()
        begin = known.min() if len(known) else pd.Timestamp("2000-01-01")
    end = _NEVER if until is None else until
    return np.datetime64(begin, "D"), np.datetime64(end, "D")


def _owners(
    what: str,
    table: pd.DataFrame,
    first: NDArray[np.datetime64],
    last: NDArray[np.datetime64],
    subjects: pd.DataFrame,
    low: np.datetime64,
    high: np.datetime64,
) -> list[pd.DataFrame]:
    names = subjects["id"].astype(str)
    nat, day = np.datetime64("NaT", "D"), np.timedelta64(1, "D")
    nothing = np.full(len(names), nat, dtype="datetime64[D]")
    lists = [(names, nothing, nothing, np.zeros(len(names)))]
    if "first" in subjects:  # days on which it does not exist need no owner
        since = subjects["first"].to_numpy().astype("datetime64[D]")
        until = subjects["last"].to_numpy().astype("datetime64[D]")
        for missing, begin, end in ((since > low, nothing, since - day), (until < high, until + day, nothing)):
            lists.append((names[missing], begin[missing], end[missing], np.ones(int(missing.sum()))))
    lists.append((table["id"], first, last, table["share"].to_numpy(dtype=np.float64)))
    keys = pd.concat([pd.Series(one[0]) for one in lists], ignore_index=True)
    begins, ends, share = (np.concatenate([one[at] for one in lists]) for at in (1, 2, 3))
    steps = sum_by_day(keys.tolist(), begins, ends, share, within=(low, high))
    out = []
    for rule, where in (
        ("no owner", steps.total <= _CLOSE),
        ("owners below a whole", (steps.total > _CLOSE) & (steps.total < 1.0 - _CLOSE)),
        ("more than one owner", steps.total > 1.0 + _CLOSE),
    ):
        out.append(steps.table(where).rename(columns={"key": "id"}).assign(rule=rule, what=what))
    return out


def _persons(
    table: pd.DataFrame,
    first: NDArray[np.datetime64],
    last: NDArray[np.datetime64],
    most: Mapping[str, float],
    low: np.datetime64,
    high: np.datetime64,
) -> pd.DataFrame:
    first = np.where(np.isnat(first) | (first < low), low, first)
    last = np.where(np.isnat(last) | (last > high), high, last)
    part = table["share"].to_numpy(dtype=np.float64)
    over = find_overlaps(table["rep_id"].tolist(), first, last, part)
    limit = over["key"].map(lambda rep: most.get(rep, 1.0)).astype(float)
    over = over[over["total"] > limit + _CLOSE]
    return over.rename(columns={"key": "id"}).assign(rule="person above the limit", what="person")


def _employment(
    table: pd.DataFrame,
    people: pd.DataFrame,
    first: NDArray[np.datetime64],
    last: NDArray[np.datetime64],
    low: np.datetime64,
    high: np.datetime64,
) -> pd.DataFrame:
    """Return the days on which somebody holds something before being hired or after leaving."""
    if people.empty:
        return pd.DataFrame()
    at = people.index.get_indexer(pd.Index(table["rep_id"]))
    nat = np.datetime64("NaT", "D")
    hired, gone = (np.append(people[c].to_numpy().astype("datetime64[D]"), nat)[at] for c in ("start_date", "end_date"))
    day = np.timedelta64(1, "D")
    first = np.where(np.isnat(first) | (first < low), low, first)
    last = np.where(np.isnat(last) | (last > high), high, last)
    pieces = []
    for begin, end in ((first, np.minimum(last, hired - day)), (np.maximum(first, gone + day), last)):
        hit = (end >= begin) & ~np.isnat(begin) & ~np.isnat(end)
        if hit.any():
            piece = table.loc[hit, ["what", "id", "rep_id"]].copy()
            piece["first"], piece["last"] = pd.to_datetime(begin[hit]), pd.to_datetime(end[hit])
            piece["days"] = (end[hit] - begin[hit]).astype(np.int64) + 1
            pieces.append(piece)
    if not pieces:
        return pd.DataFrame()
    return pd.concat(pieces, ignore_index=True).assign(rule="not employed")


def _details(rows: pd.DataFrame) -> list[str]:
    out = []
    total = rows["total"] if "total" in rows else pd.Series(np.nan, index=rows.index)
    person = rows["rep_id"] if "rep_id" in rows else pd.Series("", index=rows.index)
    for row, first, last, amount, rep in zip(
        rows.itertuples(), rows["first"], rows["last"], total, person, strict=True
    ):
        when = describe_days("", first, last).strip()
        text = {
            "no owner": f"{row.id}: nobody {when}",
            "owners below a whole": f"{row.id}: owners of only {amount:.0%} {when}",
            "more than one owner": f"{row.id}: owners of {amount:.0%} {when}",
            "person above the limit": f"{row.id}: in seats of {amount:.0%} {when}",
            "not employed": f"{row.id}: {rep} is not employed {when}",
        }
        out.append(text[str(row.rule)])
    return out


def describe_days(name: str, first: pd.Timestamp, last: pd.Timestamp) -> str:
    """Return days in words: ``S-07 from 2027-02-16 to 2027-04-30 (74 days)``."""
    if pd.isna(first) and pd.isna(last):
        return name
    if pd.isna(last):
        return f"{name} from {first:%Y-%m-%d} on"
    if pd.isna(first):
        return f"{name} until {last:%Y-%m-%d}"
    days = (last - first).days + 1
    return f"{name} from {first:%Y-%m-%d} to {last:%Y-%m-%d} ({days} day{'s' if days != 1 else ''})"
