"""Damped Newton ascent on the smoothed dual at one temperature."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.solvers.lagrangian.quadratic import maximize_model

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray
    from gtm_opt.solvers.lagrangian.blocks import Blocks
    from gtm_opt.solvers.lagrangian.dual import Dual, DualValue
    from gtm_opt.solvers.protocol import Run

__all__ = ["Climber"]

_DAMPING = 1e-7
_LEAST_RADIUS, _MOST_RADIUS = 1e-9, 1e9


@dataclass(slots=True)
class Climber:
    """Climbs the smoothed dual and remembers the best plain dual it has seen.

    Attributes
    ----------
    dual : Dual
    run : Run
    point : ndarray of shape (p,)
        Where the climb stands, scaled multipliers.
    best_point : ndarray of shape (p,)
        Where the plain dual was largest.
    unit : float
        Typical size of a scaled multiplier.
    radius : float
        Trust radius in these units.
    bound : float
        Largest plain dual.
    passes : int
        Passes over the units so far.
    slack : float
        Plain less smoothed dual where the last climb ended: what colder temperatures can still gain.
    stages : list of (ndarray, ndarray)
        Point and heat at the end of each climb, hottest first.
    """

    dual: Dual
    run: Run
    point: FloatArray
    best_point: FloatArray
    unit: float
    radius: float = 1.0
    bound: float = -np.inf
    passes: int = 0
    slack: float = np.inf
    stages: list[tuple[FloatArray, FloatArray]] = field(default_factory=list)

    def look(self, blocks: Blocks, point: FloatArray, heat: FloatArray) -> DualValue:
        """Evaluate the dual and keep the point if its plain value is the best so far."""
        value = self.dual.evaluate(blocks, point, heat)
        self.passes += 1
        if value.bound > self.bound:
            self.bound, self.best_point = value.bound, point
        return value

    def step(self, here: DualValue) -> tuple[FloatArray, float]:
        """Return the point a Newton step within the trust radius leads to, and the gain promised."""
        diagonal = np.diag(here.curvature)
        damped = here.curvature + np.diag(_DAMPING * (diagonal + max(float(diagonal.mean()), 1e-300)))
        limits = self.dual.limits
        near = limits.near(self.point, np.full(len(self.point), self.radius * self.unit))
        point = maximize_model(damped, here.gradient, self.point, near)
        move = point - self.point
        linear = float(here.gradient @ move) - limits.loss(point) + limits.loss(self.point)
        return point, linear - 0.5 * float(move @ here.curvature @ move)

    def climb(self, blocks: Blocks, heat: FloatArray, iterations: int, tolerance: float) -> bool:
        """Climb until a step promises less than ``tolerance``; return whether it got there.

        Parameters
        ----------
        blocks : Blocks
        heat : ndarray
            Temperature of the units, see `Dual.heat`.
        iterations : int
            Largest number of passes.
        tolerance : float
            Promised gain at which to stop, in units of the dual.
        """
        here = self.look(blocks, self.point, heat)
        self.slack = here.bound - here.smooth
        for _ in range(iterations):
            if self.run.stop():
                return False
            point, promised = self.step(here)
            if promised <= tolerance:
                return True
            length = float(np.abs(point - self.point).max()) / self.unit
            there = self.look(blocks, point, heat)
            gain = there.smooth - here.smooth
            if gain > 0.0:
                here, self.point = there, point
                self.slack = here.bound - here.smooth
            if gain < 0.25 * promised:
                self.radius = max(0.25 * length, _LEAST_RADIUS)
            elif gain > 0.7 * promised:
                self.radius = min(max(self.radius, 4.0 * length), _MOST_RADIUS)
        return False
