"""The independent checker: recomputes everything about a plan, wherever it was made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings, shorten
from gtm_opt.measures.balance import balance_table, criterion_table, territory_positions
from gtm_opt.measures.disruption import disruption_table, moved_value, preference_table
from gtm_opt.model import MaxMoved
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gtm_opt.instance import IntArray
    from gtm_opt.model import CarvingProblem

__all__ = ["Check", "check", "read_assignment"]


@dataclass(frozen=True, eq=False)
class Check:
    """Everything about a plan, recomputed from the raw tables.

    Attributes
    ----------
    violations : DataFrame
        rule, where, detail; empty when the plan keeps everything.
    balance : DataFrame
        See `gtm_opt.measures.balance_table`.
    criteria : DataFrame
        See `gtm_opt.measures.criterion_table`.
    moved : DataFrame
        See `gtm_opt.measures.disruption_table`.
    preferences : DataFrame
        See `gtm_opt.measures.preference_table`.
    """

    violations: pd.DataFrame
    balance: pd.DataFrame
    criteria: pd.DataFrame
    moved: pd.DataFrame
    preferences: pd.DataFrame

    @property
    def ok(self) -> bool:
        """Whether no rule and no band is broken."""
        return len(self.violations) == 0

    @property
    def score(self) -> float:
        """Weighted sum of the preference scores, 0 is best."""
        return float((self.preferences["weight"] * self.preferences["score"]).sum())

    def __str__(self) -> str:
        if self.ok:
            return "All rules and bands hold."
        lines = [f"{len(self.violations)} violations:"]
        lines += [f"- {v.rule}: {v.detail}" for v in self.violations.head(20).itertuples()]
        return "\n".join(lines)


def read_assignment(problem: CarvingProblem, assignment: pd.DataFrame | pd.Series | Mapping[str, str]) -> pd.Series:
    """Return the territory name per account id, checked against the problem.

    Parameters
    ----------
    problem : CarvingProblem
    assignment : DataFrame, Series or mapping
        A table with the columns ``account_id`` and ``territory``, or territory (name or rep id) per
        account id.

    Raises
    ------
    DataError
        For accounts that are missing, unknown or listed twice, and unknown territories.
    """
    found = Findings()
    if isinstance(assignment, pd.DataFrame):
        for column in ("account_id", "territory"):
            if column not in assignment.columns:
                found.add(f"assignment['{column}']", "must exist", remedy=did_you_mean(column, assignment.columns))
        found.raise_if_any()
        given = pd.Series(assignment["territory"].to_numpy(), index=assignment["account_id"].astype(str))
    else:
        given = pd.Series(assignment)
        given.index = given.index.astype(str)
    ids = problem.resolved.ids
    if given.index.duplicated().any():
        found.add("assignment", "must list every account once", rows=given.index[given.index.duplicated()].unique())
    missing = ids[~ids.isin(given.index) | ids.isin(given.index[given.isna()])]
    if len(missing):
        found.add("assignment", "must place every account", rows=missing, remedy="Give each a territory.")
    strange = given.index[~given.index.isin(ids)].unique()
    if len(strange):
        found.add(
            "assignment", "must only name known accounts", rows=strange, remedy="Remove them, or add them to accounts."
        )
    known = problem.territories.position
    text = given.dropna().astype(str)
    wrong = pd.unique(text[~text.isin(list(known))])
    if len(wrong):
        found.add(
            "assignment",
            "must only name known territories",
            rows=wrong,
            remedy=did_you_mean(wrong[0], problem.territories.names),
        )
    found.raise_if_any()
    names = np.array(problem.territories.names, dtype=object)
    position = text.map(known).reindex(ids).to_numpy(dtype=np.int64)
    return pd.Series(names[position], index=ids, name="territory")


def check(problem: CarvingProblem, assignment: pd.DataFrame | pd.Series | Mapping[str, str]) -> Check:
    """Recompute everything about ``assignment`` and list what it breaks.

    Parameters
    ----------
    problem : CarvingProblem
    assignment : DataFrame, Series or mapping
        See `read_assignment`. It may come from anywhere: a spreadsheet, another tool.

    Returns
    -------
    Check

    Raises
    ------
    DataError
        When the assignment does not fit the problem's accounts and territories.

    Notes
    -----
    Shares no code with the solvers. Linear in the number of accounts.

    Examples
    --------
    >>> from gtm_opt.model import Balance, CarvingProblem
    >>> accounts = pd.DataFrame({"account_id": ["a", "b", "c"], "arr_usd": [2.0, 1.0, 1.0]})
    >>> problem = CarvingProblem(accounts, ["East", "West"], [Balance("arr_usd")])
    >>> check(problem, {"a": "East", "b": "West", "c": "West"}).ok
    True
    """
    at = territory_positions(problem, read_assignment(problem, assignment))
    balance = balance_table(problem, at)
    violations = _band_violations(balance) + _rule_violations(problem, at)
    return Check(
        violations=pd.DataFrame(violations, columns=["rule", "where", "detail"]),
        balance=balance,
        criteria=criterion_table(problem, at),
        moved=disruption_table(problem, at),
        preferences=preference_table(problem, at),
    )


def _band_violations(balance: pd.DataFrame) -> list[tuple[str, str, str]]:
    out = []
    for row in balance[~balance["within"].astype(bool)].itertuples():
        side = f"above {row.upper:,.6g}" if row.total > row.upper else f"below {row.lower:,.6g}"
        off = "" if np.isnan(row.deviation) else f" ({row.deviation:+.2%} of its target)"
        out.append(
            (f"band of {row.criterion}", str(row.territory), f"{row.territory} holds {row.total:,.6g}, {side}{off}")
        )
    return out


def _rule_violations(problem: CarvingProblem, at: IntArray) -> list[tuple[str, str, str]]:
    resolved, names = problem.resolved, problem.territories.names
    out: list[tuple[str, str, str]] = []
    wrong = np.flatnonzero((resolved.pinned >= 0) & (resolved.pinned != at))
    out += [
        (
            "pin",
            resolved.ids[i],
            f"'{resolved.ids[i]}' is pinned to {names[resolved.pinned[i]]}, but is in {names[at[i]]}",
        )
        for i in wrong
    ]
    account, territory = resolved.barred
    for i in np.flatnonzero(at[account] == territory):
        out.append(
            ("forbid", resolved.ids[account[i]], f"'{resolved.ids[account[i]]}' must not be in {names[territory[i]]}")
        )
    homes = pd.DataFrame({"family": resolved.family, "at": at}).drop_duplicates()
    for family in homes["family"][homes["family"].duplicated()].unique():
        members = np.flatnonzero(resolved.family == family)
        text = shorten([f"{resolved.ids[i]}: {names[at[i]]}" for i in members])
        out.append(("keep together", str(resolved.ids[members[0]]), f"a family is split: {text}"))
    for group in resolved.apart:
        here, count = np.unique(at[group], return_counts=True)
        for k in here[count > 1]:
            members = [str(resolved.ids[i]) for i in group if at[i] == k]
            out.append(("keep apart", members[0], f"{shorten(members)} are all in {names[k]}"))
    for rule in problem.rules:
        if isinstance(rule, MaxMoved):
            moved, owned = moved_value(problem, at, problem.moved_owner(rule), rule.by)
            if moved > rule.share * owned * (1 + 1e-9) + 1e-9:
                what = rule.by or "accounts"
                out.append((rule.name, what, f"{moved:,.6g} of {owned:,.6g} {what} move ({moved / owned:.2%})"))
    return out
