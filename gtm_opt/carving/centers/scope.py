"""Distance preferences without centers: the center of a territory is the weighted mean of its accounts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.instance import Distance, UnitSum
from gtm_opt.measures import evaluate, rank
from gtm_opt.model import Near
from gtm_opt.solvers import SolveStatus, Termination

if TYPE_CHECKING:
    from gtm_opt.carving.compile.compiled import Compiled
    from gtm_opt.carving.compile.costs import OpenCenters
    from gtm_opt.carving.result import Carving
    from gtm_opt.instance import FloatArray, IntArray, Term
    from gtm_opt.model import CarvingProblem

__all__ = [
    "ALL_CENTERS",
    "THESE_CENTERS",
    "has_free_centers",
    "limit_scope",
    "mean_centers",
    "plan_key",
    "with_centers",
    "with_plan_centers",
]

THESE_CENTERS = "these centers"
"""Scope of a bound that holds for the centers of the plan only: other centers may allow a better plan."""
ALL_CENTERS = "all plans"


def mean_centers(place: OpenCenters, leaf: IntArray, k: int) -> FloatArray:
    """Return the weighted mean point of each territory, shape (k, 2); that of all accounts where one is empty.

    Parameters
    ----------
    place : OpenCenters
    leaf : ndarray of int, shape (n_accounts,)
        Territory position per account; negative: not counted.
    k : int
        Number of territories.
    """
    known = leaf >= 0
    at, weight, points = leaf[known], np.maximum(place.weight[known], 0.0), place.points[known]
    mass = np.bincount(at, weights=weight, minlength=k)
    sums = np.stack([np.bincount(at, weights=weight * points[:, d], minlength=k) for d in (0, 1)], axis=1)
    out = np.tile(place.points.mean(axis=0), (k, 1))
    filled = mass > 0
    out[filled] = sums[filled] / mass[filled, None]
    return out


def with_centers(compiled: Compiled, centers: list[FloatArray]) -> Compiled:
    """Return the compiled problem with given centers, one array of shape (n_territories, 2) per open preference."""
    terms: list[Term] = []
    units = compiled.units
    for place, points in zip(compiled.open_centers, centers, strict=True):
        term: Term = Distance(place.points, points, place.weight, place.squared, place.haversine)
        terms.append(term if units.single else UnitSum(term, units.members, units.start))
    # named terms come first: what a nearest plan added has no name and stays last
    named = len(compiled.cost_names)
    cost = compiled.instance.cost
    instance = replace(compiled.instance, cost=(*cost[:named], *terms, *cost[named:]))
    return replace(
        compiled, instance=instance, open_centers=(), cost_names=(*compiled.cost_names, *("near" for _ in terms))
    )


def with_plan_centers(compiled: Compiled, unit_leaf: IntArray) -> Compiled:
    """Return the compiled problem with the centers that a plan has: what `gtm_opt.check` measures."""
    if not compiled.open_centers:
        return compiled
    leaf = unit_leaf[compiled.units.of_account]
    k = compiled.territories.count
    return with_centers(compiled, [mean_centers(place, leaf, k) for place in compiled.open_centers])


def plan_key(compiled: Compiled, unit_leaf: IntArray) -> tuple[float, ...]:
    """Return the rank of a plan with its own centers, smaller is better (see `gtm_opt.measures.rank`)."""
    instance = with_plan_centers(compiled, unit_leaf).instance
    return rank(instance, evaluate(instance, unit_leaf))


def has_free_centers(problem: CarvingProblem) -> bool:
    """Whether a preference is about centers that nobody gave."""
    if problem.territories.centers is not None:
        return False
    return any(isinstance(p, Near) and p.centers is None for p in problem.prefer)


def limit_scope(carving: Carving) -> Carving:
    """Return the carving with its certificate held to what it proves: a plan for the centers it has.

    Notes
    -----
    A bound by prices, or by an exact solver, belongs to the centers it was computed with. Where these were chosen
    along with the plan it says nothing about other centers: the status is then ``feasible`` at best.
    """
    status = carving.status
    if status in (SolveStatus.OPTIMAL, SolveStatus.WITHIN_GAP):
        status = SolveStatus.FEASIBLE
    ended = carving.termination
    return replace(
        carving,
        status=status,
        termination=Termination.FINISHED if ended is Termination.PROVED else ended,
        certificate=replace(carving.certificate, status=status, bound_scope=THESE_CENTERS),
    )
