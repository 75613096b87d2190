"""Which units are freed together, and where each of them may go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.instance import FloatArray, IntArray

__all__ = ["Neighborhood", "by_territories", "by_units"]


@dataclass(frozen=True, slots=True, eq=False)
class Neighborhood:
    """A part of the problem to solve exactly.

    Attributes
    ----------
    units : ndarray of int, shape (n_free,)
        Sorted positions of the units that are freed.
    allowed : ndarray of bool, shape (n_free, n_territories)
        Pairs to choose from; the present one is always among them.
    """

    units: IntArray
    allowed: NDArray[np.bool_]


def by_territories(
    reduced: FloatArray, assignment: IntArray, size: int, n_parts: int, rng: np.random.Generator
) -> Neighborhood:
    """Free up to ``size`` units of ``n_parts`` territories that compete for the same units.

    Parameters
    ----------
    reduced : ndarray of shape (n_units, n_territories)
        Cost plus prices, less the unit's smallest: what a pair costs beyond the relaxation.
    assignment : ndarray of int, shape (n_units,)
    size : int
    n_parts : int
    rng : Generator

    Notes
    -----
    The first territory is random, the others are drawn by how cheaply its units could go there. Of more than
    ``size`` units those stay that are nearest to another of the territories, with some chance.
    """
    k = reduced.shape[1]
    first = int(rng.integers(k))
    inside = np.flatnonzero(assignment == first)
    pull = np.zeros(k)
    if len(inside):
        near = np.partition(reduced[inside], min(3, k) - 1, axis=1)[:, : min(3, k)]
        scale = max(float(near[np.isfinite(near)].mean()), 1e-12)  # pinned units have no second place
        pull = np.exp(-reduced[inside] / scale).sum(axis=0)
    pull = pull + 1e-3 * max(float(pull.max(initial=0.0)), 1e-9)
    pull[first] = 0.0
    others = rng.choice(k, size=min(n_parts, k) - 1, replace=False, p=pull / pull.sum())
    parts = np.zeros(k, dtype=bool)
    parts[first] = parts[others] = True
    units = np.flatnonzero(parts[assignment])
    here = reduced[units][:, parts]
    if len(units) > size:
        margin = np.partition(here, 1, axis=1)[:, 1]
        key = margin + float(np.median(margin)) * rng.exponential(1.0, len(units))
        units = np.sort(units[np.argsort(key, kind="stable")[:size]])
    allowed = np.zeros((len(units), k), dtype=bool)
    allowed[:, parts] = True
    return Neighborhood(units, allowed)


def by_units(
    reduced: FloatArray, assignment: IntArray, size: int, width: float, rng: np.random.Generator
) -> Neighborhood:
    """Free ``size`` units that may go wherever it is cheap for them.

    Parameters
    ----------
    reduced : ndarray of shape (n_units, n_territories)
    assignment : ndarray of int, shape (n_units,)
    size : int
    width : float
        Mean number of territories per unit; the pairs are the cheapest overall.
    rng : Generator

    Notes
    -----
    Units that sit where it costs something, or that could nearly as well go elsewhere, are
    drawn more often.
    """
    n, k = reduced.shape
    size = min(size, n)
    count = min(int(n * width), n * k) - 1
    limit = float(np.partition(reduced.ravel(), count)[count])
    cheap = reduced <= limit
    loose = (cheap.sum(axis=1) > 1) | (reduced[np.arange(n), assignment] > 0.0)
    key = rng.random(n) * np.where(loose, 1.0, 0.3)
    units = np.sort(np.argsort(-key, kind="stable")[:size])
    allowed = cheap[units]
    allowed[np.arange(len(units)), assignment[units]] = True
    return Neighborhood(units, allowed)
