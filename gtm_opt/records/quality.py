"""The result of `inspect_accounts`: findings, counts, and the repairs the planner accepts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, Findings, amount_text, percent_text, shorten
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.tables import did_you_mean, id_text
from gtm_opt.records.repair import Repair, change_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["DataQuality"]


@dataclass(frozen=True, eq=False)
class DataQuality:
    """What is wrong with the records.

    Attributes
    ----------
    table : DataFrame
        One row per finding: ``rule, severity`` (error, warning, info), ``account_id``, ``record_id`` (the opportunity,
        contact or rep, where it is not the account), ``column, found, remedy, criterion`` (the amount it bears on),
        ``amount`` (how much of it), ``repairable``.
    families : DataFrame
        ``account_id, ultimate_parent, depth, family_size``.
    value : str
        The leading amount.
    total : float
        Its sum over all accounts.
    n_accounts : int
    as_of : Timestamp
    currency : str
    owners : DataFrame
        ``owner, team`` of each finding, in the order of the table.
    """

    table: pd.DataFrame
    families: pd.DataFrame = field(repr=False)
    value: str
    total: float
    n_accounts: int
    as_of: pd.Timestamp
    currency: str = ""
    owners: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    _rows: NDArray[np.int64] = field(default_factory=lambda: np.array([], dtype=np.int64), repr=False)
    _changes: tuple[tuple[tuple[str, object], ...], ...] = field(default=(), repr=False)
    _ids: NDArray[np.object_] = field(default_factory=lambda: np.array([], dtype=object), repr=False)
    _id_column: str = field(default="account_id", repr=False)

    @property
    def ok(self) -> bool:
        """Whether there is no error and no warning."""
        return not bool((self.table["severity"] != "info").any())

    @property
    def by_rule(self) -> pd.DataFrame:
        """Return per rule: severity, findings, accounts, amount, repairable; errors first, then by amount."""
        grouped = self.table.groupby(["rule", "severity", "criterion"], sort=True)
        out = grouped.agg(
            findings=("rule", "size"),
            accounts=("account_id", "nunique"),
            amount=("amount", "sum"),
            repairable=("repairable", "sum"),
        ).reset_index()
        rank = out["severity"].map({"error": 0, "warning": 1, "info": 2})
        order = np.lexsort((out["rule"].to_numpy(dtype=str), -out["amount"].to_numpy(dtype=float), rank.to_numpy()))
        return out.iloc[order].reset_index(drop=True)

    @property
    def by_owner(self) -> pd.DataFrame:
        """Return the number of findings per owner (rows) and severity (columns); owner "" is nobody."""
        return self._counted("owner")

    @property
    def by_team(self) -> pd.DataFrame:
        """Return the number of findings per team (rows) and severity (columns)."""
        return self._counted("team")

    def _counted(self, column: str) -> pd.DataFrame:
        counts = pd.crosstab(self.owners[column], self.table["severity"]).reindex(
            columns=["error", "warning", "info"], fill_value=0
        )
        counts.columns.name = None
        counts["findings"] = counts.sum(axis=1)
        return counts.sort_index().sort_values("findings", ascending=False, kind="stable").reset_index()

    def summary(self) -> str:
        """Return one screen of text."""
        lines = [f"Records of {self.n_accounts:,} accounts as of {self.as_of:%Y-%m-%d}: {len(self.table):,} findings"]
        if self.table.empty:
            return "\n".join(lines)
        lines += ["", f"{'rule':<26}{'severity':<10}{'findings':>9}{'repairs':>9}{'amount touched':>18}  of"]
        for row in self.by_rule.head(25).to_dict("records"):
            share = f" ({percent_text(row['amount'] / self.total)})" if self._shares(row["criterion"]) else ""
            lines.append(
                f"{row['rule']:<26}{row['severity']:<10}{row['findings']:>9,}{row['repairable']:>9,}"
                f"{amount_text(row['amount'], self.currency):>18}  {row['criterion']}{share}"
            )
        worst = self.by_owner[self.by_owner["owner"] != ""].head(3)
        if len(worst):
            named = ", ".join(f"{o} ({n:,})" for o, n in zip(worst["owner"], worst["findings"], strict=True))
            lines += ["", f"most findings: {named}"]
        return "\n".join(lines)

    def _shares(self, criterion: object) -> bool:
        return criterion == self.value and self.total > 0

    def __str__(self) -> str:
        return self.summary()

    @takes_tables("accounts", either=("accept",))
    def apply(self, accounts: pd.DataFrame, accept: Sequence[str] | pd.DataFrame) -> Repair:
        """Return a repaired copy of the accounts, and what was changed.

        Parameters
        ----------
        accounts : DataFrame
            The table that was inspected, with the same rows in the same order.
        accept : sequence of str or DataFrame
            Names of rules whose repairs are made, or rows of `table`. Findings without a repair change nothing and
            are listed in `Repair.skipped`, as are second repairs of one cell (the rule that comes first in the
            catalog wins).

        Returns
        -------
        Repair

        Raises
        ------
        DataError
            Another table, or a rule that does not exist.

        Notes
        -----
        Nothing is changed unasked; ``repair.undo()`` gives back what went in, cell for cell.
        """
        found = Findings()
        same = isinstance(accounts, pd.DataFrame) and self._id_column in accounts.columns
        if same:
            ids = id_text(accounts[self._id_column]).str.strip().to_numpy(dtype=object)
            same = len(ids) == len(self._ids) and bool((ids == self._ids).all())
        if not same:
            remedy = "Pass the same rows in the same order, or inspect the new table."
            found.add("`accounts`", "must be the table that was inspected", remedy=remedy)
        take = self._accepted(accept, found)
        found.raise_if_any()
        return change_cells(accounts, self.table, self._rows, self._changes, take)

    def _accepted(self, accept: Sequence[str] | pd.DataFrame, found: Findings) -> NDArray[np.bool_]:
        if isinstance(accept, pd.DataFrame):
            known = accept.index.isin(self.table.index)
            if not known.all():
                found.add("`accept`", "must hold rows of the findings", rows=accept.index[~known])
            return np.asarray(self.table.index.isin(accept.index), dtype=bool)
        if isinstance(accept, str):
            raise DataError(f"`accept` must be a list of rules, got the text '{accept}'. Write accept=['{accept}'].")
        from gtm_opt.records.rules import CATALOG

        unknown = [rule for rule in accept if rule not in CATALOG]
        if unknown:
            remedy = did_you_mean(unknown[0], CATALOG, shown=40)
            found.add("`accept`", "must name rules", got=shorten(unknown), remedy=remedy)
        return np.asarray(self.table["rule"].isin(list(accept)), dtype=bool)
