"""Annealing in rounds over a few independent chains; the better one leads the next round."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.solvers.local_search.arrays import Layout
    from gtm_opt.solvers.local_search.chain import Chain
    from gtm_opt.solvers.local_search.relaxation import Relaxation
    from gtm_opt.solvers.protocol import Run

__all__ = ["EJECTOR", "MOVER", "AnnealParams", "Annealed", "Style", "anneal"]


@dataclass(frozen=True, slots=True)
class Style:
    """How one chain walks.

    Attributes
    ----------
    hot, cold : float
        First and last temperature, in units of the mean difference between a unit's best
        and second best territory.
    chain_rate : float
        Fraction of the steps that try a longer ejection chain.
    pace : float
        Steps of this chain per step of the plan: chains of ejections cost more each.
    """

    hot: float
    cold: float
    chain_rate: float
    pace: float = 1.0


MOVER = Style(hot=0.7, cold=0.015, chain_rate=0.05)
"""Mostly single moves and swaps: best where territories hold many units."""

EJECTOR = Style(hot=4.0, cold=0.6, chain_rate=1.0, pace=0.12)
"""Only ejection chains, hotter: best where a few units must fill a limit exactly."""


@dataclass(frozen=True, slots=True)
class AnnealParams:
    """How a search walks.

    Attributes
    ----------
    steps : int
        Steps of each chain in the first round.
    rounds : int or None
        Number of rounds; None: until the run stops.
    growth : float
        Factor on the steps from round to round, >= 1.
    styles : tuple of Style
        One chain each, each on a thread; part of the method, not of the machine: the answer
        depends on them, not on the number of cores.
    heat : float
        Factor on the first temperatures; below 1 keeps nearer to the start.
    width : int
        Territories a unit may be drawn to.
    up, down : float
        Factors on the weight of a violated and of a kept band, once per ``n_units`` steps. Slow
        oscillation (close to 1) is what makes tight bands and low cost meet.
    """

    steps: int = 6_000_000
    rounds: int | None = 2
    growth: float = 2.0
    styles: tuple[Style, ...] = (MOVER, EJECTOR)
    heat: float = 1.0
    width: int = 8
    up: float = 1.003
    down: float = 0.9993


@dataclass(frozen=True, slots=True, eq=False)
class Annealed:
    """What annealing found.

    Attributes
    ----------
    assignment : ndarray of int, shape (n_free,)
    violation, objective : float
    """

    assignment: IntArray
    violation: float
    objective: float


def temperature_unit(priced: FloatArray) -> float:
    """Return the mean difference between the cheapest and the second cheapest pair of a unit."""
    if priced.shape[1] < 2:
        return 1.0
    two = np.partition(priced, 1, axis=1)[:, :2]
    margin = two[:, 1] - two[:, 0]
    margin = margin[np.isfinite(margin)]
    unit = float(margin.mean()) if len(margin) else 0.0
    if unit <= 0.0:
        finite = priced[np.isfinite(priced)]
        unit = float(finite.std()) if len(finite) else 0.0
    return unit if unit > 0.0 else 1.0


def first_weights(layout: Layout, relaxation: Relaxation, unit: float) -> FloatArray:
    """Return weights per 100 % of excess: twice what the prices say a unit of total is worth."""
    worth = np.abs(relaxation.prices) / layout.scale
    top = float(worth.max(initial=0.0))
    if top <= 0.0:
        top = unit * max(layout.n_free, 1) / layout.cost.shape[1]
    weights: FloatArray = 2.0 * np.maximum(worth, 0.3 * top)
    return weights


def anneal(
    layout: Layout,
    relaxation: Relaxation,
    starts: list[IntArray],
    run: Run,
    seed: int,
    params: AnnealParams,
    report: Callable[[float, float], None] | None = None,
) -> Annealed:
    """Anneal from ``starts`` and return the best assignment met.

    Parameters
    ----------
    layout : Layout
    relaxation : Relaxation
    starts : list of ndarray of int, shape (n_free,)
        Chain c begins at ``starts[c % len(starts)]``; all are candidates for the answer.
    run : Run
    seed : int
    params : AnnealParams
    report : callable, optional
        Called with violation and objective after each round.

    Notes
    -----
    Deterministic for the seed and the parameters, whatever the number of cores; only a
    stopped run cuts it. Ctrl-C interrupts ``run`` and returns the best so far.
    """
    from gtm_opt.solvers.local_search import chain as walking

    unit = temperature_unit(relaxation.priced)
    weights = first_weights(layout, relaxation, unit)
    width = min(params.width, layout.cost.shape[1])
    order = np.argsort(relaxation.priced, axis=1, kind="stable")[:, :width]
    allowed = np.maximum(np.minimum(np.isfinite(layout.cost).sum(axis=1), width), 1)
    chains = [
        walking.Chain(
            layout, order, allowed, weights, _chain_seed(seed, c), chain_rate=s.chain_rate, priced=relaxation.priced
        )
        for c, s in enumerate(params.styles)
    ]
    for c, chain in enumerate(chains):
        for s in range(len(starts)):
            chain.begin(starts[(c + 1 + s) % len(starts)])
    period = max(layout.n_free, 50)
    steps, number = params.steps, 0
    with ThreadPoolExecutor(len(chains)) as pool:
        while (params.rounds is None or number < params.rounds) and not run.stop():
            since = run.seconds
            walks = []
            for chain, style in zip(chains, params.styles, strict=True):
                own = max(period, int(steps * style.pace))
                hot = max(style.hot * params.heat * (1.0 if number % 2 == 0 else 0.6), 2.0 * style.cold)
                cooling = (style.cold / hot) ** (period / own)
                walk = partial(
                    _walk_and_land, chain, own, (unit * hot, cooling, unit * style.cold), period, run, params
                )
                walks.append(pool.submit(walk))
            try:
                for going in walks:
                    going.result()
            except KeyboardInterrupt:
                # tell the walks, which end within a slice; their best assignments are kept
                run.interrupt()
            leader = min(chains, key=lambda chain: chain.key)
            if report is not None:
                report(*leader.key)
            for chain in chains:
                # the second walk of a pair refines the better one's best assignment
                chain.begin((leader if number % 2 == 0 else chain).best.astype(np.int64))
            number += 1
            speed = steps / max(run.seconds - since, 1e-6)
            steps = _next_steps(steps, number, speed, run, params)
    leader = min(chains, key=lambda chain: chain.key)
    return Annealed(leader.best.astype(np.int64), leader.violation, leader.objective)


def _walk_and_land(
    chain: Chain, steps: int, heat: tuple[float, float, float], period: int, run: Run, params: AnnealParams
) -> None:
    """Anneal, then settle inside the hard bands; ``heat``: first temperature, factor, last one."""
    chain.walk(steps, heat[0], heat[1], period, run, up=params.up, down=params.down)
    chain.land(max(steps // 10, 100 * period), heat[2], period, run)


def _next_steps(steps: int, number: int, speed: float, run: Run, params: AnnealParams) -> int:
    """Return the steps of the next round; without a number of rounds, such that rounds end with the time."""
    if params.rounds is not None or not np.isfinite(run.remaining):
        return int(steps * params.growth)
    left = speed * run.remaining
    return max(params.steps // 10, int(0.5 * left) if number == 1 else int(0.85 * left))


def _chain_seed(seed: int, chain: int) -> int:
    return int(np.random.SeedSequence([seed & 0xFFFFFFFF, chain]).generate_state(1)[0])
