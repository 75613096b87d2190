"""Linear assignment on candidate lists, maximum matching, and the set of seats that cannot all be filled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array, csr_matrix
from scipy.sparse.csgraph import connected_components, maximum_bipartite_matching, min_weight_full_bipartite_matching

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.assignment.candidates import Candidates

__all__ = ["DeficientSet", "deficient_sets", "fill_most", "match_pairs"]

DENSE = 0.2
"""From this share of all pairs on the dense method is faster than the sparse one."""


@dataclass(frozen=True, slots=True)
class DeficientSet:
    """Seats that have fewer candidates together than there are seats: the reason why some stay empty.

    Attributes
    ----------
    seats, people : tuple of str
        All candidates of these seats are among these people, and ``len(people) < len(seats)``.
    """

    seats: tuple[str, ...]
    people: tuple[str, ...]

    def __str__(self) -> str:
        if not self.people:
            return f"{_listed(self.seats)} can be held by nobody"
        together = " together" if len(self.seats) > 1 else ""
        return f"{_listed(self.seats)}{together} can be held only by {_listed(self.people)}"


def match_pairs(problem: Candidates, bonus: NDArray[np.float64] | None = None) -> NDArray[np.int64]:
    """Fill as many seats as possible, and among these matchings find one of the greatest total score.

    Parameters
    ----------
    problem : Candidates
        Its rows and loads are not looked at.
    bonus : ndarray of shape (n,), optional
        Added to the scores: settles ties.

    Returns
    -------
    ndarray of int, shape (n_seats,)
        Person of each seat, -1 for none.

    Notes
    -----
    Exact: every seat gets a substitute that costs more than all scores together. Where few pairs are candidates by
    the sparse method of Jonker and Volgenant [1]_, else by the dense one [2]_; O(n^3) at worst.

    References
    ----------
    .. [1] R. Jonker, A. Volgenant (1987). A shortest augmenting path algorithm for dense and sparse linear
       assignment problems. Computing 38, 325-340. https://doi.org/10.1007/BF02278710
    .. [2] D. F. Crouse (2016). On implementing 2D rectangular assignment algorithms. IEEE Transactions on
       Aerospace and Electronic Systems 52(4), 1679-1696. https://doi.org/10.1109/TAES.2016.140952
    """
    n, m = len(problem.seats), len(problem.people)
    holder = np.full(n, -1, dtype=np.int64)
    if not len(problem):
        return holder
    score = problem.score if bonus is None else problem.score + bonus
    top = float(score.max())
    spread = top - float(score.min())
    substitute = (spread + 1.0) * (min(n, m) + 1)
    if len(problem) > DENSE * n * m:
        cost = np.full((n, m), substitute)
        cost[problem.seat, problem.person] = top - score
        rows, columns = (np.asarray(a, dtype=np.int64) for a in linear_sum_assignment(cost))
        is_pair = np.zeros((n, m), dtype=bool)
        is_pair[problem.seat, problem.person] = True
        good = is_pair[rows, columns]
    else:
        # one more column per seat; entries must not be zero, which sparse matrices do not hold
        entries = np.concatenate([top - score + 1.0, np.full(n, substitute + 1.0)])
        every = np.arange(n)
        places = (np.concatenate([problem.seat, every]), np.concatenate([problem.person, m + every]))
        graph = csr_matrix((entries, places), shape=(n, m + n))
        rows, columns = (np.asarray(a, dtype=np.int64) for a in min_weight_full_bipartite_matching(graph))
        good = columns < m
    holder[rows[good]] = columns[good]
    return holder


def fill_most(problem: Candidates) -> NDArray[np.int64]:
    """Return a matching that fills as many seats as possible: person of each seat, -1 for none.

    By Hopcroft and Karp's method, O(pairs * sqrt(seats)).
    """
    if not len(problem):
        return np.full(len(problem.seats), -1, dtype=np.int64)
    shape = (len(problem.seats), len(problem.people))
    graph = csr_matrix((np.ones(len(problem), dtype=np.int8), (problem.seat, problem.person)), shape=shape)
    return np.asarray(maximum_bipartite_matching(graph, perm_type="column"), dtype=np.int64)


def deficient_sets(problem: Candidates) -> tuple[DeficientSet, ...]:
    """Return why seats stay empty although everybody may be moved: one set for each connected group of seats.

    Notes
    -----
    From an empty seat follow a candidate to the seat that this candidate holds, and so on: all candidates that are
    reached hold a seat that is reached, so there is one person less than seats, or fewer [1]_. The number of
    empty seats equals the sum of ``len(seats) - len(people)``: no matching fills more.

    References
    ----------
    .. [1] D. König (1931). Gráfok és mátrixok. Matematikai és Fizikai Lapok 38, 116-119.
    """
    n, m = len(problem.seats), len(problem.people)
    holder = fill_most(problem)
    seat_of = np.full(m, -1, dtype=np.int64)
    seat_of[holder[holder >= 0]] = np.flatnonzero(holder >= 0)
    starts = np.searchsorted(problem.seat, np.arange(n + 1))
    reached, people = holder < 0, np.zeros(m, dtype=bool)
    queue = np.flatnonzero(reached).tolist()
    while queue:
        seat = queue.pop()
        for person in problem.person[starts[seat] : starts[seat + 1]].tolist():
            people[person] = True
            following = int(seat_of[person])
            if not reached[following]:
                reached[following] = True
                queue.append(following)
    inside = reached[problem.seat]
    pairs = (np.ones(int(inside.sum())), (problem.seat[inside], n + problem.person[inside]))
    _, group = connected_components(csr_array(pairs, shape=(n + m, n + m)), directed=False)
    out = []
    for label in dict.fromkeys(group[:n][reached].tolist()):
        members = np.flatnonzero(reached & (group[:n] == label))
        those = np.flatnonzero(people & (group[n:] == label))
        out.append(
            DeficientSet(
                tuple(sorted(problem.seats[s] for s in members)), tuple(sorted(problem.people[p] for p in those))
            )
        )
    return tuple(sorted(out, key=lambda d: d.seats))


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
