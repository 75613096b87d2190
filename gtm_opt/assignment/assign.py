"""`assign`: put people into territories, and somebody beside every empty seat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.assignment.covers import cover_table, find_covers, find_vacancies
from gtm_opt.assignment.inputs import CarvingLike, Request, read_request
from gtm_opt.assignment.matching import match
from gtm_opt.assignment.proof import describe_days
from gtm_opt.assignment.seats import FILLED, HIRE, roster_table, seat_table
from gtm_opt.assignment.staffing import Staffing
from gtm_opt.errors import Findings, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from gtm_opt.assignment.inputs import Day, Keep

__all__ = ["assign"]

# Settles ties in favor of the rep a territory already names; far below any real difference.
_TIE = 1e-9


def assign(
    carving: CarvingLike,
    reps: pd.DataFrame,
    *,
    owner: str | None = None,
    value: str | None = None,
    keep: Keep = None,
    skills: pd.DataFrame | None = None,
    forbid: Iterable[tuple[str, str]] = (),
    effective: Day | None = None,
    until: Day | None = None,
    starts: Mapping[str, Day] | Day | None = None,
    fit_weight: float = 1.0,
    max_cover: int = 1,
) -> Staffing:
    """Match territories to reps by fit and retention, and cover the seats that stay open.

    Parameters
    ----------
    carving : Carving, or anything with ``assignment``, ``accounts`` and ``territories``
        ``assignment`` has the columns account_id and territory; ``accounts`` is indexed
        by account id.
    reps : DataFrame
        One row per rep with ``rep_id``. Read where present: ``start_date`` and
        ``end_date`` (inclusive), ``status`` (rows of seats to be hired are no people, but
        give the seat its role and expected start). Further columns (role, segment,
        manager, fte_frac ...) are handed on to the roster.
    owner : str, optional
        Account column with the present owner's rep id (or territory name). Without it
        nobody retains anything.
    value : str, optional
        Account column that weighs retention and load. Default: each account counts 1.
    keep : mapping, sequence, bool, optional
        Which pairs are fixed. Default (or True): every rep a filled territory already
        names stays in it. A mapping of territory to rep: exactly these pairs. A sequence
        of territories: only these keep their rep. False: everybody is matched anew.
    skills : DataFrame, optional
        Fit of rep (rows) and territory (columns), 0 to 1. Missing pairs count 0.
    forbid : iterable of (territory, rep_id)
        Pairs that must not meet, neither as holder nor as cover.
    effective : date, optional
        First day of the plan. Reps gone before it are left out.
    until : date, optional
        Last day of the plan. Without it every last day of a rep opens a vacancy, however far away.
    starts : mapping of territory to date, or date, optional
        Expected start in seats to be hired or replaced. Default: the start date of the
        seat's own row in `reps`, if it has one.
    fit_weight : float
        Weight of a perfect fit against retaining the value of one mean territory.
    max_cover : int
        Most open seats one rep covers on one day; 0: no cover.

    Returns
    -------
    Staffing

    Raises
    ------
    DataError
        With every finding: unknown ids, a rep kept in two seats, a kept pair that is
        forbidden, skills outside 0 to 1, dates that cannot be read.

    Notes
    -----
    As many seats as possible are filled; among these matchings the one with the greatest
    sum of ``retained value / value of a mean territory + fit_weight * fit`` is found
    exactly. Seats marked as to be hired or to be replaced take part only when `keep`
    names a rep for them. Deterministic, and independent of the order of the rows; an exact
    tie goes to the rep the territory names, else it is settled the same way every time.

    A seat is vacant until its rep starts, after its rep leaves, and as long as nobody is hired. A cover is
    chosen by fit and present ownership, minus the rep's own load; it lies inside the covering rep's own
    employment, and is split where that ends first.
    """
    _check_options(fit_weight, max_cover)
    ask = read_request(
        carving,
        reps,
        owner=owner,
        value=value,
        keep=keep,
        skills=skills,
        forbid=forbid,
        effective=effective,
        until=until,
        starts=starts,
    )
    holder = _match_seats(ask, fit_weight)
    status = [
        FILLED if at >= 0 else (HIRE if planned == FILLED else planned)
        for at, planned in zip(holder, ask.status, strict=True)
    ]
    table = seat_table(ask, holder, status)
    opens, leaves = (
        [None if pd.isna(day) else day for day in table[column]] for column in ("effective_from", "effective_until")
    )
    vacancies = find_vacancies(ask, holder, opens, leaves)
    covers = cover_table(ask, find_covers(ask, holder, vacancies, fit_weight, max_cover))
    table = _with_first_cover(table, covers)[[*_COLUMNS]]
    unstaffed = _unstaffed(ask, holder)
    return Staffing(
        table=table,
        unstaffed=unstaffed,
        roster=roster_table(ask, holder, table),
        pairs=_pairs(ask),
        fit_weight=fit_weight,
        effective=ask.effective,
        notes=_notes(ask, table, covers, unstaffed),
        covers=covers,
        until=ask.until,
        employment=ask.reps[["start_date", "end_date"]],
        accounts=carving.assignment[["account_id", "territory"]],
    )


_COLUMNS = (
    "territory",
    "rep_id",
    "status",
    "cover_rep_id",
    "effective_from",
    "effective_until",
    "cover_from",
    "cover_until",
    "value",
    "retained_value",
    "retained_frac",
    "fit",
    "reason",
)


def _check_options(fit_weight: float, max_cover: int) -> None:
    found = Findings()
    if not (np.isfinite(fit_weight) and fit_weight >= 0):
        found.add("fit_weight", "must be a finite number, not negative", got=repr(fit_weight))
    if not isinstance(max_cover, int | np.integer) or max_cover < 0:
        found.add("max_cover", "must be a whole number, not negative", got=repr(max_cover))
    found.raise_if_any()


def _match_seats(ask: Request, fit_weight: float) -> NDArray[np.int64]:
    """Return the person of each seat, -1 for an open one."""
    holder = np.full(len(ask.seats), -1, dtype=np.int64)
    for seat, person in ask.fixed.items():
        holder[seat] = person
    free_seats = np.array([s for s in _by_name(ask) if s not in ask.fixed and ask.status[s] == FILLED], dtype=np.int64)
    taken = set(ask.fixed.values())
    free_people = np.array([p for p in range(len(ask.people)) if p not in taken], dtype=np.int64)
    pick = np.ix_(free_seats, free_people)
    score = ask.retained[pick] / ask.scale + fit_weight * ask.fit[pick]
    seat_of_rep = {ask.planned[s]: row for row, s in enumerate(free_seats)}
    for column, person in enumerate(free_people):
        row = seat_of_rep.get(ask.people[person])
        if row is not None:
            score[row, column] += _TIE
    columns = match(score, ask.forbidden[pick])
    holder[free_seats] = np.where(columns >= 0, free_people[columns] if len(free_people) else -1, -1)
    return holder


def _by_name(ask: Request) -> list[int]:
    """Return seat positions sorted by name: ties must not depend on the order of the rows."""
    return sorted(range(len(ask.seats)), key=lambda s: ask.seats[s])


def _with_first_cover(table: pd.DataFrame, covers: pd.DataFrame) -> pd.DataFrame:
    """Return the seats with the cover that comes first; all of them are in the table of covers."""
    held = covers[covers["rep_id"].notna()].drop_duplicates("territory").set_index("territory")
    first = held.reindex(table["territory"])
    return table.assign(
        cover_rep_id=pd.Series([None if pd.isna(r) else r for r in first["rep_id"]], dtype=object),
        cover_from=first["first"].to_numpy(),
        cover_until=first["last"].to_numpy(),
    )


def _unstaffed(ask: Request, holder: NDArray[np.int64]) -> pd.DataFrame:
    seated = {ask.people[p] for p in holder if p >= 0}
    rows = []
    for at, rep in enumerate(ask.people):
        if rep in seated:
            continue
        if len(ask.seats) and ask.forbidden[:, at].all():
            reason = "forbidden in every territory"
        else:
            reason = "no seat left: every territory to fill has a rep"
            if (holder < 0).any():
                reason += "; the open seats are planned for hires or forbidden to this rep"
        rows.append({"rep_id": rep, "reason": reason})
    return pd.DataFrame(rows, columns=["rep_id", "reason"])


def _pairs(ask: Request) -> pd.DataFrame:
    seat, person = np.nonzero((ask.retained != 0) | (ask.fit != 0) | ask.forbidden)
    return pd.DataFrame(
        {
            "territory": pd.Series([ask.seats[s] for s in seat], dtype=object),
            "rep_id": pd.Series([ask.people[p] for p in person], dtype=object),
            "retained_value": ask.retained[seat, person],
            "fit": ask.fit[seat, person],
            "forbidden": ask.forbidden[seat, person],
        }
    )


def _more(items: list[str]) -> str:
    return f"; and {len(items) - 3} more" if len(items) > 3 else ""


def _notes(ask: Request, table: pd.DataFrame, covers: pd.DataFrame, unstaffed: pd.DataFrame) -> tuple[str, ...]:
    notes = []
    bare = covers[covers["rep_id"].isna()]
    if len(bare):
        days = [describe_days(*row) for row in zip(bare["territory"], bare["first"], bare["last"], strict=True)]
        notes.append(f"Nobody covers {'; '.join(days[:3])}{_more(days)}. Raise max_cover, or hire earlier.")
    short = [s for s, state in zip(table["territory"], ask.status, strict=True) if state == FILLED]
    left = table[table["territory"].isin(short) & table["rep_id"].isna()]
    if len(left):
        notes.append(f"{len(left)} seats planned as filled stay open: {shorten(list(left['territory']))}.")
    if len(unstaffed):
        planned = int((table["rep_id"].isna()).sum())
        text = f"{len(unstaffed)} reps have no seat: {shorten(list(unstaffed['rep_id']))}."
        if planned:
            text += f" {planned} seats are open; name these reps in `keep` to fill them."
        notes.append(text)
    if not ask.has_owners and not ask.has_fit and len(ask.fixed) < len(ask.seats):
        notes.append("Neither `owner` nor `skills` tells reps apart: the matching went by name.")
    return tuple(notes)
