"""The full model by HiGHS, through SciPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gtm_opt.solvers.exact.answer import keeps_start_on_interrupt, solve_formulation
from gtm_opt.solvers.protocol import Capabilities

if TYPE_CHECKING:
    from gtm_opt.instance import Instance, IntArray
    from gtm_opt.solvers.protocol import Run, SolverResult

__all__ = ["MilpSolver", "milp"]

_CAPABILITIES = Capabilities(evenness=True, proof=True, lower_bound=True)


@dataclass(frozen=True, slots=True)
class MilpSolver:
    """Branch and cut on the full model by HiGHS (`gtm_opt.mip`).

    Attributes
    ----------
    name : str
    capabilities : Capabilities
    source : str
    nodes : int or None
        Limit on branch-and-bound nodes: what it cuts is repeatable.
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
        SciPy: the start is only kept if it is better. Large models are solved in a child process, as HiGHS
        does not look at its clock often enough. ``seed`` and ``effort`` change nothing.
        """
        return solve_formulation(instance, run, start, "highs", nodes=self.nodes)


milp = MilpSolver()
