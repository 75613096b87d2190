"""``auto``: which method when, and how they hand over to one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.solvers.entry import settle_unplaceable
from gtm_opt.solvers.portfolio.even_within import ROUNDS, bound_evenness, needs_bands, solve_even_within
from gtm_opt.solvers.portfolio.incumbent import Incumbent
from gtm_opt.solvers.portfolio.presolve import presolve
from gtm_opt.solvers.portfolio.small import as_evenness, prove_small, settle_by_enumeration
from gtm_opt.solvers.portfolio.tiers import solve_by_tiers
from gtm_opt.solvers.protocol import Capabilities, SolverResult, Termination
from gtm_opt.solvers.registry import get_solver

if TYPE_CHECKING:
    from gtm_opt.instance import Instance, IntArray
    from gtm_opt.solvers.lagrangian import Prices
    from gtm_opt.solvers.lns import LnsSolver
    from gtm_opt.solvers.local_search import LocalSearchSolver
    from gtm_opt.solvers.protocol import Run

__all__ = ["PortfolioSolver", "auto"]

GOOD_GAP = 2e-4
"""Certified well below what the data of a plan is worth: further search is not started."""
EXACT_CELLS = 600
"""Units x territories up to which a full model is tried for a proof."""
FIRST_CELLS = 1_200
"""Up to which it comes before rounding and search."""
FIRST_WORK, LAST_WORK = 3.0, 3.0
"""Of that model, before and after rounding, in units of about a second."""
PROVEN = 1e-6
"""A relative gap below this is rounding, as certificates have it."""
EXACT_NODES = 500
"""Branch-and-bound nodes it may take."""
EVEN_CELLS = 150
"""The same for evenness: equal territories are alike to a model, which branches on each of their orders."""
SHORT_EFFORT = 0.02
"""Of the search that comes before the model."""
FULL_SEARCH_CELLS = 10_000
"""Units x territories from which on a search has its full number of steps; smaller nodes need fewer."""
FINE_UNITS, FINEST = 40_000, 0.4
"""From so many units on rounding is held to a smaller gap, down to this part of the good gap."""
MIN_SEARCH = 0.02
MENDING_ROUNDS = 3
"""More rounds of search where bands are still missed."""
RESPLIT_EFFORT = 0.2
"""Re-splits cost the same however few the steps of the search: below this they are left out."""
LUMPY_UNITS = 5_000
"""Above this, a search is started only where bands are missed, or more effort is asked for."""
SEARCH_UNITS = 60_000
"""Above this the core of the rounding is the search: all units would not fit the cache."""


def _coupled(instance: Instance) -> bool:
    """Whether there is a choice, and any band, side row or apart group ties units together."""
    banded = np.isfinite(instance.lower).any() or np.isfinite(instance.upper).any()
    if not (banded or instance.side or instance.apart):
        return False
    return any((np.isfinite(instance.cost_block(rows)).sum(axis=1) > 1).any() for rows in instance.chunks())


class PortfolioSolver:
    """Prices, rounding, compiled search, exact re-splits, full models: mixed by size and lumpiness.

    Notes
    -----
    0. Capacities only (generalized assignment) goes to ``generalized_assignment``, and small ones to a full model, too.
    1. Pure balance ("as even as possible") is enumerated for a few units, else goes to ``balancing``; with side
       rows or limits to a bisection on the bands.
    2. Otherwise prices give a bound and say where nearly every unit belongs. Small nodes go to a full model at once,
       and again with what rounding finds if it was not proven.
    3. Rounding decides the rest. Stop when the gap is below `GOOD_GAP`.
    4. Lumpy nodes, where the prices' bound is weak or bands are missed: the compiled search,
       then re-splits of few territories, in turn while they pay.
    5. Bands still missed and several priorities: tier by tier.

    Each step gets an iteration budget that depends on the instance and ``effort`` only.

    Parameters
    ----------
    good_gap : float
        A fraction: a certified gap at or below it ends the work (at ``effort`` up to 1).
    search_units : int
        Most units of a node that the search and the re-splits take on as a whole.
    search_effort : float
        Multiplies the steps of the search and the re-splits only; below `RESPLIT_EFFORT` there are
        no re-splits.
    mending_rounds : int
        More rounds of search where bands are still missed; without any, no tier by tier either: for
        nodes of a tree, whose leaves are polished afterwards.
    """

    name = "auto"
    source = "gtm_opt: mixes lagrangian, rounding, local_search, lns, balancing, milp"
    capabilities = Capabilities(evenness=True, proof=True, lower_bound=True)

    def __init__(
        self,
        good_gap: float = GOOD_GAP,
        search_units: int = SEARCH_UNITS,
        search_effort: float = 1.0,
        mending_rounds: int = MENDING_ROUNDS,
    ) -> None:
        self.good_gap = good_gap
        self.search_units = search_units
        self.search_effort = search_effort
        self.mending_rounds = mending_rounds

    def __call__(
        self, instance: Instance, *, run: Run, seed: int = 0, effort: float = 1.0, start: IntArray | None = None
    ) -> SolverResult:
        """Solve ``instance``; see `gtm_opt.solvers.Solver`."""
        refused = settle_unplaceable(instance, run)
        if refused is not None:
            return refused
        if instance.evenness is not None:
            settled = settle_by_enumeration(instance, run, effort, start)
            if settled is not None:
                return settled
        if instance.evenness is not None and not needs_bands(instance):
            return self._even(instance, run, seed, effort, start)
        instance = presolve(instance)
        incumbent = Incumbent(instance, run)
        incumbent.offer(start, "start")
        found: Prices | None = None
        proved_infeasible = False
        try:
            if instance.evenness is None and not _coupled(instance):
                self._each_alone(instance, incumbent)
            elif instance.evenness is not None:
                proved_infeasible = self._even_within(instance, incumbent, run, seed, effort)
            else:
                found, proved_infeasible = self._preferences(instance, incumbent, run, seed, effort)
        except KeyboardInterrupt:
            run.interrupt()
        kept = incumbent.evaluation is not None and incumbent.evaluation.rules_kept
        return SolverResult(
            assignment=incumbent.assignment if kept else None,
            bound=incumbent.bound,
            prices=None if found is None else found.prices,
            side_prices=None if found is None else found.side_prices,
            termination=run.termination(proved=self._proved(instance, incumbent) or proved_infeasible),
            proved_infeasible=proved_infeasible,
            steps=tuple(run.steps),
        )

    @staticmethod
    def _proved(instance: Instance, incumbent: Incumbent) -> bool:
        """Whether the incumbent is as good as the bound allows, up to what sums of floating-point numbers lose."""
        if instance.evenness is None or incumbent.evaluation is None:
            return incumbent.gap <= PROVEN
        from gtm_opt.solvers.balancing.bounds import met

        return incumbent.feasible and met(incumbent.evaluation.evenness, incumbent.bound)

    @staticmethod
    def _even(instance: Instance, run: Run, seed: int, effort: float, start: IntArray | None) -> SolverResult:
        """As even as possible: a short search, an exact model where the node is small, then the long search."""
        balancing = get_solver("balancing")
        small = instance.n_units * instance.n_territories <= EVEN_CELLS
        if small and effort > SHORT_EFFORT:
            first = balancing(instance, run=run, seed=seed, effort=SHORT_EFFORT, start=start)
            if first.termination is Termination.PROVED or first.assignment is None or run.stop():
                return first
            from gtm_opt.solvers.exact import MilpSolver

            nodes = int(min(EXACT_NODES * effort, 1e9))
            exact = MilpSolver(nodes=nodes)(instance, run=run, seed=seed, effort=effort, start=first.assignment)
            if exact.termination is Termination.PROVED or run.stop():
                return exact
            start = first.assignment if exact.assignment is None else exact.assignment
        return balancing(instance, run=run, seed=seed, effort=effort, start=start)

    @staticmethod
    def _each_alone(instance: Instance, incumbent: Incumbent) -> None:
        """Each goes where it is cheapest: nothing ties units together, or nothing is left to choose."""
        cheapest = np.empty(instance.n_units, dtype=np.int64)
        parts = []
        for rows in instance.chunks():
            block = instance.cost_block(rows)
            cheapest[rows] = block.argmin(axis=1)
            parts.append(float(block.min(axis=1).sum()))
        incumbent.offer(cheapest, "cheapest")
        incumbent.offer_bound(float(np.sum(parts)), "cheapest")

    def _even_within(self, instance: Instance, incumbent: Incumbent, run: Run, seed: int, effort: float) -> bool:
        """As even as possible within limits; return whether no plan keeps them."""
        # the budget is for the whole bisection; repair rounds and tiers would each spend it again on bands
        # that are too narrow for anybody
        once = PortfolioSolver(self.good_gap, self.search_units, self.search_effort, mending_rounds=0)

        def solve(part: Instance, part_run: Run, begin: IntArray | None) -> IntArray | None:
            return once(part, run=part_run, seed=seed, effort=effort / ROUNDS, start=begin).assignment

        since = run.seconds
        incumbent.offer_bound(bound_evenness(instance), "bound")
        proved = self._exact(instance, incumbent, run, seed, effort)
        if proved or run.stop() or self._proved(instance, incumbent):
            run.note("exact", since)
            return proved
        found = solve_even_within(instance, run, incumbent.assignment, solve, seed=seed, effort=effort)
        incumbent.offer(found, "bisection")
        run.note("bisection", since)
        return False

    def _preferences(
        self, instance: Instance, incumbent: Incumbent, run: Run, seed: int, effort: float
    ) -> tuple[Prices | None, bool]:
        from gtm_opt.solvers.generalized_assignment import is_packing
        from gtm_opt.solvers.lagrangian import solve_prices

        if is_packing(instance):
            proved_packing = self._packing(instance, incumbent, run, seed, effort)
            if incumbent.feasible or proved_packing or run.stop():
                return None, proved_packing
        since = run.seconds
        found = solve_prices(instance, run, min(effort, 10.0))
        incumbent.offer_bound(found.bound, "prices")
        run.note("prices", since, f"bound {found.bound:,.6g} after {found.iterations} passes")
        proved = found.proved_infeasible
        small = instance.n_units * instance.n_territories <= FIRST_CELLS
        if small and not proved:
            # a model takes less time than the search here, and its answer is proven
            proved = prove_small(instance, incumbent, run, seed, FIRST_WORK * float(np.clip(effort, 0.5, 1.0)))
            if proved or run.stop() or incumbent.gap <= PROVEN:
                return found, proved
        self._round(instance, found, incumbent, run, seed, effort)
        if small and not proved and not run.stop() and incumbent.gap > PROVEN:
            # with the plan that rounding found, and more time
            proved = prove_small(instance, incumbent, run, seed, LAST_WORK * min(effort, 20.0))
            if proved or run.stop() or incumbent.gap <= PROVEN:
                return found, proved
        if not small and not self._good(incumbent, run, effort):
            proved |= self._exact(instance, incumbent, run, seed, effort)
        # where bands hold and there are many units, the gap is small already and a search finds little
        most = min(self.search_units, LUMPY_UNITS) if incumbent.feasible and effort <= 1.0 else self.search_units
        if not self._good(incumbent, run, effort) and instance.n_units <= most:
            self._improve(instance, found, incumbent, run, seed, effort)
        if not incumbent.feasible and not run.stop() and self.mending_rounds:
            self._tiers(instance, incumbent, run, seed, effort)
        if not incumbent.feasible and run.stop() and instance.n_criteria and not instance.by_territory:
            # the time limit was reached early: a plan that is even beats one that is merely cheap
            from gtm_opt.solvers.balancing import vector_greedy

            incumbent.offer(vector_greedy(as_evenness(instance)), "greedy")
        return found, proved

    def _packing(self, instance: Instance, incumbent: Incumbent, run: Run, seed: int, effort: float) -> bool:
        """Capacities only: a first answer, a full model where it is small, then more of the same."""
        solver = get_solver("generalized_assignment")
        proved = False
        small = instance.n_units * instance.n_territories <= EXACT_CELLS
        for part in dict.fromkeys((min(effort, 1.0), effort) if small else (effort,)):
            result = solver(instance, run=run, seed=seed, effort=part, start=incumbent.assignment)
            incumbent.offer(result.assignment, solver.name)
            incumbent.offer_bound(result.bound, solver.name)
            proved = result.proved_infeasible
            if not proved and not self._good(incumbent, run, effort) and part <= 1.0:
                proved = self._exact(instance, incumbent, run, seed, effort)
            if proved or self._good(incumbent, run, effort):
                break
        return proved

    def _good(self, incumbent: Incumbent, run: Run, effort: float) -> bool:
        wanted = self.good_gap if effort <= 1.0 else 1e-9
        return run.stop() or (incumbent.feasible and incumbent.gap <= wanted)

    def _round(
        self, instance: Instance, found: Prices, incumbent: Incumbent, run: Run, seed: int, effort: float
    ) -> None:
        from gtm_opt.solvers.rounding import round_prices

        fine = float(np.clip(FINE_UNITS / max(instance.n_units, 1), FINEST, 1.0))  # many units round finer
        gap = self.good_gap * fine if effort <= 1.0 else 1e-9
        incumbent.offer(round_prices(instance, found, run, seed, gap=gap, effort=min(effort, 1.0)), "rounding")

    @staticmethod
    def _exact(
        instance: Instance,
        incumbent: Incumbent,
        run: Run,
        seed: int,
        effort: float,
    ) -> bool:
        if instance.n_units * instance.n_territories > EXACT_CELLS * min(effort, 4.0):
            return False
        from gtm_opt.solvers.exact import MilpSolver

        exact = MilpSolver(nodes=int(min(EXACT_NODES * effort, 1e9)))
        result = exact(instance, run=run, seed=seed, effort=effort, start=incumbent.assignment)
        incumbent.offer(result.assignment, "milp")
        incumbent.offer_bound(result.bound, "milp")
        return result.proved_infeasible

    def _improve(
        self, instance: Instance, found: Prices, incumbent: Incumbent, run: Run, seed: int, effort: float
    ) -> None:
        """Search and re-split in turn; go on for a while where bands are still missed."""
        from gtm_opt.solvers.lns import lns
        from gtm_opt.solvers.local_search import local_search

        cells = instance.n_units * instance.n_territories
        once = self.search_effort * min(1.0, effort) * min(1.0, max(MIN_SEARCH, cells / FULL_SEARCH_CELLS))
        # re-splits begin with a search of their own: given all the time, they spend it best
        solvers: tuple[LocalSearchSolver | LnsSolver, ...] = (lns,) if np.isinf(effort) else (local_search, lns)
        if self.search_effort < RESPLIT_EFFORT and np.isfinite(effort):
            solvers = (local_search,)
        rounds = int(min(max(1.0, effort), 1e6))
        round_ = 0
        while round_ < rounds or (not incumbent.feasible and round_ < rounds + self.mending_rounds):
            for solver in solvers:
                if self._good(incumbent, run, effort):
                    return
                part = effort if np.isinf(effort) else once * 2.0 ** min(round_, 3)
                begin, number = incumbent.assignment, seed + 7919 * round_
                result = solver(instance, run=run, seed=number, effort=part, start=begin, prices=found)
                incumbent.offer(result.assignment, solver.name)
                incumbent.offer_bound(result.bound, solver.name)
            round_ += 1

    def _tiers(self, instance: Instance, incumbent: Incumbent, run: Run, seed: int, effort: float) -> None:
        hard = np.isinf(instance.penalty)
        if len(np.unique(instance.tier[hard])) < 2:
            return

        def solve(part: Instance, part_run: Run, begin: IntArray | None) -> IntArray | None:
            inner = Incumbent(part, part_run)
            inner.offer(begin, "start")
            from gtm_opt.solvers.lagrangian import solve_prices

            found = solve_prices(part, part_run, min(effort, 10.0))
            inner.offer_bound(found.bound, "prices")
            self._round(part, found, inner, part_run, seed, effort)
            if not self._good(inner, part_run, effort) and part.n_units <= self.search_units:
                self._improve(part, found, inner, part_run, seed, effort)
            return inner.assignment

        since = run.seconds
        incumbent.offer(solve_by_tiers(instance, run, incumbent.assignment, solve), "tiers")
        run.note("tiers", since)


auto = PortfolioSolver()
