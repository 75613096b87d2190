"""The full model by HiGHS, through SciPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint
from scipy.optimize import milp as highs

from gtm_opt.solvers.exact.answer import better, finish, keeps_start_on_interrupt, needs_mending
from gtm_opt.solvers.exact.formulation import formulate
from gtm_opt.solvers.protocol import Capabilities, SolverResult

if TYPE_CHECKING:
    from gtm_opt.instance import Instance, IntArray
    from gtm_opt.solvers.protocol import Run

__all__ = ["MilpSolver", "milp"]

_INSIDE = 3e-6
"""HiGHS keeps rows to 1e-6; an answer that is out by that is asked for again with bands this much narrower."""


_CAPABILITIES = Capabilities(evenness=True, proof=True, lower_bound=True)


@dataclass(frozen=True, slots=True)
class MilpSolver:
    """Branch and cut on the full model by HiGHS (`scipy.optimize.milp`).

    Attributes
    ----------
    name : str
    capabilities : Capabilities
    source : str
    """

    name: str = "milp"
    capabilities: Capabilities = _CAPABILITIES
    source: str = "Huangfu, Hall (2018), doi:10.1007/s12532-017-0130-5"
    nodes: int | None = None

    @keeps_start_on_interrupt
    def __call__(
        self, instance: Instance, *, run: Run, seed: int = 0, effort: float = 1.0, start: IntArray | None = None
    ) -> SolverResult:
        """Solve ``instance`` to proven optimality, or to the time limit; see `gtm_opt.solvers.Solver`.

        Notes
        -----
        The model is that of `gtm_opt.solvers.exact.formulation.formulate`. HiGHS takes no start through
        SciPy: the start is only kept if it is better. Ctrl-C acts when HiGHS returns. ``seed`` and
        ``effort`` change nothing.
        """
        since = run.seconds
        answer, bound, status = _solve(instance, run, 0.0, self.nodes)
        if needs_mending(instance, answer) and not run.stop():
            answer = better(instance, answer, _solve(instance, run, _INSIDE, self.nodes)[0])
        infeasible, proved = status == 2, status in (0, 2)
        run.stop()
        run.note("milp", since, "proved" if proved else f"bound {bound:,.6g}")
        return finish(instance, run, better(instance, start, answer), bound, proved=proved, infeasible=infeasible)


def _solve(instance: Instance, run: Run, inside: float, nodes: int | None) -> tuple[IntArray | None, float, int]:
    """Return assignment, bound and SciPy's status (0 optimal, 1 limit, 2 infeasible)."""
    model = formulate(instance, inside)
    if run.stop():
        return None, -np.inf, 1
    size = np.abs(model.objective[model.objective != 0.0])
    scale = float(size.mean()) if len(size) else 1.0
    integral = np.zeros(len(model.objective), dtype=np.int64)
    integral[: model.n_pairs] = 1
    options: Any = {"mip_rel_gap": 0.0}
    if nodes is not None:
        options["node_limit"] = nodes
    if np.isfinite(run.remaining):
        options["time_limit"] = max(run.remaining, 0.01)
    result = highs(
        model.objective / scale,
        integrality=integral,
        bounds=Bounds(model.low, model.high),
        constraints=LinearConstraint(model.matrix, model.row_low, model.row_high),
        options=options,
    )
    bound = -np.inf if result.mip_dual_bound is None else float(result.mip_dual_bound) * scale
    answer = None if result.x is None else model.assignment(np.asarray(result.x), instance.n_units)
    return answer, bound, int(result.status)


milp = MilpSolver()
