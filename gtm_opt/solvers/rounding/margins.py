"""Where every unit wants to sit at given prices, and how clearly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.solvers.lagrangian.blocks import Blocks

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, Instance, IntArray
    from gtm_opt.solvers.lagrangian.ascent import Prices, Stage
    from gtm_opt.solvers.lagrangian.blocks import Block

__all__ = ["Wishes", "dithered", "wishes"]


@dataclass(frozen=True, slots=True, eq=False)
class Wishes:
    """Each unit by itself at given prices.

    Attributes
    ----------
    best : ndarray of int, shape (n_units,)
        Territory of least reduced cost (the first one among equals).
    margin : ndarray of shape (n_units,)
        How much dearer the second best is, ``inf`` where there is none.
    size : ndarray of shape (n_units,)
        Largest share of a territory's target the unit holds.
    """

    best: IntArray
    margin: FloatArray
    size: FloatArray


def wishes(instance: Instance, prices: Prices, workers: int | None = None) -> Wishes:
    """Return best territory, margin and size of every unit. One chunked pass."""
    from gtm_opt.solvers.lagrangian._kernels import reduced
    from gtm_opt.solvers.rounding._kernels import decide

    price = np.array(prices.prices, dtype=np.float64, order="C")
    side_price = np.array(prices.side_prices, dtype=np.float64)
    target = np.where(instance.target > 0, instance.target, 1.0)
    smallest = target if instance.by_territory else target.min(axis=0, keepdims=True)

    def one(block: Block) -> tuple[IntArray, FloatArray, FloatArray]:
        cost = block.cost.copy()
        reduced(cost, block.activities, block.side, price, side_price)
        best, margin = np.empty(len(cost), dtype=np.int64), np.empty(len(cost))
        decide(cost, best, margin)
        return best, margin, (block.activities / smallest).max(axis=(1, 2), initial=0.0)

    best, margin = np.empty(instance.n_units, dtype=np.int64), np.empty(instance.n_units)
    size, done = np.empty(instance.n_units), 0
    with Blocks(instance, workers=workers) as blocks:
        for part_best, part_margin, part_size in blocks.map(one):
            rows = slice(done, done + len(part_best))
            best[rows], margin[rows], size[rows] = part_best, part_margin, part_size
            done = rows.stop
    return Wishes(best, margin, size)


def dithered(instance: Instance, stage: Stage, workers: int | None = None) -> IntArray:
    """Return a whole assignment whose totals follow those of the softmin shares at ``stage``.

    Notes
    -----
    Where many units are torn between the same territories (owners are all that counts, say), the least
    reduced cost sends them all to one of them. The softmin shares meet the bands; units are assigned one
    by one to the territory, among those they have a share in, that keeps the totals nearest to theirs.
    One chunked pass.
    """
    from gtm_opt.solvers.lagrangian._kernels import reduced
    from gtm_opt.solvers.rounding._kernels import dither

    price = np.array(stage.prices, dtype=np.float64, order="C")
    side_price = np.array(stage.side_prices, dtype=np.float64)
    target = np.where(instance.target > 0, instance.target, 1.0)

    def one(block: Block) -> tuple[FloatArray, Block]:
        cost = block.cost.copy()
        reduced(cost, block.activities, block.side, price, side_price)
        return cost, block

    error, best, done = np.zeros_like(target), np.empty(instance.n_units, dtype=np.int64), 0
    with Blocks(instance, workers=workers) as blocks:
        for cost, block in blocks.map(one):
            part = np.empty(len(cost), dtype=np.int64)
            dither(cost, block.activities, block.side, stage.heat, target, error, part)
            best[done : done + len(part)] = part
            done += len(part)
    return best
