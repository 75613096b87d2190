"""Validation of the balance criteria against the account table and the territories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import number_text, shorten
from gtm_opt.model.balance import Balance, Count, Limit, Mix
from gtm_opt.model.tables import did_you_mean, id_text, number_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.errors import Findings
    from gtm_opt.model.balance import Criterion
    from gtm_opt.model.problem import CarvingProblem

__all__ = ["check_criterion", "check_names", "check_unique", "no_column"]


def check_criterion(problem: CarvingProblem, criterion: Criterion, ids: pd.Index, found: Findings) -> None:
    """Record what is wrong with one criterion: its columns, shares and limits."""
    accounts = problem.accounts
    if isinstance(criterion, Count):
        check_names(criterion.shares, problem, "Count shares", found, whole=True)
    elif isinstance(criterion, Mix):
        _check_mix(problem, criterion, found)
    elif isinstance(criterion, Balance | Limit):
        if criterion.by_territory is not None:
            _check_matrix(criterion.by_territory, problem, ids, criterion.column, found)
        elif not (isinstance(criterion, Limit) and criterion.column == "accounts"):
            numbers = number_column(accounts, criterion.column, found)
            if numbers is not None and isinstance(criterion, Balance) and float(numbers.sum()) == 0.0:
                _nothing_to_balance(f"accounts['{criterion.column}']", found)
        if isinstance(criterion, Balance):
            check_names(criterion.shares, problem, f"Balance('{criterion.column}') shares", found, whole=True)
        else:
            _check_limit(criterion, problem, found)


def _nothing_to_balance(where: str, found: Findings) -> None:
    found.add(
        where,
        "must have a positive total",
        got="only zeros",
        remedy="There is nothing to balance: drop the criterion, or name another column.",
    )


def _check_limit(limit: Limit, problem: CarvingProblem, found: Findings) -> None:
    where = f"Limit('{limit.column}')"
    sides = []
    for side, none in ((limit.at_least, 0.0), (limit.at_most, np.inf)):
        if isinstance(side, Mapping):
            check_names(side, problem, where, found, whole=False)
            sides.append(_by_position(side, problem, none))
        else:
            sides.append(np.full(problem.territories.count, none if side is None else float(side)))
    least, most = sides
    names = np.array(problem.territories.names, dtype=object)
    wrong = ~(least >= 0) | ~(most >= 0)
    if wrong.any():
        found.add(where, "must be numbers >= 0", rows=names[wrong], kind="territory", remedy="Correct the limits.")
    crossed = least > most
    if crossed.any():
        first = int(np.flatnonzero(crossed)[0])
        found.add(
            where,
            "must not ask for more than it allows",
            got=f"at_least {number_text(least[first])} and at_most {number_text(most[first])}",
            rows=names[crossed],
            kind="territory",
            remedy="Swap or correct the two.",
        )


def _by_position(given: Mapping[str, float], problem: CarvingProblem, none: float) -> NDArray[np.float64]:
    known = problem.territories.position
    out = np.full(problem.territories.count, none)
    for name, value in given.items():
        if name in known:
            out[known[name]] = value
    return out


def no_column(problem: CarvingProblem, column: str, found: Findings) -> None:
    """Record that the accounts lack a column."""
    remedy = did_you_mean(column, problem.accounts.columns)
    found.add(f"accounts['{column}']", "must exist", got="no such column", remedy=remedy)


def _check_mix(problem: CarvingProblem, mix: Mix, found: Findings) -> None:
    accounts = problem.accounts
    if mix.column not in accounts.columns:
        no_column(problem, mix.column, found)
        return
    distinct = accounts[mix.column].nunique(dropna=False)
    if distinct > mix.max_categories:
        found.add(
            f"Mix('{mix.column}')",
            f"needs a column of at most {mix.max_categories} categories",
            got=f"{distinct:,} values",
            remedy="Group them into classes first, or raise max_categories.",
        )
    if mix.value is not None:
        number_column(accounts, mix.value, found)


def check_names(
    shares: Mapping[str, float] | None, problem: CarvingProblem, what: str, found: Findings, *, whole: bool
) -> None:
    """Record names that are no territories and, of ``whole`` shares, what is missing or does not sum to 1."""
    if shares is None:
        return
    known = problem.territories.position
    unknown = [name for name in shares if name not in known]
    if unknown:
        found.add(
            what,
            "must name known territories",
            rows=unknown,
            kind="name",
            remedy=did_you_mean(unknown[0], problem.territories.names),
        )
    if not whole:
        return
    missing = set(range(problem.territories.count)) - {known[n] for n in shares if n in known}
    if missing:
        found.add(
            what,
            "must name every territory",
            got="no share",
            rows=[problem.territories.names[k] for k in sorted(missing)],
            kind="territory",
            remedy="Add the missing shares.",
        )
    values = np.array(list(shares.values()), dtype=float)
    if not (values > 0).all() or not abs(values.sum() - 1.0) <= 1e-6:
        found.add(
            what,
            "must be positive and sum to 1",
            got=f"{shorten([f'{v:g}' for v in values], shown=12)}, sum {values.sum():.6g}",
            remedy="Divide them by their sum.",
        )


def _check_matrix(matrix: pd.DataFrame, problem: CarvingProblem, ids: pd.Index, column: str, found: Findings) -> None:
    where = f"by_territory of '{column}'"
    index = pd.Index(matrix.index.astype(str))
    missing = ids[~id_text(problem.accounts[problem.account_id]).str.strip().isin(index).to_numpy()]
    if len(missing):
        found.add(
            where, "needs a row for every account", rows=missing, kind="account", remedy="Index it by account id."
        )
    check_unique(index, where, found)
    absent = [t for t in problem.territories.names if t not in matrix.columns]
    if absent:
        remedy = "Name the columns like the territories."
        found.add(where, "needs a column for every territory", rows=absent, kind="territory", remedy=remedy)
    present = [t for t in problem.territories.names if t in matrix.columns]
    numbers = matrix[present].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float)
    wrong = ~((numbers >= 0) & np.isfinite(numbers)).all(axis=1)
    if wrong.any():
        found.add(where, "must hold numbers >= 0", rows=index[wrong], remedy="Correct these rows.")
    elif float(numbers.sum()) == 0.0:
        _nothing_to_balance(where, found)


def check_unique(index: pd.Index, where: str, found: Findings) -> None:
    """Record rows that a table of the user has several times."""
    if index.has_duplicates:
        found.add(
            where,
            "must have one row each",
            got="repeated rows",
            rows=index[index.duplicated()].unique(),
            remedy="Keep one of them.",
        )
