"""Damped Newton ascent on the smoothed dual at one temperature."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.instance import dot
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
    slope : ndarray of shape (p,) or None
        Change of the point per degree between the last two climbs: the next one begins where it leads.
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
    slope: FloatArray | None = None

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
        linear = dot(here.gradient, move) - limits.loss(point) + limits.loss(self.point)
        return point, linear - 0.5 * dot(move, (here.curvature * move).sum(axis=1))

    def violation(self, here: DualValue) -> float:
        """Return how far the softmin shares are from meeting the bands, largest, as a fraction of a target.

        A total is where it should be anywhere in its band where its price is zero, at the upper edge where
        the price is positive and at the lower edge where it is negative.
        """
        limits, point = self.dual.limits, self.point
        low = np.where(point > 0.0, limits.up, limits.down)
        high = np.where(point < 0.0, limits.down, limits.up)
        low = np.where(point <= limits.low, -np.inf, low)
        high = np.where(point >= limits.high, np.inf, high)
        return float(np.maximum(low - here.gradient, here.gradient - high).max(initial=0.0))

    def keep_stage(self, heat: FloatArray) -> None:
        """Record where the climb at ``heat`` ended, and how the prices move with the temperature."""
        if self.stages:
            last, warm = self.stages[-1]
            if heat[0] < warm[0]:
                self.slope = (self.point - last) / (heat[0] - warm[0])
        self.stages.append((self.point, heat))

    def predict(self, heat: float) -> FloatArray | None:
        """Return where prices are heading at temperature ``heat``, a lower one than the last.

        Prices move nearly in proportion to the temperature once it is low. A price stays on its side of zero.
        """
        if self.slope is None or not self.stages or not heat < self.stages[-1][1][0]:
            return None
        last, warm = self.stages[-1]
        point = last + self.slope * (heat - warm[0])
        point = np.where(point * last > 0.0, point, 0.0)
        return np.clip(point, self.dual.limits.low, self.dual.limits.high)

    def _start(self, blocks: Blocks, heat: FloatArray) -> DualValue:
        """Evaluate where the climb begins: the last point, or the predicted one where it is better."""
        here = self.look(blocks, self.point, heat)
        guess = self.predict(float(heat[0]))
        if guess is not None and (guess != self.point).any():
            there = self.look(blocks, guess, heat)
            if there.smooth > here.smooth:
                self.radius = max(float(np.abs(guess - self.point).max()) / self.unit, _LEAST_RADIUS)
                self.point, here = guess, there
        return here

    def climb(
        self, blocks: Blocks, heat: FloatArray, iterations: int, tolerance: float, violation: float = np.inf
    ) -> bool:
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
        violation : float
            Do not stop before the shares meet the bands up to this fraction of a target: at low
            temperatures the dual is so flat that a small gain says little about them.
        """
        here = self._start(blocks, heat)
        self.slack = here.bound - here.smooth
        for _ in range(iterations):
            if self.run.stop():
                return False
            point, promised = self.step(here)
            if promised <= tolerance and self.violation(here) <= violation:
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
