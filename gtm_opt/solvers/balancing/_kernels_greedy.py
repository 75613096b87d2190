"""Compiled vector greedy."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"

from __future__ import annotations

import numpy as np

from gtm_opt.solvers._kernels_jit import njit


@njit(cache=True, nogil=True)
def place(order, w, scale, offset, allowed, rival_start, rivals, assign, x):
    """Place the units of ``order`` one by one where the worst (then summed) relative fill stays smallest.

    ``x`` begins at ``-offset`` (plus what is placed already) and changes in place, as does
    ``assign`` (-1: not placed). Fills are measured against the mean fill of what is placed so far.
    Returns the number of units for which no territory was left.
    """
    stuck = 0
    k_all, m = scale.shape
    fill = np.empty((k_all, m))
    inverse = np.empty((k_all, m))
    for k in range(k_all):
        for j in range(m):
            inverse[k, j] = 1.0 / offset[k, j] if offset[k, j] > 0.0 else 0.0
            fill[k, j] = (x[k, j] + offset[k, j]) * inverse[k, j]
            inverse[k, j] *= scale[k, j]
    mean, share = np.zeros(m), np.zeros(m)
    for j in range(m):
        room = 0.0
        for k in range(k_all):
            if scale[k, j] > 0.0:  # 0: not measured
                room += offset[k, j] / scale[k, j]
        share[j] = 1.0 / room if room > 0.0 else 0.0
        for k in range(k_all):
            if scale[k, j] > 0.0:
                mean[j] += (x[k, j] + offset[k, j]) / scale[k, j] * share[j]
    for i in order:
        if assign[i] >= 0:
            continue
        target, worst_best, sum_best = -1, np.inf, np.inf
        for k in range(k_all):
            if allowed.shape[0] > 1 and allowed[i, k] == 0:
                continue
            clash = False
            if rival_start.shape[0] > 1:
                for r in range(rival_start[i], rival_start[i + 1]):
                    if assign[rivals[r]] == k:
                        clash = True
            if clash:
                continue
            worst, total = -np.inf, 0.0
            for j in range(m):
                v = fill[k, j] + w[i, j] * inverse[k, j] - mean[j]
                worst = max(worst, v)
                total += v
            if worst < worst_best or (worst == worst_best and total < sum_best):
                target, worst_best, sum_best = k, worst, total
        if target < 0:
            stuck += 1
            continue
        assign[i] = target
        for j in range(m):
            mean[j] += w[i, j] * share[j]
            fill[target, j] += w[i, j] * inverse[target, j]
            x[target, j] += w[i, j] * scale[target, j]
    return stuck
