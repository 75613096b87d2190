"""Dives through the relaxation of a packing: patterns are fixed one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.instance import dot
from gtm_opt.solvers.balancing.relaxation import Relaxation

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.solvers.balancing.relaxation import Pool

__all__ = ["Diver"]

_NOISE = 0.3
"""Of the choice of patterns, in all dives but the first."""
_WHOLE = 1e-4
_SURE = 1e-6
"""How far a relaxation may be above the territories there are without being refuted."""


class Diver:
    """Looks for at most ``n_territories`` patterns that cover every size as often as it occurs.

    Parameters
    ----------
    pool : Pool
        Grows; patterns found in one dive serve the next.
    n_territories : int
    rng : Generator

    Notes
    -----
    A diving heuristic of branch and price [1]_: solve the relaxation of what is left, fix patterns that it uses
    as a whole, or the one it uses most, and go on generating. A dive ends when the relaxation needs more
    territories than there are; patterns that waste more than all territories together may are never fixed.

    References
    ----------
    .. [1] R. Sadykov, F. Vanderbeck, A. Pessoa, I. Tahiri, E. Uchoa, "Primal heuristics for branch and price: the
       assets of diving methods", INFORMS J. Comput. 31 (2019), https://doi.org/10.1287/ijoc.2018.0822
    """

    def __init__(self, pool: Pool, n_territories: int, rng: np.random.Generator) -> None:
        self.pool, self.k, self.rng = pool, n_territories, rng
        self.root = Relaxation(pool, rng)
        self._dives = 0

    def bound(self, until: float, stop: Callable[[], bool]) -> float:
        """Return a proven bound on the territories needed: above ``n_territories`` when the relaxation says so.

        Gives up (0.0) when `Pool.work` is ``until``, or on ``stop``.
        """
        self.root.solve(float(self.k), until, stop)
        return self.root.bound

    def dive(self, until: float, stop: Callable[[], bool]) -> tuple[list[FloatArray], IntArray]:
        """Return the patterns fixed and how many units of each size they leave (zeros: a packing)."""
        lp = self.root.branch()
        noise = _NOISE if self._dives else 0.0
        self._dives += 1
        count = self.pool.count.copy()
        chosen: list[FloatArray] = []
        while count.any():
            room = self.k - len(chosen)
            if lp.solve(float(room), until, stop) > room + _SURE:
                break
            fixed = self._fix(lp, count, room, noise)
            if not fixed:
                break
            chosen += fixed
            count = count - np.sum(fixed, axis=0).astype(np.int64)
            lp.demand(count)
        return chosen, count

    def _fix(self, lp: Relaxation, count: IntArray, room: int, noise: float) -> list[FloatArray]:
        """Return patterns to fix: those used as a whole, else the one most used, with some chance."""
        real = np.flatnonzero(lp.basis >= 0)
        x, columns, value, capacity = lp.x[real], lp.basis[real], self.pool.value, self.pool.capacity
        slack = room * capacity - dot(value, count)
        fixed: list[FloatArray] = []
        for i in np.flatnonzero(x > 1.0 - _WHOLE):
            for _ in range(int(x[i] + _WHOLE)):
                pattern = np.minimum(self.pool.patterns[columns[i]], count)
                waste = capacity - dot(pattern, value)
                if waste > slack or not pattern.any():
                    break
                slack -= waste
                count = count - pattern.astype(np.int64)
                fixed.append(pattern)
        if fixed:
            return fixed
        usable = np.minimum(self.pool.patterns[columns], count)
        good = (capacity - (usable * value).sum(axis=1) <= slack) & usable.any(axis=1)
        score = np.where(good, np.maximum(x, 0.0) * np.exp(noise * self.rng.standard_normal(len(x))), 0.0)
        best = int(score.argmax())
        return [usable[best]] if score[best] > 0.0 else []
