# mypy: disable-error-code="no-untyped-def"
"""Compiled node of a dive: prices of what is open adapt, and every territory offers the set it asked for most.

Imported late: loading this module loads numba.
"""

from __future__ import annotations

import numpy as np

from gtm_opt.solvers._kernels_jit import njit
from gtm_opt.solvers.generalized_assignment._kernels_knapsack import fill

__all__ = ["offers"]


@njit(cache=True, nogil=True)
def offers(here, left, at, step, shrink, new, rounds, cost, size, room, chosen, taken, space, mean, offer, which):
    """Adapt the prices ``at`` of the units ``left`` for some rounds; return the best bound, and leave its prices.

    ``chosen[r, t, c]`` says whether territory ``here[t]`` took unit ``left[c]`` in round r; ``which[t]`` is the
    round whose set agrees most with the running mean, ``offer[t]`` how much of the mean it explains.
    """
    n_here, n_left = len(here), len(left)
    local = np.empty(n_left, dtype=np.int64)
    profit, slope = np.empty(n_left), np.empty(n_left)
    now = np.empty(n_left)
    for c in range(n_left):
        now[c] = at[left[c]]
    best = -np.inf
    for r in range(rounds):
        bound = 0.0
        for c in range(n_left):
            bound += now[c]
            slope[c] = 1.0
        weight = new if r else 1.0
        for t in range(n_here):
            k = here[t]
            took = chosen[r, t]
            for c in range(n_left):
                profit[c] = now[c] - cost[k, left[c]]
                local[c] = size[k, left[c]]
            bound -= fill(profit, local, room[k], space, taken, took[:n_left])
            for c in range(n_left):
                mean[t, c] = weight * took[c] + ((1.0 - weight) * mean[t, c] if r else 0.0)
                slope[c] -= took[c]
        if bound > best:
            best = bound
            for c in range(n_left):
                at[left[c]] = now[c]
        for c in range(n_left):
            now[c] += step * slope[c]
        step *= shrink
    for t in range(n_here):
        most, total = -np.inf, 1e-9
        for c in range(n_left):
            total += mean[t, c]
        for r in range(rounds):
            score = 0.0
            for c in range(n_left):
                if chosen[r, t, c]:
                    score += 2.0 * mean[t, c] - 1.0
            if score > most:
                most, which[t] = score, r
        offer[t] = most / total
    return best
