# mypy: disable-error-code="no-untyped-def"
"""Compiled annealing on moves, swaps and ejections with incremental totals.

Imported late: loading this module loads numba. Row ``n`` of the activities is a unit of
size zero, so that a plain move is an ejection of nobody.
"""

from __future__ import annotations

import numpy as np

from gtm_opt.solvers._kernels_jit import njit
from gtm_opt.solvers._kernels_random import next_float

__all__ = ["anneal"]

# positions in the ``level`` array that kernels share with Python
OBJECTIVE, VIOLATION, BEST_OBJECTIVE, BEST_VIOLATION, TEMPERATURE, COOLING, SHIFT_RATE, UP, DOWN, CHAIN_RATE = range(10)
# positions in the ``count`` array
LOGGED, ACCEPTED, IMPROVED, STAMP = range(4)

_DEPTH = 6
_SCANNED = 12
_ABOVE = 3


@njit(cache=True, nogil=True)
def _pressed(k, leaves, enters, activities, totals, lower, upper, weight):
    """Return the weighted excess of territory ``k`` after one unit leaves and one enters."""
    at = k if activities.shape[1] > 1 else 0
    value = 0.0
    for j in range(totals.shape[1]):
        t = totals[k, j] - activities[leaves, at, j] + activities[enters, at, j]
        if t > upper[k, j]:
            value += weight[k, j] * (t - upper[k, j])
        elif t < lower[k, j]:
            value += weight[k, j] * (lower[k, j] - t)
    return value


@njit(cache=True, nogil=True)
def _refresh(k, totals, lower, upper, weight, scale, elastic, pressed, soft, hard):
    """Recompute what is cached of territory ``k``: weighted, elastic and hard excess."""
    value, penalty, broken = 0.0, 0.0, 0.0
    for j in range(totals.shape[1]):
        over = max(totals[k, j] - upper[k, j], lower[k, j] - totals[k, j], 0.0)
        value += weight[k, j] * over
        if elastic[j] >= 0.0:
            penalty += elastic[j] * over * scale[k, j]
        else:
            broken += over * scale[k, j]
    pressed[k], soft[k], hard[k] = value, penalty, broken


@njit(cache=True, nogil=True)
def _rules(i, p, q, j, r, side, side_use, side_upper, side_weight, group_start, group, group_count, apart_weight):
    """Return the weighted change of side rows and apart groups when i goes p to q and j goes q to r."""
    n = side.shape[0]
    change = 0.0
    for s in range(side.shape[2]):
        use = side_use[s] + side[i, q, s] - side[i, p, s]
        if j < n:
            use += side[j, r, s] - side[j, q, s]
        change += side_weight[s] * (max(use - side_upper[s], 0.0) - max(side_use[s] - side_upper[s], 0.0))
    pairs = 0
    for a in range(group_start[i], group_start[i + 1]):
        g = group[a]
        pairs += group_count[g, q] - (group_count[g, p] - 1)
    if j < n:
        for b in range(group_start[j], group_start[j + 1]):
            g = group[b]
            pairs += group_count[g, r] - (group_count[g, q] - 1)
            for a in range(group_start[i], group_start[i + 1]):
                if group[a] == g:
                    pairs -= 2 if r == p else 1
    return change + apart_weight * pairs


@njit(cache=True, nogil=True)
def _relocate(i, p, q, n, activities, totals, side, side_use, group_start, group, group_count, members, size, place):
    """Move unit i from p to q in totals, side use, groups and member lists."""
    by = activities.shape[1] > 1
    for c in range(totals.shape[1]):
        totals[p, c] -= activities[i, p if by else 0, c]
        totals[q, c] += activities[i, q if by else 0, c]
    for s in range(side.shape[2]):
        side_use[s] += side[i, q, s] - side[i, p, s]
    for a in range(group_start[i], group_start[i + 1]):
        group_count[group[a], p] -= 1
        group_count[group[a], q] += 1
    size[p] -= 1
    last = members[p, size[p]]
    members[p, place[i]] = last
    place[last] = place[i]
    members[q, size[q]] = i
    place[i] = size[q]
    size[q] += 1


@njit(cache=True, nogil=True)
def _broken_rules(side_use, side_upper, side_scale, group_count, has_groups):
    """Return the violation of side rows and apart groups."""
    value = 0.0
    for s in range(len(side_use)):
        value += max(side_use[s] - side_upper[s], 0.0) * side_scale[s]
    if has_groups:
        for g in range(group_count.shape[0]):
            for k in range(group_count.shape[1]):
                if group_count[g, k] > 1:
                    value += group_count[g, k] * (group_count[g, k] - 1) // 2
    return value


@njit(cache=True, nogil=True)
def _room(hole, left, sizes, activities, totals, lower, upper, rate):
    """Return the size that a unit should have to fill the hole that ``left`` leaves."""
    value = sizes[left, hole]
    for j in range(totals.shape[1]):
        if totals[hole, j] > upper[hole, j] or lower[hole, j] == -np.inf:
            room = upper[hole, j] - totals[hole, j]
        else:
            room = max(lower[hole, j] - totals[hole, j], 0.0)
        if room < np.inf:
            value += rate[hole, j] * room
    return value


@njit(cache=True, nogil=True)
def _chain(
    state,
    threshold,
    temperature,
    assignment,
    cost,
    priced,
    activities,
    wanted_start,
    wanted,
    wanted_size,
    sizes,
    rate,
    totals,
    lower,
    upper,
    weight,
    pressed,
    stamp,
    mark,
    trail,
    target,
):
    """Propose a cyclic ejection chain; fill ``trail`` and ``target``, return its length, 0 for none.

    A random unit leaves its territory; of the units that want the hole the one is taken that
    fits best at current prices, which leaves a hole elsewhere, and so on. At every depth the
    chain may be closed by putting the first unit into the last hole.
    """
    n = len(assignment)
    first = int(next_float(state) * n)
    home = assignment[first]
    hole, left = home, first
    change = -cost[first, home]
    mark[home] = stamp
    for depth in range(_DEPTH):
        begin, size = wanted_start[hole], wanted_start[hole + 1] - wanted_start[hole]
        if size == 0:
            return 0
        best_score, chosen = np.inf, -1
        best_close, closing = threshold, -1
        room = _room(hole, left, sizes, activities, totals, lower, upper, rate)
        at = min(begin + np.searchsorted(wanted_size[begin : begin + size], room, side="right") + _ABOVE, begin + size)
        stop = max(begin, at - _SCANNED)
        while at > stop:
            at -= 1
            j = wanted[at]
            k = assignment[j]
            if mark[k] == stamp:
                continue
            part = cost[j, hole] - priced[j, k]
            close = change + cost[j, hole] - cost[j, k] + cost[first, k] - pressed[hole] - pressed[k]
            if part >= best_score and not close < best_close:
                continue
            after = _pressed(hole, left, j, activities, totals, lower, upper, weight)
            part += after + temperature * next_float(state)
            if part < best_score:
                best_score, chosen = part, j
            close += after
            if close < best_close:
                close += _pressed(k, j, first, activities, totals, lower, upper, weight)
                if close < best_close:
                    best_close, closing = close, j
        if closing >= 0:
            trail[depth], target[depth] = closing, hole
            trail[depth + 1], target[depth + 1] = first, assignment[closing]
            return depth + 2
        if chosen < 0:
            return 0
        trail[depth], target[depth] = chosen, hole
        k = assignment[chosen]
        change += cost[chosen, hole] - cost[chosen, k] - pressed[hole]
        change += _pressed(hole, left, chosen, activities, totals, lower, upper, weight)
        hole, left = k, chosen
        mark[hole] = stamp
    return 0


@njit(cache=True, nogil=True)
def anneal(
    steps,
    period,
    state,
    assignment,
    best,
    log,
    level,
    count,
    cost,
    activities,
    candidates,
    n_candidates,
    totals,
    lower,
    upper,
    weight,
    floor,
    scale,
    elastic,
    side,
    side_use,
    side_upper,
    side_weight,
    side_scale,
    group_start,
    group,
    group_count,
    rule_weight,
    rule_floor,
    members,
    size,
    place,
    pressed,
    soft,
    hard,
    priced,
    wanted_start,
    wanted,
    wanted_size,
    sizes,
    rate,
    mark,
    trail,
    target,
    touched,
):
    """Do ``steps`` annealing steps; everything it needs to go on later is in its arguments."""
    n, n_territories = cost.shape
    n_rules = side.shape[2]
    has_groups = group_count.shape[0] > 0
    ruled = has_groups or n_rules > 0
    objective, temperature = level[OBJECTIVE], level[TEMPERATURE]
    violation, rules = 0.0, 0.0
    for step in range(steps):
        if step % period == 0:
            temperature *= level[COOLING]
            for k in range(n_territories):
                for j in range(totals.shape[1]):
                    if elastic[j] < 0.0:
                        out = totals[k, j] > upper[k, j] or totals[k, j] < lower[k, j]
                        weight[k, j] = max(floor[k, j], weight[k, j] * (level[UP] if out else level[DOWN]))
            for s in range(n_rules):
                factor = level[UP] if side_use[s] > side_upper[s] else level[DOWN]
                side_weight[s] = max(rule_floor * side_scale[s], side_weight[s] * factor)
            if ruled:
                rules = _broken_rules(side_use, side_upper, side_scale, group_count, has_groups)
                rule_weight[0] = max(rule_floor, rule_weight[0] * (level[UP] if rules > 0.0 else level[DOWN]))
            violation = 0.0
            for k in range(n_territories):
                _refresh(k, totals, lower, upper, weight, scale, elastic, pressed, soft, hard)
                violation += hard[k]
        threshold = -temperature * np.log(1.0 - next_float(state))
        if level[CHAIN_RATE] > 0.0 and next_float(state) < level[CHAIN_RATE]:
            count[STAMP] += 1
            length = _chain(
                state,
                threshold,
                temperature,
                assignment,
                cost,
                priced,
                activities,
                wanted_start,
                wanted,
                wanted_size,
                sizes,
                rate,
                totals,
                lower,
                upper,
                weight,
                pressed,
                count[STAMP],
                mark,
                trail,
                target,
            )
            if length == 0:
                continue
        else:
            i = int(next_float(state) * n)
            u = next_float(state)
            q = candidates[i, int(u * u * n_candidates[i])]
            p = assignment[i]
            if p == q:
                continue
            j, r = n, p
            change = cost[i, q] - cost[i, p]
            if next_float(state) >= level[SHIFT_RATE]:
                if size[q] == 0:
                    continue
                j = members[q, int(next_float(state) * size[q])]
                u = next_float(state)
                if u >= 0.7:
                    u = (u - 0.7) / 0.3
                    r = candidates[j, int(u * u * n_candidates[j])]
                    if r == q:
                        continue
                change += cost[j, r] - cost[j, q]
            # a forbidden pair has infinite cost, and so never passes
            if not change - pressed[p] - pressed[q] - (pressed[r] if r != p else 0.0) <= threshold and not ruled:
                continue
            change += _pressed(q, j, i, activities, totals, lower, upper, weight) - pressed[q]
            if r == p:
                change += _pressed(p, i, j, activities, totals, lower, upper, weight) - pressed[p]
            else:
                change += _pressed(p, i, n, activities, totals, lower, upper, weight) - pressed[p]
                change += _pressed(r, n, j, activities, totals, lower, upper, weight) - pressed[r]
            if ruled:
                change += _rules(
                    i,
                    p,
                    q,
                    j,
                    r,
                    side,
                    side_use,
                    side_upper,
                    side_weight,
                    group_start,
                    group,
                    group_count,
                    rule_weight[0],
                )
            if not change <= threshold:
                continue
            trail[0], target[0] = i, q
            length = 1
            if j < n:
                trail[1], target[1] = j, r
                length = 2
        count[ACCEPTED] += 1
        count[STAMP] += 1
        n_touched = 0
        for a in range(length):
            i, q = trail[a], target[a]
            p = assignment[i]
            for end in range(2):
                k = q if end else p
                if mark[k] != count[STAMP]:
                    mark[k] = count[STAMP]
                    touched[n_touched] = k
                    n_touched += 1
                    objective -= soft[k]
                    violation -= hard[k]
            objective += cost[i, q] - cost[i, p]
            _relocate(
                i, p, q, n, activities, totals, side, side_use, group_start, group, group_count, members, size, place
            )
            assignment[i] = q
            if count[LOGGED] < len(log):
                log[count[LOGGED]] = i
            count[LOGGED] += 1
        for a in range(n_touched):
            k = touched[a]
            _refresh(k, totals, lower, upper, weight, scale, elastic, pressed, soft, hard)
            objective += soft[k]
            violation += hard[k]
        if ruled:
            rules = _broken_rules(side_use, side_upper, side_scale, group_count, has_groups)
        broken = violation + rules
        if broken < level[BEST_VIOLATION] - 1e-12 or (
            broken <= level[BEST_VIOLATION] + 1e-12 and objective < level[BEST_OBJECTIVE] - 1e-9
        ):
            # floating-point dust must not pass for a kept band
            level[BEST_VIOLATION] = broken if broken > 1e-12 else 0.0
            level[BEST_OBJECTIVE] = objective
            count[IMPROVED] += 1
            if count[LOGGED] <= len(log):
                for a in range(count[LOGGED]):
                    best[log[a]] = assignment[log[a]]
            else:
                best[:] = assignment
            count[LOGGED] = 0
    level[OBJECTIVE], level[VIOLATION], level[TEMPERATURE] = objective, violation + rules, temperature
