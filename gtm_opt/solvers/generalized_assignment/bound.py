"""A bound from knapsacks: the assignment rows relaxed, capacities kept exactly."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.instance import FloatArray
    from gtm_opt.solvers.generalized_assignment.tables import Tables
    from gtm_opt.solvers.protocol import Run

__all__ = ["Fillings", "KnapsackBound", "knapsack_bound"]

_CHUNKS = 4
_MOST_CAPACITY = 100_000
_MOST_CELLS = 200_000_000


@dataclass(frozen=True, slots=True, eq=False)
class KnapsackBound:
    """What the ascent found.

    Attributes
    ----------
    value : float
        Lower bound on the cost; ``-inf`` where the method does not apply.
    prices : ndarray of shape (n_units,)
        What a territory is paid for taking the unit.
    gain : ndarray of shape (n_territories,)
        Best filling of each territory at these prices.
    """

    value: float
    prices: FloatArray
    gain: FloatArray


def knapsack_bound(tables: Tables, prices: FloatArray, target: float, run: Run, rounds: int = 100) -> KnapsackBound:
    """Raise the Lagrangian bound by subgradient steps on the units' prices.

    Parameters
    ----------
    tables : Tables
    prices : ndarray of shape (n_units,)
        Where to begin; the multipliers of the linear relaxation are best.
    target : float
        The cost of a known assignment, or an estimate, that steps aim below.
    run : Run
    rounds : int
        Rounds of one knapsack per territory.

    Notes
    -----
    Valid for whatever the prices are: sum of prices minus the best filling of each territory. A round takes
    O(territories x units) and, per territory, a table of the few units in doubt by its capacity. Territories
    are dealt to a fixed number of chunks, so the answer does not depend on the number of cores.
    """
    n = tables.n_units
    if tables.size is None or tables.room is None or tables.room.max(initial=0) > _MOST_CAPACITY:
        return KnapsackBound(-np.inf, prices, np.zeros(tables.n_territories))
    if n * int(tables.room.max(initial=0) + 1) > _MOST_CELLS:
        return KnapsackBound(-np.inf, prices, np.zeros(tables.n_territories))
    work = Fillings(tables)
    best, at = -np.inf, prices.copy()
    best_gain = np.zeros(tables.n_territories)
    center, step, stalled = at.copy(), 1.0, 0
    direction = np.zeros(n)
    with ThreadPoolExecutor(2) as pool:
        for _ in range(rounds):
            if run.stop():
                break
            gain, chosen = work(at, pool)
            value = float(at.sum() - gain.sum())
            if value > best:
                best, center, best_gain, stalled = value, at.copy(), gain.copy(), 0
            else:
                stalled += 1
            slope = 1.0 - chosen.sum(axis=0)
            direction = 0.5 * direction + slope
            size = float((slope * slope).sum())
            if size == 0.0:
                break
            if stalled >= 5:
                step, stalled = 0.5 * step, 0
                at, direction = center.copy(), np.zeros(n)
                continue
            distance = max(target - value, 1e-4 * max(1.0, abs(target)))
            at = at + step * 0.5 * distance / size * direction
    return KnapsackBound(best, center, best_gain)


class Fillings:
    """The knapsacks of all territories at given prices, with their work space."""

    def __init__(self, tables: Tables) -> None:
        from gtm_opt.solvers.generalized_assignment._kernels_knapsack import fill_territories

        if tables.size is None or tables.room is None:
            raise ValueError("knapsacks need whole sizes")
        k, n = tables.n_territories, tables.n_units
        self._kernel = fill_territories
        self._tables, self._size, self._room = tables, tables.size, tables.room
        self._gain = np.zeros(k)
        self._chosen = np.zeros((k, n), dtype=np.uint8)
        edges = np.linspace(0, k, min(_CHUNKS, k) + 1).astype(np.int64)
        self._parts = list(pairwise(edges))
        most = int(self._room.max(initial=0)) + 1
        self._space = [(np.zeros((2, most)), np.zeros((n, most), dtype=np.uint8)) for _ in self._parts]

    def __call__(self, prices: FloatArray, pool: ThreadPoolExecutor) -> tuple[FloatArray, NDArray[np.uint8]]:
        """Return the gain and the chosen units of each territory."""
        tasks = [
            pool.submit(
                self._kernel,
                int(first),
                int(last),
                prices,
                self._tables.cost,
                self._size,
                self._room,
                space,
                taken,
                self._chosen,
                self._gain,
            )
            for (first, last), (space, taken) in zip(self._parts, self._space, strict=True)
        ]
        for task in tasks:
            task.result()
        return self._gain, self._chosen
