"""Solve a reconciliation that was read: project, check, round."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import SolverError
from gtm_opt.quota.reconciliation.check import incoherence, optimality_error
from gtm_opt.quota.reconciliation.project import project_covariance, project_diagonal, project_entropy
from gtm_opt.quota.reconciliation.result import Reconciliation, Round
from gtm_opt.quota.reconciliation.system import build_system
from gtm_opt.quota.reconciliation.whole import round_tree
from gtm_opt.quota.rounding import UNBOUNDED

if TYPE_CHECKING:
    from fractions import Fraction

    import pandas as pd
    from numpy.typing import NDArray

    from gtm_opt.quota.layers import Layers
    from gtm_opt.quota.reconciliation.estimates import Estimates
    from gtm_opt.quota.reconciliation.system import System

    FloatArray = NDArray[np.float64]

__all__ = ["METHODS", "Request", "Solved", "solve_request"]

METHODS = ("wls", "ols", "entropy", "covariance")
ACCURACY = 1e-7
"""Largest relative error of an optimality condition that passes."""


@dataclass(frozen=True, eq=False)
class Request:
    """What is to be reconciled, read and checked; arrays of shape (n_nodes,), nodes in the order of ``layers``."""

    tree: pd.DataFrame
    layers: Layers
    edges: tuple[Fraction, ...]
    estimates: Estimates
    fixed: dict[int, float]
    low: FloatArray
    high: FloatArray
    method: str
    covariance: FloatArray | None
    unit: int
    notes: tuple[str, ...]
    currency: str
    reliability: pd.DataFrame | None

    @property
    def factor(self) -> FloatArray:
        """1 + over-assignment below each node."""
        return np.array([float(e) for e in self.edges])

    @property
    def variance(self) -> FloatArray:
        """What moves are weighed by."""
        return np.ones(len(self.layers)) if self.method == "ols" else self.estimates.variance


@dataclass(frozen=True, eq=False)
class Solved:
    """The coherent tree before and after rounding, and what proves it.

    Attributes
    ----------
    coherent : ndarray of shape (n_nodes,)
    amounts : ndarray of int, shape (n_nodes,)
    multipliers : ndarray of shape (n_nodes,)
        Of the family below each node; 0 where nothing is free in it.
    system : System
    errors : dict of str to float
        Largest relative error of each optimality condition.
    steps : int
    """

    coherent: FloatArray
    amounts: NDArray[np.int64]
    multipliers: FloatArray
    system: System
    errors: dict[str, float]
    steps: int


def solve_request(request: Request, rounds: tuple[Round, ...] = ()) -> Reconciliation:
    """Solve, verify and round; ``rounds`` are those that came before."""
    layers, factor = request.layers, request.factor
    start = request.estimates.pooled
    system = build_system(layers, factor, request.fixed, request.low, request.high, 0.5 * request.unit)
    free = system.free
    matrix = None if request.covariance is None else request.covariance[np.ix_(free, free)]
    if matrix is not None:
        projection = project_covariance(system, start[free], matrix)
    elif request.method == "entropy":
        projection = project_entropy(system, start[free])
    else:
        projection = project_diagonal(system, start[free], request.variance[free])
    coherent = system.value.copy()
    coherent[free] = projection.values
    multipliers = np.zeros(len(layers))
    multipliers[system.family] = projection.multipliers
    is_free = np.zeros(len(layers), dtype=bool)
    is_free[free] = True
    scale = None if request.method == "entropy" else request.variance
    errors = optimality_error(
        layers, factor, system.shift, coherent, start, scale, matrix, multipliers, is_free, system.low, system.high
    )
    if max(errors.values()) > ACCURACY:
        off = ", ".join(f"{name} {error:.1e}" for name, error in errors.items())
        raise SolverError(f"the reconciliation does not pass its check (largest relative errors: {off}).")
    units = round_tree(layers, list(request.edges), coherent / request.unit, *_whole_bounds(request), request.unit)
    solved = Solved(coherent, units * request.unit, multipliers, system, errors, projection.steps)
    moved = int(np.count_nonzero(np.abs(solved.amounts - start) >= request.unit))
    told = Round(
        len(rounds) + 1,
        tuple(sorted(layers.ids[n] for n in request.fixed)),
        int(solved.amounts[0]),
        moved,
        float(np.abs(incoherence(layers, factor, start)).sum()),
    )
    return Reconciliation(request, solved, (*rounds, told))


def _whole_bounds(request: Request) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return floors and caps in units, fixed nodes pinned."""
    unit = request.unit
    floors = np.rint(request.low / unit).astype(np.int64)
    caps = np.where(np.isinf(request.high), UNBOUNDED, 0.0)
    finite = np.isfinite(request.high)
    caps[finite] = np.rint(request.high[finite] / unit)
    caps = caps.astype(np.int64)
    for node, amount in request.fixed.items():
        floors[node] = caps[node] = round(amount / unit)
    return floors, caps
