"""Compiled annealing on a p-norm of the deviations: moves and swaps on incremental totals."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"

from __future__ import annotations

import numpy as np

from gtm_opt.solvers._kernels_jit import njit


@njit(cache=True, nogil=True, inline="always")
def _next(state):
    """Return the next 64 random bits (xorshift64*)."""
    s = state[0]
    s ^= s >> np.uint64(12)
    s ^= s << np.uint64(25)
    s ^= s >> np.uint64(27)
    state[0] = s
    return s * np.uint64(2685821657736338717)


@njit(cache=True, nogil=True, inline="always")
def _below(state, n):
    """Return a random integer in [0, n), n < 2**31."""
    return np.int64(((_next(state) >> np.uint64(33)) * np.uint64(n)) >> np.uint64(31))


@njit(cache=True, nogil=True, inline="always")
def _power(v, sided, doublings):
    """Return |v|**(4 * 2**doublings), 0 below zero when sided."""
    if sided and v < 0.0:
        v = 0.0
    y = v * v
    y = y * y
    if doublings > 0:
        y = y * y
    if doublings > 1:
        y = y * y
    return y


@njit(cache=True, nogil=True)
def true_value(x, kind):
    """Return the objective (without base) of the deviations."""
    worst = -np.inf
    for j in range(x.shape[1]):
        low, high = x[0, j], x[0, j]
        for k in range(1, x.shape[0]):
            low, high = min(low, x[k, j]), max(high, x[k, j])
        here = high
        if kind == 0:
            here = max(high, -low)
        elif kind == 1:
            here = high - low
        worst = max(worst, here)
    return worst


@njit(cache=True, nogil=True)
def fits(allowed, rival_start, rivals, assign, i, k, besides):
    """Whether unit i may go to territory k, unit ``besides`` leaving it."""
    if allowed.shape[0] > 1 and allowed[i, k] == 0:
        return False
    if rival_start.shape[0] > 1:
        for r in range(rival_start[i], rival_start[i + 1]):
            other = rivals[r]
            if other != besides and assign[other] == k:
                return False
    return True


@njit(cache=True, nogil=True)
def row_norms(x, kind, doublings, norms):
    """Fill the p-norm sums of the rows; return their total."""
    total = 0.0
    for k in range(x.shape[0]):
        here = 0.0
        for j in range(x.shape[1]):
            here += _power(x[k, j], kind == 2, doublings)
        norms[k] = here
        total += here
    return total


@njit(cache=True, nogil=True)
def anneal(
    w,
    scale,
    kind,
    doublings,
    allowed,
    rival_start,
    rivals,
    free,
    assign,
    x,
    norms,
    exponential,
    hot,
    cold,
    steps,
    state,
    best,
    best_value,
    track,
):
    """Anneal ``steps`` proposals from temperature ``hot`` to ``cold``; return the best true value.

    The energy is the root of the sum of p-th powers, so temperatures are in the unit of the
    objective. ``assign``, ``x``, ``norms``, ``state`` and ``best`` change in place.
    """
    n, m = free.shape[0], w.shape[1]
    k_all = x.shape[0]
    p = 4.0 * 2.0**doublings
    sided = kind == 2
    any_rule = allowed.shape[0] > 1 or rival_start.shape[0] > 1
    plain = True
    for k in range(k_all):
        for j in range(m):
            if scale[k, j] != scale[0, j]:
                plain = False
    total = 0.0
    for k in range(k_all):
        total += norms[k]
    root = total ** (1.0 / p)
    gate = np.inf
    cool = (cold / hot) ** (1024.0 / max(steps, 1)) if hot > 0.0 else 1.0
    temperature = hot
    delta = np.empty(m)
    for step in range(steps):
        if step & 1023 == 1023:
            temperature *= cool
        bits = _next(state)
        i = free[np.int64(((bits >> np.uint64(33)) * np.uint64(n)) >> np.uint64(31))]
        a = assign[i]
        swap = bits & np.uint64(3) != np.uint64(0)
        j_unit = np.int64(-1)
        if swap:
            j_unit = free[_below(state, n)]
            b = assign[j_unit]
            if a == b:
                continue
        else:
            b = _below(state, k_all - 1)
            if b >= a:
                b += 1
        if any_rule:
            if not fits(allowed, rival_start, rivals, assign, i, b, j_unit):
                continue
            if swap and not fits(allowed, rival_start, rivals, assign, j_unit, a, i):
                continue
        threshold = root + temperature * exponential[np.int64((bits >> np.uint64(4)) & np.uint64(4095))]
        squared = threshold * threshold
        limit = squared * squared
        if doublings > 0:
            limit = limit * limit
        if doublings > 1:
            limit = limit * limit
        limit -= total - norms[a] - norms[b]
        if swap:
            for j in range(m):
                delta[j] = w[i, j] - w[j_unit, j]
        else:
            for j in range(m):
                delta[j] = w[i, j]
        new_a, new_b = 0.0, 0.0
        if plain:
            for j in range(m):
                delta[j] *= scale[0, j]
                new_a += _power(x[a, j] - delta[j], sided, doublings)
                new_b += _power(x[b, j] + delta[j], sided, doublings)
        else:
            for j in range(m):
                new_a += _power(x[a, j] - delta[j] * scale[a, j], sided, doublings)
                new_b += _power(x[b, j] + delta[j] * scale[b, j], sided, doublings)
        if new_a + new_b > limit:
            continue
        if plain:
            for j in range(m):
                x[a, j] -= delta[j]
                x[b, j] += delta[j]
        else:
            for j in range(m):
                x[a, j] -= delta[j] * scale[a, j]
                x[b, j] += delta[j] * scale[b, j]
        assign[i] = b
        if swap:
            assign[j_unit] = a
        norms[a], norms[b] = new_a, new_b
        total = 0.0
        for k in range(k_all):
            total += norms[k]
        root = total ** (1.0 / p)
        if track and root < gate:
            value = true_value(x, kind)
            if value < best_value:
                best_value = value
                best[:] = assign
                gate = root * 1.3
    return best_value
