"""How uneven a vector of totals is: deviation, coefficient of variation, Gini, share outside a band."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import MeasureError
from gtm_opt.instance import dot

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray

__all__ = ["coefficient_of_variation", "forced_deviation", "gini", "max_relative_deviation", "share_outside"]


def _checked(totals: FloatArray, targets: FloatArray) -> tuple[FloatArray, FloatArray]:
    totals, targets = np.asarray(totals, dtype=float), np.asarray(targets, dtype=float)
    if totals.shape != targets.shape:
        raise MeasureError(f"`totals` and `targets` must have the same shape, got {totals.shape} and {targets.shape}.")
    if not (targets > 0).all():
        raise MeasureError(f"`targets` must be positive, got {targets.min():g}.")
    return totals, targets


def max_relative_deviation(totals: FloatArray, targets: FloatArray) -> float:
    """Return the largest relative gap between a territory's total and its target.

    Parameters
    ----------
    totals, targets : ndarray of shape (n_territories,)
        Same unit; targets strictly positive.

    Returns
    -------
    float
        ``max(|totals - targets| / targets)``, a fraction: 0.1 means that one territory is 10 % off.

    Raises
    ------
    MeasureError
        If the shapes differ, or a target is not strictly positive.

    Examples
    --------
    >>> max_relative_deviation(np.array([90.0, 110.0]), np.array([100.0, 100.0]))
    0.1
    """
    totals, targets = _checked(totals, targets)
    return float((np.abs(totals - targets) / targets).max(initial=0.0))


def share_outside(totals: FloatArray, targets: FloatArray, limit: float = 0.15) -> float:
    """Return the fraction of territories more than ``limit`` off their target.

    Examples
    --------
    >>> share_outside(np.array([80.0, 100.0, 120.0, 100.0]), np.full(4, 100.0))
    0.5
    """
    totals, targets = _checked(totals, targets)
    return float((np.abs(totals - targets) / targets > limit).mean()) if len(totals) else 0.0


def coefficient_of_variation(ratios: FloatArray) -> float:
    """Return the population standard deviation over the mean of ``ratios`` (total / target).

    Examples
    --------
    >>> round(coefficient_of_variation(np.array([0.8, 0.9, 1.0, 1.1, 1.2])), 5)
    0.14142
    """
    mean = float(np.mean(ratios))
    if mean <= 0:
        raise MeasureError(f"The coefficient of variation needs a positive mean, got {mean:g}.")
    return float(np.std(ratios)) / mean


def gini(ratios: FloatArray) -> float:
    """Return the Gini coefficient of non-negative ``ratios``: 0 all equal, towards 1 one has all.

    Examples
    --------
    >>> round(gini(np.array([0.8, 0.9, 1.0, 1.1, 1.2])), 4)
    0.08
    >>> gini(np.array([0.0, 0.0, 0.0, 1.0]))
    0.75
    """
    values = np.sort(np.asarray(ratios, dtype=float))
    if len(values) == 0 or values[0] < 0 or values.sum() <= 0:
        raise MeasureError("The Gini coefficient needs values >= 0 with a positive sum.")
    rank = np.arange(1, len(values) + 1)
    return dot(2.0 * rank - len(values) - 1, values) / (len(values) * float(values.sum()))


def forced_deviation(values: FloatArray, targets: FloatArray) -> float:
    """Return a deviation that no assignment can avoid, because of single large units.

    Parameters
    ----------
    values : ndarray of shape (n_units,)
        Size of each unit, >= 0.
    targets : ndarray of shape (n_territories,)
        Positive.

    Returns
    -------
    float
        Lower bound on `max_relative_deviation`: the q largest units fill at most q territories,
        and the other territories share what is left.

    Notes
    -----
    For every q < K: whichever territories hold the q largest units, at least K - q hold none of
    them and must make do with the rest, so some territory is at most ``rest / (sum of the K - q
    smallest targets)`` of its target; and the largest unit alone overfills whoever takes it.
    O(n + K log K).

    Examples
    --------
    >>> round(forced_deviation(np.array([60.0, 20.0, 20.0, 20.0]), np.full(3, 40.0)), 3)
    0.5
    """
    targets = np.sort(np.asarray(targets, dtype=float))
    k = len(targets)
    if len(values) == 0 or k == 0:
        return 0.0
    count = min(k, len(values))
    largest = np.sort(np.partition(values, len(values) - count)[len(values) - count :])[::-1]
    forced = max(0.0, float(largest[0] / targets[-1]) - 1.0)
    rest = float(values.sum())
    smallest = np.cumsum(targets)
    for q in range(1, min(k, count + 1)):
        rest -= float(largest[q - 1])
        forced = max(forced, 1.0 - rest / float(smallest[k - q - 1]))
    return forced
