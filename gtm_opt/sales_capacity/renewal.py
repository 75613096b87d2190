"""What one seat yields when people leave and are replaced: the renewal recursion and its limit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gtm_opt.errors import DataError, Findings
from gtm_opt.model.backfill import Backfill
from gtm_opt.model.ramp import Ramp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]

__all__ = ["lag_of", "seat_factor", "seat_output"]

_LONGEST_M = 1200


def seat_output(
    hazard: ArrayLike,
    ramp: Ramp | Sequence[float],
    lag_m: float | Backfill | None = None,
    *,
    months: int = 12,
) -> FloatArray:
    """Return what a seat filled by a new hire is expected to yield, month by month.

    Parameters
    ----------
    hazard : float or array_like
        Probability of leaving at the end of a month, in [0, 1]: one number, or one per tenure month (the last one
        holds for all later months).
    ramp : Ramp or sequence of float
        Productivity by tenure month; a sequence are the steps.
    lag_m : float or Backfill, optional
        Months for which the seat is empty after an exit. Default: it is never filled again.
    months : int

    Returns
    -------
    ndarray of shape (months,)
        Fraction of the output of a ramped seller in months 1, 2, ... after the hire.

    Raises
    ------
    DataError
        For a hazard outside [0, 1], a negative lag or no months.

    Notes
    -----
    With survival S(n) = prod(1 - h(a)), ramp r and exits at the end of the month the output without a
    backfill is S(a-1) r(a); with one it is the renewal equation ::

        G(a) = S(a-1) r(a) + sum_{j=1}^{a-1-L} f(j) G(a-j-L),   f(j) = S(j-1) h(j)        (3)

    solved forward in O(months ** 2). A zero hazard gives the ramp, an endless lag the output without backfill.

    Examples
    --------
    >>> seat_output(0.02, [0, .25, .5, .75], 3, months=6).round(6).tolist()
    [0.0, 0.245, 0.4802, 0.705894, 0.922368, 0.908821]
    """
    found = Findings()
    rates = _read_hazard(hazard, found)
    curve, lags = _read_ramp(ramp, found), lag_of(lag_m, found)
    if months < 1:
        found.add("months", "must be at least 1", got=repr(months))
    found.raise_if_any()
    h = rates[np.minimum(np.arange(months), len(rates) - 1)]
    survival = np.concatenate([[1.0], np.cumprod(1.0 - h)])
    out = survival[:-1] * curve.at(np.arange(1, months + 1))
    if lags is None:
        return out
    start = np.convolve(survival[:-1] * h, lags)[:months]  # probability that the next seller starts after month j + lag
    for a in range(months):
        out[a] += float(start[:a] @ out[:a][::-1])
    return out


def seat_factor(h_pm: float, ramp: Ramp | Sequence[float], lag_m: float | Backfill) -> float:
    """Return the long-run output of a seat as a fraction of that of a ramped seller who never leaves.

    Parameters
    ----------
    h_pm : float
        Probability of leaving at the end of a month, in [0, 1].
    ramp : Ramp or sequence of float
        Productivity by tenure month of every new seller.
    lag_m : float or Backfill
        Months for which the seat is empty after an exit.

    Returns
    -------
    float
        phi, in [0, 1]. Seats needed in the steady state are the target divided by productivity times phi.

    Raises
    ------
    DataError

    Notes
    -----
    The output of one seller's stay over the length of a stay with its vacancy (renewal-reward theorem)::

        phi = [1 / h - sum_a (1 - h)**(a-1) (1 - r(a))] / (1 / h + L)                      (4)

    Examples
    --------
    >>> round(seat_factor(0.02, [0, .25, .5, .75], 3), 7)
    0.8971604
    """
    found = Findings()
    rates = _read_hazard(h_pm, found)
    curve, lags = _read_ramp(ramp, found), lag_of(lag_m, found)
    if lags is None:
        found.add("lag_m", "must be a number of months or a Backfill", got="None")
    found.raise_if_any()
    h = float(rates[-1])
    if h == 0:
        return 1.0
    tenure = np.arange(1, _LONGEST_M + 1)
    missing = 1.0 - curve.at(tenure)
    lost = math.fsum((1.0 - h) ** (tenure - 1) * missing)
    lag = float(np.arange(len(lags)) @ lags) if lags is not None else 0.0
    return (1.0 / h - lost) / (1.0 / h + lag)


def lag_of(lag_m: Any, found: Findings) -> FloatArray | None:
    """Return the probabilities of whole months of vacancy; None where a seat is never filled again."""
    if lag_m is None or isinstance(lag_m, Backfill):
        return None if lag_m is None else lag_m.lag_distribution()
    try:
        return Backfill(lag_m).lag_distribution()
    except DataError:
        found.add("lag_m", "must be a number of months between 0 and 36", got=repr(lag_m))
        return None


def _read_hazard(hazard: ArrayLike, found: Findings) -> FloatArray:
    try:
        rates = np.atleast_1d(np.asarray(hazard, dtype=np.float64))
    except (TypeError, ValueError):
        rates = np.array([np.nan])
    if rates.ndim != 1 or not len(rates) or not np.all((rates >= 0) & (rates <= 1)):
        found.add("hazard", "must be monthly probabilities between 0 and 1", got=repr(hazard))
        return np.zeros(1)
    return rates


def _read_ramp(ramp: Ramp | Sequence[float], found: Findings) -> Ramp:
    if isinstance(ramp, Ramp):
        return ramp
    try:
        return Ramp.steps(ramp)
    except (DataError, TypeError, ValueError):
        found.add("ramp", "must be a Ramp, or fractions by tenure month", got=repr(ramp))
        return Ramp.none()
