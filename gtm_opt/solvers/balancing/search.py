"""The search of one stream: annealing and exact re-splits in rounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.solvers.balancing.bounds import met
from gtm_opt.solvers.balancing.problem import PEAK
from gtm_opt.solvers.balancing.resplit import Resplitter
from gtm_opt.solvers.balancing.sweep import STEPS_PER_TURN, Sweeper, sweepable

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.solvers.balancing.problem import BalancingProblem

__all__ = ["Budget", "Stream"]

_SLICE = 0.05
_STAGES = ((11, 12), (13, 12), (15, 6))
"""Logarithm of the length of the lists, and fruitless tries per pair of territories, of each stage."""
_NEAR = (0.25, 0.05, 0.0)
"""How far above the best a round may be after a stage to be followed further."""
_HOT, _COLD = 0.9, (0.55, 0.4, 0.65)
"""Temperatures over that where exchanges become rare: first, and last of rounds in turn."""
_ROOMY = 60
"""Units per territory from which re-splits pay with many criteria, too."""
_FROZEN = 20
"""Proposals per pair of units without a change after which annealing ends."""
_LARGE = 20_000
"""Units from which on descent follows annealing."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much one stream may do.

    Attributes
    ----------
    steps : float
        Annealing proposals (``inf``: until stopped).
    tries : float
        Re-splits (``inf``: until stopped).
    """

    steps: float
    tries: float


class Stream:
    """One search with its own random numbers.

    Parameters
    ----------
    problem : BalancingProblem
    start : ndarray of int
    seed : int
    bound : float
        The search ends when the objective reaches it.
    stop : callable
        Asked between slices of work.
    """

    def __init__(
        self, problem: BalancingProblem, start: IntArray, seed: int, bound: float, stop: Callable[[], bool]
    ) -> None:
        self.problem, self.bound, self._stop = problem, bound, stop
        self.rng = np.random.default_rng(seed)
        self.state = self.rng.integers(1, 2**63, size=1).astype(np.uint64)
        self.exponential = self.rng.exponential(size=4096)
        choices = problem.allowed.sum(axis=1) if problem.has_bars else np.full(problem.n_units, problem.n_territories)
        self.free = np.flatnonzero(choices > 1).astype(np.int64)
        self.best = start.copy()
        self.value = problem.value(problem.deviations(start))
        self.steps = 0
        self.tries = 0
        self.most_tries = np.inf
        self.sweeper = Sweeper(problem, self.rng, self.state) if sweepable(problem) and len(start) <= _LARGE else None
        self.size = float((problem.weights.mean(axis=0) * problem.scale).mean()) if problem.weights.size else 0.0

    @property
    def done(self) -> bool:
        """Whether the bound is met, or somebody asked to stop."""
        return met(self.value, self.bound) or len(self.free) == 0 or self._stop()

    def keep(self, assign: IntArray) -> None:
        """Remember ``assign`` if it is the best so far."""
        value = self.problem.value(self.problem.deviations(assign))
        if value < self.value:
            self.best, self.value = assign.copy(), value

    def run(self, budget: Budget) -> None:
        """Search in rounds until the budget is spent."""
        self.most_tries = budget.tries
        m, n, k = self.problem.n_criteria, len(self.free), self.problem.n_territories
        if self.problem.n_territories < 2 or n == 0:
            return
        if n > _LARGE:
            current = self.best.copy()
            self.descend(current, min(budget.steps, 20.0 * n))
            self.resplit(current, budget.tries, 1 << 13)
            return
        length = (4e6 if m > 4 else 1e6) if self.sweeper else 2e6 if m <= 6 or k <= 3 else 2e7
        pairs = k * (k - 1) // 2
        turn, current = 0, self.best.copy()
        while not self.done and (self.steps < budget.steps or self.tries < budget.tries):
            steps = min(length, budget.steps - self.steps)
            if steps > 0:
                if self.sweeper:
                    self._sweep(self.sweeper, current, int(steps), _COLD[turn % 3])
                else:
                    self.anneal(current, int(steps), hot=0.1, cold=(0.003, 0.001, 0.01)[turn % 3])
            for stage, (width, times) in enumerate(_STAGES if m <= 12 or n >= _ROOMY * k else ()):
                patience = min(budget.tries - self.tries, max(times * min(pairs, 4 * k), 8))
                wider = 1 if k <= 3 and m <= 12 else 0
                reached = self.resplit(current, patience, 1 << min(width + wider, 16 if m <= 12 else 14))
                if self.done or reached > self.value * (1.0 + _NEAR[stage]):
                    break
            turn += 1
            if (m > 6 and k > 3) or m > 12:
                length = min(1.5 * length, 3e8)

    def _sweep(self, sweeper: Sweeper, assign: IntArray, steps: int, cold: float) -> None:
        """Anneal from ``assign`` many exchanges at a time; leaves the best assignment of this call in it."""
        total, idle = max(1, steps // STEPS_PER_TURN), 0
        done = sweeper.scan(assign, self.keep, lambda: self.done)
        hot, cold = _HOT * sweeper.melt, cold * sweeper.melt
        current, best, value, begun = assign.copy(), assign.copy(), np.inf, done
        frozen = _FROZEN * len(self.free) ** 2
        while done < total and idle < frozen and not self.done:
            now = min(sweeper.slice, total - done)
            ratio = (cold / hot) ** (1.0 / (total - begun))
            begin = hot * ratio ** (done - begun)
            value = sweeper.turns(current, begin, begin * ratio**now, now, best, value)
            done += now
            idle = idle + now * sweeper.width if sweeper.made == 0 else 0
            self.keep(best)
        self.steps += done * STEPS_PER_TURN
        assign[:] = best

    def descend(self, assign: IntArray, steps: float) -> None:
        """Go downhill from ``assign`` (in place)."""
        self._slices(assign, int(steps), 0.0, 0.0, 0, track=False)
        self.keep(assign)

    def anneal(self, assign: IntArray, steps: int, hot: float, cold: float) -> None:
        """Anneal from ``assign``; leaves the best assignment of this call in it."""
        found = self._slices(assign, steps, hot * self.size, cold * self.size, 0, track=True)
        assign[:] = found
        # a higher power sees little but the worst deviations
        sharp = self._slices(assign.copy(), steps // 5, 0.3 * cold * self.size, 0.03 * cold * self.size, 2, track=True)
        values = [self.problem.value(self.problem.deviations(a)) for a in (found, sharp)]
        if values[1] < values[0]:
            assign[:] = sharp
        self.keep(assign)

    def _slices(self, assign: IntArray, steps: int, hot: float, cold: float, doublings: int, track: bool) -> IntArray:
        from gtm_opt.solvers.balancing._kernels_anneal import anneal, row_norms

        problem = self.problem
        x = problem.deviations(assign)
        norms = np.zeros(problem.n_territories)
        best, best_value = assign.copy(), np.inf
        # so many fruitless proposals: every exchange was tried many times, and it only gets colder
        frozen = _FROZEN * len(self.free) * (len(self.free) + problem.n_territories)
        size = max(20_000, int(2.5e7 * _SLICE / (1.0 + problem.n_criteria / 8.0)))
        done = idle = 0
        while done < steps and idle < frozen and not self.done:
            now = min(size, steps - done)
            begin = hot * (cold / hot) ** (done / steps) if hot > 0 else 0.0
            end = hot * (cold / hot) ** ((done + now) / steps) if hot > 0 else 0.0
            x[:] = problem.deviations(assign)
            before = assign.copy()
            row_norms(x, problem.kind, doublings, norms)
            best_value = anneal(
                problem.weights,
                problem.scale,
                problem.kind,
                doublings,
                problem.allowed,
                problem.rival_start,
                problem.rivals,
                self.free,
                assign,
                x,
                norms,
                self.exponential,
                begin,
                end,
                now,
                self.state,
                best,
                best_value,
                track,
            )
            done += now
            self.steps += now
            idle = idle + now if np.array_equal(before, assign) else 0
            if best_value + problem.base < self.value:
                self.keep(best)
        return best

    def resplit(self, assign: IntArray, patience: float, length: int) -> float:
        """Re-split pairs of territories until ``patience`` tries in a row fail; return the value."""
        problem, rng = self.problem, self.rng
        splitter = Resplitter(problem, self.free, rng, length, self._stop)
        x = problem.deviations(assign)
        k, idle = problem.n_territories, 0
        while idle < patience and self.tries < self.most_tries and not self.done:
            a, b = self._pick(x, splitter.centers(x), k, rng)
            idle += 1
            self.tries += 1
            if splitter.improve(assign, x, a, b):
                x = problem.deviations(assign)
                idle = 0 if idle < patience else idle
                if problem.value(x) < self.value:
                    self.keep(assign)
        return problem.value(x)

    def _pick(self, x: FloatArray, center: FloatArray, k: int, rng: np.random.Generator) -> tuple[int, int]:
        off = x - center
        bad = off.max(axis=1) if self.problem.kind == PEAK else np.abs(off).max(axis=1)
        a = int(bad.argmax()) if rng.random() < 0.6 else int(rng.integers(k))
        b = int(rng.integers(k - 1))
        return a, b + (b >= a)
