"""Balance alone: as even as possible, without preferences."""

from gtm_opt.solvers.balancing.bounds import evenness_bound
from gtm_opt.solvers.balancing.construct import vector_greedy
from gtm_opt.solvers.balancing.solver import BalancingSolver, balancing

__all__ = ["BalancingSolver", "balancing", "evenness_bound", "vector_greedy"]
