"""What a seat's quota is compared with: a base, or the distribution of what it will sell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

__all__ = ["OddsScale", "RatioScale", "Scale"]

_MOST = 2.0**52


class Scale(Protocol):
    """An increasing function of the quota of every seat, and its inverse in whole units."""

    def ratio(self, seats: IntArray, units: IntArray) -> FloatArray:
        """Return the ratio of each seat at a quota in units."""
        ...

    def most_units(self, seats: IntArray, ratio: FloatArray) -> IntArray:
        """Return the largest whole number of units whose ratio is not above ``ratio``."""
        ...

    def columns(self) -> dict[str, FloatArray]:
        """Return what a checker needs to compute ratios, per node."""
        ...

    @property
    def unit(self) -> int:
        """The rounding unit of quotas."""
        ...


@dataclass(frozen=True, eq=False)
class RatioScale:
    """Quota over a base: potential, capacity, last year.

    Attributes
    ----------
    base : ndarray of shape (n,)
        Per node, > 0 at seats; infinite at seats that are not compared.
    unit : int

    Notes
    -----
    Ratios are compared as correctly rounded double-precision quotients: equal fractions are equal numbers.
    """

    base: FloatArray
    unit: int

    def ratio(self, seats: IntArray, units: IntArray) -> FloatArray:
        """Return quota over base."""
        return np.asarray(units * float(self.unit) / self.base[seats], dtype=np.float64)

    def most_units(self, seats: IntArray, ratio: FloatArray) -> IntArray:
        """Return the largest whole number of units whose quotient is not above ``ratio``."""
        base = self.base[seats]
        finite = np.where(np.isinf(base), 1.0, base)
        guess = np.where(np.isinf(base), _MOST, np.minimum(ratio * finite / self.unit, _MOST))
        return _settle(self, seats, ratio, np.floor(guess).astype(np.int64))

    def columns(self) -> dict[str, FloatArray]:
        """Return the base."""
        return {"base": self.base}


@dataclass(frozen=True, eq=False)
class OddsScale:
    """Chance to miss the quota, where results are lognormal around an expected value.

    Attributes
    ----------
    mean : ndarray of shape (n,)
        Expected bookings, > 0 at seats; infinite at seats that are not compared.
    spread : ndarray of shape (n,)
        ``s`` with ``s^2 = ln(1 + CV^2)``, > 0.
    unit : int

    Notes
    -----
    The number compared is ``exp(z)`` with ``z = (ln(quota / mean) + s^2 / 2) / s``; the chance to make the quota is
    ``Phi(-z)``, so equal numbers are equal odds.
    """

    mean: FloatArray
    spread: FloatArray
    unit: int

    def ratio(self, seats: IntArray, units: IntArray) -> FloatArray:
        """Return ``exp(z)``, 0 for a quota of nothing."""
        s = self.spread[seats]
        relative = units * float(self.unit) / self.mean[seats]
        with np.errstate(divide="ignore"):
            z = (np.log(relative) + s * s / 2.0) / s
        return np.exp(np.minimum(z, 700.0))

    def most_units(self, seats: IntArray, ratio: FloatArray) -> IntArray:
        """Return the largest whole number of units whose odds are not worse than those of ``ratio``."""
        s, mean = self.spread[seats], self.mean[seats]
        with np.errstate(divide="ignore", over="ignore"):
            exponent = np.minimum(s * np.log(ratio) - s * s / 2.0, 700.0)
        guess = np.where(
            np.isinf(mean), _MOST, np.minimum(np.where(np.isinf(mean), 1.0, mean) * np.exp(exponent), _MOST)
        )
        guess = np.where(np.isinf(mean), _MOST, np.minimum(guess / self.unit, _MOST))
        return _settle(self, seats, ratio, np.floor(guess).astype(np.int64))

    def columns(self) -> dict[str, FloatArray]:
        """Return mean and spread."""
        return {"base": self.mean, "spread": self.spread}


def _settle(scale: Scale, seats: IntArray, ratio: FloatArray, units: IntArray) -> IntArray:
    """Correct a guess by the unit that rounding of the inverse may have cost, in either direction."""
    up = scale.ratio(seats, units + 1) <= ratio
    units = units + up
    down = ~up & (scale.ratio(seats, units) > ratio) & (units > 0)
    return np.asarray(units - down, dtype=np.int64)
