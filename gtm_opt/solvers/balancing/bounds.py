"""Lower bounds of the evenness objective."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.solvers.balancing.problem import DEVIATION, PEAK, normal_form

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, Instance
    from gtm_opt.solvers.balancing.problem import BalancingProblem

__all__ = ["evenness_bound", "integer_step", "met", "problem_bound"]

_INTEGER_LIMIT = 2.0**52


def evenness_bound(instance: Instance) -> float:
    """Return a proven lower bound on the evenness objective of ``instance``.

    Notes
    -----
    The largest over criteria of: what the average forces, what whole multiples of the greatest
    common divisor of the activities force (a bisection on the deviation with sums of floors and
    ceilings), and what the largest units force wherever they go. O(n_units * n_criteria * log n_units).
    """
    return problem_bound(normal_form(instance))


def met(value: float, bound: float) -> bool:
    """Whether ``value`` is the bound, up to rounding."""
    return value <= bound * (1.0 + 1e-7) + 1e-12


def problem_bound(problem: BalancingProblem) -> float:
    """Return the bound of a problem in normal form."""
    if problem.weights.size == 0 or problem.n_territories == 0:
        return 0.0
    return max(_criterion(problem, j) for j in range(problem.n_criteria))


def _criterion(problem: BalancingProblem, j: int) -> float:
    w, scale, offset = problem.weights[:, j], problem.scale[:, j], problem.offset[:, j]
    if problem.kind == PEAK:
        return _peak(w, scale)
    bound = 0.0
    total = w.sum()
    if problem.kind == DEVIATION:
        # sum_k (x_k + offset_k) / scale_k = total: the best common deviation
        bound = abs(total - (offset / scale).sum()) / (1.0 / scale).sum()
        bound = max(bound, _giants(w, scale, offset))
    step = integer_step(w)
    if step > 0.0:
        bound = max(bound, _granular(round(total / step), scale * step, offset, problem.kind))
    if problem.kind != DEVIATION and len(w):
        # one unit alone against the average of the others
        k = len(scale)
        largest = float(w.max())
        rest = (total - largest) * scale.min() / max(k - 1, 1)
        if np.ptp(scale) == 0.0:
            bound = max(bound, largest * float(scale[0]) - rest)
    return max(bound, 0.0)


def integer_step(w: FloatArray) -> float:
    """Return the unit all values are whole multiples of (0: none found)."""
    for factor in (1.0, 2.0, 10.0, 100.0, 1000.0):
        scaled = np.rint(w * factor)
        if np.abs(scaled).sum() < _INTEGER_LIMIT and np.array_equal(scaled / factor, w):
            common = int(np.gcd.reduce(scaled.astype(np.int64))) if len(w) else 0
            return common / factor if common else 0.0
    return 0.0


def _granular(units: int, scale: FloatArray, offset: FloatArray, kind: int) -> float:
    """Return the least deviation with ``units`` indivisible steps to hand out."""
    slack = 1e-9

    def fits(low: FloatArray, high: FloatArray) -> bool:
        least = np.ceil((low + offset) / scale - slack)
        most = np.floor((high + offset) / scale + slack)
        least = np.maximum(least, 0.0)
        return bool((least <= most).all() and least.sum() <= units <= most.sum())

    if kind != DEVIATION:
        if np.ptp(scale) > 0.0:
            return 0.0
        return 0.0 if units % len(scale) == 0 else float(scale[0])
    low, high = 0.0, float(max((units * scale - offset).max(), offset.max(), 0.0))
    for _ in range(60):
        middle = (low + high) / 2.0
        if fits(np.full_like(scale, -middle), np.full_like(scale, middle)):
            high = middle
        else:
            low = middle
    return low


def _peak(w: FloatArray, scale: FloatArray) -> float:
    """Return the bound for one criterion of a peak: smallest possible largest ``total * scale``."""
    k = len(scale)
    total = w.sum()
    bound = float(total / (1.0 / scale).sum())
    if not len(w):
        return bound
    bound = max(bound, float(w.max() * scale.min()))
    if np.ptp(scale) == 0.0:
        ordered = np.sort(w)[::-1]
        loads = [bound / scale[0]]
        # among the q*k + 1 largest units some territory holds q + 1
        for q in range(1, (len(ordered) - 1) // k + 1):
            loads.append(float(ordered[q * k - q : q * k + 1].sum()))
        best = max(loads)
        step = integer_step(w)
        if step > 0.0:
            best = float(np.ceil(best / step - 1e-9) * step)
        bound = max(bound, best * float(scale[0]))
    return bound


def _giants(w: FloatArray, scale: FloatArray, offset: FloatArray) -> float:
    """Return the least deviation with which the largest units find room, by counting (Hall's condition)."""
    if not len(w):
        return 0.0
    ordered = np.sort(w)[::-1][: 2 * len(scale)]
    ordered = ordered[ordered > 0.0]
    sums = np.cumsum(ordered)

    def room(d: float) -> bool:
        capacity = np.maximum((offset + d) / scale, 0.0) * (1.0 + 1e-12)
        for q, unit in enumerate(ordered):
            fitting = capacity[capacity >= unit]
            if sums[q] > fitting.sum() or q + 1 > np.floor(fitting / unit).sum():
                return False
        return True

    if room(0.0):
        return 0.0
    low, high = 0.0, float(max((w.sum() * scale - offset).max(), 1.0))
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (low, middle) if room(middle) else (middle, high)
    return low
