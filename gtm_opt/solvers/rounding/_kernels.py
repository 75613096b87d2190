"""Compiled parts of rounding: who sits where by prices, and an annealed search on the core."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["anneal", "decide"]


@njit(cache=True, nogil=True)
def decide(reduced, best, margin):
    """Write the territory of least reduced cost of each row, and how far the second least is."""
    for i in range(reduced.shape[0]):
        first, second, where = np.inf, np.inf, 0
        for k in range(reduced.shape[1]):
            c = reduced[i, k]
            if c < first:
                first, second, where = c, first, k
            elif c < second:
                second = c
        best[i] = where
        margin[i] = second - first if first < np.inf else np.inf


@njit(cache=True, nogil=True)
def _draw(state, below):
    """Return the next integer in ``[0, below)`` of an xorshift64* generator."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return np.int64(((x * np.uint64(2685821657736338717)) >> np.uint64(33)) % np.uint64(below))


@njit(cache=True, nogil=True)
def _change(total, low, high, weight, plus, minus):
    """Return how the weighted distance of one territory from its band changes by ``plus - minus``."""
    out = 0.0
    for j in range(total.shape[0]):
        old, new = total[j], total[j] + plus[j] - minus[j]
        if old > high[j]:
            out -= weight[j] * (old - high[j])
        elif old < low[j]:
            out -= weight[j] * (low[j] - old)
        if new > high[j]:
            out += weight[j] * (new - high[j])
        elif new < low[j]:
            out += weight[j] * (low[j] - new)
    return out


@njit(cache=True, nogil=True)
def _side_change(used, limit, weight, plus_a, minus_a, plus_b, minus_b):
    """Return how the weighted overuse of the side rows changes."""
    out = 0.0
    for r in range(used.shape[0]):
        new = used[r] + plus_a[r] - minus_a[r] + plus_b[r] - minus_b[r]
        out += weight[r] * (max(new - limit[r], 0.0) - max(used[r] - limit[r], 0.0))
    return out


@njit(cache=True, nogil=True)
def anneal(
    cost, act, side, choice, n_choice, where, total, used, low, high, weight, limit, side_weight, state, steps, hot, cold
):
    """Move and swap core units at falling temperature; ``where``, ``total``, ``used`` change in place.

    ``cost`` (n, K), inf = barred; ``act`` (n, K, m) in targets; ``side`` (n, K, R); ``choice`` (n, C) the
    territories worth trying of each unit, ``n_choice`` (n,) how many; ``total``, ``low``, ``high``,
    ``weight`` (K, m); ``used``, ``limit``, ``side_weight`` (R,); ``state`` (1,) uint64, not zero.
    Temperature falls from ``hot`` to ``cold`` geometrically over ``steps``.
    """
    n, _, m = act.shape
    zero, zero_side = np.zeros(m), np.zeros(side.shape[2])
    factor = (cold / hot) ** (1.0 / max(steps // 64, 1))
    temperature = hot
    for step in range(steps):
        if step % 64 == 0 and step > 0:
            temperature *= factor
        i = _draw(state, n)
        if n_choice[i] < 2:
            continue
        a = where[i]
        b = choice[i, _draw(state, n_choice[i])]
        if a == b:
            continue
        delta = cost[i, b] - cost[i, a]
        # luck is drawn first: most moves cost too much to be worth the rest of the sum
        allowed = -temperature * np.log((_draw(state, 1 << 30) + 1.0) / (1 << 30))
        partner = -1
        if step & 1:
            h = _draw(state, n)
            if where[h] == b and cost[h, a] < np.inf:
                partner = h
                delta += cost[h, a] - cost[h, b]
        if partner < 0:
            delta += _change(total[a], low[a], high[a], weight[a], zero, act[i, a])
            delta += _change(total[b], low[b], high[b], weight[b], act[i, b], zero)
            delta += _side_change(used, limit, side_weight, side[i, b], side[i, a], zero_side, zero_side)
        else:
            h = partner
            delta += _change(total[a], low[a], high[a], weight[a], act[h, a], act[i, a])
            delta += _change(total[b], low[b], high[b], weight[b], act[i, b], act[h, b])
            delta += _side_change(used, limit, side_weight, side[i, b], side[i, a], side[h, a], side[h, b])
        if delta > allowed:
            continue
        where[i] = b
        for j in range(m):
            total[a, j] -= act[i, a, j]
            total[b, j] += act[i, b, j]
        for r in range(used.shape[0]):
            used[r] += side[i, b, r] - side[i, a, r]
        if partner >= 0:
            h = partner
            where[h] = a
            for j in range(m):
                total[b, j] -= act[h, b, j]
                total[a, j] += act[h, a, j]
            for r in range(used.shape[0]):
                used[r] += side[h, a, r] - side[h, b, r]
