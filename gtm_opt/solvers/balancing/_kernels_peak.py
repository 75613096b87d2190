# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
"""Compiled search for one integer criterion: all loads within a capacity."""

from __future__ import annotations

import numpy as np

from gtm_opt.solvers._kernels_jit import njit
from gtm_opt.solvers.balancing._kernels_anneal import _below, _next


@njit(cache=True, nogil=True)
def squeeze(size, capacity, assign, load, free, exponential, hot, cold, steps, state, best, best_energy):
    """Anneal the sum of squared loads beyond ``capacity``; return the least met (stops at 0).

    Moves and swaps. ``best`` receives the assignment of least energy, ``best_energy`` is the one it has.
    """
    n, k_all = free.shape[0], load.shape[0]
    energy = np.int64(0)
    for k in range(k_all):
        over = max(load[k] - capacity, 0)
        energy += over * over
    cool = (cold / hot) ** (1024.0 / max(steps, 1))
    temperature = hot
    for step in range(steps):
        if step & 1023 == 1023:
            temperature *= cool
        bits = _next(state)
        i = free[np.int64(((bits >> np.uint64(33)) * np.uint64(n)) >> np.uint64(31))]
        a = assign[i]
        other = np.int64(-1)
        change = size[i]
        if bits & np.uint64(7) != np.uint64(0):
            other = free[_below(state, n)]
            b = assign[other]
            if a == b:
                continue
            change -= size[other]
            if change == 0:
                continue
        else:
            b = _below(state, k_all - 1)
            if b >= a:
                b += 1
        old_a, old_b = max(load[a] - capacity, 0), max(load[b] - capacity, 0)
        new_a, new_b = max(load[a] - change - capacity, 0), max(load[b] + change - capacity, 0)
        delta = new_a * new_a + new_b * new_b - old_a * old_a - old_b * old_b
        if delta > temperature * exponential[np.int64((bits >> np.uint64(4)) & np.uint64(4095))]:
            continue
        load[a] -= change
        load[b] += change
        assign[i] = b
        if other >= 0:
            assign[other] = a
        energy += delta
        if energy < best_energy:
            best_energy = energy
            best[:] = assign
            if energy == 0:
                return best_energy
    return best_energy


@njit(cache=True, nogil=True)
def largest_differencing(size, order, k_all):
    """Return the k-way Karmarkar-Karp assignment: repeatedly join the two partial solutions of widest spread."""
    n = len(order)
    loads = np.zeros((n, k_all), dtype=np.int64)
    # chains: the units of slot (node, column) as linked lists
    head = np.full((n, k_all), -1, dtype=np.int64)
    tail = np.full((n, k_all), -1, dtype=np.int64)
    after = np.full(n, -1, dtype=np.int64)
    heap = np.arange(n)
    key = np.empty(n, dtype=np.int64)
    for r in range(n):
        loads[r, 0] = size[order[r]]
        head[r, 0] = tail[r, 0] = order[r]
        key[r] = loads[r, 0]
    count = n
    # order is decreasing in size, so the array is a heap already
    column = np.empty(k_all, dtype=np.int64)
    merged = np.empty(k_all, dtype=np.int64)
    new_head, new_tail = np.empty(k_all, dtype=np.int64), np.empty(k_all, dtype=np.int64)
    while count > 1:
        first = heap[0]
        count -= 1
        heap[0] = heap[count]
        _sift(heap, key, count, 0)
        second = heap[0]
        # columns are kept in decreasing order of load: join largest with smallest
        for c in range(k_all):
            o = k_all - 1 - c
            merged[c] = loads[first, c] + loads[second, o]
            h1, t1, h2, t2 = head[first, c], tail[first, c], head[second, o], tail[second, o]
            if h1 < 0:
                new_head[c], new_tail[c] = h2, t2
            elif h2 < 0:
                new_head[c], new_tail[c] = h1, t1
            else:
                after[t1] = h2
                new_head[c], new_tail[c] = h1, t2
        column = np.argsort(-merged, kind="mergesort")
        least = merged[column[k_all - 1]]
        for c in range(k_all):
            loads[second, c] = merged[column[c]] - least
            head[second, c], tail[second, c] = new_head[column[c]], new_tail[column[c]]
        key[second] = loads[second, 0]
        _sift(heap, key, count, 0)
    assign = np.zeros(n, dtype=np.int64)
    root = heap[0]
    for c in range(k_all):
        i = head[root, c]
        while i >= 0:
            assign[i] = c
            i = after[i]
    return assign


@njit(cache=True, nogil=True)
def _sift(heap, key, count, at):
    while True:
        child = 2 * at + 1
        if child >= count:
            return
        if child + 1 < count and key[heap[child + 1]] > key[heap[child]]:
            child += 1
        if key[heap[child]] <= key[heap[at]]:
            return
        heap[child], heap[at] = heap[at], heap[child]
        at = child


@njit(cache=True, nogil=True)
def first_fit(size, order, capacity, k_all):
    """Return the first-fit assignment in the given order (-1 in ``[0]`` of the flag when it does not fit)."""
    assign = np.full(len(order), -1, dtype=np.int64)
    load = np.zeros(k_all, dtype=np.int64)
    for i in order:
        for k in range(k_all):
            if load[k] + size[i] <= capacity:
                load[k] += size[i]
                assign[i] = k
                break
        if assign[i] < 0:
            return False, assign
    return True, assign
