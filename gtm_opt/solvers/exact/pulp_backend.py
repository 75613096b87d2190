"""The full model in PuLP: solve it with any PuLP solver, or write it to .lp or .mps for audit."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gtm_opt.errors import SolverError, SolverNotAvailableError
from gtm_opt.solvers.exact.answer import better, finish, keeps_start_on_interrupt, needs_mending
from gtm_opt.solvers.exact.formulation import formulate
from gtm_opt.solvers.protocol import Capabilities, SolverResult

if TYPE_CHECKING:
    from pulp import LpProblem

    from gtm_opt.instance import Instance, IntArray
    from gtm_opt.solvers.exact.formulation import Formulation
    from gtm_opt.solvers.protocol import Run

__all__ = ["PulpSolver", "build_pulp_model", "pulp_solver"]

_INSIDE = 3e-6
_FILES = 3.0  # writing, reading and checking the model's files takes about so many times what building it took
_BOUND = re.compile(r"^Lower bound:\s+(-?[\d.eE+]+)", re.MULTILINE)


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
    return _build(formulate(instance, inside))[0]


def _import_pulp() -> Any:
    try:
        import pulp
    except ImportError as error:
        raise SolverNotAvailableError(
            "solver='pulp' needs the package PuLP, which is not installed. Install 'pulp[cbc]', or use solver='milp'."
        ) from error
    return pulp


def _build(model: Formulation) -> tuple[LpProblem, list[Any]]:
    """Return the problem and its variables in column order."""
    pulp = _import_pulp()
    problem = pulp.LpProblem("carve", pulp.LpMinimize)
    variables = [
        problem.add_variable(
            name,
            float(low),
            None if np.isinf(high) else float(high),
            "Binary" if column < model.n_pairs else "Continuous",
        )
        for column, (name, low, high) in enumerate(zip(model.column_names, model.low, model.high, strict=True))
    ]
    cost = [(v, float(c)) for v, c in zip(variables, model.objective, strict=True) if c != 0.0]
    problem.setObjective(pulp.LpAffineExpression(cost))
    matrix = model.matrix
    for row, name in enumerate(model.row_names):
        span = slice(matrix.indptr[row], matrix.indptr[row + 1])
        terms = [(variables[c], float(v)) for c, v in zip(matrix.indices[span], matrix.data[span], strict=True)]
        low, high = float(model.row_low[row]), float(model.row_high[row])
        total = pulp.LpAffineExpression(terms)
        if low == high:
            problem.addConstraint(total == low, name)
            continue
        if np.isfinite(high):
            problem.addConstraint(total <= high, name + ("_high" if np.isfinite(low) else ""))
        if np.isfinite(low):
            problem.addConstraint(total >= low, name + ("_low" if np.isfinite(high) else ""))
    return problem, variables


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
        A PuLP solver object of your own (its own time limit applies); None: the bundled CBC.
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
        since = run.seconds
        answer, bound, status = self._solve(instance, run, 0.0)
        if needs_mending(instance, answer) and not run.stop():
            answer = better(instance, answer, self._solve(instance, run, _INSIDE)[0])
        run.stop()
        run.note("pulp", since, status)
        return finish(
            instance,
            run,
            better(instance, start, answer),
            bound,
            proved=status in ("optimal", "infeasible"),
            infeasible=status == "infeasible",
        )

    def _solve(self, instance: Instance, run: Run, inside: float) -> tuple[IntArray | None, float, str]:
        """Return assignment, bound and one of optimal, infeasible, feasible, unknown."""
        pulp = _import_pulp()
        model = formulate(instance, inside)
        if (np.bincount(model.pairs.unit, minlength=instance.n_units) == 0).any():
            return None, np.inf, "infeasible"  # an empty row; CBC's files cannot say so
        if run.stop():
            return None, -np.inf, "unknown"
        since = run.seconds
        problem, variables = _build(model)
        files = _FILES * (run.seconds - since)
        if run.stop() or run.remaining <= files:  # large models take longer to write than some limits allow
            return None, -np.inf, "unknown"
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "cbc.log"
            backend = self.backend if self.backend is not None else _cbc(pulp, run.remaining - files, log)
            if not backend.available():
                raise SolverNotAvailableError(
                    f"solver='pulp': the PuLP solver {backend.name} is not available here. Install it, or 'pulp[cbc]'."
                )
            try:
                problem.solve(backend)
            except pulp.PulpSolverError as error:
                raise SolverError(f"solver='pulp': {backend.name} failed: {error}. Try solver='milp'.") from error
            text = log.read_text() if log.exists() else ""
        if problem.status == pulp.LpStatusInfeasible:
            return None, np.inf, "infeasible"
        values = np.array([np.nan if v.varValue is None else v.varValue for v in variables])
        answer = None
        if problem.sol_status in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible):
            answer = model.assignment(np.nan_to_num(values), instance.n_units)
        if problem.sol_status == pulp.LpSolutionOptimal and answer is not None:
            return answer, float(model.objective @ np.nan_to_num(values)), "optimal"
        found = _BOUND.search(text)
        return answer, float(found.group(1)) if found else -np.inf, "feasible" if answer is not None else "unknown"


def _cbc(pulp: Any, seconds: float, log: Path) -> Any:
    """Return the bundled CBC, one thread, no gap, with so many seconds."""
    try:
        import cbcbox
    except ImportError as error:
        raise SolverNotAvailableError(
            "solver='pulp' needs a CBC binary, and the package cbcbox is not installed. Install 'pulp[cbc]', "
            "give PulpSolver(backend=...) a PuLP solver of your own, or use solver='milp'."
        ) from error
    limit = None if np.isinf(seconds) else max(seconds, 0.1)
    return pulp.COIN_CMD(
        path=cbcbox.cbc_bin_path(), msg=False, timeLimit=limit, gapRel=0.0, gapAbs=0.0, threads=1, logPath=str(log)
    )


pulp_solver = PulpSolver()
