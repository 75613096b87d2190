"""Large neighborhoods: some territories of an assignment are opened and filled anew by dives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.solvers.generalized_assignment.dive import Beam

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.solvers.generalized_assignment.dive import Diver
    from gtm_opt.solvers.generalized_assignment.walkers import Walker
    from gtm_opt.solvers.protocol import Run

__all__ = ["Reopener", "polish", "side_by_side"]

_OPEN_UNITS = 400
_FEWEST, _MOST = 4, 24
_POLISHED = 3
_COOLING = ((0.05, 4.0), (0.02, 8.0), (0.008, 20.0))
_SHAKE = 0.5
_KINDS = ((3, 10, 1), (2, 20, 1), (1, 40, 1), (1, 40, 2))
"""Width of a beam, steps of the prices at a node, and by how much more is opened."""


def polish(walker: Walker, assignment: IntArray, tries: int, run: Run) -> tuple[float, IntArray]:
    """Drive out overload and descend by short cool chains; return the least cost seen, ``inf`` if all overload."""
    walker.level[4] = np.inf
    walker.restart(assignment)
    for temperature, rate in _COOLING:
        if run.stop():
            break
        walker.cool(tries, temperature, 0.5 * temperature, rate)
    before = walker.tables.cost_of(assignment)
    after = walker.tables.cost_of(walker.best) if walker.best_value < np.inf else np.inf
    return (before, assignment) if before <= after else (after, walker.best.copy())


class Reopener:
    """A thread's own diver, walker and generator.

    Parameters
    ----------
    diver : Diver
    walker : Walker
        On the tables of the diver.
    seed : int
    """

    def __init__(self, diver: Diver, walker: Walker, seed: int) -> None:
        self._tables, self._diver, self._walker = walker.tables, diver, walker
        self._rng = np.random.default_rng(seed)

    def fresh(self, beam: Beam, run: Run) -> tuple[float, IntArray]:
        """Dive into all territories; return the best cost and assignment, ``inf`` where nothing fits."""
        k, n = self._tables.n_territories, self._tables.n_units
        found = self._diver(np.arange(k), np.full(n, -1, dtype=np.int64), np.inf, beam, self._rng, run)
        return self._best(found, 4 * _POLISHED, 5 * n, np.inf, np.zeros(n, dtype=np.int64), run)

    def again(self, cost: float, assignment: IntArray, run: Run) -> tuple[float, IntArray]:
        """Open some territories of ``assignment``; return the same or something not worse."""
        width, rounds, more = _KINDS[int(self._rng.integers(len(_KINDS)))]
        shake, pace = _SHAKE * self._rng.random() ** 2, 0.01 * 2.0 ** self._rng.random()
        beam = Beam(width, width, shake, pace, rounds)
        slack = 1e-6 * max(1.0, abs(cost)) * 1e-3
        found = self._diver(self._territories(assignment, more), assignment, cost + slack, beam, self._rng, run)
        return self._best(found, _POLISHED, 1_000, cost, assignment, run)

    def _best(
        self, found: list[IntArray], most: int, tries: int, cost: float, assignment: IntArray, run: Run
    ) -> tuple[float, IntArray]:
        for candidate in found[:most]:
            if np.array_equal(candidate, assignment):
                continue
            value, polished = polish(self._walker, candidate, tries, run)
            if value <= cost:
                cost, assignment = value, polished
        return cost, assignment

    def _territories(self, assignment: IntArray, more: int) -> IntArray:
        """Return territories that would exchange units: one that loses much, then ones near those taken before."""
        t, rng = self._tables, self._rng
        n, k = t.n_units, t.n_territories
        most = int(np.clip(more * _OPEN_UNITS * k / n, _FEWEST, more * _MOST))
        count = int(rng.integers(min(_FEWEST, k), min(most, k) + 1))
        paid = np.bincount(assignment, weights=t.reduced[assignment, np.arange(n)], minlength=k)
        lost: FloatArray = paid + t.under * np.maximum(t.rooms(assignment), 0.0)
        weight = lost + 0.5 * lost.mean() + 1e-9
        out = [int(rng.choice(k, p=weight / weight.sum()))]
        near: FloatArray = np.zeros(k)
        scale = 2.0 * self._diver.spread
        while len(out) < count:
            here = assignment == out[-1]
            near = near + np.exp(-t.reduced[:, here] / scale).sum(axis=1)
            near = near + np.bincount(assignment, weights=np.exp(-t.reduced[out[-1]] / scale), minlength=k)
            draw = near**2 * rng.random(k)
            draw[out] = -1.0
            out.append(int(draw.argmax()))
        return np.sort(np.array(out, dtype=np.int64))


def side_by_side(
    openers: list[Reopener], threads: ThreadPoolExecutor, cost: float, assignment: IntArray, run: Run
) -> tuple[float, IntArray]:
    """Let every opener try one neighborhood of the same assignment; return the best, the first of equals."""
    tasks = [threads.submit(opener.again, cost, assignment, run) for opener in openers]
    found = [task.result() for task in tasks]
    return min(found, key=lambda pair: pair[0])
