# mypy: disable-error-code="no-untyped-def"
"""Compiled search over long ejection chains and cycles for capacities.

Imported late: loading this module loads numba. Tables are stored territory by territory, so that
scanning the members of one territory stays in one row.
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

__all__ = ["chains"]

_DEPTH = 10


@njit(cache=True, nogil=True)
def _visited(layer, at, q, layer_unit, layer_parent, assignment):
    """Whether the path to entry ``at`` of ``layer`` already changes territory q."""
    while layer >= 0:
        if assignment[layer_unit[layer, at]] == q:
            return True
        at = layer_parent[layer, at]
        layer -= 1
    return False


@njit(cache=True, nogil=True)
def chains(
    state, level, tries, noise, width, reduced, use, room, under, base, near, n_near, members, size, place,
    assignment, best, layer_unit, layer_parent, layer_cost, layer_rank, slot,
):  # fmt: skip
    """Build ``tries`` chains from random units; apply those that pass the threshold; return how many did.

    Layer d holds the units that d ejections from the first can leave without a place, the best
    ``width`` of them. A chain ends in the territory it began in, or in one with room.
    """
    n = len(assignment)
    over, value, excess = begin(level, assignment, reduced, room, under, base)
    temperature, lowest = level[TEMPERATURE], level[BEST]
    applied = 0
    chain = np.empty(_DEPTH + 2, dtype=np.int64)
    for _ in range(tries):
        temperature *= level[COOLING]
        first = int(next_float(state) * n)
        if n_near[first] < 2:
            continue
        home = assignment[first]
        threshold = -temperature * np.log(1.0 - next_float(state)) - 1e-9
        home_was = press(room[home], under[home], over[home])
        home_room = room[home] + use[home, first]
        home_empty = press(home_room, under[home], over[home]) - home_was
        layer_unit[0, 0], layer_parent[0, 0], layer_cost[0, 0] = first, -1, 0.0
        count, layer = 1, 0
        found, end_layer, end_at, end_to = threshold, -1, -1, -1
        while count > 0 and layer < _DEPTH:
            # grow the next layer from this one; slot[j] is the place of unit j in it, plus one
            grown = 0
            for at in range(count):
                i = layer_unit[layer, at]
                p = assignment[i]
                cost = layer_cost[layer, at] - reduced[p, i]
                for s in range(n_near[i]):
                    q = near[i, s]
                    base_cost = cost + reduced[q, i]
                    q_was = press(room[q], under[q], over[q])
                    if base_cost - q_was >= threshold:
                        continue
                    if q == p or (layer > 0 and _visited(layer, at, q, layer_unit, layer_parent, assignment)):
                        continue
                    base_cost -= q_was
                    room_q = room[q] - use[q, i]
                    # end here: the unit goes where there is room
                    ending = base_cost + press(room_q, under[q], over[q]) + home_empty
                    if ending < found:
                        found, end_layer, end_at, end_to = ending, layer, at, q
                    under_q, over_q = under[q], over[q]
                    for a in range(size[q]):
                        j = members[q, a]
                        left = room_q + use[q, j]
                        c = base_cost + (under_q * left if left >= 0.0 else -over_q * left)
                        if c >= threshold:
                            continue
                        where = slot[j] - 1
                        rank = c + noise * next_float(state)
                        if where >= 0:
                            if rank < layer_rank[layer + 1, where]:
                                layer_cost[layer + 1, where] = c
                                layer_rank[layer + 1, where] = rank
                                layer_parent[layer + 1, where] = at
                            continue
                        if grown < width:
                            where = grown
                            grown += 1
                        else:
                            # replace a random entry if it is worse: keeps the layer small and varied
                            where = int(next_float(state) * width)
                            if layer_rank[layer + 1, where] <= rank:
                                continue
                            slot[layer_unit[layer + 1, where]] = 0
                        slot[j] = where + 1
                        layer_unit[layer + 1, where] = j
                        layer_cost[layer + 1, where] = c
                        layer_rank[layer + 1, where] = rank
                        layer_parent[layer + 1, where] = at
            layer += 1
            count = grown
            for at in range(count):
                j = layer_unit[layer, at]
                slot[j] = 0
                closing = layer_cost[layer, at] + reduced[home, j] - reduced[assignment[j], j] - home_was
                if closing >= found:
                    continue
                closing += press(home_room - use[home, j], under[home], over[home])
                if closing < found:
                    found, end_layer, end_at, end_to = closing, layer, at, home
            if end_layer >= 0:
                break
        if end_layer < 0:
            continue
        at = end_at
        for d in range(end_layer, -1, -1):
            chain[d] = layer_unit[d, at]
            at = layer_parent[d, at]
        before, after = 0.0, 0.0
        to = end_to
        for d in range(end_layer, -1, -1):
            i = chain[d]
            q = assignment[i]
            value += reduced[to, i] - reduced[q, i]
            chain[d] = i
            before += press(room[q], under[q], over[q])
            excess -= 1 if room[q] < 0.0 else 0
            to = q
        if end_to != home:
            before += press(room[end_to], under[end_to], over[end_to])
            excess -= 1 if room[end_to] < 0.0 else 0
        to = end_to
        for d in range(end_layer, -1, -1):
            i = chain[d]
            q = assignment[i]
            relocate(i, q, to, use, room, members, size, place, assignment)
            to = q
        # the territories of the chain: where each unit is now, and home
        for d in range(end_layer + 1):
            q = assignment[chain[d]]
            after += press(room[q], under[q], over[q])
            excess += 1 if room[q] < 0.0 else 0
        if end_to != home:
            after += press(room[home], under[home], over[home])
            excess += 1 if room[home] < 0.0 else 0
        value += after - before
        applied += 1
        if excess == 0 and value < lowest - 1e-7:
            lowest = value
            best[:] = assignment
    level[TEMPERATURE], level[VALUE], level[BEST] = temperature, value, lowest
    return applied
