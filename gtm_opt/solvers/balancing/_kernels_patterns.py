# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Compiled listing of the ways to fill one territory."""

from __future__ import annotations

import numpy as np

from gtm_opt.solvers._kernels_jit import njit


@njit(cache=True, nogil=True)
def list_patterns(value, count, capacity, least, out):
    """List the maximal multisets with load in [least, capacity]; return how many (len(out) + 1: too many).

    ``value`` decreases strictly; ``out`` has shape (limit, n_types), uint8. Maximal: no unit left over
    would still fit. Every packing can be extended to maximal patterns when covering is enough.
    """
    t = len(value)
    rest = np.zeros(t + 1, dtype=np.int64)
    for i in range(t - 1, -1, -1):
        rest[i] = rest[i + 1] + value[i] * count[i]
    used = np.zeros(t, dtype=np.int64)
    found = 0
    load = np.int64(0)
    at = 0
    visits = 0
    down = True
    while True:
        if down:
            visits += 1
            if visits > 200 * len(out) + 1_000_000:
                return len(out) + 1
            if at == t or load + rest[at] < least or (at < t and load + value[t - 1] > capacity):
                for i in range(at, t):
                    used[i] = 0
                if load >= least:
                    maximal = True
                    for i in range(t - 1, -1, -1):
                        if used[i] < count[i]:
                            maximal = load + value[i] > capacity
                            break
                    if maximal:
                        if found == len(out):
                            return len(out) + 1
                        for i in range(t):
                            out[found, i] = used[i]
                        found += 1
                down = False
                at -= 1
                continue
            used[at] = min(count[at], (capacity - load) // value[at])
            load += used[at] * value[at]
            at += 1
        else:
            while at >= 0 and used[at] == 0:
                at -= 1
            if at < 0:
                return found
            used[at] -= 1
            load -= value[at]
            at += 1
            down = True


@njit(cache=True, nogil=True)
def best_fill(value, count, price, capacity, width, take):
    """Return the largest price sum of a multiset within ``capacity`` (bounded knapsack); fill ``take``.

    ``width`` is ``capacity + 1``; O(n_types * capacity) time and memory.
    """
    t = len(value)
    best = np.zeros(width)
    choice = np.zeros((t, width), dtype=np.uint8)
    fresh = np.empty(width)
    for i in range(t):
        if price[i] <= 1e-12:
            continue
        fresh[:] = best
        for c in range(1, count[i] + 1):
            shift = c * value[i]
            if shift > capacity:
                break
            gain = c * price[i]
            for load in range(shift, width):
                if best[load - shift] + gain > fresh[load] + 1e-12:
                    fresh[load] = best[load - shift] + gain
                    choice[i, load] = c
        best, fresh = fresh, best
    load = capacity
    for i in range(t - 1, -1, -1):
        take[i] = choice[i, load]
        load -= take[i] * value[i]
    return best[capacity]


@njit(cache=True, nogil=True)
def best_few(v, c, p, capacity, least, most, take):
    """Like `best_fill` by depth first search, fast for few units per pattern; finds only sums above ``least``.

    Returns the largest sum (``least`` when there is no larger one, ``take`` is then void) and whether it is
    sure: the search ends after ``most`` visits. Sizes ``v``, counts ``c`` and prices ``p`` have to come in
    decreasing order of ``p / v``.
    """
    t = len(v)
    used, small, best = np.zeros(t, dtype=np.int64), np.empty(t + 1, dtype=np.int64), least
    # of the sizes from i on, the smallest: where it does not fit nothing does
    small[t] = capacity + 1
    for i in range(t - 1, -1, -1):
        small[i] = min(small[i + 1], v[i])
    room, gain, at, visits = capacity, 0.0, 0, 0
    while True:
        visits += 1
        if visits > most:
            return best, False
        if gain > best + 1e-12:
            best = gain
            for i in range(t):
                take[i] = used[i]
        while at < t and v[at] > room:
            at += 1
        if at < t and small[at] <= room and gain + room * (p[at] / v[at]) > best + 1e-12:
            used[at] = min(c[at], room // v[at])
            room -= used[at] * v[at]
            gain += used[at] * p[at]
            at += 1
            continue
        at -= 1
        while at >= 0 and used[at] == 0:
            at -= 1
        if at < 0:
            return best, True
        used[at] -= 1
        room += v[at]
        gain -= p[at]
        at += 1
