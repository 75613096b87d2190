"""Balance alone: as even as possible, without preferences."""

from gtm_opt.solvers.even.bounds import evenness_bound
from gtm_opt.solvers.even.construct import vector_greedy
from gtm_opt.solvers.even.solver import Even, even

__all__ = ["Even", "even", "evenness_bound", "vector_greedy"]
