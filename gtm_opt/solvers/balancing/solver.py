"""The solver ``balancing``: as even as possible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import SolverError
from gtm_opt.measures import evaluate
from gtm_opt.solvers.balancing.bounds import met, problem_bound
from gtm_opt.solvers.balancing.construct import greedy_order, place_units
from gtm_opt.solvers.balancing.lexicographic import balance_the_rest
from gtm_opt.solvers.balancing.peak import applies, search_peak
from gtm_opt.solvers.balancing.problem import normal_form
from gtm_opt.solvers.balancing.search import Budget, Stream
from gtm_opt.solvers.balancing.streams import STREAMS, side_by_side
from gtm_opt.solvers.protocol import Capabilities, SolverResult

if TYPE_CHECKING:
    from gtm_opt.instance import Instance, IntArray
    from gtm_opt.solvers.balancing.problem import BalancingProblem
    from gtm_opt.solvers.protocol import Run

__all__ = ["BalancingSolver", "balancing"]

_CAPABILITIES = Capabilities(
    bands=False, side_rows=False, by_territory=False, evenness=True, proof=True, lower_bound=True
)


@dataclass(frozen=True, slots=True)
class BalancingSolver:
    """Balance alone: vector greedy, annealing on a p-norm, exact re-splits of territory pairs.

    Attributes
    ----------
    name, capabilities, source
        See `gtm_opt.solvers.Solver`.
    workers : int
        Threads. The answer does not depend on it unless the time limit is reached.
    """

    name: str = "balancing"
    capabilities: Capabilities = _CAPABILITIES
    source: str = "gtm_opt: vector greedy, p-norm annealing, two-list re-splits (after Horowitz and Sahni, 1974)"
    workers: int = 2

    def __call__(
        self, instance: Instance, *, run: Run, seed: int = 0, effort: float = 1.0, start: IntArray | None = None
    ) -> SolverResult:
        """Solve ``instance``; see `gtm_opt.solvers.Solver`."""
        if instance.by_territory:
            raise SolverError(
                "`balancing` needs activities of shape (n_units, n_criteria), got one matrix per territory. "
                "Use a solver with the capability by_territory."
            )
        problem = normal_form(instance)
        begin = run.seconds
        bound = problem_bound(problem)
        assign = self._begin(instance, problem, start)
        if assign is None:
            return SolverResult(None, bound=bound, termination=run.termination(), steps=tuple(run.steps))
        value = problem.value(problem.deviations(assign))
        run.report("greedy", value, bound)
        run.note("greedy", begin, f"value {value:,.6g}, bound {bound:,.6g}")
        begin = run.seconds
        try:
            if applies(problem):
                search = search_peak(problem, assign, seed, run, effort, self.workers)
                assign, bound = search.best, max(bound, search.lower * search.factor)
                value = problem.value(problem.deviations(assign))
            else:
                assign, value = self._search(problem, assign, bound, run, seed, effort)
        except KeyboardInterrupt:
            run.interrupt()
        run.report("search", value, bound)
        run.note("search", begin, f"value {value:,.6g}")
        if met(value, bound):
            assign = self._rest(problem, assign, run, seed, effort)
        assign = _no_worse(instance, _cheapest_labels(instance, problem, assign), start)
        proved = met(value, bound)
        bound = bound if instance.evenness is not None else -np.inf  # it bounds the evenness, not a cost
        return SolverResult(assign, bound=bound, termination=run.termination(proved=proved), steps=tuple(run.steps))

    def _begin(self, instance: Instance, problem: BalancingProblem, start: IntArray | None) -> IntArray | None:
        greedy = place_units(problem, greedy_order(problem, None), None)
        if start is None:
            return greedy
        given = np.array(start, dtype=np.int64)
        if greedy is None or not evaluate(instance, given).rules_kept:
            return given if greedy is None else greedy
        values = [problem.value(problem.deviations(a)) for a in (given, greedy)]
        return given if values[0] <= values[1] else greedy

    def _rest(self, problem: BalancingProblem, assign: IntArray, run: Run, seed: int, effort: float) -> IntArray:
        begin, part = run.seconds, run.within(np.inf)  # what it reports would be of another question

        def solve(changed: BalancingProblem, current: IntArray, last: bool) -> IntArray:
            share = min(effort, 1.0) if last else 0.02 * min(effort, 1.0)
            return self._search(changed, current, problem_bound(changed), part, seed, share)[0]

        try:
            if run.stop():
                return assign
            assign, settled = balance_the_rest(problem, assign, solve)
        except KeyboardInterrupt:
            run.interrupt()
            return assign
        if settled:
            run.note("rest", begin, f"{settled} cells settled by oversized units")
        return assign

    def _search(
        self, problem: BalancingProblem, assign: IntArray, bound: float, run: Run, seed: int, effort: float
    ) -> tuple[IntArray, float]:
        budget = Budget(effort * 1e7, effort * 200.0)
        value = problem.value(problem.deviations(assign))
        proved: list[int] = []
        begun: list[Stream] = []

        def work(index: int) -> Stream:
            def stop() -> bool:
                return run.stop() or any(i < index or np.isinf(effort) for i in proved)

            stream = Stream(problem, assign, seed * STREAMS + index, bound, stop)
            begun.append(stream)
            stream.run(budget)
            if met(stream.value, bound):
                proved.append(index)
            return stream

        def look() -> None:
            run.report("search", min((stream.value for stream in begun), default=value), bound)

        streams = side_by_side(work, self.workers, run, look)
        best = min(streams, key=lambda stream: stream.value)
        return best.best, best.value


def _cheapest_labels(instance: Instance, problem: BalancingProblem, assign: IntArray) -> IntArray:
    """Exchange the names of whole territories where all are alike and that is cheaper."""
    from scipy.optimize import linear_sum_assignment

    alike = np.ptp(problem.scale, axis=0).max(initial=0.0) == 0.0 == np.ptp(problem.offset, axis=0).max(initial=0.0)
    if not instance.cost or not alike or problem.n_units == 0:
        return assign
    cost = np.zeros((problem.n_territories, problem.n_territories))
    for rows in instance.chunks():
        np.add.at(cost, assign[rows], instance.cost_block(rows))
    if not np.isfinite(np.trace(cost)):
        return assign
    label, to = linear_sum_assignment(cost)
    return to[np.argsort(label)][assign].astype(np.int64) if cost[label, to].sum() < np.trace(cost) else assign


def _no_worse(instance: Instance, assign: IntArray, start: IntArray | None) -> IntArray:
    """Return ``start`` instead where it keeps the rules and is at least as even and cheaper."""
    if start is None:
        return assign
    given = np.array(start, dtype=np.int64)
    old, new = evaluate(instance, given), evaluate(instance, assign)
    if not old.rules_kept:
        return assign
    return given if (old.objective, old.cost) < (new.objective, new.cost) else assign


balancing = BalancingSolver()
