"""The evenness objective in normal form: deviations that are linear in the totals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.instance import EvennessKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.instance import FloatArray, Instance, IntArray

__all__ = ["DEVIATION", "PEAK", "SPREAD", "BalancingProblem", "normal_form"]

DEVIATION, SPREAD, PEAK = 0, 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class BalancingProblem:
    """An instance's evenness objective as ``x = totals * scale - offset``.

    Attributes
    ----------
    weights : ndarray of shape (n_units, n_criteria)
        Activities.
    scale, offset : ndarray of shape (n_territories, n_criteria)
        ``DEVIATION``: the objective is ``max |x|``; ``SPREAD``: the largest range of a column
        of ``x``; ``PEAK``: ``max x + base``.
    kind : int
        ``DEVIATION`` (0), ``SPREAD`` (1) or ``PEAK`` (2).
    base : float
        See ``PEAK``; 0 otherwise.
    allowed : ndarray of uint8, shape (n_units, n_territories) or (1, 1)
        1 where a unit may sit; the (1, 1) form means everywhere.
    rival_start, rivals : ndarray of int
        Units that must not share a territory with unit i are
        ``rivals[rival_start[i]:rival_start[i + 1]]``; ``rival_start`` has length 1 when there are none.
    """

    weights: FloatArray
    scale: FloatArray
    offset: FloatArray
    kind: int
    base: float
    allowed: NDArray[np.uint8]
    rival_start: IntArray
    rivals: IntArray

    @property
    def n_units(self) -> int:
        """Number of units."""
        return int(self.weights.shape[0])

    @property
    def n_territories(self) -> int:
        """Number of territories."""
        return int(self.scale.shape[0])

    @property
    def n_criteria(self) -> int:
        """Number of criteria."""
        return int(self.weights.shape[1])

    @property
    def has_bars(self) -> bool:
        """Whether some unit is not allowed everywhere."""
        return self.allowed.shape[0] == self.n_units and self.allowed.shape[1] == self.n_territories and self.size > 1

    @property
    def size(self) -> int:
        """Number of (unit, territory) pairs."""
        return self.n_units * self.n_territories

    @property
    def has_rivals(self) -> bool:
        """Whether some units must be kept apart."""
        return len(self.rivals) > 0

    def deviations(self, assignment: IntArray) -> FloatArray:
        """Return ``x`` of an assignment, shape (n_territories, n_criteria)."""
        k = self.n_territories
        columns = [np.bincount(assignment, weights=column, minlength=k) for column in self.weights.T]
        totals = np.stack(columns, axis=1) if columns else np.zeros((k, 0))
        out: FloatArray = np.ascontiguousarray(totals * self.scale - self.offset)
        return out

    def value(self, x: FloatArray) -> float:
        """Return the objective of deviations ``x``."""
        if x.size == 0:
            return 0.0
        if self.kind == DEVIATION:
            return float(np.abs(x).max())
        if self.kind == SPREAD:
            return float((x.max(axis=0) - x.min(axis=0)).max())
        return float(x.max()) + self.base


def normal_form(instance: Instance) -> BalancingProblem:
    """Return the evenness objective of ``instance`` in normal form.

    Parameters
    ----------
    instance : Instance
        With ``evenness`` set and activities of shape (n_units, n_criteria).
    """
    weights = np.ascontiguousarray(instance.activities, dtype=np.float64)
    k = instance.n_territories
    evenness = instance.evenness
    base = 0.0
    if evenness is None or evenness.kind is EvennessKind.DEVIATION:
        unit = instance.target if evenness is None else evenness.unit
        unit = np.where(unit > 0, unit, 1.0)
        scale, offset, kind = 1.0 / unit, instance.target / unit, DEVIATION
    else:
        unit = np.where(evenness.unit[0] > 0, evenness.unit[0], 1.0)
        scale = 1.0 / (k * instance.shares[:, None] * unit[None, :])
        mean = weights.sum(axis=0) / (k * unit)
        kind = SPREAD
        if evenness.kind is EvennessKind.PEAK:
            kind, base = PEAK, float(mean.max(initial=0.0))
            mean = np.full_like(mean, base)
        offset = np.repeat(mean[None, :], k, axis=0)
    rival_start, rivals = _rivals(instance)
    return BalancingProblem(
        weights,
        np.ascontiguousarray(scale),
        np.ascontiguousarray(offset),
        kind,
        base,
        _allowed(instance),
        rival_start,
        rivals,
    )


def _allowed(instance: Instance) -> NDArray[np.uint8]:
    everywhere = np.ones((1, 1), dtype=np.uint8)
    if not instance.cost:
        return everywhere
    out = np.ones((instance.n_units, instance.n_territories), dtype=np.uint8)
    for rows in instance.chunks():
        out[rows] = np.isfinite(instance.cost_block(rows))
    return everywhere if out.all() else out


def _rivals(instance: Instance) -> tuple[IntArray, IntArray]:
    if not instance.apart:
        return np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int64)
    first = np.concatenate([np.repeat(group, len(group)) for group in instance.apart])
    second = np.concatenate([np.tile(group, len(group)) for group in instance.apart])
    keep = first != second
    pairs = np.unique(np.stack([first[keep], second[keep]], axis=1), axis=0)
    start = np.zeros(instance.n_units + 1, dtype=np.int64)
    np.cumsum(np.bincount(pairs[:, 0], minlength=instance.n_units), out=start[1:])
    return start, np.ascontiguousarray(pairs[:, 1], dtype=np.int64)
