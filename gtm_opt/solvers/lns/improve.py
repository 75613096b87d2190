"""Large-neighborhood improvement: free a part, solve it exactly, keep what is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.measures import evaluate, rank
from gtm_opt.solvers.lns.model import solve_resplit
from gtm_opt.solvers.lns.neighborhoods import Neighborhood, by_territories, by_units
from gtm_opt.solvers.local_search.arrays import lay_out

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_opt.instance import FloatArray, Instance, IntArray
    from gtm_opt.solvers.protocol import Run

__all__ = ["ResplitParams", "improve"]


@dataclass(frozen=True, slots=True)
class ResplitParams:
    """How re-splits are made.

    Attributes
    ----------
    rounds : int or None
        Number of re-splits; None: until the run stops.
    size : int
        Units freed at first; grows while parts are solved to proof, shrinks otherwise.
    largest : int
        Never free more.
    width : float
        Territories per unit where units are freed everywhere.
    node_limit : int
        Branch-and-bound nodes of one re-split.
    seconds : float
        Safeguard for one re-split.
    """

    rounds: int | None = 60
    size: int = 40
    largest: int = 400
    width: float = 2.5
    node_limit: int = 200
    seconds: float = 4.0


class _Arm:
    """One kind of neighborhood, with its own size and record."""

    def __init__(self, draw: Callable[[IntArray, int, np.random.Generator], Neighborhood], size: float) -> None:
        self.draw = draw
        self.size = size
        self.credit = 1.0


def improve(
    instance: Instance,
    start: IntArray,
    reduced: FloatArray,
    run: Run,
    seed: int,
    params: ResplitParams,
    report: Callable[[float], None] | None = None,
) -> IntArray:
    """Re-split parts of ``start`` and return the best assignment met, never a worse one.

    Parameters
    ----------
    instance : Instance
    start : ndarray of int, shape (n_units,)
    reduced : ndarray of shape (n_units, n_territories)
        Cost plus prices less each unit's smallest; ``inf`` where forbidden.
    run : Run
    seed : int
    params : ResplitParams
    report : callable, optional
        Called with the objective of each better assignment that keeps all bands.
    """
    rng = np.random.default_rng([seed & 0xFFFFFFFF, 77])
    best, found = start.copy(), rank(instance, evaluate(instance, start))
    arms = _arms(reduced, params, instance.n_territories)
    done = 0
    while (params.rounds is None or done < params.rounds) and not run.stop():
        arm = arms[int(rng.choice(len(arms), p=_odds(arms)))]
        part = arm.draw(best, int(arm.size), rng)
        after, exact = _solve(instance, best, part, found, run, params)
        done += 1
        arm.size = float(np.clip(arm.size * (1.06 if exact else 0.8), 8, params.largest))
        gain = False
        if after is not None:
            now = rank(instance, evaluate(instance, after))
            gain = now < found
            if gain:
                best, found = after, now
                if report is not None and not any(found[:-1]):
                    report(found[-1])
        arm.credit = 0.9 * arm.credit + (1.0 if gain else 0.0)
    return best


def _odds(arms: list[_Arm]) -> FloatArray:
    credit = np.array([arm.credit + 0.5 for arm in arms])
    odds: FloatArray = credit / credit.sum()
    return odds


def _arms(reduced: FloatArray, params: ResplitParams, n_territories: int) -> list[_Arm]:
    """Return the kinds of neighborhood that make sense for so many territories."""

    def parts(n_parts: int) -> Callable[[IntArray, int, np.random.Generator], Neighborhood]:
        return lambda assignment, size, rng: by_territories(reduced, assignment, size, n_parts, rng)

    def spread(width: float) -> Callable[[IntArray, int, np.random.Generator], Neighborhood]:
        return lambda assignment, size, rng: by_units(reduced, assignment, size, width, rng)

    numbers = sorted({min(n, n_territories) for n in (2, 3, 5)})
    arms = [_Arm(parts(n), params.size) for n in numbers if n > 1]
    arms += [_Arm(spread(width), params.size) for width in (min(params.width, n_territories),) if n_territories > 3]
    return arms


def _solve(
    instance: Instance,
    current: IntArray,
    part: Neighborhood,
    found: tuple[float, ...],
    run: Run,
    params: ResplitParams,
) -> tuple[IntArray | None, bool]:
    """Solve one part; return the new assignment (None: nothing better) and whether that is exact."""
    layout = lay_out(instance, current, part.units)
    kept = not any(found[:-1])
    # while a hard band is broken, repair it first: excess at a price above any cost
    finite = layout.cost[part.allowed & np.isfinite(layout.cost)]
    spread = float(finite.max(initial=0.0) - finite.min(initial=0.0)) * max(len(part.units), 1) + 1.0
    room = found[-1] - layout.fixed_cost - _outside_penalty(instance, current, part)
    answer = solve_resplit(
        layout,
        part.allowed,
        hard_weight=np.inf if kept else 10.0 * spread,
        cutoff=room - 1e-6 * max(1.0, abs(found[-1])) if kept else np.inf,
        node_limit=params.node_limit,
        time_limit=max(0.05, min(params.seconds, run.remaining)),
    )
    if answer.clock:
        run.cut()
    if answer.assignment is None:
        return None, answer.exact
    after = current.copy()
    after[part.units] = answer.assignment
    return after, answer.exact


def _outside_penalty(instance: Instance, current: IntArray, part: Neighborhood) -> float:
    """Return the elastic penalty of territories that the part cannot touch."""
    elastic = ~np.isinf(instance.penalty)
    if not elastic.any():
        return 0.0
    outside = ~part.allowed.any(axis=0)
    excess = evaluate(instance, current).excess[outside]
    return float((excess[:, elastic] * instance.penalty[elastic]).sum())
