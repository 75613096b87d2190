"""The linear relaxation of a large rounding problem by a first-order method, with a bound that needs no trust in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csc_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.mip import Program

    FloatArray = NDArray[np.float64]

__all__ = ["relax", "relaxation_bound"]

_ITERATIONS = 20_000


def relax(program: Program) -> tuple[FloatArray, float]:
    """Return a near-optimal point of the linear relaxation, and a lower bound on its optimum.

    Parameters
    ----------
    program : Program
        With finite bounds of all columns.

    Returns
    -------
    values : ndarray of shape (n_columns,)
        Within the bounds; rows hold up to the tolerance of the method only.
    bound : float
        Recomputed from the duals, see `relaxation_bound`; valid whatever the method did.

    Notes
    -----
    Restarted primal-dual hybrid gradient [1]_ as implemented in OR-tools. Transportation problems in three and more
    dimensions have long simplex paths and dense factors, and this method needs neither. One thread, repeatable.

    References
    ----------
    .. [1] D. Applegate et al. (2021). Practical large-scale linear programming using primal-dual hybrid gradient.
       Advances in Neural Information Processing Systems 34. https://arxiv.org/abs/2106.04756
    """
    from ortools.pdlp import solvers_pb2
    from ortools.pdlp.python import pdlp

    model = pdlp.QuadraticProgram()
    model.objective_vector = program.cost
    model.constraint_matrix = csc_matrix(program.matrix)
    model.constraint_lower_bounds, model.constraint_upper_bounds = program.row_low.copy(), program.row_high.copy()
    model.variable_lower_bounds, model.variable_upper_bounds = program.low.copy(), program.high.copy()
    params = solvers_pb2.PrimalDualHybridGradientParams()
    params.num_threads = 1
    params.termination_criteria.iteration_limit = _ITERATIONS
    params.termination_criteria.simple_optimality_criteria.eps_optimal_absolute = 1e-4
    params.termination_criteria.simple_optimality_criteria.eps_optimal_relative = 1e-7
    result = pdlp.primal_dual_hybrid_gradient(model, params)
    values = np.clip(np.asarray(result.primal_solution), program.low, program.high)
    return values, relaxation_bound(program, np.asarray(result.dual_solution))


def relaxation_bound(program: Program, duals: FloatArray) -> float:
    """Return the value of the Lagrangian dual: a lower bound for any ``duals``, shape (n_rows,).

    Rows enter at the limit on the side of the sign of their dual, columns at the cheaper of their bounds; the rounding
    error of the sums is taken off.
    """
    # a dual that points at a limit that is not there says nothing
    usable = np.where(duals > 0, np.isfinite(program.row_low), np.isfinite(program.row_high))
    duals = np.where(usable, duals, 0.0)
    limit = np.where(duals > 0, program.row_low, program.row_high)
    reduced = program.cost - program.matrix.T @ duals
    terms = np.minimum(reduced * program.low, reduced * program.high)
    rows = np.where(duals != 0.0, duals * np.where(duals != 0.0, limit, 0.0), 0.0)
    error = 1e-12 * float(np.abs(terms).sum() + np.abs(rows).sum())
    return float(terms.sum() + rows.sum()) + program.offset - error
