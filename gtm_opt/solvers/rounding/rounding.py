"""From prices to whole units: clear cases by price, the core by search and MIP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

from gtm_opt.measures import evaluate, rank
from gtm_opt.solvers.lagrangian.ascent import reduced_costs
from gtm_opt.solvers.rounding.core import Core
from gtm_opt.solvers.rounding.margins import cheapest_places, dithered
from gtm_opt.solvers.rounding.polish import anneal_core
from gtm_opt.solvers.rounding.repair import repair_bands

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_opt.instance import FloatArray, Instance, IntArray
    from gtm_opt.measures.objective import Evaluation
    from gtm_opt.solvers.lagrangian.ascent import Prices
    from gtm_opt.solvers.protocol import Run
    from gtm_opt.solvers.rounding.margins import CheapestPlaces

__all__ = ["core_units", "default_core_size", "round_prices"]

_ROUNDS = 3
_STEPS = 1_000_000
_REPAIR_AFTER, _REPAIR_STEPS = 2, 200_000
"""Rounds after which bands still missed are repaired by a few territories at a time; steps of each such search."""
_CLOSE = 5e-4
"""A start this close to the bound, excess included, is good enough for the search."""
_NEARLY = 1e-2
"""Relative excess, summed over bands, from which a search stays near its start."""


def default_core_size(instance: Instance) -> int:
    """Return how many units are decided together: some dozens per band, more where there are many units."""
    least = 25 * instance.n_territories * max(instance.n_criteria, 1)
    return int(min(instance.n_units, max(least, min(10.0 * np.sqrt(instance.n_units), 5000.0))))


def _excess(instance: Instance, outcome: Evaluation) -> float:
    """Return the relative excess of the hard bands, summed over all tiers."""
    return float(outcome.excess[:, np.isinf(instance.penalty)].sum())


def core_units(instance: Instance, cheapest: CheapestPlaces, size: int) -> IntArray:
    """Return the units to decide together, sorted.

    Half are those of smallest margin, a quarter those whose margin is smallest for their size (large
    units that cost little to move), a quarter the largest; all members of apart groups join.
    """
    free = np.flatnonzero(np.isfinite(cheapest.margin))
    chosen = free
    if len(free) > size:
        per_size = cheapest.margin[free] / np.maximum(cheapest.size[free], 1e-300)
        picks = [
            np.argsort(key, kind="stable")[:count]  # ties by row, not by processor
            for key, count in (
                (cheapest.margin[free], max(size // 2, 1)),
                (per_size, max(size // 4, 1)),
                (-cheapest.size[free], max(size // 4, 1)),
            )
        ]
        chosen = free[np.unique(np.concatenate(picks))]
    inside = np.zeros(instance.n_units, dtype=bool)
    inside[chosen] = True
    for group in instance.apart:
        inside[group] = True
    return np.flatnonzero(inside)


def round_prices(
    instance: Instance,
    prices: Prices,
    run: Run,
    seed: int = 0,
    core_size: int | None = None,
    *,
    gap: float = 2e-4,
    effort: float = 1.0,
    workers: int | None = None,
) -> IntArray:
    """Return an assignment of whole units near the prices.

    Parameters
    ----------
    instance : Instance
    prices : Prices
    run : Run
    seed : int
        Same seed and effort: same answer.
    core_size : int, optional
        Units decided together at first; grows while hard bands are missed.
    gap : float
        Stop when the answer is this close to the bound, relative; else the MIP has a go.
    effort : float
        Multiplies search steps and MIP nodes.
    workers : int, optional

    Returns
    -------
    ndarray of int, shape (n_units,)
        Always an answer; it may break bands or rules where the core could not repair them.

    Notes
    -----
    At the best prices all but about ``K m`` units of the divided optimum are whole already; the others
    have small margins. Fixing the clear cases loses little, and what it loses is in the reported gap.
    """
    since = run.seconds
    cheapest = cheapest_places(instance, prices, workers)
    best, outcome = _first(instance, prices, run, cheapest, workers)
    key, note = rank(instance, outcome), "every unit at its price"
    size = default_core_size(instance) if core_size is None else core_size
    first_size, begin, nearly = size, best, 0.0 < _excess(instance, outcome) < _NEARLY

    def offer(answer: IntArray | None, core_rows: IntArray, text: str) -> None:
        nonlocal best, outcome, key, note
        if answer is None:
            return
        trial = base.copy()
        trial[core_rows] = answer
        trial_outcome = evaluate(instance, trial)
        trial_key = rank(instance, trial_outcome)
        if trial_key < key:
            best, outcome, key, note = trial, trial_outcome, trial_key, text
            if outcome.feasible:
                run.report("rounding", value=outcome.objective)

    def good() -> bool:
        return outcome.feasible and outcome.objective - prices.bound <= gap * abs(outcome.objective)

    steps = int(min(_STEPS * effort, 1e12))
    for round_number in range(2 * _ROUNDS):
        if round_number == _REPAIR_AFTER and not outcome.in_band and not run.stop():
            best = repair_bands(instance, prices, best, run, seed, _search_part(int(_REPAIR_STEPS * effort)))
            outcome = evaluate(instance, best)
            key, note = rank(instance, outcome), f"{note}, then by a few territories at a time"
            size = first_size if outcome.feasible else size
        if run.stop() or good() or (round_number >= _ROUNDS and outcome.feasible):
            break
        # what the first search lost on the way in may be saved by one that keeps to the start's neighborhood
        again = round_number == 1 and nearly
        units = core_units(instance, cheapest, first_size if again else size)
        if not len(units):
            break
        base = begin if again else best
        core = make_core(instance, prices, base, units)
        repair = again or (round_number > 0 and not outcome.feasible and _excess(instance, outcome) < _NEARLY)
        answer = anneal_core(core, run, seed + round_number, steps, repair=repair)
        offer(answer, units, f"search on a core of {len(units):,}")
        # in the bands: sharpen with fewer units; not yet: let more units help
        size = max(size // 2, 1) if outcome.feasible else min(2 * size, instance.n_units)
    run.note("rounding", since, note)
    return best


def _search_part(steps: int) -> Callable[[Instance, Prices, IntArray, Run, int, int], IntArray]:
    """Return the search that `repair_bands` makes among few territories."""

    def search(part: Instance, prices: Prices, start: IntArray, run: Run, seed: int, attempt: int) -> IntArray:
        size = default_core_size(part) * 2**attempt
        units = core_units(part, cheapest_places(part, prices, workers=1), size)
        if not len(units):
            return start
        core = make_core(part, prices, start, units)
        near = _excess(part, evaluate(part, start)) < _NEARLY
        out = start.copy()
        # all territories are choices: what a band lacks may sit where the prices would never take it from
        length = max(steps, 1) * 2**attempt
        out[units] = anneal_core(core, run, seed, length, repair=near, choices=part.n_territories)
        return out

    return search


def _first(
    instance: Instance, prices: Prices, run: Run, cheapest: CheapestPlaces, workers: int | None
) -> tuple[IntArray, Evaluation]:
    """Return the best start: the cheapest places, or shares of one of the last temperatures made whole."""
    weight = np.where(np.isinf(instance.penalty), 2.0 * np.abs(prices.prices * instance.target).max(axis=0), 0.0)
    best = first = _separate(instance, prices, cheapest.best)
    outcome = evaluate(instance, best)
    value = outcome.cost + float((outcome.excess * weight).sum())
    for stage in prices.stages:
        # a first one even when the time is up: a class of ties at one territory is no answer
        if (run.stop() and best is not first) or value - prices.bound <= _CLOSE * abs(value):
            break
        trial = _separate(instance, prices, dithered(instance, stage, prices.bound, workers))
        trial_outcome = evaluate(instance, trial)
        trial_value = trial_outcome.cost + float((trial_outcome.excess * weight).sum())
        if trial_value < value:
            best, outcome, value = trial, trial_outcome, trial_value
    return best, outcome


def _separate(instance: Instance, prices: Prices, preferred: IntArray) -> IntArray:
    """Return the cheapest places with each apart group spread over territories at the least reduced cost."""
    best = preferred.copy()
    for group in instance.apart:
        if len(np.unique(best[group])) == len(group) or len(group) > instance.n_territories:
            continue
        reduced = reduced_costs(instance, prices.prices, prices.side_prices, group)
        finite = np.isfinite(reduced)
        wall = (np.ptp(reduced[finite]) + 1.0) * (len(group) + 1) if finite.any() else 1.0
        unit, territory = linear_sum_assignment(
            np.where(finite, reduced, wall + np.abs(reduced[finite]).max(initial=0))
        )
        best[group[unit]] = territory
    return best


def make_core(instance: Instance, prices: Prices, assignment: IntArray, units: IntArray) -> Core:
    """Return the core problem of ``units``, the others staying as in ``assignment``."""
    inside = np.zeros(instance.n_units, dtype=bool)
    inside[units] = True
    fixed = np.where(inside, -1, assignment)
    totals, side, base = _fixed_sums(instance, fixed)
    closed = np.zeros((len(units), instance.n_territories), dtype=bool)
    locked = np.zeros(len(units), dtype=bool)
    position = np.full(instance.n_units, -1, dtype=np.int64)
    position[units] = np.arange(len(units))
    for group in instance.apart:
        taken = fixed[group][fixed[group] >= 0]
        members = position[group][position[group] >= 0]
        closed[np.ix_(members, taken)] = True
        locked[members] = True
    part = instance.take(units, totals)
    reduced = reduced_costs(instance, prices.prices, prices.side_prices, units)
    two = np.sort(reduced, axis=1)[:, :2]
    margin = (two[:, 1] - two[:, 0])[np.isfinite(two).all(axis=1)] if two.shape[1] > 1 else np.zeros(0)
    typical = float(margin.mean()) if len(margin) and margin.any() else 1.0
    side_limit = min((abs(row.upper) for row in instance.side if row.upper), default=1.0)
    return Core(
        instance=part,
        target=np.where(instance.target > 0, instance.target, 1.0),
        side_left=np.array([row.upper for row in instance.side]) - side,
        reduced=reduced,
        closed=closed,
        locked=locked,
        start=assignment[units],
        price=np.abs(prices.prices * instance.target),
        side_price=prices.side_prices,
        floor=typical * instance.n_units / max(instance.n_territories, 1) * 1e-3 + 1e-300,
        side_floor=typical * instance.n_units * 1e-3 / side_limit,
        base=base,
    )


def _fixed_sums(instance: Instance, fixed: IntArray) -> tuple[FloatArray, FloatArray, float]:
    """Return totals, side use and cost of the units with ``fixed >= 0``. One chunked pass."""
    totals = np.zeros_like(instance.target)
    side, cost = np.zeros(len(instance.side)), 0.0
    for rows in instance.chunks():
        here = np.flatnonzero(fixed[rows] >= 0)
        where = fixed[rows][here]
        activities = instance.activities3()[rows][here, where if instance.by_territory else 0]
        for j in range(totals.shape[1]):
            totals[:, j] += np.bincount(where, weights=activities[:, j], minlength=len(totals))
        cost += float(instance.cost_block(rows)[here, where].sum())
        for r, row in enumerate(instance.side):
            side[r] += float(row.term.block(rows)[here, where].sum())
    return totals, side, cost
