"""Optimal one-to-one matching with forbidden pairs, and matching with several slots per rep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["match", "match_slots"]


def match(score: NDArray[np.float64], forbidden: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Match rows to columns, each at most once, with the greatest total score.

    Parameters
    ----------
    score : ndarray of shape (n_rows, n_columns)
        Finite.
    forbidden : ndarray of bool, same shape
        Pairs that must not be matched.

    Returns
    -------
    ndarray of int, shape (n_rows,)
        Column of each row, -1 where a row stays alone.

    Notes
    -----
    First as many pairs as possible, then the greatest score: a forbidden pair costs more
    than all scores together and is dropped afterwards. Exact, by a shortest augmenting
    path method [1]_ in ``scipy.optimize.linear_sum_assignment``; O(n^3) at worst.

    References
    ----------
    .. [1] D. F. Crouse (2016). On implementing 2D rectangular assignment algorithms.
       IEEE Transactions on Aerospace and Electronic Systems 52(4), 1679-1696.
       https://doi.org/10.1109/TAES.2016.140952
    """
    columns = np.full(score.shape[0], -1, dtype=np.int64)
    if score.size == 0:
        return columns
    spread = float(score.max() - score.min())
    cost = np.where(forbidden, (spread + 1.0) * (min(score.shape) + 1), score.max() - score)
    rows, matched = linear_sum_assignment(cost)
    allowed = ~forbidden[rows, matched]
    columns[rows[allowed]] = matched[allowed]
    return columns


def match_slots(score: NDArray[np.float64], forbidden: NDArray[np.bool_], slots: int) -> NDArray[np.int64]:
    """Match rows to columns, each column up to `slots` times; further slots cost one point each.

    Returns
    -------
    ndarray of int, shape (n_rows,)
        Column of each row, -1 where a row stays alone.
    """
    if slots < 1:
        return np.full(score.shape[0], -1, dtype=np.int64)
    width = score.shape[1]
    wide = np.concatenate([score - slot for slot in range(slots)], axis=1)
    columns = match(wide, np.tile(forbidden, (1, slots)))
    return np.where(columns >= 0, columns % max(width, 1), -1)
