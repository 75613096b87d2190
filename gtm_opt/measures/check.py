"""The independent checker: recomputes everything about a plan, wherever it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings, number_text, percent_text, shorten
from gtm_opt.measures.balance import balance_table, criterion_table, territory_positions
from gtm_opt.measures.disruption import disruption_table, moved_value, preference_table
from gtm_opt.model import MaxMoved
from gtm_opt.model.frames import as_frame, takes_tables
from gtm_opt.model.problem import require_problem
from gtm_opt.model.tables import did_you_mean, id_text

if TYPE_CHECKING:
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
        count = len(self.violations)
        lines = [f"{count:,} violation{'s' if count > 1 else ''}:"]
        first = self.violations.head(20)
        lines += [f"- {rule}: {detail}" for rule, detail in zip(first["rule"], first["detail"], strict=True)]
        if count > len(first):
            lines.append(f"and {count - len(first):,} more")
        return "\n".join(lines)


@takes_tables(either=("assignment",))
def read_assignment(problem: CarvingProblem, assignment: pd.DataFrame | pd.Series | Mapping[str, str]) -> pd.Series:
    """Return the territory name per account id, checked against the problem.

    Parameters
    ----------
    problem : CarvingProblem
    assignment : DataFrame, Series or mapping
        A table with the columns ``account_id`` (or the problem's own) and ``territory``, or
        territory (name or rep id) per account id.

    Raises
    ------
    DataError
        For accounts that are missing, unknown or listed twice, and unknown territories.
    """
    found = Findings()
    if isinstance(assignment, pd.DataFrame):
        key = "account_id" if "account_id" in assignment.columns else problem.account_id
        for column in (key, "territory"):
            if column not in assignment.columns:
                remedy = did_you_mean(column, assignment.columns)
                found.add(f"assignment['{column}']", "must exist", got="no such column", remedy=remedy)
        found.raise_if_any()
        index, territories = pd.Index(id_text(assignment[key])), assignment["territory"]
    else:
        if not isinstance(assignment, pd.Series | Mapping):
            assignment = as_frame(assignment, "assignment")  # refused by its name
        territories = pd.Series(assignment, dtype=object if isinstance(assignment, Mapping) else None)
        index = pd.Index(id_text(territories.index.to_series()))
    ids = problem.resolved.ids
    if index.has_duplicates:
        remedy = "Keep one row of each; split accounts are not known here."
        twice = index[index.duplicated()].unique()
        found.add("assignment", "must list every account once", rows=twice, kind="account", remedy=remedy)
    codes, labels = pd.factorize(id_text(territories).str.strip())
    known = problem.territories.position
    position = np.array([known.get(label, -2 if label else -1) for label in labels], dtype=np.int64)[codes]
    placed = index[position != -1]
    missing = ids[~ids.isin(placed)] if len(placed) != len(ids) or not placed.equals(ids) else ids[:0]
    if len(missing):
        remedy = "Give each a territory."
        found.add("assignment", "must place every account", rows=missing, kind="account", remedy=remedy)
    strange = index[~index.isin(ids)].unique() if not index.equals(ids) else index[:0]
    if len(strange):
        remedy = "Remove them, or add them to accounts."
        found.add("assignment", "must only name known accounts", rows=strange, kind="account", remedy=remedy)
    wrong = [label for label in labels if label and label not in known]
    if wrong:
        remedy = did_you_mean(wrong[0], problem.territories.names)
        found.add("assignment", "must only name known territories", rows=wrong, kind="name", remedy=remedy)
    found.raise_if_any()
    names = np.array(problem.territories.names, dtype=object)
    order = slice(None) if index.equals(ids) else index.get_indexer(ids)
    return pd.Series(names[position[order]], index=ids, name="territory")


@takes_tables(either=("assignment",))
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
    >>> accounts = pd.DataFrame({"account_id": ["a", "b", "c"], "arr": [2.0, 1.0, 1.0]})
    >>> problem = CarvingProblem(accounts, ["East", "West"], [Balance("arr")])
    >>> check(problem, {"a": "East", "b": "West", "c": "West"}).ok
    True
    """
    require_problem(problem)
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
    broken = balance[~balance["within"].astype(bool)]
    out = []
    for criterion, territory, *numbers in broken[
        ["criterion", "territory", "total", "lower", "upper", "deviation"]
    ].itertuples(index=False, name=None):
        total, lower, upper, deviation = (float(n) for n in numbers)
        side = f"above {number_text(upper)}" if total > upper else f"below {number_text(lower)}"
        over = "over" if deviation > 0 else "under"
        off = "" if np.isnan(deviation) else f", {percent_text(abs(deviation), 2)} {over} its target"
        out.append((f"band of {criterion}", territory, f"{territory} holds {number_text(total)}, {side}{off}"))
    return out


def _rule_violations(problem: CarvingProblem, at: IntArray) -> list[tuple[str, str, str]]:
    resolved, names = problem.resolved, problem.territories.names
    ids = resolved.ids.to_numpy()
    out: list[tuple[str, str, str]] = []
    for i in np.flatnonzero((resolved.pinned >= 0) & (resolved.pinned != at)):
        out.append(("pin", ids[i], f"'{ids[i]}' is pinned to {names[resolved.pinned[i]]}, but is in {names[at[i]]}"))
    account, territory = resolved.forbidden
    for i in np.flatnonzero(at[account] == territory):
        out.append(("forbid", ids[account[i]], f"'{ids[account[i]]}' must not be in {names[territory[i]]}"))
    for family in _split_families(resolved.family, at):
        text = shorten([f"{ids[i]}: {names[at[i]]}" for i in family])
        out.append(("keep together", ids[family[0]], f"a family is split: {text}"))
    for group in resolved.apart:
        here, count = np.unique(at[group], return_counts=True)
        for k in here[count > 1]:
            together = [str(ids[i]) for i in group if at[i] == k]
            out.append(("keep apart", together[0], f"{shorten(together)} are all in {names[k]}"))
    for team in resolved.teams:
        for i in np.flatnonzero((team.group >= 0) & ~team.open_to[team.group, at]):
            mine = f"{team.rule.word} {team.names[team.group[i]]}"
            text = f"'{ids[i]}' is in {mine} by rule, but {names[at[i]]} is not of its team"
            out.append((team.rule.name, ids[i], text))
    for rule in problem.rules:
        if isinstance(rule, MaxMoved):
            moved, owned = moved_value(problem, at, problem.moved_owner(rule), rule.by)
            if moved > rule.share * owned * (1 + 1e-9) + 1e-9:
                what = rule.by or "accounts"
                share = percent_text(moved / owned, 2)
                out.append((rule.name, what, f"{number_text(moved)} of {number_text(owned)} {what} move, {share}"))
    return out


def _split_families(family: IntArray, at: IntArray) -> list[IntArray]:
    """Return the account positions of every family that is not all in one territory."""
    order = np.argsort(family, kind="stable")
    start = np.concatenate([[0], np.flatnonzero(np.diff(family[order])) + 1])
    torn = np.minimum.reduceat(at[order], start) != np.maximum.reduceat(at[order], start)
    stop = np.append(start[1:], len(order))
    return [order[a:b] for a, b in zip(start[torn], stop[torn], strict=True)]
