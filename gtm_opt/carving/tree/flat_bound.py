"""A lower bound over all leaves at once: what tree decomposition costs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.carving.certificate import certify
from gtm_opt.carving.tree.guide import ascend
from gtm_opt.solvers import SolverResult

if TYPE_CHECKING:
    from gtm_opt.carving.certificate import Certificate
    from gtm_opt.instance import Instance, IntArray
    from gtm_opt.solvers import Run

__all__ = ["flat_certificate"]

FULL_CELLS = 200_000
"""Units x leaves up to which the prices are climbed to the top."""
MULTIPLIERS = 500
"""Bands and side rows up to which the prices of a sample are climbed by Newton steps; each takes their cube."""
SAMPLE = 6_000
EFFORT = 0.3
SLACK = 2e-3
"""Smoothing may cost this fraction of the bound: the sample costs more."""
SAMPLE_CELLS = 4_000_000
ROUNDS = 400


def flat_certificate(instance: Instance, unit_leaf: IntArray, run: Run, seed: int, max_gap: float) -> Certificate:
    """Return the certificate of a whole tree, its bound by prices of all leaves at once.

    Parameters
    ----------
    instance : Instance
        Units x leaves.
    unit_leaf : ndarray of int, shape (n_units,)
    run : Run
    seed : int
    max_gap : float

    Notes
    -----
    The bound holds for every plan that keeps the leaves' bands, whichever way it was carved: the gap is
    the most that tree decomposition, rounding to whole accounts and the bound's own weakness
    cost together. Up to `FULL_CELLS` the prices are solved; above, they come from a calibrated sample, with more
    than `MULTIPLIERS` bands from a short subgradient ascent, and the bound is weaker. One pass over units x leaves.
    """
    prices = None
    priced = bool(instance.n_criteria or instance.side)
    if priced and instance.evenness is None and not instance.by_territory:
        if instance.n_units * instance.n_territories <= FULL_CELLS:
            from gtm_opt.solvers.lagrangian import solve_prices

            found = solve_prices(instance, run)
            return certify(
                instance, SolverResult(unit_leaf, prices=found.prices, side_prices=found.side_prices), max_gap
            )
        multipliers = instance.n_territories * instance.n_criteria + len(instance.side)
        if multipliers <= MULTIPLIERS and instance.n_units > SAMPLE:
            from gtm_opt.solvers.lagrangian.ascent import sample_prices

            found = sample_prices(instance, run, SAMPLE, effort=EFFORT, slack=SLACK)
            return certify(
                instance, SolverResult(unit_leaf, prices=found.prices, side_prices=found.side_prices), max_gap
            )
        prices = ascend(_sample(instance, seed), ROUNDS)
    return certify(instance, SolverResult(unit_leaf, prices=prices), max_gap)


def _sample(instance: Instance, seed: int) -> Instance:
    size = max(SAMPLE_CELLS // instance.n_territories, 1_000)
    if instance.n_units <= size:
        return instance
    units = np.sort(np.random.default_rng([seed, 2]).choice(instance.n_units, size, replace=False))
    part = instance.activities[units].sum(axis=0) / np.maximum(instance.activities.sum(axis=0), 1e-300)
    small = instance.take(units)
    return replace(small, target=small.target * part, lower=small.lower * part, upper=small.upper * part)
