"""Compiled loops of the baselines: first fit, and annealing with moves and swaps."""

from __future__ import annotations

from typing import Any

import numpy as np

from gtm_opt.solvers._kernels_jit import njit

Array = Any


@njit(cache=True, nogil=True)
def first_fit(order: Array, sizes: Array, room: Array, allowed: Array, out: Array) -> bool:
    """Put units, in ``order``, into the first bin with room left; False when one does not fit."""
    k = room.shape[0]
    everywhere = allowed.shape[0] == 0
    for unit in order:
        placed = False
        for b in range(k):
            if room[b] >= sizes[unit] and (everywhere or allowed[unit, b]):
                room[b] -= sizes[unit]
                out[unit] = b
                placed = True
                break
        if not placed:
            return False
    return True


@njit(cache=True, nogil=True)
def _next(state: Array) -> float:
    """Advance the xorshift64* generator in ``state`` and return a number in [0, 1)."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return np.float64((x * np.uint64(2685821657736338717)) >> np.uint64(11)) / 9007199254740992.0


@njit(cache=True, nogil=True)
def _row(totals: Array, low: Array, high: Array, weight: Array, squared: bool, k: int) -> float:
    """Return the penalty of territory ``k``: weighted distance of its totals from [low, high], or its square."""
    out = 0.0
    for j in range(totals.shape[1]):
        off = max(totals[k, j] - high[k, j], low[k, j] - totals[k, j], 0.0) * weight[k, j]
        out += off * off if squared else off
    return out


@njit(cache=True, nogil=True)
def anneal(
    activities: Array,
    cost: Array,
    low: Array,
    high: Array,
    weight: Array,
    squared: bool,
    group_start: Array,
    group_of: Array,
    taken: Array,
    assignment: Array,
    totals: Array,
    state: Array,
    hot: float,
    cool: float,
    moves: int,
) -> float:
    """Run ``moves`` proposals while the temperature falls from ``hot`` by the factor ``cool`` each; return it.

    ``activities`` has shape (n, 1 or K, m), ``cost`` (n, K) or (0, K). Half of the proposals move one unit,
    half swap two. ``assignment``, ``totals``, ``taken`` and ``state`` change in place.
    """
    n, layers, m = activities.shape
    k = totals.shape[0]
    with_cost = cost.shape[0] > 0
    temperature = hot
    for _ in range(moves):
        temperature *= cool
        a = int(_next(state) * n)
        here = assignment[a]
        b = -1
        if _next(state) < 0.5:
            there = int(_next(state) * k)
        else:
            b = int(_next(state) * n)
            there = assignment[b]
        if there == here:
            continue
        if b >= 0 and (group_start[a + 1] > group_start[a] or group_start[b + 1] > group_start[b]):
            continue
        blocked = False
        for g in range(group_start[a], group_start[a + 1]):
            if taken[group_of[g], there] > 0:
                blocked = True
        if blocked:
            continue
        change = 0.0
        if with_cost:
            change = cost[a, there] - cost[a, here]
            if b >= 0:
                change += cost[b, here] - cost[b, there]
            if not change < 1e300:
                continue
        before = _row(totals, low, high, weight, squared, here) + _row(totals, low, high, weight, squared, there)
        at_here = 0 if layers == 1 else here
        at_there = 0 if layers == 1 else there
        for j in range(m):
            totals[here, j] -= activities[a, at_here, j]
            totals[there, j] += activities[a, at_there, j]
            if b >= 0:
                totals[there, j] -= activities[b, at_there, j]
                totals[here, j] += activities[b, at_here, j]
        after = _row(totals, low, high, weight, squared, here) + _row(totals, low, high, weight, squared, there)
        change += after - before
        if change <= 0.0 or _next(state) < np.exp(-change / temperature):
            assignment[a] = there
            if b >= 0:
                assignment[b] = here
            for g in range(group_start[a], group_start[a + 1]):
                taken[group_of[g], here] -= 1
                taken[group_of[g], there] += 1
        else:
            for j in range(m):
                totals[here, j] += activities[a, at_here, j]
                totals[there, j] -= activities[a, at_there, j]
                if b >= 0:
                    totals[there, j] += activities[b, at_there, j]
                    totals[here, j] -= activities[b, at_here, j]
    return temperature
