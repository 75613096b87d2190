"""What all baselines share: the frame of a call, the work sheet they fill in, and how two answers compare."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.measures import evaluate, rank
from gtm_opt.solvers.protocol import Capabilities, SolverResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gtm_opt.instance import FloatArray, Instance, IntArray
    from gtm_opt.solvers.protocol import Run

__all__ = ["Baseline", "Work"]

_CHECK_EVERY = 256


class Work:
    """The work sheet of one call: which units are placed, which territories are open to the next.

    Parameters
    ----------
    instance : Instance
    run : Run
    seed : int
    effort : float

    Attributes
    ----------
    assignment : ndarray of int, shape (n_units,)
        -1 where a unit is not placed yet.
    bound : float
        Lower bound, for those who have one.
    proved_infeasible : bool
    notes : list of str
    """

    def __init__(self, instance: Instance, run: Run, seed: int, effort: float) -> None:
        self.instance = instance
        self.run = run
        self.seed = seed
        self.effort = effort
        self.assignment: IntArray = np.full(instance.n_units, -1, dtype=np.int64)
        self.bound = -np.inf
        self.proved_infeasible = False
        self.notes: list[str] = []
        self._everywhere = np.ones(instance.n_territories, dtype=bool)
        self._taken = np.zeros((len(instance.apart), instance.n_territories), dtype=bool)

    @cached_property
    def rng(self) -> np.random.Generator:
        """The generator of this call."""
        return np.random.default_rng(self.seed)

    @cached_property
    def open(self) -> NDArray[np.bool_] | None:
        """Where each unit is allowed, shape (n_units, n_territories); None: everywhere."""
        if not self.instance.has_cost:
            return None
        blocks = [np.isfinite(self.instance.cost_block(rows)) for rows in self.instance.chunks()]
        allowed = np.concatenate(blocks) if blocks else np.ones((0, self.instance.n_territories), dtype=bool)
        return None if bool(allowed.all()) else allowed

    @cached_property
    def groups_of(self) -> dict[int, list[int]]:
        """The apart groups of each unit that is in one."""
        found: dict[int, list[int]] = {}
        for g, group in enumerate(self.instance.apart):
            for unit in group.tolist():
                found.setdefault(unit, []).append(g)
        return found

    @cached_property
    def activities(self) -> FloatArray:
        """Activities of shape (n_units, n_criteria): the mean over territories where they differ."""
        own = self.instance.activities
        mean: FloatArray = own.mean(axis=1) if self.instance.by_territory else own
        return mean

    @cached_property
    def relative(self) -> FloatArray:
        """Activities as fractions of the criterion's total, shape (n_units, n_criteria)."""
        total = self.activities.sum(axis=0)
        scaled: FloatArray = self.activities / np.where(total > 0, total, 1.0)
        return scaled

    @property
    def lead(self) -> int:
        """Position of the leading criterion: the first of the first tier."""
        return int(np.argmin(self.instance.tier)) if self.instance.n_criteria else 0

    @cached_property
    def sizes(self) -> FloatArray:
        """Activity of the leading criterion, shape (n_units,); ones when there is no criterion."""
        return self.activities[:, self.lead] if self.instance.n_criteria else np.ones(self.instance.n_units)

    def by_size(self, sizes: FloatArray | None = None) -> IntArray:
        """Return the units by decreasing size, ties in the given order."""
        order: IntArray = np.argsort(-(self.sizes if sizes is None else sizes), kind="stable").astype(np.int64)
        return order

    def queue(self, order: IntArray) -> IntArray:
        """Return the units of ``order`` that are not placed, the least free first."""
        order = order[self.assignment[order] < 0]
        freedom = np.full(self.instance.n_units, 2, dtype=np.int64)
        freedom[list(self.groups_of)] = 1
        if self.open is not None:
            freedom[self.open.sum(axis=1) <= 1] = 0
        queue: IntArray = order[np.argsort(freedom[order], kind="stable")]
        return queue

    def walk(self, order: IntArray) -> Iterator[int]:
        """Yield the units of `queue`; ends early when time is up."""
        for count, unit in enumerate(self.queue(order).tolist()):
            if count % _CHECK_EVERY == 0:
                self.run.report("placing")
                if self.run.stop():
                    return
            yield unit

    def adopt(self, wanted: IntArray) -> None:
        """Place every unit where ``wanted`` says, or in the first territory open to it where that breaks a rule."""
        if self.open is None and not self.groups_of:
            self.assignment[:] = wanted
            return
        for unit in self.queue(np.arange(self.instance.n_units)).tolist():
            options = self.options(unit)
            self.place(unit, int(wanted[unit]) if options[wanted[unit]] else int(options.argmax()))

    def options(self, unit: int) -> NDArray[np.bool_]:
        """Return the territories open to ``unit`` now, shape (n_territories,); all allowed ones if none is left."""
        allowed = self._everywhere if self.open is None else self.open[unit]
        groups = self.groups_of.get(unit)
        if groups:
            left = allowed & ~self._taken[groups].any(axis=0)
            return left if left.any() else allowed
        return allowed

    def place(self, unit: int, territory: int) -> None:
        """Put ``unit`` into ``territory``."""
        self.assignment[unit] = territory
        for g in self.groups_of.get(unit, ()):
            self._taken[g, territory] = True

    def complete(self) -> None:
        """Deal what is not placed by the shares, fast, keeping bars and apart groups where possible."""
        k = self.instance.n_territories
        for unit in [u for u in self.groups_of if self.assignment[u] < 0]:
            self.place(unit, int(np.flatnonzero(self.options(unit))[0]) if self.options(unit).any() else 0)
        left = np.flatnonzero(self.assignment < 0)
        if not len(left):
            return
        edges = np.cumsum(self.instance.shares)
        # golden-ratio steps visit the territories in proportion to their shares, well mixed
        turn = np.searchsorted(edges[:-1], np.modf(np.arange(len(left)) * 0.6180339887498949)[0] * edges[-1], "right")
        if self.open is not None:
            for start in range(0, len(left), 65_536):
                here = slice(start, start + 65_536)
                after = (np.arange(k)[None, :] - turn[here, None]) % k
                turn[here] = np.where(self.open[left[here]], after, k).argmin(axis=1)
        self.assignment[left] = turn


@dataclass(frozen=True)
class Baseline:
    """The frame of a baseline: calls `fill`, keeps time and Ctrl-C, never returns worse than the start.

    Attributes
    ----------
    name : str
    source : str
        Where the method is described.
    capabilities : Capabilities

    Notes
    -----
    Methods that do not look at preferences or bands still keep pins and bars where their
    capabilities say ``rules``. What is not placed when time is up is assigned in proportion to shares.
    """

    name: str
    source: str
    capabilities: Capabilities

    def fill(self, work: Work) -> None:
        """Place the units of ``work``; whatever is left is dealt afterwards."""
        raise TypeError(f"{type(self).__name__} must define `fill`.")

    def __call__(
        self, instance: Instance, *, run: Run, seed: int = 0, effort: float = 1.0, start: IntArray | None = None
    ) -> SolverResult:
        """Solve ``instance``; see `gtm_opt.solvers.Solver`."""
        since = run.seconds
        work = Work(instance, run, seed, effort)
        try:
            self.fill(work)
        except KeyboardInterrupt:
            run.interrupt()
        work.complete()
        best, key = work.assignment, rank(instance, evaluate(instance, work.assignment))
        if start is not None:
            given = np.array(start, dtype=np.int64)
            start_key = rank(instance, evaluate(instance, given))
            if start_key <= key:
                best, key = given, start_key
        try:
            run.report(self.name, value=key[-1] if not key[0] else None, bound=work.bound)
        except KeyboardInterrupt:
            run.interrupt()
        run.note(self.name, since, "; ".join(work.notes))
        return SolverResult(
            assignment=None if key[0] else best,
            bound=work.bound,
            termination=run.termination(),
            proved_infeasible=work.proved_infeasible,
            steps=tuple(run.steps[-1:]),
        )
