"""Scaling to integers for CP-SAT: once, explicitly, with the error it makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, IntArray

__all__ = ["Scaled", "scale_costs", "scale_sums"]

_TOTAL = 2.0**30
"""Scaled activities of one criterion add up to about this much."""
_COST_TOTAL = 2.0**58
"""Scaled objective stays below this."""


@dataclass(frozen=True, slots=True, eq=False)
class Scaled:
    """Integers ``values`` that stand for ``values / factor``.

    Attributes
    ----------
    values : ndarray of int
    factor : float
    error : float
        Any sum over distinct units is wrong by at most this much, in scaled units. 0: exact.
    """

    values: IntArray
    factor: float
    error: float


def scale_sums(values: FloatArray, unit: IntArray, n_units: int, *, fine: bool = False) -> Scaled:
    """Scale what is summed over units, for example one activity of all pairs.

    Parameters
    ----------
    values : ndarray of shape (n_pairs,)
        >= 0.
    unit : ndarray of int, shape (n_pairs,)
        Only one pair of a unit counts in a sum.
    n_units : int
    fine : bool
        Scale exact data up as well, for limits that fall between its values.

    Notes
    -----
    Data with up to four decimals stays exact if its total is not too large; other data is multiplied by
    a power of two and rounded to nearest.
    """
    largest = np.zeros(n_units)
    np.maximum.at(largest, unit, values)
    total = max(float(largest.sum()), 1e-300)
    for digits in range(5):
        factor = 10.0**digits
        whole = np.rint(values * factor)
        if total * factor > _TOTAL * 2**6:
            break
        if np.array_equal(whole / factor, values):
            finer = 2.0 ** max(0.0, np.floor(np.log2(_TOTAL / (total * factor)))) if fine else 1.0
            return Scaled((whole * finer).astype(np.int64), float(factor * finer), 0.0)
    factor = 2.0 ** np.floor(np.log2(_TOTAL / total))
    whole = np.rint(values * factor)
    off = np.zeros(n_units)
    np.maximum.at(off, unit, np.abs(whole - values * factor))
    return Scaled(whole.astype(np.int64), float(factor), float(off.sum()) + 1e-12 * total * factor)


def scale_costs(cost: FloatArray, unit: IntArray, n_units: int, penalties: float) -> tuple[IntArray, float]:
    """Return costs rounded *down* to integers, and their factor.

    ``penalties``: an upper limit on what elastic bands can cost, in the unit of ``cost``.
    """
    largest = np.zeros(n_units)
    np.maximum.at(largest, unit, np.abs(cost))
    total = float(largest.sum()) + penalties
    if total == 0.0:
        return np.zeros(len(cost), dtype=np.int64), 1.0
    for factor in (1.0, 10.0, 100.0, 1e3, 1e4):
        if penalties == 0.0 and total * factor < _COST_TOTAL and np.array_equal(np.rint(cost * factor) / factor, cost):
            return np.rint(cost * factor).astype(np.int64), factor
    factor = float(2.0 ** np.floor(np.log2(_COST_TOTAL / total)))
    return np.floor(cost * factor).astype(np.int64), factor
