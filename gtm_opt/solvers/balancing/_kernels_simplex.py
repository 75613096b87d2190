# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Compiled simplex steps of the relaxation of packing by patterns."""

from __future__ import annotations

import numpy as np

from gtm_opt.solvers._kernels_jit import njit


@njit(cache=True, nogil=True)
def steps(dual, size, start, index, amount, inverse, x, price, basis, tiny, most):
    """Make up to ``most`` dual or primal steps; return how many (fewer: none is left, or it went wrong).

    Pattern j has ``amount`` units of the sizes ``index``, both from ``start[j]`` on. ``inverse`` is the
    transposed inverse of the basis: row i is what size i becomes. ``basis`` names patterns, or ``-1 - i`` for the
    surplus of size i. ``x``: basic variables, ``price``: dual ones.
    """
    t = len(x)
    direction = np.empty(t)
    line = np.empty(t)
    for step in range(most):
        row, name, gain = -1, 0, 0.0
        if dual:
            # the most negative leaves; the smallest ratio of reduced costs enters
            least = -10.0 * tiny
            for i in range(t):
                if x[i] < least:
                    least, row = x[i], i
            if row < 0:
                return step
            for i in range(t):
                line[i] = inverse[i, row]
            found, ratio, steep = False, np.inf, 0.0
            for j in range(size + t):
                if j < size:
                    alpha, reduced = 0.0, 1.0
                    for s in range(start[j], start[j + 1]):
                        alpha += amount[s] * line[index[s]]
                        reduced -= amount[s] * price[index[s]]
                else:
                    alpha, reduced = -line[j - size], price[j - size]
                if alpha >= -100.0 * tiny:
                    continue
                this = max(reduced, 0.0) / -alpha
                if this < ratio - 1e-12 or (this <= ratio + 1e-12 and alpha < steep):
                    found, ratio, steep, gain = True, this, alpha, reduced
                    name = j if j < size else -1 - (j - size)
            if not found:
                return step
        else:
            gain = -tiny
            found = False
            for j in range(size):
                reduced = 1.0
                for s in range(start[j], start[j + 1]):
                    reduced -= amount[s] * price[index[s]]
                if reduced < gain:
                    found, gain, name = True, reduced, j
            for i in range(t):
                if price[i] < gain:
                    found, gain, name = True, price[i], -1 - i
            if not found:
                return step
        for i in range(t):
            direction[i] = 0.0 if name >= 0 else -inverse[-1 - name, i]
        if name >= 0:
            for s in range(start[name], start[name + 1]):
                for i in range(t):
                    direction[i] += amount[s] * inverse[index[s], i]
        if not dual:
            ratio, steep = np.inf, 0.0
            for i in range(t):
                if direction[i] > 100.0 * tiny:
                    this = max(x[i], 0.0) / direction[i]
                    if this < ratio - 1e-12 or (this <= ratio + 1e-12 and direction[i] > steep):
                        row, ratio, steep = i, this, direction[i]
        if row < 0 or abs(direction[row]) < tiny:
            return step
        pivot = direction[row]
        amount_in = x[row] / pivot
        for i in range(t):
            x[i] -= amount_in * direction[i]
        x[row] = amount_in
        direction[row] = 0.0
        for i in range(t):
            factor = inverse[i, row] / pivot
            if factor != 0.0:
                for j in range(t):
                    inverse[i, j] -= factor * direction[j]
                inverse[i, row] = factor
                price[i] += gain * factor
        basis[row] = name
    return most


@njit(cache=True, nogil=True)
def invert(matrix, out):
    """Fill ``out`` with the inverse of ``matrix`` (destroyed); return whether there is one.

    Gauss and Jordan's elimination; skips zeros, since patterns have few sizes.
    """
    t = len(matrix)
    for i in range(t):
        for j in range(t):
            out[i, j] = 1.0 if i == j else 0.0
    for c in range(t):
        best = c
        for i in range(c + 1, t):
            if abs(matrix[i, c]) > abs(matrix[best, c]):
                best = i
        pivot = matrix[best, c]
        if abs(pivot) < 1e-9:
            return False
        for j in range(t):
            matrix[best, j], matrix[c, j] = matrix[c, j], matrix[best, j] / pivot
            out[best, j], out[c, j] = out[c, j], out[best, j] / pivot
        for i in range(t):
            factor = matrix[i, c]
            if i != c and factor != 0.0:
                for j in range(c, t):
                    matrix[i, j] -= factor * matrix[c, j]
                for j in range(t):
                    out[i, j] -= factor * out[c, j]
    return True
