"""Matching with rules beside eligibility: an integer model, stage by stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import InfeasibleError
from gtm_opt.mip import Model, Options, Status, solve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gtm_opt.assignment.candidates import Candidates, SideRow
    from gtm_opt.mip import Solution

__all__ = ["Outcome", "conflicting_rules", "match_with_rows", "solve_stage"]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """A matching and what is proven of it.

    Attributes
    ----------
    holder : ndarray of int, shape (n_seats,)
        Person of each seat, -1 for none.
    filled, most_filled : int
        Seats with a person, and a bound on how many any matching fills.
    value, bound : float
        What was maximized, and a bound on it for matchings that fill as many seats.
    limit_reached : bool
    """

    holder: NDArray[np.int64]
    filled: int
    most_filled: int
    value: float
    bound: float
    limit_reached: bool = False


def match_with_rows(
    problem: Candidates,
    worth: NDArray[np.float64],
    options: Options,
    backend: str = "highs",
    further: Sequence[SideRow] = (),
    fill: int | None = None,
) -> Outcome:
    """Fill as many seats as the rules allow, then find the greatest total worth.

    Parameters
    ----------
    worth : ndarray of shape (n_candidates,)
    further : sequence of SideRow
        Rows of an earlier stage.
    fill : int, optional
        Seats to fill, where it is known from an earlier stage.

    Raises
    ------
    InfeasibleError
        No matching keeps all rules; names the fewest rules found that cannot hold together.
    """
    seconds = None if options.time_limit is None else options.time_limit / (1 if fill is not None else 2)
    most = fill
    cut = False
    if fill is None:
        part = Options(time_limit=seconds, node_limit=options.node_limit, seed=options.seed)
        first = solve_stage(problem, np.ones(len(problem)), part, backend, further, 0)
        if first.status is Status.INFEASIBLE:
            raise InfeasibleError(_conflict(problem, options, backend), "Drop or relax one of them.")
        if not first.has_values:
            raise InfeasibleError(
                "no matching that keeps all rules was found within the limit, nor a proof that there is none",
                "Give it more time.",
            )
        fill, most = round(first.objective), int(np.floor(first.bound + 1e-6))
        cut = first.limit_reached
    part = Options(time_limit=seconds, node_limit=options.node_limit, rel_gap=options.rel_gap, seed=options.seed)
    best = solve_stage(problem, worth, part, backend, further, fill)
    if not best.has_values:
        raise InfeasibleError("no matching that keeps all rules was found within the limit", "Give it more time.")
    chosen = np.flatnonzero(best.of(np.arange(len(problem))) > 0.5)
    holder = np.full(len(problem.seats), -1, dtype=np.int64)
    holder[problem.seat[chosen]] = problem.person[chosen]
    filled = len(chosen)
    return Outcome(holder, filled, max(int(most or 0), filled), best.objective, best.bound, cut or best.limit_reached)


def conflicting_rules(problem: Candidates, options: Options, backend: str = "highs") -> tuple[str, ...]:
    """Return rules that cannot hold together, none of which can be left out; () where all can hold."""
    nothing = np.zeros(len(problem))
    if solve_stage(problem, nothing, options, backend, (), 0).status is not Status.INFEASIBLE:
        return ()
    left = problem
    for rule in problem.rules:
        fewer = left.without(rule)
        if solve_stage(fewer, nothing, options, backend, (), 0).status is Status.INFEASIBLE:
            left = fewer
    return left.rules


def _conflict(problem: Candidates, options: Options, backend: str) -> str:
    names = conflicting_rules(problem, options, backend)
    return f"no matching keeps {' and '.join(names)}{' together' if len(names) > 1 else ''}"


def solve_stage(
    problem: Candidates,
    worth: NDArray[np.float64],
    options: Options,
    backend: str,
    further: Sequence[SideRow],
    fill: int,
) -> Solution:
    """Solve one stage: the greatest total worth of matchings that keep all rows and fill ``fill`` seats at least."""
    model = Model("staffing", maximize=True)
    names = [f"{s},{p}" for s, p in zip(problem.seat.tolist(), problem.person.tolist(), strict=True)]
    pairs = model.add_columns(names, high=1, integer=True, cost=worth)
    by_seat = np.split(pairs, np.searchsorted(problem.seat, np.arange(1, len(problem.seats))))
    model.add_rows([f"seat {s}" for s in range(len(problem.seats))], [(p, 1.0) for p in by_seat], high=1.0)
    order = np.argsort(problem.person, kind="stable")
    by_person = np.split(order, np.searchsorted(problem.person[order], np.arange(1, len(problem.people))))
    for person, mine in enumerate(by_person):
        if problem.load is None or problem.capacity is None:
            model.add_row(f"person {person}", mine, 1.0, high=1.0)
        else:
            model.add_row(
                f"person {person}", mine, problem.load[problem.seat[mine]], high=float(problem.capacity[person])
            )
    for number, row in enumerate((*problem.rows, *further)):
        model.add_row(f"rule {number}", row.pair, row.value, low=row.low, high=row.high)
    if fill:
        model.add_row("filled", pairs, 1.0, low=float(fill))
    return solve(model, options, backend=backend)
