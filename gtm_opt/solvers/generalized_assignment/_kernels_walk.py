# mypy: disable-error-code="no-untyped-def"
"""Compiled annealing for capacities: shifts, swaps and cycles of three on reduced costs.

Imported late: loading this module loads numba. Tables are stored territory by territory, so that
scanning the members of one territory for a place in another stays in two rows.
"""

from __future__ import annotations

import numpy as np

from gtm_opt.solvers._kernels_jit import njit
from gtm_opt.solvers._kernels_random import next_float
from gtm_opt.solvers.generalized_assignment._kernels_moves import (
    BEST,
    COOLING,
    TEMPERATURE,
    VALUE,
    begin,
    press,
    relocate,
)

__all__ = ["walk"]

_EVERY = 256


@njit(cache=True, nogil=True)
def _swap_for(i, p, q, start, gain, left, threshold, reduced, use, room, under, over, members, size):
    """Return the first member of q that may go to p when i goes to q, or -1."""
    count = size[q]
    room_q = room[q] - use[q, i]
    rate_under_p, rate_over_p, rate_under_q, rate_over_q = under[p], over[p], under[q], over[q]
    for step in range(count):
        at = start + step
        if at >= count:
            at -= count
        j = members[q, at]
        delta = gain + reduced[p, j] - reduced[q, j]
        if delta >= threshold + left:
            continue
        delta += press(room_q + use[q, j], rate_under_q, rate_over_q)
        delta += press(room[p] + use[p, i] - use[p, j], rate_under_p, rate_over_p)
        if delta < threshold + left:
            return j
    return -1


@njit(cache=True, nogil=True)
def _cycle_for(
    i, p, q, start, pick, gain, left, threshold, reduced, use, room, under, over, members, size, near, n_near
):
    """Return (j, t): a member j of q and a territory t so that i to q, j to t passes; (-1, -1) if none."""
    count = size[q]
    room_q = room[q] - use[q, i]
    room_p = press(room[p] + use[p, i], under[p], over[p])
    for step in range(count):
        at = start + step
        if at >= count:
            at -= count
        j = members[q, at]
        t = near[j, pick % n_near[j]]
        if t in (p, q):
            continue
        delta = gain + room_p + reduced[t, j] - reduced[q, j] - press(room[t], under[t], over[t])
        if delta >= threshold + left:
            continue
        delta += press(room_q + use[q, j], under[q], over[q])
        delta += press(room[t] - use[t, j], under[t], over[t])
        if delta < threshold + left:
            return j, t
    return -1, -1


@njit(cache=True, nogil=True)
def _three_for(i, p, q, j, t, start, gain, left, threshold, reduced, use, room, under, over, members, size):
    """Return a member of t that may go to p when i goes to q and j (of q) to t, or -1."""
    count = size[t]
    room_t = room[t] - use[t, j]
    room_p = room[p] + use[p, i]
    fixed = gain + reduced[t, j] - reduced[q, j] + press(room[q] - use[q, i] + use[q, j], under[q], over[q])
    fixed -= left + press(room[t], under[t], over[t])
    if fixed >= threshold + 1e6:
        return -1
    for step in range(count):
        at = start + step
        if at >= count:
            at -= count
        h = members[t, at]
        delta = fixed + reduced[p, h] - reduced[t, h]
        if delta >= threshold:
            continue
        delta += press(room_t + use[t, h], under[t], over[t])
        delta += press(room_p - use[p, h], under[p], over[p])
        if delta < threshold:
            return h
    return -1


@njit(cache=True, nogil=True)
def walk(state, level, steps, reduced, use, room, under, base, near, n_near, members, size, place, assignment, best):
    """Anneal for ``steps`` proposals; keep the best assignment without overload in ``best``.

    ``base`` times the level's rate is what a unit of overload costs beyond its price. Returns the
    number of accepted moves.
    """
    n = len(assignment)
    over, value, excess = begin(level, assignment, reduced, room, under, base)
    temperature, lowest = level[TEMPERATURE], level[BEST]
    accepted = 0
    for step in range(steps):
        if step % _EVERY == 0:
            temperature *= level[COOLING]
        i = int(next_float(state) * n)
        if n_near[i] < 2:
            continue
        p = assignment[i]
        u = next_float(state)
        q = near[i, int(u * u * n_near[i])]
        if q == p:
            continue
        threshold = -temperature * np.log(1.0 - next_float(state))
        gain = reduced[q, i] - reduced[p, i]
        left = press(room[p], under[p], over[p]) + press(room[q], under[q], over[q])
        kind = next_float(state)
        j, t, h = -1, -1, -1
        delta = gain + press(room[p] + use[p, i], under[p], over[p]) - left
        delta += press(room[q] - use[q, i], under[q], over[q])
        moved = delta < threshold
        if not moved and size[q] > 0:
            start = int(next_float(state) * size[q])
            if kind < 0.6:
                j = _swap_for(i, p, q, start, gain, left, threshold, reduced, use, room, under, over, members, size)
                t = p
            elif kind < 0.8:
                pick = int(next_float(state) * 1024.0)
                j, t = _cycle_for(
                    i, p, q, start, pick, gain, left, threshold, reduced, use, room, under, over, members, size,
                    near, n_near,
                )  # fmt: skip
            else:
                j = members[q, start]
                u = next_float(state)
                t = near[j, int(u * u * n_near[j])]
                if t in (p, q) or size[t] == 0:
                    continue
                start = int(next_float(state) * size[t])
                h = _three_for(
                    i, p, q, j, t, start, gain, left, threshold, reduced, use, room, under, over, members, size
                )
                if h < 0:
                    continue
            if j < 0:
                continue
            moved = True
        if not moved:
            continue
        before = press(room[p], under[p], over[p]) + press(room[q], under[q], over[q])
        was = (1 if room[p] < 0.0 else 0) + (1 if room[q] < 0.0 else 0)
        if j >= 0 and t != p:
            before += press(room[t], under[t], over[t])
            was += 1 if room[t] < 0.0 else 0
        value += gain
        relocate(i, p, q, use, room, members, size, place, assignment)
        if j >= 0:
            value += reduced[t, j] - reduced[q, j]
            relocate(j, q, t, use, room, members, size, place, assignment)
        if h >= 0:
            value += reduced[p, h] - reduced[t, h]
            relocate(h, t, p, use, room, members, size, place, assignment)
        after = press(room[p], under[p], over[p]) + press(room[q], under[q], over[q])
        now = (1 if room[p] < 0.0 else 0) + (1 if room[q] < 0.0 else 0)
        if j >= 0 and t != p:
            after += press(room[t], under[t], over[t])
            now += 1 if room[t] < 0.0 else 0
        value += after - before
        excess += now - was
        accepted += 1
        if excess == 0 and value < lowest - 1e-7:
            lowest = value
            best[:] = assignment
    level[TEMPERATURE], level[VALUE], level[BEST] = temperature, value, lowest
    return accepted
