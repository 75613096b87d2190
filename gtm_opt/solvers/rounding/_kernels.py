"""Compiled parts of rounding: who sits where by prices, and an annealed search on the core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gtm_opt.solvers._kernels_jit import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.instance import FloatArray, IntArray

__all__ = ["anneal", "decide", "dither", "find_torn"]

_CUT = 16.0
"""Shares below e^-16 of the largest are zero, as in the price ascent."""
_LEAST_SHARE = 1e-4
"""No unit goes where it has less than this share."""


@njit(cache=True, nogil=True)
def decide(reduced: FloatArray, best: IntArray, margin: FloatArray) -> None:
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
def find_torn(
    reduced: FloatArray,
    act: FloatArray,
    side: FloatArray,
    heat: FloatArray,
    target: FloatArray,
    best: IntArray,
    size: FloatArray,
) -> None:
    """Write each row's territory of least reduced cost, and the size of the rows that have shares elsewhere too.

    ``reduced`` (rows, K); ``act`` (rows, 1 or K, m); ``side`` (rows, K, R); ``heat`` as in the price ascent;
    ``target`` (K, m). ``size`` is the largest fraction of a target, -1 for rows with a share of 1.
    """
    n_rows, n_k = reduced.shape
    m = act.shape[2]
    for i in range(n_rows):
        least, where = np.inf, 0
        for k in range(n_k):
            if reduced[i, k] < least:
                least, where = reduced[i, k], k
        best[i], size[i] = where, -1.0
        if least == np.inf:
            continue
        limit = least + _CUT * _temperature(act, side, heat, i)
        torn = 0
        for k in range(n_k):
            torn += reduced[i, k] < limit
        if torn > 1:
            size[i] = 0.0
            for k in range(n_k):
                row = k if act.shape[1] > 1 else 0
                for j in range(m):
                    size[i] = max(size[i], act[i, row, j] / target[k, j])


@njit(cache=True, nogil=True)
def dither(
    reduced: FloatArray,
    cost: FloatArray,
    act: FloatArray,
    side: FloatArray,
    heat: FloatArray,
    target: FloatArray,
    scale: FloatArray,
    error: FloatArray,
    lost: FloatArray,
    best: IntArray,
) -> None:
    """Assign each row near its softmin shares, so that what totals lack of the shares' totals stays small.

    ``reduced``, ``cost`` (rows, K); ``act`` (rows, 1 or K, m); ``side`` (rows, K, R); ``heat`` as in the price
    ascent; ``target`` (K, m); ``scale`` (1 + R,) for the sum of costs and each side row; ``error`` (K, m), in
    targets, and ``lost`` (1 + R,), in scales, are carried from block to block.
    """
    n_rows, n_k = reduced.shape
    m, n_side = act.shape[2], side.shape[2]
    by_territory = act.shape[1] > 1
    share = np.empty(n_k)
    for i in range(n_rows):
        least, where = np.inf, 0
        for k in range(n_k):
            if reduced[i, k] < least:
                least, where = reduced[i, k], k
        best[i] = where
        if least == np.inf:
            continue
        temperature = _temperature(act, side, heat, i)
        total = 0.0
        for k in range(n_k):
            d = (reduced[i, k] - least) / temperature
            share[k] = np.exp(-d) if d < _CUT else 0.0
            total += share[k]
        for k in range(n_k):
            if share[k] > 0.0:
                row = k if by_territory else 0
                for j in range(m):
                    error[k, j] -= share[k] / total * act[i, row, j] / target[k, j]
                lost[0] -= share[k] / total * cost[i, k] / scale[0]
                for r in range(n_side):
                    lost[1 + r] -= share[k] / total * side[i, k, r] / scale[1 + r]
        lowest = np.inf
        for k in range(n_k):
            if share[k] > _LEAST_SHARE * total:
                row = k if by_territory else 0
                worse = 0.0
                for j in range(m):
                    a = act[i, row, j] / target[k, j]
                    worse += a * (a + 2.0 * error[k, j])
                a = cost[i, k] / scale[0]
                worse += a * (a + 2.0 * lost[0])
                for r in range(n_side):
                    a = side[i, k, r] / scale[1 + r]
                    worse += a * (a + 2.0 * lost[1 + r])
                if worse < lowest:
                    lowest, where = worse, k
        best[i] = where
        row = where if by_territory else 0
        for j in range(m):
            error[where, j] += act[i, row, j] / target[where, j]
        lost[0] += cost[i, where] / scale[0]
        for r in range(n_side):
            lost[1 + r] += side[i, where, r] / scale[1 + r]


@njit(cache=True, nogil=True)
def _temperature(act: FloatArray, side: FloatArray, heat: FloatArray, i: int) -> float:
    """Return the temperature of row ``i``, as the price ascent has it."""
    m = act.shape[2]
    temperature = heat[0]
    for j in range(m):
        temperature += heat[1 + j] * act[i, 0, j]
    for r in range(side.shape[2]):
        temperature += heat[1 + m + r] * side[i, :, r].max()
    return float(temperature)


@njit(cache=True, nogil=True)
def _draw(state: NDArray[np.uint64], below: int) -> Any:
    """Return the next integer in ``[0, below)`` of an xorshift64* generator."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return np.int64(((x * np.uint64(2685821657736338717)) >> np.uint64(33)) % np.uint64(below))


@njit(cache=True, nogil=True)
def _change(
    total: FloatArray, low: FloatArray, high: FloatArray, weight: FloatArray, plus: FloatArray, minus: FloatArray
) -> float:
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
def _low_first(state: NDArray[np.uint64], n: int) -> Any:
    """Return an index below ``n``, low ones more often (the least of two draws)."""
    return min(_draw(state, n), _draw(state, n))


@njit(cache=True, nogil=True)
def _put(
    unit: int,
    old: int,
    new: int,
    act: FloatArray,
    side: FloatArray,
    where: IntArray,
    total: FloatArray,
    used: FloatArray,
) -> None:
    """Move one unit and its activities."""
    where[unit] = new
    for j in range(total.shape[1]):
        total[old, j] -= act[unit, old, j]
        total[new, j] += act[unit, new, j]
    for r in range(used.shape[0]):
        used[r] += side[unit, new, r] - side[unit, old, r]


@njit(cache=True, nogil=True)
def anneal(
    cost: FloatArray,
    act: FloatArray,
    side: FloatArray,
    choice: IntArray,
    n_choice: IntArray,
    where: IntArray,
    total: FloatArray,
    used: FloatArray,
    low: FloatArray,
    high: FloatArray,
    weight: FloatArray,
    limit: FloatArray,
    side_weight: FloatArray,
    state: NDArray[np.uint64],
    steps: int,
    hot: float,
    cold: float,
) -> None:
    """Move units, alone or in chains of two, at falling temperature; ``where``, ``total``, ``used`` change in place.

    ``cost`` (n, K), inf = forbidden; ``act`` (n, K, m) in targets; ``side`` (n, K, R); ``choice`` (n, C) the
    territories worth trying of each unit, ``n_choice`` (n,) how many; units in front are tried more often.
    ``total``, ``low``, ``high``, ``weight`` (K, m); ``used``, ``limit``, ``side_weight`` (R,); ``state``
    (1,) uint64, not zero. Temperature falls from ``hot`` to ``cold`` geometrically over ``steps``.
    """
    n, _, m = act.shape
    zero = np.zeros(m)
    factor = (cold / hot) ** (1.0 / max(steps // 64, 1))
    temperature = hot
    for step in range(steps):
        if step % 64 == 0 and step > 0:
            temperature *= factor
        i = _low_first(state, n)
        if n_choice[i] < 2:
            continue
        a = where[i]
        b = choice[i, _draw(state, n_choice[i])]
        if a == b:
            continue
        allowed = -temperature * np.log((_draw(state, 1 << 30) + 1.0) / (1 << 30))
        delta = cost[i, b] - cost[i, a]
        h, c = -1, -1
        if step & 1:
            # some unit leaves b
            for _ in range(4):
                other = _low_first(state, n)
                if where[other] == b and n_choice[other] > 1:
                    c = choice[other, _draw(state, n_choice[other])]
                    if c != b:
                        h = other
                        delta += cost[h, c] - cost[h, b]
                    break
        if h < 0:
            delta += _change(total[a], low[a], high[a], weight[a], zero, act[i, a])
            delta += _change(total[b], low[b], high[b], weight[b], act[i, b], zero)
        else:
            delta += _change(total[b], low[b], high[b], weight[b], act[i, b], act[h, b])
            if c == a:
                delta += _change(total[a], low[a], high[a], weight[a], act[h, a], act[i, a])
            else:
                delta += _change(total[a], low[a], high[a], weight[a], zero, act[i, a])
                delta += _change(total[c], low[c], high[c], weight[c], act[h, c], zero)
        for r in range(used.shape[0]):
            new = used[r] + side[i, b, r] - side[i, a, r]
            if h >= 0:
                new += side[h, c, r] - side[h, b, r]
            delta += side_weight[r] * (max(new - limit[r], 0.0) - max(used[r] - limit[r], 0.0))
        if delta <= allowed:
            _put(i, a, b, act, side, where, total, used)
            if h >= 0:
                _put(h, b, c, act, side, where, total, used)
