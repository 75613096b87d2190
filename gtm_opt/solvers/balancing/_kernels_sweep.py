"""Compiled annealing on a p-norm of the deviations, many exchanges at a time.

For equal territories without rules. Arrays are transposed, so that one exchange of a unit with each of a
window of others is computed side by side; the first accepted one is made, as if they were proposed in turn.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc,assignment"

from __future__ import annotations

import numpy as np

from gtm_opt.solvers._kernels_jit import njit
from gtm_opt.solvers.balancing._kernels_anneal import _below, _next, true_value


@njit(cache=True, nogil=True)
def _exchange(w, order, i, other):
    """Exchange two columns."""
    for j in range(w.shape[0]):
        w[j, i], w[j, other] = w[j, other], w[j, i]
    order[i], order[other] = order[other], order[i]


@njit(cache=True, nogil=True)
def _both(out, w, low, i, x_a, x_b, twin):
    """Fill the 4th powers of the two rows when column i is exchanged with each column from ``low``.

    All those columns are of one territory; ``twin``: the two rows are opposite.
    """
    for c in range(len(out)):
        out[c] = 0.0
    for j in range(w.shape[0]):
        u, v = x_a[j] - w[j, i], x_b[j] + w[j, i]
        row = w[j, low : low + len(out)]
        if twin:
            for c in range(len(out)):
                y = u + row[c]
                y = y * y
                out[c] += y * y
        else:
            for c in range(len(out)):
                y, z = u + row[c], v - row[c]
                y, z = y * y, z * z
                out[c] += y * y + z * z
    if twin:
        for c in range(len(out)):
            out[c] += out[c]


@njit(cache=True, nogil=True)
def _any(out, w, without, low, i, x_a):
    """Like `_both` for columns of any territories; ``without`` are their rows without themselves."""
    for c in range(len(out)):
        out[c] = 0.0
    for j in range(w.shape[0]):
        v = w[j, i]
        u = x_a[j] - v
        row, rest = w[j, low : low + len(out)], without[j, low : low + len(out)]
        for c in range(len(out)):
            y, z = u + row[c], rest[c] + v
            y, z = y * y, z * z
            out[c] += y * y + z * z


@njit(cache=True, nogil=True)
def _move(w, order, side, segment, i, b):
    """Take column i to territory b; the columns stay sorted by territory."""
    t = side[i]
    while t != b:
        if t < b:
            segment[t + 1] -= 1
            edge = segment[t + 1]
            t += 1
        else:
            edge = segment[t]
            segment[t] += 1
            t -= 1
        _exchange(w, order, i, edge)
        side[edge] = t
        i = edge


@njit(cache=True, nogil=True)
def _row(x, a, w, i, sign):
    """Return the sum of 4th powers of row a when column i comes (1) or goes (-1), or as it is (0)."""
    total = 0.0
    for j in range(w.shape[0]):
        y = np.float64(x[a, j] + sign * w[j, i])
        y = y * y
        total += y * y
    return total


@njit(cache=True, nogil=True)
def sweep(
    w,
    order,
    side,
    segment,
    without,
    x,
    norms,
    twin,
    kind,
    exponential,
    hot,
    cold,
    turns,
    width,
    state,
    best,
    best_value,
):
    """Anneal ``turns`` windows of exchanges from temperature ``hot`` to ``cold``.

    Column c of ``w`` is unit ``order[c]`` in territory ``side[c]``. With columns sorted by territory,
    territory k holds those from ``segment[k]`` to ``segment[k + 1]`` and ``without`` is not used; else
    ``segment`` is empty. Returns the best true value and the numbers of exchanges proposed and changes made.
    """
    n, k_all = w.shape[1], x.shape[0]
    one = w.dtype.type
    grouped = len(segment) > 0
    energies, limits = np.zeros(width, w.dtype), np.zeros(width, w.dtype)
    total = 0.0
    for k in range(k_all):
        total += norms[k]
    root, gate = total**0.25, np.inf
    cool = (cold / hot) ** (64.0 / max(turns, 1))
    temperature = hot
    proposed, made = 0, 0
    for turn in range(turns):
        if turn & 63 == 63:
            temperature *= cool
        bits = _next(state)
        i = np.int64(((bits >> np.uint64(33)) * np.uint64(n)) >> np.uint64(31))
        at = np.int64((bits >> np.uint64(4)) & np.uint64(4095))
        a = side[i]
        b = a
        low, high = 0, n
        if grouped and n - segment[a + 1] + segment[a] > 0:
            other = _below(state, n - segment[a + 1] + segment[a])
            b = side[other if other < segment[a] else other + segment[a + 1] - segment[a]]
            low, high = segment[b], segment[b + 1]
        if high - low > width:
            low += _below(state, high - low - width + 1)
            high = low + width
        size = high - low
        energy, limit = energies[:size], limits[:size]
        chance = exponential[at : at + size]
        start, step = one(root), one(temperature)
        for c in range(size):
            y = start + step * chance[c]
            y = y * y
            limit[c] = y * y
        if grouped:
            _both(energy, w, low, i, x[a], x[b], twin)
            rest = one(total - norms[a] - norms[b])
            for c in range(size):
                limit[c] -= rest
        else:
            _any(energy, w, without, low, i, x[a])
            for c in range(size):
                limit[c] -= one(total - norms[a] - norms[side[low + c]])
        hit = -1
        for c in range(size):
            if energy[c] <= limit[c] and side[low + c] != a:
                hit = low + c
                break
        proposed += size if hit < 0 else hit - low + 1
        if hit >= 0:
            b = side[hit]
            for j in range(w.shape[0]):
                change = w[j, i] - w[j, hit]
                x[a, j] -= change
                x[b, j] += change
            if grouped:
                _exchange(w, order, i, hit)
            else:
                side[i], side[hit] = b, a
        else:
            b = _below(state, k_all - 1)
            b += b >= a
            most = root + temperature * exponential[at]
            most = most * most
            if _row(x, a, w, i, -1) + _row(x, b, w, i, 1) > most * most - (total - norms[a] - norms[b]):
                continue
            for j in range(w.shape[0]):
                x[a, j] -= w[j, i]
                x[b, j] += w[j, i]
            if grouped:
                _move(w, order, side, segment, i, b)
            else:
                side[i] = b
        made += 1
        norms[a], norms[b] = _row(x, a, w, i, 0), _row(x, b, w, i, 0)
        if not grouped:
            for c in range(n):
                t = side[c]
                if t in (a, b):
                    for j in range(w.shape[0]):
                        without[j, c] = x[t, j] - w[j, c]
        total = 0.0
        for k in range(k_all):
            total += norms[k]
        root = total**0.25
        if root < gate:
            value = true_value(x, kind)
            if value < best_value:
                best_value = value
                for c in range(n):
                    best[order[c]] = side[c]
                gate = root * 1.3
    return best_value, proposed, made
