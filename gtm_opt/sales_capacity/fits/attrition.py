"""Attrition out of a history of hires and exits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings
from gtm_opt.model.attrition import Attrition
from gtm_opt.model.frames import takes_tables
from gtm_opt.sales_capacity.fits.read import date_values, need_columns
from gtm_opt.sales_capacity.odds.result import exact_interval

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    IntArray = NDArray[np.int64]

__all__ = ["AttritionFit", "fit_attrition"]

_FEWEST_EXITS = 10


@dataclass(frozen=True, eq=False)
class AttritionFit:
    """Hazards of a history.

    Attributes
    ----------
    attrition : Attrition
        What `gtm_opt.capacity` and `gtm_opt.simulate` take; a cohort rate.
    table : DataFrame
        One row per group and tenure band: the group, ``band`` ("new hires", "others"), ``exposed_m``
        (person-months), ``exits``, ``hazard_pm``, ``se``, ``ci_low``, ``ci_high`` (exact), ``annual`` with
        ``annual_low`` and ``annual_high`` (share of a cohort lost in twelve months).
    naive_annual : float
        What the textbook average would have said: one over the mean tenure in years of those who left. Whoever is
        still here does not count in it.
    warning : str
        What the sample cannot say; empty where there is enough.
    """

    attrition: Attrition
    table: pd.DataFrame
    naive_annual: float
    warning: str = ""

    def summary(self) -> pd.DataFrame:
        """Return `table`."""
        return self.table

    def __repr__(self) -> str:
        exits, months = int(self.table["exits"].sum()), float(self.table["exposed_m"].sum())
        text = f"AttritionFit: {exits:,} exits in {months:,.0f} person-months; annual rates "
        text += ", ".join(
            f"{r.annual:.1%} ({r.annual_low:.1%} to {r.annual_high:.1%})" for r in self.table.itertuples()
        )
        return f"{text}; mean tenure of leavers would have said {self.naive_annual:.1%}. {self.warning}".rstrip()


@takes_tables("history")
def fit_attrition(
    history: pd.DataFrame,
    *,
    window: tuple[str | date | pd.Timestamp, str | date | pd.Timestamp],
    by: str | None = None,
    new_hire_months: int = 12,
    confidence: float = 0.95,
) -> AttritionFit:
    """Fit monthly exit hazards to a history of hires and exits.

    Parameters
    ----------
    history : DataFrame
        One row per seller, also those who are still here: ``rep_id``, ``start_date``, ``end_date`` (last day; empty:
        still here); optional ``exit_kind`` ("voluntary" or "involuntary"), and the column of `by`.
    window : tuple of two dates
        First and last day of what the history records. Sellers hired before enter at the tenure they then had, not
        at zero; who is still here at the end is counted until then (late entry, right censoring).
    by : str, optional
        Column with roles or segments: rates apart. New-hire failure is fitted for each of them too.
    new_hire_months : int
        Tenure up to which somebody is a new hire, >= 1.
    confidence : float
        Of the intervals, in (0, 1).

    Returns
    -------
    AttritionFit

    Raises
    ------
    DataError
        With every finding: missing columns, dates that cannot be read, exits before the hire, sellers twice.

    Notes
    -----
    One trial per seller and calendar month of the window in which the seller is there, the hire month being tenure
    month 1; the exit is in the month of the last day. Hazard = exits / trials, with exact binomial (Clopper-Pearson)
    intervals: the maximum-likelihood estimate of the clock that `capacity` uses.
    """
    found = Findings()
    need_columns(history, ("rep_id", "start_date", "end_date", *([by] if by else [])), found)
    table = history.reset_index(drop=True)
    label = table["rep_id"].astype(str)
    start, last = (date_values(table, c, label, found) for c in ("start_date", "end_date"))
    unknown = np.isnat(start)
    if unknown.any():
        remedy = "Without it tenure is not known: leave the seller out, or look the date up."
        found.add("history['start_date']", "must not be empty", rows=label[unknown], kind="seller", remedy=remedy)
    if (last < start).any():
        found.add("history", "must not have an exit before the hire", rows=label[last < start], kind="seller")
    twice = pd.Series(list(zip(label, start, strict=True))).duplicated()
    if twice.any():
        found.add("history", "must have every stint once", rows=label[twice], kind="seller")
    first_day, last_day = _read_window(window, found)
    if isinstance(new_hire_months, bool) or not isinstance(new_hire_months, int) or new_hire_months < 1:
        found.add("new_hire_months", "must be a whole number, at least 1", got=repr(new_hire_months))
    involuntary = _involuntary(table, last, label, found)
    found.raise_if_any()
    exposed, exits = _count(start, last, first_day, last_day, new_hire_months)
    groups = pd.Series("all", index=table.index) if by is None else table[by].astype(str)
    rows = []
    for name in sorted(groups.unique()):
        mask = (groups == name).to_numpy()
        for band, word in enumerate(("new hires", "others")):
            row = _estimate(int(exits[mask, band].sum()), int(exposed[mask, band].sum()), confidence)
            rows.append({(by or "group"): name, "band": word, **row})
    result = pd.DataFrame(rows)
    short = result[result["exposed_m"] == 0]
    if len(short):
        missing = ", ".join(f"{r[0]} ({r[1]})" for r in short.iloc[:, :2].itertuples(index=False))
        found.add("history", "must have person-months in every group and tenure band", got=f"none for {missing}")
        found.raise_if_any()
    old = result[result["band"] == "others"].set_index(by or "group")["hazard_pm"]
    new = result[result["band"] == "new hires"].set_index(by or "group")["hazard_pm"]
    attrition = Attrition(
        _rates(old, 12, by),
        kind="cohort",
        new_hire=_rates(new, new_hire_months, by),
        new_hire_months=new_hire_months,
        involuntary_share=involuntary,
    )
    gone = (last >= first_day) & (last <= last_day)
    tenure = (last[gone] - start[gone]) / np.timedelta64(1, "D") / 365.25
    naive = float(1.0 / tenure.mean()) if len(tenure) and tenure.mean() > 0 else float("nan")
    return AttritionFit(attrition, result, naive, _warning(result))


def _read_window(window: object, found: Findings) -> tuple[np.datetime64, np.datetime64]:
    days: list[Any] = [np.datetime64("NaT"), np.datetime64("NaT")]
    if isinstance(window, list | tuple) and len(window) == 2:
        read = pd.to_datetime(pd.Series([str(w) for w in window]), format="ISO8601", errors="coerce")
        days = [np.datetime64(day, "D") for day in read]
    if np.isnat(days[0]) or np.isnat(days[1]) or days[1] < days[0]:
        remedy = "For example ('2023-01-01', '2025-12-31')."
        found.add("window", "must be a first and a last day, in order", got=repr(window), remedy=remedy)
        return np.datetime64("2000-01-01"), np.datetime64("2000-01-01")
    return days[0], days[1]


def _involuntary(table: pd.DataFrame, last: NDArray[np.datetime64], label: pd.Series, found: Findings) -> float:
    """Return the share of exits that the company decided; half where the history does not say."""
    if "exit_kind" not in table.columns:
        return 0.5
    gone = ~np.isnat(last)
    words = table["exit_kind"].astype(str).str.strip().str.lower()
    wrong = gone & ~words.isin(["voluntary", "involuntary"]).to_numpy()
    if wrong.any():
        rule = "must be 'voluntary' or 'involuntary' for everybody who left"
        found.add("history['exit_kind']", rule, rows=label[wrong], kind="seller")
    return float((words[gone] == "involuntary").mean()) if gone.any() else 0.5


def _count(
    start: NDArray[np.datetime64],
    last: NDArray[np.datetime64],
    first_day: np.datetime64,
    last_day: np.datetime64,
    new_hire_months: int,
) -> tuple[IntArray, IntArray]:
    """Return months at risk and exits per seller and band (new hires, others), shape (n, 2)."""
    hired = start.astype("datetime64[M]")
    end = np.where(np.isnat(last) | (last > last_day), last_day, last)
    begin = np.maximum(hired, first_day.astype("datetime64[M]"))
    months = (end.astype("datetime64[M]") - begin).astype(np.int64) + 1
    months = np.where((end < first_day) | (start > last_day), 0, np.maximum(months, 0))
    tenure = (begin - hired).astype(np.int64) + 1  # of the first month at risk
    young = np.clip(new_hire_months - tenure + 1, 0, months)
    exposed = np.stack([young, months - young], axis=1)
    left = ~np.isnat(last) & (last >= first_day) & (last <= last_day)
    at_exit = tenure + months - 1
    exits = np.stack([left & (at_exit <= new_hire_months), left & (at_exit > new_hire_months)], axis=1)
    return exposed.astype(np.int64), exits.astype(np.int64)


def _estimate(exits: int, exposed: int, confidence: float) -> dict[str, float]:
    if exposed == 0:
        return {"exposed_m": 0, "exits": 0, "hazard_pm": np.nan}
    hazard = exits / exposed
    low, high = exact_interval(exits, exposed, confidence)
    return {
        "exposed_m": exposed,
        "exits": exits,
        "hazard_pm": hazard,
        "se": float(np.sqrt(hazard * (1 - hazard) / exposed)),
        "ci_low": low,
        "ci_high": high,
        "annual": 1.0 - (1.0 - hazard) ** 12,
        "annual_low": 1.0 - (1.0 - low) ** 12,
        "annual_high": 1.0 - (1.0 - high) ** 12,
    }


def _rates(hazards: pd.Series, months: int, by: str | None) -> float | dict[str, float]:
    rates = {str(name): float(min(1.0 - (1.0 - h) ** months, 0.999)) for name, h in hazards.items()}
    return rates["all"] if by is None else rates


def _warning(table: pd.DataFrame) -> str:
    few = table[table["exits"] < _FEWEST_EXITS]
    if few.empty:
        return ""
    names = "; ".join(f"{r[0]}, {r[1]}: {int(r[3])} exits" for r in few.itertuples(index=False, name=None))
    return f"Too few exits to say much ({names}): take the intervals seriously, or pool the groups."
