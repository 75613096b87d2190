"""An instance, or a part of it, laid out for the compiled kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gtm_opt.measures.objective import TOLERANCE

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, Instance, IntArray

__all__ = ["Int32Array", "Layout", "lay_out"]

Int32Array = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """What the kernels read and never write.

    Attributes
    ----------
    units : ndarray of int, shape (n_free,)
        Positions in the instance of the units that may move.
    cost : ndarray of shape (n_free, n_territories)
        ``inf`` where forbidden.
    activities : ndarray of shape (n_free + 1, 1 or n_territories, n_criteria)
        The last row is a unit of size zero.
    fixed : ndarray of shape (n_territories, n_criteria)
        Totals of the units that stay.
    lower, upper, scale : ndarray of shape (n_territories, n_criteria)
        Bands, widened by half of what the evaluation forgives, and one over the target.
    elastic : ndarray of shape (n_criteria,)
        Penalty per 100 % of relative excess, -1 for hard bands.
    side, side_fixed, side_upper, side_scale : ndarray
        Side rows: shape (n_free, n_territories, n_rows), the others (n_rows,).
    group_start, group : ndarray of int
        Apart groups of each unit, compressed rows.
    fixed_count : ndarray of int, shape (n_groups, n_territories)
        Members of the groups among the units that stay.
    fixed_cost : float
        Preference cost of the units that stay.
    """

    units: IntArray
    cost: FloatArray
    activities: FloatArray
    fixed: FloatArray
    lower: FloatArray
    upper: FloatArray
    scale: FloatArray
    elastic: FloatArray
    side: FloatArray
    side_fixed: FloatArray
    side_upper: FloatArray
    side_scale: FloatArray
    group_start: IntArray
    group: IntArray
    fixed_count: IntArray
    fixed_cost: float

    @property
    def n_free(self) -> int:
        """Number of units that may move."""
        return len(self.units)

    @property
    def by_territory(self) -> bool:
        """Whether activities depend on the territory."""
        return bool(self.activities.shape[1] > 1)


def lay_out(instance: Instance, start: IntArray, units: IntArray | None = None) -> Layout:
    """Return the layout in which ``units`` may move and all others stay where ``start`` has them.

    Parameters
    ----------
    instance : Instance
    start : ndarray of int, shape (n_units,)
    units : ndarray of int, optional
        Default: every unit.

    Notes
    -----
    Memory is that of the chosen units times the territories; the others are read in chunks.
    """
    free = np.arange(instance.n_units) if units is None else np.unique(np.asarray(units, dtype=np.int64))
    stays = np.ones(instance.n_units, dtype=bool)
    stays[free] = False
    fixed, fixed_cost, side_fixed = _of_staying(instance, start, stays)
    scale = 1.0 / np.where(instance.target > 0, instance.target, 1.0)
    forgiven = 0.5 * TOLERANCE / scale
    side = np.zeros((len(free), instance.n_territories, len(instance.side)))
    for r, row in enumerate(instance.side):
        side[:, :, r] = row.term.block(free)
    side_upper = np.array([row.upper for row in instance.side])
    side_size = np.maximum(1.0, np.abs(side_upper))
    group_start, group, fixed_count = _groups(instance, start, free, stays)
    own = instance.activities3()
    activities = np.concatenate([own[free], np.zeros((1, *own.shape[1:]))])
    return Layout(
        units=free,
        cost=instance.cost_block(free),
        activities=np.ascontiguousarray(activities),
        fixed=fixed,
        lower=instance.lower - forgiven,
        upper=instance.upper + forgiven,
        scale=scale,
        elastic=np.where(np.isinf(instance.penalty), -1.0, instance.penalty),
        side=side,
        side_fixed=side_fixed,
        side_upper=side_upper + 0.5 * TOLERANCE * side_size,
        side_scale=1.0 / side_size,
        group_start=group_start,
        group=group,
        fixed_count=fixed_count,
        fixed_cost=fixed_cost,
    )


def _of_staying(instance: Instance, start: IntArray, stays: NDArray[np.bool_]) -> tuple[FloatArray, float, FloatArray]:
    """Return totals, cost and side use of the units that stay."""
    k = instance.n_territories
    fixed = np.zeros((k, instance.n_criteria))
    cost, side = 0.0, np.zeros(len(instance.side))
    staying = np.flatnonzero(stays)
    if len(staying) == 0:
        return fixed, cost, side
    for first in range(0, len(staying), 16_384):
        rows = staying[first : first + 16_384]
        here = start[rows]
        own = instance.activities[rows]
        if instance.by_territory:
            own = own[np.arange(len(rows)), here]
        np.add.at(fixed, here, own)
        if instance.cost:
            cost += float(instance.cost_block(rows)[np.arange(len(rows)), here].sum())
        for r, row in enumerate(instance.side):
            side[r] += float(row.term.block(rows)[np.arange(len(rows)), here].sum())
    return fixed, cost, side


def _groups(
    instance: Instance, start: IntArray, free: IntArray, stays: NDArray[np.bool_]
) -> tuple[IntArray, IntArray, IntArray]:
    """Return the apart groups of each free unit, and the counts of members that stay."""
    position = np.full(instance.n_units, -1, dtype=np.int64)
    position[free] = np.arange(len(free))
    fixed_count = np.zeros((len(instance.apart), instance.n_territories), dtype=np.int64)
    unit: list[IntArray] = [np.zeros(0, dtype=np.int64)]
    index: list[IntArray] = [np.zeros(0, dtype=np.int64)]
    for g, members in enumerate(instance.apart):
        np.add.at(fixed_count[g], start[members[stays[members]]], 1)
        inside = position[members[~stays[members]]]
        unit.append(inside)
        index.append(np.full(len(inside), g, dtype=np.int64))
    units, groups = np.concatenate(unit), np.concatenate(index)
    order = np.argsort(units, kind="stable")
    group_start = np.searchsorted(units[order], np.arange(len(free) + 1)).astype(np.int64)
    return group_start, groups[order], fixed_count
