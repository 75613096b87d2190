"""One integer criterion, equal shares, smallest largest load: P||Cmax and bin packing with K bins."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.solvers.balancing.bounds import integer_step
from gtm_opt.solvers.balancing.packing_bounds import load_bound
from gtm_opt.solvers.balancing.patterns import PatternModel
from gtm_opt.solvers.balancing.problem import PEAK
from gtm_opt.solvers.balancing.streams import STREAMS, side_by_side
from gtm_opt.solvers.protocol import Termination

if TYPE_CHECKING:
    from gtm_opt.instance import IntArray
    from gtm_opt.solvers.balancing.problem import BalancingProblem
    from gtm_opt.solvers.protocol import Run

__all__ = ["PeakSearch", "applies", "search_peak"]

_SLICE = 2_000_000
_STEPS = 8e7
"""Steps of a squeeze in a second."""
_FIRST, _LONGEST = 0.7, 60.0
"""Estimated seconds of the first round at effort 1, and of the longest one."""
_MODEL_UNITS = 2_000


def applies(problem: BalancingProblem) -> bool:
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
    problem : BalancingProblem
        One for which `applies` holds.
    start : ndarray of int
    seed : int
    run : Run

    Notes
    -----
    Lower bounds; LPT, Karmarkar-Karp differencing and multifit; then, for the capacities between
    bound and incumbent, annealing of the excess and pattern models. One stream raises the bound by the
    relaxations of these models and looks for a packing at the bound; the other lowers the incumbent.
    """

    def __init__(self, problem: BalancingProblem, start: IntArray, seed: int, run: Run) -> None:
        self.run = run
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
        self.relaxed = 2**62
        self.shelves: list[dict[int, PatternModel]] = [{} for _ in range(STREAMS)]
        self.models = self.shelves[0]

    def branch(self, run: Run, stream: int) -> PeakSearch:
        """Return a search that goes on from here with its own random numbers."""
        other = copy(self)
        other.run = run
        other.rng = np.random.default_rng(int(self.rng.integers(2**62)))
        other.state = other.rng.integers(1, 2**63, size=1).astype(np.uint64)
        other.models = self.shelves[stream]
        return other

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

    @property
    def done(self) -> bool:
        """Whether the bound is met, or the run has to stop."""
        return self.upper <= self.lower or self.run.stop()

    def open(self, effort: float) -> None:
        """Construct, and squeeze at the bound and between bound and incumbent."""
        share = min(max(effort, 0.02), 1.0)
        if len(self.free) == 0 or self.done:
            return
        self._construct()
        if not self.done:
            self.squeeze(self.lower, 8 * _SLICE * share)
        if not self.done:
            self._bisect(4 * _SLICE * share)

    def follow(self, role: int, turn: int, work: float) -> None:
        """Go on for about ``work`` estimated seconds: from the bound up (``role`` 0), or from the incumbent down."""
        modest = len(self.free) <= _MODEL_UNITS
        if role == 0 and modest:
            self._raise(work)
            return
        if modest and turn > 0:
            self._lower(0.6 * work)
            work *= 0.4
        if not self.done:
            self.squeeze(self.upper - 1, 0.5 * work * _STEPS)
        if not self.done and turn % 2 == 1:
            self.squeeze(self.lower, 0.25 * work * _STEPS)
        self._repack(0.4 * work)

    def _construct(self) -> None:
        from gtm_opt.solvers.balancing._kernels_peak import first_fit, largest_differencing

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
        from gtm_opt.solvers.balancing._kernels_peak import squeeze

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

    def _model(self, capacity: int) -> PatternModel:
        """Return the pattern model of a capacity; it knows the patterns of those asked before."""
        if capacity not in self.models:
            model = PatternModel(self.size[self.free], self.k, capacity, self.rng)
            if self.models:
                model.learn(self.models[min(self.models, key=lambda known: abs(known - capacity))])
            for known in [known for known in self.models if not self.lower <= known < self.upper]:
                del self.models[known]
            self.models[capacity] = model
        return self.models[capacity]

    def _refute(self, work: float) -> float:
        """Raise the bound to the smallest capacity that the relaxation does not refute; return the work left."""
        middle = self.lower
        while self.lower < min(self.relaxed, self.upper) and work > 0.0 and not self.done:
            model = self._model(middle)
            before = model.work
            refuted = model.refuted(before + work, self.run)
            work -= model.work - before + 1e-3
            high = min(self.relaxed, self.upper)
            if refuted:
                self.lower = middle + 1
                # what the territories lack of, spread over them
                middle = self.lower + int(0.9 * middle * max(model.needed / self.k - 1.0, 0.0))
                middle = min(middle, (self.lower + high - 1) // 2 if self.relaxed <= self.upper else high - 1)
            elif model.relaxed:
                self.relaxed = middle
                middle = (self.lower + middle) // 2
            else:
                break
        return work

    def _raise(self, work: float) -> None:
        """Raise the bound by relaxations, then look for packings at the bound."""
        work -= 0.7 * work - self._refute(0.7 * work)
        while work > 0.0 and not self.done:
            work -= self._ask(self.lower, work)
            if not self.done and self._model(self.lower).diver is None:
                self._repack(work)
                return

    def _lower(self, work: float) -> None:
        """Look for packings between bound and incumbent."""
        low, share = self.lower, work / 8.0
        while low < self.upper and work > 0.0 and not self.done:
            middle = (low + self.upper - 1) // 2
            work -= self._ask(middle, min(share, work))
            low = middle + 1 if self.upper > middle else self.lower
        while work > 0.0 and not self.done:
            work -= self._ask((self.lower + self.upper - 1) // 2, share)
            if not self.done:
                work -= self._ask(self.upper - 1, share)

    def _ask(self, capacity: int, work: float) -> float:
        """Ask for a packing within ``capacity``; return the work done."""
        model = self._model(capacity)
        before = model.work
        fits, packed = model.answer(work, self.run)
        if packed is not None:
            assign = self.best.copy()
            assign[self.free] = packed
            self.keep(assign)
        elif fits is False:
            self.lower = max(self.lower, capacity + 1)
        return model.work - before + 1e-3

    def _repack(self, work: float) -> None:
        """Re-pack a few territories exactly: one at the peak with some others."""
        while work > 0.0 and not self.done:
            loads = self._loads(self.best)
            worst = np.flatnonzero(loads == self.upper)
            each = max(1.0, len(self.free) / self.k)
            few = int(np.clip(np.rint(30.0 / each), 2, self.k))
            others = self.rng.permutation(np.flatnonzero(loads < self.upper))
            if len(others) == 0:
                return
            chosen = np.concatenate([[self.rng.choice(worst)], others[: few - 1]])
            work -= 0.01 + self._repack_these(chosen)

    def _repack_these(self, chosen: IntArray) -> float:
        """Re-pack the chosen territories below the incumbent where that is possible; return the work."""
        place = np.full(self.k, -1, dtype=np.int64)
        place[chosen] = np.arange(len(chosen))
        units = self.free[place[self.best[self.free]] >= 0]
        mean = -(-int(self.size[units].sum()) // len(chosen))
        if max(mean, self.lower) >= self.upper:
            return 0.0
        model = PatternModel(self.size[units], len(chosen), self.upper - 1, self.rng)
        _, packed = model.answer(0.5, self.run, generate=False)
        if packed is not None:
            assign = self.best.copy()
            assign[units] = chosen[packed]
            self.best, self.upper = assign, min(self.upper, self._peak(assign))
        return model.work


def search_peak(
    problem: BalancingProblem, start: IntArray, seed: int, run: Run, effort: float, workers: int = 2
) -> PeakSearch:
    """Search for the smallest largest load in rounds, each three times as long as the one before.

    Returns
    -------
    PeakSearch
        Its ``best`` and ``lower`` are the answer; both streams' findings are joined after each round.
    """
    search = PeakSearch(problem, start, seed, run)
    try:
        search.open(effort)
        work, turn = _FIRST * min(effort, 1.0), 0
        while not search.done and len(search.free) and work > 0.0 and 3**turn <= 3.0 * max(effort, 1.0):
            streams = _round(search, turn, work, effort, workers)
            for stream in streams:
                search.keep(stream.best)
                search.lower = max(search.lower, stream.lower)
            run.report("patterns", search.upper * search.factor, search.lower * search.factor)
            work, turn = min(3.0 * work, _LONGEST), turn + 1
    except KeyboardInterrupt:
        run.interrupt()
    return search


def _round(search: PeakSearch, turn: int, work: float, effort: float, workers: int) -> list[PeakSearch]:
    """Follow the search in all streams; those after one that has proved its answer are stopped."""
    parts = [search.run.within(np.inf) for _ in range(STREAMS)]
    streams = [search.branch(part, stream) for stream, part in enumerate(parts)]

    def follow(index: int) -> PeakSearch:
        stream = streams[index]
        stream.follow(index % 2, turn, work)
        if stream.upper <= stream.lower:
            for other, part in enumerate(parts):
                if other > index or np.isinf(effort):
                    part.struck = Termination.PROVED
        return stream

    def look() -> None:
        upper, lower = min(s.upper for s in streams), max(s.lower for s in streams)
        search.run.report("peak", upper * search.factor, lower * search.factor)

    return side_by_side(follow, workers, search.run, look)
