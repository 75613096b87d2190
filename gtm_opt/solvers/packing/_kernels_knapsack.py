# mypy: disable-error-code="no-untyped-def"
"""Compiled 0/1 knapsacks by dynamic programming, one territory at a time.

Imported late: loading this module loads numba.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["fill_territories"]


@njit(cache=True, nogil=True)
def _fill(profit, size, capacity, value, taken, chosen):
    """Return the largest profit of units that fit; ``chosen[i]`` says which.

    ``value`` has ``capacity + 1`` entries, ``taken`` has as many columns and a row per unit.
    """
    n = len(profit)
    picked = np.empty(n, dtype=np.int64)
    count = 0
    total = 0
    for i in range(n):
        chosen[i] = 0
        if profit[i] > 0.0 and size[i] <= capacity:
            picked[count] = i
            count += 1
            total += size[i]
    if total <= capacity:
        gain = 0.0
        for c in range(count):
            chosen[picked[c]] = 1
            gain += profit[picked[c]]
        return gain
    for w in range(capacity + 1):
        value[w] = 0.0
    for c in range(count):
        i = picked[c]
        s, v = size[i], profit[i]
        for w in range(s):
            taken[c, w] = 0
        for w in range(capacity, s - 1, -1):
            other = value[w - s] + v
            if other > value[w]:
                value[w] = other
                taken[c, w] = 1
            else:
                taken[c, w] = 0
    w = capacity
    for c in range(count - 1, -1, -1):
        if taken[c, w]:
            chosen[picked[c]] = 1
            w -= size[picked[c]]
    return value[capacity]


@njit(cache=True, nogil=True)
def fill_territories(first, last, prices, cost, size, capacity, value, taken, chosen, gain):
    """Fill territories ``first`` to ``last`` (excluded) at the units' ``prices``.

    ``gain[k]`` is the largest sum of price minus cost, ``chosen[k]`` the units that reach it.
    """
    n = cost.shape[1]
    profit = np.empty(n)
    for k in range(first, last):
        for i in range(n):
            profit[i] = prices[i] - cost[k, i]
        gain[k] = _fill(profit, size[k], capacity[k], value, taken, chosen[k])
