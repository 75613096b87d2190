"""Reading what `assign` is given: reps, planned seats, preferences; all findings at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings
from gtm_opt.model.dates import read_dates
from gtm_opt.model.tables import did_you_mean, number_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from gtm_opt.model.territories import Territories

    Day = str | date | pd.Timestamp
    Keep = Mapping[str, str] | Sequence[str] | bool | None

__all__ = ["CarvingLike", "Request", "read_request"]

_DATES = ("start_date", "end_date")


class CarvingLike(Protocol):
    """What `assign` needs of a carving."""

    @property
    def assignment(self) -> pd.DataFrame:
        """Columns account_id and territory."""
        ...

    @property
    def accounts(self) -> pd.DataFrame:
        """Account table, indexed by account id."""
        ...

    @property
    def territories(self) -> Territories:
        """The seats."""
        ...


@dataclass(frozen=True, eq=False)
class Request:
    """Everything `assign` works with, in arrays over seats and people.

    Attributes
    ----------
    seats, people : list of str
        Territory names in their order; ids of the reps who can sit somewhere, sorted.
    status : list of str
        Planned status of each seat.
    planned : list of (str or None)
        Rep id the territory names, whoever that is.
    reps : DataFrame
        The rep table by id, dates read.
    value : ndarray of shape (n_seats,)
    retained, fit : ndarray of shape (n_seats, n_people)
    forbidden : ndarray of bool, shape (n_seats, n_people)
    fixed : dict of int to int
        Seat position to person position.
    fixed_by_user : frozenset of int
        Seats that `keep` names with a rep of its own choice.
    starts : dict of str to Timestamp
        Expected first days in open seats.
    effective, until : Timestamp or None
        First and last day of the plan.
    """

    seats: list[str]
    people: list[str]
    status: list[str]
    planned: list[str | None]
    reps: pd.DataFrame
    value: NDArray[np.float64]
    retained: NDArray[np.float64]
    fit: NDArray[np.float64]
    forbidden: NDArray[np.bool_]
    fixed: dict[int, int]
    fixed_by_user: frozenset[int]
    starts: dict[str, pd.Timestamp]
    effective: pd.Timestamp | None
    until: pd.Timestamp | None = None

    @cached_property
    def scale(self) -> float:
        """Value of a mean territory, or 1 where there is none."""
        total = math.fsum(self.value)  # exact, so that the order of the seats cannot matter
        return total / len(self.value) if total > 0 else 1.0

    @cached_property
    def has_owners(self) -> bool:
        """Whether anybody owns anything already."""
        return bool(self.retained.any())

    @cached_property
    def has_fit(self) -> bool:
        """Whether any fit was given."""
        return bool(self.fit.any())

    def day(self, rep: str, column: str) -> pd.Timestamp | None:
        """Return a date of a rep, None where it is not known."""
        value = cast("pd.Timestamp", self.reps.at[rep, column])
        return None if pd.isna(value) else value


def read_request(
    carving: CarvingLike,
    reps: pd.DataFrame,
    *,
    owner: str | None,
    value: str | None,
    keep: Keep,
    skills: pd.DataFrame | None,
    forbid: Iterable[tuple[str, str]],
    effective: Day | None,
    until: Day | None,
    starts: Mapping[str, Day] | Day | None,
) -> Request:
    """Read and check the arguments of `assign`."""
    found = Findings()
    seats = list(carving.territories.names)
    status = [str(s) for s in carving.territories.status]
    planned = list(carving.territories.reps)
    when, end = _read_day(effective, "effective", found), _read_day(until, "until", found)
    if when is not None and end is not None and end < when:
        found.add("until", "must not lie before `effective`", got=f"{end:%Y-%m-%d} before {when:%Y-%m-%d}")
    table = _read_reps(reps, found)
    found.raise_if_any()
    people = _people(table, seats, status, planned, when)
    shares = _read_value(carving, table, seats, planned, people, owner, value, found)
    fit = _read_skills(skills, seats, people, table, found)
    forbidden = _read_forbid(forbid, seats, people, table, found)
    fixed, by_user = _read_keep(keep, seats, people, planned, status, table, forbidden, found)
    opening = _read_starts(starts, seats, found)
    found.raise_if_any()
    return Request(
        seats,
        people,
        status,
        planned,
        table,
        *shares,
        fit,
        forbidden,
        fixed,
        frozenset(by_user),
        opening,
        when,
        end,
    )


def _read_day(day: Day | None, where: str, found: Findings) -> pd.Timestamp | None:
    if day is None:
        return None
    try:
        read = pd.Timestamp(day)
    except (ValueError, TypeError):
        found.add(where, "must be a date", got=repr(day), remedy="Write it as '2027-01-01'.")
        return None
    return None if pd.isna(read) else read.normalize()


def _read_reps(reps: pd.DataFrame, found: Findings) -> pd.DataFrame:
    """Return the rep table by id, dates read, sorted by id so that row order does not matter."""
    table = reps.reset_index() if reps.index.name == "rep_id" and "rep_id" not in reps.columns else reps.copy()
    if "rep_id" not in table.columns:
        remedy = "Rename the column with the rep's id to 'rep_id'."
        found.add("reps['rep_id']", "must exist", got=", ".join(map(str, reps.columns)), remedy=remedy)
        return table
    if table["rep_id"].isna().any():
        found.add("reps['rep_id']", "must not be empty", rows=table.index[table["rep_id"].isna()])
    table = table.dropna(subset=["rep_id"])
    table["rep_id"] = table["rep_id"].astype(str)
    twice = table.loc[table["rep_id"].duplicated(), "rep_id"]
    if len(twice):
        found.add(
            "reps['rep_id']",
            "must be unique",
            got="repeated ids",
            rows=twice,
            kind="rep",
            remedy="Keep one row per rep.",
        )
    for column in _DATES:
        raw = table[column] if column in table.columns else pd.Series(pd.NaT, index=table.index)
        read, bad = read_dates(raw)
        if bad.any():
            found.add(
                f"reps['{column}']",
                "must hold dates",
                rows=table.loc[bad, "rep_id"],
                kind="rep",
                remedy="Use 2027-01-31.",
            )
        table[column] = read
    late = table["end_date"] < table["start_date"]
    if late.any():
        found.add("reps", "must not end before they start", rows=table.loc[late, "rep_id"], kind="rep")
    return table.sort_values("rep_id").set_index("rep_id", drop=False)


def _people(
    reps: pd.DataFrame, seats: list[str], status: list[str], planned: list[str | None], when: pd.Timestamp | None
) -> list[str]:
    """Return the ids of the reps who can sit somewhere: not a placeholder, not leaving, not gone."""
    away = {rep for rep, state in zip(planned, status, strict=True) if rep is not None and state != "filled"}
    if "status" in reps.columns:
        words = reps["status"].astype(str).str.lower().str.replace("[-_]", " ", regex=True)
        away |= set(reps.index[words.isin(["tbh", "to be hired", "open", "tbr", "to be replaced"])])
    if when is not None:
        away |= set(reps.index[reps["end_date"] < when])
    return [rep for rep in reps.index if rep not in away]


def _read_value(
    carving: CarvingLike,
    reps: pd.DataFrame,
    seats: list[str],
    planned: list[str | None],
    people: list[str],
    owner: str | None,
    value: str | None,
    found: Findings,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the value of each seat and, per seat and person, the value the person owns already."""
    totals = np.zeros(len(seats))
    retained = np.zeros((len(seats), len(people)))
    accounts, plan = carving.accounts, carving.assignment
    seat = pd.Index(seats).get_indexer(pd.Index(plan["territory"]))
    row = accounts.index.get_indexer(pd.Index(plan["account_id"]))
    if (seat < 0).any():
        found.add(
            "assignment",
            "must only name known territories",
            rows=plan.loc[seat < 0, "territory"].unique(),
            kind="territory",
        )
    if (row < 0).any():
        found.add("assignment", "must only name known accounts", rows=plan.loc[row < 0, "account_id"], kind="account")
    amounts = number_column(accounts, value, found) if value is not None else None
    if owner is not None and owner not in accounts.columns:
        found.add(f"owner='{owner}'", "must be a column", remedy=did_you_mean(owner, accounts.columns))
        return totals, retained
    if found:
        return totals, retained
    each = np.ones(len(plan)) if amounts is None else amounts.to_numpy()[row]
    person = np.full(len(plan), -1, dtype=np.int64)
    if owner is not None:
        by_name = {s: r for s, r in zip(seats, planned, strict=True) if r is not None}
        owners = accounts[owner].to_numpy(dtype=object)[row]
        codes, names = pd.factorize(pd.Series([None if pd.isna(o) else str(o) for o in owners], dtype=object))
        reps_named = [by_name.get(name, name) if name not in reps.index else name for name in names]
        position = pd.Index(people).get_indexer(pd.Index(reps_named, dtype=object))
        # an account without an owner has the code -1, which must not be read as "the last of them"
        person = np.where(codes >= 0, np.append(position, -1)[codes], -1)
    # Summed in a canonical order: the order of the rows must not show, not even in the last bit.
    order = np.lexsort((each, person, seat))
    seat, person, each = seat[order], person[order], each[order]
    np.add.at(totals, seat, each)
    known = person >= 0
    np.add.at(retained, (seat[known], person[known]), each[known])
    return totals, retained


def _read_skills(
    skills: pd.DataFrame | None, seats: list[str], people: list[str], reps: pd.DataFrame, found: Findings
) -> NDArray[np.float64]:
    if skills is None:
        return np.zeros((len(seats), len(people)))
    unknown = [str(r) for r in skills.index if str(r) not in reps.index]
    if unknown:
        found.add("skills", "must only have reps as rows", rows=unknown, kind="rep")
    unknown = [str(t) for t in skills.columns if str(t) not in seats]
    if unknown:
        remedy = "Columns are territories. Use gtm_opt.Fit for skills per account."
        found.add(
            "skills",
            "must have one column per known territory",
            got="unknown names",
            rows=unknown,
            kind="name",
            remedy=remedy,
        )
    labelled = skills.rename(index=str, columns=str)
    if labelled.index.has_duplicates or labelled.columns.has_duplicates:
        found.add("skills", "must have unique rows and columns")
        return np.zeros((len(seats), len(people)))
    try:
        fit = labelled.reindex(index=people, columns=seats).to_numpy(dtype=np.float64).T
    except (TypeError, ValueError):
        found.add("skills", "must hold numbers", remedy="Use fractions: 0 is no fit, 1 a perfect one.")
        return np.zeros((len(seats), len(people)))
    fit = np.asarray(np.where(np.isnan(fit), 0.0, fit), dtype=np.float64)
    if ((fit < 0) | (fit > 1)).any():
        found.add("skills", "must lie between 0 and 1", got=f"{fit.min():g} to {fit.max():g}", remedy="Rescale them.")
    return fit


def _read_forbid(
    forbid: Iterable[tuple[str, str]], seats: list[str], people: list[str], reps: pd.DataFrame, found: Findings
) -> NDArray[np.bool_]:
    forbidden = np.zeros((len(seats), len(people)), dtype=bool)
    seat_at, person_at = {s: i for i, s in enumerate(seats)}, {p: i for i, p in enumerate(people)}
    for seat, rep in forbid:
        if seat not in seat_at or rep not in reps.index:
            remedy = "Write pairs as (territory, rep_id)."
            found.add("forbid", "must name known territories and reps", got=f"({seat}, {rep})", remedy=remedy)
        elif rep in person_at:
            forbidden[seat_at[seat], person_at[rep]] = True
    return forbidden


def _read_keep(
    keep: Keep,
    seats: list[str],
    people: list[str],
    planned: list[str | None],
    status: list[str],
    reps: pd.DataFrame,
    forbidden: NDArray[np.bool_],
    found: Findings,
) -> tuple[dict[int, int], set[int]]:
    """Return the fixed pairs by position, and which of the seats the user fixed by name."""
    wanted = _wanted_pairs(keep, seats, planned, status, found)
    by_user = isinstance(keep, Mapping)
    person_at, seat_at = {p: i for i, p in enumerate(people)}, {s: i for i, s in enumerate(seats)}
    fixed: dict[int, int] = {}
    holder: dict[str, str] = {}
    for seat, rep in wanted.items():
        if seat not in seat_at:
            found.add("keep", "must name known territories", got=f"'{seat}'", remedy=did_you_mean(seat, seats))
        elif rep not in person_at:
            _explain_absent(seat, rep, reps, by_user, found)
        elif rep in holder:
            remedy = "Give each rep one seat; use cover for a second one."
            found.add("keep", "must seat a rep once", got=f"{rep} in {holder[rep]} and {seat}", remedy=remedy)
        elif forbidden[seat_at[seat], person_at[rep]]:
            remedy = "Drop one of the two."
            found.add("keep", "must not contradict forbid", got=f"{rep} in {seat}", remedy=remedy)
        else:
            holder[rep] = seat
            fixed[seat_at[seat]] = person_at[rep]
    return fixed, set(fixed) if by_user else set()


def _wanted_pairs(
    keep: Keep, seats: list[str], planned: list[str | None], status: list[str], found: Findings
) -> dict[str, str]:
    incumbents = {s: r for s, r, t in zip(seats, planned, status, strict=True) if r is not None and t == "filled"}
    if keep is None or keep is True:
        return incumbents
    if keep is False:
        return {}
    if isinstance(keep, Mapping):
        return {str(seat): str(rep) for seat, rep in keep.items()}
    names = [keep] if isinstance(keep, str) else [str(k) for k in keep]
    without = [n for n in names if n in seats and n not in incumbents]
    if without:
        remedy = "Give keep as a mapping of territory to rep."
        found.add(
            "keep",
            "must name territories that have a rep",
            got="none planned",
            rows=without,
            kind="territory",
            remedy=remedy,
        )
    unknown = [n for n in names if n not in seats]
    if unknown:
        found.add("keep", "must name known territories", rows=unknown, remedy=did_you_mean(unknown[0], seats))
    return {n: incumbents[n] for n in names if n in incumbents}


def _explain_absent(seat: str, rep: str, reps: pd.DataFrame, by_user: bool, found: Findings) -> None:
    where = "keep" if by_user else "territories.reps"
    if rep not in reps.index:
        found.add(where, "must name known reps", got=f"'{rep}' for {seat}", remedy=did_you_mean(rep, reps.index))
    else:
        remedy = "Mark the seat as to be replaced, or correct the rep's end date or status."
        found.add(where, "must name reps who stay", got=f"'{rep}' for {seat}, who is leaving or gone", remedy=remedy)


def _read_starts(starts: Mapping[str, Day] | Day | None, seats: list[str], found: Findings) -> dict[str, pd.Timestamp]:
    if starts is None:
        return {}
    wanted = dict(starts) if isinstance(starts, Mapping) else dict.fromkeys(seats, starts)
    unknown = [s for s in wanted if s not in seats]
    if unknown:
        found.add("starts", "must name known territories", rows=unknown, remedy=did_you_mean(unknown[0], seats))
    read = {seat: _read_day(day, f"starts['{seat}']", found) for seat, day in wanted.items()}
    return {seat: day for seat, day in read.items() if day is not None}
