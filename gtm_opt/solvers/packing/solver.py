"""The named solver ``packing``: capacities only, solved by chains, columns and knapsack bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.measures import evaluate, rank
from gtm_opt.solvers.packing.bound import knapsack_bound
from gtm_opt.solvers.packing.dive import dive
from gtm_opt.solvers.packing.pool import ColumnPool
from gtm_opt.solvers.packing.tables import is_packing, tables_of
from gtm_opt.solvers.packing.walkers import ChainParams, Walker, anneal_all, best_of, first_assignment
from gtm_opt.solvers.protocol import Capabilities, SolverResult
from gtm_opt.solvers.registry import get_solver
from gtm_opt.solvers.search.arrays import lay_out
from gtm_opt.solvers.search.relaxation import relax

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, Instance, IntArray
    from gtm_opt.solvers.packing.bound import KnapsackBound
    from gtm_opt.solvers.packing.tables import Tables
    from gtm_opt.solvers.protocol import Run

__all__ = ["PackingSolver", "packing"]

_WALKERS = 2
_DIVES = 6
_DIVE_WORK = 4e7
_MODEL_CELLS = 600
_RESPLIT_UNITS = 500
_MOST_COLUMNS = 6_000


class PackingSolver:
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
    3. Knapsack Lagrangian: the bound, prices of the units, and sets that fill territories well.
    4. In turn: dives, that fill territories for good while the prices adapt; annealing walks over long
       ejection chains; a set-partitioning model over the territories of all that was found.
       Whatever has other limits goes to ``search``.

    References
    ----------
    S. Martello, P. Toth (1981). An algorithm for the generalized assignment problem. Operational Research '81.
    M. Yagiura, T. Ibaraki, F. Glover (2006). A path relinking approach with ejection chains for the
    generalized assignment problem. https://doi.org/10.1016/j.ejor.2004.06.016
    R. K. Ahuja, J. B. Orlin, D. Sharma (2000). Very large-scale neighborhood search.
    https://doi.org/10.1111/j.1475-3995.2000.tb00201.x
    """

    name = "packing"
    source = "ejection chains, after doi:10.1016/j.ejor.2004.06.016, with columns and knapsack bounds"
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
            return get_solver("search")(instance, run=run, seed=seed, effort=effort, start=start)
        work = _Work(self, instance, run, seed, effort, start)
        try:
            work.solve()
        except KeyboardInterrupt:
            run.interrupt()
        return work.result()


class _Work:
    """One call: the best so far, the bound, and the steps that improve them."""

    def __init__(
        self, owner: PackingSolver, instance: Instance, run: Run, seed: int, effort: float, start: IntArray | None
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
        relaxation = relax(layout, run.within(0.3 * run.remaining))
        tables = tables_of(self.instance, layout, relaxation)
        self.offer_bound(relaxation.bound, tables.whole_cost)
        run.note("relaxation", since, f"bound {self.bound:,.6g}")
        since = run.seconds
        self.offer(first_assignment(tables))
        walkers = self._walkers(tables)
        self._mend(walkers)
        run.note("construction", since, f"cost {self.cost:,.6g}")
        since = run.seconds
        prices = np.where(tables.n_near > 0, relaxation.priced.min(axis=1), 0.0)
        knapsacks = self._knapsacks(tables, prices)
        run.note("knapsacks", since, f"bound {self.bound:,.6g}")
        if not np.isfinite(self.cost) and not run.stop():
            self._rescue()
        self._improve(tables, walkers, *knapsacks)

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
        solver = get_solver("milp" if small else "search")
        part = self.run.within(0.4 * self.run.remaining)
        effort = min(self.effort, 1.0)
        result = solver(self.instance, run=part, seed=self.seed, effort=effort, start=self.best)
        if result.assignment is not None:
            self.offer(result.assignment)
        self.offer_bound(result.bound, False)
        self.impossible = result.proved_infeasible

    def _knapsacks(self, tables: Tables, prices: FloatArray) -> tuple[ColumnPool, KnapsackBound]:
        """Return the pool of columns and the prices of the units."""
        cells = tables.n_units * float(tables.upper.sum())
        rounds = int(np.clip(2e9 / max(cells, 1.0), 20, 200) * min(1.0, max(self.effort, 0.1)))
        target = self.cost if np.isfinite(self.cost) else self.bound * 1.001
        part = self.run.within(0.25 * self.run.remaining)
        found = knapsack_bound(tables, prices, target, part, rounds=max(rounds, 10))
        self.offer_bound(found.value, tables.whole_cost)
        pool = ColumnPool(tables, found.prices, found.gain)
        for column in found.sets:
            pool.add(int(column[0]), column[1:])
        return pool, found

    def _improve(self, tables: Tables, walkers: list[Walker], pool: ColumnPool, knapsacks: KnapsackBound) -> None:
        """Dive, anneal and combine in turn."""
        rounds = self.owner.rounds if np.isfinite(self.effort) else 1_000_000
        usual = self.owner.tries * max(1.0, tables.n_units / 200)
        tries = int(usual) if np.isinf(self.effort) else max(200, int(usual * self.effort))
        rng = np.random.default_rng(self.seed)
        warm = walkers[-1].warm(self.run)
        for round_ in range(rounds):
            if self.run.stop() or self.proved or self.impossible:
                return
            since = self.run.seconds
            dives = self._dives(tables, knapsacks)
            if dives:
                for _ in range(dives):
                    self._dive(tables, walkers[0], pool, knapsacks, rng, tries)
                self.run.note("dives", since, f"cost {self.cost:,.6g}")
                since = self.run.seconds
            if self.run.stop() or self.proved:
                return
            if self.best is not None:
                walkers[0].restart(self.best)
            hot = warm if round_ % 2 == 0 else 0.5 * warm
            anneal_all(walkers, tries * 2 ** min(round_ // 2, 4), hot, self.run)
            for walker in walkers:
                if walker.best_value < np.inf:
                    self.offer(walker.best)
                    pool.add_assignment(walker.best)
            self.run.note("chains", since, f"cost {self.cost:,.6g} from {hot:.3g}")
            since = self.run.seconds
            if round_ % 4 == 3 and self.best is not None and tables.n_units <= _RESPLIT_UNITS:
                self._resplit(round_)
                since = self.run.seconds
            if not self.run.stop() and not self.proved and round_ % 4 == 1:
                self._combine(pool)
                self.run.note("columns", since, f"cost {self.cost:,.6g}, {len(pool)} columns")

    def _resplit(self, round_: int) -> None:
        """Solve parts of the best assignment exactly."""
        if self.run.stop() or self.proved:
            return
        part = self.run.within(0.25 * self.run.remaining)
        result = get_solver("resplit")(self.instance, run=part, seed=self.seed + round_, effort=0.5, start=self.best)
        if result.assignment is not None:
            self.offer(result.assignment)

    def _dives(self, tables: Tables, knapsacks: KnapsackBound) -> int:
        """Return how many dives a round has: few where one takes long, none where chains do better in the time."""
        if not np.isfinite(knapsacks.value):
            return 0
        work = tables.n_units * float(tables.upper.sum())
        most = _DIVES if self.effort >= 1.0 else 1
        return min(most, int(_DIVE_WORK / max(work, 1.0)))

    def _dive(
        self,
        tables: Tables,
        walker: Walker,
        pool: ColumnPool,
        knapsacks: KnapsackBound,
        rng: np.random.Generator,
        tries: int,
    ) -> None:
        """One dive, mended and polished by chains."""
        if self.run.stop() or self.proved:
            return
        found = dive(tables, knapsacks.prices, knapsacks.value, pool, self.run, rng, int(rng.integers(8, 40)))
        if found is None:
            return
        walker.level[4] = np.inf
        walker.restart(found)
        each = max(200, tries // 10)
        for hot, rate in ((0.3, 4.0), (0.15, 8.0), (0.05, 20.0)):
            if self.run.stop():
                break
            walker.cool(each, hot, 0.5 * hot, rate)
        if walker.best_value < np.inf:
            self.offer(walker.best)
            pool.add_assignment(walker.best)

    def _combine(self, pool: ColumnPool) -> None:
        seconds = min(0.1 * self.run.remaining, 2.0) if np.isfinite(self.run.remaining) else 20.0
        slack = self.cost - self.bound if np.isfinite(self.cost) else np.inf
        found = pool.combine(slack, _MOST_COLUMNS, int(200 * max(1.0, min(self.effort, 10.0))), seconds)
        if found is not None:
            self.offer(found)

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


packing = PackingSolver()
