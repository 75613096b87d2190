"""Evenness under limits that the pure-balance search does not know: bisection on the bands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.measures import evaluate

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_opt.instance import Instance, IntArray
    from gtm_opt.solvers.protocol import Run

__all__ = ["needs_bands", "solve_even_within"]

ROUNDS = 8


def needs_bands(instance: Instance) -> bool:
    """Whether an evenness instance has limits beside what shall be even: side rows, absolute limits, 3-D activities."""
    if instance.evenness is None:
        return False
    unmeasured = np.isinf(instance.evenness.unit).all(axis=0)
    limited = (np.isfinite(instance.lower) | np.isfinite(instance.upper)).any(axis=0)
    return instance.by_territory or bool(instance.side) or bool((unmeasured & limited).any())


def solve_even_within(
    instance: Instance,
    run: Run,
    start: IntArray | None,
    solve: Callable[[Instance, Run, IntArray | None], IntArray | None],
) -> IntArray | None:
    """Return an assignment with a small worst deviation that keeps side rows and limits.

    Parameters
    ----------
    instance : Instance
        With ``evenness`` of kind deviation.
    run : Run
    start : ndarray of int or None
    solve : callable
        ``(instance, run, start) -> assignment`` for hard bands and preferences.

    Notes
    -----
    Bisection: bands ``target +- d unit`` for smaller and smaller d, each solved for the cheapest
    assignment, `ROUNDS` times. A heuristic: that a d was missed does not prove it impossible.
    """
    if instance.evenness is None:
        return start
    unit = instance.evenness.unit
    measured = np.isfinite(unit).all(axis=0)

    def with_bands(d: float) -> Instance:
        lower = np.where(measured, instance.target - d * unit, instance.lower)
        upper = np.where(measured, instance.target + d * unit, instance.upper)
        return replace(instance, lower=lower, upper=upper, evenness=None)

    best = solve(with_bands(1e6), run.within(run.remaining / ROUNDS), start)
    if best is None:
        return None
    low, high = 0.0, evaluate(instance, best).evenness
    for round_ in range(ROUNDS):
        if run.stop() or high <= 1e-9:
            break
        middle = 0.5 * (low + high) if round_ else min(1.0, 0.5 * high)
        trial = with_bands(middle)
        found = solve(trial, run.within(run.remaining / (ROUNDS - round_)), best)
        if found is not None and evaluate(trial, found).feasible:
            best, high = found, evaluate(instance, found).evenness
        else:
            low = middle
    return best
