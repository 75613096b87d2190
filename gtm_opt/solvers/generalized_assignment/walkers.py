"""Walkers: annealing over long ejection chains, a fixed number of them, on as many cores."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.solvers.generalized_assignment.tables import Tables
    from gtm_opt.solvers.protocol import Run

__all__ = ["ChainParams", "Walker", "anneal_all", "best_of", "first_assignment"]

_SLICES = 40
_DEPTH = 12
_PROBES = 200
_APPLIED = 0.4


@dataclass(frozen=True, slots=True)
class ChainParams:
    """How a walker searches.

    Attributes
    ----------
    hot : float
        Highest temperature that is tried, as a multiple of what a unit of capacity costs.
    cold : float
        Last temperature, as a fraction of the first.
    width : int
        Units kept per layer of a chain.
    noise : float
        Of the choice among them, as a multiple of the temperature.
    over_rate : float
        What a unit of overload costs while hot, in multiples of its price; rises to ten times that.
    """

    hot: float = 8.0
    cold: float = 0.15
    width: int = 600
    noise: float = 1.0
    over_rate: float = 1.5


class Walker:
    """One walk with its own generator: assignment, remaining capacities, members and the best without overload."""

    def __init__(self, tables: Tables, assignment: IntArray, seed: int, params: ChainParams) -> None:
        self.tables, self.params = tables, params
        self.state = np.random.SeedSequence(seed).generate_state(1, np.uint64) | np.uint64(1)
        whole = tables.size is not None
        usual = float(np.median(tables.use))
        self.scale = float(tables.base.mean()) * max(0.02 * usual, 1.0 if whole else 0.0)
        n, w = tables.n_units, params.width
        self._space = (
            np.zeros((_DEPTH, w), dtype=np.int64),
            np.zeros((_DEPTH, w), dtype=np.int64),
            np.zeros((_DEPTH, w)),
            np.zeros((_DEPTH, w)),
            np.zeros(n, dtype=np.int64),
        )
        self.level = np.array([0.0, 1.0, params.over_rate, 0.0, np.inf])
        self.best = assignment.copy()
        self.restart(assignment)

    def restart(self, assignment: IntArray) -> None:
        """Go on from ``assignment``; the best so far is kept."""
        k, n = self.tables.n_territories, self.tables.n_units
        self.assignment = assignment.astype(np.int64).copy()
        self.room = self.tables.rooms(self.assignment)
        self.size = np.bincount(self.assignment, minlength=k).astype(np.int64)
        self.members = np.zeros((k, n), dtype=np.int64)
        self.place = np.zeros(n, dtype=np.int64)
        order = np.argsort(self.assignment, kind="stable")
        first = np.concatenate([[0], np.cumsum(self.size)])
        for t in range(k):
            here = order[first[t] : first[t + 1]]
            self.members[t, : len(here)] = here
            self.place[here] = np.arange(len(here))

    @property
    def best_value(self) -> float:
        """Penalised value of the best assignment without overload, ``inf`` while there is none."""
        return float(self.level[4])

    def mend(self, steps: int, rate: float) -> None:
        """Drive out overload by shifts, swaps and short cycles."""
        from gtm_opt.solvers.generalized_assignment._kernels_walk import walk

        self.level[0], self.level[2] = 4.0 * self.scale, rate
        self.level[1] = float(0.02 ** (256.0 / max(steps, 256)))
        t = self.tables
        walk(
            self.state, self.level, steps, t.reduced, t.use, self.room, t.under, t.base, t.near, t.n_near,
            self.members, self.size, self.place, self.assignment, self.best,
        )  # fmt: skip

    def cool(self, tries: int, hot: float, cold: float, rate: float) -> float:
        """Try ``tries`` chains while the temperature falls from ``hot`` to ``cold``, in units of `scale`.

        Returns the share that was applied.
        """
        from gtm_opt.solvers.generalized_assignment._kernels_chains import chains

        self.level[0], self.level[2] = hot * self.scale, rate
        self.level[1] = float((cold / hot) ** (1.0 / max(tries, 1)))
        t = self.tables
        applied = chains(
            self.state, self.level, tries, self.params.noise * hot * self.scale, self.params.width, t.reduced, t.use,
            self.room, t.under, t.base, t.near, t.n_near, self.members, self.size, self.place, self.assignment,
            self.best, *self._space,
        )  # fmt: skip
        return float(applied) / max(tries, 1)

    def warm(self, run: Run) -> float:
        """Return the temperature, in units of `scale`, at which two fifths of the chains are applied."""
        hot = self.params.hot
        while hot > 0.05 and not run.stop():
            if self.cool(_PROBES, hot, hot, self.params.over_rate) < _APPLIED:
                break
            hot *= 0.8
        return hot


def anneal_all(walkers: list[Walker], tries: int, hot: float, run: Run) -> bool:
    """Cool all walkers once over ``tries`` chains each; return whether it went to the end.

    Notes
    -----
    Each walker has its own state, so the answer does not depend on how many run at once.
    """
    params = walkers[0].params
    slices = max(_SLICES, int(np.ceil(tries / 1_000)))
    each = max(1, tries // slices)
    ratio = params.cold ** (1.0 / slices)
    with ThreadPoolExecutor(len(walkers)) as pool:
        for s in range(slices):
            if run.stop():
                return False
            late = max(0.0, (s / slices - 0.6) / 0.4)
            rate = params.over_rate * 10.0**late
            temperature = hot * ratio**s
            tasks = [pool.submit(w.cool, each, temperature, temperature * ratio, rate) for w in walkers]
            for task in tasks:
                task.result()
    return True


def best_of(walkers: list[Walker]) -> tuple[float, IntArray]:
    """Return the best value and assignment of all walkers."""
    at = min(range(len(walkers)), key=lambda w: walkers[w].best_value)
    return walkers[at].best_value, walkers[at].best.copy()


def first_assignment(tables: Tables) -> IntArray:
    """Return a first assignment: units of largest regret first, each where it is nearest and fits.

    Notes
    -----
    After Martello and Toth's regret rule, on reduced costs. Units that fit nowhere go where they overload least.
    """
    reduced, use = tables.reduced, tables.use
    two = np.sort(reduced, axis=0)[:2]
    room: FloatArray = tables.upper.copy()
    out = np.zeros(tables.n_units, dtype=np.int64)
    mean = use.mean(axis=0)
    for i in np.lexsort((-mean, -(two[1] - two[0]))):
        fits = use[:, i] <= room
        if fits.any():
            k = int(np.argmin(np.where(fits, reduced[:, i], np.inf)))
        else:
            k = int(np.argmax(np.where(reduced[:, i] < 1e8, room - use[:, i], -np.inf)))
        out[i] = k
        room[k] -= use[k, i]
    return out
