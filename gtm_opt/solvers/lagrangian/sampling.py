"""A weighted sample of the units whose prices are nearly those of all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, Instance, IntArray

__all__ = ["stratified_sample", "stretch_of"]

_LEAST_CALIBRATED, _LEAST_WEIGHT = 10, 0.1
"""Units drawn per total that a group of the sample needs to be calibrated; smallest change of a weight."""

_RIDGE = 1e-10


def stratified_sample(instance: Instance, size: int) -> tuple[IntArray, FloatArray]:
    """Return positions (sorted) and weights of a sample that holds the largest units.

    Notes
    -----
    Half of the sample are the units with the largest share of any criterion (weight 1). The others are sorted by their
    cheapest territory, one is drawn from each of as many equal stretches, and the weights of each such class are
    calibrated, so that its count and its totals are those of all its units: where owners are all that counts, an
    optimum hangs on how much more than its share each owner has, which plain sampling misses by more than a band.

    References
    ----------
    Deville and Saerndal (1992), "Calibration estimators in survey sampling", doi:10.1080/01621459.1992.10475217.
    """
    n = instance.n_units
    biggest, cheapest = np.empty(n), np.empty(n, dtype=np.int64)
    total = np.maximum(instance.target.sum(axis=0), 1e-300)
    for rows in instance.chunks():
        biggest[rows] = (instance.activities3()[rows] / total).max(axis=(1, 2))
        cheapest[rows] = instance.cost_block(rows).argmin(axis=1)
    top = np.sort(np.argsort(-biggest, kind="stable")[: size // 2])
    rest = np.setdiff1d(np.arange(n), top, assume_unique=True)
    rest = rest[np.argsort(cheapest[rest], kind="stable")]
    edges = np.linspace(0, len(rest), size - len(top) + 1).astype(np.int64)
    pick = edges[:-1] + (np.random.default_rng(0).random(len(edges) - 1) * np.diff(edges)).astype(np.int64)
    share = (instance.activities3().mean(axis=1) if instance.by_territory else instance.activities) / total
    calibrated = _calibrate(share, cheapest, rest, rest[pick], np.diff(edges).astype(np.float64))
    units = np.concatenate([top, rest[pick]])
    weight = np.concatenate([np.ones(len(top)), calibrated])
    order = np.argsort(units, kind="stable")
    return units[order], weight[order]


def _calibrate(share: FloatArray, group: IntArray, units: IntArray, drawn: IntArray, weight: FloatArray) -> FloatArray:
    """Return weights of the units drawn with which count and totals of each group are those of ``units``.

    ``share`` (n_units, n_criteria); ``group`` (n_units,). Least change of the weights; where one would fall below a
    tenth of what it was, or too few units of a group are drawn, only its count is met.
    """
    from gtm_opt.solvers.lagrangian._kernels import solve_definite

    known = np.column_stack([np.ones(len(share)), share])
    out = weight.copy()
    n_groups = int(group.max(initial=0)) + 1
    wanted = np.stack([np.bincount(group[units], weights=c, minlength=n_groups) for c in known[units].T], axis=1)
    for label in range(n_groups):
        rows = np.flatnonzero(group[drawn] == label)
        if not len(rows):
            continue
        out[rows] *= wanted[label, 0] / out[rows].sum()
        if len(rows) < _LEAST_CALIBRATED * known.shape[1]:
            continue
        x = known[drawn[rows]]
        x = x / np.maximum((out[rows, None] * x).sum(axis=0), 1e-300)
        goal = wanted[label] / np.maximum((out[rows, None] * known[drawn[rows]]).sum(axis=0), 1e-300)
        moments = np.array([[(out[rows] * a * b).sum() for a in x.T] for b in x.T])
        # a little more on the diagonal: totals may depend on one another (equal columns, a column of ones)
        moments[np.diag_indices_from(moments)] += _RIDGE * np.trace(moments)
        change = goal - (out[rows, None] * x).sum(axis=0)
        if not solve_definite(moments, change):  # in a fixed order, whatever the processor
            continue
        factor = 1.0 + (x * change).sum(axis=1)
        if factor.min() >= _LEAST_WEIGHT:
            out[rows] *= factor
    return out


def stretch_of(instance: Instance, units: IntArray, weight: FloatArray) -> FloatArray:
    """Return total of the weighted sample over total of the instance, per criterion."""
    mean = instance.activities3().mean(axis=1) if instance.by_territory else instance.activities
    total = mean.sum(axis=0)
    part: FloatArray = (weight[:, None] * mean[units]).sum(axis=0)
    return np.where(total > 0, part / np.where(total > 0, total, 1.0), 1.0)
