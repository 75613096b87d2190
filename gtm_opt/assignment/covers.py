"""Who looks after a seat on the days on which nobody sits in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.assignment.matching import match_slots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gtm_opt.assignment.inputs import Request

__all__ = ["Vacancy", "cover_table", "find_covers", "find_vacancies"]

DAY = pd.Timedelta(days=1)
EVER, NEVER = pd.Timestamp("1900-01-01"), pd.Timestamp("2200-01-01")
"""Stand for an unknown first and an open last day."""


@dataclass(frozen=True, slots=True)
class Vacancy:
    """Days on which a seat is empty, inclusive; `EVER` and `NEVER` stand for open ends."""

    seat: int
    first: pd.Timestamp
    last: pd.Timestamp


@dataclass(frozen=True, slots=True)
class Cover:
    """Days on which a person looks after an empty seat, inclusive; person -1: nobody does."""

    seat: int
    person: int
    first: pd.Timestamp
    last: pd.Timestamp


def find_vacancies(
    ask: Request, holder: NDArray[np.int64], opens: Sequence[pd.Timestamp | None], leaves: Sequence[pd.Timestamp | None]
) -> list[Vacancy]:
    """List the days within the plan on which seats are empty, by first day and name.

    Parameters
    ----------
    holder : ndarray of int, shape (n_seats,)
        Person of each seat, -1 for an open one.
    opens : sequence
        First day of the holder, or of the expected hire; None: unknown.
    leaves : sequence
        Last day of whoever leaves the seat: the holder, or the one to be replaced; None: nobody.
    """
    start = EVER if ask.effective is None else ask.effective
    end = NEVER if ask.until is None else ask.until
    out = []
    for seat, person in enumerate(holder):
        opening, leaving = opens[seat], leaves[seat]
        if person < 0:
            first = start if leaving is None else leaving + DAY
            out.append(Vacancy(seat, max(first, start), min(NEVER if opening is None else opening - DAY, end)))
            continue
        if opening is not None and opening > start and ask.effective is not None:
            out.append(Vacancy(seat, start, min(opening - DAY, end)))
        if leaving is not None:
            out.append(Vacancy(seat, max(leaving + DAY, start), end))
    real = [v for v in out if v.first <= v.last]
    return sorted(real, key=lambda v: (v.first, ask.seats[v.seat]))


def find_covers(
    ask: Request, holder: NDArray[np.int64], vacancies: Sequence[Vacancy], fit_weight: float, max_cover: int
) -> list[Cover]:
    """Cover vacancies by fit and present ownership, minus the rep's own load, day by day.

    Every cover lies inside the employment of the person: where somebody leaves before the vacancy ends, or nobody
    is there yet when it begins, it is split. Nobody covers more than ``max_cover`` seats on one day.

    Returns
    -------
    list of Cover
        The days of every vacancy, each once; person -1 where nobody covers.
    """
    start, end = _employment(ask)
    load = np.zeros(len(ask.people))
    seated = np.flatnonzero(holder >= 0)
    load[holder[seated]] = ask.value[seated] / ask.scale
    done: list[Cover] = []
    open_: list[Vacancy] = list(vacancies)
    while open_:
        forbidden = np.array([_barred(ask, v, start, end, done, max_cover) for v in open_]).reshape(len(open_), -1)
        seats = np.array([v.seat for v in open_], dtype=np.int64)
        worth = np.where(ask.value[seats] > 0, ask.value[seats], 1.0)[:, None]
        score = ask.retained[seats] / worth + fit_weight * ask.fit[seats] - load[None, :]
        chosen = match_slots(score, forbidden, max_cover) if max_cover else np.full(len(open_), -1, dtype=np.int64)
        rest: list[Vacancy] = []
        for vacancy, person, off in zip(open_, chosen, forbidden, strict=True):
            if person >= 0 and _is_busy(int(person), vacancy, done, max_cover):
                rest.append(vacancy)  # the last free place of this person went to another seat of this round
            elif person >= 0:
                last = min(vacancy.last, end[person])
                done.append(Cover(vacancy.seat, int(person), vacancy.first, last))
                if last < vacancy.last:
                    rest.append(Vacancy(vacancy.seat, last + DAY, vacancy.last))
            elif max_cover and not off.all() and (chosen >= 0).any():
                rest.append(vacancy)  # somebody is free who was taken for another one in this round
            else:
                rest += _wait(ask, vacancy, start, done)
        open_ = rest
    return sorted(_joined(done), key=lambda c: (ask.seats[c.seat], c.first))


def _employment(ask: Request) -> tuple[list[pd.Timestamp], list[pd.Timestamp]]:
    start = [ask.day(p, "start_date") or EVER for p in ask.people]
    end = [ask.day(p, "end_date") or NEVER for p in ask.people]
    return start, end


def _barred(
    ask: Request,
    vacancy: Vacancy,
    start: list[pd.Timestamp],
    end: list[pd.Timestamp],
    done: list[Cover],
    max_cover: int,
) -> NDArray[np.bool_]:
    """Return who must not cover from the first day of a vacancy on."""
    forbidden = ask.forbidden[vacancy.seat].copy()
    first = vacancy.first
    if ask.effective is not None:
        forbidden |= np.array([s > first for s in start], dtype=bool)
    forbidden |= np.array([e < first for e in end], dtype=bool)
    forbidden |= np.array([_is_busy(p, vacancy, done, max_cover) for p in range(len(ask.people))], dtype=bool)
    return np.asarray(forbidden)


def _is_busy(person: int, vacancy: Vacancy, done: list[Cover], max_cover: int) -> bool:
    """Whether a person covers as many seats as allowed on some day of a vacancy (counting them all as one day)."""
    same = [c for c in done if c.person == person and c.first <= vacancy.last and c.last >= vacancy.first]
    return len(same) >= max_cover


def _wait(ask: Request, vacancy: Vacancy, start: list[pd.Timestamp], done: list[Cover]) -> list[Vacancy]:
    """Note days without a cover; return the rest of the vacancy from the day on which somebody new could cover."""
    allowed = [s for p, s in enumerate(start) if not ask.forbidden[vacancy.seat][p]]
    freed = [c.last + DAY for c in done if c.person >= 0]
    later = [day for day in allowed + freed if vacancy.first < day <= vacancy.last]
    if not later:
        done.append(Cover(vacancy.seat, -1, vacancy.first, vacancy.last))
        return []
    resumes = min(later)
    done.append(Cover(vacancy.seat, -1, vacancy.first, resumes - DAY))
    return [Vacancy(vacancy.seat, resumes, vacancy.last)]


def _joined(covers: list[Cover]) -> list[Cover]:
    """Return the covers with those of one person, or of nobody, on consecutive days made one."""
    out: list[Cover] = []
    for cover in sorted(covers, key=lambda c: (c.seat, c.first)):
        before = out[-1] if out else None
        if before and (before.seat, before.person) == (cover.seat, cover.person) and before.last + DAY == cover.first:
            out[-1] = Cover(cover.seat, cover.person, before.first, cover.last)
        else:
            out.append(cover)
    return out


def cover_table(ask: Request, covers: Sequence[Cover]) -> pd.DataFrame:
    """Return one row per vacant interval: territory, rep_id (None: nobody), first, last (NaT: open), days."""
    table = pd.DataFrame(
        {
            "territory": pd.Series([ask.seats[c.seat] for c in covers], dtype=object),
            "rep_id": pd.Series([ask.people[c.person] if c.person >= 0 else None for c in covers], dtype=object),
            "first": pd.to_datetime(pd.Series([None if c.first == EVER else c.first for c in covers])),
            "last": pd.to_datetime(pd.Series([None if c.last == NEVER else c.last for c in covers])),
        }
    )
    table["days"] = ((table["last"] - table["first"]).dt.days + 1).astype("Int64")
    return table
