"""The result of `simulate`: probabilities with intervals, quantiles, shortfalls, and where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, amount_text, percent_text
from gtm_opt.model.frames import takes_tables

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from gtm_opt.sales_capacity.odds.backtest import Backtest
    from gtm_opt.sales_capacity.odds.request import OddsRequest
    from gtm_opt.sales_capacity.result import ByPeriod

    FloatArray = NDArray[np.float64]

__all__ = ["Odds", "exact_interval"]

Period = Literal["month", "quarter", "fiscal_year", "horizon"]
_QUANTILES = (0.1, 0.5, 0.9)
_LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


@dataclass(frozen=True, eq=False)
class Odds:
    """Simulated bookings and the odds of the target.

    Attributes
    ----------
    request : OddsRequest
        What was asked.
    bookings : ndarray of shape (n_groups, paths, n_periods)
        Bookings of direct roles, without judgment.
    groups : DataFrame
        One row per group of ``by``.
    target_by_month : ndarray of shape (n_periods,)
    """

    request: OddsRequest
    bookings: FloatArray
    groups: pd.DataFrame
    target_by_month: FloatArray

    # --- sums over periods --------------------------------------------------------

    @cached_property
    def months(self) -> FloatArray:
        """Bookings with judgment per path and period, shape (paths, n_periods)."""
        return np.asarray(self.bookings.sum(axis=0) + self.request.judgment_by_month)

    def totals(self, period: Period = "horizon") -> FloatArray:
        """Return bookings with judgment per path, shape (paths, number of periods of that length)."""
        return self._sum_over(self.months, period)

    def targets(self, period: Period = "horizon") -> FloatArray:
        """Return the target of every period of that length."""
        return self._sum_over(self.target_by_month, period)

    @property
    def paths(self) -> int:
        """Number of simulated paths."""
        return int(self.request.paths)

    # --- probabilities ------------------------------------------------------------

    @property
    def table(self) -> pd.DataFrame:
        """One row per quarter, fiscal year, and the horizon where it is not one year.

        Columns ``period``, ``target``, ``mean``, ``sd``, ``p10``, ``p50``, ``p90``, ``p_target`` (share of paths
        that make the target) with its exact 95 % interval ``ci_low``, ``ci_high``, ``expected_shortfall`` (mean of
        what is missing, 0 in paths that make it) and ``mean_if_missed``.
        """
        return pd.concat([self.by_period(p) for p in self._lengths()], ignore_index=True)

    def by_period(self, period: Period = "quarter", *, confidence: float = 0.95) -> pd.DataFrame:
        """Return the columns of `table` for months, quarters, fiscal years or the horizon."""
        labels = self._labels_of(period)
        return _describe(labels, self.totals(period), self.targets(period), confidence)

    @property
    def p_target(self) -> float:
        """Share of paths that make the target of the whole horizon."""
        return float((self.totals()[:, 0] >= self.targets()[0]).mean())

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the exact binomial interval of `p_target`: what the number of paths leaves open."""
        hits = int((self.totals()[:, 0] >= self.targets()[0]).sum())
        return exact_interval(hits, self.paths, confidence)

    def joint(self, period: Period = "quarter", *, confidence: float = 0.95) -> pd.DataFrame:
        """Return the probability of all periods together beside that of each, and if they were independent.

        Returns
        -------
        DataFrame
            ``event``: "all quarters", "all quarters, cumulated" (ahead of the running target at every end),
            "if independent" (the product); ``p``, ``ci_low``, ``ci_high``.
        """
        totals, targets = self.totals(period), self.targets(period)
        hit = totals >= targets
        ahead = np.cumsum(totals, axis=1) >= np.cumsum(targets)
        word = {"month": "months", "quarter": "quarters", "fiscal_year": "fiscal years", "horizon": "periods"}[period]
        rows = []
        for event, hits in ((f"all {word}", hit.all(axis=1)), (f"all {word}, cumulated", ahead.all(axis=1))):
            low, high = exact_interval(int(hits.sum()), self.paths, confidence)
            rows.append({"event": event, "p": float(hits.mean()), "ci_low": low, "ci_high": high})
        rows.append(
            {"event": "if independent", "p": float(hit.mean(axis=0).prod()), "ci_low": np.nan, "ci_high": np.nan}
        )
        return pd.DataFrame(rows)

    def month_lost(self) -> pd.DataFrame:
        """Return when the target of the horizon is lost, in the paths that miss it.

        Returns
        -------
        DataFrame
            ``month``, ``share``: part of the missing paths whose running total falls behind the running target in
            that month and never comes back; ``p``: the same as part of all paths. Shares sum to 1.
        """
        behind = np.cumsum(self.months, axis=1) < np.cumsum(self.target_by_month)
        missed = behind[behind[:, -1]]
        # last period in which the path was not behind, plus one
        ahead = ~missed
        last = np.where(ahead.any(axis=1), missed.shape[1] - np.argmax(ahead[:, ::-1], axis=1), 0)
        counts = np.bincount(last, minlength=missed.shape[1])[: missed.shape[1]].astype(np.float64)
        share = counts / max(len(missed), 1)
        return pd.DataFrame({"month": self.request.calendar.periods, "share": share, "p": counts / self.paths})

    def quantiles(self, levels: Sequence[float] = _LEVELS, period: Period = "quarter") -> pd.DataFrame:
        """Return quantiles of bookings: one row per period, one column per level.

        Raises
        ------
        DataError
            For a level outside [0, 1].
        """
        if not len(levels) or not all(0 <= level <= 1 for level in levels):
            raise DataError(f"`levels` must be probabilities between 0 and 1, got {list(levels)!r}.")
        values = np.quantile(self.totals(period), list(levels), axis=0).T
        table = pd.DataFrame(values, columns=[f"p{100 * level:g}" for level in levels])
        table.insert(0, "period", self._labels_of(period))
        return table

    def by_group(self, period: Period = "quarter") -> pd.DataFrame:
        """Return mean, standard deviation and quantiles per group of ``by`` and period, judgment left out."""
        if not len(self.groups.columns):
            raise DataError("This simulation has no groups. Pass `by`, for example simulate(..., by='segment').")
        out = []
        for at, group in enumerate(self.groups.to_dict("records")):
            table = _describe(self._labels_of(period), self._sum_over(self.bookings[at], period), None, 0.95)
            for position, (key, value) in enumerate(group.items()):
                table.insert(position, key, value)
            out.append(table)
        return pd.concat(out, ignore_index=True)

    def seats(self, period: Period = "fiscal_year", executor: Executor | None = None) -> pd.DataFrame:
        """Return mean, standard deviation and quantiles of every seat, judgment left out.

        The paths are simulated again, some seats at a time, so that memory does not grow with their number.
        """
        from gtm_opt.sales_capacity.odds.seats import seat_totals

        labels = self._labels_of(period)
        out = []
        for seat, totals in seat_totals(self.request, self._bucket(period), executor):
            table = _describe(labels, totals, None, 0.95)
            table.insert(0, "seat_id", seat)
            out.append(table)
        return pd.concat(out, ignore_index=True)

    # --- questions ----------------------------------------------------------------

    def vary(self, *, executor: Executor | None = None, **changes: Any) -> Odds:
        """Simulate again with some inputs changed and the same luck; see `simulate` for their names."""
        from gtm_opt.sales_capacity.odds.run import run_request

        return run_request(self.request.vary(**changes), executor)

    def drivers(self, executor: Executor | None = None) -> pd.DataFrame:
        """Return which assumption moves the probability of the target most: a tornado table.

        Returns
        -------
        DataFrame
            ``driver``, ``low`` and ``high`` (what was changed), ``change_low``, ``change_high`` (differences of the
            probability) with their standard errors ``se_low``, ``se_high`` from paths with the same random numbers,
            ``swing``; the largest swing first.
        """
        from gtm_opt.sales_capacity.odds.drivers import find_drivers

        return find_drivers(self, executor)

    @takes_tables(either=("actual",))
    def backtest(self, actual: ByPeriod | pd.DataFrame, executor: Executor | None = None) -> Backtest:
        """Compare what was predicted with what came; see `gtm_opt.sales_capacity.odds.backtest.Backtest`.

        Parameters
        ----------
        actual : DataFrame, mapping or Series
            What was booked: by month or quarter (as `target`), or a DataFrame with ``seat_id`` and ``amount``, the
            seats' bookings over the horizon.
        """
        from gtm_opt.sales_capacity.odds.backtest import run_backtest

        return run_backtest(self, actual, executor)

    def summary(self) -> pd.DataFrame:
        """Return `table`."""
        return self.table

    def __repr__(self) -> str:
        low, high = self.interval()
        target, currency = float(self.targets()[0]), self.request.currency
        p10, p50, p90 = np.quantile(self.totals()[:, 0], _QUANTILES)
        return (
            f"Odds: target {amount_text(target, currency)} with probability {self.p_target:.3f} "
            f"({low:.3f} to {high:.3f}; {self.paths:,} paths); median {amount_text(p50, currency)}, "
            f"{percent_text(0.8)} between {amount_text(p10, currency)} and {amount_text(p90, currency)}"
        )

    # --- helpers ------------------------------------------------------------------

    def _lengths(self) -> list[Period]:
        out: list[Period] = ["quarter", "fiscal_year"]
        return out if len(self.request.calendar.years) == 1 else [*out, "horizon"]

    def _bucket(self, period: Period) -> NDArray[np.int64]:
        calendar = self.request.calendar
        quarter = calendar.quarter_of_month
        if period == "month":
            return np.arange(calendar.n_periods, dtype=np.int64)
        if period == "quarter":
            return quarter
        if period == "fiscal_year":
            return np.asarray(quarter // 4)
        if period == "horizon":
            return np.zeros(calendar.n_periods, dtype=np.int64)
        raise DataError(f"`period` must be 'month', 'quarter', 'fiscal_year' or 'horizon', got {period!r}.")

    def _labels_of(self, period: Period) -> list[str]:
        calendar = self.request.calendar
        self._bucket(period)
        words = {"month": calendar.labels, "quarter": calendar.quarters, "fiscal_year": calendar.years}
        return list(words.get(period, ("horizon",)))

    def _sum_over(self, values: FloatArray, period: Period) -> FloatArray:
        starts = np.unique(self._bucket(period), return_index=True)[1]
        return np.asarray(np.add.reduceat(values, starts, axis=-1))


def exact_interval(hits: int, n: int, confidence: float) -> tuple[float, float]:
    """Return the Clopper-Pearson interval of a share."""
    if not 0 < confidence < 1:
        raise DataError(f"`confidence` must lie strictly between 0 and 1, got {confidence!r}.")
    from scipy.stats import beta  # late: keeps `import gtm_opt` quick

    tail = (1.0 - confidence) / 2.0
    low = 0.0 if hits == 0 else float(beta.ppf(tail, hits, n - hits + 1))
    high = 1.0 if hits == n else float(beta.ppf(1.0 - tail, hits + 1, n - hits))
    return low, high


def _describe(labels: list[str], totals: FloatArray, targets: FloatArray | None, confidence: float) -> pd.DataFrame:
    """Return moments and quantiles per period and, with targets, the odds of making them."""
    table = pd.DataFrame({"period": labels})
    if targets is not None:
        table["target"] = targets
    table["mean"], table["sd"] = totals.mean(axis=0), totals.std(axis=0, ddof=1)
    for level, values in zip(_QUANTILES, np.quantile(totals, _QUANTILES, axis=0), strict=True):
        table[f"p{100 * level:g}"] = values
    if targets is None:
        return table
    hit = totals >= targets
    intervals = [exact_interval(int(h), len(totals), confidence) for h in hit.sum(axis=0)]
    table["p_target"] = hit.mean(axis=0)
    table["ci_low"], table["ci_high"] = [i[0] for i in intervals], [i[1] for i in intervals]
    missing = np.maximum(targets - totals, 0.0)
    table["expected_shortfall"] = missing.mean(axis=0)
    misses = (~hit).sum(axis=0)
    sums = np.where(hit, 0.0, totals).sum(axis=0)
    table["mean_if_missed"] = np.divide(sums, misses, out=np.full(len(labels), np.nan), where=misses > 0)
    return table
