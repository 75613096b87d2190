"""The named solver ``generalized_assignment``: capacities only, solved by dives over knapsacks, chains and bounds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.measures import evaluate, rank
from gtm_opt.solvers.generalized_assignment.bound import knapsack_bound
from gtm_opt.solvers.generalized_assignment.dive import Beam, Diver
from gtm_opt.solvers.generalized_assignment.reopen import Reopener, side_by_side
from gtm_opt.solvers.generalized_assignment.tables import is_packing, tables_of
from gtm_opt.solvers.generalized_assignment.walkers import ChainParams, Walker, anneal_all, best_of, first_assignment
from gtm_opt.solvers.local_search.arrays import lay_out
from gtm_opt.solvers.local_search.relaxation import by_prices
from gtm_opt.solvers.protocol import Capabilities, SolverResult
from gtm_opt.solvers.registry import get_solver

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, Instance, IntArray
    from gtm_opt.solvers.generalized_assignment.bound import KnapsackBound
    from gtm_opt.solvers.generalized_assignment.tables import Tables
    from gtm_opt.solvers.protocol import Run

__all__ = ["GeneralizedAssignmentSolver", "generalized_assignment"]

_WALKERS = 2
_CORE = 30
_BOUND_WORK = 2e8
_MODEL_CELLS = 600
_RESPLIT_UNITS = 500
_MOST_CELLS = 1_000_000
_BEAM_CELLS = 80_000
_QUICK_CELLS = 20_000
_DIVE_WORK = 4e8
_DIVE_ROUNDS = 40
_LEAST_EFFORT = 0.05
_STALE = 40


class GeneralizedAssignmentSolver:
    """Generalized assignment: every territory has a capacity, and nothing else ties units together.

    Parameters
    ----------
    params : ChainParams
    tries : int
        Chains per walker in the first round, for ``effort=1``.
    rounds : int
        Rounds at ``effort=1``, each twice as long as the one before.

    Notes
    -----
    1. Linear relaxation: prices of capacity, reduced costs.
    2. A regret rule, then compiled shifts and swaps that drive out overload.
    3. Knapsack Lagrangian: the bound and prices of the units.
    4. In turn: beams of dives, that fill territories for good while the prices adapt; neighborhoods of some
       territories opened and filled anew by narrow beams; a cooled walk over ejection chains; exact
       re-splits of small instances. Where sizes are not whole there are no knapsacks, and chains do it alone.
       Whatever has other limits goes to ``local_search``.

    References
    ----------
    S. Martello, P. Toth (1981). An algorithm for the generalized assignment problem. Operational Research '81.
    M. Yagiura, T. Ibaraki, F. Glover (2006). A path relinking approach with ejection chains for the
    generalized assignment problem. https://doi.org/10.1016/j.ejor.2004.06.016
    R. K. Ahuja, J. B. Orlin, D. Sharma (2000). Very large-scale neighborhood search.
    https://doi.org/10.1111/j.1475-3995.2000.tb00201.x
    """

    name = "generalized_assignment"
    source = "dives over knapsack columns; ejection chains, after doi:10.1016/j.ejor.2004.06.016"
    capabilities = Capabilities(lower_bound=True, proof=True)

    def __init__(self, params: ChainParams | None = None, tries: int = 10_000, rounds: int = 2) -> None:
        self.params = params or ChainParams()
        self.tries = tries
        self.rounds = rounds

    def __call__(
        self, instance: Instance, *, run: Run, seed: int = 0, effort: float = 1.0, start: IntArray | None = None
    ) -> SolverResult:
        """Solve ``instance``; see `gtm_opt.solvers.Solver`."""
        if not is_packing(instance):
            return get_solver("local_search")(instance, run=run, seed=seed, effort=effort, start=start)
        work = _Work(self, instance, run, seed, effort, start)
        try:
            work.solve()
        except KeyboardInterrupt:
            run.interrupt()
        return work.result()


class _Work:
    """One call: the best so far, the bound, and the steps that improve them."""

    def __init__(
        self,
        owner: GeneralizedAssignmentSolver,
        instance: Instance,
        run: Run,
        seed: int,
        effort: float,
        start: IntArray | None,
    ) -> None:
        self.owner, self.instance, self.run, self.seed, self.effort = owner, instance, run, seed, effort
        self.bound = -np.inf
        self.best: IntArray | None = None
        self.key: tuple[float, ...] | None = None
        self.cost = np.inf
        self.impossible = False
        if start is not None:
            self.offer(start.astype(np.int64))

    def offer(self, assignment: IntArray) -> bool:
        """Keep ``assignment`` if it is better, recomputed from the instance."""
        found = evaluate(self.instance, assignment)
        key = rank(self.instance, found)
        if self.key is not None and key >= self.key:
            return False
        self.best, self.key = assignment.copy(), key
        if found.feasible:
            self.cost = found.objective
            self.run.report("packing", value=self.cost)
        return True

    def offer_bound(self, bound: float, whole: bool) -> None:
        """Keep ``bound`` if it is better, rounded up where costs are whole."""
        if np.isfinite(bound):
            slip = 1e-6 + 1e-9 * abs(bound)
            self.bound = max(self.bound, float(np.ceil(bound - slip)) if whole else bound - slip)
            self.run.report("packing", bound=self.bound)

    @property
    def proved(self) -> bool:
        """Whether the best assignment reaches the bound."""
        return self.cost <= self.bound + 1e-9 * max(1.0, abs(self.bound))

    def solve(self) -> None:
        """Run all steps."""
        run, since = self.run, self.run.seconds
        layout = lay_out(self.instance, np.zeros(self.instance.n_units, dtype=np.int64))
        relaxation = by_prices(self.instance, layout, run.within(0.3 * run.remaining))
        tables = tables_of(self.instance, layout, relaxation)
        self.offer_bound(relaxation.bound, tables.whole_cost)
        run.note("relaxation", since, f"bound {self.bound:,.6g}")
        since = run.seconds
        self.offer(first_assignment(tables))
        if not (tables.n_near > 0).all():
            # a unit larger than every capacity: nothing here moves it, other methods at least spread the rest
            self._rescue()
            self.impossible = True
            return
        walkers = self._walkers(tables)
        self._mend(walkers)
        run.note("construction", since, f"cost {self.cost:,.6g}")
        since = run.seconds
        prices = np.where(tables.n_near > 0, relaxation.priced.min(axis=1), 0.0)
        knapsacks = self._knapsacks(tables, prices)
        run.note("knapsacks", since, f"bound {self.bound:,.6g}")
        if not np.isfinite(self.cost) and not run.stop():
            self._rescue()
        self._improve(tables, walkers, knapsacks)

    def _walkers(self, tables: Tables) -> list[Walker]:
        begin = first_assignment(tables) if self.best is None else self.best
        nearest = tables.near[:, 0].copy()
        starts = [begin, nearest]
        return [Walker(tables, starts[w % 2], self.seed * _WALKERS + w + 1, self.owner.params) for w in range(_WALKERS)]

    def _mend(self, walkers: list[Walker]) -> None:
        """Find a first assignment without overload: heavier and heavier penalties."""
        steps = 20 * walkers[0].tables.n_units
        for attempt in range(12):
            for walker in walkers:
                if self.run.stop():
                    return
                walker.mend(min(steps * 2**attempt, 1_000_000), 3.0 * 1.6**attempt)
                walker.cool(200, 1.0, 0.1, 3.0 * 1.6**attempt)
            if best_of(walkers)[0] < np.inf:
                self.offer(best_of(walkers)[1])
                return

    def _rescue(self) -> None:
        """Ask other methods where the chains find nothing that fits: a full model if small, else the search."""
        small = self.instance.n_units * self.instance.n_territories <= _MODEL_CELLS
        solver = get_solver("milp" if small else "local_search")
        part = self.run.within(0.4 * self.run.remaining)
        effort = min(self.effort, 1.0)
        result = solver(self.instance, run=part, seed=self.seed, effort=effort, start=self.best)
        if result.assignment is not None:
            self.offer(result.assignment)
        self.offer_bound(result.bound, False)
        self.impossible = result.proved_infeasible

    def _knapsacks(self, tables: Tables, prices: FloatArray) -> KnapsackBound:
        """Return the bound from knapsacks and its prices of the units."""
        work = float(tables.n_territories) * tables.n_units + _CORE * float(tables.upper.sum())
        rounds = int(np.clip(_BOUND_WORK / max(work, 1.0), 60, 400) * min(1.0, max(self.effort, 0.1)))
        target = self.cost if np.isfinite(self.cost) else self.bound * 1.001
        part = self.run.within(0.25 * self.run.remaining)
        found = knapsack_bound(tables, prices, target, part, rounds=max(rounds, 10))
        self.offer_bound(found.value, tables.whole_cost)
        return found

    def _improve(self, tables: Tables, walkers: list[Walker], knapsacks: KnapsackBound) -> None:
        """Dive and reopen, or anneal over chains where knapsacks say nothing; parts solved exactly in between."""
        openers = self._openers(tables, walkers, knapsacks)
        warm = walkers[-1].warm(self.run)
        rounds = self.owner.rounds if np.isfinite(self.effort) else 1_000_000
        for round_ in range(rounds):
            if self.run.stop() or self.proved or self.impossible:
                return
            if openers and (round_ or self.effort >= 1.0):
                self._reopen(tables, openers, round_)
            if round_ == 0 or not openers:
                self._anneal(tables, walkers, round_, warm)
            if round_ % 4 == 3 and self.best is not None and tables.n_units <= _RESPLIT_UNITS:
                self._resplit(round_)

    def _openers(self, tables: Tables, walkers: list[Walker], knapsacks: KnapsackBound) -> list[Reopener]:
        """Return one opener per thread, none where knapsacks do not apply or there is no effort for it."""
        cells = tables.n_units * tables.n_territories
        if not np.isfinite(knapsacks.value) or cells > _MOST_CELLS or self.effort < _LEAST_EFFORT:
            return []
        seeds = np.random.SeedSequence(self.seed).generate_state(len(walkers))
        return [
            Reopener(Diver(tables, knapsacks.prices, knapsacks.value), walker, int(seed))
            for walker, seed in zip(walkers, seeds, strict=True)
        ]

    def _reopen(self, tables: Tables, openers: list[Reopener], round_: int) -> None:
        """Start from fresh dives or from the best so far, then open some territories again and again."""
        run = self.run
        cost, at = (np.inf, self.best) if self.best is None else (self.cost, self.best)
        with ThreadPoolExecutor(len(openers)) as threads:
            if round_ % 2 == 0:
                cost, at = self._dive(openers, threads, tables, round_)
            since = run.seconds
            if at is None or not np.isfinite(cost):
                return
            self.offer(at)
            stale, most = 0, _STALE if np.isinf(self.effort) else max(1, int(_STALE * min(self.effort, 1.0)))
            while stale < most and not run.stop() and not self.proved:
                before = cost
                cost, at = side_by_side(openers, threads, cost, at, run)
                stale = 0 if cost < before - 1e-9 else stale + 1
                self.offer(at)
        run.note("reopening", since, f"cost {self.cost:,.6g}, from {cost:,.6g}")

    def _dive(
        self, openers: list[Reopener], threads: ThreadPoolExecutor, tables: Tables, round_: int
    ) -> tuple[float, IntArray | None]:
        """Dive into all territories with every opener, shaken differently; return the best, else the best so far.

        Dives are wider from round to round. Where one takes long, a quick one comes first.
        """
        run, since = self.run, self.run.seconds
        cells = tables.n_units * tables.n_territories
        if round_ == 0 and cells > _QUICK_CELLS:
            cost, at = openers[0].fresh(Beam(1, 1, 0.3), run)
            if np.isfinite(cost):
                self.offer(at)
            run.note("quick dive", since, f"cost {cost:,.6g}")
            since = run.seconds
        width = int(np.clip(_BEAM_CELLS / cells, 1, min(20, 2 ** (round_ // 2))))
        levels = int(np.clip(_DIVE_WORK / (_DIVE_ROUNDS * cells), 20, max(20, tables.n_territories)))
        # a dive that is cut short gives nothing: leave time to improve what is there
        part = run.within(0.6 * run.remaining)
        tasks = [
            threads.submit(
                o.fresh, Beam(width, min(width, 3), 0.6 * (w + 0.5), 0.01 * (w + 1), _DIVE_ROUNDS, levels), part
            )
            for w, o in enumerate(openers)
        ]
        cost, at = min((task.result() for task in tasks), key=lambda pair: pair[0])
        run.note("dives", since, f"cost {cost:,.6g}, {width} wide")
        return (cost, at) if np.isfinite(cost) else (self.cost, self.best)

    def _anneal(self, tables: Tables, walkers: list[Walker], round_: int, warm: float) -> None:
        """Cool walks over chains."""
        since = self.run.seconds
        usual = self.owner.tries * max(1.0, tables.n_units / 200)
        tries = int(usual) if np.isinf(self.effort) else max(200, int(usual * self.effort))
        if self.best is not None:
            walkers[0].restart(self.best)
        hot = warm if round_ % 2 == 0 else 0.5 * warm
        anneal_all(walkers, tries * 2 ** min(round_ // 2, 4), hot, self.run)
        for walker in walkers:
            if walker.best_value < np.inf:
                self.offer(walker.best)
        self.run.note("chains", since, f"cost {self.cost:,.6g} from {hot:.3g}")

    def _resplit(self, round_: int) -> None:
        """Solve parts of the best assignment exactly."""
        if self.run.stop() or self.proved:
            return
        since, part = self.run.seconds, self.run.within(0.25 * self.run.remaining)
        result = get_solver("lns")(self.instance, run=part, seed=self.seed + round_, effort=0.5, start=self.best)
        if result.assignment is not None:
            self.offer(result.assignment)
        self.run.note("resplit", since, f"cost {self.cost:,.6g}")

    def result(self) -> SolverResult:
        """Return what was found."""
        kept = self.best is not None and evaluate(self.instance, self.best).rules_kept
        return SolverResult(
            assignment=self.best if kept else None,
            bound=self.bound,
            termination=self.run.termination(proved=self.proved or self.impossible),
            proved_infeasible=self.impossible,
            steps=tuple(self.run.steps),
        )


generalized_assignment = GeneralizedAssignmentSolver()
