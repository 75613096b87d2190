"""Validation of the rules: ids become positions, and rules that contradict each other are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gtm_opt.model.families import family_labels, singletons
from gtm_opt.model.resolve_balance import no_column
from gtm_opt.model.rules import Forbid, KeepApart, KeepTogether, Pin
from gtm_opt.model.spelling import likely_spelling
from gtm_opt.model.tables import did_you_mean, label_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.errors import Findings
    from gtm_opt.model.problem import CarvingProblem

__all__ = ["check_contradictions", "resolve_apart", "resolve_families", "resolve_forbids", "resolve_pins"]

_SEARCHED = 20_000  # this many ids are looked through for a similar one


def resolve_families(problem: CarvingProblem, ids: pd.Index, found: Findings) -> NDArray[np.int64]:
    """Return the family label of each account."""
    rules = [r for r in problem.rules if isinstance(r, KeepTogether)]
    labels = singletons(len(ids))
    for rule in rules:
        if rule.column not in problem.accounts.columns:
            no_column(problem, rule.column, found)
            continue
        own = family_labels(ids, problem.accounts[rule.column], rule, found)
        labels = own if len(rules) == 1 else _join(labels, own)
    return labels


def _join(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the labels of the finest partition coarser than both."""
    size = int(a.max()) + 1
    graph = coo_array((np.ones(len(a), dtype=np.int8), (a, size + b)), shape=(size + int(b.max()) + 1,) * 2)
    _, component = connected_components(graph, directed=False)
    return pd.factorize(component[a])[0].astype(np.int64)


def resolve_pins(problem: CarvingProblem, ids: pd.Index, found: Findings) -> NDArray[np.int64]:
    """Return the territory position each account is pinned to, -1 where it is free."""
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
                "Pin",
                "must name known accounts",
                rows=lost,
                kind="account",
                remedy=likely_spelling(lost, set(ids)) or did_you_mean(lost[0], ids[:_SEARCHED], shown=3),
            )
        wrong = [f"{a} -> {t}" for a, t in rule.accounts.items() if str(t) not in known]
        if wrong:
            found.add(
                "Pin",
                "must name known territories",
                rows=wrong,
                kind="pair",
                remedy=did_you_mean(wrong[0].split(" -> ")[1], problem.territories.names),
            )
        to = np.array([known.get(str(t), -1) for t in rule.accounts.values()], dtype=np.int64)
        usable = (at >= 0) & (to >= 0)
        again = usable & (pinned[at] >= 0) & (pinned[at] != to)
        if again.any():
            found.add(
                "Pin",
                "must not pin an account twice",
                rows=ids[at[again]],
                kind="account",
                remedy="Keep one of the two pins.",
            )
        pinned[at[usable]] = to[usable]
    return pinned


def resolve_forbids(
    problem: CarvingProblem, ids: pd.Index, found: Findings
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the account and territory positions of all forbidden pairs."""
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
                kind="pair",
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
                    kind="account",
                    remedy=did_you_mean(lost[0], ids[:_SEARCHED], shown=3),
                )
            units.append(at[at >= 0].astype(np.int64))
            territories.append(
                np.array([known[t] for (_, t), i in zip(pairs, at, strict=True) if i >= 0], dtype=np.int64)
            )
        elif rule.by not in problem.accounts.columns:
            no_column(problem, rule.by, found)
        else:
            values = label_text(problem.accounts[rule.by]).to_numpy()
            for value, territory in pairs:
                hit = np.flatnonzero(values == value)
                if not len(hit):
                    found.add(
                        "Forbid",
                        f"must name values of '{rule.by}'",
                        rows=[value],
                        kind="value",
                        remedy=did_you_mean(value, pd.unique(values)),
                    )
                units.append(hit.astype(np.int64))
                territories.append(np.full(len(hit), known[territory], dtype=np.int64))
    if not units:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    both = np.unique(np.stack([np.concatenate(units), np.concatenate(territories)], axis=1), axis=0)
    return both[:, 0].copy(), both[:, 1].copy()


def resolve_apart(problem: CarvingProblem, ids: pd.Index, found: Findings) -> tuple[NDArray[np.int64], ...]:
    """Return the account positions of each group that must be kept apart."""
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
                    kind="account",
                    remedy=did_you_mean(lost[0], ids[:_SEARCHED], shown=3),
                )
            members = np.unique(at[at >= 0]).astype(np.int64)
            if len(members) > problem.territories.count:
                found.add(
                    "KeepApart",
                    f"groups can have at most {problem.territories.count} accounts, one per territory",
                    got=f"a group of {len(members)}",
                    rows=names,
                    kind="account",
                    remedy="Split the group.",
                )
            if len(members) > 1:
                out.append(members)
    return tuple(out)


def check_contradictions(
    problem: CarvingProblem,
    ids: pd.Index,
    family: NDArray[np.int64],
    pinned: NDArray[np.int64],
    forbidden: tuple[NDArray[np.int64], NDArray[np.int64]],
    apart: tuple[NDArray[np.int64], ...],
    found: Findings,
) -> None:
    """Record rules that cannot hold together."""
    names = problem.territories.names
    both = pinned[forbidden[0]] == forbidden[1]
    if both.any():
        rows = [f"{ids[i]} -> {names[k]}" for i, k in zip(forbidden[0][both], forbidden[1][both], strict=True)]
        found.add(
            "Pin and Forbid",
            "must not contradict each other",
            rows=rows,
            kind="pair",
            remedy="Drop the pin or the forbid.",
        )
    fixed = np.flatnonzero(pinned >= 0)
    pairs = pd.DataFrame({"family": family[fixed], "territory": pinned[fixed]}).drop_duplicates()
    torn = pairs["family"][pairs["family"].duplicated()].unique()
    if len(torn):
        members = fixed[np.isin(family[fixed], torn)]
        rows = [f"{ids[i]} -> {names[pinned[i]]}" for i in members]
        found.add(
            "Pin and KeepTogether",
            "must not split a family",
            rows=rows,
            kind="pair",
            remedy="Pin the members of a family to the same territory.",
        )
    forced = pd.Series(pinned[fixed], index=family[fixed])
    forced = forced[~forced.index.duplicated()]
    home = forced.reindex(family[forbidden[0]]).to_numpy()
    clash = (home == forbidden[1]) & ~both
    if clash.any():
        rows = [f"{ids[i]} -> {names[k]}" for i, k in zip(forbidden[0][clash], forbidden[1][clash], strict=True)]
        found.add(
            "Pin, Forbid and KeepTogether",
            "must not contradict each other",
            got="a relative is pinned where the account is forbidden",
            rows=rows,
            kind="pair",
            remedy="Drop the pin or the forbid.",
        )
    _check_nowhere_left(problem, ids, family, forbidden, found)
    for group in apart:
        if len(np.unique(family[group])) < len(group):
            found.add(
                "KeepApart and KeepTogether",
                "must not name accounts of one family",
                rows=ids[group],
                kind="account",
                remedy="Take one of them out of the group, or out of the family.",
            )
        at = pinned[group][pinned[group] >= 0]
        if len(np.unique(at)) < len(at):
            found.add(
                "KeepApart and Pin",
                "must not pin two accounts of a group to one territory",
                rows=ids[group],
                kind="account",
                remedy="Move one of the pins.",
            )


def _check_nowhere_left(
    problem: CarvingProblem,
    ids: pd.Index,
    family: NDArray[np.int64],
    forbidden: tuple[NDArray[np.int64], NDArray[np.int64]],
    found: Findings,
) -> None:
    pairs = pd.DataFrame({"family": family[forbidden[0]], "territory": forbidden[1]}).drop_duplicates()
    lost = pairs.groupby("family")["territory"].size()
    lost = lost[lost >= problem.territories.count]
    if len(lost):
        first = pd.Series(np.arange(len(family))).groupby(family).first()
        found.add(
            "Forbid",
            "must leave at least one territory for every account",
            rows=[str(ids[first[f]]) for f in lost.index],
            kind="account",
            remedy="Allow a territory for these accounts (families count as one).",
        )
