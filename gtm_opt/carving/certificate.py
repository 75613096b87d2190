"""The certificate: value, lower bound and gap, recomputed by code that shares nothing with the solvers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import SolverError
from gtm_opt.instance import product
from gtm_opt.measures import evaluate, forced_deviation
from gtm_opt.measures.criteria import granule
from gtm_opt.solvers import SolveStatus

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, Instance
    from gtm_opt.measures import Evaluation
    from gtm_opt.solvers import SolverResult
    from gtm_opt.solvers.exact.lexicographic import Nearest

__all__ = ["Certificate", "certify", "dual_bound", "evenness_bound", "with_nearest"]

PROVEN = 1e-6
"""A relative gap below this is optimal: what is left is rounding."""
WRONG = 1e-4
"""A bound this far above the value of a feasible plan, relatively, is no rounding but a bug."""


@dataclass(frozen=True, slots=True, eq=False)
class Certificate:
    """How good an assignment is, and how we know.

    Attributes
    ----------
    value : float
        Objective of the assignment, recomputed. ``inf`` without one.
    bound : float
        No assignment that keeps all rules and hard bands has a lower objective.
    gap : float
        ``(value - bound) / |value|``, a fraction; ``inf`` where there is no bound.
    source : str
        Where the bound comes from: ``"prices"``, ``"cheapest places"`` (prices of zero), ``"account
        sizes"``, ``"exact solver"``.
    status : SolveStatus
    evaluation : Evaluation or None
    nearest : bool
        Proven: no plan that keeps the rules (or breaks those less that no plan keeps) has less excess of the bands,
        tier by tier. ``bound`` then holds for all plans that are as near.
    bound_scope : str
        What the bound holds for: ``"all plans"``, or ``"these centers"`` where the centers of a `Near` were
        chosen along with the plan and other centers may allow a better one.

    Notes
    -----
    A bound is about plans that keep all rules and hard bands. A plan that does not keep them is no such plan, and
    is given no bound and no gap, unless it is proven ``nearest``.
    """

    value: float
    bound: float
    gap: float
    source: str
    status: SolveStatus
    evaluation: Evaluation | None
    nearest: bool = False
    bound_scope: str = "all plans"

    def __post_init__(self) -> None:
        # the one place where certificates are made: a bound above the value would be a lie, whoever asks
        if np.isfinite(self.value) and self.bound > self.value + WRONG * max(abs(self.value), 1.0):
            raise SolverError(
                f"The bound of {self.bound:.8g} (from {self.source}) is above the value {self.value:.8g} of the plan: "
                "one of them is wrong. Please report this with the problem, or use another solver."
            )


def dual_bound(instance: Instance, prices: FloatArray, side_prices: FloatArray | None = None) -> float:
    """Return the Lagrangian bound of given prices, recomputed from scratch.

    Parameters
    ----------
    instance : Instance
    prices : ndarray of shape (n_territories, n_criteria)
        Any numbers; those of elastic criteria are cut to their box, those without a limit on
        their side to zero.
    side_prices : ndarray of shape (n_side_rows,), optional
        Cut to >= 0.

    Returns
    -------
    float
        ``sum_i min_k (cost + activities . prices + side) - sum (U y+ - L y-) - sum upper * side``,
        a valid lower bound for every choice of prices [1]_.

    References
    ----------
    .. [1] Geoffrion, A. M. (1974). Lagrangean relaxation for integer programming. Mathematical
       Programming Study 2, 82-114. doi:10.1007/BFb0120690
    """
    box = np.where(np.isinf(instance.penalty), np.inf, instance.penalty) / np.maximum(instance.target, 1e-300)
    y = np.clip(prices, -box, box)
    y = np.where(np.isinf(instance.upper), np.minimum(y, 0.0), y)
    y = np.where(np.isinf(instance.lower), np.maximum(y, 0.0), y)
    z = np.zeros(len(instance.side)) if side_prices is None else np.maximum(side_prices, 0.0)
    parts = []
    for rows in instance.chunks():
        reduced = instance.cost_block(rows)
        own = instance.activities[rows]
        reduced += np.einsum("ikj,kj->ik", own, y) if instance.by_territory else product(own, y.T)
        for r, row in enumerate(instance.side):
            if z[r] > 0:
                reduced += z[r] * row.term.block(rows)
        parts.append(float(reduced.min(axis=1).sum()))
    total = float(np.sum(np.array(parts)))
    total -= float(np.where(y > 0, np.where(y > 0, instance.upper, 0.0) * y, 0.0).sum())
    total -= float(np.where(y < 0, np.where(y < 0, instance.lower, 0.0) * y, 0.0).sum())
    return total - float(sum(z[r] * row.upper for r, row in enumerate(instance.side)))


def evenness_bound(instance: Instance) -> float:
    """Return a lower bound on the evenness objective that follows from account sizes alone.

    Notes
    -----
    Three arguments per criterion: single large units (`gtm_opt.measures.forced_deviation`); totals
    that do not add up to the targets; and granularity: totals are multiples of the greatest
    common divisor and must add up.
    Deviations only; 0 for the other kinds, whose solvers bring their own bounds.
    """
    if instance.evenness is None or instance.by_territory or instance.evenness.kind != "deviation":
        return 0.0
    best = 0.0
    for j in range(instance.n_criteria):
        unit, target, values = instance.evenness.unit[:, j], instance.target[:, j], instance.activities[:, j]
        if not np.isfinite(unit).all():
            continue
        if not ((target > 0).all() and (unit > 0).all()):
            continue
        per_relative = float((target / unit).min())
        amiss = abs(float(values.sum()) - float(target.sum())) / float(unit.sum()) * (1 - 1e-9)
        single = forced_deviation(values, target) * per_relative
        best = max(best, single, amiss, _granular_bound(values, target, unit))
    return best


def _granular_bound(values: FloatArray, target: FloatArray, unit: FloatArray) -> float:
    """Return the least d for which multiples of the granule inside ``target +- d unit`` can add up."""
    step = granule(values)
    if step == 0.0:
        return 0.0
    total = round(float(values.sum()) / step)
    t, u = target / step, unit / step

    def possible(d: float) -> bool:
        return bool(np.ceil(t - d * u - 1e-9).sum() <= total <= np.floor(t + d * u + 1e-9).sum()) and bool(
            (np.ceil(t - d * u - 1e-9) <= np.floor(t + d * u + 1e-9)).all()
        )

    low, high = 0.0, float((1.0 / u).max())
    if possible(0.0):
        return 0.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if possible(middle) else (middle, high)
    return low


def certify(instance: Instance, result: SolverResult, max_gap: float = 0.0) -> Certificate:
    """Return the certificate of a solver's result.

    Parameters
    ----------
    instance : Instance
    result : SolverResult
    max_gap : float
        Gap the user asked for, a fraction: at or below it the status is ``within_gap``.
    """
    bounds: dict[str, float] = {}
    if instance.evenness is not None:
        bounds["account sizes"] = evenness_bound(instance)
    elif result.prices is not None:
        bounds["prices"] = dual_bound(instance, result.prices, result.side_prices)
    else:
        bounds["cheapest places"] = dual_bound(instance, np.zeros_like(instance.target))
    if np.isfinite(result.bound):
        bounds["exact solver"] = result.bound
    # the recomputed bound wins unless the solver's is really better
    source = max(bounds, key=lambda name: bounds[name] - (1e-9 * abs(bounds[name]) if name == "exact solver" else 0.0))
    bound = bounds[source]
    if result.assignment is None:
        status = SolveStatus.INFEASIBLE if result.proved_infeasible else SolveStatus.NO_SOLUTION
        return Certificate(np.inf, bound, np.inf, source, status, None)
    evaluation = evaluate(instance, result.assignment)
    value = evaluation.objective
    if evaluation.feasible and bound > value + WRONG * max(abs(value), 1.0):
        raise SolverError(
            f"The bound of {bound:.8g} (from {source}) is above the value {value:.8g} of a plan that keeps everything: "
            "one of them is wrong. Please report this with the problem, or use another solver."
        )
    status = _status(evaluation, _gap(value, bound), max_gap, result)
    if not evaluation.feasible and instance.evenness is None:
        bound, source = -np.inf, "none: it would be about plans that keep everything"
    elif not evaluation.feasible:
        # an exact solver's bound is about plans within the bands; account sizes bind every plan
        bound, source = bounds["account sizes"], "account sizes"
        if status is SolveStatus.OUT_OF_BAND and _worse_than_bands(instance, bound):
            status = SolveStatus.INFEASIBLE
    return Certificate(value, bound, _gap(value, bound), source, status, evaluation)


def _gap(value: float, bound: float) -> float:
    if value - bound <= 1e-9 * max(1.0, abs(value)):
        return 0.0
    if not (np.isfinite(bound) and np.isfinite(value)):
        return np.inf
    return max(0.0, value - bound) / max(abs(value), 1e-12)


def _worse_than_bands(instance: Instance, bound: float) -> bool:
    """Whether a bound on the worst deviation, in bands, shows that the bands cannot hold."""
    if instance.evenness is None or not np.isinf(instance.penalty).all():
        return False
    half = np.maximum(instance.upper - instance.target, instance.target - instance.lower)
    banded = np.isfinite(instance.evenness.unit)
    return bool((instance.evenness.unit[banded] >= half[banded] * (1 - 1e-9)).all()) and bound > 1.0 + PROVEN


def with_nearest(instance: Instance, certificate: Certificate, nearest: Nearest, max_gap: float = 0.0) -> Certificate:
    """Return the certificate of a plan with what exact models proved about it.

    Parameters
    ----------
    instance : Instance
    certificate : Certificate
        Of the nearest plan.
    nearest : Nearest
    max_gap : float
    """
    value, stages = certificate.value, nearest.stages
    found = certificate.evaluation
    if found is None or not stages:
        return certificate
    if not nearest.kept:
        known = nearest.proven and found.rules_kept
        bound = min(stages[-1].bound, value) if known else certificate.bound
        source = "exact models, of all plans as near" if known else certificate.source
        tiers = all(s.proven for s in stages if s.name != "objective") and stages[-1].name == "objective"
        status = SolveStatus.INFEASIBLE if nearest.infeasible else certificate.status
        return replace(certificate, bound=bound, gap=_gap(value, bound), source=source, status=status, nearest=tiers)
    bound = (
        min(max(certificate.bound, stages[-1].bound), value) if stages[-1].name == "objective" else certificate.bound
    )
    gap = _gap(value, bound)
    status = certificate.status
    if instance.evenness is not None and not found.in_band and _worse_than_bands(instance, bound):
        return replace(
            certificate,
            bound=bound,
            gap=gap,
            source="exact solver" if bound > certificate.bound else certificate.source,
            status=SolveStatus.INFEASIBLE,
            nearest=gap <= PROVEN,
        )
    if found.feasible:
        status = SolveStatus.OPTIMAL if gap <= PROVEN else certificate.status
        if status is SolveStatus.FEASIBLE and gap <= max_gap:
            status = SolveStatus.WITHIN_GAP
    source = "exact solver" if bound > certificate.bound else certificate.source
    return replace(certificate, bound=bound, gap=gap, source=source, status=status)


def _status(evaluation: Evaluation, gap: float, max_gap: float, result: SolverResult) -> SolveStatus:
    if not evaluation.rules_kept:
        return SolveStatus.NO_SOLUTION
    if not evaluation.in_band:
        return SolveStatus.INFEASIBLE if result.proved_infeasible else SolveStatus.OUT_OF_BAND
    if gap <= PROVEN:
        return SolveStatus.OPTIMAL
    return SolveStatus.WITHIN_GAP if gap <= max_gap else SolveStatus.FEASIBLE
