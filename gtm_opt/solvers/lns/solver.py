"""The named solver `lns`, and the pass that other solvers call."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.measures import better, evaluate
from gtm_opt.solvers.entry import settle_unplaceable
from gtm_opt.solvers.lns.core import solve_core
from gtm_opt.solvers.lns.improve import ResplitParams, improve
from gtm_opt.solvers.lns.tight import tight_core
from gtm_opt.solvers.local_search.anneal import MOVER, AnnealParams, anneal
from gtm_opt.solvers.local_search.arrays import lay_out
from gtm_opt.solvers.local_search.opening import checked_start, closed, met, opened
from gtm_opt.solvers.local_search.relaxation import by_prices, is_integral, round_up
from gtm_opt.solvers.protocol import Capabilities, Termination

if TYPE_CHECKING:
    from gtm_opt.instance import Instance, IntArray
    from gtm_opt.solvers.lagrangian import Prices
    from gtm_opt.solvers.local_search.arrays import Layout
    from gtm_opt.solvers.local_search.opening import Opening
    from gtm_opt.solvers.local_search.relaxation import Relaxation
    from gtm_opt.solvers.protocol import Run, SolverResult

__all__ = ["LnsSolver", "lns", "resplit_pass"]

_FIRST_SHARE = 0.7
"""Of the time, where only the clock ends the work: the rest is for re-splits."""
_WIDE_EFFORT = 0.75
"""Below this a wide core costs more than the rest of the work."""


def resplit_pass(
    instance: Instance, start: IntArray, run: Run, seed: int = 0, params: ResplitParams | None = None
) -> IntArray:
    """Improve an assignment by exact re-splits of parts of it.

    Parameters
    ----------
    instance : Instance
        With ``evenness`` None.
    start : ndarray of int, shape (n_units,)
    run : Run
    seed : int
    params : ResplitParams, optional

    Returns
    -------
    ndarray of int, shape (n_units,)
        Never worse than ``start``: rules first, then hard bands, then the objective.
    """
    before = checked_start(instance, start)
    if instance.n_units == 0 or instance.n_territories < 2:
        return before
    relaxation = by_prices(instance, lay_out(instance, before), run)
    return better(instance, improve(instance, before, relaxation.reduced, run, seed, params or ResplitParams()), before)


def _pass_on(part: Run, run: Run) -> None:
    """Interrupt ``run`` when its part was interrupted."""
    if part.struck is Termination.INTERRUPTED:
        run.interrupt()


class LnsSolver:
    """Annealing, then large neighborhoods solved exactly by HiGHS.

    Parameters
    ----------
    params : ResplitParams
        At ``effort=1``.
    walk : AnnealParams
        The annealing that makes the first assignment (left out for a finite effort with a start).
    core_pairs : int
        Solve all units over this many cheapest pairs where that leaves three per unit, for a proof.
    wide_units : int
        With more units than that, up to this many, a restricted LP core is solved for a better assignment: all
        units over few pairs, by the duals of the linear relaxation; an eighth as many for a finite effort.

    Notes
    -----
    A re-split frees all or the most mobile units of two to five territories that compete for the same
    units, or units everywhere restricted to pairs of small reduced cost, and solves that part as a
    mixed-integer program. Node limits make it repeatable; seconds only cut.

    References
    ----------
    P. Shaw (1998). Using constraint programming and local search methods to solve vehicle
    routing problems. https://doi.org/10.1007/3-540-49481-2_30
    """

    name = "lns"
    source = "large neighborhood search, after doi:10.1007/3-540-49481-2_30, parts solved by HiGHS"
    capabilities = Capabilities(lower_bound=True)

    def __init__(
        self,
        params: ResplitParams | None = None,
        walk: AnnealParams | None = None,
        core_pairs: int = 2_500,
        wide_units: int = 20_000,
    ) -> None:
        self.params = params or ResplitParams()
        self.walk = walk or AnnealParams(steps=2_000_000)
        self.core_pairs = core_pairs
        self.wide_units = wide_units

    def __call__(
        self,
        instance: Instance,
        *,
        run: Run,
        seed: int = 0,
        effort: float = 1.0,
        start: IntArray | None = None,
        prices: Prices | None = None,
    ) -> SolverResult:
        """Solve ``instance``; see `gtm_opt.solvers.Solver`. Known ``prices`` need not be found again."""
        refused = settle_unplaceable(instance, run)
        if refused is not None:
            return refused
        since = run.seconds
        opening = opened(instance, run, self.name, start, prices)
        layout, bound = opening.layout, opening.bound
        best = opening.starts[-1]
        try:
            best, sharp = self._walk_first(instance, opening, best, run, seed, effort, walking=start is None)
            bound = max(bound, round_up(sharp.bound, layout))
            since = self._tell(instance, best, run, "anneal", since)
            if self._small(layout) and not run.stop():
                best, bound = self._core(instance, layout, opening.relaxation, best, bound, run, effort)
                since = self._tell(instance, best, run, "core", since)
            if instance.n_territories > 1 and not met(instance, best, bound):
                budget = self._budget(effort)
                best = improve(
                    instance, best, sharp.reduced, run, seed, budget, lambda value: run.report(self.name, value=value)
                )
        except KeyboardInterrupt:
            run.interrupt()
        return closed(instance, run, self.name, since, opening, best, bound)

    def _walk_first(
        self,
        instance: Instance,
        opening: Opening,
        best: IntArray,
        run: Run,
        seed: int,
        effort: float,
        *,
        walking: bool,
    ) -> tuple[IntArray, Relaxation]:
        """Anneal, and solve the restricted LP core: beside one another where only the clock ends the work."""
        endless = np.isinf(effort)
        most = self.wide_units if endless else self.wide_units // 8
        wide = not self._small(opening.layout) and opening.layout.n_free <= most and effort >= _WIDE_EFFORT
        part = run.within(_FIRST_SHARE * run.remaining) if endless else run
        sharp = opening.relaxation
        walk = self._walk(effort)
        if wide and endless:
            walk = replace(walk, styles=(MOVER,))  # one walk and the core: two threads
        with ThreadPoolExecutor(1) as pool:
            core = pool.submit(tight_core, instance, opening, best, part, effort) if wide and endless else None
            if walking or endless:
                found = anneal(opening.layout, opening.relaxation, opening.starts, part, seed, walk)
                best = better(instance, found.assignment, best)
            if core is not None:
                other, sharp = core.result()
                best = better(instance, other, best)
        _pass_on(part, run)
        if wide and not endless and not run.stop():
            best, sharp = tight_core(instance, opening, best, run, effort)
        return best, sharp

    def _tell(self, instance: Instance, best: IntArray, run: Run, name: str, since: float) -> float:
        """Report and note where a step has come to; return the time."""
        found = evaluate(instance, best)
        run.report(self.name, value=found.objective if found.feasible else None)
        run.note(name, since, f"objective {found.objective:,.6g}")
        return run.seconds

    def _core(
        self,
        instance: Instance,
        layout: Layout,
        relaxation: Relaxation,
        best: IntArray,
        bound: float,
        run: Run,
        effort: float,
    ) -> tuple[IntArray, float]:
        """Solve the core; return the better assignment and the better bound."""
        found = evaluate(instance, best)
        core = solve_core(
            layout,
            relaxation.reduced,
            relaxation.bound,
            found.objective if found.feasible else np.inf,
            pairs=self.core_pairs,
            step=1.0 if is_integral(layout) else 0.0,
            node_limit=int(np.clip(1_000 * effort, 20, 4_000)),
            time_limit=max(0.1, min(0.3 * run.remaining, 30.0)),
        )
        if core.clock:
            run.cut()
        if core.assignment is not None:
            best = better(instance, core.assignment, best)
        value = evaluate(instance, best)
        # a core with nothing below the incumbent proves the incumbent, not more
        most = value.objective if value.feasible else np.inf
        bound = max(bound, min(round_up(core.bound, layout), most))
        run.report(self.name, bound=bound)
        return best, bound

    def _small(self, layout: Layout) -> bool:
        """Whether the core holds three pairs of each unit."""
        return bool(layout.n_free * min(layout.cost.shape[1], 3) <= self.core_pairs)

    def _walk(self, effort: float) -> AnnealParams:
        if np.isinf(effort):
            return replace(self.walk, rounds=None)
        return replace(self.walk, steps=max(1_000, int(self.walk.steps * effort)))

    def _budget(self, effort: float) -> ResplitParams:
        if np.isinf(effort) or self.params.rounds is None:
            return replace(self.params, rounds=None)
        return replace(self.params, rounds=max(1, int(self.params.rounds * effort)))


lns = LnsSolver()
