"""Named methods behind one protocol: prices, rounding, search, exact models, baselines."""

from gtm_opt.solvers.cancel import Cancel, CancelToken
from gtm_opt.solvers.protocol import (
    Capabilities,
    Progress,
    ProgressCallback,
    Run,
    Solver,
    SolverResult,
    SolveStatus,
    Step,
    Termination,
)
from gtm_opt.solvers.registry import get_solver, register_solver, solver_names, solver_table

__all__ = [
    "Cancel",
    "CancelToken",
    "Capabilities",
    "Progress",
    "ProgressCallback",
    "Run",
    "SolveStatus",
    "Solver",
    "SolverResult",
    "Step",
    "Termination",
    "get_solver",
    "register_solver",
    "solver_names",
    "solver_table",
]
