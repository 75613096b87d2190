"""Bands still missed after rounding: a search among few territories at a time, around each band that is missed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.measures import evaluate, rank
from gtm_opt.solvers.rounding.part import territories_instance

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_opt.instance import FloatArray, Instance, IntArray
    from gtm_opt.measures.objective import Evaluation
    from gtm_opt.solvers.lagrangian.ascent import Prices
    from gtm_opt.solvers.protocol import Run

__all__ = ["repair_bands"]

TERRITORIES = 8
"""Territories searched together."""
TRIES = 5
"""With other partners and more units each time, before a band is given up."""
ROUNDS = 4
"""Tries per territory on average, all bands together."""


def repair_bands(
    instance: Instance,
    prices: Prices,
    assignment: IntArray,
    run: Run,
    seed: int,
    search: Callable[[Instance, Prices, IntArray, Run, int, int], IntArray],
) -> IntArray:
    """Return an assignment with less outside the bands, never a worse one.

    Parameters
    ----------
    instance : Instance
    prices : Prices
    assignment : ndarray of int, shape (n_units,)
    run : Run
    seed : int
    search : callable
        ``(instance, prices, start, run, seed, attempt) -> assignment`` of the units of a few territories.

    Notes
    -----
    One search over all territories draws its moves from all pairs of them: with 60 territories, of which two
    are outside, fewer than one move in a thousand touches those. Here the territory farthest outside is searched
    together with those that have most to give (or most room), and others at random. Deterministic.
    """
    if instance.n_territories <= TERRITORIES or not instance.n_criteria:
        return assignment
    rng = np.random.default_rng([seed, 3])
    best = assignment
    outcome = evaluate(instance, best)
    tries = np.zeros(instance.target.shape, dtype=np.int64)
    for number in range(ROUNDS * instance.n_territories):
        if outcome.in_band or run.stop():
            break
        excess = np.where(tries < TRIES, _excess(instance, outcome), 0.0)
        worst, criterion = np.unravel_index(int(excess.argmax()), excess.shape)
        if excess[worst, criterion] <= 0.0:
            break
        chosen = _partners(instance, outcome.totals, int(worst), int(criterion), rng)
        attempt = int(tries[worst, criterion])
        trial = _searched(instance, prices, best, chosen, run, (seed + number, attempt), search)
        found = evaluate(instance, trial)
        if rank(instance, found) < rank(instance, outcome):
            best, outcome = trial, found
            tries[chosen] = np.minimum(tries[chosen], 1)
        else:
            tries[worst, criterion] += 1
    return best


def _excess(instance: Instance, outcome: Evaluation) -> FloatArray:
    return np.where(np.isinf(instance.penalty), outcome.excess, 0.0)


def _partners(instance: Instance, totals: FloatArray, worst: int, criterion: int, rng: np.random.Generator) -> IntArray:
    """Return a territory and others to search it with: half have most to give or take, half are random."""
    scale = np.where(instance.target > 0, instance.target, 1.0)[:, criterion]
    column = totals[:, criterion]
    short = column[worst] < instance.lower[worst, criterion]
    slack = column - instance.lower[:, criterion] if short else instance.upper[:, criterion] - column
    slack = np.where(np.isfinite(slack), slack / scale, np.inf)
    others = np.delete(np.arange(instance.n_territories), worst)
    order = others[np.argsort(-slack[others], kind="stable")]
    count = TERRITORIES - 1
    near = order[: count // 2]
    rest = rng.permutation(order[count // 2 :])[: count - len(near)]
    return np.sort(np.concatenate([[worst], near, rest]))


def _searched(
    instance: Instance,
    prices: Prices,
    assignment: IntArray,
    chosen: IntArray,
    run: Run,
    seed_and_attempt: tuple[int, int],
    search: Callable[[Instance, Prices, IntArray, Run, int, int], IntArray],
) -> IntArray:
    units = np.flatnonzero(np.isin(assignment, chosen))
    if not len(units):
        return assignment
    part = territories_instance(instance, assignment, units, chosen)
    priced = replace(prices, prices=prices.prices[chosen], bound=-np.inf, stages=())
    out = assignment.copy()
    out[units] = chosen[search(part, priced, np.searchsorted(chosen, assignment[units]), run, *seed_and_attempt)]
    return out
