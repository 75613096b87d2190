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

__all__ = ["CheapestPlaces", "cheapest_places", "dithered"]


@dataclass(frozen=True, slots=True, eq=False)
class CheapestPlaces:
    """Each unit by itself at given prices.

    Attributes
    ----------
    best : ndarray of int, shape (n_units,)
        Territory of least reduced cost (the first one among equals).
    margin : ndarray of shape (n_units,)
        How much more expensive the second best is, ``inf`` where there is none.
    size : ndarray of shape (n_units,)
        Largest share of a territory's target the unit holds.
    """

    best: IntArray
    margin: FloatArray
    size: FloatArray


def cheapest_places(instance: Instance, prices: Prices, workers: int | None = None) -> CheapestPlaces:
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
    return CheapestPlaces(best, margin, size)


def dithered(instance: Instance, stage: Stage, value: float, workers: int | None = None) -> IntArray:
    """Return a whole assignment whose totals and cost follow those of the softmin shares at ``stage``.

    Parameters
    ----------
    instance : Instance
    stage : Stage
    value : float
        About what the assignment will cost: the unit in which deviations of its cost count.
    workers : int, optional

    Notes
    -----
    Where many units are torn between the same territories (owners are all that counts, say), the least
    reduced cost sends them all to one of them. The softmin shares meet the bands; units are assigned one
    by one, the largest first, to the territory, among those they have a share in, that keeps totals, cost
    and side rows nearest to those of the shares. One chunked pass over all units, one over the torn ones.
    """
    from gtm_opt.solvers.lagrangian._kernels import reduced
    from gtm_opt.solvers.rounding._kernels import dither, find_torn

    price = np.array(stage.prices, dtype=np.float64, order="C")
    side_price = np.array(stage.side_prices, dtype=np.float64)
    target = np.where(instance.target > 0, instance.target, 1.0)
    limit = np.array([row.upper for row in instance.side])
    scale = np.concatenate([[abs(value) or 1.0], np.where(limit > 0, limit, 1.0)]) / instance.n_territories

    def one(block: Block) -> tuple[IntArray, FloatArray]:
        cost = block.cost.copy()
        reduced(cost, block.activities, block.side, price, side_price)
        part, extent = np.empty(len(cost), dtype=np.int64), np.empty(len(cost))
        find_torn(cost, block.activities, block.side, stage.heat, target, part, extent)
        return part, extent

    best, size, done = np.empty(instance.n_units, dtype=np.int64), np.empty(instance.n_units), 0
    with Blocks(instance, workers=workers) as blocks:
        for part, extent in blocks.map(one):
            best[done : done + len(part)], size[done : done + len(part)] = part, extent
            done += len(part)
    torn = np.flatnonzero(size >= 0.0)
    torn = torn[np.argsort(-size[torn], kind="stable")]
    error, lost = np.zeros_like(target), np.zeros(len(scale))
    with Blocks(instance, torn, workers=1) as blocks:
        done = 0
        for position in range(blocks.n_blocks):
            block = blocks.read(position)
            cost = block.cost.copy()
            reduced(cost, block.activities, block.side, price, side_price)
            part = np.empty(len(cost), dtype=np.int64)
            dither(
                cost, block.cost, block.activities, block.side, stage.heat, target, scale, error, lost, part
            )  # fmt: skip
            best[torn[done : done + len(part)]] = part
            done += len(part)
    return best
