"""Backfill: how an empty seat is filled again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import Findings
from gtm_opt.model.ramp import Ramp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

__all__ = ["Backfill"]

_LONGEST_LAG_M = 36.0
_NO_SPREAD = 1e-3  # below, the distribution is its mean


@dataclass(frozen=True)
class Backfill:
    """How long a seat stays empty after an exit, and how its next seller starts.

    Parameters
    ----------
    time_to_fill_m : float
        Months from the exit to the signed offer, 0 to 36. A fraction is a mixture of the whole months around it.
    notice_m : float
        Months that the new seller then still serves elsewhere. The seat is empty for both together.
    fill_cv : float
        Standard deviation of the lag divided by its mean, 0 to 2 (a gamma distribution). 0: always the same.
    ramp : Ramp, optional
        Ramp of the new seller. Default: the role's.
    promoted_from : str, optional
        Role whose people are promoted into the seat: each promotion opens a seat there. Default: hired from outside.

    Raises
    ------
    DataError
        With every finding, if a field breaks its rule.

    Examples
    --------
    >>> Backfill(2, notice_m=1).lag_distribution().tolist()
    [0.0, 0.0, 0.0, 1.0]
    >>> Backfill(1.25).lag_distribution().tolist()
    [0.0, 0.75, 0.25]
    """

    time_to_fill_m: float
    notice_m: float = 0.0
    fill_cv: float = 0.0
    ramp: Ramp | None = None
    promoted_from: str | None = None

    def __post_init__(self) -> None:
        found = Findings()
        for name, top in (("time_to_fill_m", _LONGEST_LAG_M), ("notice_m", _LONGEST_LAG_M), ("fill_cv", 2.0)):
            value = getattr(self, name)
            if not _is_number(value) or not 0 <= value <= top:
                found.add(f"Backfill.{name}", f"must lie between 0 and {top:g}", got=repr(value))
        if self.ramp is not None and not isinstance(self.ramp, Ramp):
            found.add("Backfill.ramp", "must be a Ramp", got=repr(self.ramp), remedy="Use Ramp.steps or Ramp.linear.")
        if self.promoted_from is not None and (not isinstance(self.promoted_from, str) or not self.promoted_from):
            found.add("Backfill.promoted_from", "must be the name of a role", got=repr(self.promoted_from))
        found.raise_if_any()

    @property
    def lag_m(self) -> float:
        """Expected months for which a seat is empty: time to fill and notice."""
        return float(self.time_to_fill_m) + float(self.notice_m)

    def lag_distribution(self, *, periods_py: int = 12) -> FloatArray:
        """Return the probability that the seat is empty for 0, 1, 2, ... whole months.

        Parameters
        ----------
        periods_py : int
            Periods of a year, where they are not months.

        Returns
        -------
        ndarray of shape (n,)
            Sums to 1, with the expected lag as its mean: a lag between two whole months is either of them, with
            the probabilities that keep the mean.
        """
        mean = self.lag_m * periods_py / 12.0
        if self.fill_cv < _NO_SPREAD or mean < _NO_SPREAD:
            return _split(mean)
        from scipy.special import gammaincc  # late: keeps `import gtm_opt` quick

        shape = 1.0 / float(self.fill_cv) ** 2
        scale = mean / shape
        longest = math.ceil(mean * (1.0 + 16.0 * float(self.fill_cv))) + 2
        k = np.arange(longest + 2, dtype=np.float64)
        # E[max(X - k, 0)] of a gamma distribution; its second differences are the hat-function weights
        excess = mean * gammaincc(shape + 1.0, k / scale) - k * gammaincc(shape, k / scale)
        weights = np.empty(longest + 1)
        weights[1:] = excess[:-2] - 2.0 * excess[1:-1] + excess[2:]
        weights[0] = 1.0 - excess[0] + excess[1]
        weights = np.maximum(weights, 0.0)
        return np.asarray(weights / weights.sum())


def _split(mean: float) -> FloatArray:
    """Return a lag as a mixture of the two whole months around it."""
    low = math.floor(mean + 1e-9)
    part = max(mean - low, 0.0)
    out = np.zeros(low + (2 if part > 1e-9 else 1))
    out[low] = 1.0 - part if part > 1e-9 else 1.0
    if part > 1e-9:
        out[low + 1] = part
    return out


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(value)
