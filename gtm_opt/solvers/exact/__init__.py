"""Full models for small nodes, solved to proven optimality: HiGHS, CP-SAT, and any PuLP solver."""

from gtm_opt.solvers.exact.cpsat_backend import CpSatSolver, cpsat
from gtm_opt.solvers.exact.formulation import Formulation, formulate
from gtm_opt.solvers.exact.highs_backend import MilpSolver, milp
from gtm_opt.solvers.exact.pulp_backend import PulpSolver, build_pulp_model, pulp_solver

__all__ = [
    "CpSatSolver",
    "Formulation",
    "MilpSolver",
    "PulpSolver",
    "build_pulp_model",
    "cpsat",
    "formulate",
    "milp",
    "pulp_solver",
]
