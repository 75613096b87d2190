"""Can K territories of a given capacity hold all units? Covering with patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.solvers.balancing.dive import Diver
from gtm_opt.solvers.balancing.relaxation import Pool

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.solvers.protocol import Run

    Patterns = NDArray[np.uint8]

__all__ = ["PatternModel"]

_LISTED = 3_000
_SIZES = 700
"""Different sizes up to which columns are generated."""
_MOST = 255
"""Units of one size in one pattern: what the arrays of patterns can hold."""
_NONZEROS = 40_000
"""Nonzeros of an integer program up to which it is asked: the root of larger ones takes too long."""
_ROOT, _NODE = 5e-5, 0.005
"""Work of the root of an integer program per nonzero, and of each of its nodes."""
_MARGIN = 0.3
"""Seconds before the end of the run in which no integer program is started."""
_FIRST = 0.2
"""Share of the work for dives before an integer program over all patterns."""
_TAIL_SHARE, _TAIL_WORK = 0.5, 0.2
"""Share of all work for packing what failed dives leave, and for one of them in seconds."""
_TAILS = (60, 40, 28)
"""Units that a failed dive takes back to pack them exactly: the most for which patterns can be listed."""


class PatternModel:
    """The packing question for one capacity, by patterns (multisets of sizes that fill a territory).

    Parameters
    ----------
    size : ndarray of int
        Positive sizes of the units.
    n_territories, capacity : int
    rng : Generator
        Varies the dives.
    listed : int
        Patterns up to which the list is complete.

    Attributes
    ----------
    work : float
        Work done so far, in estimated seconds: counted from iterations and sizes, so that it is the same
        in every run.

    Notes
    -----
    Gilmore and Gomory's model [1]_: choose at most K patterns that cover every size as often as it
    occurs. The (Farley) bound of its linear relaxation above K proves a "no". Where all maximal patterns
    can be listed, the integer program over them answers; else dives (see `Diver`) look for a "yes".

    References
    ----------
    .. [1] P. C. Gilmore, R. E. Gomory, "A linear programming approach to the cutting-stock problem",
       Oper. Res. 9 (1961), https://doi.org/10.1287/opre.9.6.849
    """

    def __init__(
        self, size: IntArray, n_territories: int, capacity: int, rng: np.random.Generator, listed: int = _LISTED
    ) -> None:
        self.size, self.k, self.capacity, self.rng, self.listed = size, n_territories, capacity, rng, listed
        value, self.type_of, count = np.unique(-size, return_inverse=True, return_counts=True)
        self.value, self.count = (-value).astype(np.int64), count.astype(np.int64)
        self._work = 0.0
        self.pool: Pool | None = None
        self.diver: Diver | None = None
        self._listable = True

    @property
    def work(self) -> float:
        """Estimated seconds of work so far."""
        return self._work + (self.pool.work if self.pool is not None else 0.0)

    @property
    def relaxed(self) -> bool:
        """Whether the relaxation is known not to refute the capacity."""
        return self.diver is not None and self.diver.root.value <= self.k + 1e-6

    @property
    def needed(self) -> float:
        """Territories that the relaxation, as far as it is solved, needs (0: unknown)."""
        return self.diver.root.value if self.diver is not None else 0.0

    def learn(self, other: PatternModel) -> None:
        """Take over the patterns of a model of the same sizes and another capacity."""
        if self._generates() and other.diver is not None:
            known = other.diver.pool.patterns
            self._pool().add(known[known @ self.value <= self.capacity])

    def answer(self, work: float, run: Run, generate: bool = True) -> tuple[bool | None, IntArray | None]:
        """Return (True, assignment), (False, None) when proven impossible, or (None, None).

        Gives up after about ``work`` estimated seconds, or when ``run`` stops; may be called again to go on.
        ``generate=False`` asks only where the list of patterns is complete.
        """
        until = self.work + work
        if self.refuted(until, run, generate):
            return False, None
        if self.diver is not None:
            found = self._dives(self.work + _FIRST * (until - self.work), run)
            if found is not None:
                return True, found
        if self._listable and not run.stop():
            fits, chosen = self._exact(self.count, self.k, until - self.work, run)
            if fits is not None:
                return fits, None if chosen is None else self._assign(chosen)
        found = self._dives(until, run) if self.diver is not None else None
        return (None if found is None else True), found

    def refuted(self, until: float, run: Run, generate: bool = True) -> bool:
        """Whether the size of everything, or the relaxation, proves a "no" before ``work`` is ``until``."""
        if int(self.size.sum()) > self.k * self.capacity or int(self.size.max()) > self.capacity:
            return True
        if not generate or not self._generates():
            return False
        if self.diver is None:
            self.diver = Diver(self._pool(), self.k, self.rng)
        return self.diver.bound(until - self._work, run.stop) > self.k + 1e-6

    def _generates(self) -> bool:
        return len(self.value) <= _SIZES and int(self.count.max()) <= _MOST

    def _pool(self) -> Pool:
        if self.pool is None:
            self.pool = Pool(self.value, self.count, self.capacity)
        return self.pool

    def _dives(self, until: float, run: Run) -> IntArray | None:
        """Dive until a packing was found, or until ``work`` is ``until``; return the assignment."""
        assert self.diver is not None
        while self.work < until and not run.stop():
            fixed, rest = self.diver.dive(until - self._work, run.stop)
            if not rest.any():
                return self._assign(np.array(fixed, dtype=np.uint8))
            chosen = self._finish(fixed, rest, run)
            if chosen is not None:
                return self._assign(chosen)
        return None

    def _finish(self, fixed: list[FloatArray], rest: IntArray, run: Run) -> Patterns | None:
        """Take patterns of a failed dive back and pack their units exactly; return all patterns."""
        if self.listed == 0 or self._work > _TAIL_SHARE * self.work + _TAIL_WORK or run.stop():
            return None
        sizes = np.cumsum([0, *(int(p.sum()) for p in reversed(fixed))]) + int(rest.sum())
        for units in _TAILS:
            back = int(np.searchsorted(sizes, units))
            kept = fixed[: max(len(fixed) - back, 0)]
            count = self.count - np.sum(kept, axis=0, dtype=np.int64) if kept else self.count
            fits, chosen = self._exact(count, self.k - len(kept), _TAIL_WORK, run)
            if chosen is not None:
                return np.concatenate([np.array(kept, dtype=np.uint8).reshape(-1, len(count)), chosen])
            if fits is False or len(kept) == len(fixed):
                break
        return None

    def _exact(self, count: IntArray, k: int, work: float, run: Run) -> tuple[bool | None, Patterns | None]:
        """Pack ``count`` units of each size into ``k`` territories where all patterns can be listed."""
        here = np.flatnonzero(count)
        slack = k * self.capacity - int(self.value @ count)
        patterns = self._list(here, count[here], slack)
        if patterns is None:
            if len(here) == len(count) and np.array_equal(count, self.count):
                self._listable = False
            return None, None
        fits, chosen = self._choose(patterns, count[here], k, work, run, full=slack == 0)
        if chosen is None:
            return fits, None
        wide = np.zeros((len(chosen), len(count)), dtype=np.uint8)
        wide[:, here] = chosen
        return fits, wide

    def _list(self, here: IntArray, count: IntArray, slack: int) -> Patterns | None:
        from gtm_opt.solvers.balancing._kernels_patterns import list_patterns

        limit = min(self.listed, 30_000_000 // len(here))
        if slack < 0:
            return np.zeros((0, len(here)), dtype=np.uint8)
        if int(count.max()) > _MOST or limit < 100:
            return None
        out = np.zeros((limit, len(here)), dtype=np.uint8)
        found = list_patterns(self.value[here], count, self.capacity, max(self.capacity - slack, 0), out)
        self._work += 0.01
        return out[:found] if found <= limit else None

    def _choose(
        self, patterns: Patterns, count: IntArray, k: int, work: float, run: Run, full: bool
    ) -> tuple[bool | None, Patterns | None]:
        """Choose at most ``k`` of all patterns by an integer program."""
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_array, vstack

        from gtm_opt.mip.quiet import silent_c_output

        if len(patterns) == 0:
            return False, None
        root = _ROOT * float(np.count_nonzero(patterns))
        if root > _ROOT * _NONZEROS or run.remaining < _MARGIN:
            return None, None
        nodes = max(1, int((work - root) / _NODE))
        rows = csr_array(patterns.T.astype(np.float64))
        lower, upper = count.astype(np.float64), np.full(len(count), np.inf)
        if full:
            upper = lower
        else:
            rows = vstack([rows, csr_array(np.ones((1, len(patterns))))])
            lower, upper = np.append(lower, 0.0), np.append(upper, float(k))
        with silent_c_output():
            found = milp(
                np.zeros(len(patterns)),
                constraints=LinearConstraint(rows, lower, upper),
                integrality=np.ones(len(patterns), dtype=np.int64),
                bounds=Bounds(0.0, np.inf),
                options={"node_limit": nodes, "time_limit": max(run.remaining - _MARGIN / 2.0, 0.01)},
            )
        if found.status == 1:
            run.cut()
        settled = found.x is not None or found.status == 2
        visited = (found.mip_node_count or 1) if settled else nodes
        self._work += root + _NODE * visited
        if found.x is not None:
            return True, np.repeat(patterns, np.rint(found.x).astype(np.int64), axis=0)
        return (False, None) if found.status == 2 else (None, None)

    def _assign(self, chosen: Patterns) -> IntArray:
        """Return the assignment of the chosen patterns (with repetition)."""
        assign = np.zeros(len(self.size), dtype=np.int64)
        waiting = [np.flatnonzero(self.type_of == t).tolist() for t in range(len(self.value))]
        for territory, pattern in enumerate(chosen):
            for t in np.flatnonzero(pattern):
                for _ in range(min(int(pattern[t]), len(waiting[t]))):
                    assign[waiting[t].pop()] = territory
        return assign
