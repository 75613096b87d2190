"""Response curves: what heads or money bring, given or fitted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from gtm_opt.errors import DataError, Findings

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]

__all__ = ["AdbudgResponse", "PowerResponse", "Response", "SaturatingResponse"]

_FEWEST_POINTS = 3


class Response(Protocol):
    """Anything that returns the sales of an effort; effort and sales are arrays of one shape."""

    def __call__(self, effort: ArrayLike) -> FloatArray:
        """Return the sales of each effort."""
        ...


@dataclass(frozen=True)
class PowerResponse:
    """``S(x) = scale x ** elasticity``: a constant elasticity, concave.

    Parameters
    ----------
    scale : float
        Sales of one unit of effort, > 0.
    elasticity : float
        Per cent more sales for one per cent more effort, in (0, 1).

    Examples
    --------
    >>> response = PowerResponse(2, 0.3)
    >>> round(response.best_effort(margin=0.75), 6)
    0.319587
    """

    scale: float
    elasticity: float

    def __post_init__(self) -> None:
        found = Findings()
        _check(found, "PowerResponse.scale", self.scale, 0.0, math.inf)
        _check(found, "PowerResponse.elasticity", self.elasticity, 0.0, 1.0)
        found.raise_if_any()

    def __call__(self, effort: ArrayLike) -> FloatArray:
        """Return the sales of each effort >= 0."""
        out: FloatArray = self.scale * np.asarray(effort, dtype=np.float64) ** self.elasticity
        return out

    def best_effort(self, margin: float) -> float:
        """Return the effort, in money, at which ``margin * S(x) - x`` is largest.

        Notes
        -----
        There cost over sales is margin times elasticity (Dorfman and Steiner 1954, doi:10.2307/1807704). The optimum is
        flat: a quarter more or less costs about one per cent of the profit.
        """
        if not 0 < margin < math.inf:
            raise DataError(f"`margin` must be above 0, got {margin!r}.")
        return float((margin * self.scale * self.elasticity) ** (1.0 / (1.0 - self.elasticity)))

    @classmethod
    def fit(cls, effort: ArrayLike, sales: ArrayLike) -> PowerResponse:
        """Return the curve through points by least squares of the logarithms.

        Raises
        ------
        DataError
            Fewer than three points, or numbers that are not above 0; an elasticity outside (0, 1).
        """
        x, y = _points(effort, sales, positive=True)
        elasticity, level = np.polyfit(np.log(x), np.log(y), 1)
        return cls(float(np.exp(level)), float(elasticity))


@dataclass(frozen=True)
class SaturatingResponse:
    """``S(x) = saturation (1 - exp(-rate x))``: concave, with a ceiling.

    Parameters
    ----------
    saturation, rate : float
        Both > 0.
    """

    saturation: float
    rate: float

    def __post_init__(self) -> None:
        found = Findings()
        _check(found, "SaturatingResponse.saturation", self.saturation, 0.0, math.inf)
        _check(found, "SaturatingResponse.rate", self.rate, 0.0, math.inf)
        found.raise_if_any()

    def __call__(self, effort: ArrayLike) -> FloatArray:
        """Return the sales of each effort >= 0."""
        return np.asarray(-self.saturation * np.expm1(-self.rate * np.asarray(effort, dtype=np.float64)))


@dataclass(frozen=True)
class AdbudgResponse:
    """``S(x) = low + (high - low) x ** shape / (scale + x ** shape)``, effort relative to today's (1: today).

    Parameters
    ----------
    low, high : float
        Sales without effort and at saturation; 0 <= low < high.
    shape : float
        Above 1 the curve is an S: the first units bring little.
    scale : float
        > 0.

    Notes
    -----
    Lodish 1971 (CALLPLAN), doi:10.1287/mnsc.18.4.P25; Little 1970, doi:10.1287/mnsc.16.8.B466.
    """

    low: float
    high: float
    shape: float
    scale: float

    def __post_init__(self) -> None:
        found = Findings()
        _check(found, "AdbudgResponse.shape", self.shape, 0.0, math.inf)
        _check(found, "AdbudgResponse.scale", self.scale, 0.0, math.inf)
        if not (math.isfinite(self.low) and math.isfinite(self.high) and 0 <= self.low < self.high):
            found.add("AdbudgResponse", "must have 0 <= low < high", got=f"{self.low!r}, {self.high!r}")
        found.raise_if_any()

    def __call__(self, effort: ArrayLike) -> FloatArray:
        """Return the sales of each effort >= 0, relative to today's effort."""
        power = np.asarray(effort, dtype=np.float64) ** self.shape
        return np.asarray(self.low + (self.high - self.low) * power / (self.scale + power))

    @classmethod
    def from_answers(cls, *, none: float, more: float, saturation: float, half: float | None = None) -> AdbudgResponse:
        """Return the curve from Lodish's questions, sales relative to today's (1).

        Parameters
        ----------
        none, more, saturation : float
            Sales with no effort, with half as much again, and with as much as anybody could make;
            ``0 <= none < 1 < more < saturation``.
        half : float, optional
            Sales with half of today's effort, in (none, 1): then shape and scale are fitted to all answers by least
            squares.

        Notes
        -----
        ``shape = ln[(y15 - y0) / (yinf - y15) * (yinf - 1) / (1 - y0)] / ln 1.5``, ``scale = (yinf - 1) / (1 - y0)``.

        Examples
        --------
        >>> curve = AdbudgResponse.from_answers(none=0.3, more=1.2, saturation=1.5)
        >>> curve([0, 1, 1.5]).round(6).tolist()
        [0.3, 1.0, 1.2]
        """
        if not 0 <= none < 1 < more < saturation < math.inf:
            raise DataError(
                f"the answers must satisfy 0 <= none < 1 < more < saturation, got {none:g}, {more:g}, {saturation:g}.\n"
                "    Give sales as multiples of today's."
            )
        if half is not None and not none < half < 1:
            raise DataError(f"`half` must lie between none ({none:g}) and 1, got {half:g}.")
        scale = (saturation - 1.0) / (1.0 - none)
        shape = math.log((more - none) / (saturation - more) * scale) / math.log(1.5)
        if half is None:
            return cls(none, saturation, shape, scale)
        return cls._fitted(none, saturation, [0.5, 1.0, 1.5], [half, 1.0, more], (shape, scale))

    @classmethod
    def fit(cls, effort: ArrayLike, sales: ArrayLike, *, none: float, saturation: float) -> AdbudgResponse:
        """Return shape and scale by least squares, with the two ends given: points rarely show them.

        Raises
        ------
        DataError
            Fewer than three points, or sales outside the two ends.
        """
        x, y = _points(effort, sales, positive=True)
        if (y <= none).any() or (y >= saturation).any():
            raise DataError(f"sales must lie between none ({none:g}) and saturation ({saturation:g}).")
        # log odds are linear in log effort: a start for the least squares
        shape, level = np.polyfit(np.log(x), np.log((y - none) / (saturation - y)), 1)
        return cls._fitted(none, saturation, x, y, (max(float(shape), 1e-3), float(np.exp(-level))))

    @classmethod
    def _fitted(cls, low: float, high: float, effort: Any, sales: Any, start: tuple[float, float]) -> AdbudgResponse:
        from scipy.optimize import least_squares  # late: keeps `import gtm_opt` quick

        x, y = np.asarray(effort, dtype=np.float64), np.asarray(sales, dtype=np.float64)

        def error(log_parameters: FloatArray) -> FloatArray:
            power = x ** np.exp(log_parameters[0])
            return np.asarray(low + (high - low) * power / (np.exp(log_parameters[1]) + power) - y)

        found = least_squares(error, np.log(start))
        return cls(low, high, float(np.exp(found.x[0])), float(np.exp(found.x[1])))


def _check(found: Findings, where: str, value: Any, low: float, high: float) -> None:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not low < value < high:
        rule = f"must be a number above {low:g}" + (f" and below {high:g}" if high < math.inf else "")
        found.add(where, rule, got=repr(value))


def _points(effort: ArrayLike, sales: ArrayLike, *, positive: bool) -> tuple[FloatArray, FloatArray]:
    x, y = np.asarray(effort, dtype=np.float64), np.asarray(sales, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or len(np.unique(x)) < _FEWEST_POINTS:
        raise DataError(
            f"a fit needs {_FEWEST_POINTS} or more points of different effort, got {x.shape} and {y.shape}."
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()) or (positive and ((x <= 0).any() or (y <= 0).any())):
        raise DataError("effort and sales of a fit must be finite numbers above 0.")
    return x, y
