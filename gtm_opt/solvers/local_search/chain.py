"""One annealing chain: the mutable state that the kernels advance, slice by slice."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.solvers.local_search import _kernels as kernels

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.solvers.local_search.arrays import Int32Array, Layout
    from gtm_opt.solvers.protocol import Run

__all__ = ["Chain"]

_SLICE_SECONDS = 0.1
_FIRST_SLICE = 20_000


class Chain:
    """A walk over assignments of the free units of a layout.

    Parameters
    ----------
    layout : Layout
    candidates : ndarray of int, shape (n_free, width)
        Territories each unit may be drawn to, most promising first.
    n_candidates : ndarray of int, shape (n_free,)
        How many of them are meant, unit by unit (at least 1).
    weight : ndarray of shape (n_territories, n_criteria)
        Initial cost per 100 % of relative excess of hard bands; adapted on the way.
    seed : int
        Of the generator that the kernel carries.
    shift_rate : float
        Of the plain steps, the fraction that move one unit; the others also eject one.
    chain_rate : float
        Fraction of the steps that try a longer ejection chain (0 where there are side rows or
        apart groups, which chains do not see).
    priced : ndarray of shape (n_free, n_territories), optional
        Cost plus prices: what guides the chains.

    Notes
    -----
    The weights rise where a hard band is left and fall where it holds, so that the walk
    oscillates around the boundary (strategic oscillation). The best assignment kept is the
    one with the least violation, then the least objective.
    """

    def __init__(
        self,
        layout: Layout,
        candidates: IntArray,
        n_candidates: IntArray,
        weight: FloatArray,
        seed: int,
        shift_rate: float = 0.3,
        chain_rate: float = 0.0,
        priced: FloatArray | None = None,
    ) -> None:
        n, k = layout.cost.shape
        self._layout = layout
        self._candidates = np.ascontiguousarray(candidates, dtype=np.int32)
        self._n_candidates = np.ascontiguousarray(n_candidates, dtype=np.int32)
        elastic = layout.elastic >= 0
        self._weight = np.where(elastic, np.maximum(layout.elastic, 0.0), weight) * layout.scale
        self._floor = self._weight * 1e-3
        rule_weight = float(weight.max(initial=1.0))
        self._side_weight = rule_weight * layout.side_scale
        self._rule_weight = np.array([rule_weight])
        # splitmix of the seed: never zero, unrelated for neighboring seeds
        self._state = np.random.SeedSequence(seed).generate_state(1, np.uint64) | np.uint64(1)
        self._log = np.zeros(max(256, n // 4), dtype=np.int32)
        self._level = np.zeros(10)
        self._level[kernels.SHIFT_RATE] = shift_rate
        ruled = len(layout.side_upper) > 0 or len(layout.fixed_count) > 0
        self._level[kernels.CHAIN_RATE] = 0.0 if ruled else chain_rate
        self._count = np.zeros(4, dtype=np.int64)
        self._rule_floor = rule_weight * 1e-3
        self._priced = layout.cost if priced is None else priced
        self._rate = self._weight.copy()
        own = layout.activities[:-1]
        self._sizes = np.ascontiguousarray(np.broadcast_to((own * self._rate).sum(axis=2), (n, k)))
        self._wanted_start, self._wanted = _wanted(self._candidates, self._n_candidates, self._sizes)
        territory = np.repeat(np.arange(k), np.diff(self._wanted_start))
        self._wanted_size = self._sizes[self._wanted, territory]
        self._mark = np.zeros(k, dtype=np.int64)
        self._trail = np.zeros((2, 8), dtype=np.int64)
        self._touched = np.zeros(16, dtype=np.int64)
        self._totals = np.zeros((k, layout.fixed.shape[1]))
        self._side_use = np.zeros(len(layout.side_upper))
        self._group_count = np.zeros_like(layout.fixed_count)
        self._members = np.zeros((k, n), dtype=np.int32)
        self._size = np.zeros(k, dtype=np.int64)
        self._place = np.zeros(n, dtype=np.int32)
        self._cache = np.zeros((3, k))
        self.assignment = np.zeros(n, dtype=np.int32)
        self.best = np.zeros(n, dtype=np.int32)
        self._forget()
        self._slice = _FIRST_SLICE

    def _forget(self) -> None:
        self._level[kernels.BEST_OBJECTIVE] = np.inf
        self._level[kernels.BEST_VIOLATION] = np.inf

    @property
    def objective(self) -> float:
        """Objective of the best assignment, the units that stay included."""
        return float(self._level[kernels.BEST_OBJECTIVE]) + self._layout.fixed_cost

    @property
    def violation(self) -> float:
        """Violation of hard bands and rules by the best assignment; 0.0 when all hold."""
        return float(self._level[kernels.BEST_VIOLATION])

    @property
    def key(self) -> tuple[float, float]:
        """Violation, then objective: the smaller the better."""
        return self.violation, self.objective

    @property
    def accepted(self) -> int:
        """Accepted steps so far."""
        return int(self._count[kernels.ACCEPTED])

    def begin(self, assignment: IntArray) -> None:
        """Put the walk at ``assignment`` (of the free units); the best so far is kept."""
        self.assignment[:] = assignment
        self._settle()
        order = np.argsort(self.assignment, kind="stable")
        self._size[:] = np.bincount(self.assignment, minlength=len(self._size))
        first = np.concatenate([[0], np.cumsum(self._size)])
        for k in range(len(self._size)):
            inside = order[first[k] : first[k + 1]]
            self._members[k, : len(inside)] = inside
            self._place[inside] = np.arange(len(inside))
        value, violation = self._measure()
        level = self._level
        if (violation, value) < (level[kernels.BEST_VIOLATION], level[kernels.BEST_OBJECTIVE]):
            level[kernels.BEST_VIOLATION], level[kernels.BEST_OBJECTIVE] = violation, value
            self.best[:] = self.assignment
            self._count[kernels.LOGGED] = 0
        else:
            self._count[kernels.LOGGED] = len(self._log) + 1

    def _settle(self) -> None:
        """Recompute the incremental quantities, so that rounding cannot pile up."""
        lay = self._layout
        here = self.assignment.astype(np.int64)
        unit = np.arange(len(here))
        self._totals[:] = lay.fixed
        np.add.at(self._totals, here, lay.activities[unit, here if lay.by_territory else 0])
        self._side_use[:] = lay.side_fixed + lay.side[unit, here].sum(axis=0)
        self._group_count[:] = lay.fixed_count
        np.add.at(self._group_count, (lay.group, here[np.repeat(unit, np.diff(lay.group_start))]), 1)
        self._level[kernels.OBJECTIVE] = float(lay.cost[unit, here].sum())
        self._count[kernels.LOGGED] = len(self._log) + 1
        elastic = np.maximum(lay.elastic, 0.0)
        self._level[kernels.OBJECTIVE] += float((self._excess() * elastic).sum())

    def _excess(self) -> FloatArray:
        lay = self._layout
        over = np.maximum(np.maximum(self._totals - lay.upper, lay.lower - self._totals), 0.0)
        excess: FloatArray = over * lay.scale
        return excess

    def _measure(self) -> tuple[float, float]:
        """Return objective and violation of the current assignment."""
        lay = self._layout
        hard = self._excess()[:, lay.elastic < 0].sum()
        hard += (np.maximum(self._side_use - lay.side_upper, 0.0) * lay.side_scale).sum()
        count = self._group_count
        hard += (count * (count - 1) // 2).sum()
        return float(self._level[kernels.OBJECTIVE]), float(hard)

    def walk(
        self,
        steps: int,
        temperature: float,
        cooling: float,
        period: int,
        run: Run,
        *,
        up: float = 1.003,
        down: float = 0.9993,
    ) -> bool:
        """Anneal for ``steps`` steps; return False when the run was stopped before.

        Parameters
        ----------
        steps : int
        temperature : float
            At the beginning, in units of the objective.
        cooling : float
            Factor on the temperature every ``period`` steps.
        period : int
            Steps between two adaptations of temperature and weights.
        run : Run
        up, down : float
            Factors on the weight of a violated and of a kept band.
        """
        level = self._level
        level[kernels.TEMPERATURE], level[kernels.COOLING] = temperature, cooling
        level[kernels.UP], level[kernels.DOWN] = up, down
        done = 0
        while done < steps:
            if run.stop():
                return False
            # whole periods only, so that the slicing cannot change the walk
            now = min(steps - done, max(1, self._slice // period) * period)
            since = time.perf_counter()
            self._slice_of(now, period)
            spent = time.perf_counter() - since
            if now >= self._slice // 2:
                self._slice = int(np.clip(now * _SLICE_SECONDS / max(spent, 1e-6), 1_000, 2_000_000))
            done += now
        self._settle()
        return True

    def land(self, steps: int, temperature: float, period: int, run: Run) -> None:
        """Where no walk has kept every hard band yet: go on cold, with weights that only rise."""
        if self.violation > 0.0:
            self.walk(steps, temperature, 1.0, period, run, up=1.02, down=1.0)

    def _slice_of(self, steps: int, period: int) -> None:
        lay = self._layout
        pressed, soft, hard = self._cache
        kernels.anneal(
            steps,
            period,
            self._state,
            self.assignment,
            self.best,
            self._log,
            self._level,
            self._count,
            lay.cost,
            lay.activities,
            self._candidates,
            self._n_candidates,
            self._totals,
            lay.lower,
            lay.upper,
            self._weight,
            self._floor,
            lay.scale,
            lay.elastic,
            lay.side,
            self._side_use,
            lay.side_upper,
            self._side_weight,
            lay.side_scale,
            lay.group_start,
            lay.group,
            self._group_count,
            self._rule_weight,
            self._rule_floor,
            self._members,
            self._size,
            self._place,
            pressed,
            soft,
            hard,
            self._priced,
            self._wanted_start,
            self._wanted,
            self._wanted_size,
            self._sizes,
            self._rate,
            self._mark,
            self._trail[0],
            self._trail[1],
            self._touched,
        )


def _wanted(candidates: Int32Array, n_candidates: Int32Array, sizes: FloatArray) -> tuple[IntArray, IntArray]:
    """Return, territory by territory, the units that have it as a candidate, in order of size."""
    unit, place = np.nonzero(np.arange(candidates.shape[1]) < n_candidates[:, None])
    territory = candidates[unit, place]
    order = np.lexsort((unit, sizes[unit, territory], territory))
    start = np.searchsorted(territory[order], np.arange(sizes.shape[1] + 1)).astype(np.int64)
    return start, unit[order].astype(np.int32)
