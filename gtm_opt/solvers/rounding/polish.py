"""Annealed search on the core: fine adjustment of totals to their bands at the least cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.solvers.protocol import Run
    from gtm_opt.solvers.rounding.core import Core

__all__ = ["anneal_core"]

_SLICE = 200_000
_CHOICES = 4
_MOST_CHOICES = 16
"""So many choices for a unit whose territories tie: among few of them, exchanges between the others would be missed."""
_TIE = 10.0
"""Territories within so many heats of a unit's best one tie with it."""
_WILLING = 3
_STAGES = ((0.5, 2.0, 1.0, 0.03), (0.4, 20.0, 0.1, 1e-3), (0.1, 500.0, 1e-2, 1e-3))
"""Share of the steps, steepness outside the bands in prices, first and last temperature in heats."""
_REPAIR = ((0.7, 30.0, 0.1, 1e-3), (0.3, 1000.0, 1e-2, 1e-3))
"""The same for a start that is only just outside its bands."""
_HAIR = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class _Arrays:
    """The core as the kernel reads it, most willing units first."""

    order: IntArray
    cost: FloatArray
    act: FloatArray
    side: FloatArray
    choice: IntArray
    n_choice: IntArray
    low: FloatArray
    high: FloatArray
    heat: float


def anneal_core(
    core: Core, run: Run, seed: int, steps: int, *, repair: bool = False, choices: int = _CHOICES
) -> IntArray:
    """Return territories of the core units.

    Parameters
    ----------
    core : Core
    run : Run
    seed : int
    steps : int
    repair : bool
        The start is nearly in its bands: keep to its neighborhood.
    choices : int
        Territories worth trying of each unit, at least: those of least reduced cost.

    Notes
    -----
    Every band edge that has a price attracts with that price from the inside (through the costs) and is
    given twice the price on the outside, so that a total slides along its edge; then the outside gets
    steeper while the temperature falls, which brings the totals in.
    """
    from gtm_opt.solvers.rounding._kernels import anneal

    data = _arrays(core, choices)
    n = len(data.order)
    where = core.start[data.order]
    state = np.array([(2 * seed + 1) * 0x9E3779B97F4A7C15 % (1 << 64)], dtype=np.uint64)
    for part_of_steps, factor, hot, cold in _REPAIR if repair else _STAGES:
        weight, side_weight = _weights(core, factor)
        done, amount = 0, max(int(part_of_steps * steps), 1)
        slope = (cold / hot) ** (1.0 / amount)
        while done < amount and not run.stop():
            count = min(_SLICE, amount - done)
            # sums afresh in every slice: increments would drift
            total = np.zeros_like(core.target)
            np.add.at(total, where, data.act[np.arange(n), where])
            used = data.side[np.arange(n), where].sum(axis=0)
            first, last = (data.heat * hot * slope**at for at in (done, done + count))
            anneal(
                data.cost, data.act, data.side, data.choice, data.n_choice, where, total, used, data.low, data.high,
                weight, core.side_left, side_weight, state, count, first, last,
            )  # fmt: skip
            done += count
    out = np.empty_like(where)
    out[data.order] = where
    return out


def _arrays(core: Core, choices: int) -> _Arrays:
    """Lay the core out for the kernel."""
    part, scale = core.instance, core.target
    n, k, m = part.n_units, part.n_territories, part.n_criteria
    reduced = np.where(core.closed, np.inf, core.reduced)
    two = np.sort(reduced, axis=1)[:, :2]
    with np.errstate(invalid="ignore"):
        margin = np.where(np.isfinite(two).all(axis=1), two[:, -1] - two[:, 0], np.inf)
    act = np.ascontiguousarray(np.broadcast_to(part.activities3(), (n, k, m)) / scale[None])
    size = np.maximum(act.max(axis=(1, 2), initial=0.0), 1e-300)
    # in front: who moves for little, absolutely or for the size
    rank = np.minimum(_ranks(margin), _ranks(margin / size))
    order = np.argsort(rank, kind="stable")
    rows = slice(0, n)
    side = np.zeros((n, k, len(part.side)))
    for r, row in enumerate(part.side):
        side[:, :, r] = row.term.block(rows)
    low, high = part.lower / scale, part.upper / scale
    # bands narrower by a tolerance, for rounding in the sums
    hair = np.minimum(_HAIR, np.where(np.isfinite(high - low), (high - low) / 4.0, _HAIR))
    willing = float(np.sort(margin)[min(_WILLING * k * max(m, 1), n) - 1])
    choice = np.argsort(reduced, axis=1, kind="stable")[:, :_MOST_CHOICES]
    tied = (reduced <= reduced.min(axis=1, keepdims=True) + _TIE * min(willing, margin.mean())).sum(axis=1)
    n_choice = np.minimum(
        np.isfinite(reduced).sum(axis=1), np.clip(tied, min(choices, choice.shape[1]), choice.shape[1])
    )
    n_choice[core.locked] = 0
    return _Arrays(
        order=order,
        cost=np.ascontiguousarray(part.cost_block(rows)[order]),
        act=np.ascontiguousarray(act[order]),
        side=np.ascontiguousarray(side[order]),
        choice=np.ascontiguousarray(choice[order]),
        n_choice=n_choice[order],
        low=np.ascontiguousarray(low + hair),
        high=np.ascontiguousarray(high - hair),
        heat=willing if 0.0 < willing < np.inf else 1.0,
    )


def _ranks(values: FloatArray) -> IntArray:
    """Return the position of each value in sorted order."""
    ranks = np.empty(len(values), dtype=np.int64)
    ranks[np.argsort(values, kind="stable")] = np.arange(len(values))
    return ranks


def _weights(core: Core, factor: float) -> tuple[FloatArray, FloatArray]:
    """Return cost of 100 % excess per band, and of one unit of overuse per side row."""
    hard = np.isinf(core.instance.penalty)
    least = 0.05 * core.price.max(initial=0.0) + core.floor
    penalty = np.where(hard, 0.0, core.instance.penalty)
    weight = np.where(hard, factor * np.maximum(core.price, least), penalty)
    return np.ascontiguousarray(weight), factor * np.maximum(core.side_price, core.side_floor)
