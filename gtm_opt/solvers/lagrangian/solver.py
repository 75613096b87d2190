"""The named solver ``lagrangian``: prices, rounding, and a program on the core where it pays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.measures import better, evaluate
from gtm_opt.solvers.lagrangian.ascent import solve_prices
from gtm_opt.solvers.protocol import Capabilities, SolverResult

if TYPE_CHECKING:
    from gtm_opt.instance import Instance, IntArray
    from gtm_opt.solvers.protocol import Run

__all__ = ["LagrangianSolver", "lagrangian"]


_CAPABILITIES = Capabilities(lower_bound=True)


@dataclass(frozen=True, slots=True)
class LagrangianSolver:
    """Lagrangian prices of the balance bands, then rounding, with a certified bound.

    Attributes
    ----------
    name : str
    capabilities : Capabilities
    source : str
    gap : float
        Stop refining when this close to the bound, relative.
    """

    name: str = "lagrangian"
    capabilities: Capabilities = _CAPABILITIES
    source: str = "Geoffrion (1974), doi:10.1007/BFb0120690; Nesterov (2005), doi:10.1007/s10107-004-0552-5"
    gap: float = 2e-4

    def __call__(
        self, instance: Instance, *, run: Run, seed: int = 0, effort: float = 1.0, start: IntArray | None = None
    ) -> SolverResult:
        """Solve ``instance``; see `gtm_opt.solvers.Solver`.

        Notes
        -----
        The bound is for the cost objective with hard bands and elastic penalties. Prices know nothing of
        ``evenness``: with it the bound is zero, which any evenness has.
        """
        from gtm_opt.solvers.rounding.rounding import round_prices

        best = None if start is None else np.array(start, dtype=np.int64)
        since = run.seconds
        found = None
        try:
            found = solve_prices(instance, run, effort)
            run.note("prices", since, f"bound {found.bound:,.6g} after {found.iterations} passes")
            if not found.proved_infeasible:
                rounded = round_prices(instance, found, run, seed, gap=self.gap, effort=effort)
                best = better(instance, best, rounded)
        except KeyboardInterrupt:
            run.interrupt()
        if best is not None and not evaluate(instance, best).rules_kept:
            best = None
        if found is None:
            return SolverResult(best, termination=run.termination(), steps=tuple(run.steps))
        return SolverResult(
            assignment=best,
            bound=found.bound if instance.evenness is None or found.proved_infeasible else 0.0,
            prices=found.prices,
            side_prices=found.side_prices,
            termination=run.termination(proved=found.proved_infeasible),
            proved_infeasible=found.proved_infeasible,
            steps=tuple(run.steps),
        )


lagrangian = LagrangianSolver()
