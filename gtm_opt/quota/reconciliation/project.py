"""The nearest coherent tree: least squares, entropy, or a full covariance, with and without bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve, cholesky, null_space, solve_triangular
from scipy.optimize import lsq_linear
from scipy.sparse import csc_array, csr_array, diags_array
from scipy.sparse.linalg import splu

from gtm_opt.errors import SolverError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.quota.reconciliation.system import System

    FloatArray = NDArray[np.float64]

__all__ = ["Projection", "project_covariance", "project_diagonal", "project_entropy"]

_STEPS = 300
_TOLERANCE = 1e-12
_ROUND_OFF = 1e-10
_LEAST_DAMPING = 1e-13
"""Part of the diagonal that is added where Newton steps are good."""
_SHORTEST = 1e-3
"""A shorter step says that the direction is no good."""


@dataclass(frozen=True, eq=False)
class Projection:
    """A coherent tree and the multipliers of its families.

    Attributes
    ----------
    values : ndarray of shape (n_free,)
    multipliers : ndarray of shape (n_rows,)
        Price of one more unit on the right of each family's condition.
    steps : int
    """

    values: FloatArray
    multipliers: FloatArray
    steps: int


def project_diagonal(system: System, start: FloatArray, variance: FloatArray) -> Projection:
    """Minimize ``sum (y - start)^2 / (2 variance)`` over coherent trees within bounds.

    Parameters
    ----------
    system : System
    start, variance : ndarray of shape (n_free,)

    Notes
    -----
    Without active bounds it is ``start - W C' (C W C')^-1 (C start - d)`` [1]_, one sparse factorization of a matrix
    with the pattern of a tree, which has no fill. With bounds ``y = clip(start - W C' lambda)``, and lambda maximizes a
    concave, piecewise quadratic function: semismooth Newton with a line search, each step an active set.

    References
    ----------
    .. [1] S. L. Wickramasuriya, G. Athanasopoulos and R. J. Hyndman (2019). Optimal forecast reconciliation for
       hierarchical and grouped time series through trace minimization. Journal of the American Statistical
       Association 114(526), 804-819. https://doi.org/10.1080/01621459.2018.1448825
    """

    def move(pull: FloatArray) -> FloatArray:
        return start - variance * pull

    def cost(values: FloatArray) -> FloatArray:
        return np.square(values - start) / (2.0 * variance)

    return _ascend(system, move, lambda values: variance, cost)


def project_entropy(system: System, start: FloatArray) -> Projection:
    """Minimize ``sum y log(y / start) - y + start`` over coherent trees within bounds; start > 0.

    Notes
    -----
    ``y = start * exp(-C' lambda)``, always positive; Newton as in `project_diagonal`.
    """

    def move(pull: FloatArray) -> FloatArray:
        return start * np.exp(np.clip(-pull, -500.0, 500.0))

    def cost(values: FloatArray) -> FloatArray:
        safe = np.where(values > 0, values, 1.0)
        return np.where(values > 0, values * np.log(safe / start), 0.0) - values + start

    return _ascend(system, move, lambda values: values, cost)


def _ascend(system: System, move: Any, slope: Any, cost: Any) -> Projection:
    """Maximize the dual by Newton's method; the primal is exact once every condition holds."""
    matrix, right = system.matrix, system.right
    low, high = system.low[system.free], system.high[system.free]
    multipliers = np.zeros(len(right))
    if not len(right):
        return Projection(np.clip(move(np.zeros(len(low))), low, high), multipliers, 0)
    size = np.maximum(1.0, np.abs(right) + abs(matrix) @ np.abs(move(np.zeros(len(low)))))

    def at(lam: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, float]:
        raw = move(matrix.T @ lam)
        values = np.clip(raw, low, high)
        residual = matrix @ values - right
        return raw, values, residual, float(cost(values).sum() + lam @ residual)

    raw, values, residual, dual = at(multipliers)
    trust = _LEAST_DAMPING
    for step in range(_STEPS):
        if (np.abs(residual) <= _TOLERANCE * size).all():
            return Projection(values, multipliers, step)
        weight = slope(np.clip(raw, low, high))
        loose = np.where((raw > low) & (raw < high), weight, 0.0)
        hessian = matrix @ csr_array(diags_array(loose)) @ matrix.T
        whole = np.asarray(matrix.multiply(matrix) @ np.maximum(weight, 1e-12)).ravel()
        damping = np.where(hessian.diagonal() < 1e-8 * whole, np.maximum(1e-6, trust) * whole, trust * whole)
        direction = splu(csc_array(hessian + diags_array(damping)), permc_spec="MMD_AT_PLUS_A").solve(residual)
        gain, length = float(direction @ residual), 1.0
        while True:
            trial = at(multipliers + length * direction)
            rises = trial[3] >= dual + 1e-4 * length * gain - 1e-12 * abs(dual)
            if rises or length < _SHORTEST:
                break
            length *= 0.5
        if (length < 1.0 or not rises) and (np.abs(residual) <= _ROUND_OFF * size).all():
            return Projection(values, multipliers, step)  # what is left is round-off of the dual's own sum
        if not rises:
            # where bounds hold all of a family and of the one below, the system is nearly singular and its direction
            # far too long: damp it (Levenberg-Marquardt), as far as a gradient step if need be
            trust *= 1_000.0
            continue
        trust = max(_LEAST_DAMPING, trust / 1_000.0)
        multipliers = multipliers + length * direction
        raw, values, residual, dual = trial
    worst = float((np.abs(residual) / size).max())
    if worst <= _ROUND_OFF:
        return Projection(values, multipliers, _STEPS)
    raise SolverError(f"the reconciliation did not converge in {_STEPS} steps: a sum is off by {worst:.1e} of itself.")


def project_covariance(system: System, start: FloatArray, covariance: FloatArray) -> Projection:
    """Minimize ``(y - start)' W^-1 (y - start) / 2`` for a full covariance over coherent trees within bounds.

    Parameters
    ----------
    covariance : ndarray of shape (n_free, n_free)
        Positive definite.

    Notes
    -----
    Where bounds are active: least distance programming [1]_, an exact active-set method, in the coordinates of the
    null space of the conditions. O(n^3); meant for trees of up to some thousand nodes.

    References
    ----------
    .. [1] C. L. Lawson and R. J. Hanson (1974). Solving least squares problems, chapter 23. Prentice-Hall.
       https://doi.org/10.1137/1.9781611971217
    """
    low, high = system.low[system.free], system.high[system.free]
    rows = system.matrix.toarray()
    if len(rows):
        across = covariance @ rows.T
        factor = cho_factor(rows @ across)
        multipliers = cho_solve(factor, rows @ start - system.right)
        values = start - across @ multipliers
    else:
        multipliers, values = np.zeros(0), start.copy()
    if (values >= low).all() and (values <= high).all():
        return Projection(values, multipliers, 1)
    basis = null_space(rows) if len(rows) else np.eye(len(start))
    inverse = np.linalg.inv(covariance)
    upper = cholesky(basis.T @ inverse @ basis)
    onto = solve_triangular(upper, basis.T, trans="T", lower=False).T
    finite = np.isfinite(high)
    sides = np.vstack([onto, -onto[finite]])
    limits = np.concatenate([low - values, (values - high)[finite]])
    scale = max(1.0, float(np.abs(limits).max()))
    stacked = np.vstack([sides.T, limits[None, :] / scale])
    target = np.append(np.zeros(onto.shape[1]), 1.0)
    # bounded-variable least squares rather than `nnls`, whose release in SciPy 1.15 ends at wrong answers
    active = lsq_linear(stacked, target, bounds=(0.0, np.inf), method="bvls", tol=1e-14, max_iter=30 * len(limits)).x
    rest = stacked @ active - target
    if abs(rest[-1]) < 1e-14:
        raise SolverError("the reconciliation within bounds did not converge: the covariance is close to singular.")
    price = -scale * active / rest[-1]
    moved = onto @ (sides.T @ price)
    if len(rows):
        # what bounds weigh on each node; the families carry the rest
        weight = price[: len(low)]
        weight[finite] -= price[len(low) :]
        multipliers = multipliers + np.linalg.lstsq(rows.T, weight - inverse @ moved, rcond=None)[0]
    values = np.clip(values + moved, low, high)
    return Projection(values, multipliers, 2)
