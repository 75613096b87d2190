"""All plans of a very small problem with open centers, one by one: a proof over all centers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.carving.centers.scope import plan_key, with_plan_centers
from gtm_opt.instance import Distance, product
from gtm_opt.measures import evaluate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.carving.compile.compiled import Compiled
    from gtm_opt.instance import FloatArray, IntArray

__all__ = ["best_of_all"]

MOST_PLANS = 65_536
"""Plans that are enumerated at most: a few tenths of a second."""
TIE = 1e-9


def best_of_all(compiled: Compiled) -> IntArray | None:
    """Return the best plan of all that keep every rule and hard band; None where there are too many or none.

    Parameters
    ----------
    compiled : Compiled
        With open centers, and preferences as the objective.

    Notes
    -----
    Every assignment of units is measured with its own centers: n_territories ** n_units of them, at most
    `MOST_PLANS`. Of plans that tie the first in the order of places wins, whatever the order of rows.
    """
    instance = compiled.instance
    n, k = instance.n_units, instance.n_territories
    if instance.evenness is not None or n * np.log(max(k, 2)) > np.log(MOST_PLANS) or n == 0:
        return None
    plans = _all_plans(compiled, n, k)
    value = _values(compiled, plans)
    if not np.isfinite(value).any():
        return None
    least = float(value.min())
    near_best = np.flatnonzero(value <= least + TIE * max(1.0, abs(least)))
    # the fast sums chose; the checker's own measure must agree that rules and bands hold
    for at in near_best[:50]:
        plan: IntArray = plans[at].astype(np.int64)
        whole = with_plan_centers(compiled, plan).instance
        if evaluate(whole, plan).feasible and plan_key(compiled, plan)[-1] <= least + 1e-6 * max(1.0, abs(least)):
            return plan
    return None


def _all_plans(compiled: Compiled, n: int, k: int) -> NDArray[np.int8]:
    """Return every assignment, shape (k ** n, n): units in the order of places, the first slowest."""
    place = compiled.open_centers[0]
    heads = compiled.units.members[compiled.units.start[:-1]]
    order = np.lexsort((place.points[heads, 1], place.points[heads, 0]))
    digits = np.stack(np.unravel_index(np.arange(k**n), (k,) * n), axis=1).astype(np.int8)
    plans = np.empty_like(digits)
    plans[:, order] = digits
    return plans


def _values(compiled: Compiled, plans: NDArray[np.int8]) -> FloatArray:
    """Return the objective of each plan with its own centers; inf where a rule or hard band is broken."""
    instance, units = compiled.instance, compiled.units
    n, k = instance.n_units, instance.n_territories
    every = slice(0, n)
    cost, side = instance.cost_block(every), [row.term.block(every) for row in instance.side]
    activities = np.broadcast_to(instance.activities3(), (n, k, instance.n_criteria))
    value, used = np.zeros(len(plans)), np.zeros((len(instance.side), len(plans)))
    hard = np.isinf(instance.penalty)
    for t in range(k):
        here = plans == t
        value += np.where(here, cost[:, t], 0.0).sum(axis=1)
        totals = product(here.astype(float), activities[:, t])
        scale = np.where(instance.target[t] > 0, instance.target[t], 1.0)
        over = np.maximum(totals - instance.upper[t], instance.lower[t] - totals) / scale
        value[(over[:, hard] > TIE).any(axis=1)] = np.inf
        value += product(np.maximum(over[:, ~hard], 0.0), instance.penalty[~hard])
        for r, block in enumerate(side):
            used[r] += product(here.astype(float), block[:, t])
        for group in instance.apart:
            value[here[:, group].sum(axis=1) > 1] = np.inf
        account = here[:, units.of_account].astype(float)
        for place in compiled.open_centers:
            value += _spread(place.points, np.maximum(place.weight, 0.0), account, place.squared, place.haversine)
    for r, row in enumerate(instance.side):
        value[used[r] > row.upper + TIE * max(1.0, abs(row.upper))] = np.inf
    return value


def _spread(points: FloatArray, weight: FloatArray, member: FloatArray, squared: bool, haversine: bool) -> FloatArray:
    """Return the weighted distance of members to their own mean, per row of ``member``."""
    mass = product(member, weight)
    centers = product(member, weight[:, None] * points) / np.maximum(mass, 1e-300)[:, None]
    distance = Distance(points, centers, weight, squared, haversine).block(slice(0, len(points)))
    out: FloatArray = (distance.T * member).sum(axis=1)
    return out
