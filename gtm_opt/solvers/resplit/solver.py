"""The named solver `resplit`, and the pass that other solvers call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import SolverError
from gtm_opt.measures import evaluate
from gtm_opt.solvers.protocol import Capabilities, SolverResult
from gtm_opt.solvers.resplit.improve import ResplitParams, improve
from gtm_opt.solvers.search.anneal import AnnealParams, anneal
from gtm_opt.solvers.search.arrays import lay_out
from gtm_opt.solvers.search.relaxation import relax, round_up
from gtm_opt.solvers.search.solver import allowed_start, better, checked_start

if TYPE_CHECKING:
    from gtm_opt.instance import Instance, IntArray
    from gtm_opt.solvers.protocol import Run
    from gtm_opt.solvers.search.relaxation import Relaxation

__all__ = ["ResplitSolver", "resplit", "resplit_pass"]


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
    relaxation = relax(lay_out(instance, before), run)
    return better(instance, improve(instance, before, _reduced(relaxation), run, seed, params or ResplitParams()), before)


def _reduced(relaxation: Relaxation) -> np.ndarray:
    return relaxation.priced - relaxation.priced.min(axis=1, keepdims=True)


class ResplitSolver:
    """Annealing, then large neighborhoods solved exactly by HiGHS.

    Parameters
    ----------
    params : ResplitParams
        At ``effort=1``.
    walk : AnnealParams
        The annealing that makes the first assignment.

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

    name = "resplit"
    source = "large neighborhood search, after doi:10.1007/3-540-49481-2_30, parts solved by HiGHS"
    capabilities = Capabilities(lower_bound=True)

    def __init__(self, params: ResplitParams | None = None, walk: AnnealParams | None = None) -> None:
        self.params = params or ResplitParams()
        self.walk = walk or AnnealParams(steps=2_000_000)

    def __call__(
        self, instance: Instance, *, run: Run, seed: int = 0, effort: float = 1.0, start: IntArray | None = None
    ) -> SolverResult:
        """Solve ``instance``; see `gtm_opt.solvers.Solver`."""
        if instance.evenness is not None:
            raise SolverError(
                "solver 'resplit' minimises preference cost, got an evenness objective. Use solver='even' for it."
            )
        since = run.seconds
        before = None if start is None else checked_start(instance, start)
        layout = lay_out(instance, np.zeros(instance.n_units, dtype=np.int64) if before is None else before)
        relaxation = relax(layout, run)
        bound = round_up(relaxation.bound, layout)
        run.report(self.name, bound=bound)
        first = relaxation.priced.argmin(axis=1)
        starts = [first if before is None else allowed_start(layout.cost, relaxation.priced, before)]
        best = starts[0]
        try:
            best = better(instance, anneal(layout, relaxation, starts, run, seed, self.walk).assignment, best)
            run.note("anneal", since, f"objective {evaluate(instance, best).objective:,.6g}")
            since = run.seconds
            if instance.n_territories > 1:
                best = improve(
                    instance,
                    best,
                    _reduced(relaxation),
                    run,
                    seed,
                    self._budget(effort),
                    lambda value: run.report(self.name, value=value),
                )
        except KeyboardInterrupt:
            run.interrupt()
        best = better(instance, best, before)
        final = evaluate(instance, best)
        proved = final.feasible and final.objective <= bound + 1e-9 * max(1.0, abs(bound))
        run.note(self.name, since, f"objective {final.objective:,.6g}, bound {bound:,.6g}")
        return SolverResult(
            assignment=best if final.rules_kept else None,
            bound=bound,
            prices=relaxation.prices,
            side_prices=relaxation.side_prices,
            termination=run.termination(proved=proved),
            steps=tuple(run.steps),
        )

    def _budget(self, effort: float) -> ResplitParams:
        if np.isinf(effort) or self.params.rounds is None:
            return replace(self.params, rounds=None)
        return replace(self.params, rounds=max(1, int(self.params.rounds * effort)))


resplit = ResplitSolver()
