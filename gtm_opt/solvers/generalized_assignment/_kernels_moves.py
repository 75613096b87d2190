# mypy: disable-error-code="no-untyped-def"
"""Compiled parts that all searches for capacities share: what capacity costs, and moving a unit.

Imported late: loading this module loads numba.
"""

from __future__ import annotations

from gtm_opt.solvers._kernels_jit import njit

__all__ = ["BEST", "COOLING", "OVER_RATE", "TEMPERATURE", "VALUE", "begin", "press", "relocate"]

# positions in the ``level`` array shared with Python
TEMPERATURE, COOLING, OVER_RATE, VALUE, BEST = range(5)


@njit(cache=True, nogil=True)
def press(room, under, over):
    """Return what remaining capacity ``room`` (negative: overload) costs at the prices of a territory."""
    return under * room if room >= 0.0 else -over * room


@njit(cache=True, nogil=True)
def relocate(i, p, q, use, room, members, size, place, assignment):
    """Move unit i from p to q in remaining capacities and member lists."""
    room[p] += use[p, i]
    room[q] -= use[q, i]
    size[p] -= 1
    last = members[p, size[p]]
    members[p, place[i]] = last
    place[last] = place[i]
    members[q, size[q]] = i
    place[i] = size[q]
    size[q] += 1
    assignment[i] = q


@njit(cache=True, nogil=True)
def begin(level, assignment, reduced, room, under, base):
    """Return what a unit of overload costs per territory, the penalised value from scratch, and how many overload."""
    over = base * level[OVER_RATE]
    value, excess = 0.0, 0
    for i in range(len(assignment)):
        value += reduced[assignment[i], i]
    for k in range(len(room)):
        value += press(room[k], under[k], over[k])
        excess += 1 if room[k] < 0.0 else 0
    return over, value, excess
