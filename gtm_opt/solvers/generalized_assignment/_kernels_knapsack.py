# mypy: disable-error-code="no-untyped-def"
"""Compiled 0/1 knapsacks, one territory at a time: a small core around the break unit, grown until it is proved.

Imported late: loading this module loads numba.

References
----------
E. Balas, E. Zemel (1980). An algorithm for large zero-one knapsack problems. https://doi.org/10.1287/opre.28.5.1130
D. Pisinger (1997). A minimal algorithm for the 0-1 knapsack problem. https://doi.org/10.1287/opre.45.5.758
"""

from __future__ import annotations

import numpy as np

from gtm_opt.solvers._kernels_jit import njit

__all__ = ["fill", "fill_territories"]

_CORE = 24


@njit(cache=True, nogil=True)
def _break_rate(rate, size, order, count, room):
    """Return the rate of profit of the unit at which ``room`` runs out when units are taken best rate first.

    Reorders ``order[:count]``; the sizes must sum to more than ``room``.
    """
    low, high, left = 0, count, room
    while high - low > 1:
        a, b, c = rate[order[low]], rate[order[(low + high) // 2]], rate[order[high - 1]]
        pivot = max(min(a, b), min(max(a, b), c))
        above, at, below = low, low, high
        used, same = 0, 0
        while at < below:
            i = order[at]
            if rate[i] > pivot:
                order[at], order[above] = order[above], i
                used += size[i]
                above += 1
                at += 1
            elif rate[i] < pivot:
                below -= 1
                order[at], order[below] = order[below], i
            else:
                same += size[i]
                at += 1
        if used > left:
            high = above
        elif used + same > left:
            return pivot
        else:
            left -= used + same
            low = below
    return rate[order[low]]


@njit(cache=True, nogil=True)
def _nth(value, order, count, nth):
    """Return the ``nth`` smallest of ``value[order[:count]]``; reorders ``order[:count]``."""
    low, high = 0, count
    while high - low > 1:
        a, b, c = value[order[low]], value[order[(low + high) // 2]], value[order[high - 1]]
        pivot = max(min(a, b), min(max(a, b), c))
        below, at, above = low, low, high
        while at < above:
            i = order[at]
            if value[i] < pivot:
                order[at], order[below] = order[below], i
                below += 1
                at += 1
            elif value[i] > pivot:
                above -= 1
                order[at], order[above] = order[above], i
            else:
                at += 1
        if nth < below:
            high = below
        elif nth < above:
            return pivot
        else:
            low = above
    return value[order[low]]


@njit(cache=True, nogil=True)
def _table(core, count, profit, size, room, value, other, taken):
    """Fill the table of the units ``core[:count]``; return the largest profit within ``room``."""
    for w in range(room + 1):
        value[w] = 0.0
    for c in range(count):
        s, v = size[core[c]], profit[core[c]]
        row = taken[c]
        for w in range(min(s, room + 1)):
            row[w] = 0
            other[w] = value[w]
        for w in range(s, room + 1):
            with_it = value[w - s] + v
            better = with_it > value[w]
            row[w] = better
            other[w] = with_it if better else value[w]
        value, other = other, value
    return value[room]


@njit(cache=True, nogil=True)
def fill(profit, size, room, space, taken, chosen):
    """Return the largest profit of units that fit; ``chosen[i]`` says which.

    ``space`` has two rows of ``largest room + 1`` entries, ``taken`` as many columns and a row per unit.

    Units far from the break unit's rate are fixed by the linear bound. What is left is a table
    of few units; where the bound does not prove that they are enough, the table grows to all in doubt.
    """
    n = len(profit)
    order = np.empty(n, dtype=np.int64)
    core = np.empty(n, dtype=np.int64)
    rate = np.empty(n)
    count, total, gain = 0, 0, 0.0
    for i in range(n):
        chosen[i] = 0
        if profit[i] > 0.0 and size[i] <= room:
            if size[i] <= 0:
                chosen[i] = 1
                gain += profit[i]
                continue
            rate[i] = profit[i] / size[i]
            order[count] = i
            count += 1
            total += size[i]
    if total <= room:
        for c in range(count):
            chosen[order[c]] = 1
            gain += profit[order[c]]
        return gain
    at_break = _break_rate(rate, size, order, count, room)
    # the linear bound, and how much it falls when a unit is not where its rate says
    bound = at_break * room
    for c in range(count):
        i = order[c]
        rate[i] = profit[i] - at_break * size[i]
        if rate[i] > 0.0:
            bound += rate[i]
        rate[i] = abs(rate[i])
    doubt = _nth(rate, order, count, min(_CORE, count - 1))
    while True:
        inside, left, base = 0, room, 0.0
        for c in range(count):
            i = order[c]
            if rate[i] <= doubt:
                core[inside] = i
                inside += 1
            elif profit[i] > at_break * size[i]:
                left -= size[i]
                base += profit[i]
        best = base + _table(core, inside, profit, size, left, space[0], space[1], taken)
        if inside == count or bound - best <= doubt:
            break
        doubt = bound - best + 1e-9 * (1.0 + abs(bound))
    for c in range(count):
        i = order[c]
        if rate[i] > doubt and profit[i] > at_break * size[i]:
            chosen[i] = 1
    for c in range(inside - 1, -1, -1):
        if taken[c, left]:
            chosen[core[c]] = 1
            left -= size[core[c]]
    return gain + best


@njit(cache=True, nogil=True)
def fill_territories(first, last, prices, cost, size, capacity, space, taken, chosen, gain):
    """Fill territories ``first`` to ``last`` (excluded) at the units' ``prices``.

    ``gain[k]`` is the largest sum of price minus cost, ``chosen[k]`` the units that reach it.
    """
    n = cost.shape[1]
    profit = np.empty(n)
    for k in range(first, last):
        for i in range(n):
            profit[i] = prices[i] - cost[k, i]
        gain[k] = fill(profit, size[k], capacity[k], space, taken, chosen[k])
