"""Moves and exchanges of units that lower the cost with free centers, for problems that alternation leaves too soon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.carving.centers.scope import mean_centers, plan_key, with_centers
from gtm_opt.measures import territory_totals

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gtm_opt.carving.compile.compiled import Compiled
    from gtm_opt.carving.compile.costs import OpenCenters
    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.solvers import Run

__all__ = ["MOST_UNITS", "exchange"]

MOST_UNITS = 200
"""Units up to which all pairs are looked at: work grows with their square."""
CANDIDATES = 12
"""Changes of least estimated cost that are measured exactly, per step."""
STEPS = 200
OVER = 1e-9


def exchange(
    compiled: Compiled, plan: IntArray, run: Run, better: Callable[[tuple[float, ...], tuple[float, ...]], bool]
) -> IntArray:
    """Return a plan that no single move or exchange improves, as far as the estimate can tell.

    Parameters
    ----------
    compiled : Compiled
        With open centers; activities that do not depend on the territory.
    plan : ndarray of int, shape (n_units,)
        Keeps all rules and bands.
    run : Run
    better : callable
        Compares two keys of `plan_key`.

    Notes
    -----
    Where distances are squared the change of a cluster's sum of squares has a closed form, which tells
    exchanges that k-means cannot see (Hartigan and Wong 1979); other distances are estimated from the
    present centers. What is estimated to gain is measured exactly before it is made.
    """
    key = plan_key(compiled, plan)
    for _ in range(STEPS):
        if run.stop():
            break
        found = _best_change(compiled, plan, key, better)
        if found is None:
            break
        plan, key = found
    return plan


def _best_change(
    compiled: Compiled,
    plan: IntArray,
    key: tuple[float, ...],
    better: Callable[[tuple[float, ...], tuple[float, ...]], bool],
) -> tuple[IntArray, tuple[float, ...]] | None:
    moved, swapped = _estimates(compiled, plan)
    n, k = moved.shape
    gains = np.concatenate([moved.ravel(), swapped.ravel()])
    first = np.argsort(gains, kind="stable")[:CANDIDATES]
    best: tuple[IntArray, tuple[float, ...]] | None = None
    for at in first:
        if not np.isfinite(gains[at]):
            break
        changed = plan.copy()
        if at < n * k:
            changed[at // k] = at % k
        else:
            i, j = divmod(int(at) - n * k, n)
            changed[i], changed[j] = plan[j], plan[i]
        found = plan_key(compiled, changed)
        if better(found, key if best is None else best[1]):
            best = changed, found
    return best


def _estimates(compiled: Compiled, plan: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return what moves (n_units, n_territories) and exchanges (n_units, n_units) cost; inf where a band breaks."""
    instance, n = compiled.instance, compiled.instance.n_units
    every = np.arange(n)
    fixed = instance.cost_block(slice(0, n))
    totals, own = territory_totals(instance, plan), instance.activities
    scale = np.where(instance.target > 0, instance.target, 1.0)
    low, high = instance.lower - OVER * scale, instance.upper + OVER * scale
    hard = np.isinf(instance.penalty)
    after_out = totals[plan] - own
    leaves = np.asarray(((after_out >= low[plan]) & (after_out <= high[plan]) | ~hard).all(axis=1))
    after_in = totals[None] + own[:, None]
    enters = np.asarray(((after_in >= low) & (after_in <= high) | ~hard).all(axis=2))
    moved = np.where(leaves[:, None] & enters, fixed - fixed[every, plan][:, None], np.inf)
    replaced = totals[plan][:, None] - own[:, None] + own[None]
    inside = (replaced >= low[plan][:, None]) & (replaced <= high[plan][:, None]) | ~hard
    holds: NDArray[np.bool_] = np.asarray(inside.all(axis=2))
    swap = fixed[:, plan] - fixed[every, plan][:, None]
    swapped = np.where(holds & holds.T, swap + swap.T, np.inf)
    for place in compiled.open_centers:
        move, change = _squares(compiled, place, plan) if place.squared else _distances(compiled, place, plan)
        moved, swapped = moved + move, swapped + change
    moved[every, plan] = np.inf
    swapped[plan[:, None] == plan[None]] = np.inf
    swapped[np.tril_indices(n)] = np.inf
    return moved, swapped


def _squares(compiled: Compiled, place: OpenCenters, plan: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return the change of the sum of squares by moves and by exchanges, from weights and sums of each cluster.

    ``sum w |x - mean|^2 = sum w |x|^2 - |sum w x|^2 / sum w``: only the last part changes when a unit leaves or
    enters, up to what the unit brings along. Great circles are estimated on a plane.
    """
    units, k = compiled.units, compiled.territories.count
    weight, at, unit_scale = np.maximum(place.weight, 0.0), place.points - place.points.mean(axis=0), np.ones(2)
    if place.haversine:
        unit_scale = np.array([111.2, 111.2 * np.cos(np.radians(place.points[:, 0].mean()))])
    at = at * unit_scale
    mass = units.sums(weight)
    own = np.stack([units.sums(weight * at[:, d]) for d in (0, 1)], axis=1)
    total_mass: FloatArray = np.bincount(plan, weights=mass, minlength=k).astype(np.float64)
    by_axis = [np.bincount(plan, weights=own[:, d], minlength=k) for d in (0, 1)]
    total: FloatArray = np.stack(by_axis, axis=1).astype(np.float64)

    def value(sums: FloatArray, weights: FloatArray) -> FloatArray:
        out: FloatArray = np.where(weights > 1e-12, (sums**2).sum(axis=-1) / np.maximum(weights, 1e-12), 0.0)
        return out

    now = value(total, total_mass)
    out = now[plan] - value(total[plan] - own, total_mass[plan] - mass)
    into = now - value(total[None] + own[:, None], total_mass[None] + mass[:, None])
    one = now[plan][:, None] - value(
        total[plan][:, None] - own[:, None] + own[None], total_mass[plan][:, None] - mass[:, None] + mass[None]
    )
    return out[:, None] + into, one + one.T


def _distances(compiled: Compiled, place: OpenCenters, plan: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return the change of the distance to the present centers by moves and by exchanges."""
    k = compiled.territories.count
    instance = with_centers(
        compiled, [mean_centers(p, plan[compiled.units.of_account], k) for p in compiled.open_centers]
    ).instance
    term = instance.cost[len(compiled.cost_names) + [p is place for p in compiled.open_centers].index(True)]
    n = instance.n_units
    cost = term.block(np.arange(n))
    change = cost - cost[np.arange(n), plan][:, None]
    swap = change[:, plan]
    return change, swap + swap.T
