"""Second stage of validation: cross-references between accounts, territories and rules.

Turns ids into positions while it checks them, so that nothing is looked up twice. All
findings are recorded; the problem raises them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import shorten
from gtm_opt.model.balance import Balance, Count, Limit, Mix
from gtm_opt.model.families import family_labels, singletons
from gtm_opt.model.preferences import Fit, KeepOwner, Near
from gtm_opt.model.rules import Forbid, KeepApart, KeepTogether, MaxMoved, Pin
from gtm_opt.model.tables import did_you_mean, number_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.errors import Findings
    from gtm_opt.model.balance import Criterion
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
    barred : tuple of two ndarrays of int
        Account and territory positions of forbidden pairs.
    apart : tuple of ndarray of int
        Account positions of each group.
    home : dict of str to ndarray of int
        Per owner column: territory position of the present owner, -1: nobody's.
    """

    ids: pd.Index
    family: NDArray[np.int64]
    pinned: NDArray[np.int64]
    barred: tuple[NDArray[np.int64], NDArray[np.int64]]
    apart: tuple[NDArray[np.int64], ...]
    home: dict[str, NDArray[np.int64]]


def resolve(problem: CarvingProblem, found: Findings) -> Resolved:
    """Check every cross-reference of ``problem`` and return positions."""
    ids = pd.Index(problem.accounts[problem.account_id].astype(str))
    for criterion in problem.balance:
        _check_criterion(problem, criterion, ids, found)
    home = _resolve_owners(problem, ids, found)
    for preference in problem.prefer:
        if isinstance(preference, Fit):
            _check_fit(problem, preference, found)
        elif isinstance(preference, Near):
            _check_near(problem, preference, found)
        if preference.value is not None:
            number_column(problem.accounts, preference.value, found)
    family = _resolve_families(problem, ids, found)
    pinned = _resolve_pins(problem, ids, found)
    barred = _resolve_forbids(problem, ids, found)
    apart = _resolve_apart(problem, ids, found)
    _check_contradictions(problem, ids, family, pinned, barred, apart, found)
    return Resolved(ids, family, pinned, barred, apart, home)


# -- criteria ---------------------------------------------------------------------


def _check_criterion(problem: CarvingProblem, criterion: Criterion, ids: pd.Index, found: Findings) -> None:
    accounts = problem.accounts
    if isinstance(criterion, Count):
        _check_names(criterion.shares, problem, "Count shares", found, whole=True)
    elif isinstance(criterion, Mix):
        _check_mix(accounts, criterion, found)
    elif isinstance(criterion, Balance | Limit):
        if criterion.by_territory is not None:
            _check_matrix(criterion.by_territory, problem, ids, criterion.column, found)
        elif not (isinstance(criterion, Limit) and criterion.column == "accounts"):
            numbers = number_column(accounts, criterion.column, found)
            if numbers is not None and isinstance(criterion, Balance) and len(numbers) and float(numbers.sum()) == 0.0:
                found.add(
                    f"accounts['{criterion.column}']",
                    "must have a positive total",
                    got="only zeros",
                    remedy="There is nothing to balance: drop the criterion, or name another column.",
                )
        if isinstance(criterion, Balance):
            _check_names(criterion.shares, problem, f"Balance('{criterion.column}') shares", found, whole=True)
        else:
            for side in (criterion.at_most, criterion.at_least):
                if isinstance(side, Mapping):
                    _check_names(side, problem, f"Limit('{criterion.column}')", found, whole=False)


def _check_mix(accounts: pd.DataFrame, mix: Mix, found: Findings) -> None:
    if mix.column not in accounts.columns:
        found.add(
            f"accounts['{mix.column}']",
            "must exist",
            got="no such column",
            remedy=did_you_mean(mix.column, accounts.columns),
        )
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


def _check_names(
    shares: Mapping[str, float] | None, problem: CarvingProblem, what: str, found: Findings, *, whole: bool
) -> None:
    if shares is None:
        return
    known = problem.territories.position
    unknown = [name for name in shares if name not in known]
    if unknown:
        found.add(
            what,
            "must name known territories",
            rows=unknown,
            remedy=did_you_mean(unknown[0], problem.territories.names),
        )
    if not whole:
        return
    missing = set(range(problem.territories.count)) - {known[n] for n in shares if n in known}
    if missing:
        found.add(
            what,
            "must name every territory",
            got=f"{len(missing)} missing",
            rows=[problem.territories.names[k] for k in sorted(missing)],
        )
    total = float(sum(shares.values()))
    if abs(total - 1.0) > 1e-6 or min(shares.values()) <= 0:
        found.add(what, "must be positive and sum to 1", got=f"{total:.6g}", remedy="Divide them by their sum.")


def _check_matrix(matrix: pd.DataFrame, problem: CarvingProblem, ids: pd.Index, column: str, found: Findings) -> None:
    where = f"by_territory of '{column}'"
    missing = ids[~ids.isin(matrix.index.astype(str))]
    if len(missing):
        found.add(where, "needs a row for every account", rows=missing, remedy="Index it by account id.")
    absent = [t for t in problem.territories.names if t not in matrix.columns]
    if absent:
        found.add(
            where, "needs a column for every territory", rows=absent, remedy="Name the columns like the territories."
        )
    numbers = matrix.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float)
    wrong = ~np.isfinite(numbers).all(axis=1) | (np.nan_to_num(numbers) < 0).any(axis=1)
    if wrong.any():
        found.add(where, "must hold numbers >= 0", rows=matrix.index[wrong], remedy="Correct these rows.")


# -- preferences --------------------------------------------------------------------


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
            found.add(
                f"accounts['{column}']",
                "must exist",
                got="no such column",
                remedy=did_you_mean(column, problem.accounts.columns),
            )
            continue
        values = problem.accounts[column]
        empty = values.isna().to_numpy() | (values.astype(str).str.strip() == "").to_numpy()
        codes, owners = pd.factorize(values.astype(str).str.strip())
        position = np.array([known.get(owner, -1) for owner in owners], dtype=np.int64)
        at = position[codes]
        at[empty] = -1
        strangers = (at == -1) & ~empty
        if strangers.any() and unknown == "error":
            names = pd.unique(values[strangers].astype(str))
            found.add(
                f"accounts['{column}']",
                "must name reps of territories",
                got=f"{len(names)} unknown owners ({shorten(list(names))})",
                rows=ids[strangers],
                remedy="Correct them, empty the cell for people who left, or pass KeepOwner(..., unknown='unowned').",
            )
        home[column] = at
    return home


def _check_fit(problem: CarvingProblem, fit: Fit, found: Findings) -> None:
    known = problem.territories.position
    covered = {known[str(c)] for c in fit.scores.columns if str(c) in known}
    missing = [problem.territories.names[k] for k in range(problem.territories.count) if k not in covered]
    if missing:
        found.add(
            "Fit scores",
            "needs a column for every territory",
            rows=missing,
            remedy="Name the columns by territory or rep id.",
        )
    column = fit.by if fit.by is not None else problem.account_id
    if column not in problem.accounts.columns:
        found.add(f"accounts['{column}']", "must exist", remedy=did_you_mean(column, problem.accounts.columns))
    else:
        values = problem.accounts[column].astype(str)
        lost = pd.unique(values[~values.isin(fit.scores.index.astype(str))])
        if len(lost):
            found.add(
                "Fit scores",
                f"needs a row for every value of '{column}'",
                rows=lost,
                remedy="Add the rows (0 where nobody fits).",
            )
    numbers = fit.scores.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float)
    wrong = ~((numbers >= 0) & (numbers <= 1)).all(axis=1)
    if wrong.any():
        found.add(
            "Fit scores",
            "must lie between 0 and 1",
            rows=fit.scores.index[wrong],
            remedy="Scale them: 1 suits perfectly.",
        )


def _check_near(problem: CarvingProblem, near: Near, found: Findings) -> None:
    number_column(problem.accounts, near.lat, found, negative=True)
    number_column(problem.accounts, near.lon, found, negative=True)
    if near.centers is not None:
        _check_names({k: 1.0 for k in near.centers}, problem, "Near centers", found, whole=False)
        known = problem.territories.position
        missing = set(range(problem.territories.count)) - {known[n] for n in near.centers if n in known}
        if missing:
            found.add(
                "Near centers",
                "needs a center for every territory",
                rows=[problem.territories.names[k] for k in sorted(missing)],
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


# -- rules ----------------------------------------------------------------------------


def _resolve_families(problem: CarvingProblem, ids: pd.Index, found: Findings) -> NDArray[np.int64]:
    rules = [r for r in problem.rules if isinstance(r, KeepTogether)]
    labels = singletons(len(ids))
    for rule in rules:
        if rule.column not in problem.accounts.columns:
            found.add(
                f"accounts['{rule.column}']",
                "must exist",
                got="no such column",
                remedy=did_you_mean(rule.column, problem.accounts.columns),
            )
            continue
        own = family_labels(ids, problem.accounts[rule.column], f"accounts['{rule.column}']", found)
        labels = own if len(rules) == 1 else _join(labels, own)
    return labels


def _join(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the labels of the finest partition coarser than both."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    size = int(a.max()) + 1
    graph = coo_array((np.ones(len(a), dtype=np.int8), (a, size + b)), shape=(size + int(b.max()) + 1,) * 2)
    _, component = connected_components(graph, directed=False)
    return pd.factorize(component[a])[0].astype(np.int64)


def _resolve_pins(problem: CarvingProblem, ids: pd.Index, found: Findings) -> NDArray[np.int64]:
    pinned = np.full(len(ids), -1, dtype=np.int64)
    known = problem.territories.position
    for rule in problem.rules:
        if not isinstance(rule, Pin):
            continue
        names = [str(a) for a in rule.accounts]
        at = ids.get_indexer(pd.Index(names))
        lost = [n for n, i in zip(names, at, strict=True) if i < 0]
        if lost:
            found.add(
                "Pin", "must name known accounts", rows=lost, remedy=did_you_mean(lost[0], ids[:100_000], shown=3)
            )
        wrong = [f"{a} -> {t}" for a, t in rule.accounts.items() if str(t) not in known]
        if wrong:
            found.add(
                "Pin",
                "must name known territories",
                rows=wrong,
                remedy=did_you_mean(wrong[0].split(" -> ")[1], problem.territories.names),
            )
        to = np.array([known.get(str(t), -1) for t in rule.accounts.values()], dtype=np.int64)
        usable = (at >= 0) & (to >= 0)
        again = usable & (pinned[at] >= 0) & (pinned[at] != to)
        if again.any():
            found.add("Pin", "must not pin an account twice", rows=ids[at[again]], remedy="Keep one of the two pins.")
        pinned[at[usable]] = to[usable]
    return pinned


def _resolve_forbids(
    problem: CarvingProblem, ids: pd.Index, found: Findings
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    known = problem.territories.position
    units: list[NDArray[np.int64]] = []
    territories: list[NDArray[np.int64]] = []
    for rule in problem.rules:
        if not isinstance(rule, Forbid):
            continue
        pairs = [(str(a), str(t)) for a, t in rule.pairs]
        wrong = [f"{a} -> {t}" for a, t in pairs if t not in known]
        if wrong:
            found.add(
                "Forbid",
                "must name known territories",
                rows=wrong,
                remedy=did_you_mean(wrong[0].split(" -> ")[1], problem.territories.names),
            )
        pairs = [(a, t) for a, t in pairs if t in known]
        if rule.by is None:
            at = ids.get_indexer(pd.Index([a for a, _ in pairs], dtype=object))
            lost = [a for (a, _), i in zip(pairs, at, strict=True) if i < 0]
            if lost:
                found.add(
                    "Forbid",
                    "must name known accounts",
                    rows=lost,
                    remedy=did_you_mean(lost[0], ids[:100_000], shown=3),
                )
            units.append(at[at >= 0].astype(np.int64))
            territories.append(
                np.array([known[t] for (_, t), i in zip(pairs, at, strict=True) if i >= 0], dtype=np.int64)
            )
        elif rule.by not in problem.accounts.columns:
            found.add(f"accounts['{rule.by}']", "must exist", remedy=did_you_mean(rule.by, problem.accounts.columns))
        else:
            values = problem.accounts[rule.by].astype(str).to_numpy()
            for value, territory in pairs:
                hit = np.flatnonzero(values == value)
                if not len(hit):
                    found.add(
                        "Forbid",
                        f"must name values of '{rule.by}'",
                        rows=[value],
                        remedy=did_you_mean(value, pd.unique(values)),
                    )
                units.append(hit.astype(np.int64))
                territories.append(np.full(len(hit), known[territory], dtype=np.int64))
    if not units:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    both = np.unique(np.stack([np.concatenate(units), np.concatenate(territories)], axis=1), axis=0)
    return both[:, 0].copy(), both[:, 1].copy()


def _resolve_apart(problem: CarvingProblem, ids: pd.Index, found: Findings) -> tuple[NDArray[np.int64], ...]:
    out = []
    for rule in problem.rules:
        if not isinstance(rule, KeepApart):
            continue
        for group in rule.groups:
            names = [str(a) for a in group]
            at = ids.get_indexer(pd.Index(names))
            lost = [n for n, i in zip(names, at, strict=True) if i < 0]
            if lost:
                found.add(
                    "KeepApart",
                    "must name known accounts",
                    rows=lost,
                    remedy=did_you_mean(lost[0], ids[:100_000], shown=3),
                )
            members = np.unique(at[at >= 0]).astype(np.int64)
            if len(members) > problem.territories.count:
                found.add(
                    "KeepApart",
                    f"groups can have at most {problem.territories.count} accounts, one per territory",
                    got=f"a group of {len(members)}",
                    rows=names,
                    remedy="Split the group.",
                )
            if len(members) > 1:
                out.append(members)
    return tuple(out)


def _check_contradictions(
    problem: CarvingProblem,
    ids: pd.Index,
    family: NDArray[np.int64],
    pinned: NDArray[np.int64],
    barred: tuple[NDArray[np.int64], NDArray[np.int64]],
    apart: tuple[NDArray[np.int64], ...],
    found: Findings,
) -> None:
    names = problem.territories.names
    both = pinned[barred[0]] == barred[1]
    if both.any():
        rows = [f"{ids[i]} -> {names[k]}" for i, k in zip(barred[0][both], barred[1][both], strict=True)]
        found.add("Pin and Forbid", "must not contradict each other", rows=rows, remedy="Drop the pin or the forbid.")
    fixed = np.flatnonzero(pinned >= 0)
    pairs = pd.DataFrame({"family": family[fixed], "territory": pinned[fixed]}).drop_duplicates()
    torn = pairs["family"][pairs["family"].duplicated()].unique()
    if len(torn):
        members = fixed[np.isin(family[fixed], torn)]
        rows = [f"{ids[i]} -> {names[pinned[i]]}" for i in members]
        found.add(
            "Pin and KeepTogether",
            "must not pull a family apart",
            rows=rows,
            remedy="Pin the members of a family to the same territory.",
        )
    forced = pd.Series(pinned[fixed], index=family[fixed])
    forced = forced[~forced.index.duplicated()]
    home = forced.reindex(family[barred[0]]).to_numpy()
    clash = (home == barred[1]) & ~both
    if clash.any():
        rows = [f"{ids[i]} -> {names[k]}" for i, k in zip(barred[0][clash], barred[1][clash], strict=True)]
        found.add(
            "Pin, Forbid and KeepTogether",
            "must not contradict each other",
            got="a relative is pinned where the account is forbidden",
            rows=rows,
            remedy="Drop the pin or the forbid.",
        )
    _check_nowhere_left(problem, ids, family, barred, found)
    for group in apart:
        if len(np.unique(family[group])) < len(group):
            found.add(
                "KeepApart and KeepTogether",
                "must not name accounts of one family",
                rows=ids[group],
                remedy="Take one of them out of the group, or out of the family.",
            )
        at = pinned[group][pinned[group] >= 0]
        if len(np.unique(at)) < len(at):
            found.add(
                "KeepApart and Pin",
                "must not pin two accounts of a group to one territory",
                rows=ids[group],
                remedy="Move one of the pins.",
            )


def _check_nowhere_left(
    problem: CarvingProblem,
    ids: pd.Index,
    family: NDArray[np.int64],
    barred: tuple[NDArray[np.int64], NDArray[np.int64]],
    found: Findings,
) -> None:
    pairs = pd.DataFrame({"family": family[barred[0]], "territory": barred[1]}).drop_duplicates()
    lost = pairs.groupby("family")["territory"].size()
    lost = lost[lost >= problem.territories.count]
    if len(lost):
        first = pd.Series(np.arange(len(family))).groupby(family).first()
        found.add(
            "Forbid",
            "must leave at least one territory for every account",
            rows=[str(ids[first[f]]) for f in lost.index],
            remedy="Allow a territory for these accounts (families count as one).",
        )
