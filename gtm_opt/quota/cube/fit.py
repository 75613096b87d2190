"""Fit the seed to margins: raking, or least squares, within the bounds of cells; converged or refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gtm_opt.quota.cube.margins import Margin

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]
    Method = Literal["raking", "quadratic"]

__all__ = ["Fit", "fit_margins"]

TOLERANCE = 1e-9
"""A margin is met when its sum is off by less than this part of itself (of one unit, where it is smaller)."""
_ROUNDS = 200


@dataclass(frozen=True, eq=False)
class Fit:
    """A table in units that keeps margins and bounds, or how far the computation came.

    Attributes
    ----------
    values : ndarray of shape (n_cells,)
    converged : bool
    passes : int
    residual : float
        Largest difference between a sum and its margin, in units.
    """

    values: FloatArray
    converged: bool
    passes: int
    residual: float


def fit_margins(
    seed: FloatArray,
    margins: Sequence[Margin],
    low: FloatArray,
    high: FloatArray,
    method: Method,
    max_passes: int,
) -> Fit:
    """Return the table nearest to the seed that has these margins and keeps the bounds.

    Parameters
    ----------
    seed : ndarray of shape (n_cells,)
        Positive.
    margins : sequence of Margin
        That agree with each other.
    low, high : ndarray of shape (n_cells,)
        Bounds in units, 0 <= low <= high <= inf.
    method : {"raking", "quadratic"}
    max_passes : int

    Returns
    -------
    Fit

    Notes
    -----
    ``raking`` minimizes ``sum x log(x / seed) - x + seed`` (iterative proportional fitting [1]_), ``quadratic``
    minimizes ``sum (x - s)^2`` where s is the seed scaled to the total. Both are solved by ascent in the dual, one
    margin after another: the optimum has the form ``clip(seed * product of factors, low, high)``, or ``clip(s + sum of
    terms, low, high)`` [2]_, and each step finds the factors of one margin so that its sums are exact. A table of this
    form that meets all margins is optimal; hence only the margins have to be checked. O(cells) per pass and margin.

    References
    ----------
    .. [1] W. E. Deming and F. F. Stephan (1940). On a least squares adjustment of a sampled frequency table when the
       expected marginal totals are known. Annals of Mathematical Statistics 11(4), 427-444.
       https://doi.org/10.1214/aoms/1177731829
    .. [2] P. Tseng (1993). Dual coordinate ascent methods for non-strictly convex minimization. Mathematical
       Programming 59, 231-247. https://doi.org/10.1007/BF01581245
    """
    is_raking = method == "raking"
    is_free = bool((low <= 0.0).all() and np.isinf(high).all())
    state = seed * (float(margins[0].total.sum()) / float(seed.sum()))
    limits = [TOLERANCE * np.maximum(1.0, m.total) for m in margins]
    values, residual = state, np.inf
    for passed in range(1, max_passes + 1):
        for margin in margins:
            if is_raking and is_free:
                sums = margin.sums(state)
                state = state * np.divide(margin.total, sums, out=np.zeros_like(sums), where=sums > 0)[margin.group]
            else:
                state = (
                    _scale_groups(state, margin, low, high) if is_raking else _shift_groups(state, margin, low, high)
                )
        values = state if is_raking and is_free else np.clip(state, low, high)
        off = [np.abs(m.sums(values) - m.total) for m in margins]
        residual = max(float(o.max(initial=0.0)) for o in off)
        if not np.isfinite(residual):
            break
        if all((o <= limit).all() for o, limit in zip(off, limits, strict=True)):
            return Fit(values, True, passed, residual)
    return Fit(values, False, max_passes, residual)


def _scale_groups(state: FloatArray, margin: Margin, low: FloatArray, high: FloatArray) -> FloatArray:
    """Return ``state`` times a factor per group with which the clipped sums are the margin's."""
    group, count = margin.group, len(margin.total)
    # what must be nothing is nothing from the start: no factor above zero reaches it
    factor = np.where(margin.total > 0.0, 1.0, 0.0)
    least, most = np.zeros(count), np.full(count, np.inf)
    for _ in range(_ROUNDS):
        moved = state * factor[group]
        values = np.clip(moved, low, high)
        off = margin.sums(values) - margin.total
        done = np.abs(off) <= 1e-13 * np.maximum(1.0, margin.total)
        if done.all():
            break
        least, most = (
            np.where(off < 0, np.maximum(least, factor), least),
            np.where(off > 0, np.minimum(most, factor), most),
        )
        inside = (moved > low) & (moved < high)
        slope = np.bincount(group[inside], weights=state[inside], minlength=count)
        step = factor - np.divide(off, slope, out=np.full(count, np.nan), where=slope > 0)
        # outside the bracket, or without anything that moves: halve on the logarithmic scale
        is_open = np.isinf(most)
        top = np.where(is_open, 1.0, most)
        middle = np.where(is_open, factor * 4.0, np.where(least > 0.0, np.sqrt(least) * np.sqrt(top), top / 4.0))
        usable = np.isfinite(step) & (step > least) & (step < most)
        factor = np.where(done, factor, np.where(usable, step, middle))
    return state * factor[group]


def _shift_groups(state: FloatArray, margin: Margin, low: FloatArray, high: FloatArray) -> FloatArray:
    """Return ``state`` plus a term per group with which the clipped sums are the margin's."""
    group, count = margin.group, len(margin.total)
    term = np.zeros(count)
    least, most = np.full(count, -np.inf), np.full(count, np.inf)
    span = 1.0 + float(np.abs(state).max(initial=0.0)) + float(margin.total.max(initial=0.0))
    for _ in range(_ROUNDS):
        moved = state + term[group]
        off = margin.sums(np.clip(moved, low, high)) - margin.total
        done = np.abs(off) <= 1e-13 * np.maximum(1.0, margin.total)
        if done.all():
            break
        least, most = np.where(off < 0, np.maximum(least, term), least), np.where(off > 0, np.minimum(most, term), most)
        inside = (moved > low) & (moved < high)
        slope = np.bincount(group[inside], minlength=count).astype(np.float64)
        step = term - np.divide(off, slope, out=np.full(count, np.nan), where=slope > 0)
        is_open = np.isinf(most) | np.isinf(least)
        middle = np.where(
            is_open, term - np.sign(off) * span, 0.5 * (np.where(is_open, 0, least) + np.where(is_open, 0, most))
        )
        usable = np.isfinite(step) & (step > least) & (step < most)
        term = np.where(done, term, np.where(usable, step, middle))
    return state + term[group]
