"""Priorities when not everything can be had: tier by tier, each freezing what it reached."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.measures import evaluate, territory_totals

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_opt.instance import Instance, IntArray
    from gtm_opt.solvers.protocol import Run

__all__ = ["solve_by_tiers"]


def solve_by_tiers(
    instance: Instance,
    run: Run,
    start: IntArray | None,
    solve: Callable[[Instance, Run, IntArray | None], IntArray | None],
) -> IntArray | None:
    """Return an assignment that gives later tiers up before earlier ones.

    Parameters
    ----------
    instance : Instance
        With hard bands in more than one tier, not all of which can be kept.
    run : Run
    start : ndarray of int or None
    solve : callable
        ``(instance, run, start) -> assignment``, as good as it gets on hard bands.

    Notes
    -----
    Lexicographic goal programming: tier by tier, the bands of later tiers are dropped; what a
    tier reaches outside its band is frozen per territory and becomes its band from then on. The last
    step has all bands and optimises the objective.

    References
    ----------
    .. [1] Ignizio, J. P. (1976). Goal Programming and Extensions. Lexington Books.
    """
    hard = np.isinf(instance.penalty)
    tiers = np.unique(instance.tier[hard])
    lower, upper = instance.lower.copy(), instance.upper.copy()
    best = start
    for position, tier in enumerate(tiers):
        later = hard & (instance.tier > tier)
        part = replace(
            instance,
            lower=np.where(later, -np.inf, lower),
            upper=np.where(later, np.inf, upper),
        )
        share = run.remaining / (len(tiers) - position) if np.isfinite(run.remaining) else np.inf
        found = solve(part, run.within(share), best)
        if found is None:
            return best
        best = found
        if run.stop():
            return best
        reached = territory_totals(instance, best)
        here = hard & (instance.tier == tier)
        out = evaluate(part, best).excess[:, here].max(initial=0.0)
        if out > 0:
            lower[:, here] = np.minimum(lower[:, here], reached[:, here])
            upper[:, here] = np.maximum(upper[:, here], reached[:, here])
    return best
