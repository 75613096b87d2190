"""Spread, skew, zeros and correlation of sellers' results out of past years."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings
from gtm_opt.model.attainment import Attainment
from gtm_opt.model.frames import takes_tables
from gtm_opt.sales_capacity.fits.read import need_columns, number_values
from gtm_opt.sales_capacity.odds.result import exact_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

__all__ = ["AttainmentFit", "fit_attainment"]

_FEWEST_RESULTS, _FEWEST_PERIODS = 20, 4


@dataclass(frozen=True, eq=False)
class AttainmentFit:
    """How results spread.

    Attributes
    ----------
    attainment : Attainment
        What `gtm_opt.simulate` takes.
    table : DataFrame
        ``measure`` (cv, skewness, zero_share, correlation), ``estimate``, ``se``, ``ci_low``, ``ci_high``.
    mean : float
        Mean attainment: whether what was expected was what came.
    naive_cv : float
        What the scatter of one year's results says: it holds no common luck, as all shared the same year.
    warning : str
        What the sample cannot say; empty where there is enough.
    """

    attainment: Attainment
    table: pd.DataFrame
    mean: float
    naive_cv: float
    warning: str = ""

    def summary(self) -> pd.DataFrame:
        """Return `table`."""
        return self.table

    def __repr__(self) -> str:
        parts = ", ".join(
            f"{r.measure} {r.estimate:.3g} ({r.ci_low:.3g} to {r.ci_high:.3g})" for r in self.table.itertuples()
        )
        return f"AttainmentFit: {parts}; mean attainment {self.mean:.3f}. {self.warning}".rstrip()


@takes_tables("history")
def fit_attainment(history: pd.DataFrame, *, confidence: float = 0.95) -> AttainmentFit:
    """Fit the spread of annual results.

    Parameters
    ----------
    history : DataFrame
        One row per seller and year: ``rep_id``, ``year`` and ``attainment``, what was booked divided by what the seat
        was expected to yield (quota is no expectation). Sellers who were there for the whole year.
    confidence : float
        Of the intervals, in (0, 1).

    Returns
    -------
    AttainmentFit

    Raises
    ------
    DataError
        With every finding: missing columns, negative or missing numbers, sellers twice in a year, fewer than two
        years or sellers.

    Notes
    -----
    Correlation is the intraclass correlation of a one-way analysis of variance over years, not below 0, with the
    exact F interval of Searle; it rests on the number of years, not of sellers. The coefficient of variation is that
    of both components together; its error is by the jackknife over years and sellers, whichever is larger.

    References
    ----------
    S. Searle (1971). Linear Models, chapter 9. https://doi.org/10.1002/9781118491782
    """
    values, year, years = _read(history)
    counts = np.bincount(year).astype(np.float64)
    between, within, size = _variances(values, year, counts)
    mean = float(values.mean())
    common = max((between - within) / size, 0.0)
    cv = math.sqrt(common + within) / mean
    correlation = common / (common + within) if common + within > 0 else 0.0
    low, high = _icc_interval(between, within, size, len(counts), len(values), confidence)
    zeros = int((values <= 0).sum())
    zero_low, zero_high = exact_interval(zeros, len(values), confidence)
    zero_share = zeros / len(values)
    skew = float(((values - mean) ** 3).mean() / max(values.std(), 1e-12) ** 3)
    se_cv, se_skew = _jackknife(values, year, cv)
    z = _normal(0.5 + confidence / 2)
    rows = [
        ("cv", cv, se_cv, max(cv - z * se_cv, 0.0), cv + z * se_cv),
        ("skewness", skew, se_skew, skew - z * se_skew, skew + z * se_skew),
        ("zero_share", zero_share, math.sqrt(zero_share * (1 - zero_share) / len(values)), zero_low, zero_high),
        ("correlation", correlation, (high - low) / (2 * z), low, high),
    ]
    table = pd.DataFrame(rows, columns=["measure", "estimate", "se", "ci_low", "ci_high"])
    one_year = values[year == int(np.argmax(counts))]
    naive = float(one_year.std(ddof=1) / one_year.mean()) if one_year.mean() > 0 else float("nan")
    attainment = Attainment(
        cv, correlation=min(correlation, 1.0), zero_share=_fitting_zeros(zero_share, cv, correlation)
    )
    return AttainmentFit(attainment, table, mean, naive, _warning(len(values), years, low, high))


def _read(history: pd.DataFrame) -> tuple[FloatArray, NDArray[np.int64], list[str]]:
    found = Findings()
    need_columns(history, ("rep_id", "year", "attainment"), found)
    table = history.reset_index(drop=True)
    label = table["rep_id"].astype(str)
    values = number_values(table, "attainment", label, found, least=0)
    twice = pd.DataFrame({"rep": label, "year": table["year"].astype(str)}).duplicated()
    if twice.any():
        found.add("history", "must have a seller's year once", rows=label[twice].unique(), kind="seller")
    if table["year"].isna().any():
        found.add("history['year']", "must not be empty", rows=label[table["year"].isna()].unique(), kind="seller")
    found.raise_if_any()
    codes, names = pd.factorize(table["year"].astype(str), sort=True)
    if len(names) < 2 or len(values) < len(names) + 2 or not values.any():
        rule = "must have results of at least two years, and two sellers more than years"
        got = f"{len(values)} results of {len(names)} years"
        remedy = "Without several years nothing can be said about what sellers share: state the correlation."
        found.add("history", rule, got=got, remedy=remedy)
        found.raise_if_any()
    return values, codes.astype(np.int64), [str(n) for n in names]


def _variances(values: FloatArray, year: NDArray[np.int64], counts: FloatArray) -> tuple[float, float, float]:
    """Return the mean squares between and within years, and the effective number of sellers a year."""
    k, total = len(counts), len(values)
    means = np.bincount(year, values) / counts
    between = float((counts * (means - values.mean()) ** 2).sum() / (k - 1))
    within = float(((values - means[year]) ** 2).sum() / (total - k))
    return between, within, float((total - (counts**2).sum() / total) / (k - 1))


def _icc_interval(
    between: float, within: float, size: float, k: int, total: int, confidence: float
) -> tuple[float, float]:
    """Return Searle's interval of the intraclass correlation, cut at 0."""
    from scipy.stats import f  # late: keeps `import gtm_opt` quick

    if within <= 0:
        return 0.0, 1.0
    ratio, tail = between / within, (1.0 - confidence) / 2.0
    bounds = []
    for quantile in (f.ppf(1 - tail, k - 1, total - k), f.ppf(tail, k - 1, total - k)):
        part = ratio / float(quantile)
        bounds.append(min(max((part - 1.0) / (part + size - 1.0), 0.0), 1.0))
    return bounds[0], bounds[1]


def _jackknife(values: FloatArray, year: NDArray[np.int64], cv: float) -> tuple[float, float]:
    """Return standard errors of the coefficient of variation and the skewness."""
    n = len(values)
    sums = [values.sum() - values, (values**2).sum() - values**2, (values**3).sum() - values**3]
    m1, m2, m3 = (s / (n - 1) for s in sums)
    variance = np.maximum(m2 - m1**2, 1e-300)
    cvs = np.sqrt(variance * (n - 1) / (n - 2)) / m1
    skews = (m3 - 3 * m1 * m2 + 2 * m1**3) / variance**1.5
    by_seller = [math.sqrt((n - 1) * float(x.var())) for x in (cvs, skews)]
    k = int(year.max()) + 1
    left = []
    if k > 2:
        for out in range(k):
            kept = year != out
            counts = np.bincount(year[kept]).astype(np.float64)
            counts = counts[counts > 0]
            _, codes = np.unique(year[kept], return_inverse=True)
            between, within, size = _variances(values[kept], codes, counts)
            left.append(math.sqrt(max((between - within) / size, 0.0) + within) / values[kept].mean())
    by_year = math.sqrt((k - 1) * float(np.var(left))) if left else 0.0
    return max(by_seller[0], by_year), by_seller[1]


def _fitting_zeros(zero_share: float, cv: float, correlation: float) -> float:
    """Return the share at zero that the spread leaves room for: zeros alone cannot spread more than all results."""
    own = (1.0 + cv**2) / (1.0 + correlation * cv**2) - 1.0
    return min(zero_share, 0.999 * own / (1.0 + own))


def _normal(p: float) -> float:
    from scipy.special import ndtri  # late: keeps `import gtm_opt` quick

    return float(ndtri(p))


def _warning(n: int, years: list[str], low: float, high: float) -> str:
    out = []
    if n < _FEWEST_RESULTS:
        out.append(f"Only {n} results: the spread is hardly known.")
    if len(years) < _FEWEST_PERIODS:
        out.append(
            f"{len(years)} years say next to nothing about the correlation: anything from {low:.2f} to {high:.2f} fits."
        )
    return " ".join(out)
