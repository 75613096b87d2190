"""Can K territories of a given capacity hold all units? Covering with patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.solvers.protocol import Run

    Patterns = NDArray[np.uint8]

__all__ = ["PatternModel"]

_LISTED = 3_000
_TABLE = 60_000_000
"""Cells of the knapsack table up to which columns are generated."""
_MOST = 255
"""Units of one size in one pattern: what the arrays of patterns can hold."""
_NONZEROS = 40_000
"""Nonzeros of an integer program up to which it is asked: the root of larger ones takes too long."""
_ROOT, _NODE = 5e-5, 0.005
"""Work of the root of an integer program per nonzero, and of each of its nodes."""
_MARGIN = 0.3
"""Seconds before the end of the run in which no integer program is started."""


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
    occurs. Where all maximal patterns can be listed, the integer program over them proves a "no".
    Else columns are generated from the linear relaxation, whose (Farley) bound above K proves it too;
    the integer program over the columns found, and dives that fix patterns and go on generating,
    look for a "yes".

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
        self.columns = np.zeros((0, len(value)), dtype=np.uint8)
        self.work = 0.0

    def answer(self, work: float, run: Run, generate: bool = True) -> tuple[bool | None, IntArray | None]:
        """Return (True, assignment), (False, None) when proven impossible, or (None, None).

        Gives up after about ``work`` estimated seconds, or when ``run`` stops.
        ``generate=False`` asks only where the list of patterns is complete.
        """
        total = int(self.size.sum())
        if total > self.k * self.capacity or int(self.size.max()) > self.capacity:
            return False, None
        until = self.work + work
        patterns = self._list()
        if patterns is not None:
            return self._choose(patterns, work, run, complete=True)
        if not generate or len(self.value) * (self.capacity + 1) > _TABLE:
            return None, None
        value, _ = self._generate(self.count, 500, until, run)
        if value > self.k + 1e-6:
            return False, None
        if run.stop() or self.work > until:
            return None, None
        found = self._choose(np.unique(self.columns, axis=0), 0.4 * (until - self.work), run, complete=False)
        while found[1] is None and self.work < until and not run.stop():
            chosen = self._dive(until, run)
            if chosen is not None:
                return True, self._assign(chosen)
        return found

    def _list(self) -> Patterns | None:
        from gtm_opt.solvers.even._kernels_patterns import list_patterns

        limit = min(self.listed, 30_000_000 // len(self.value))
        if int(self.count.max()) > _MOST or limit < 100:
            return None
        slack = self.k * self.capacity - int(self.size.sum())
        out = np.zeros((limit, len(self.value)), dtype=np.uint8)
        found = list_patterns(self.value, self.count, self.capacity, max(self.capacity - slack, 0), out)
        self.work += 0.01
        return out[:found] if found <= limit else None

    def _generate(self, count: IntArray, rounds: int, until: float, run: Run) -> tuple[float, FloatArray]:
        """Generate columns for ``count``; return (proven bound on the territories needed, relaxation)."""
        from scipy.optimize import linprog

        from gtm_opt.solvers.even._kernels_patterns import best_fill

        here = np.flatnonzero(count > 0)
        cap = np.minimum(count, _MOST)
        self._first_columns(cap)
        take, bound = np.zeros(len(here), dtype=np.int64), 0.0
        x: FloatArray = np.zeros(0)
        for _ in range(rounds):
            usable = np.minimum(self.columns, cap)[:, here].astype(np.float64)
            lp = linprog(
                np.ones(len(usable)),
                A_ub=-usable.T,
                b_ub=-count[here],
                method="highs-ds",
                options={"time_limit": max(run.remaining, 0.01)},
            )
            self.work += 0.003 + 1e-7 * lp.nit * sum(usable.shape)
            if lp.status != 0:
                break
            x = np.asarray(lp.x, dtype=np.float64)
            price: FloatArray = np.maximum(-lp.ineqlin.marginals, 0.0)
            left, new = cap[here].copy(), []
            for turn in range(9):
                best = best_fill(self.value[here], left, price, self.capacity, self.capacity + 1, take)
                self.work += 1.5e-9 * self.capacity * float(np.minimum(left, self.capacity // self.value[here]).sum())
                if turn == 0:
                    bound = max(bound, float(price @ count[here]) / max(best, 1.0))
                if best <= 1.0 + 1e-7 or not take.any():
                    break
                new.append(take.astype(np.uint8))
                left = left - take
                if run.stop():
                    break
            if not new or self.work > until or run.stop():
                break
            wide = np.zeros((len(new), len(count)), dtype=np.uint8)
            wide[:, here] = new
            self.columns = np.concatenate([self.columns, wide])
            if bound > self.k + 1e-6:
                break
        return bound, x

    def _first_columns(self, cap: IntArray) -> None:
        if len(self.columns) == 0:
            self.columns = np.diag(np.minimum(cap, self.capacity // self.value)).astype(np.uint8)

    def _dive(self, until: float, run: Run) -> Patterns | None:
        """Fix patterns one after the other, most used in the relaxation first, with some chance."""
        count = self.count.copy()
        chosen: list[Patterns] = []
        while count.any():
            bound, x = self._generate(count, 8, until, run)
            if bound > self.k - len(chosen) + 1e-6 or not len(x) or run.stop() or self.work > until:
                return None
            score = x[: len(self.columns)] * self.rng.uniform(0.7, 1.0, size=len(x))
            best = int(score.argmax())
            for _ in range(max(1, int(x[best] + 1e-9))):
                pattern = np.minimum(self.columns[best], count).astype(np.uint8)
                chosen.append(pattern)
                count = count - pattern
            if len(chosen) > self.k:
                return None
        return np.array(chosen, dtype=np.uint8)

    def _choose(self, patterns: Patterns, work: float, run: Run, complete: bool) -> tuple[bool | None, IntArray | None]:
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_array, vstack

        if len(patterns) == 0:
            return (False, None) if complete else (None, None)
        root = _ROOT * float(np.count_nonzero(patterns))
        if root > _ROOT * _NONZEROS or run.remaining < _MARGIN:
            return None, None
        nodes = max(1, int((work - root) / _NODE))
        exact = complete and int(self.size.sum()) == self.k * self.capacity
        rows = csr_array(patterns.T.astype(np.float64))
        lower = self.count.astype(np.float64)
        upper = lower if exact else np.full(len(lower), np.inf)
        if not exact:
            rows = vstack([rows, csr_array(np.ones((1, len(patterns))))])
            lower, upper = np.append(lower, 0.0), np.append(upper, float(self.k))
        found = milp(
            np.zeros(len(patterns)),
            constraints=LinearConstraint(rows, lower, upper),
            integrality=np.ones(len(patterns), dtype=np.int64),
            bounds=Bounds(0.0, np.inf),
            options={"node_limit": nodes, "time_limit": max(run.remaining - _MARGIN / 2.0, 0.01)},
        )
        settled = found.x is not None or found.status == 2
        visited = (found.mip_node_count or 1) if settled else nodes
        self.work += root + _NODE * visited
        if found.x is not None:
            chosen = np.repeat(patterns, np.rint(found.x).astype(np.int64), axis=0)
            return True, self._assign(chosen)
        return (False, None) if found.status == 2 and complete else (None, None)

    def _assign(self, chosen: Patterns) -> IntArray:
        """Return the assignment of the chosen patterns (with repetition)."""
        assign = np.zeros(len(self.size), dtype=np.int64)
        waiting = [np.flatnonzero(self.type_of == t).tolist() for t in range(len(self.value))]
        for territory, pattern in enumerate(chosen):
            for t in np.flatnonzero(pattern):
                for _ in range(min(int(pattern[t]), len(waiting[t]))):
                    assign[waiting[t].pop()] = territory
        return assign
