"""Second stage of validation: cross-references between accounts, territories and rules.

Turns ids into positions while it checks them, so that nothing is looked up twice. All
findings are recorded; the problem raises them together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import shorten
from gtm_opt.model.preferences import Fit, KeepOwner, Near
from gtm_opt.model.resolve_balance import check_criterion, check_names, check_unique, no_column
from gtm_opt.model.resolve_rules import (
    check_contradictions,
    resolve_apart,
    resolve_families,
    resolve_forbids,
    resolve_pins,
)
from gtm_opt.model.resolve_teams import Team, check_teams, resolve_teams
from gtm_opt.model.rules import MaxMoved
from gtm_opt.model.spelling import likely_spelling
from gtm_opt.model.tables import id_text, label_text, number_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.errors import Findings
    from gtm_opt.model.problem import CarvingProblem

__all__ = ["Resolved", "resolve"]


@dataclass(frozen=True, eq=False)
class Resolved:
    """Positions instead of ids, one entry per account.

    Attributes
    ----------
    ids : Index of str
    family : ndarray of int, shape (n_accounts,)
        Unit each account belongs to, numbered by first appearance.
    pinned : ndarray of int, shape (n_accounts,)
        Territory position, -1: free.
    forbidden : tuple of two ndarrays of int
        Account and territory positions of forbidden pairs.
    apart : tuple of ndarray of int
        Account positions of each group.
    home : dict of str to ndarray of int
        Per owner column: territory position of the present owner, -1: unassigned.
    teams : tuple of Team
        One per `Within` rule.
    """

    ids: pd.Index
    family: NDArray[np.int64]
    pinned: NDArray[np.int64]
    forbidden: tuple[NDArray[np.int64], NDArray[np.int64]]
    apart: tuple[NDArray[np.int64], ...]
    home: dict[str, NDArray[np.int64]]
    teams: tuple[Team, ...] = ()

    def take(self, order: NDArray[np.int64]) -> Resolved:
        """Return the same with the accounts in another order; every account is in ``order`` once."""
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        labels = self.family[order]
        _, first, again = np.unique(labels, return_index=True, return_inverse=True)
        number = np.empty(len(first), dtype=np.int64)
        number[np.argsort(first)] = np.arange(len(first))
        account, territory = place[self.forbidden[0]], self.forbidden[1]
        pairs = np.lexsort((territory, account))
        return Resolved(
            ids=self.ids[order],
            family=number[again.ravel()],
            pinned=self.pinned[order],
            forbidden=(account[pairs], territory[pairs]),
            apart=tuple(np.sort(place[group]) for group in self.apart),
            home={column: home[order] for column, home in self.home.items()},
            teams=tuple(replace(team, group=team.group[order]) for team in self.teams),
        )


def resolve(problem: CarvingProblem, found: Findings) -> Resolved:
    """Check every cross-reference of ``problem`` and return positions."""
    ids = pd.Index(problem.accounts.index, name=problem.account_id)
    for criterion in problem.balance:
        check_criterion(problem, criterion, ids, found)
    home = _resolve_owners(problem, ids, found)
    for preference in problem.prefer:
        if isinstance(preference, Fit):
            _check_fit(problem, preference, found)
        elif isinstance(preference, Near):
            _check_near(problem, preference, found)
        if preference.value is not None:
            number_column(problem.accounts, preference.value, found)
    for rule in problem.rules:
        if isinstance(rule, MaxMoved) and rule.by is not None:
            number_column(problem.accounts, rule.by, found)
    family = resolve_families(problem, ids, found)
    pinned = resolve_pins(problem, ids, found)
    forbidden = resolve_forbids(problem, ids, found)
    apart = resolve_apart(problem, ids, found)
    check_contradictions(problem, ids, family, pinned, forbidden, apart, found)
    teams = resolve_teams(problem, found)
    check_teams(problem, ids, teams, family, pinned, forbidden, apart, found)
    return Resolved(ids, family, pinned, forbidden, apart, home, teams)


def _owner_columns(problem: CarvingProblem) -> dict[str, str]:
    """Return the owner columns in use and how unknown owners are treated."""
    columns = {p.owner: p.unknown for p in problem.prefer if isinstance(p, KeepOwner)}
    for rule in problem.rules:
        if isinstance(rule, MaxMoved):
            columns.setdefault(problem.moved_owner(rule), "error")
    if problem.previous is not None:
        columns.setdefault(problem.previous, "error")
    return dict(columns)


def _resolve_owners(problem: CarvingProblem, ids: pd.Index, found: Findings) -> dict[str, NDArray[np.int64]]:
    known = problem.territories.position
    home: dict[str, NDArray[np.int64]] = {}
    for column, unknown in _owner_columns(problem).items():
        if column not in problem.accounts.columns:
            no_column(problem, column, found)
            continue
        codes, owners = pd.factorize(id_text(problem.accounts[column]).str.strip())
        position = np.array([known.get(owner, -1) for owner in owners], dtype=np.int64)
        at = position[codes]
        names = [owner for owner in owners if owner and owner not in known]
        if names and unknown == "error":
            strangers = np.isin(codes, pd.Index(owners).get_indexer(pd.Index(names)))
            found.add(
                f"accounts['{column}']",
                "must name reps of territories",
                got=f"{len(names)} unknown owner{'s' if len(names) > 1 else ''} ({shorten(names)})",
                rows=ids[strangers],
                remedy=" ".join(
                    text
                    for text in (
                        likely_spelling(names, set(known), "owners"),
                        "Correct them, empty the cell for people who left, or pass KeepOwner(..., unknown='unowned').",
                    )
                    if text
                ),
            )
        home[column] = at
    return home


def _check_fit(problem: CarvingProblem, fit: Fit, found: Findings) -> None:
    known = problem.territories.position
    columns = [c for c in fit.scores.columns if str(c) in known]
    covered = {known[str(c)] for c in columns}
    missing = [problem.territories.names[k] for k in range(problem.territories.count) if k not in covered]
    if missing:
        found.add(
            "Fit scores",
            "needs a column for every territory",
            rows=missing,
            kind="territory",
            remedy="Name the columns by territory or rep id.",
        )
    check_unique(fit.scores.index.astype(str), "Fit scores", found)
    column = fit.by if fit.by is not None else problem.account_id
    if column not in problem.accounts.columns:
        no_column(problem, column, found)
    else:
        values = label_text(problem.accounts[column])
        lost = pd.unique(values[~values.isin(fit.scores.index.astype(str))])
        if len(lost):
            found.add(
                "Fit scores",
                f"needs a row for every value of '{column}'",
                rows=lost,
                kind="value",
                remedy="Add the rows (0 where nobody fits); empty cells are the row '(none)'.",
            )
    numbers = fit.scores[columns].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float)
    wrong = ~((numbers >= 0) & (numbers <= 1)).all(axis=1)
    if wrong.any():
        found.add(
            "Fit scores",
            "must lie between 0 and 1",
            rows=fit.scores.index[wrong],
            remedy="Scale them: 1 suits perfectly.",
        )


def _check_near(problem: CarvingProblem, near: Near, found: Findings) -> None:
    fill = "Locate these accounts (a postal code or the city will do), or leave them out."
    number_column(problem.accounts, near.lat, found, negative=True, fill=fill)
    number_column(problem.accounts, near.lon, found, negative=True, fill=fill)
    if near.centers is not None:
        check_names({k: 1.0 for k in near.centers}, problem, "Near centers", found, whole=False)
        known = problem.territories.position
        missing = set(range(problem.territories.count)) - {known[n] for n in near.centers if n in known}
        if missing:
            found.add(
                "Near centers",
                "needs a center for every territory",
                rows=[problem.territories.names[k] for k in sorted(missing)],
                kind="territory",
                remedy="Add them, or leave centers out: they are then found along with the territories.",
            )
    if near.metric == "haversine" and near.lat in problem.accounts.columns:
        lat = pd.to_numeric(problem.accounts[near.lat], errors="coerce")
        far = lat.abs() > 90
        if far.any():
            found.add(
                f"accounts['{near.lat}']",
                "must be a latitude from -90 to 90 degrees",
                rows=problem.accounts.index[far],
                remedy="Swap the columns if longitude was named first, or use metric='euclidean'.",
            )
