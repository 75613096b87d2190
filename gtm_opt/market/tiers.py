"""`tier`: A, B and C accounts by characteristics, by cuts of a score, or by the hours a team has."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings, number_text, percent_text
from gtm_opt.mip import Model, Options, Status, solve
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.read_columns import is_table, key_column
from gtm_opt.model.tables import id_text, number_column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["Tiers", "tier"]


@dataclass(frozen=True, eq=False)
class Tiers:
    """Tiers of accounts.

    Attributes
    ----------
    table : DataFrame
        ``account_id, score, tier``, in the order of the accounts; ``previous, changed, hours`` where these are known.
    method : str
        "characteristics", "cuts" or "capacity".
    status : str
        "optimal", "within_gap" or "feasible" for tiers by capacity, else "by rule".
    objective, bound : float
        Sum of score times worth, and what no choice of tiers can exceed; nan for the other methods.
    hours_available : float
    """

    table: pd.DataFrame
    method: str
    status: str = "by rule"
    objective: float = float("nan")
    bound: float = float("nan")
    hours_available: float = float("nan")

    @property
    def counts(self) -> pd.DataFrame:
        """Return per tier: accounts, sum of the scores, hours where known."""
        work = self.table.assign(hours=self.table["hours"] if "hours" in self.table.columns else np.nan)
        return (
            work.groupby("tier", sort=True)
            .agg(accounts=("account_id", "size"), score=("score", "sum"), hours=("hours", "sum"))
            .reset_index()
        )

    def summary(self) -> str:
        """Return a few lines of text."""
        lines = [f"Tiers of {len(self.table):,} accounts by {self.method}: {self.status}"]
        lines += [f"  {row['tier']:<4}{row['accounts']:>9,} accounts" for row in self.counts.to_dict("records")]
        if self.method == "capacity":
            gap = abs(self.bound - self.objective) / max(1e-12, abs(self.objective))
            used, most = number_text(float(self.table["hours"].sum())), number_text(self.hours_available)
            lines.append(f"  {used} of {most} hours, within {percent_text(gap, 3)} of the best possible")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.summary()


@takes_tables(either=("accounts",))
def tier(
    accounts: pd.DataFrame,
    *,
    score: str | None = None,
    cuts: Mapping[str, float] | None = None,
    characteristics: Sequence[str] | None = None,
    hours: Mapping[str, float] | None = None,
    available: float | None = None,
    worth: Mapping[str, float] | None = None,
    previous: str | None = None,
    max_changes: int | None = None,
    time_limit: float | None = None,
) -> Tiers:
    """Sort accounts into tiers.

    Parameters
    ----------
    accounts : DataFrame
        ``account_id`` and the columns named below.
    score : str, optional
        Column with a score, at least 0, for cuts and hours.
    cuts : mapping of str to float, optional
        Least score per tier, best tier first: ``{"A": 80, "B": 50}``. What is below the last is one tier more, "C".
    characteristics : sequence of str, optional
        Columns of True and False. A: more than half of them, and at least two; B: at least two; C: one or none.
    hours : mapping of str to float, optional
        Hours per account and period by tier, best tier first, falling: ``{"A": 40, "B": 8, "C": 1}``.
    available : float, optional
        Hours of the team in the period.
    worth : mapping of str to float, optional
        What part of an account's score comes true in each tier; falling. Default: square root of the hours,
        relative to the first tier (diminishing returns of attention).
    previous : str, optional
        Column with the tier of last period (empty: new).
    max_changes : int, optional
        At most so many accounts of last period get another tier.
    time_limit : float, optional
        Seconds for the search.

    Returns
    -------
    Tiers

    Raises
    ------
    DataError
        Missing or wrong columns, no or several methods, hours that do not suffice even for the last tier; reported
        together.

    Notes
    -----
    By hours, the sum of score times worth is maximized exactly by `gtm_opt.mip`::

        y[i, t] = 1 where account i is in tier t or better,  y[i, t] <= y[i, t + 1]           (1)
        sum over i, t of (hours[t] - hours[t + 1]) y[i, t]  <=  available - n hours[last]      (2)
        accounts whose tier differs from last period's      <=  max_changes                    (3)

    Without (3), a better score never has a lower tier, whatever the method; ties go by account id. Adding hours never
    lowers the objective.
    """
    found = Findings()
    ids = key_column(accounts, "account_id", found, what="accounts", unique=True) if _is(accounts, found) else None
    given = [name for name, value in (("cuts", cuts), ("characteristics", characteristics), ("hours", hours)) if value]
    if len(given) != 1:
        got = ", ".join(given) or "none"
        found.add("tier", "needs exactly one of cuts, characteristics and hours", got=got)
    points = None
    if ids is not None and characteristics:
        points = _characteristics(accounts, characteristics, found)
    elif ids is not None and score is not None:
        column = number_column(accounts, score, found, fill="Score the account, or leave it out.")
        points = None if column is None else column.to_numpy(dtype=np.float64)
    elif score is None and not characteristics:
        found.add("`score`", "must name a column", remedy="tier(accounts, score='fit_score', ...)")
    _check_falling(cuts or hours, found)
    before = None
    if ids is not None and previous is not None and previous in accounts.columns:
        before = id_text(accounts[previous]).to_numpy(dtype=object)
    elif previous is not None or max_changes is not None:
        found.add("`previous`", "must name the column with last period's tiers", got=str(previous))
    if hours and (available is None or not np.isfinite(available)):
        found.add("`available`", "must be the hours of the team", got=repr(available))
    if hours and available is not None and ids is not None and len(ids) * min(hours.values()) > available + 1e-9:
        least = len(ids) * min(hours.values())
        got = f"{number_text(available)} for {len(ids):,} accounts, which need {number_text(least)}"
        found.add("`available`", "must cover the last tier for every account", got=got, remedy="Add a tier of 0 hours.")
    found.raise_if_any()
    assert ids is not None
    assert points is not None
    table = pd.DataFrame({"account_id": ids, "score": points})
    if characteristics:
        half = len(characteristics) / 2.0
        table["tier"] = np.where(points < 2, "C", np.where(points > half, "A", "B"))
        return _finished(table, "characteristics", before)
    if cuts:
        names = [*cuts, "C" if "C" not in cuts else "rest"]
        place = len(cuts) - np.searchsorted(np.array(list(cuts.values()))[::-1], points, side="right")
        table["tier"] = np.array(names, dtype=object)[place]
        return _finished(table, "cuts", before)
    assert hours is not None
    assert available is not None
    shares = _worth(hours, worth)
    return _by_capacity(table, hours, shares, float(available), before, max_changes, time_limit)


def _is(accounts: object, found: Findings) -> bool:
    return is_table(accounts, "accounts", found)


def _characteristics(accounts: pd.DataFrame, names: Sequence[str], found: Findings) -> NDArray[np.float64] | None:
    columns = [number_column(accounts, name, found, fill="Say True or False.") for name in names]
    for name, column in zip(names, columns, strict=True):
        if column is not None and not column.isin([0.0, 1.0]).all():
            rows = accounts.index[~column.isin([0.0, 1.0])]
            found.add(f"accounts['{name}']", "must be True or False", rows=rows)
    known = [column.to_numpy(dtype=np.float64) for column in columns if column is not None]
    return np.sum(known, axis=0) if len(known) == len(names) else None


def _check_falling(values: Mapping[str, float] | None, found: Findings) -> None:
    if values:
        numbers = list(values.values())
        if any(not np.isfinite(v) or v < 0 for v in numbers) or any(b >= a for a, b in pairwise(numbers)):
            got = ", ".join(f"{k} {v:g}" for k, v in values.items())
            found.add("the tiers", "must fall from the first to the last, none negative", got=got)


def _worth(hours: Mapping[str, float], worth: Mapping[str, float] | None) -> NDArray[np.float64]:
    if worth is None:
        most = max(hours.values())
        relative: NDArray[np.float64] = np.array([np.sqrt(h / most) for h in hours.values()], dtype=np.float64)
        return relative
    found = Findings()
    missing = [t for t in hours if t not in worth]
    if missing:
        found.add("`worth`", "must have every tier", rows=missing, kind="tier")
    _check_falling({t: worth[t] for t in hours if t in worth}, found)
    found.raise_if_any()
    return np.array([float(worth[t]) for t in hours])


def _finished(table: pd.DataFrame, method: str, before: NDArray[np.object_] | None) -> Tiers:
    return Tiers(_with_previous(table, before), method)


def _with_previous(table: pd.DataFrame, before: NDArray[np.object_] | None) -> pd.DataFrame:
    if before is None:
        return table
    return table.assign(previous=before, changed=(before != "") & (table["tier"].to_numpy() != before))


def _by_capacity(
    table: pd.DataFrame,
    hours: Mapping[str, float],
    worth: NDArray[np.float64],
    available: float,
    before: NDArray[np.object_] | None,
    max_changes: int | None,
    time_limit: float | None,
) -> Tiers:
    names, n, last = list(hours), len(table), len(hours) - 1
    effort = np.array(list(hours.values()))
    score = table["score"].to_numpy()
    # in the order of score, best first, so that the order of rows decides nothing
    order = np.lexsort((table["account_id"].to_numpy(dtype=str), -score))
    ranked = score[order]
    model = Model("tiers", maximize=True)
    model.offset = float(worth[last] * ranked.sum())
    y = np.empty((n, last), dtype=np.int64)
    for t in range(last):
        labels = [f"{names[t]}_{i}" for i in range(n)]
        y[:, t] = model.add_columns(labels, high=1, integer=True, cost=(worth[t] - worth[t + 1]) * ranked)
    for t in range(last - 1):  # (1)
        for i in range(n):
            model.add_row(f"nested_{t}_{i}", [y[i, t], y[i, t + 1]], [1.0, -1.0], high=0.0)
    step = np.broadcast_to(effort[:-1] - effort[1:], y.shape)
    model.add_row("hours", y.ravel(), step.ravel(), high=available - n * effort[last])  # (2)
    if before is not None and max_changes is not None:
        _limit_changes(model, y, names, before[order], max_changes)  # (3)
    answer = solve(model, Options(time_limit=time_limit, rel_gap=1e-4 if n > 5_000 else 0.0))
    if answer.values is None:
        found = Findings()
        if answer.status is Status.INFEASIBLE:
            rule = "must leave tiers that fit into the hours"
            found.add("`max_changes`", rule, got=str(max_changes), remedy="Allow more changes, or more hours.")
        else:
            found.add("`time_limit`", "must leave time for a first answer", got=str(time_limit))
        found.raise_if_any()
    chosen = np.rint(answer.of(y)) if answer.values is not None else np.zeros(y.shape)
    place = last - chosen.sum(axis=1).astype(np.int64)
    if max_changes is None:
        place = np.sort(place)  # same counts, best scores first: never worse
    tiers = np.empty(n, dtype=np.int64)
    tiers[order] = place
    out = table.assign(tier=np.array(names, dtype=object)[tiers], hours=effort[tiers])
    value = float((worth[tiers] * score).sum())
    return Tiers(
        _with_previous(out, before), "capacity", answer.status.value, value, max(answer.bound, value), available
    )


def _limit_changes(
    model: Model, y: NDArray[np.int64], names: list[str], before: NDArray[np.object_], most: int
) -> None:
    """Count an account as kept where it is in last period's tier or better, and not in a better one."""
    columns: list[int] = []
    signs: list[float] = []
    known = 0
    for i, label in enumerate(before.tolist()):
        if label not in names:
            continue
        known += 1
        t = names.index(label)
        if t < y.shape[1]:
            columns.append(int(y[i, t]))
            signs.append(1.0)
        else:
            known -= 1  # always in the last tier or better: only leaving upward counts
        if t > 0:
            columns.append(int(y[i, t - 1]))
            signs.append(-1.0)
    model.add_row("changes", columns, signs, low=float(known - most))
