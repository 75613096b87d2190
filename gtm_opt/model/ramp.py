"""Ramp curves: how productive a rep is in each month of tenure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from gtm_opt.errors import Findings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]

__all__ = ["Ramp", "ramp_loss"]

Kind = Literal["steps", "linear", "weibull", "logistic"]
Convention = Literal["average", "start", "mid", "end"]

_OFFSET = {"start": 0.0, "mid": 0.5, "end": 1.0}
_PLAUSIBLE_FRACTION = 2.0
_LONGEST_SUM_M = 1200


@dataclass(frozen=True)
class Ramp:
    """Productivity as a fraction of the steady state, by tenure.

    Build one with `Ramp.steps`, `Ramp.linear`, `Ramp.weibull`, `Ramp.logistic` or
    `Ramp.none`; the fields below are what these store.

    Attributes
    ----------
    kind : {"steps", "linear", "weibull", "logistic"}
    parameters : tuple of float
        Steps: the fractions of tenure months 1, 2, ..., 1 afterwards. Linear:
        (months, delay_m). Weibull: (scale_m, shape). Logistic: (midpoint_m, spread_m).
    convention : {"average", "start", "mid", "end"}
        How a curve becomes one number per month: its average over the month
        (default), or its value at the start, middle or end. Steps need none.

    Notes
    -----
    "Month 2 of a 5-month ramp" is 25 %, 40 %, 30 % or 20 % depending on the clock.
    Here there is one clock: the hire month is tenure month 1. `loss` is the scalar
    that shows a mismatch at once: the productive months lost to the ramp.
    """

    kind: Kind
    parameters: tuple[float, ...]
    convention: Convention = "average"

    def __post_init__(self) -> None:
        found = Findings()
        if self.kind not in ("steps", "linear", "weibull", "logistic"):
            found.add("Ramp.kind", "must be 'steps', 'linear', 'weibull' or 'logistic'", got=repr(self.kind))
        if self.convention not in ("average", *_OFFSET):
            found.add("Ramp.convention", "must be 'average', 'start', 'mid' or 'end'", got=repr(self.convention))
        object.__setattr__(self, "parameters", tuple(float(p) for p in self.parameters))
        _check_parameters(self.kind, self.parameters, found)
        found.raise_if_any()

    # --- constructors -----------------------------------------------------------

    @classmethod
    def none(cls) -> Ramp:
        """Return the ramp of a rep who is fully productive from the first day."""
        return cls("steps", ())

    @classmethod
    def steps(cls, fractions: Sequence[float], *, per: Literal["month", "quarter"] = "month") -> Ramp:
        """Return a stepped ramp: one fraction per tenure month (or quarter), 1 afterwards.

        Examples
        --------
        >>> Ramp.steps([0, .25, .5, .75]).at([1, 2, 5]).tolist()
        [0.0, 0.25, 1.0]
        """
        if per not in ("month", "quarter"):
            found = Findings()
            found.add("per", "must be 'month' or 'quarter'", got=repr(per))
            found.raise_if_any()
        repeat = 3 if per == "quarter" else 1
        return cls("steps", tuple(f for f in fractions for _ in range(repeat)))

    @classmethod
    def linear(cls, months: float, *, delay_m: float = 0.0, convention: Convention = "average") -> Ramp:
        """Return a straight line from `delay_m` months (nothing before) to full productivity at `months`."""
        return cls("linear", (months, delay_m), convention)

    @classmethod
    def weibull(cls, scale_m: float, shape: float, *, convention: Convention = "average") -> Ramp:
        """Return ``1 - exp(-(x / scale_m) ** shape)``; a shape above 1 gives an S."""
        return cls("weibull", (scale_m, shape), convention)

    @classmethod
    def logistic(cls, midpoint_m: float, spread_m: float, *, convention: Convention = "average") -> Ramp:
        """Return a logistic S-curve, anchored so that it starts at 0."""
        return cls("logistic", (midpoint_m, spread_m), convention)

    # --- values -----------------------------------------------------------------

    @property
    def is_curve(self) -> bool:
        """Whether a partial month is averaged over the days active (a curve in its default convention)."""
        return self.kind != "steps" and self.convention == "average"

    def at(self, tenure_month: ArrayLike) -> FloatArray:
        """Return the fraction for whole tenure months (1 is the hire month; 0 or less gives 0)."""
        month = np.asarray(tenure_month, dtype=np.int64)
        if self.kind == "steps":
            table = np.array([0.0, *self.parameters, 1.0])
            values = table[np.clip(month, 0, len(table) - 1)]
        elif self.convention == "average":
            values = self.over(month - 1.0, month.astype(np.float64))
        else:
            values = self.level(month - 1.0 + _OFFSET[self.convention])
        return np.where(month >= 1, values, 0.0)

    def level(self, elapsed_m: ArrayLike) -> FloatArray:
        """Return the curve R(x) at elapsed months in seat (steps: the fraction of the month x lies in)."""
        x = np.maximum(np.asarray(elapsed_m, dtype=np.float64), 0.0)
        if self.kind == "steps":
            return self.at(np.floor(x).astype(np.int64) + 1)
        if self.kind == "linear":
            months, delay = self.parameters
            return np.asarray(
                np.clip((x - delay) / (months - delay), 0.0, 1.0) if months > delay else (x >= delay) * 1.0
            )
        if self.kind == "weibull":
            scale, shape = self.parameters
            return np.asarray(-np.expm1(-((x / scale) ** shape)))
        midpoint, spread = self.parameters
        anchor = _logistic(-midpoint / spread)
        return np.asarray((_logistic((x - midpoint) / spread) - anchor) / (1.0 - anchor))

    def over(self, start_m: ArrayLike, stop_m: ArrayLike) -> FloatArray:
        """Return the average of the curve between two elapsed times (its value where they coincide)."""
        start = np.maximum(np.asarray(start_m, dtype=np.float64), 0.0)
        stop = np.maximum(np.asarray(stop_m, dtype=np.float64), start)
        width = stop - start
        safe = np.where(width > 1e-9, width, 1.0)
        average = 1.0 - (self._missing(stop) - self._missing(start)) / safe
        return np.where(width > 1e-9, average, self.level(start))

    @property
    def loss(self) -> float:
        """Productive months lost to the ramp: the sum (integral, for a curve) of 1 - R."""
        if self.kind == "steps":
            return math.fsum(1.0 - p for p in self.parameters)
        if self.convention != "average":
            return float(np.sum(1.0 - self.at(np.arange(1, _LONGEST_SUM_M + 1))))
        if self.kind == "linear":
            return sum(self.parameters) / 2.0
        if self.kind == "weibull":
            scale, shape = self.parameters
            return scale * math.gamma(1.0 + 1.0 / shape)
        midpoint, spread = self.parameters
        return float(spread * np.logaddexp(0.0, midpoint / spread) / (1.0 - _logistic(-midpoint / spread)))

    def _missing(self, x: FloatArray) -> FloatArray:
        """Return the integral of 1 - R from 0 to x."""
        if self.kind == "steps":
            table = np.concatenate([[0.0], np.cumsum(1.0 - np.array(self.parameters))])
            last = len(self.parameters)
            whole = np.minimum(np.floor(x), last).astype(np.int64)
            inside = np.where(whole < last, x - whole, 0.0)
            gaps = np.append(1.0 - np.array(self.parameters), 0.0)
            return np.asarray(table[whole] + inside * gaps[whole])
        if self.kind == "linear":
            months, delay = self.parameters
            flat = np.minimum(x, delay)
            rising = np.clip(x - delay, 0.0, months - delay)
            return np.asarray(flat + rising - (rising**2 / (2 * (months - delay)) if months > delay else 0.0))
        if self.kind == "weibull":
            from scipy.special import gammainc  # late: keeps `import gtm_opt` quick

            scale, shape = self.parameters
            return np.asarray(scale * math.gamma(1 + 1 / shape) * gammainc(1 / shape, (x / scale) ** shape))
        midpoint, spread = self.parameters
        grown = spread * (np.logaddexp(0.0, (x - midpoint) / spread) - np.logaddexp(0.0, -midpoint / spread))
        return np.asarray((x - grown) / (1.0 - _logistic(-midpoint / spread)))


def ramp_loss(ramp: Ramp) -> float:
    """Return the productive months lost to a ramp; see `Ramp.loss`.

    Examples
    --------
    >>> ramp_loss(Ramp.steps([0, 0, .2, .4, .6, .8]))
    4.0
    """
    return ramp.loss


def _logistic(z: ArrayLike) -> FloatArray:
    return np.asarray(np.exp(-np.logaddexp(0.0, -np.asarray(z, dtype=np.float64))))


def _check_parameters(kind: str, parameters: tuple[float, ...], found: Findings) -> None:
    if not all(math.isfinite(p) and p >= 0 for p in parameters):
        found.add("Ramp.parameters", "must be finite and not negative", got=repr(parameters))
        return
    if kind == "steps":
        if any(p > _PLAUSIBLE_FRACTION for p in parameters):
            found.add(
                "Ramp.steps",
                "must be fractions of full productivity",
                got=repr(parameters),
                remedy="Write 25 % as 0.25.",
            )
        return
    if len(parameters) != 2:
        found.add(f"Ramp.{kind}", "must have two parameters", got=repr(parameters))
    elif kind == "linear" and parameters[0] < parameters[1]:
        found.add("Ramp.linear", "must reach full productivity after its delay", got=repr(parameters))
    elif kind != "linear" and min(parameters) <= 0 and not (kind == "logistic" and parameters[1] > 0):
        found.add(f"Ramp.{kind}", "must have positive parameters", got=repr(parameters))
