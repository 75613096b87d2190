"""A ramp out of a team's own bookings by tenure month, without the bias of looking at survivors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.ramp import Ramp
from gtm_opt.sales_capacity.fits.read import need_columns, number_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

__all__ = ["RampFit", "fit_ramp"]

Shape = Literal["weibull", "linear", "delayed_linear", "logistic", "steps"]
_FEWEST_SELLERS = 15
_LEAST = 1e-4


@dataclass(frozen=True, eq=False)
class RampFit:
    """A fitted ramp.

    Attributes
    ----------
    ramp : Ramp
        What a role takes.
    parameters : DataFrame
        ``parameter``, ``estimate``, ``se`` (robust, by seller), ``ci_low``, ``ci_high`` (normal).
    table : DataFrame
        One row per tenure month: ``tenure_m``, ``sellers``, ``fitted`` (the ramp), ``naive`` (average bookings of
        whoever is there, over those in the last quarter of tenures: biased if weak sellers leave).
    productivity_pm : float
        Average monthly bookings of a ramped seller, over all who were hired.
    naive_productivity_pm : float
        The same over those who were still there when ramped: too high if weak sellers leave.
    warning : str
        What the sample cannot say; empty where there is enough.
    """

    ramp: Ramp
    parameters: pd.DataFrame
    table: pd.DataFrame
    productivity_pm: float
    naive_productivity_pm: float
    warning: str = ""

    def summary(self) -> pd.DataFrame:
        """Return `parameters`."""
        return self.parameters

    def __repr__(self) -> str:
        parts = ", ".join(f"{r.parameter} {r.estimate:.3g} +/- {r.se:.2g}" for r in self.parameters.itertuples())
        text = f"RampFit: {self.ramp.kind} ({parts}); ramp loss {self.ramp.loss:.2f} months; "
        text += f"{self.productivity_pm:,.0f} a month when ramped (survivors alone: {self.naive_productivity_pm:,.0f})"
        return f"{text}. {self.warning}".rstrip()


@takes_tables("history")
def fit_ramp(history: pd.DataFrame, *, shape: Shape = "weibull", steps: int = 6) -> RampFit:
    """Fit a ramp to bookings by tenure month.

    Parameters
    ----------
    history : DataFrame
        One row per seller and month in the seat, leavers until they left: ``rep_id``, ``tenure_m`` (1 is the hire
        month) and ``amount`` (bookings; 0 where nothing came, not left out).
    shape : {"weibull", "linear", "delayed_linear", "logistic", "steps"}
    steps : int
        Number of free tenure months of ``"steps"``; full productivity afterwards.

    Returns
    -------
    RampFit

    Raises
    ------
    DataError
        With every finding: missing columns, negative tenure or bookings, months twice, too little history.

    Notes
    -----
    Bookings of seller i in tenure month a have the mean ``u_i R(a)`` with a seller's own level u_i. Only how a seller's
    bookings are spread over her own months speaks about R (the conditional Poisson pseudo-likelihood, which eliminates
    u_i and needs no Poisson data, only the right mean), so it does not matter that weak sellers leave early: they
    stay in until they leave. Standard errors are robust against any variance and dependence within sellers.

    References
    ----------
    J. Hausman, B. Hall, Z. Griliches (1984). Econometric models for count data. https://doi.org/10.2307/1911191
    J. Wooldridge (1999). Distribution-free estimation of some nonlinear panel data models.
    https://doi.org/10.1016/S0304-4076(98)00033-5
    """
    data = _read(history, shape, steps)
    make, start, bounds, names = _SHAPES[shape](steps, data.longest)
    from scipy.optimize import minimize  # late: keeps `import gtm_opt` quick

    def loss(x: FloatArray) -> float:
        return -float(_likelihood(make(x), data).sum())

    best = min(
        (minimize(loss, x0, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500}) for x0 in start),
        key=lambda result: float(result.fun),
    )
    estimate = np.asarray(best.x, dtype=np.float64)
    errors = _robust_errors(make, estimate, data, bounds)
    ramp = make(estimate)
    parameters = pd.DataFrame({"parameter": names, "estimate": estimate, "se": errors})
    parameters["ci_low"] = parameters["estimate"] - 1.959964 * parameters["se"]
    parameters["ci_high"] = parameters["estimate"] + 1.959964 * parameters["se"]
    level = ramp.at(data.tenure)
    sums, exposure = data.by_seller(data.amount), data.by_seller(level)
    known = exposure > 0.5  # less than half a productive month says nothing about a seller
    own = sums[known] / exposure[known]
    table, naive_level = _naive(data, ramp)
    warning = _warning(data, errors, estimate)
    return RampFit(ramp, parameters, table, float(own.mean()) if len(own) else float("nan"), naive_level, warning)


@dataclass(frozen=True, eq=False)
class _Data:
    """Seller, tenure month and bookings of every row."""

    seller: IntArray
    tenure: IntArray
    amount: FloatArray
    n: int

    @property
    def longest(self) -> int:
        """Longest tenure seen."""
        return int(self.tenure.max())

    def by_seller(self, values: FloatArray) -> FloatArray:
        """Sum values by seller."""
        return np.bincount(self.seller, values, minlength=self.n).astype(np.float64)


def _read(history: pd.DataFrame, shape: str, steps: int) -> _Data:
    found = Findings()
    if shape not in _SHAPES:
        found.add("shape", f"must be one of {', '.join(_SHAPES)}", got=repr(shape))
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        found.add("steps", "must be a whole number, at least 1", got=repr(steps))
    need_columns(history, ("rep_id", "tenure_m", "amount"), found)
    table = history.reset_index(drop=True)
    label = table["rep_id"].astype(str)
    tenure = number_values(table, "tenure_m", label, found, least=1)
    amount = number_values(table, "amount", label, found, least=0)
    broken = np.isfinite(tenure) & (tenure != np.floor(tenure))
    if broken.any():
        found.add("history['tenure_m']", "must be whole months", rows=label[broken].unique(), kind="seller")
    twice = pd.DataFrame({"rep": label, "tenure": tenure}).duplicated()
    if twice.any():
        found.add("history", "must have a seller's month once", rows=label[twice].unique(), kind="seller")
    found.raise_if_any()
    codes, names = pd.factorize(label, sort=True)
    data = _Data(codes.astype(np.int64), tenure.astype(np.int64), amount, len(names))
    needed = (steps if shape == "steps" else 3) + 1
    if data.longest <= needed or data.n < 3 or not amount.any():
        got = f"{data.n} sellers and {data.longest} tenure months"
        rule = f"must have bookings of at least 3 sellers and more than {needed} tenure months"
        found.add("history", rule, got=got, remedy="Take a longer history, or fewer steps.")
        found.raise_if_any()
    return data


def _likelihood(ramp: Ramp, data: _Data) -> FloatArray:
    """Return each seller's conditional log pseudo-likelihood, scaled by the mean amount."""
    level = np.maximum(ramp.at(data.tenure), _LEAST)
    total = data.by_seller(level)
    terms = data.amount * (np.log(level) - np.log(total[data.seller]))
    return data.by_seller(terms) / max(float(data.amount.mean()), 1e-300)


def _robust_errors(
    make: Callable[[FloatArray], Ramp], x: FloatArray, data: _Data, bounds: list[tuple[float, float]]
) -> FloatArray:
    """Return sandwich standard errors, clustered by seller; NaN for parameters at a bound."""
    step = np.maximum(np.abs(x), 0.1) * 1e-3
    inside = np.array([lo + s < v < hi - s for v, s, (lo, hi) in zip(x, step, bounds, strict=True)])
    out = np.full(len(x), np.nan)
    free = [int(k) for k in np.flatnonzero(inside)]
    if not free:
        return out

    def at(*moves: tuple[int, float]) -> FloatArray:
        moved = x.copy()
        for k, sign in moves:
            moved[k] += sign * step[k]
        return _likelihood(make(moved), data)

    score = np.array([(at((k, 1)) - at((k, -1))) / (2 * step[k]) for k in free], dtype=np.float64)
    bread = np.empty((len(free), len(free)))
    middle = at().sum()
    for a, k in enumerate(free):
        bread[a, a] = (at((k, 1)).sum() - 2 * middle + at((k, -1)).sum()) / step[k] ** 2
        for b, m in enumerate(free[:a]):
            cross = at((k, 1), (m, 1)).sum() - at((k, 1), (m, -1)).sum()
            cross += at((k, -1), (m, -1)).sum() - at((k, -1), (m, 1)).sum()
            bread[a, b] = bread[b, a] = cross / (4 * step[k] * step[m])
    inverse = np.linalg.pinv(-bread)
    out[free] = np.sqrt(np.maximum(np.diag(inverse @ (score @ score.T) @ inverse), 0.0))
    return out


def _naive(data: _Data, ramp: Ramp) -> tuple[pd.DataFrame, float]:
    """Return the textbook average by tenure beside the fit, and the average level of those who got far."""
    months = np.arange(1, data.longest + 1)
    sellers = np.bincount(data.tenure, minlength=data.longest + 1)[1:]
    sums = np.bincount(data.tenure, data.amount, minlength=data.longest + 1)[1:]
    late = data.tenure > 0.75 * data.longest
    level = float(data.amount[late].mean()) if late.any() else float("nan")
    average = np.divide(sums, sellers, out=np.full(len(months), np.nan), where=sellers > 0)
    fitted = ramp.at(months)
    return pd.DataFrame({"tenure_m": months, "sellers": sellers, "fitted": fitted, "naive": average / level}), level


def _warning(data: _Data, errors: FloatArray, estimate: FloatArray) -> str:
    out = []
    if data.n < _FEWEST_SELLERS:
        out.append(f"Only {data.n} sellers: the intervals rest on too few to be trusted.")
    if np.isnan(errors).any():
        out.append("A parameter lies at the edge of its range: take a simpler shape or more history.")
    elif (errors > 0.5 * np.maximum(np.abs(estimate), 0.1)).any():
        out.append("The sample hardly says anything about some parameters.")
    return " ".join(out)


_Setup = tuple[Callable[["FloatArray"], Ramp], list["FloatArray"], list[tuple[float, float]], list[str]]


def _weibull(_: int, longest: int) -> _Setup:
    starts = [np.array([scale, shape]) for scale in (2.0, 5.0) for shape in (1.0, 2.5)]
    return lambda x: Ramp.weibull(*x), starts, [(0.2, 2.0 * longest), (0.3, 8.0)], ["scale_m", "shape"]


def _linear(_: int, longest: int) -> _Setup:
    starts = [np.array([m]) for m in (3.0, 6.0, 9.0)]
    return lambda x: Ramp.linear(float(x[0])), starts, [(0.2, 2.0 * longest)], ["months"]


def _delayed(_: int, longest: int) -> _Setup:
    starts = [np.array([d, w]) for d in (0.5, 2.0) for w in (3.0, 6.0)]
    bounds = [(0.0, float(longest)), (0.2, 2.0 * longest)]
    return lambda x: Ramp.linear(float(x[0] + x[1]), delay_m=float(x[0])), starts, bounds, ["delay_m", "rise_m"]


def _logistic(_: int, longest: int) -> _Setup:
    starts = [np.array([m, s]) for m in (2.0, 5.0) for s in (0.7, 1.5)]
    bounds = [(0.0, float(longest)), (0.1, float(longest))]
    return lambda x: Ramp.logistic(*x), starts, bounds, ["midpoint_m", "spread_m"]


def _steps(steps: int, _: int) -> _Setup:
    names = [f"month {k}" for k in range(1, steps + 1)]
    start = [(np.arange(steps) + 0.5) / steps]
    return lambda x: Ramp.steps(x.tolist()), start, [(0.0, 1.8)] * steps, names


_SHAPES: dict[str, Callable[[int, int], _Setup]] = {
    "weibull": _weibull,
    "linear": _linear,
    "delayed_linear": _delayed,
    "logistic": _logistic,
    "steps": _steps,
}
