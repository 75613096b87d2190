"""The full model in PuLP: solve it with any PuLP solver, or write it to .lp or .mps for audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gtm_opt.solvers.exact.answer import keeps_start_on_interrupt, solve_formulation
from gtm_opt.solvers.exact.formulation import formulate
from gtm_opt.solvers.protocol import Capabilities

if TYPE_CHECKING:
    from pulp import LpProblem

    from gtm_opt.instance import Instance, IntArray
    from gtm_opt.solvers.protocol import Run, SolverResult

__all__ = ["PulpSolver", "build_pulp_model", "pulp_solver"]


def build_pulp_model(instance: Instance, inside: float = 0.0) -> LpProblem:
    """Return the full model as a PuLP problem.

    Parameters
    ----------
    instance : Instance
    inside : float
        See `gtm_opt.solvers.exact.formulation.formulate`, which also numbers the constraints.

    Returns
    -------
    pulp.LpProblem
        Variables ``x_<unit>_<territory>``; ``.writeLP(path)`` and ``.writeMPS(path)`` write it down.

    Raises
    ------
    SolverNotAvailableError
        When PuLP is not installed.
    """
    from gtm_opt.mip.pulp import build_problem

    problem: LpProblem = build_problem(formulate(instance, inside).program(), named=True)[0]
    return problem


_CAPABILITIES = Capabilities(evenness=True, proof=True, lower_bound=True)


@dataclass(frozen=True, slots=True)
class PulpSolver:
    """Branch and cut on the full model by a PuLP solver, CBC unless told otherwise.

    Attributes
    ----------
    name : str
    capabilities : Capabilities
    source : str
    backend : pulp.LpSolver or None
        A PuLP solver object of your own (its own time limit applies); None: CBC.
    """

    name: str = "pulp"
    capabilities: Capabilities = _CAPABILITIES
    source: str = "Forrest, Lougee-Heimer (2005), doi:10.1287/educ.1053.0020"
    backend: Any = None

    @keeps_start_on_interrupt
    def __call__(
        self, instance: Instance, *, run: Run, seed: int = 0, effort: float = 1.0, start: IntArray | None = None
    ) -> SolverResult:
        """Solve ``instance`` to proven optimality, or to the time limit; see `gtm_opt.solvers.Solver`.

        Notes
        -----
        The model is that of `gtm_opt.solvers.exact.formulation.formulate`. The start is only kept if it
        is better. ``seed`` and ``effort`` change nothing. Of the time limit, what PuLP needs for the model's
        files is set aside; if it is more than there is, CBC is not started at all.
        """
        return solve_formulation(instance, run, start, "pulp", pulp_solver=self.backend)


pulp_solver = PulpSolver()
