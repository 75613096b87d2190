"""`assign`: put people into territories, and somebody beside every empty seat."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.assignment.candidates import Candidates
from gtm_opt.assignment.covers import cover_table, find_covers, find_vacancies
from gtm_opt.assignment.inputs import CarvingLike, Request, read_request
from gtm_opt.assignment.match_people import Matching, find
from gtm_opt.assignment.objectives import OBJECTIVES
from gtm_opt.assignment.proof import describe_days
from gtm_opt.assignment.seats import FILLED, HIRE, roster_table, seat_table
from gtm_opt.assignment.side_rows import PeopleRules, add_rows, read_rules
from gtm_opt.assignment.staffing import Staffing
from gtm_opt.assignment.terms import Terms, read_terms
from gtm_opt.errors import Findings, shorten
from gtm_opt.mip import Options
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.preferences import KeepOwner

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from gtm_opt.assignment.inputs import Day, Keep
    from gtm_opt.assignment.objectives import Objective
    from gtm_opt.assignment.side_rows import StaffingRule
    from gtm_opt.assignment.terms import StaffingPreference

__all__ = ["assign"]

SHOWN = 20
"""Candidates of a seat that are kept in the result."""


@takes_tables("reps", labelled=("skills",))
def assign(
    carving: CarvingLike,
    reps: pd.DataFrame,
    *,
    prefer: Sequence[StaffingPreference] = (),
    rules: Sequence[StaffingRule] = (),
    objective: Objective = "total",
    slack: float = 0.05,
    managers: Mapping[str, str] | None = None,
    time_limit: float | None = None,
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
    prefer : sequence of preferences
        `gtm_opt.KeepOwner` (accounts stay with who owns them), `gtm_opt.Fit` (rows: territories, or values of the
        account column ``by``; columns: rep ids), `gtm_opt.Near` (home of the rep, columns ``lat`` and ``lon`` of
        both tables, to the territory's center), `gtm_opt.Skills`, `gtm_opt.Rank`.
    rules : sequence of rules
        `gtm_opt.Forbid` (pairs of rep and territory; ``by``: a column of the reps), `gtm_opt.Within` (reps of a
        group only in these territories), `gtm_opt.Pin` (rep to territory), `gtm_opt.MaxMoved` (share of the reps
        who leave their seat; use with ``keep=False``), and with `managers`: `gtm_opt.KeepApart` (never under one
        manager), `gtm_opt.KeepTogether` (reps with the same value under one manager), `gtm_opt.Span`.
    objective : {"total", "bottleneck", "leximin", "fewest_moves"}
        See `gtm_opt.match_people`.
    slack : float
        For "fewest_moves": part of the greatest total that may be lost.
    managers : mapping of territory to manager, optional
    time_limit : float, optional
        Seconds, for matchings that are no linear assignment problem.
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

    InfeasibleError
        No matching keeps all rules; names rules that cannot hold together.

    Notes
    -----
    ``owner``, ``value``, ``skills``, ``forbid`` and ``keep`` are shorthands for `KeepOwner`, `Fit`, `Forbid` and `Pin`.
    `Staffing.matching` holds status, bound, reasons, and what seats and rules cost.

    As many seats as possible are filled; among these matchings the one with the greatest
    sum of ``retained value / value of a mean territory + fit_weight * fit`` is found
    exactly. Seats marked as to be hired or to be replaced participate only when `keep`
    names a rep for them. Deterministic, and independent of the order of the rows; an exact
    tie goes to the rep the territory names, else it is settled the same way every time.

    A seat is vacant until its rep starts, after its rep leaves, and as long as nobody is hired. A cover is
    chosen by fit and present ownership, minus the rep's own load; it lies inside the covering rep's own
    employment, and is split where that ends first.
    """
    _check_options(fit_weight, max_cover, objective, slack)
    keeper = next((p for p in prefer if isinstance(p, KeepOwner)), None)
    if keeper is not None and owner is None:
        owner, value = keeper.owner, keeper.value if value is None else value
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
    found = Findings()
    if sum(isinstance(p, KeepOwner) for p in prefer) > 1:
        found.add("prefer", "must hold KeepOwner once")
    terms = read_terms(ask, carving, prefer, fit_weight, 1.0 if keeper is None else keeper.weight, found)
    people = read_rules(ask, rules, managers, found)
    out = [s for s, p in ask.fixed.items() if people.forbidden[s, p] or terms.forbidden[s, p]]
    clash = [ask.seats[s] for s in out if s in ask.fixed_by_user]
    if clash:
        found.add("keep", "must not contradict rules or mandatory skills", rows=clash, kind="territory")
    found.raise_if_any()
    moved = [f"{ask.people[ask.fixed[s]]} ({ask.seats[s]})" for s in out if s not in people.pins]
    ask = _with_rules(ask, people, terms)
    matching = _match(ask, people, terms, objective, slack, Options(time_limit=time_limit))
    holder = _holder(ask, matching)
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
        pairs=_pairs(ask, terms),
        fit_weight=fit_weight,
        effective=ask.effective,
        notes=(*_notes(ask, table, covers, unstaffed), *_why_open(ask, matching, moved)),
        covers=covers,
        until=ask.until,
        employment=ask.reps[["start_date", "end_date"]],
        accounts=carving.assignment[["account_id", "territory"]],
        matching=matching,
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


def _check_options(fit_weight: float, max_cover: int, objective: str, slack: float) -> None:
    found = Findings()
    if not (np.isfinite(fit_weight) and fit_weight >= 0):
        found.add("fit_weight", "must be a finite number, not negative", got=repr(fit_weight))
    if not isinstance(max_cover, int | np.integer) or max_cover < 0:
        found.add("max_cover", "must be a whole number, not negative", got=repr(max_cover))
    if objective not in OBJECTIVES:
        found.add("objective", f"must be one of {', '.join(OBJECTIVES)}", got=repr(objective))
    if not 0.0 <= slack <= 1.0:
        found.add("slack", "must lie between 0 and 1", got=repr(slack))
    found.raise_if_any()


def _with_rules(ask: Request, rules: PeopleRules, terms: Terms) -> Request:
    """Return the request with eligibility and pins of the rules in it; a pin outranks a seat's own rep."""
    fixed = {s: p for s, p in ask.fixed.items() if s not in rules.pins and p not in rules.pins.values()}
    forbidden = ask.forbidden | rules.forbidden | terms.forbidden
    broken = {s for s, p in fixed.items() if forbidden[s, p]}
    fixed = {s: p for s, p in fixed.items() if s not in broken} | rules.pins
    by_user = frozenset({*ask.fixed_by_user} - broken | {*rules.pins})
    return replace(ask, forbidden=forbidden, fixed=fixed, fixed_by_user=by_user)


def _match(
    ask: Request, rules: PeopleRules, terms: Terms, objective: Objective, slack: float, options: Options
) -> Matching:
    """Match the seats to fill; seats are sorted by name, so that ties do not depend on the order of the rows."""
    seats = [s for s in _by_name(ask) if s in ask.fixed or ask.status[s] == FILLED]
    allowed = ~ask.forbidden[seats]
    taken = list(ask.fixed.values())
    allowed[:, taken] = False
    for row, seat in enumerate(seats):
        if seat in ask.fixed:
            allowed[row] = False
            allowed[row, ask.fixed[seat]] = True
    total = terms.total()[seats]
    at_seat, at_person = np.nonzero(allowed)
    place = {name: at for at, name in enumerate(ask.people)}
    present = np.full(len(ask.people), -1, dtype=np.int64)
    for row, s in enumerate(seats):
        rep = ask.planned[s]
        if rep in place and ask.status[s] == FILLED:
            present[place[rep]] = row
    names = tuple(ask.seats[s] for s in seats)
    problem = Candidates(names, tuple(ask.people), at_seat, at_person, total[at_seat, at_person])
    problem = add_rows(problem, ask, rules, present)
    parts = {name: part[seats][at_seat, at_person] for name, part in terms.parts.items()}
    return find(problem, objective, present, slack, options, "highs", parts)


def _holder(ask: Request, matching: Matching) -> NDArray[np.int64]:
    """Return the person of each seat, -1 for an open one."""
    place = {name: at for at, name in enumerate(matching.problem.seats)}
    return np.array([matching.outcome.holder[place[s]] if s in place else -1 for s in ask.seats], dtype=np.int64)


def _why_open(ask: Request, matching: Matching, moved: list[str]) -> list[str]:
    """Say who may not stay, which seats eligibility alone leaves open, and what is not proven."""
    notes = []
    if moved:
        notes.append(f"{len(moved)} reps may not stay in their seat by rules or mandatory skills: {shorten(moved)}.")
    if ask.forbidden.any() and (matching.outcome.holder < 0).any():
        notes += [f"{one}." for one in matching.deficient if one.people and len(one.people) < len(ask.people)][:3]
    if not matching.is_proven:
        notes.append("The matching is not proven the best: the time limit cut it.")
    return notes


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


def _pairs(ask: Request, terms: Terms) -> pd.DataFrame:
    """Return the best candidates of each seat, and the best of those who are forbidden there."""
    total = terms.total()
    some = (ask.retained != 0) | (ask.fit != 0) | (total != 0)
    rows: list[NDArray[np.int64]] = []
    for seat in range(len(ask.seats)):
        for off, most in ((False, SHOWN), (True, SHOWN // 4)):
            those = np.flatnonzero(
                (some[seat] | (ask.forbidden[seat] & (ask.retained[seat] > 0))) & (ask.forbidden[seat] == off)
            )
            best = those[np.argsort(-total[seat, those], kind="stable")[:most]]
            rows.append(np.column_stack([np.full(len(best), seat), np.sort(best)]))
    both = np.concatenate(rows) if rows else np.zeros((0, 2), dtype=np.int64)
    both = both[np.lexsort((both[:, 1], both[:, 0]))]
    at, who = both[:, 0], both[:, 1]
    return pd.DataFrame(
        {
            "territory": pd.Series([ask.seats[s] for s in at], dtype=object),
            "rep_id": pd.Series([ask.people[p] for p in who], dtype=object),
            "retained_value": ask.retained[at, who],
            "fit": ask.fit[at, who],
            "forbidden": ask.forbidden[at, who],
            "score": total[at, who],
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
