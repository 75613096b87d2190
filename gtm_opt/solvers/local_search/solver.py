"""The named solver `local_search`, and the polish that other solvers call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.measures import better
from gtm_opt.solvers.entry import settle_unplaceable
from gtm_opt.solvers.local_search.anneal import MOVER, AnnealParams, anneal
from gtm_opt.solvers.local_search.arrays import lay_out
from gtm_opt.solvers.local_search.opening import allowed_start, checked_start, closed, opened
from gtm_opt.solvers.local_search.relaxation import by_prices
from gtm_opt.solvers.protocol import Capabilities

if TYPE_CHECKING:
    from gtm_opt.instance import Instance, IntArray
    from gtm_opt.solvers.lagrangian import Prices
    from gtm_opt.solvers.protocol import Run, SolverResult

__all__ = ["LocalSearchSolver", "local_search", "polish"]


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


class LocalSearchSolver:
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

    name = "local_search"
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
        refused = settle_unplaceable(instance, run)
        if refused is not None:
            return refused
        since = run.seconds
        opening = opened(instance, run, self.name, start, prices)

        def report(violation: float, objective: float) -> None:
            run.report("search", value=objective if violation == 0.0 else None)

        found = opening.starts[-1]
        try:
            walked = anneal(opening.layout, opening.relaxation, opening.starts, run, seed, self._budget(effort), report)
            found = walked.assignment
        except KeyboardInterrupt:
            run.interrupt()
        return closed(instance, run, self.name, since, opening, found, opening.bound)

    def _budget(self, effort: float) -> AnnealParams:
        if np.isinf(effort):
            # a short first round, so that there is an answer early on
            return replace(self.params, rounds=None, steps=max(1_000, self.params.steps // 4))
        return replace(self.params, steps=max(1_000, int(self.params.steps * effort)))


local_search = LocalSearchSolver()
