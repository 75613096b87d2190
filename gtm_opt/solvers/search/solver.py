"""The named solver `search`, and the polish that other solvers call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import SolverError
from gtm_opt.measures import evaluate, rank
from gtm_opt.solvers.protocol import Capabilities, SolverResult
from gtm_opt.solvers.search.anneal import MOVER, AnnealParams, anneal
from gtm_opt.solvers.search.arrays import lay_out
from gtm_opt.solvers.search.relaxation import by_prices, round_up

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, Instance, IntArray
    from gtm_opt.solvers.prices import Prices
    from gtm_opt.solvers.protocol import Run

__all__ = ["SearchSolver", "better", "checked_start", "polish", "search"]


def better(instance: Instance, one: IntArray, other: IntArray | None) -> IntArray:
    """Return the better of two assignments, recomputed; ``one`` where they tie."""
    if other is None or rank(instance, evaluate(instance, one)) <= rank(instance, evaluate(instance, other)):
        return one
    return other


def checked_start(instance: Instance, start: IntArray) -> IntArray:
    """Return ``start`` as positions, or raise.

    Raises
    ------
    SolverError
        When its length or a position does not fit the instance.
    """
    found = np.asarray(start, dtype=np.int64)
    if found.shape != (instance.n_units,):
        raise SolverError(f"`start` must have one territory per unit ({instance.n_units}), got shape {found.shape}.")
    wrong = np.flatnonzero((found < 0) | (found >= instance.n_territories))
    if len(wrong):
        raise SolverError(
            f"`start` must hold positions 0 to {instance.n_territories - 1}, got {found[wrong[0]]} "
            f"for unit {wrong[0]} and {len(wrong) - 1} more such units."
        )
    return found


def allowed_start(cost: FloatArray, priced: FloatArray, start: IntArray) -> IntArray:
    """Return ``start`` with units in barred territories moved to their cheapest one."""
    barred = ~np.isfinite(cost[np.arange(len(start)), start])
    return np.where(barred, priced.argmin(axis=1), start)


def polish(
    instance: Instance,
    start: IntArray,
    run: Run,
    seed: int = 0,
    iterations: int = 5_000_000,
    units: IntArray | None = None,
    params: AnnealParams | None = None,
) -> IntArray:
    """Improve an assignment by annealing from a low temperature.

    Parameters
    ----------
    instance : Instance
        With ``evenness`` None.
    start : ndarray of int, shape (n_units,)
    run : Run
    seed : int
    iterations : int
        Steps of each chain, over all rounds.
    units : ndarray of int, optional
        Only these may move: time and memory are then those of so many units.
    params : AnnealParams, optional
        Default: two rounds of moves and swaps from a fifth of the mean margin downwards.

    Returns
    -------
    ndarray of int, shape (n_units,)
        Never worse than ``start``: rules first, then hard bands, then the objective.
    """
    before = checked_start(instance, start)
    layout = lay_out(instance, before, units)
    if layout.n_free == 0 or instance.n_territories < 2:
        return before
    chosen = params or AnnealParams(styles=(MOVER, MOVER), heat=0.3)
    rounds = chosen.rounds or 1
    steps = max(layout.n_free, int(iterations / sum(chosen.growth**r for r in range(rounds))))
    relaxation = by_prices(instance, layout, run)
    first = allowed_start(layout.cost, relaxation.priced, before[layout.units])
    found = anneal(layout, relaxation, [first], run, seed, replace(chosen, steps=steps, rounds=rounds))
    after = before.copy()
    after[layout.units] = found.assignment
    return better(instance, after, before)


class SearchSolver:
    """Annealing on moves, swaps and ejections with penalties that oscillate.

    Parameters
    ----------
    params : AnnealParams
        At ``effort=1``.

    Notes
    -----
    Each step proposes to move a unit, or to move it and eject another one on, over
    incremental totals: O(n_criteria) per step, ten million steps a second and core. The
    weight of a hard band rises while the band is violated and falls while it holds
    (strategic oscillation), so that the walk stays near the boundary. No guarantee; the
    bound returned is the Lagrangian one of the prices that guide the walk.

    References
    ----------
    M. Yagiura, T. Ibaraki, F. Glover (2006). A path relinking approach with ejection chains
    for the generalized assignment problem. https://doi.org/10.1016/j.ejor.2004.06.031
    """

    name = "search"
    source = "annealing with ejections and strategic oscillation, after doi:10.1016/j.ejor.2004.06.031"
    capabilities = Capabilities(lower_bound=True)

    def __init__(self, params: AnnealParams | None = None) -> None:
        self.params = params or AnnealParams()

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
        if instance.evenness is not None:
            raise SolverError(
                "solver 'search' minimises preference cost, got an evenness objective. Use solver='even' for it."
            )
        since = run.seconds
        before = None if start is None else checked_start(instance, start)
        layout = lay_out(instance, np.zeros(instance.n_units, dtype=np.int64) if before is None else before)
        relaxation = by_prices(instance, layout, run, prices)
        bound = round_up(relaxation.bound, layout)
        run.report("search", bound=bound)
        starts = [relaxation.priced.argmin(axis=1)]
        if before is not None:
            starts.append(allowed_start(layout.cost, relaxation.priced, before))

        def report(violation: float, objective: float) -> None:
            run.report("search", value=objective if violation == 0.0 else None)

        params = self._budget(effort)
        try:
            found = anneal(layout, relaxation, starts, run, seed, params, report)
            assignment = better(instance, found.assignment, before)
        except KeyboardInterrupt:
            run.interrupt()
            assignment = starts[-1] if before is None else before
        final = evaluate(instance, assignment)
        proved = final.feasible and final.objective <= bound + 1e-9 * max(1.0, abs(bound))
        run.note(self.name, since, f"objective {final.objective:,.6g}, bound {bound:,.6g}")
        return SolverResult(
            assignment=assignment if final.rules_kept else None,
            bound=bound,
            prices=relaxation.prices,
            side_prices=relaxation.side_prices,
            termination=run.termination(proved=proved),
            steps=tuple(run.steps),
        )

    def _budget(self, effort: float) -> AnnealParams:
        if np.isinf(effort):
            # a short first round, so that there is an answer early on
            return replace(self.params, rounds=None, steps=max(1_000, self.params.steps // 4))
        return replace(self.params, steps=max(1_000, int(self.params.steps * effort)))


search = SearchSolver()
