"""Compiled two-list search: the best pair of partial exchanges between two territories."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"

from __future__ import annotations

import numpy as np

from gtm_opt.solvers._kernels_jit import njit


@njit(cache=True, nogil=True)
def subset_sums(vectors, out):
    """Fill ``out[s]`` with the sum of the vectors in the bit set ``s``."""
    n, d = vectors.shape
    for c in range(d):
        out[0, c] = 0.0
    for b in range(n):
        size = 1 << b
        for s in range(size):
            for c in range(d):
                out[size + s, c] = out[s, c] + vectors[b, c]


@njit(cache=True, nogil=True)
def _apart(first, second, e, f):
    """Whether two elementary exchanges share no unit."""
    return (first[e] < 0 or first[e] != first[f]) and (second[e] < 0 or second[e] != second[f])


@njit(cache=True, nogil=True)
def short_sums(vectors, first, second, cut, few, out, picks):
    """Fill ``out`` with nothing, each vector, and short sums of two or three that share no unit; return the count.

    ``first`` and ``second`` name the units of an elementary exchange (-1: none). A sum is kept when
    ``max |sum|`` is below ``cut``. Sums of three are formed from the first ``few`` vectors. Row r is the sum
    of the vectors ``picks[r]`` (-1: none).
    """
    n, d = vectors.shape
    count = 1
    for c in range(d):
        out[0, c] = 0.0
    picks[0] = -1
    for e in range(min(n, out.shape[0] // 4)):
        for c in range(d):
            out[count, c] = vectors[e, c]
        picks[count, 0], picks[count, 1], picks[count, 2] = e, -1, -1
        count += 1
    pair = np.empty(d)
    for f in range(1, n):
        for e in range(f):
            if count >= out.shape[0]:
                return count
            if f >= few:
                short = True
                for c in range(d):
                    if abs(vectors[e, c] + vectors[f, c]) >= cut:
                        short = False
                        break
                if not short:
                    continue
            if not _apart(first, second, e, f):
                continue
            short = True
            for c in range(d):
                pair[c] = vectors[e, c] + vectors[f, c]
                short = short and abs(pair[c]) < cut
            if short:
                for c in range(d):
                    out[count, c] = pair[c]
                picks[count, 0], picks[count, 1], picks[count, 2] = e, f, -1
                count += 1
            if f >= few:
                continue
            for g in range(e):
                short = True
                for c in range(d):
                    if abs(pair[c] + vectors[g, c]) >= cut:
                        short = False
                        break
                if not short or not (_apart(first, second, e, g) and _apart(first, second, f, g)):
                    continue
                if count >= out.shape[0]:
                    return count
                for c in range(d):
                    out[count, c] = pair[c] + vectors[g, c]
                picks[count, 0], picks[count, 1], picks[count, 2] = e, f, g
                count += 1
    return count


@njit(cache=True, nogil=True)
def _cell(v, low, cell, cells):
    c = np.int64((v - low) * cell)
    return min(max(c, 0), cells - 1)


@njit(cache=True, nogil=True)
def grid(q_list, depth, cells):
    """Sort ``q_list`` into a grid over its ``depth`` leading coordinates, ``cells`` per axis.

    Returns the sorted list, the former position of each of its rows, where each cell begins, and per axis
    the lowest and highest value and the cells per unit.
    """
    n_q, d = q_list.shape
    low = np.empty(depth)
    inverse = np.empty(depth)
    high = np.empty(depth)
    for c in range(depth):
        lo, hi = q_list[0, c], q_list[0, c]
        for r in range(n_q):
            lo, hi = min(lo, q_list[r, c]), max(hi, q_list[r, c])
        low[c], high[c] = lo, hi
        inverse[c] = cells / (hi - lo) if hi > lo else 0.0
    n_cells = cells**depth
    start = np.zeros(n_cells + 1, dtype=np.int32)
    code = np.empty(n_q, dtype=np.int32)
    for r in range(n_q):
        here = 0
        for c in range(depth):
            here = here * cells + _cell(q_list[r, c], low[c], inverse[c], cells)
        code[r] = here
        start[here + 1] += 1
    for c in range(n_cells):
        start[c + 1] += start[c]
    fill = start[:-1].copy()
    order = np.empty(n_q, dtype=np.int32)
    q = np.empty((n_q, d))
    for r in range(n_q):
        to = fill[code[r]]
        fill[code[r]] += 1
        order[to] = r
        for c in range(d):
            q[to, c] = q_list[r, c]
    return q, order, start, low, high, inverse


@njit(cache=True, nogil=True)
def match(p_list, begin, end, q, order, start, low, high, inverse, cells, x0, partner, rho, sided, limit):
    """Find p, q such that both rows ``y = x0 + p + q`` and ``partner - rho * y`` are smallest in max-norm.

    Looks at the rows ``begin <= p < end`` of ``p_list`` and all rows of a `grid`. Returns the positions
    (-1, -1 when nothing beats ``limit``) and the value.
    """
    d, depth = q.shape[1], low.shape[0]
    best_p, best_q, value = -1, -1, limit
    y_low, y_high = np.empty(d), np.empty(d)
    z = np.empty(d)
    first, last, at = np.empty(depth, np.int64), np.empty(depth, np.int64), np.empty(depth, np.int64)
    fresh = True
    for r in range(begin, end):
        if fresh:
            fresh = False
            for c in range(d):
                if sided:
                    y_low[c], y_high[c] = (partner[c] - value) / rho[c] - x0[c], value - x0[c]
                else:
                    y_low[c] = max(-value, (partner[c] - value) / rho[c]) - x0[c]
                    y_high[c] = min(value, (partner[c] + value) / rho[c]) - x0[c]
        miss = False
        for c in range(depth):
            lo, hi = y_low[c] - p_list[r, c], y_high[c] - p_list[r, c]
            if hi < low[c] or lo > high[c] or hi < lo:
                miss = True
                break
            first[c] = _cell(lo, low[c], inverse[c], cells)
            last[c] = _cell(hi, low[c], inverse[c], cells)
            at[c] = first[c]
        if miss:
            continue
        for c in range(d):
            z[c] = p_list[r, c]
        inner = depth - 1
        while True:
            here = 0
            for c in range(inner):
                here = here * cells + at[c]
            here *= cells
            for s in range(start[here + first[inner]], start[here + last[inner] + 1]):
                good = True
                for c in range(d):
                    v = z[c] + q[s, c]
                    if v >= y_high[c] or v <= y_low[c]:
                        good = False
                        break
                if not good:
                    continue
                score = -np.inf
                for c in range(d):
                    y = x0[c] + z[c] + q[s, c]
                    t = partner[c] - rho[c] * y
                    score = max(score, max(y, t)) if sided else max(score, max(abs(y), abs(t)))
                if score < value:
                    value, best_p, best_q = score, r, order[s]
                    fresh = True
                    for c in range(d):
                        if sided:
                            y_low[c], y_high[c] = (partner[c] - value) / rho[c] - x0[c], value - x0[c]
                        else:
                            y_low[c] = max(-value, (partner[c] - value) / rho[c]) - x0[c]
                            y_high[c] = min(value, (partner[c] + value) / rho[c]) - x0[c]
            c = inner - 1
            while c >= 0:
                at[c] += 1
                if at[c] <= last[c]:
                    break
                at[c] = first[c]
                c -= 1
            if c < 0:
                break
    return best_p, best_q, value
