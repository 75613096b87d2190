"""Exact re-splits: two territories exchange units by a two-list search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.solvers.balancing.problem import PEAK, SPREAD

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.solvers.balancing.problem import BalancingProblem

__all__ = ["Resplitter"]

_FULL = 16
"""Units per list up to which all subsets are listed."""
_SAMPLE = 100
"""Units per territory and list from which elementary exchanges are formed."""
_ROWS = 4096
"""Rows of one list that are matched with the other between two looks at the clock."""
_CHOICE = 16
"""Sums of two exchanges looked at for each one listed."""
_CHOICE_OF_THREE = 32
"""Sums of three, too."""


@dataclass(slots=True, eq=False)
class _Side:
    """One of the two lists: vectors and how to read a position as units to flip."""

    sums: FloatArray
    units: IntArray
    picks: IntArray | None = None
    pairs: IntArray | None = None

    def flips(self, position: int) -> IntArray:
        """Return the units that change sides."""
        if self.pairs is None or self.picks is None:
            flipped: IntArray = self.units[((position >> np.arange(len(self.units))) & 1).astype(bool)]
            return flipped
        chosen = self.picks[position]
        members: IntArray = self.pairs[chosen[chosen >= 0]].ravel()
        return np.asarray(members[members >= 0], dtype=np.int64)


class Resplitter:
    """Re-splits pairs of territories of one problem, in place on an assignment.

    Parameters
    ----------
    problem : BalancingProblem
    free : ndarray of int
        Units that may move.
    rng : Generator
    length : int
        Length of the lists.
    stop : callable
        Whether to give up, asked between slices of work.
    """

    def __init__(
        self,
        problem: BalancingProblem,
        free: IntArray,
        rng: np.random.Generator,
        length: int = 1 << 15,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.problem, self.free, self.rng, self.length, self.stop = problem, free, rng, length, stop

    def centers(self, x: FloatArray) -> FloatArray:
        """Return what deviations are measured from: mid-ranges for a spread, else 0."""
        if self.problem.kind == SPREAD:
            mid: FloatArray = (x.max(axis=0) + x.min(axis=0)) / 2.0
            return mid
        return np.zeros(x.shape[1])

    def improve(self, assign: IntArray, x: FloatArray, a: int, b: int, limit: float | None = None) -> bool:
        """Re-split territories a and b; return whether a better split was found and applied.

        Better: the larger of the two territories' worst deviations falls (below ``limit`` if given).
        """
        problem = self.problem
        sided = problem.kind == PEAK
        center = self.centers(x)
        rho = problem.scale[b] / problem.scale[a]
        x_a, x_b = x[a] - center, x[b] - center
        partner = x_b + rho * x_a
        if limit is None:
            both = np.concatenate([x_a, x_b])
            limit = float(both.max() if sided else np.abs(both).max())
        lists = self._lists(assign, a, b)
        if lists is None:
            return False
        p, q, extra = lists
        if len(extra):
            x_a = (
                x_a
                + np.where((assign[extra] == a)[:, None], -problem.weights[extra], problem.weights[extra]).sum(axis=0)
                * (problem.scale[a])
            )
        spread = np.ptp(q.sums, axis=0)
        order = np.argsort(-spread, kind="stable")
        at_p, at_q = self._match(p.sums[:, order], q.sums[:, order], x_a[order], partner[order], rho[order], limit)
        if at_p < 0:
            return False
        units = np.concatenate([p.flips(at_p), q.flips(at_q), extra])
        if len(units) == 0:
            return False
        assign[units] = a + b - assign[units]
        moved = np.where((assign[units] == a)[:, None], problem.weights[units], -problem.weights[units]).sum(axis=0)
        x[a] += moved * problem.scale[a]
        x[b] -= moved * problem.scale[b]
        return True

    def _match(
        self, p: FloatArray, q: FloatArray, x_a: FloatArray, partner: FloatArray, rho: FloatArray, limit: float
    ) -> tuple[int, int]:
        """Return the positions of the best two sums below ``limit``, (-1, -1) if none; looks up when to stop."""
        from gtm_opt.solvers.balancing._kernels_split import grid, match

        sided = self.problem.kind == PEAK
        depth = min(p.shape[1], 4 if p.shape[1] > 3 else 3)
        cells = max(2, int((2.0 * len(q)) ** (1.0 / depth)))
        p = np.ascontiguousarray(p)
        q, order, start, low, high, inverse = grid(np.ascontiguousarray(q), depth, cells)
        limit = limit * (1.0 - 1e-12) if limit > 0 else limit
        found = (-1, -1)
        for begin in range(0, len(p), _ROWS):
            if begin and self.stop():
                break
            end = min(begin + _ROWS, len(p))
            at_p, at_q, limit = match(
                p, begin, end, q, order, start, low, high, inverse, cells, x_a, partner, rho, sided, limit
            )
            if at_p >= 0:
                found = (int(at_p), int(at_q))
        return found

    def _movable(self, assign: IntArray, here: int, there: int) -> IntArray:
        problem = self.problem
        units = self.free[assign[self.free] == here]
        if problem.has_bars:
            units = units[problem.allowed[units, there] == 1]
        if problem.has_rivals:
            start = problem.rival_start
            clear = [not (assign[problem.rivals[start[i] : start[i + 1]]] == there).any() for i in units]
            units = units[np.array(clear, dtype=bool)] if len(units) else units
        return np.asarray(units, dtype=np.int64)

    def _lists(self, assign: IntArray, a: int, b: int) -> tuple[_Side, _Side, IntArray] | None:
        in_a, in_b = self._movable(assign, a, b), self._movable(assign, b, a)
        rng = self.rng
        rng.shuffle(in_a)
        rng.shuffle(in_b)
        if len(in_a) + len(in_b) == 0:
            return None
        scale = self.problem.scale[a]
        full = min(_FULL, max(2, int(np.log2(self.length))))
        if len(in_a) + len(in_b) <= 2 * full:
            units = np.concatenate([in_a, in_b])
            rng.shuffle(units)
            half = len(units) // 2
            none = np.zeros(0, dtype=np.int64)
            return self._full(units[:half], assign, a, scale), self._full(units[half:], assign, a, scale), none
        extra = self._two_for_one(in_a, in_b, scale) if rng.random() < 0.5 else np.zeros(0, dtype=np.int64)
        if len(extra):
            in_a, in_b = in_a[~np.isin(in_a, extra)], in_b[~np.isin(in_b, extra)]
        half_a, half_b = len(in_a) // 2, len(in_b) // 2
        return (
            self._pairs(in_a[:half_a][:_SAMPLE], in_b[:half_b][:_SAMPLE], scale),
            self._pairs(in_a[half_a:][:_SAMPLE], in_b[half_b:][:_SAMPLE], scale),
            extra,
        )

    def _two_for_one(self, in_a: IntArray, in_b: IntArray, scale: FloatArray) -> IntArray:
        """Return one unit of a territory and two of the other that weigh about the same.

        Exchanges of equal numbers alone would never change how many units a territory has.
        """
        one, two = (in_a, in_b) if self.rng.random() < 0.5 else (in_b, in_a)
        one, two = one[:12], two[:24]
        if len(one) == 0 or len(two) < 2:
            return np.zeros(0, dtype=np.int64)
        w = self.problem.weights
        first, second = np.triu_indices(len(two), 1)
        change = (w[two[first]] + w[two[second]])[None, :, :] - w[one][:, None, :]
        size = np.abs(change * scale).max(axis=2).ravel()
        order = np.argsort(size, kind="stable")[:12]
        pick = int(order[self.rng.integers(len(order))])
        i, j = divmod(pick, len(first))
        return np.array([one[i], two[first[j]], two[second[j]]], dtype=np.int64)

    def _full(self, units: IntArray, assign: IntArray, a: int, scale: FloatArray) -> _Side:
        from gtm_opt.solvers.balancing._kernels_split import subset_sums

        vectors = self.problem.weights[units] * scale
        vectors[assign[units] == a] *= -1.0
        sums = np.empty((1 << len(units), len(scale)))
        subset_sums(vectors, sums)
        return _Side(sums, units)

    def _pairs(self, in_a: IntArray, in_b: IntArray, scale: FloatArray) -> _Side:
        from gtm_opt.solvers.balancing._kernels_split import short_sums

        w = self.problem.weights
        v_a, v_b = w[in_a] * scale, w[in_b] * scale
        swaps = (v_b[None, :, :] - v_a[:, None, :]).reshape(-1, len(scale))
        vectors = np.concatenate([swaps, -v_a, v_b])
        first = np.concatenate([np.repeat(in_a, len(in_b)), in_a, np.full(len(in_b), -1)])
        second = np.concatenate([np.tile(in_b, len(in_a)), np.full(len(in_a), -1), in_b])
        mean = np.abs(vectors).mean(axis=0)
        mean[mean == 0.0] = 1.0
        vectors /= mean
        size = np.abs(vectors).max(axis=1)
        keep = min(len(vectors), int((2.0 * _CHOICE * self.length) ** 0.5))
        few = min(keep, int((6.0 * _CHOICE_OF_THREE * self.length) ** (1.0 / 3.0)))
        chosen = np.argsort(size, kind="stable")[:keep]
        vectors, first, second = np.ascontiguousarray(vectors[chosen]), first[chosen], second[chosen]
        out = np.empty((self.length, len(scale)))
        picks = np.empty((len(out), 3), dtype=np.int64)
        count = short_sums(vectors, first, second, self._cut(vectors, few), few, out, picks)
        return _Side(out[:count] * mean, in_a, picks, np.stack([first, second], axis=1))

    def _cut(self, vectors: FloatArray, few: int) -> float:
        """Return the size below which about ``length`` sums of two and three of the vectors lie."""
        keep = len(vectors)
        pairs, triples = keep * (keep - 1) / 2.0, few * (few - 1) * (few - 2) / 6.0
        if 1.1 * self.length >= pairs + triples:
            return float("inf")
        e, f = self.rng.integers(keep, size=(2, 2048))
        sizes = np.abs(vectors[e] + vectors[f]).max(axis=1)
        chance = np.full(len(e), pairs / len(e))
        if triples > 0:
            e, f, g = self.rng.integers(few, size=(3, 8192))
            sizes = np.concatenate([sizes, np.abs(vectors[e] + vectors[f] + vectors[g]).max(axis=1)])
            chance = np.concatenate([chance, np.full(len(e), triples / len(e))])
        order = np.argsort(sizes, kind="stable")
        at = int(np.searchsorted(np.cumsum(chance[order]), 1.1 * self.length))
        return float(sizes[order[min(at, len(order) - 1)]])
