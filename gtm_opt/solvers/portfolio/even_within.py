"""Evenness under limits that the pure-balance search does not know: bisection on the bands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.measures import better, evaluate

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gtm_opt.instance import FloatArray, Instance, IntArray
    from gtm_opt.solvers.protocol import Run

__all__ = ["bound_evenness", "needs_bands", "solve_even_within"]

ROUNDS = 8


def needs_bands(instance: Instance) -> bool:
    """Whether an evenness instance has limits beside what shall be even: side rows, absolute limits, 3-D activities."""
    if instance.evenness is None:
        return False
    unmeasured = np.isinf(instance.evenness.unit).all(axis=0)
    limited = (np.isfinite(instance.lower) | np.isfinite(instance.upper)).any(axis=0)
    return instance.by_territory or bool(instance.side) or bool((unmeasured & limited).any())


def bound_evenness(instance: Instance) -> float:
    """Return a proven lower bound of the evenness, from what is measured alone: limits can only raise it."""
    from gtm_opt.solvers.balancing import evenness_bound

    if instance.evenness is None or instance.by_territory:
        return 0.0
    return evenness_bound(_keep_criteria(instance, _measured(instance)))


def solve_even_within(
    instance: Instance,
    run: Run,
    start: IntArray | None,
    solve: Callable[[Instance, Run, IntArray | None], IntArray | None],
    *,
    seed: int = 0,
    effort: float = 1.0,
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
    seed, effort
        Of the search for balance.

    Notes
    -----
    First the search for balance, with the limits as further criteria of a scale at which meeting the bound on the
    evenness means keeping them: where it reaches the bound, nothing is left to do. Then bisection between the
    bound and the best found: bands ``target +- d unit``, each solved for the cheapest assignment, at most
    `ROUNDS` times. A heuristic: that a d was missed does not prove it impossible.
    """
    if instance.evenness is None:
        return start
    low = bound_evenness(instance)
    best = start
    for goal in dict.fromkeys((low, max(2.0 * low, 0.5), max(low, 1.0))):
        if run.stop() or _is_settled(instance, best, low):
            break
        found = _balance_with_limits(instance, run, best, goal, seed, effort)
        best = better(instance, best, found)
    if _is_settled(instance, best, low):
        return best
    measured = _measured(instance)
    unit = np.where(measured, instance.evenness.unit, 0.0)

    def with_bands(d: float) -> Instance:
        lower = np.where(measured, instance.target - d * unit, instance.lower)
        upper = np.where(measured, instance.target + d * unit, instance.upper)
        return replace(instance, lower=lower, upper=upper, evenness=None)

    if best is None or not evaluate(instance, best).feasible:
        best = better(instance, best, solve(with_bands(1e6), run.within(run.remaining / ROUNDS), best))
    if best is None or not evaluate(instance, best).rules_kept:
        return best
    high = evaluate(instance, best).evenness
    for round_ in range(ROUNDS):
        if run.stop() or _is_settled(instance, best, low):
            break
        middle = low if round_ == 0 else 0.5 * (low + high)
        trial = with_bands(middle * (1.0 + 1e-9))
        found = solve(trial, run.within(run.remaining / (ROUNDS - round_)), best)
        if found is not None and evaluate(trial, found).feasible:
            best, high = found, evaluate(instance, found).evenness
        elif round_:
            low = middle
    return best


def _measured(instance: Instance) -> NDArray[np.bool_]:
    """Return which criteria the evenness measures, shape (n_criteria,)."""
    assert instance.evenness is not None
    return np.asarray(np.isfinite(instance.evenness.unit).all(axis=0), dtype=bool)


def _is_settled(instance: Instance, assignment: IntArray | None, bound: float) -> bool:
    """Whether an assignment keeps everything and reaches the bound."""
    if assignment is None:
        return False
    found = evaluate(instance, assignment)
    from gtm_opt.solvers.balancing.bounds import met

    return found.feasible and met(found.evenness, bound)


def _keep_criteria(instance: Instance, kept: NDArray[np.bool_], unit: FloatArray | None = None) -> Instance:
    """Return the instance with some of its criteria, to be made even in ``unit`` (default: as before)."""
    assert instance.evenness is not None
    scale = instance.evenness.unit if unit is None else unit
    return replace(
        instance,
        activities=np.ascontiguousarray(instance.activities[..., kept]),
        target=instance.target[:, kept],
        lower=np.full((instance.n_territories, int(kept.sum())), -np.inf),
        upper=np.full((instance.n_territories, int(kept.sum())), np.inf),
        tier=instance.tier[kept],
        penalty=instance.penalty[kept],
        names=tuple(name for name, keep in zip(instance.names, kept, strict=True) if keep) if instance.names else (),
        evenness=replace(instance.evenness, unit=scale[:, kept]),
        side=(),
    )


def _balance_with_limits(
    instance: Instance, run: Run, start: IntArray | None, goal: float, seed: int, effort: float
) -> IntArray | None:
    """Balance measured criteria and limits together, so that a deviation of ``goal`` keeps the limits, too."""
    from gtm_opt.solvers.balancing import balancing
    from gtm_opt.solvers.balancing.bounds import integer_step

    if instance.by_territory or instance.evenness is None:
        return start
    measured = _measured(instance)
    room = np.minimum(instance.upper - instance.target, instance.target - instance.lower)
    limited = (np.isfinite(room) & ~measured[None, :]).any(axis=0)
    unit = instance.evenness.unit.copy()
    for j in np.flatnonzero(limited):
        # where there is no slack at all, one step of the activity off is too much
        least = 0.5 * integer_step(instance.activities[:, j]) or 1e-6 * float(instance.target[:, j].max())
        slack = np.where(np.isfinite(room[:, j]), np.maximum(room[:, j], least), np.inf)
        slack = np.where(np.isfinite(slack), slack, slack[np.isfinite(slack)].max())
        unit[:, j] = slack / max(goal, 1e-3)
    aside = _keep_criteria(instance, measured | limited, unit)
    part = run.within(0.5 * run.remaining)
    return balancing(aside, run=part, seed=seed, effort=0.1 * effort, start=start).assignment
