"""Annealing many exchanges at a time, around a temperature found by trying."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.solvers.balancing.problem import PEAK, SPREAD

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.solvers.balancing.problem import BalancingProblem

__all__ = ["STEPS_PER_TURN", "Sweeper", "sweepable"]

STEPS_PER_TURN = 4
"""A window of exchanges takes about as long as so many single proposals."""
_SECONDS = 0.05
_GROUPED = 12
"""Units per territory from which windows are taken from one territory."""
_EXACT = 4
"""Criteria up to which sums are so small in the end that single precision is too coarse."""
_WIDEST = 100.0
"""Largest activity over the mean with which single precision is used."""
_SCAN = 24
"""Temperatures tried; each is so long:"""
_SCAN_TURNS = 2_000
_HOTTEST, _COLDEST = 0.3, 0.0005
_MELT = 0.03
"""Share of accepted exchanges at which the temperature is noted."""


def sweepable(problem: BalancingProblem) -> bool:
    """Whether `Sweeper` applies: alike territories, no rules, deviations that count on both sides."""
    return (
        problem.kind != PEAK
        and not problem.has_bars
        and not problem.has_rivals
        and problem.n_territories > 1
        and problem.n_units > 1
        and problem.weights.size > 0
        and float(np.ptp(problem.scale, axis=0).max()) == 0.0
        and float((problem.weights * problem.scale[0]).max()) > 0.0
    )


class Sweeper:
    """Anneals assignments of one problem.

    Parameters
    ----------
    problem : BalancingProblem
        One for which `sweepable` holds.
    rng : Generator
    state : ndarray of uint64, shape (1,)
        Of the compiled generator; changes.

    Attributes
    ----------
    melt : float
        Temperature below which exchanges become rare, from `scan` (0 before). The best assignments are met
        between 0.9 and 0.5 of it.
    """

    def __init__(self, problem: BalancingProblem, rng: np.random.Generator, state: object) -> None:
        self.problem, self.rng, self.state = problem, rng, state
        scaled = problem.weights * problem.scale[0]
        self.unit = float(scaled.mean())
        coarse = problem.n_criteria > _EXACT and float(scaled.max()) < _WIDEST * self.unit
        self.dtype = np.float32 if coarse else np.float64
        self.grouped = problem.n_units >= _GROUPED * problem.n_territories
        self.width = 32 if self.grouped else 64
        self.columns = (scaled / self.unit).T.astype(self.dtype)
        self.exponential = rng.exponential(size=4096 + self.width).astype(self.dtype)
        self.slice = max(500, int(_SECONDS / (self.width * (3e-9 + 1e-9 * problem.n_criteria))))
        self.melt = 0.0
        self.made = self.proposed = 0

    def turns(self, assign: IntArray, hot: float, cold: float, count: int, best: IntArray, value: float) -> float:
        """Anneal ``assign`` for ``count`` windows (in place); return the best value met.

        ``best`` has the value ``value`` and is overwritten with what is better.
        """
        from gtm_opt.solvers.balancing._kernels_sweep import sweep

        problem = self.problem
        order = self.rng.permutation(problem.n_units).astype(np.int64)
        segment = np.zeros(0, dtype=np.int64)
        if self.grouped:
            order = order[np.argsort(assign[order], kind="stable")]
            segment = np.searchsorted(assign[order], np.arange(problem.n_territories + 1)).astype(np.int64)
        side = assign[order]
        w = np.ascontiguousarray(self.columns[:, order])
        x: FloatArray = problem.deviations(assign) / self.unit
        norms = (x**4).sum(axis=1)
        twin = len(x) == 2 and float(np.abs(x.sum(axis=0)).max()) <= 1e-6 * float(np.abs(x).max())
        x = np.ascontiguousarray(x.astype(self.dtype))
        without = np.ascontiguousarray(x[side].T - w) if not self.grouped else w[:, :0].copy()
        value, self.proposed, self.made = sweep(
            w,
            order,
            side,
            segment,
            without,
            x,
            norms,
            twin,
            int(problem.kind == SPREAD),
            self.exponential,
            hot,
            cold,
            count,
            self.width,
            self.state,
            best,
            value / self.unit,
        )
        assign[order] = side
        return float(value) * self.unit

    def scan(self, assign: IntArray, keep: Callable[[IntArray], None], stop: Callable[[], bool]) -> int:
        """Cool down fast, once, until exchanges become rare, and note where; return the windows used."""
        if self.melt > 0.0:
            return 0
        current, best, value = assign.copy(), assign.copy(), np.inf
        level = np.geomspace(_HOTTEST, _COLDEST, _SCAN + 1)
        for turn in range(_SCAN):
            value = self.turns(current, level[turn], level[turn + 1], _SCAN_TURNS, best, value)
            if self.made < _MELT * self.proposed or stop():
                break
        self.melt = float((level[turn] * level[turn + 1]) ** 0.5)
        keep(best)
        return (turn + 1) * _SCAN_TURNS
