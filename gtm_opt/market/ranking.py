"""`rank_accounts`: the order in which each rep should work, within the hours there are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings, number_text
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.read_columns import is_table, key_column
from gtm_opt.model.tables import label_text, number_column

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Ranking", "rank_accounts"]


@dataclass(frozen=True, eq=False)
class Ranking:
    """A list of accounts per rep.

    Attributes
    ----------
    table : DataFrame
        Sorted by rep and rank: the rep column, ``rank, account_id, value, hours, value_per_hour, selected`` (fits into
        the hours), ``entered, left`` (against the last list).
    by : str
        The rep column.
    correlation : DataFrame
        The rep column and ``spearman``: rank correlation with the last list, nan without one.
    """

    table: pd.DataFrame
    by: str
    correlation: pd.DataFrame = field(repr=False)

    def list_of(self, rep: str) -> pd.DataFrame:
        """Return the selected accounts of one rep, best first."""
        part = self.table[(self.table[self.by] == rep) & self.table["selected"]]
        return part.reset_index(drop=True)

    def __repr__(self) -> str:
        chosen = self.table[self.table["selected"]]
        reps, value = self.table[self.by].nunique(), number_text(float(chosen["value"].sum()))
        entered, left = int(self.table["entered"].sum()), int(self.table["left"].sum())
        return (
            f"Ranking of {len(self.table):,} accounts for {reps:,} reps: {len(chosen):,} within the hours, "
            f"value {value}; {entered:,} entered, {left:,} left"
        )


@takes_tables(either=("accounts", "previous"))
def rank_accounts(
    accounts: pd.DataFrame,
    *,
    by: str = "territory",
    value: str = "expected_value",
    hours: str = "hours",
    available: float | Mapping[str, float],
    previous: pd.DataFrame | None = None,
    margin: float = 0.1,
) -> Ranking:
    """Rank the accounts of each rep by value per hour, and take what fits into the hours.

    Parameters
    ----------
    accounts : DataFrame
        ``account_id`` and the columns named below; ``carving.accounts`` does (reset its index).
    by : str
        Column with the territory or rep.
    value, hours : str
        Columns with the expected value and the hours of working the account, above 0.
    available : float or mapping
        Hours per rep in the period.
    previous : DataFrame, optional
        ``account_id, selected`` of the last list (``ranking.table``), and ``value_per_hour``.
    margin : float
        Hysteresis: an account of the last list is ranked as if it were worth so much more, so that it only leaves for
        one that is clearly better.

    Returns
    -------
    Ranking

    Raises
    ------
    DataError
        With every finding.

    Notes
    -----
    Accounts are taken in the order of value per hour while they fit; a shorter one further down may fill the rest. For
    accounts small against the hours this is within the value of one account of the best choice (greedy knapsack). Ties
    go by account id; the order of rows changes nothing.
    """
    found = Findings()
    if not is_table(accounts, "accounts", found):
        found.raise_if_any()
    ids = key_column(accounts, "account_id", found, what="accounts", unique=True)
    worth = number_column(accounts, value, found)
    effort = number_column(accounts, hours, found)
    if effort is not None and (effort <= 0).any():
        rows = accounts.index[effort <= 0]
        found.add(f"accounts['{hours}']", "must be positive", rows=rows, remedy="Leave accounts out that take no time.")
    if by not in accounts.columns:
        found.add(f"accounts['{by}']", "must exist")
    if not 0.0 <= margin <= 10.0:
        found.add("`margin`", "must be a fraction, not negative", got=str(margin))
    kept: set[str] = set()
    if previous is not None and is_table(previous, "previous", found):
        old = key_column(previous, "account_id", found, what="previous", unique=True)
        if "selected" not in previous.columns:
            found.add("previous['selected']", "must exist", remedy="Pass the table of the last ranking.")
        elif old is not None:
            kept = set(old[previous["selected"].to_numpy(dtype=bool)].tolist())
    label = label_text(accounts[by]) if by in accounts.columns else None
    if label is not None and not isinstance(available, int | float):
        missing = sorted(set(label) - {str(k) for k in available})
        if missing:
            found.add("`available`", "must have the hours of every rep", rows=missing, kind="rep")
    found.raise_if_any()
    assert ids is not None
    assert worth is not None
    assert effort is not None
    assert label is not None
    table = pd.DataFrame({by: label.to_numpy(), "account_id": ids})
    table["value"], table["hours"] = worth.to_numpy(), effort.to_numpy()
    table["value_per_hour"] = table["value"] / table["hours"]
    was = table["account_id"].isin(kept)
    table["sort"] = table["value_per_hour"] * np.where(was, 1.0 + margin, 1.0)
    table = table.sort_values(
        [by, "sort", "account_id"], ascending=[True, False, True], kind="stable", ignore_index=True
    )
    table["rank"] = table.groupby(by).cumcount() + 1
    limit = table[by].map(lambda rep: float(available if isinstance(available, int | float) else available[rep]))
    table["selected"] = _fit(table[by].to_numpy(), table["hours"].to_numpy(), limit.to_numpy())
    was = table["account_id"].isin(kept)
    table["entered"] = table["selected"] & ~was & (previous is not None)
    table["left"] = ~table["selected"] & was
    order = [by, "rank", "account_id", "value", "hours", "value_per_hour", "selected", "entered", "left"]
    return Ranking(table[order], by, _correlation(table, by, previous))


def _fit(rep: np.ndarray, hours: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """Take accounts in order while they fit."""
    out = np.zeros(len(rep), dtype=bool)
    used, current = 0.0, None
    for place, (name, need, most) in enumerate(zip(rep.tolist(), hours.tolist(), limit.tolist(), strict=True)):
        if name != current:
            used, current = 0.0, name
        if used + need <= most * (1.0 + 1e-12):
            used += need
            out[place] = True
    return out


def _correlation(table: pd.DataFrame, by: str, previous: pd.DataFrame | None) -> pd.DataFrame:
    reps = sorted(table[by].unique())
    out = pd.DataFrame({by: reps, "spearman": np.nan})
    if previous is None or "value_per_hour" not in previous.columns:
        return out
    old = pd.Series(previous["value_per_hour"].to_numpy(), index=previous["account_id"].astype(str))
    both = table.assign(old=table["account_id"].map(old)).dropna(subset=["old"])
    ranks = both.groupby(by)[["value_per_hour", "old"]].rank()
    for place, rep in enumerate(reps):
        part = ranks[both[by] == rep]
        if len(part) > 2 and part.nunique().min() > 1:
            out.loc[place, "spearman"] = float(part["value_per_hour"].corr(part["old"]))
    return out
