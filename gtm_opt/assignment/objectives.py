"""What the best matching is: the greatest total, the best worst seat, or the fewest moves near the best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from gtm_opt.assignment.candidates import SideRow
from gtm_opt.assignment.linear import fill_most, match_pairs
from gtm_opt.assignment.sided import Outcome, match_with_rows, solve_stage
from gtm_opt.mip import Options, Status

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.assignment.candidates import Candidates

    Objective = Literal["total", "bottleneck", "leximin", "fewest_moves"]

__all__ = ["OBJECTIVES", "find_matching"]

OBJECTIVES = ("total", "bottleneck", "leximin", "fewest_moves")


def find_matching(
    problem: Candidates,
    objective: Objective = "total",
    *,
    present: NDArray[np.int64] | None = None,
    slack: float = 0.05,
    options: Options | None = None,
    backend: str = "highs",
) -> Outcome:
    """Fill as many seats as possible; among these matchings find the best by name.

    Parameters
    ----------
    problem : Candidates
    objective : {"total", "bottleneck", "leximin", "fewest_moves"}
        Greatest total score; greatest score of the worst seat, then greatest total; the worst seat, then the second
        worst, and so on; fewest people moved within ``slack`` of the greatest total.
    present : ndarray of int, shape (n_people,), optional
        Seat in which each person sits now, -1 for none; settles ties, and is what "moved" refers to.
    slack : float
        For "fewest_moves": part of the greatest total that may be lost, 0 to 1.

    Returns
    -------
    Outcome
        ``value`` is the total, the worst score, or the number of people who stay ("fewest_moves").
    """
    options = options or Options()
    stays = np.zeros(len(problem), dtype=bool)
    if present is not None:
        stays = present[problem.person] == problem.seat
    if objective == "total":
        return _total(problem, stays, options, backend)
    if objective == "fewest_moves":
        return _fewest_moves(problem, stays, slack, options, backend)
    return _worst_first(problem, stays, options, backend, deep=objective == "leximin")


def _total(problem: Candidates, stays: NDArray[np.bool_], options: Options, backend: str) -> Outcome:
    if not problem.is_linear:
        return match_with_rows(problem, problem.score, options, backend)
    holder = match_pairs(problem, np.where(stays, _tie(problem), 0.0))
    filled, value = int((holder >= 0).sum()), _sum(problem, holder)
    return Outcome(holder, filled, filled, value, value)


def _fewest_moves(
    problem: Candidates, stays: NDArray[np.bool_], slack: float, options: Options, backend: str
) -> Outcome:
    best = _total(problem, stays, options, backend)
    least = best.value - slack * abs(best.value)
    near = SideRow("near the best", np.arange(len(problem)), problem.score, low=least - 1e-9 * max(1.0, abs(least)))
    out = match_with_rows(problem, stays.astype(np.float64), options, backend, [near], best.filled)
    # of the matchings that move as few, the best
    kept = SideRow("stay", np.flatnonzero(stays), np.ones(int(stays.sum())), low=round(out.value))
    finest = match_with_rows(problem, problem.score, options, backend, [near, kept], best.filled)
    cut = best.limit_reached or out.limit_reached or finest.limit_reached
    return Outcome(finest.holder, best.filled, best.most_filled, out.value, out.bound, cut)


def _worst_first(
    problem: Candidates, stays: NDArray[np.bool_], options: Options, backend: str, *, deep: bool
) -> Outcome:
    """Raise the worst score, then (``deep``) hold as few seats as possible at it and raise the next."""
    levels, level = np.unique(problem.score, return_inverse=True)
    if not len(levels):
        return _total(problem, stays, options, backend)
    first = _fill(problem, options, backend, ())
    fill = first.filled
    counts: list[SideRow] = []
    settled = 0  # levels below it hold as few seats as possible already
    worst = -1
    held = 0
    unknown = first.limit_reached
    outcome = first
    while held < fill:
        low, high = settled, len(levels) - 1
        while low < high:  # the highest level above the settled ones such that nobody sits between
            middle = (low + high + 1) // 2
            trial = _try(problem, (level < settled) | (level >= middle), counts, fill, options, backend)
            unknown |= trial is None
            low, high = (middle, high) if trial else (low, middle - 1)
        worst = low if worst < 0 else worst
        allowed = (level < settled) | (level >= low)
        if not deep:
            part = problem.only(allowed)
            best = _total(part, stays[allowed], options, backend)
            value = float(levels[worst])
            bound = float(levels[-1]) if unknown else value
            return Outcome(best.holder, fill, first.most_filled, value, bound, unknown or best.limit_reached)
        at = level == low
        part = problem.only(allowed)
        rows = [_cut(row, allowed) for row in counts]
        outcome = match_with_rows(part, np.where(at[allowed], -1.0, 0.0), options, backend, rows, fill)
        number = round(-outcome.value)
        unknown |= outcome.limit_reached
        counts = [SideRow(r.rule, r.pair, r.value, r.low, r.high) for r in counts]
        counts.append(SideRow(f"level {low}", np.flatnonzero(at), np.ones(int(at.sum())), high=float(number)))
        forbidden = (level >= settled) & (level < low)
        if forbidden.any():
            counts.append(SideRow("none between", np.flatnonzero(forbidden), np.ones(int(forbidden.sum())), high=0.0))
        held += number
        settled = low + 1
    value = float(levels[max(worst, 0)])
    bound = float(levels[-1]) if unknown else value
    return Outcome(outcome.holder, fill, first.most_filled, value, bound, unknown)


def _fill(problem: Candidates, options: Options, backend: str, rows: tuple[SideRow, ...]) -> Outcome:
    if problem.is_linear:
        holder = fill_most(problem)
        filled = int((holder >= 0).sum())
        return Outcome(holder, filled, filled, 0.0, 0.0)
    return match_with_rows(problem, np.zeros(len(problem)), options, backend, rows)


def _try(
    problem: Candidates, allowed: NDArray[np.bool_], counts: list[SideRow], fill: int, options: Options, backend: str
) -> bool | None:
    """Say whether the allowed pairs fill as many seats; None: not known within the limit."""
    part = problem.only(allowed)
    if part.is_linear and not counts:
        return int((fill_most(part) >= 0).sum()) == fill
    rows = [_cut(row, allowed) for row in counts]
    found = solve_stage(part, np.zeros(len(part)), options, backend, rows, fill)
    if found.has_values:
        return True
    return False if found.status is Status.INFEASIBLE else None


def _cut(row: SideRow, allowed: NDArray[np.bool_]) -> SideRow:
    place = np.cumsum(allowed) - 1
    left = allowed[row.pair]
    return SideRow(row.rule, place[row.pair[left]], row.value[left], row.low, row.high)


def _tie(problem: Candidates) -> float:
    """Return a bonus that settles ties in favor of who sits there now, far below any real difference."""
    return 1e-9 * max(1.0, float(np.abs(problem.score).max(initial=0.0)))


def _sum(problem: Candidates, holder: NDArray[np.int64]) -> float:
    chosen = holder[problem.seat] == problem.person
    return float(np.sort(problem.score[chosen]).sum())
