"""Compiled passes of the price ascent: one block of units at a time, no global state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.solvers._kernels_jit import njit

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray

__all__ = ["descend", "reduced", "smoothed", "solve_definite", "survey"]

_CUT = 16.0
"""Territories more expensive than the best by more than this many temperatures get no weight (e^-16 = 1e-7)."""


@njit(cache=True, nogil=True)
def survey(cost: FloatArray, weight: FloatArray, out: FloatArray) -> None:
    """Add to ``out``: weighted sum of largest - smallest, of largest finite, of smallest cost; units without any."""
    for i in range(cost.shape[0]):
        low, high = np.inf, -np.inf
        for k in range(cost.shape[1]):
            c = cost[i, k]
            if c < np.inf:
                low = min(low, c)
                high = max(high, c)
        if low == np.inf:
            out[3] += 1.0
            continue
        out[0] += weight[i] * (high - low)
        out[1] += weight[i] * high
        out[2] += weight[i] * low


@njit(cache=True, nogil=True)
def smoothed(
    cost: FloatArray,
    act: FloatArray,
    side: FloatArray,
    weight: FloatArray,
    price: FloatArray,
    side_price: FloatArray,
    heat: FloatArray,
    grad: FloatArray,
    hess: FloatArray,
    out: FloatArray,
) -> None:
    """Add one block to value, gradient and curvature of the smoothed dual.

    ``cost`` (rows, K), inf = forbidden; ``act`` (rows, 1 or K, m); ``side`` (rows, K, R); ``weight`` (rows,);
    ``price`` (K, m); ``side_price`` (R,); ``heat`` (1 + m + R,): the temperature of a unit is
    ``heat[0] + heat[1:] . (its activities, its largest use of each side row)``. Adds to ``grad``
    (K, m + R), to the blocks of ``hess`` (K (m + R), K (m + R)) on and below the diagonal, and to ``out``:
    smoothed sum, plain sum, its compensation, sum of magnitudes, units without an allowed territory.
    """
    n_rows, n_k = cost.shape
    n_act, n_side = act.shape[2], side.shape[2]
    width = n_act + n_side
    by_territory = act.shape[1] > 1
    value = np.empty(n_k)
    share = np.empty(n_k)
    which = np.empty(n_k, np.int64)
    feature = np.empty((n_k, width))
    for i in range(n_rows):
        best = np.inf
        for k in range(n_k):
            c = cost[i, k]
            if c < np.inf:
                row = k if by_territory else 0
                for j in range(n_act):
                    c += act[i, row, j] * price[k, j]
                for r in range(n_side):
                    c += side[i, k, r] * side_price[r]
            value[k] = c
            best = min(best, c)
        if best == np.inf:
            out[4] += 1.0
            continue
        # Neumaier's compensated sum: the reported bound is made of these
        term = weight[i] * best
        new = out[1] + term
        if abs(out[1]) >= abs(term):
            out[2] += (out[1] - new) + term
        else:
            out[2] += (term - new) + out[1]
        out[1] = new
        out[3] += abs(term)
        temperature = heat[0]
        for j in range(n_act):
            temperature += heat[1 + j] * act[i, 0, j]
        for r in range(n_side):
            largest = 0.0
            for k in range(n_k):
                largest = max(largest, side[i, k, r])
            temperature += heat[1 + n_act + r] * largest
        cut = _CUT * temperature
        count = 0
        total = 0.0
        for k in range(n_k):
            d = value[k] - best
            if d <= cut:
                e = np.exp(-d / temperature) if d > 0.0 else 1.0
                which[count] = k
                share[count] = e
                total += e
                count += 1
        out[0] += term - weight[i] * temperature * np.log(total)
        for a in range(count):
            k = which[a]
            share[a] /= total
            row = k if by_territory else 0
            for j in range(n_act):
                feature[a, j] = act[i, row, j]
            for r in range(n_side):
                feature[a, n_act + r] = side[i, k, r]
            for q in range(width):
                grad[k, q] += weight[i] * share[a] * feature[a, q]
        if count == 1:
            continue  # decided: no curvature. This is nearly every unit once the temperature is low
        for a in range(count):
            for b in range(a + 1):
                pull = -share[a] * share[b]
                if a == b:
                    pull += share[a]
                pull *= weight[i] / temperature
                row, column = which[a] * width, which[b] * width
                for q in range(width):
                    scaled = pull * feature[a, q]
                    for q2 in range(width):
                        hess[row + q, column + q2] += scaled * feature[b, q2]


@njit(cache=True, nogil=True)
def reduced(cost: FloatArray, act: FloatArray, side: FloatArray, price: FloatArray, side_price: FloatArray) -> None:
    """Turn ``cost`` (rows, K) into reduced costs ``cost + activities . prices`` in place."""
    n_rows, n_k = cost.shape
    by_territory = act.shape[1] > 1
    for i in range(n_rows):
        for k in range(n_k):
            c = cost[i, k]
            if c < np.inf:
                row = k if by_territory else 0
                for j in range(act.shape[2]):
                    c += act[i, row, j] * price[k, j]
                for r in range(side.shape[2]):
                    c += side[i, k, r] * side_price[r]
                cost[i, k] = c


@njit(cache=True, nogil=True)
def descend(
    curvature: FloatArray,
    residual: FloatArray,
    point: FloatArray,
    up: FloatArray,
    down: FloatArray,
    low: FloatArray,
    high: FloatArray,
    sweeps: int,
) -> float:
    """Coordinate ascent on ``b.x - x'Ax/2 - sum(up x+ - down x-)`` in a box, in place.

    ``residual`` is ``b - A x`` and is kept up to date. Returns the size of the last sweep's largest step.
    """
    n = len(point)
    largest = 0.0
    for _ in range(sweeps):
        largest = 0.0
        for v in range(n):
            bend = curvature[v, v]
            pull = residual[v] + bend * point[v]
            if pull > up[v]:
                new = (pull - up[v]) / bend
            elif pull < down[v]:
                new = (pull - down[v]) / bend
            else:
                new = 0.0  # the kink: inside the band, the price is zero
            new = min(max(new, low[v]), high[v])
            step = new - point[v]
            if step != 0.0:
                point[v] = new
                for w in range(n):
                    residual[w] -= curvature[w, v] * step
                largest = max(largest, abs(step))
        if largest == 0.0:
            break
    return largest


@njit(cache=True, nogil=True)
def solve_definite(matrix: FloatArray, right: FloatArray) -> bool:
    """Solve ``matrix x = right`` into ``right`` by Cholesky factors, in a fixed order; False where not definite.

    ``matrix`` (p, p) symmetric; it is copied. Rows below a pivot are reduced one after the other, each
    entry by itself, so that the compiler may use any vector unit without changing a sum.
    """
    p = len(right)
    low = matrix.copy()
    for k in range(p):
        if not low[k, k] > 0.0:
            return False
        pivot = np.sqrt(low[k, k])
        low[k, k] = pivot
        for i in range(k + 1, p):
            low[k, i] = low[k, i] / pivot  # the upper triangle holds the factor's transpose
        for i in range(k + 1, p):
            factor = low[k, i]
            if factor != 0.0:
                for j in range(i, p):
                    low[i, j] -= factor * low[k, j]
        right[k] /= pivot
        for i in range(k + 1, p):
            right[i] -= low[k, i] * right[k]
    for k in range(p - 1, -1, -1):
        total = right[k]
        for j in range(k + 1, p):
            total -= low[k, j] * right[j]
        right[k] = total / low[k, k]
    return True
