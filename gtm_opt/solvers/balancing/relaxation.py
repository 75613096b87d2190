"""The linear relaxation of packing by patterns: simplex steps, columns generated on the way."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from gtm_opt.instance import dot

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gtm_opt.instance import FloatArray, IntArray

Scalar = TypeVar("Scalar", bound=np.generic)

__all__ = ["Pool", "Relaxation"]

_TINY = 1e-9
_SLICE = 100
"""Steps between two looks at the clock."""
_ROUNDS = 500
"""So many times; a walk that is longer goes in circles."""
_REFRESH = 500
"""Steps after which the inverse is computed anew."""
_SHIFT = 1e-6
"""Random addition to the demand, against ties in the ratio test."""
_LEAST = 1.0 + 1e-8
"""A pattern whose prices sum up to more is worth adding."""
_VISITS, _MOST_VISITS = 5_000, 1_000_000
"""Of a search for the best pattern before the table is used; more for larger tables."""
_TABLE = 60_000_000
"""Cells of the largest table."""
_ROUND = 9
"""Patterns generated from one set of prices; they share no unit."""


class Pool:
    """Patterns for one list of sizes and one capacity; grows.

    Parameters
    ----------
    value, count : ndarray of int, shape (n_sizes,)
        Sizes in decreasing order and how often each occurs.
    capacity : int

    Attributes
    ----------
    work : float
        Estimated seconds spent, counted from operations, so that it is the same in every run.
    """

    def __init__(self, value: IntArray, count: IntArray, capacity: int) -> None:
        self.value, self.count, self.capacity = value, count, capacity
        self._store = np.zeros((64, len(value)), dtype=np.uint8)
        self.start = np.zeros(65, dtype=np.int64)
        self.index = np.zeros(256, dtype=np.int64)
        self.amount = np.zeros(256)
        self.size = 0
        self.work = 0.0
        self.add(np.diag(np.minimum(count, capacity // value)))

    @property
    def patterns(self) -> NDArray[np.uint8]:
        """Patterns as rows."""
        return self._store[: self.size]

    def add(self, rows: IntArray | NDArray[np.uint8]) -> None:
        """Append patterns that fit the capacity."""
        place, index = np.nonzero(rows)
        size, used = self.size + len(rows), int(self.start[self.size])
        self._store = _longer(self._store, size)
        self.start = _longer(self.start, size + 1)
        self.index = _longer(self.index, used + len(index))
        self.amount = _longer(self.amount, used + len(index))
        self._store[self.size : size] = rows
        self.index[used : used + len(index)] = index
        self.amount[used : used + len(index)] = rows[place, index]
        self.start[self.size + 1 : size + 1] = used + np.cumsum(np.bincount(place, minlength=len(rows)))
        self.size = size

    def generate(self, price: FloatArray, count: IntArray) -> float:
        """Add patterns of at most ``count`` of each size with a price sum above 1.

        Returns the largest sum, or an upper bound on it (``inf`` where it is not known).
        """
        here = np.flatnonzero((count > 0) & (price > 1e-12))
        value, left = self.value[here], count[here]
        largest, new = 1.0, []
        for turn in range(_ROUND):
            left = np.minimum(left, self.capacity // value)
            best, take, sure = self._fill(value, left, price[here], prove=turn == 0)
            if turn == 0:
                largest = best if sure else np.inf
            if best <= _LEAST:
                break
            row = np.zeros(len(self.value), dtype=np.uint8)
            row[here] = take
            new.append(row)
            left = left - take
        if new:
            self.add(np.array(new))
        return largest

    def _fill(self, value: IntArray, left: IntArray, price: FloatArray, prove: bool) -> tuple[float, IntArray, bool]:
        """Return a pattern of large price sum, the sum, and whether none is larger."""
        from gtm_opt.solvers.balancing._kernels_patterns import best_few, best_fill

        take = np.zeros(len(value), dtype=np.int64)
        cells = float(self.capacity) * float(left.sum())
        visits = int(np.clip(cells / 200.0, _VISITS, _MOST_VISITS)) if prove else _VISITS
        order = np.argsort(-price / value, kind="stable")
        sorted_take = np.zeros(len(value), dtype=np.int64)
        best, sure = best_few(value[order], left[order], price[order], self.capacity, _LEAST, visits, sorted_take)
        take[order] = sorted_take
        self.work += 3e-5 + 1e-8 * min(visits, 20 * len(value))
        if sure or not prove or best > _LEAST:
            return float(best), take, bool(sure)
        self.work += 5e-8 * visits
        if len(value) * (self.capacity + 1) > _TABLE:
            return float(best), take, False
        best = best_fill(value, left, price, self.capacity, self.capacity + 1, take)
        self.work += 1.5e-9 * cells
        return float(best), take, True


def _longer(array: NDArray[Scalar], length: int) -> NDArray[Scalar]:
    """Return ``array``, or a copy with room for ``length`` and more."""
    if length <= len(array):
        return array
    out = np.zeros((2 * length, *array.shape[1:]), dtype=array.dtype)
    out[: len(array)] = array
    return out


class Relaxation:
    """Fewest patterns that cover a demand, fractions allowed.

    Parameters
    ----------
    pool : Pool
    rng : Generator

    Attributes
    ----------
    count : ndarray of int
        The demand.
    bound : float
        Proven lower bound on the number of patterns (Farley's).

    Notes
    -----
    Compiled steps of a revised simplex method with a dense inverse of the basis. When the demand falls, dual
    steps over the patterns known restore feasibility; then primal steps go on generating. O(n_sizes^2) per step.
    """

    def __init__(self, pool: Pool, rng: np.random.Generator) -> None:
        t = len(pool.value)
        self.pool = pool
        self.count = pool.count.copy()
        self.shift = rng.uniform(0.0, _SHIFT, size=t)
        self.basis = np.arange(t, dtype=np.int64)
        self.bound = 0.0
        self._steps = 0
        self._refresh()

    def branch(self) -> Relaxation:
        """Return a copy that goes on by itself; the pool is shared."""
        other = copy(self)
        other.basis, other.inverse = self.basis.copy(), self.inverse.copy()
        other.x, other.price = self.x.copy(), self.price.copy()
        return other

    @property
    def value(self) -> float:
        """Patterns used, for the true demand."""
        return dot(self.price, self.count)

    def _refresh(self) -> None:
        """Compute the inverse of the basis anew."""
        from gtm_opt.solvers.balancing._kernels_simplex import invert

        t = len(self.basis)
        matrix = np.zeros((t, t))
        real = self.basis >= 0
        matrix[real] = self.pool.patterns[self.basis[real]]
        other = np.flatnonzero(~real)
        matrix[other, -1 - self.basis[other]] = -1.0
        self.pool.work += 1e-4 + 1e-9 * t**3
        self._steps = 0
        # of the transposed basis: row i says what one unit of size i is in terms of the basis
        self.inverse: FloatArray = np.empty((t, t))
        if not invert(matrix, self.inverse):  # after steps along nearly parallel columns: begin again
            self.basis = np.arange(t, dtype=np.int64)
            self._refresh()
            return
        self.price: FloatArray = (self.inverse * real).sum(axis=1)
        self.demand(self.count)

    def demand(self, count: IntArray) -> None:
        """Set the demand; feasibility is restored by `solve`."""
        self.count = count.copy()
        self.x: FloatArray = ((count + self.shift)[:, None] * self.inverse).sum(axis=0)

    def solve(self, enough: float, until: float, stop: Callable[[], bool], optimal: bool = False) -> float:
        """Go on until the value is at most ``enough`` or the bound above it; return the value.

        ``until`` is the `Pool.work` at which to give up. With ``optimal`` a value of at most ``enough`` is not
        enough.
        """
        self.bound = 0.0
        self._walk(True, until, stop)
        while self._walk(False, until, stop):
            if not optimal and self.value <= enough + 1e-7:
                break
            price, before = np.maximum(self.price, 0.0), self.pool.size
            largest = self.pool.generate(price, self.count)
            self.bound = max(self.bound, dot(price, self.count) / max(largest, 1.0))
            if self.bound > enough + 1e-6 or largest <= _LEAST or self.pool.size == before:
                break
        return self.value

    def _walk(self, dual: bool, until: float, stop: Callable[[], bool]) -> bool:
        """Make steps until there is none left; return whether there was time for it."""
        from gtm_opt.solvers.balancing._kernels_simplex import steps

        pool, t = self.pool, len(self.x)
        for _ in range(_ROUNDS):
            if pool.work > until or stop():
                return False
            made = int(
                steps(
                    dual,
                    pool.size,
                    pool.start,
                    pool.index,
                    pool.amount,
                    self.inverse,
                    self.x,
                    self.price,
                    self.basis,
                    _TINY,
                    _SLICE,
                )
            )
            pool.work += 1e-5 + (made + 1) * (1e-9 * t * t + 2e-9 * float(pool.start[pool.size]))
            self._steps += made
            if self._steps >= _REFRESH:
                self._refresh()
            if made < _SLICE:
                return True
        return False
