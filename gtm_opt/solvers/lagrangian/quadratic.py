"""The small concave model of one Newton step, with kinks at zero and a box."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray

__all__ = ["Limits", "maximize_model"]

_ROUNDS = 12
_SWEEPS = 6
_FIXED = 1_500
"""Systems up to this size are solved in a fixed order; LAPACK, which adds by processor, is faster beyond."""


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """Slopes and box of the multipliers, all of shape (n_multipliers,).

    Attributes
    ----------
    up, down : ndarray
        The dual loses ``up * x`` for ``x > 0`` and ``down * x`` for ``x < 0``; ``down <= up``.
    low, high : ndarray
        Box.
    """

    up: FloatArray
    down: FloatArray
    low: FloatArray
    high: FloatArray

    def near(self, point: FloatArray, radius: FloatArray) -> Limits:
        """Return the same slopes with the part of the box within ``radius`` of ``point``."""
        return replace(self, low=np.maximum(self.low, point - radius), high=np.minimum(self.high, point + radius))

    def loss(self, point: FloatArray) -> float:
        """Return ``sum(up x+ - down x-)``."""
        return float((np.where(point > 0, self.up, self.down) * point).sum())


def maximize_model(curvature: FloatArray, gradient: FloatArray, point: FloatArray, limits: Limits) -> FloatArray:
    """Return the maximizer of ``g.(x - x0) - (x - x0)'A(x - x0)/2 - loss(x)`` over the box.

    Parameters
    ----------
    curvature : ndarray of shape (p, p)
        ``A``, symmetric positive definite.
    gradient : ndarray of shape (p,)
    point : ndarray of shape (p,)
        ``x0``, inside the box.
    limits : Limits

    Notes
    -----
    Coordinate ascent finds which multipliers are zero or on the box, a linear solve on the others goes
    all the way (coordinates alone crawl: raising all prices of one criterion together has no curvature).
    Both only ever improve the model.
    """
    from gtm_opt.solvers.lagrangian._kernels import descend

    x = point.copy()
    residual = gradient.copy()
    for _ in range(_ROUNDS):
        moved = descend(curvature, residual, x, limits.up, limits.down, limits.low, limits.high, _SWEEPS)
        free = np.flatnonzero((x != 0.0) & (x > limits.low) & (x < limits.high))
        if moved == 0.0 or not len(free):
            break
        slope = np.where(x[free] > 0, limits.up[free], limits.down[free])
        step = _solved(curvature[np.ix_(free, free)], residual[free] - slope)
        # as far as signs and box allow: beyond, the model has another slope
        top = np.where(x[free] > 0, limits.high[free], np.minimum(limits.high[free], 0.0))
        bottom = np.where(x[free] < 0, limits.low[free], np.maximum(limits.low[free], 0.0))
        edge = np.where(step > 0, top, bottom)
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.where(step != 0.0, (edge - x[free]) / step, np.inf)
        length = min(1.0, float(reach.min()))
        new = x[free] + length * step
        new[reach <= length] = edge[reach <= length]
        residual -= (curvature[:, free] * (new - x[free])).sum(axis=1)
        x[free] = new
        if length == 1.0 and np.abs(step).max() <= 1e-9 * np.abs(x).max():
            break
    return x


def _solved(matrix: FloatArray, right: FloatArray) -> FloatArray:
    """Solve a positive definite system, in a fixed order up to `_FIXED` unknowns."""
    from gtm_opt.solvers.lagrangian._kernels import solve_definite

    if len(right) <= _FIXED:
        out = right.copy()
        if solve_definite(matrix, out):
            return out
    return np.asarray(np.linalg.solve(matrix, right), dtype=np.float64)
