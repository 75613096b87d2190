"""Sums and products in a fixed order: the same bits on every processor.

The BLAS behind ``@`` picks a kernel by processor, and each adds in another order. Where sums decide (prices,
cheapest places, exchanges) the last bit is enough for another plan at the same score. These functions add in the order
of the data. They are meant for the thin matrices of planning, accounts by criteria, where BLAS gains nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.instance.terms import FloatArray

__all__ = ["dot", "product"]


def dot(left: NDArray[Any], right: NDArray[Any]) -> float:
    """Return the sum of ``left * right``, both of shape (n,), by pairwise summation."""
    return float(np.sum(left * right))


def product(left: NDArray[np.float64], right: NDArray[np.float64]) -> FloatArray:
    """Return ``left @ right`` for a few columns of ``left``.

    Parameters
    ----------
    left : ndarray of shape (n, m)
        m is small: a number of criteria, sides or coordinates.
    right : ndarray of shape (m, k) or (m,)

    Returns
    -------
    ndarray of shape (n, k) or (n,)
        Column after column is added: m passes of O(n k).
    """
    wide = right if right.ndim == 2 else right[:, None]
    out: FloatArray = np.zeros((len(left), wide.shape[1]))
    for column in range(len(wide)):
        out += left[:, column, None] * wide[column]
    return out if right.ndim == 2 else out[:, 0]
