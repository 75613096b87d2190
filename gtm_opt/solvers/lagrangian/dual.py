"""The dual function of the balance bands: scaling, limits and its value at given multipliers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.solvers.lagrangian.quadratic import Limits

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, Instance
    from gtm_opt.solvers.lagrangian.blocks import Block, Blocks

__all__ = ["Dual", "DualValue", "Survey", "survey_costs"]

_OWN_MATRIX = 500
"""Up to this many multipliers each block sums into a matrix of its own, so that blocks can run side by side."""
_HARD_BOX = 100.0
"""Hard bands: no price of a whole territory above this many times the whole range of preferences."""


@dataclass(frozen=True, slots=True)
class Survey:
    """First look at the preference costs.

    Attributes
    ----------
    spread : float
        Sum over units of largest minus smallest finite cost.
    largest, smallest : float
        Sum over units of the largest and the smallest finite cost.
    impossible : int
        Units with no allowed territory.
    n_units : float
        Total weight.
    """

    spread: float
    largest: float
    smallest: float
    impossible: int
    n_units: float


def survey_costs(blocks: Blocks) -> Survey:
    """Return the sums of costs that set temperatures and boxes. One pass."""
    from gtm_opt.solvers.lagrangian._kernels import survey

    def one(block: Block) -> tuple[FloatArray, float]:
        out = np.zeros(4)
        survey(block.cost, block.weight, out)
        return out, float(block.weight.sum())

    total, units = np.zeros(4), 0.0
    for out, weight in blocks.map(one):
        total += out
        units += weight
    return Survey(float(total[0]), float(total[1]), float(total[2]), int(total[3]), units)


@dataclass(frozen=True, slots=True, eq=False)
class DualValue:
    """The dual at one point.

    Attributes
    ----------
    smooth : float
        Smoothed dual.
    bound : float
        Plain dual, less an allowance for rounding: a valid lower bound.
    gradient : ndarray of shape (p,)
        Of the smoothed inner sum, in scaled multipliers (band terms not included).
    curvature : ndarray of shape (p, p)
        Minus its Hessian.
    """

    smooth: float
    bound: float
    gradient: FloatArray
    curvature: FloatArray


class Dual:
    """The dual in scaled multipliers: one unit is the cost per 100 % of a target.

    Parameters
    ----------
    instance : Instance
    spread : float
        Range of the preference costs (`Survey.spread`), sets the box of hard bands.
    stretch : ndarray of shape (n_criteria,), optional
        Factor on the bands: total of the sample over total of the instance.
    """

    def __init__(self, instance: Instance, spread: float, stretch: FloatArray | None = None) -> None:
        self.instance = instance
        self._shape = instance.target.shape
        self._n_bands = instance.target.size
        side = np.array([row.upper for row in instance.side])
        scale = np.where(instance.target > 0, instance.target, 1.0)
        self.scale = np.concatenate([scale.ravel(), np.where(side > 0, side, 1.0)])
        factor = np.ones(self._shape[1]) if stretch is None else stretch
        has_up, has_down = np.isfinite(instance.upper), np.isfinite(instance.lower)
        up = np.where(has_up, instance.upper, 0.0) * factor
        down = np.where(has_down, instance.lower, 0.0) * factor
        # a side the band does not limit: slope of the other one, and the box ends at zero
        up, down = np.where(has_up, up, down), np.where(has_down, down, up)
        wide = _HARD_BOX * max(spread, 1e-300) if spread > 0 else 1.0
        box = np.broadcast_to(np.where(np.isinf(instance.penalty), wide, instance.penalty), self._shape)
        none = np.zeros(len(side))
        self.limits = Limits(
            up=np.concatenate([up.ravel(), side]) / self.scale,
            down=np.concatenate([down.ravel(), side]) / self.scale,
            low=np.concatenate([np.where(has_down, -box, 0.0).ravel(), none]),
            high=np.concatenate([np.where(has_up, box, 0.0).ravel(), none + wide]),
        )

    @property
    def n_multipliers(self) -> int:
        """Number of multipliers: bands, then side rows."""
        return len(self.scale)

    def split(self, point: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return prices (n_territories, n_criteria) and side prices (n_side_rows,), per unit of activity."""
        plain = point / self.scale
        return plain[: self._n_bands].reshape(self._shape).copy(), plain[self._n_bands :].copy()

    def join(self, prices: FloatArray, side_prices: FloatArray) -> FloatArray:
        """Return scaled multipliers inside the box."""
        point = np.concatenate([prices.ravel(), side_prices]) * self.scale
        inside: FloatArray = np.clip(point, self.limits.low, self.limits.high)
        return inside

    def heat(self, factor: float, cost: float, point: FloatArray, least: float) -> FloatArray:
        """Return what the temperature of a unit is made of: a constant, and a part per activity.

        Parameters
        ----------
        factor : float
            Temperature as a fraction of the size of the reduced costs.
        cost : float
            Typical range of the preference cost of a unit.
        point : ndarray of shape (p,)
            Scaled multipliers; their range says what activities cost.
        least : float
            Smallest range assumed, per 100 % of a target.

        Notes
        -----
        A unit that holds half a territory sees its reduced costs move a thousand times more than an
        average one; one temperature for both would be frozen for the first or boiling for the second.
        """
        prices, side_prices = self.split(point)
        k = self._shape[0]
        scale = self.scale[: self._n_bands].reshape(self._shape).mean(axis=0)
        span = np.maximum(np.ptp(prices, axis=0) if k else prices.sum(axis=0), least / scale)
        side = np.maximum(side_prices, least / self.scale[self._n_bands :])
        heat: FloatArray = factor * np.concatenate([[cost], span, side])
        return heat

    def evaluate(self, blocks: Blocks, point: FloatArray, heat: FloatArray) -> DualValue:
        """Return value, bound, gradient and curvature at ``point``. One pass over the units.

        Parameters
        ----------
        blocks : Blocks
        point : ndarray of shape (p,)
        heat : ndarray of shape (1 + n_criteria + n_side_rows,)
            See `heat`.
        """
        from gtm_opt.solvers.lagrangian._kernels import smoothed

        prices, side_prices = self.split(point)
        k, m = self._shape
        width = m + len(side_prices)
        grad, hess, outs = np.zeros((k, width)), np.zeros((k * width, k * width)), []

        def one(block: Block) -> tuple[FloatArray, FloatArray, FloatArray]:
            alone = k * width <= _OWN_MATRIX
            into = (np.zeros_like(grad), np.zeros_like(hess)) if alone else (grad, hess)
            out = np.zeros(5)
            smoothed(block.cost, block.activities, block.side, block.weight, prices, side_prices, heat, *into, out)
            return *into, out

        if k * width <= _OWN_MATRIX:
            for block_grad, block_hess, out in blocks.map(one):
                grad += block_grad
                hess += block_hess
                outs.append(out)
        else:  # one matrix only: a copy per block would take more memory than the units
            outs = [one(blocks.read(position))[2] for position in range(blocks.n_blocks)]
        return self._collect(point, grad, hess, np.array(outs))

    def _collect(self, point: FloatArray, grad: FloatArray, hess: FloatArray, outs: FloatArray) -> DualValue:
        """Fold the expanded multipliers (a copy of each side row per territory) and add the band terms."""
        k, m = self._shape
        width = grad.shape[1]
        lower = np.tril(hess)
        full = (lower + lower.T - np.diag(np.diag(hess))).reshape(k, width, k, width)
        n_side = width - m
        p = self.n_multipliers
        curvature = np.empty((p, p))
        b = self._n_bands
        curvature[:b, :b] = full[:, :m, :, :m].reshape(b, b)
        cross = full[:, :m, :, m:].sum(axis=2).reshape(b, n_side)
        curvature[:b, b:], curvature[b:, :b] = cross, cross.T
        curvature[b:, b:] = full[:, m:, :, m:].sum(axis=(0, 2))
        gradient = np.concatenate([grad[:, :m].ravel(), grad[:, m:].sum(axis=0)]) / self.scale
        curvature /= self.scale[:, None] * self.scale[None, :]
        slope = np.where(point > 0, self.limits.up, self.limits.down) * point
        bound = math.fsum([*outs[:, 1], *outs[:, 2], *(-slope)])
        if outs[:, 4].any():
            bound = math.inf
        else:
            # each reduced cost carries rounding of about one ulp per term; the sums are compensated
            size = float(outs[:, 3].sum() + 2.0 * (np.abs(point) * np.maximum(gradient, 1.0)).sum())
            bound -= (width + 4) * np.finfo(np.float64).eps * size
        smooth = math.fsum([*outs[:, 0], *(-slope)])
        return DualValue(smooth, bound, gradient, curvature)
