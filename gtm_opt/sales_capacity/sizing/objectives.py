"""Objectives by tier, motion or channel as targets, checked from the bottom up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings, amount_text, percent_text
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.tables import did_you_mean, number_column

__all__ = ["ObjectiveCheck", "check_objectives"]

_COLUMNS = ("by", "name", "target", "accounts", "win_rate", "deal_size", "deals_per_account")


@dataclass(frozen=True, eq=False)
class ObjectiveCheck:
    """Targets of a plan's parts beside what their accounts can yield.

    Attributes
    ----------
    table : DataFrame
        One row per objective: ``by`` (tier, motion, channel), ``name``, ``target``, ``share`` (of the total),
        ``bottom_up`` (accounts x deals per account x win rate x deal size; nan: not known), ``gap`` (bottom-up less
        target), ``needed_win_rate`` (with which the target would be met).
    totals : DataFrame
        One row per way of cutting: ``by``, ``target``, ``bottom_up``, ``difference`` (target less the total).
    total : float
    currency : str
    """

    table: pd.DataFrame
    totals: pd.DataFrame
    total: float
    currency: str = ""

    @property
    def ties_out(self) -> bool:
        """Whether the targets of every way of cutting sum to the total, to a millionth."""
        return bool((self.totals["difference"].abs() <= 1e-6 * max(1.0, abs(self.total))).all())

    @property
    def is_supported(self) -> bool:
        """Whether every objective with numbers from below reaches its target."""
        return not bool((self.table["gap"] < -1e-6 * max(1.0, abs(self.total))).any())

    def summary(self) -> str:
        """Return what does not add up, as text."""
        lines = [
            f"{row['by']}: targets sum to {amount_text(row['target'], self.currency)}, "
            f"{amount_text(abs(row['difference']), self.currency)} {'more' if row['difference'] > 0 else 'less'} "
            f"than the total of {amount_text(self.total, self.currency)}"
            for row in self.totals.to_dict("records")
            if abs(row["difference"]) > 1e-6 * max(1.0, abs(self.total))
        ]
        for row in self.table.to_dict("records"):
            if row["gap"] < -1e-6 * max(1.0, abs(self.total)):
                rate = f", its accounts would have to be won at {percent_text(row['needed_win_rate'])}"
                got, asked = (amount_text(row[k], self.currency) for k in ("bottom_up", "target"))
                lines.append(f"{row['by']} {row['name']}: {got} from below for {asked} asked{rate}")
        return "\n".join(lines) if lines else "every objective adds up and is supported from below"

    def __repr__(self) -> str:
        return f"ObjectiveCheck: {self.summary()}"


@takes_tables("objectives")
def check_objectives(objectives: pd.DataFrame, total: float, *, currency: str = "") -> ObjectiveCheck:
    """Set objectives by tier, motion or channel beside the total, and beside what accounts can yield.

    Parameters
    ----------
    objectives : DataFrame
        ``by`` (how the total is cut: "tier", "motion", "channel"), ``name``, ``target``; optionally ``accounts``,
        ``win_rate`` (in [0, 1]), ``deal_size``, ``deals_per_account`` (default 1). Empty cells: not known.
    total : float
        The plan's total, >= 0, which every way of cutting has to sum to.
    currency : str

    Raises
    ------
    DataError
        With every finding.
    """
    found = Findings()
    for column in objectives.columns:
        if str(column) not in _COLUMNS:
            remedy = did_you_mean(column, _COLUMNS)
            found.add(f"objectives[{str(column)!r}]", "is no column of objectives", remedy=f"{remedy} Or leave it out.")
    missing = [column for column in _COLUMNS[:3] if column not in objectives.columns]
    if missing:
        found.add("objectives", f"must have the columns {', '.join(missing)}")
    if not isinstance(total, int | float | np.number) or not np.isfinite(total) or total < 0:
        found.add("total", "must be a number, not negative", got=repr(total))
    found.raise_if_any()
    table = objectives.reset_index(drop=True)
    number_column(table, "target", found, what="objectives", fill="Give every objective its target.")
    for column in [c for c in _COLUMNS[3:] if c in table.columns]:
        known = table.loc[table[column].notna()]
        values = number_column(known, column, found, what="objectives")
        if values is not None and column == "win_rate" and (values > 1).any():
            rows, remedy = known.index[values > 1], "Write 22 % as 0.22."
            found.add("objectives['win_rate']", "must lie between 0 and 1", rows=rows, remedy=remedy)
    twice = table.duplicated(["by", "name"])
    if twice.any():
        found.add("objectives", "must name each objective once", rows=table.index[twice])
    found.raise_if_any()
    return ObjectiveCheck(*_compute(table, float(total)), float(total), currency)


def _compute(table: pd.DataFrame, total: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    def numbers(column: str, default: float = np.nan) -> pd.Series[float]:
        if column not in table.columns:
            return pd.Series(default, index=table.index)
        return table[column].astype(float).fillna(default)

    out = table[["by", "name"]].copy()
    out["target"] = numbers("target")
    out["share"] = out["target"] / total if total > 0 else np.nan
    worth = numbers("accounts") * numbers("deals_per_account", 1.0) * numbers("deal_size")
    out["bottom_up"] = worth * numbers("win_rate")
    out["gap"] = out["bottom_up"] - out["target"]
    out["needed_win_rate"] = (out["target"] / worth).where(worth > 0)
    totals = out.groupby("by", sort=False)["target"].sum().reset_index()
    totals["bottom_up"] = out.groupby("by", sort=False)["bottom_up"].sum(min_count=1).to_numpy()
    totals["difference"] = totals["target"] - total
    return out, totals
