"""One integer criterion, equal shares, smallest largest load: P||Cmax and bin packing with K bins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.solvers.even.bounds import integer_step
from gtm_opt.solvers.even.packing_bounds import load_bound
from gtm_opt.solvers.even.patterns import PatternModel
from gtm_opt.solvers.even.problem import PEAK

if TYPE_CHECKING:
    from gtm_opt.instance import IntArray
    from gtm_opt.solvers.even.problem import EvenProblem
    from gtm_opt.solvers.protocol import Run

__all__ = ["PeakSearch", "applies"]

_SLICE = 2_000_000
_MODEL_UNITS = 2_000


def applies(problem: EvenProblem) -> bool:
    """Whether the special methods for one integer criterion may be used."""
    return (
        problem.kind == PEAK
        and problem.n_criteria == 1
        and problem.n_territories > 1
        and problem.n_units > 0
        and float(np.ptp(problem.scale)) == 0.0
        and not problem.has_bars
        and not problem.has_rivals
        and integer_step(problem.weights[:, 0]) > 0.0
        and bool((problem.weights >= 0.0).all())
    )


class PeakSearch:
    """Search for the smallest largest load.

    Parameters
    ----------
    problem : EvenProblem
        One for which `applies` holds.
    start : ndarray of int
    seed : int
    run : Run
    effort : float

    Notes
    -----
    Lower bounds; LPT, Karmarkar-Karp differencing and multifit; then, for the capacities between
    bound and incumbent, annealing of the excess and pattern models, which may also raise the bound.
    """

    def __init__(self, problem: EvenProblem, start: IntArray, seed: int, run: Run, effort: float) -> None:
        self.run, self.effort = run, effort
        self.step = integer_step(problem.weights[:, 0])
        self.size = np.rint(problem.weights[:, 0] / self.step).astype(np.int64)
        self.k = problem.n_territories
        self.factor = float(problem.scale[0, 0]) * self.step
        self.rng = np.random.default_rng(seed)
        self.state = self.rng.integers(1, 2**63, size=1).astype(np.uint64)
        self.exponential = self.rng.exponential(size=4096)
        self.free = np.flatnonzero(self.size > 0).astype(np.int64)
        self.best = start.copy()
        self.upper = self._peak(start)
        self.lower = load_bound(self.size, self.k)

    def _loads(self, assign: IntArray) -> IntArray:
        loads = np.zeros(self.k, dtype=np.int64)
        np.add.at(loads, assign, self.size)
        return loads

    def _peak(self, assign: IntArray) -> int:
        return int(self._loads(assign).max())

    def keep(self, assign: IntArray) -> None:
        """Remember ``assign`` if its largest load is the smallest so far."""
        peak = self._peak(assign)
        if peak < self.upper:
            self.best, self.upper = assign.copy(), peak
            self.run.report("peak", self.upper * self.factor, self.lower * self.factor)

    @property
    def done(self) -> bool:
        """Whether the bound is met, or the run has to stop."""
        return self.upper <= self.lower or self.run.stop()

    def solve(self) -> tuple[IntArray, int, int]:
        """Return the best assignment, its largest load and the bound (both in whole steps)."""
        if len(self.free) == 0 or self.done:
            return self.best, self.upper, self.lower
        self._construct()
        if not self.done:
            self.squeeze(self.lower, 8 * _SLICE)
        if not self.done:
            self._bisect(4 * _SLICE)
        steps, seconds, turn = 8.0 * _SLICE, 4.0 * min(max(self.effort, 0.05), 1.0), 0
        rounds = 1 + 3 * self.effort
        while not self.done and turn < rounds:
            if len(self.free) <= _MODEL_UNITS:
                self._models(seconds)
            self._repack(20 + 20 * turn)
            if not self.done:
                self.squeeze(self.upper - 1, steps)
            if not self.done and turn % 2 == 1:
                self.squeeze(self.lower, steps)
            steps, seconds, turn = min(2.0 * steps, 4e8), 2.0 * seconds, turn + 1
        return self.best, self.upper, self.lower

    def _construct(self) -> None:
        from gtm_opt.solvers.even._kernels_peak import first_fit, largest_differencing

        order = np.argsort(-self.size, kind="stable").astype(np.int64)
        if len(order) * self.k <= 50_000_000:
            self.keep(largest_differencing(self.size, order, self.k))
        low, high = self.lower, self.upper - 1
        while low <= high:
            middle = (low + high) // 2
            fits, assign = first_fit(self.size, order, middle, self.k)
            if fits:
                self.keep(assign)
                high = middle - 1
            else:
                low = middle + 1

    def _bisect(self, steps: float) -> None:
        """Squeeze at capacities between bound and incumbent."""
        low = self.lower
        while low < self.upper - 1 and not self.done:
            middle = (low + self.upper) // 2
            before = self.upper
            self.squeeze(middle, steps)
            if self.upper > middle or self.upper == before:
                low = middle

    def squeeze(self, capacity: int, steps: float) -> bool:
        """Anneal towards loads of at most ``capacity``; return whether they were reached."""
        from gtm_opt.solvers.even._kernels_peak import squeeze

        assign = self.best.copy()
        loads = self._loads(assign)
        found, least = assign.copy(), np.int64(2**62)
        hot, cold = max(10.0, 1e-5 * capacity * capacity), 0.1
        total = int(min(steps, 4e8))
        done = 0
        while done < total and not self.run.stop():
            begin = hot * (cold / hot) ** (done / total)
            end = hot * (cold / hot) ** (min(done + _SLICE, total) / total)
            least = squeeze(
                self.size,
                capacity,
                assign,
                loads,
                self.free,
                self.exponential,
                begin,
                end,
                min(_SLICE, total - done),
                self.state,
                found,
                least,
            )
            done += _SLICE
            if least == 0:
                break
            if self._peak(found) < self.upper:
                self.keep(found)
        self.keep(found)
        return self.upper <= capacity

    def _models(self, seconds: float) -> None:
        """Ask pattern models between bound and incumbent: raise the bound, or take a packing."""
        units = self.free
        low = self.lower
        while low < self.upper and not self.done:
            middle = (low + self.upper - 1) // 2
            limit = min(seconds, 0.5 * self.run.remaining)
            fits, packed = PatternModel(self.size[units], self.k, middle, self.rng).answer(limit, self.run.stop)
            if packed is not None:
                assign = self.best.copy()
                assign[units] = packed
                self.keep(assign)
                continue
            if fits is False:
                self.lower = max(self.lower, middle + 1)
                self.run.report("patterns", self.upper * self.factor, self.lower * self.factor)
            low = middle + 1

    def _repack(self, tries: int) -> None:
        """Re-pack a few territories exactly: one at the peak with some others."""
        idle = 0
        while idle < tries and not self.done:
            loads = self._loads(self.best)
            worst = np.flatnonzero(loads == self.upper)
            each = max(1.0, len(self.free) / self.k)
            few = int(np.clip(np.rint(30.0 / each), 2, self.k))
            others = self.rng.permutation(np.flatnonzero(loads < self.upper))
            if len(others) == 0:
                return
            chosen = np.concatenate([[self.rng.choice(worst)], others[: few - 1]])
            idle = 0 if self._repack_these(chosen) else idle + 1

    def _repack_these(self, chosen: IntArray) -> bool:
        place = np.full(self.k, -1, dtype=np.int64)
        place[chosen] = np.arange(len(chosen))
        units = self.free[place[self.best[self.free]] >= 0]
        mean = -(-int(self.size[units].sum()) // len(chosen))
        low, better = max(mean, self.lower), False
        high = self.upper - 1
        while low <= high and not self.run.stop():
            middle = high if better is False and low < high else (low + high) // 2
            model = PatternModel(self.size[units], len(chosen), middle, self.rng)
            _, packed = model.answer(min(0.5, self.run.remaining), self.run.stop, generate=False)
            if packed is None:
                if not better:
                    return False
                low = middle + 1
                continue
            assign = self.best.copy()
            assign[units] = chosen[packed]
            self.best, better = assign, True
            self.upper = min(self.upper, self._peak(assign))
            high = middle - 1
            break
        return better
