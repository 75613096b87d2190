"""Were the quantiles honest? What was predicted for last year beside what came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, Findings
from gtm_opt.model.tables import did_you_mean
from gtm_opt.sales_capacity.odds.result import exact_interval
from gtm_opt.sales_capacity.odds.seats import seat_totals
from gtm_opt.sales_capacity.result import read_by_period

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from gtm_opt.sales_capacity.odds.result import Odds

__all__ = ["Backtest", "run_backtest"]

_LEVELS = (0.5, 0.8, 0.95)
_FEWEST = 20


@dataclass(frozen=True, eq=False)
class Backtest:
    """Predictions beside results.

    Attributes
    ----------
    table : DataFrame
        One row per period or seat: its name, ``actual``, ``p10``, ``p50``, ``p90`` as predicted, ``rank``: the part of
        the paths below the result (0.5: as expected; uniform over many seats if the prediction was honest).
    coverage : DataFrame
        Per central interval: ``level``, ``inside`` (part of the results inside it), ``ci_low``, ``ci_high`` (exact 95 %
        interval of that part), ``honest`` (whether it holds the level). Results of one year share their market: a bad
        year puts many seats low at once, and the interval, which takes them as independent, is then too narrow.
    warning : str
        What the sample cannot say; empty where there is enough.
    """

    table: pd.DataFrame
    coverage: pd.DataFrame
    warning: str = ""

    @property
    def is_honest(self) -> bool:
        """Whether no central interval held fewer or more results than chance allows."""
        return bool(self.coverage["honest"].all())

    def summary(self) -> pd.DataFrame:
        """Return `coverage`."""
        return self.coverage

    def __repr__(self) -> str:
        parts = ", ".join(f"{r.level:.0%} held {r.inside:.0%}" for r in self.coverage.itertuples())
        verdict = "honest" if self.is_honest else "not honest"
        return f"Backtest: {verdict} on {len(self.table)} results ({parts}). {self.warning}".rstrip()


def run_backtest(odds: Odds, actual: Any, executor: Executor | None = None) -> Backtest:
    """Return the backtest of a simulation; see `Odds.backtest`.

    Raises
    ------
    DataError
        For seats that are not on the roster, non-numeric amounts, unknown periods.
    """
    if isinstance(actual, pd.DataFrame) and "seat_id" in actual.columns:
        names, values, samples = _seats(odds, actual, executor)
        key = "seat_id"
    else:
        names, values, samples = _periods(odds, actual)
        key = "period"
    rows = []
    for name, value, paths in zip(names, values, samples, strict=True):
        low, middle, high = np.quantile(paths, (0.1, 0.5, 0.9))
        rank = float((paths < value).mean() + 0.5 * (paths == value).mean())
        rows.append({key: name, "actual": value, "p10": low, "p50": middle, "p90": high, "rank": rank})
    table = pd.DataFrame(rows)
    coverage = []
    for level in _LEVELS:
        inside = int((np.abs(table["rank"] - 0.5) <= level / 2).sum())
        low, high = exact_interval(inside, len(table), 0.95)
        share = inside / len(table)
        coverage.append(
            {"level": level, "inside": share, "ci_low": low, "ci_high": high, "honest": low <= level <= high}
        )
    few = f"Only {len(table)} results: they cannot tell an honest prediction from a dishonest one."
    return Backtest(table, pd.DataFrame(coverage), few if len(table) < _FEWEST else "")


def _seats(odds: Odds, actual: pd.DataFrame, executor: Executor | None) -> tuple[list[str], list[float], list[Any]]:
    found = Findings()
    if "amount" not in actual.columns:
        found.add("actual", "must have the columns seat_id and amount", got=", ".join(map(str, actual.columns)))
        found.raise_if_any()
    seats = actual["seat_id"].astype(str)
    amounts = pd.to_numeric(actual["amount"], errors="coerce")
    if not np.isfinite(amounts).all():
        found.add("actual['amount']", "must hold finite numbers", rows=seats[~np.isfinite(amounts)], kind="seat")
    if seats.duplicated().any():
        found.add("actual['seat_id']", "must be unique", rows=seats[seats.duplicated()].unique(), kind="seat")
    wanted = dict(zip(seats, amounts, strict=True))
    bucket = np.zeros(odds.request.calendar.n_periods, dtype=np.int64)
    known = {seat: totals[:, 0] for seat, totals in seat_totals(odds.request, bucket, executor) if seat in wanted}
    unknown = [seat for seat in wanted if seat not in known]
    if unknown:
        remedy = did_you_mean(unknown[0], known)
        found.add("actual['seat_id']", "must be on the roster", rows=unknown, kind="seat", remedy=remedy)
    found.raise_if_any()
    return list(wanted), [float(v) for v in wanted.values()], [known[seat] for seat in wanted]


def _periods(odds: Odds, actual: Any) -> tuple[list[str], list[float], list[Any]]:
    if isinstance(actual, int | float | np.number):
        raise DataError("`actual` must be by month, quarter or seat, got one number. A single result tests nothing.")
    months = read_by_period(actual, odds.request.calendar, "actual")
    totals, labels = odds.totals("quarter"), odds.request.calendar.quarters
    quarter = np.bincount(odds.request.calendar.quarter_of_month, months)
    return list(labels), quarter.tolist(), [totals[:, at] for at in range(len(labels))]
