"""Annealed search on the core: fine adjustment of totals to their bands at the least cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, Instance, IntArray
    from gtm_opt.solvers.protocol import Run
    from gtm_opt.solvers.rounding.core import Core

__all__ = ["anneal_core"]

_SLICE = 200_000
_CHOICES = 4
_SHARP = 3
_STAGES = ((0.5, 2.0, 1.0, 0.03), (0.4, 20.0, 0.1, 1e-3), (0.1, 500.0, 1e-2, 1e-3))
"""Share of the steps, steepness outside the bands in prices, first and last temperature in heats."""


def anneal_core(core: Core, run: Run, seed: int, steps: int) -> IntArray:
    """Return territories of the core units.

    Notes
    -----
    Every band edge that has a price pulls with that price from the inside (through the costs) and is
    given twice the price on the outside, so that a total slides along its edge; then the outside gets
    steeper while the temperature falls, which brings the totals in.
    """
    from gtm_opt.solvers.rounding._kernels import anneal

    part = core.instance
    n, k = part.n_units, part.n_territories
    cost = part.cost_block(slice(0, n))
    scale = core.target
    act = np.ascontiguousarray(np.broadcast_to(part.activities3(), (n, k, part.n_criteria)) / scale[None])
    side = np.zeros((n, k, len(part.side)))
    for r, row in enumerate(part.side):
        side[:, :, r] = row.term.block(slice(0, n))
    reduced = np.where(core.closed, np.inf, core.reduced)
    choice = np.ascontiguousarray(np.argsort(reduced, axis=1, kind="stable")[:, :_CHOICES])
    n_choice = np.minimum(np.isfinite(reduced).sum(axis=1), choice.shape[1])
    n_choice[core.locked] = 0
    cost = np.where(core.closed | core.locked[:, None], np.inf, cost)
    cost[np.arange(n), core.start] = part.cost_block(slice(0, n))[np.arange(n), core.start]
    low, high = part.lower / scale, part.upper / scale
    # bands a hair narrower: sums are kept by increments
    hair = np.minimum(1e-9, np.where(np.isfinite(high - low), (high - low) / 4.0, 1e-9))
    low, high = low + hair, high - hair
    where = core.start.copy()
    state = np.array([(2 * seed + 1) * 0x9E3779B97F4A7C15 % (1 << 64)], dtype=np.uint64)
    heat = _heat(reduced, _SHARP * k * part.n_criteria)
    for part_of_steps, factor, hot, cold in _STAGES:
        weight, side_weight = _weights(core, factor)
        done = 0
        amount = max(int(part_of_steps * steps), 1)
        while done < amount and not run.stop():
            count = min(_SLICE, amount - done)
            slope = (cold / hot) ** (1.0 / amount)
            total = np.zeros((k, part.n_criteria))
            np.add.at(total, where, act[np.arange(n), where])
            used = side[np.arange(n), where].sum(axis=0)
            anneal(
                cost, act, side, choice, n_choice, where, total, used, low, high, weight,
                core.side_left, side_weight, state, count, heat * hot * slope**done, heat * hot * slope ** (done + count),
            )  # fmt: skip
            done += count
    return where


def _heat(reduced: FloatArray, count: int) -> float:
    """Return what moving the ``count`` most willing core units costs at most."""
    two = np.sort(reduced, axis=1)[:, :2]
    margin = np.sort((two[:, 1] - two[:, 0])[np.isfinite(two).all(axis=1)])
    heat = float(margin[min(count, len(margin)) - 1]) if len(margin) else 0.0
    return heat if heat > 0.0 else 1.0


def _weights(core: Core, factor: float) -> tuple[FloatArray, FloatArray]:
    """Return cost of 100 % excess per band, and of one unit of overuse per side row."""
    hard = np.isinf(core.instance.penalty)
    price = np.abs(core.price)
    least = 0.05 * price.max(initial=0.0) + core.floor
    weight = np.where(hard, factor * np.maximum(price, least), np.where(hard, 0.0, core.instance.penalty))
    return np.ascontiguousarray(weight), factor * np.maximum(core.side_price, core.side_floor)
