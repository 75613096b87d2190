"""How fair quotas are: spread of the ratios, seats far from the middle, and what the ratios go along with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

__all__ = ["Fairness", "gini", "measure_fairness"]

_FAR = 0.15
_ALL = "(all)"


@dataclass(frozen=True, eq=False)
class Fairness:
    """How fair a set of quotas is.

    Attributes
    ----------
    table : DataFrame
        One row per seat: ``seat_id``, ``quota``, ``base``, ``ratio``, the groupings, and ``is_outside`` (ratio more
        than 15 % from the median of all).
    groups : DataFrame
        One row per group, all seats first: ``grouping``, ``group``, ``seats``, ``mean``, ``median``, ``cv`` (standard
        deviation of the population over mean), ``gini``, ``max_min``, ``outside_15_frac``, ``worst_seat``.
    correlations : DataFrame
        ``attribute``, ``rank_correlation`` of base over quota with it (Spearman's), ``seats``. Near 0 in fair quotas:
        nobody makes the number because of a large territory.
    """

    table: pd.DataFrame
    groups: pd.DataFrame
    correlations: pd.DataFrame

    def summary(self) -> pd.DataFrame:
        """Return the measures of all seats and of every group."""
        return self.groups.copy()

    def __repr__(self) -> str:
        row = self.groups.iloc[0]
        return (
            f"Fairness: {row['seats']:,} seats, ratio {row['mean']:.3g} on average, CV {row['cv']:.1%}, "
            f"Gini {row['gini']:.3f}, {row['outside_15_frac']:.0%} more than 15 % from the median"
        )


def gini(values: Sequence[float] | FloatArray) -> float:
    """Return the Gini coefficient: mean absolute difference of all pairs over twice the mean.

    Raises
    ------
    DataError
        Without values, and for values that are negative or not finite.

    Examples
    --------
    >>> round(gini([0.8, 0.9, 1.0, 1.1, 1.2]), 4), gini([0, 0, 0, 1])
    (0.08, 0.75)
    """
    numbers = np.sort(np.asarray(values, dtype=np.float64))
    found = Findings()
    if not len(numbers) or not np.isfinite(numbers).all() or (numbers < 0).any():
        found.add("values", "must be one or more finite numbers, none negative")
    found.raise_if_any()
    n, total = len(numbers), float(numbers.sum())
    if total == 0.0:
        return 0.0
    return float(2.0 * (np.arange(1, n + 1) * numbers).sum() / (n * total) - (n + 1) / n)


@takes_tables("seats")
def measure_fairness(
    seats: pd.DataFrame,
    *,
    quota: str = "quota",
    base: str = "base",
    by: str | Sequence[str] = (),
    attributes: str | Sequence[str] = (),
) -> Fairness:
    """Measure how fair quotas are, over all seats and by group.

    Parameters
    ----------
    seats : DataFrame
        One row per seat with ``seat_id`` (or ``node_id``, or as index).
    quota, base : str
        Columns: quota, and what it is compared with (potential, capacity, last year), > 0.
    by : str or sequence of str
        Columns of groupings: segment, manager, role.
    attributes : str or sequence of str
        Columns of numbers that chances should not go along with: size, growth, tenure. Empty cells are left out.

    Returns
    -------
    Fairness

    Raises
    ------
    DataError
        With every finding: missing columns, repeated seats, numbers that are none, a base of zero.
    """
    groupings = [by] if isinstance(by, str) else list(by)
    numbers = [attributes] if isinstance(attributes, str) else list(attributes)
    found = Findings()
    ids = _ids(seats)
    for column in (quota, base, *groupings, *numbers):
        if column not in seats.columns:
            found.add(f"seats['{column}']", "must be there", remedy=did_you_mean(column, seats.columns))
    if ids.duplicated().any():
        found.add("seats", "must have one row per seat", rows=ids[ids.duplicated()].unique(), kind="seat")
    if not len(seats):
        found.add("seats", "must have at least one row")
    found.raise_if_any()
    read = {c: pd.to_numeric(seats[c], errors="coerce").to_numpy(dtype=np.float64) for c in (quota, base, *numbers)}
    for column, holds, rule in (
        (quota, read[quota] >= 0, "must hold finite numbers, none negative"),
        (base, read[base] > 0, "must hold finite numbers above 0"),
    ):
        wrong = ~(holds & np.isfinite(read[column]))
        if wrong.any():
            found.add(f"seats['{column}']", rule, rows=ids[wrong], kind="seat")
    for column in numbers:
        wrong = np.isnan(read[column]) & seats[column].notna().to_numpy()
        if wrong.any():
            found.add(f"seats['{column}']", "must hold numbers", rows=ids[wrong], kind="seat")
    found.raise_if_any()
    ratio = read[quota] / read[base]
    table = pd.DataFrame({"seat_id": ids.to_numpy(dtype=object), "quota": read[quota], "base": read[base]})
    table["ratio"] = ratio
    for column in groupings:
        table[column] = seats[column].to_numpy()
    table["is_outside"] = np.abs(ratio - np.median(ratio)) > _FAR * np.median(ratio)
    rows = [_measure(_ALL, _ALL, table)]
    for column in groupings:
        labels = table[column].astype(object).where(table[column].notna(), "(none)").astype(str)
        rows += [_measure(column, str(name), table[labels == name]) for name in sorted(labels.unique())]
    correlations = [_correlate(column, read[column], read[base], read[quota]) for column in numbers]
    columns = ["attribute", "rank_correlation", "seats"]
    return Fairness(table, pd.DataFrame(rows), pd.DataFrame(correlations, columns=columns))


def _ids(seats: pd.DataFrame) -> pd.Series[str]:
    for column in ("seat_id", "node_id"):
        if column in seats.columns:
            return seats[column].astype(str).reset_index(drop=True)
    return pd.Series([str(i) for i in seats.index], dtype=object)


def _measure(grouping: str, group: str, table: pd.DataFrame) -> dict[str, object]:
    ratio = table["ratio"].to_numpy()
    mean, lowest = float(ratio.mean()), float(ratio.min())
    worst = table.sort_values(["ratio", "seat_id"], ascending=[False, True])["seat_id"].iloc[0]
    return {
        "grouping": grouping,
        "group": group,
        "seats": len(table),
        "mean": mean,
        "median": float(np.median(ratio)),
        "cv": float(ratio.std()) / mean if mean > 0 else 0.0,
        "gini": gini(ratio),
        "max_min": float(ratio.max()) / lowest if lowest > 0 else float("inf"),
        "outside_15_frac": float((np.abs(ratio - np.median(ratio)) > _FAR * np.median(ratio)).mean()),
        "worst_seat": worst,
    }


def _correlate(name: str, attribute: FloatArray, base: FloatArray, quota: FloatArray) -> tuple[str, float, int]:
    """Return Spearman's rank correlation of predicted attainment with an attribute; NaN where one is constant."""
    from scipy.stats import rankdata

    known = np.isfinite(attribute) & (quota > 0)
    if known.sum() < 2:
        return name, float("nan"), int(known.sum())
    left, right = rankdata(attribute[known]), rankdata(base[known] / quota[known])
    if left.std() == 0 or right.std() == 0:
        return name, float("nan"), int(known.sum())
    return name, float(np.corrcoef(left, right)[0, 1]), int(known.sum())
