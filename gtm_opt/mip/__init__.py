"""Mixed-integer models: formulate once, solve with HiGHS, CP-SAT or any PuLP solver, and get a checked answer.

Every planning stage above builds on it. A `Model` knows columns, rows and names; nothing of accounts
or territories. `solve` scales, solves within the time limit and recomputes the answer in the user's numbers.
"""

from gtm_opt.mip.files import write_model
from gtm_opt.mip.model import Model, Program
from gtm_opt.mip.options import Options
from gtm_opt.mip.solution import Solution, Status
from gtm_opt.mip.solve import backend_table, solve

__all__ = [
    "Model",
    "Options",
    "Program",
    "Solution",
    "Status",
    "backend_table",
    "solve",
    "write_model",
]
