"""Lower bounds on the largest load of K equal territories (integer sizes)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gtm_opt.instance import IntArray

__all__ = ["bins_bound", "load_bound"]

_THRESHOLDS = 200


def bins_bound(size: IntArray, capacity: int) -> int:
    """Return a lower bound on the number of bins of ``capacity`` that hold ``size``.

    Notes
    -----
    The best of dual feasible functions: the identity, the rounding functions of Fekete and
    Schepers [1]_ with their powers, and Martello and Toth's L2.

    References
    ----------
    .. [1] S. P. Fekete, J. Schepers, "New classes of fast lower bounds for bin packing problems",
       Math. Program. 91 (2001), https://doi.org/10.1007/s101070100243
    """
    if len(size) == 0:
        return 0
    size = size.astype(np.int64)
    best = -(-int(size.sum()) // capacity)
    small = np.unique(size[2 * size <= capacity])
    if len(small) > _THRESHOLDS:
        small = small[np.linspace(0, len(small) - 1, _THRESHOLDS).astype(np.int64)]
    for alpha in [0, *small.tolist()]:
        best = max(best, _level_two(size, capacity, alpha))
        kept = _cut(size, capacity, alpha)
        for p in range(2, 7):
            best = max(best, -(-int(_rounded(kept, capacity, p).sum()) // (p * capacity)))
    return best


def _level_two(size: IntArray, capacity: int, alpha: int) -> int:
    """Return Martello and Toth's bound for one threshold."""
    large = size > capacity - alpha
    middle = ~large & (2 * size > capacity)
    small = (2 * size <= capacity) & (size >= max(alpha, 1))
    room = int(middle.sum()) * capacity - int(size[middle].sum())
    more = -(-(int(size[small].sum()) - room) // capacity)
    return int(large.sum() + middle.sum()) + max(0, more)


def _cut(size: IntArray, capacity: int, alpha: int) -> IntArray:
    """Return sizes with those above ``capacity - alpha`` filled up and those below ``alpha`` dropped."""
    return np.where(size > capacity - alpha, capacity, np.where(size < alpha, 0, size))


def _rounded(size: IntArray, capacity: int, p: int) -> IntArray:
    """Return ``p * capacity`` times Fekete and Schepers' u^(p) of the relative size."""
    raised = (p + 1) * size
    whole = raised % capacity == 0
    return np.where(whole, size * p, (raised // capacity) * capacity)


def load_bound(size: IntArray, n_territories: int) -> int:
    """Return a lower bound on the largest load of ``n_territories`` that hold ``size``.

    Notes
    -----
    The largest of the mean, the largest unit, the pigeonhole sums (of the q K + 1 largest units some
    territory holds q + 1), and the smallest capacity that `bins_bound` does not refute.
    """
    ordered = np.sort(size)[::-1].astype(np.int64)
    k = n_territories
    low = max(-(-int(ordered.sum()) // k), int(ordered[0]) if len(ordered) else 0)
    for q in range(1, (len(ordered) - 1) // k + 1):
        low = max(low, int(ordered[q * k - q : q * k + 1].sum()))
    positive = ordered[ordered > 0]
    if len(positive) > 20_000 or len(positive) <= k:
        return low
    step = 1
    while bins_bound(positive, low) > k:
        # refuted at ``low``: gallop on while it is, then close in
        refuted = low
        while bins_bound(positive, low + step) > k:
            refuted = low + step
            step *= 2
        high = low + step
        low = refuted
        while high - low > 1:
            middle = (low + high) // 2
            if bins_bound(positive, middle) > k:
                low = middle
            else:
                high = middle
        return high
    return low
