"""Compiled depth-first search over all assignments of a few units."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"

from __future__ import annotations

import numpy as np

from gtm_opt.solvers._kernels_jit import njit


@njit(cache=True, nogil=True)
def search_all(w, allowed, alike, target, unit, low, high, side, side_left, rival_start, rivals, best, at_best, most):
    """Find the assignment with the least worst deviation by depth-first search; prune what cannot be better.

    Units come in the order in which they are placed. ``w[i, k, j]`` is what unit i adds to criterion j in territory
    k, ``unit[k, j]`` what a deviation is divided by (inf: not measured), ``low`` and ``high`` hard limits of totals,
    ``side[i, k, r]`` the use of side rows and ``side_left[r]`` what may be used. ``alike[k]`` is the first territory
    that k cannot be told from: of those that are still empty only the first is tried. ``rivals`` of i are earlier
    units it must not share a territory with. ``best`` is the value to beat, ``at_best`` changes in place.

    Returns the best value, the number of placements tried, and whether all assignments were seen to the end.
    """
    n, k_all, m = w.shape
    r_all = side.shape[2]
    # what units i, i+1, ... bring at least and at most, wherever they go
    least_side = np.zeros((n + 1, r_all))
    most_left = np.zeros((n + 1, m))
    least_left = np.zeros((n + 1, m))
    for i in range(n - 1, -1, -1):
        for r in range(r_all):
            least = np.inf
            for k in range(k_all):
                if allowed[i, k]:
                    least = min(least, side[i, k, r])
            least_side[i, r] = least_side[i + 1, r] + least
        for j in range(m):
            least, largest = np.inf, 0.0
            for k in range(k_all):
                if allowed[i, k]:
                    least = min(least, w[i, k, j])
                    largest = max(largest, w[i, k, j])
            least_left[i, j] = least_left[i + 1, j] + least
            most_left[i, j] = most_left[i + 1, j] + largest
    total = np.zeros((k_all, m))
    used = np.zeros(r_all)
    count = np.zeros(k_all, dtype=np.int64)
    at = np.full(n, -1, dtype=np.int64)
    i, tried = 0, 0
    while i >= 0:
        k = at[i]
        if k >= 0:  # take it back
            for j in range(m):
                total[k, j] -= w[i, k, j]
            for r in range(r_all):
                used[r] -= side[i, k, r]
            count[k] -= 1
        k += 1
        placed = False
        while k < k_all and not placed:
            if allowed[i, k] and _fits(i, k, at, count, alike, rival_start, rivals):
                tried += 1
                for j in range(m):
                    total[k, j] += w[i, k, j]
                for r in range(r_all):
                    used[r] += side[i, k, r]
                placed = _may_be_better(
                    i + 1, total, used, target, unit, low, high, side_left, least_side, least_left, most_left, best
                )
                if not placed:
                    for j in range(m):
                        total[k, j] -= w[i, k, j]
                    for r in range(r_all):
                        used[r] -= side[i, k, r]
            if not placed:
                k += 1
        if not placed:
            at[i] = -1
            i -= 1
            continue
        at[i] = k
        count[k] += 1
        if tried >= most:
            return best, tried, False
        if i < n - 1:
            i += 1
            continue
        # all are placed: sums from scratch, so that nothing of the search's round-off is left
        worst = 0.0
        for q in range(k_all):
            for j in range(m):
                if unit[q, j] < np.inf:
                    exact = 0.0
                    for u in range(n):
                        if at[u] == q:
                            exact += w[u, q, j]
                    worst = max(worst, abs(exact - target[q, j]) / unit[q, j])
        if worst < best:
            best = worst
            for u in range(n):
                at_best[u] = at[u]
    return best, tried, True


@njit(cache=True, nogil=True)
def _fits(i, k, at, count, alike, rival_start, rivals):
    if count[k] == 0 and alike[k] >= 0:
        for q in range(k):  # an empty territory that looks the same comes first
            if alike[q] == alike[k] and count[q] == 0:
                return False
    for r in range(rival_start[i], rival_start[i + 1]):  # noqa: SIM110 (compiled code has no generators)
        if at[rivals[r]] == k:
            return False
    return True


@njit(cache=True, nogil=True)
def _may_be_better(i, total, used, target, unit, low, high, side_left, least_side, least_left, most_left, best):
    k_all, m = total.shape
    hair = 1e-9
    for r in range(used.shape[0]):
        if used[r] + least_side[i, r] > side_left[r] + hair * max(1.0, abs(side_left[r])):
            return False
    for j in range(m):
        missing, spare = 0.0, 0.0
        for k in range(k_all):
            top, floor = high[k, j], low[k, j]
            slack = hair * max(target[k, j], 1e-300)
            if unit[k, j] < np.inf:
                room = best * unit[k, j] * (1.0 - 1e-10)
                top, floor = min(top, target[k, j] + room), max(floor, target[k, j] - room)
            if total[k, j] > top + slack:
                return False
            if floor > total[k, j]:
                missing += floor - total[k, j] - slack
            spare += top - total[k, j] + slack
        if missing > most_left[i, j] or spare < least_left[i, j]:
            return False
    return True
