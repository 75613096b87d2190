"""Reading a roster: who sits in which seat, in which role, from when until when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings
from gtm_opt.model.dates import read_dates
from gtm_opt.model.frames import as_frame
from gtm_opt.model.tables import did_you_mean
from gtm_opt.timeline import find_overlaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.model.roles import Role, Roles

__all__ = ["HasRoster", "Roster", "read_leaves", "read_roster"]

_PERSON, _SEAT = "rep_id", "seat_id"
_DATES = ("start_date", "from_date", "end_date")
_NUMBERS = {
    "fte_frac": 1.0,
    "tenure_credit_m": 0.0,
    "effectiveness": 1.0,
    "territory_factor": 1.0,
    "assignment_frac": 1.0,
}
_FRACTIONS = ("fte_frac", "capacity_frac", "assignment_frac")
_STATUS = ("filled", "to be hired", "to be replaced")


@runtime_checkable
class HasRoster(Protocol):
    """Something that carries a roster, such as a `gtm_opt.Staffing`."""

    @property
    def roster(self) -> pd.DataFrame:
        """The roster."""
        ...


@dataclass(frozen=True, eq=False)
class Roster:
    """A roster in columns, one entry per stint of a rep in a seat.

    Attributes
    ----------
    table : DataFrame
        The rows as given, with seat_id, rep_id and status filled in.
    start, since, last : ndarray of datetime64[D], shape (n,)
        Hire date (tenure counts from it), first day in the seat, last day. NaT: unknown
        start (a ramped rep, or a seat without a date), or no end.
    role : list of Role
    numbers : dict of str to ndarray
        fte_frac, tenure_credit_m, effectiveness, territory_factor, assignment_frac.
    """

    table: pd.DataFrame
    start: NDArray[np.datetime64]
    since: NDArray[np.datetime64]
    last: NDArray[np.datetime64]
    role: list[Role]
    numbers: dict[str, NDArray[np.float64]]

    def __len__(self) -> int:
        return len(self.table)

    @property
    def is_person(self) -> NDArray[np.bool_]:
        """Whether each stint has a rep."""
        return self.table[_PERSON].notna().to_numpy()


def read_roster(source: pd.DataFrame | HasRoster, roles: Roles) -> Roster:
    """Read and check a roster, or the roster of a staffing.

    Raises
    ------
    DataError
        With every finding: missing columns, unknown roles, dates that cannot be read or
        lie in the wrong order, numbers outside their range, seats with more than one whole owner and people in
        more than one place on a day.
    """
    found = Findings()
    known = isinstance(source, pd.DataFrame) or not hasattr(source, "roster")
    own: pd.DataFrame = as_frame(source, "staffing") if known else source.roster  # type: ignore[assignment]
    table = own.reset_index(drop=True).copy()
    if "territory" in table.columns and _SEAT not in table.columns:
        table = table.rename(columns={"territory": _SEAT})
    missing = [c for c in (_SEAT, _PERSON) if c not in table.columns]
    if _SEAT in missing and _PERSON in table.columns:
        table[_SEAT] = table[_PERSON]
        missing.remove(_SEAT)
    if missing:
        got = ", ".join(map(str, table.columns))
        found.add("roster", "must have the columns rep_id and seat_id", got=got, remedy="Rename the columns.")
        found.raise_if_any()
    unnamed = table.index[table[_SEAT].isna()]
    if len(unnamed):
        found.add("roster['seat_id']", "must not be empty", rows=unnamed, remedy="Name the seat, also an open one.")
    table[_PERSON] = pd.Series([None if pd.isna(r) else str(r) for r in table[_PERSON]], dtype=object)
    label = table[_PERSON].fillna(table[_SEAT]).astype(str)
    days = {c: _read_dates(table, c, label, found) for c in _DATES}
    days["from_date"] = np.where(np.isnat(days["from_date"]), days["start_date"], days["from_date"])
    late = days["end_date"] < days["from_date"]
    if late.any():
        found.add("roster", "must not end before it starts", rows=label[late])
    numbers = {c: _read_numbers(table, c, default, label, found) for c, default in _NUMBERS.items()}
    table["status"] = _read_status(table, label, found)
    role = _read_roles(table, roles, label, found)
    if not found:
        _check_parts(table, days, numbers["assignment_frac"], role, found)
    found.raise_if_any()
    return Roster(table, days["start_date"], days["from_date"], days["end_date"], role, numbers)


def _check_parts(
    table: pd.DataFrame,
    days: dict[str, NDArray[np.datetime64]],
    part: NDArray[np.float64],
    role: list[Role],
    found: Findings,
) -> None:
    """Report seats with more than one whole owner on a day, and people who are in more than one place."""
    since, last = days["from_date"], days["end_date"]
    person = table[_PERSON].notna().to_numpy()
    direct = np.array([r.quota_type != "overlay" for r in role], dtype=bool)
    sits = (person | ~np.isnat(since)) & direct
    remedy = "Set assignment_frac so that the parts sum to 1, or end one stint before the next begins."
    for mask, key, rule, kind in (
        (sits, _SEAT, "must not give a seat more than one whole owner on a day", "seat"),
        (person, _PERSON, "must not have a person at more than 100 % on a day", "person"),
    ):
        over = find_overlaps(list(table.loc[mask, key]), since[mask], last[mask], part[mask])
        if len(over):
            worst = over.iloc[0]
            got = f"{worst['total']:.0%} of '{worst['key']}' {_days_text(worst['first'], worst['last'])}"
            found.add("roster", rule, got=got, rows=over["key"].unique(), kind=kind, remedy=remedy)


def _days_text(first: pd.Timestamp, last: pd.Timestamp) -> str:
    begin = f"from {first:%Y-%m-%d}" if first.year > 1900 else "from the beginning"
    return begin + (f" to {last:%Y-%m-%d}" if last.year < 2199 else " on")


def read_leaves(leaves: pd.DataFrame | None, roster: Roster) -> pd.DataFrame:
    """Return the leaves with dates as numpy days: rep_id, first, last, lost_frac."""
    found = Findings()
    columns = ["rep_id", "first", "last", "lost_frac"]
    if leaves is None or leaves.empty:
        return pd.DataFrame({c: [] for c in columns})
    missing = [c for c in ("rep_id", "start_date", "end_date") if c not in leaves.columns]
    if missing:
        got = ", ".join(map(str, leaves.columns))
        found.add("leaves", f"must have the columns {', '.join(missing)}", got=got)
        found.raise_if_any()
    label = leaves["rep_id"].astype(str).reset_index(drop=True)
    table = leaves.reset_index(drop=True)
    first, last = (_read_dates(table, c, label, found) for c in ("start_date", "end_date"))
    kept = _read_numbers(table, "capacity_frac", 0.0, label, found)
    empty = np.isnat(first) | np.isnat(last)
    if empty.any():
        found.add("leaves", "must have a first and a last day", rows=label[empty])
    if (last < first).any():
        found.add("leaves", "must not end before they start", rows=label[last < first])
    unknown = ~label.isin(set(roster.table[_PERSON].dropna().astype(str)))
    if unknown.any():
        remedy = did_you_mean(label[unknown].iloc[0], roster.table[_PERSON].dropna())
        found.add("leaves['rep_id']", "must be on the roster", rows=label[unknown].unique(), kind="rep", remedy=remedy)
    found.raise_if_any()
    return pd.DataFrame({"rep_id": label, "first": first, "last": last, "lost_frac": 1.0 - kept})


def _read_dates(table: pd.DataFrame, column: str, label: pd.Series[str], found: Findings) -> NDArray[np.datetime64]:
    if column not in table.columns:
        return np.full(len(table), np.datetime64("NaT"), dtype="datetime64[D]")
    read, bad = read_dates(table[column])
    if bad.any():
        found.add(f"'{column}'", "must hold dates", rows=label[bad], remedy="Write them as 2027-01-31.")
    return read.to_numpy().astype("datetime64[D]")


def _read_numbers(
    table: pd.DataFrame, column: str, default: float, label: pd.Series[str], found: Findings
) -> NDArray[np.float64]:
    if column not in table.columns:
        return np.full(len(table), default)
    numbers = pd.to_numeric(table[column], errors="coerce")
    unread = numbers.isna() & table[column].notna()
    values = numbers.fillna(default).to_numpy(dtype=np.float64)
    top = 1.0 if column in _FRACTIONS else np.inf
    bad = unread.to_numpy() | ~np.isfinite(values) | (values < 0) | (values > top)
    if bad.any():
        rule = "must lie between 0 and 1" if top == 1.0 else "must hold finite numbers, none negative"
        found.add(f"'{column}'", rule, rows=label[bad])
    return values


def _read_status(table: pd.DataFrame, label: pd.Series[str], found: Findings) -> list[str]:
    guess = np.where(table[_PERSON].isna(), "to be hired", "filled")
    if "status" not in table.columns:
        return [str(word) for word in guess]
    short = {"tbh": "to be hired", "tbr": "to be replaced"}
    given = [str(g if pd.isna(s) else s).strip().lower() for s, g in zip(table["status"], guess, strict=True)]
    words = [w.replace("_", " ").replace("-", " ") for w in given]
    words = [short.get(w, w) for w in words]
    bad = np.array([w not in _STATUS for w in words], dtype=bool)
    if bad.any():
        found.add("roster['status']", "must be filled, to be hired (TBH) or to be replaced (TBR)", rows=label[bad])
    return words


def _read_roles(table: pd.DataFrame, roles: Roles, label: pd.Series[str], found: Findings) -> list[Role]:
    default = roles.roles[0]
    if "role" not in table.columns:
        if len(roles) > 1:
            remedy = "Add the column 'role' to the reps, or pass a single role."
            found.add("roster['role']", f"must exist when there are {len(roles)} roles", remedy=remedy)
        return [default] * len(table)
    blank = table["role"].isna()
    if len(roles) > 1 and blank.any():
        remedy = "Give open seats a role too: list them as rows of the rep table."
        found.add("roster['role']", "must not be empty when there are several roles", rows=label[blank], remedy=remedy)
    names = table["role"].astype(str)
    unknown = ~blank & ~names.isin(roles.names)
    if unknown.any():
        remedy = did_you_mean(names[unknown].iloc[0], roles.names)
        found.add("roster['role']", "must name known roles", rows=names[unknown].unique(), kind="role", remedy=remedy)
    by_name = {role.name: role for role in roles}
    return [by_name.get(n, default) for n in names]
