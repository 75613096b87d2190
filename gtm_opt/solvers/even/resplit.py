"""Exact re-splits: two territories exchange units by a two-list search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.solvers.even.problem import PEAK, SPREAD

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.solvers.even.problem import EvenProblem

__all__ = ["Resplitter"]

_FULL = 16
"""Units per list up to which all subsets are listed."""
_SAMPLE = 48
"""Units per territory and list from which elementary exchanges are formed."""


@dataclass(slots=True, eq=False)
class _Side:
    """One of the two lists: vectors and how to read a position as units to flip."""

    sums: FloatArray
    units: IntArray
    left: IntArray | None = None
    right: IntArray | None = None
    pairs: IntArray | None = None

    def flips(self, position: int) -> IntArray:
        """Return the units that change sides."""
        if self.pairs is None:
            return self.units[((position >> np.arange(len(self.units))) & 1).astype(bool)]
        assert self.left is not None and self.right is not None
        chosen = [e for e in (self.left[position], self.right[position]) if e >= 0]
        units = self.pairs[chosen].ravel()
        return units[units >= 0]


class Resplitter:
    """Re-splits pairs of territories of one problem, in place on an assignment.

    Parameters
    ----------
    problem : EvenProblem
    free : ndarray of int
        Units that may move.
    rng : Generator
    length : int
        Length of the lists.
    """

    def __init__(self, problem: EvenProblem, free: IntArray, rng: np.random.Generator, length: int = 1 << 15) -> None:
        self.problem, self.free, self.rng, self.length = problem, free, rng, length

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
        from gtm_opt.solvers.even._kernels_split import match

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
        p, q = lists
        spread = np.ptp(q.sums, axis=0)
        order = np.argsort(-spread, kind="stable")
        depth = min(len(order), 4 if len(order) > 3 else 3)
        cells = max(2, int((2.0 * len(q.sums)) ** (1.0 / depth)))
        at_p, at_q, _ = match(
            np.ascontiguousarray(p.sums[:, order]),
            np.ascontiguousarray(q.sums[:, order]),
            x_a[order],
            partner[order],
            rho[order],
            sided,
            limit * (1.0 - 1e-12) if limit > 0 else limit,
            depth,
            cells,
        )
        if at_p < 0:
            return False
        units = np.concatenate([p.flips(at_p), q.flips(at_q)])
        if len(units) == 0:
            return False
        assign[units] = a + b - assign[units]
        moved = np.where((assign[units] == a)[:, None], problem.weights[units], -problem.weights[units]).sum(axis=0)
        x[a] += moved * problem.scale[a]
        x[b] -= moved * problem.scale[b]
        return True

    def _movable(self, assign: IntArray, here: int, there: int) -> IntArray:
        problem = self.problem
        units = self.free[assign[self.free] == here]
        if problem.has_bars:
            units = units[problem.allowed[units, there] == 1]
        if problem.has_rivals:
            start = problem.rival_start
            clear = [not (assign[problem.rivals[start[i] : start[i + 1]]] == there).any() for i in units]
            units = units[np.array(clear, dtype=bool)] if len(units) else units
        return units

    def _lists(self, assign: IntArray, a: int, b: int) -> tuple[_Side, _Side] | None:
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
            return self._full(units[:half], assign, a, scale), self._full(units[half:], assign, a, scale)
        half_a, half_b = len(in_a) // 2, len(in_b) // 2
        return (
            self._pairs(in_a[:half_a][:_SAMPLE], in_b[:half_b][:_SAMPLE], scale),
            self._pairs(in_a[half_a:][:_SAMPLE], in_b[half_b:][:_SAMPLE], scale),
        )

    def _full(self, units: IntArray, assign: IntArray, a: int, scale: FloatArray) -> _Side:
        from gtm_opt.solvers.even._kernels_split import subset_sums

        vectors = self.problem.weights[units] * scale
        vectors[assign[units] == a] *= -1.0
        sums = np.empty((1 << len(units), len(scale)))
        subset_sums(vectors, sums)
        return _Side(sums, units)

    def _pairs(self, in_a: IntArray, in_b: IntArray, scale: FloatArray) -> _Side:
        from gtm_opt.solvers.even._kernels_split import pair_sums

        w = self.problem.weights
        v_a, v_b = w[in_a] * scale, w[in_b] * scale
        swaps = (v_b[None, :, :] - v_a[:, None, :]).reshape(-1, len(scale))
        vectors = np.concatenate([swaps, -v_a, v_b])
        first = np.concatenate([np.repeat(in_a, len(in_b)), in_a, np.full(len(in_b), -1)])
        second = np.concatenate([np.tile(in_b, len(in_a)), np.full(len(in_a), -1), in_b])
        size = np.abs(vectors / (np.abs(vectors).mean(axis=0) + 1e-300)).max(axis=1)
        keep = min(len(vectors), int((2.0 * self.length) ** 0.5))
        chosen = np.argsort(size, kind="stable")[:keep]
        vectors, first, second = np.ascontiguousarray(vectors[chosen]), first[chosen], second[chosen]
        out = np.empty((1 + keep + keep * (keep - 1) // 2, len(scale)))
        left, right = np.empty(len(out), dtype=np.int64), np.empty(len(out), dtype=np.int64)
        count = pair_sums(vectors, first, second, out, left, right)
        return _Side(out[:count], in_a, left[:count], right[:count], np.stack([first, second], axis=1))
