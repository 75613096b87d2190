"""Levels decided by a rule or by hand: segments with teams of their own, and divisions made elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, Findings, shorten
from gtm_opt.model import MAX_BUCKETS, Balance, Count, Hierarchy, Limit, Mix, Within
from gtm_opt.model.tables import did_you_mean, id_text, label_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gtm_opt.instance import IntArray
    from gtm_opt.model import CarvingProblem, Criterion, Rule

__all__ = ["GIVEN", "Segments", "decide"]

GIVEN = "given_node"
"""Account column that ``fixed_nodes`` of `gtm_opt.carve` adds: the node of the hierarchy."""


@dataclass(frozen=True)
class Segments:
    """Segments first: each account goes to its segment's own team, each team is carved by itself.

    Pass it to `gtm_opt.carve` as ``hierarchy``.

    Attributes
    ----------
    column : str
        Account column with the segment.
    teams : mapping of str to (sequence of str or Hierarchy)
        Territories of each segment; a hierarchy where a team is divided in steps of its own.
    root : str
    max_buckets : int
        Larger teams are grouped into small carves.

    Examples
    --------
    >>> segments = Segments("segment", {"enterprise": ["E1", "E2"], "smb": ["S1", "S2", "S3"]})
    """

    column: str
    teams: Mapping[str, Sequence[str] | Hierarchy]
    root: str = "company"
    max_buckets: int = MAX_BUCKETS

    def hierarchy(self, problem: CarvingProblem) -> Hierarchy:
        """Return the hierarchy: segments below the root, teams below them."""
        names = {segment: _leaves(team) for segment, team in self.teams.items()}
        self._check_teams(problem, names)
        shares = dict(zip(problem.territories.names, problem.territories.shares, strict=True))
        nodes, parents, weights = [self.root], [None], [0.0]
        above: list[str | None] = list(parents)
        for segment, team in self.teams.items():
            node = self._node(segment)
            part = team
            if not isinstance(part, Hierarchy):
                own = [shares[name] for name in names[segment]]
                part = Hierarchy.split(names[segment], weights=own, root=node, max_buckets=self.max_buckets)
            for name, parent, weight in zip(part.nodes, part.parents, part.weights, strict=True):
                nodes.append(node if parent is None else name)
                above.append(self.root if parent is None else node if parent == part.root else parent)
                weights.append(shares.get(name, weight) if part.is_leaf(name) else 0.0)
        widest = max([self.max_buckets, len(self.teams), *_widths(self.teams)])
        return Hierarchy(tuple(nodes), tuple(above), tuple(weights), (self.root, self.column), widest)

    def nodes(self, problem: CarvingProblem) -> pd.Series:
        """Return the segment's node per account id."""
        found = Findings()
        where = f"accounts['{self.column}']"
        if self.column not in problem.accounts.columns:
            remedy = did_you_mean(self.column, problem.accounts.columns)
            found.add(where, "must exist", got="no such column", remedy=remedy)
            found.raise_if_any()
        values = pd.Series(label_text(problem.accounts[self.column]), index=problem.resolved.ids).str.strip()
        lost = values[~values.isin([str(s) for s in self.teams])]
        if len(lost):
            kinds = shorten(list(lost.drop_duplicates()))
            found.add(
                where,
                "must hold a segment that has a team",
                got=f"{len(lost):,} accounts of {kinds}",
                rows=lost.index,
                kind="account",
                remedy="Give the segment a team, or change the accounts. There are teams for: "
                f"{shorten(list(self.teams))}.",
            )
        found.raise_if_any()
        return values.map({str(s): self._node(s) for s in self.teams})

    def _node(self, segment: str) -> str:
        """Return the node of a segment; a territory of the same name stays the territory's."""
        taken = {name for team in self.teams.values() for name in _leaves(team)} | {self.root}
        return f"{self.column} {segment}" if str(segment) in taken else str(segment)

    def _check_teams(self, problem: CarvingProblem, names: Mapping[str, Sequence[str]]) -> None:
        found = Findings()
        every = pd.Series([n for team in names.values() for n in team], dtype=object)
        known = set(problem.territories.names)
        for what, wrong in (
            ("must name territories of the problem", every[~every.isin(known)]),
            ("must name each territory once", every[every.duplicated()]),
            ("must name every territory", pd.Series([n for n in problem.territories.names if n not in set(every)])),
        ):
            if len(wrong):
                found.add("Segments teams", what, rows=wrong.unique(), kind="territory", remedy="Correct the teams.")
        empty = [segment for segment, team in names.items() if not len(team)]
        if empty:
            found.add("Segments teams", "must have a territory each", rows=empty, kind="segment")
        found.raise_if_any()


def _leaves(team: Sequence[str] | Hierarchy) -> tuple[str, ...]:
    if isinstance(team, str):
        raise DataError(f"Segments teams must be lists of territories, got the text '{team}'. Put it in a list.")
    return team.leaves if isinstance(team, Hierarchy) else tuple(str(name) for name in team)


def _widths(teams: Mapping[str, Sequence[str] | Hierarchy]) -> list[int]:
    return [team.max_buckets for team in teams.values() if isinstance(team, Hierarchy)]


def decide(problem: CarvingProblem, tree: Hierarchy, given: Segments | pd.Series | Mapping[str, str]) -> CarvingProblem:
    """Return the problem with accounts held to nodes by a rule, and targets inside these nodes.

    Parameters
    ----------
    problem : CarvingProblem
    tree : Hierarchy
    given : Segments, Series or mapping of str to str
        Node per account id; accounts that are left out are free. A series or mapping becomes the account
        column `GIVEN`.

    Returns
    -------
    CarvingProblem
        With a rule `Within`, in place of one by the same column. Where every account has a node and no node
        lies below another, each criterion has shares of its own: a leaf's share within its node, of what
        that node has.
    """
    if isinstance(given, Segments):
        nodes = _node_positions(problem, tree, given.nodes(problem))
        rule: Within | None = Within({s: _leaves(team) for s, team in given.teams.items()}, given.column)
    else:
        nodes = _node_positions(problem, tree, given)
        names = np.array([*tree.nodes, None], dtype=object)
        accounts = problem.accounts.assign(**{GIVEN: names[nodes]}).reset_index(drop=True)
        problem = problem.replace(accounts=accounts, rules=_other_rules(problem, GIVEN))
        used = [str(tree.nodes[k]) for k in np.unique(nodes[nodes >= 0])]
        rule = Within({node: tree.leaves_below(node) for node in used}, GIVEN, "node") if used else None
    _check_families(problem, nodes)
    _check_pins(problem, tree, nodes)
    if rule is not None:
        problem = problem.replace(rules=(*_other_rules(problem, rule.by), rule))
    used = [tree.nodes[k] for k in np.unique(nodes[nodes >= 0])]
    apart = sum(tree.leaf_count(node) for node in used) == len({x for node in used for x in tree.leaves_below(node)})
    if (nodes < 0).any() or not apart:
        return problem
    return _own_targets(problem, tree, nodes, used)


def _other_rules(problem: CarvingProblem, column: str) -> tuple[Rule, ...]:
    return tuple(r for r in problem.rules if not (isinstance(r, Within) and r.by == column))


def _node_positions(problem: CarvingProblem, tree: Hierarchy, given: pd.Series | Mapping[str, str]) -> IntArray:
    """Return the position in ``tree.nodes`` of each account's node, -1 where it has none."""
    if isinstance(given, pd.DataFrame):
        missing = [c for c in ("account_id", "node") if c not in given.columns]
        if missing:
            raise DataError(f"`given` needs the columns 'account_id' and 'node', lacks {', '.join(missing)}.")
        given = given.set_index("account_id")["node"]
    asked = pd.Series(given)
    asked.index = pd.Index(id_text(pd.Series(asked.index)))
    found = Findings()
    strange = asked.index.difference(problem.resolved.ids, sort=False)
    if len(strange):
        found.add("fixed_nodes", "must only name known accounts", got="unknown ids", rows=strange, kind="account")
    asked = asked[~asked.index.duplicated()].reindex(problem.resolved.ids)
    at = pd.Index(tree.nodes).get_indexer(pd.Index(asked.where(asked.notna(), None).to_numpy(dtype=object)))
    unknown = asked[asked.notna().to_numpy() & (at < 0)]
    if len(unknown):
        named = shorten(list(unknown.drop_duplicates()))
        found.add("fixed_nodes", "must name nodes of the hierarchy", got=named, rows=unknown.index, kind="account")
    found.raise_if_any()
    return at.astype(np.int64)


def _check_families(problem: CarvingProblem, nodes: IntArray) -> None:
    family = problem.resolved.family
    low, high = np.full(family.max() + 1, len(nodes) + 1), np.full(family.max() + 1, -2)
    np.minimum.at(low, family, nodes)
    np.maximum.at(high, family, nodes)
    torn = low[family] != high[family]
    if torn.any():
        raise DataError(
            f"{int(torn.sum()):,} accounts are in families that a level decided beforehand would split: "
            f"{shorten(list(problem.resolved.ids[torn]))}. Give all members of a family the same segment or node."
        )


def _check_pins(problem: CarvingProblem, tree: Hierarchy, nodes: IntArray) -> None:
    pinned = problem.resolved.pinned
    names = problem.territories.names
    leaf = {name: at for at, name in enumerate(tree.leaves)}
    wrong = []
    for account in np.flatnonzero((pinned >= 0) & (nodes >= 0)):
        start, stop = tree.leaf_range(tree.nodes[nodes[account]])
        if not start <= leaf[names[pinned[account]]] < stop:
            wrong.append(str(problem.resolved.ids[int(account)]))
    if wrong:
        raise DataError(
            f"{len(wrong):,} accounts are pinned outside the segment or node they belong to: {shorten(wrong)}. "
            "Drop the pins, or change the segment."
        )


def _own_targets(problem: CarvingProblem, tree: Hierarchy, nodes: IntArray, used: list[str]) -> CarvingProblem:
    accounts = problem.accounts
    criteria: list[Criterion] = []
    parts: Sequence[Balance | Count]
    for criterion in problem.balance:
        if isinstance(criterion, Limit):
            criteria.append(criterion)
            continue
        if isinstance(criterion, Mix):
            accounts, parts = _mix_columns(accounts, criterion)
        else:
            parts = [criterion]
        criteria += [_rescaled(part, accounts, problem, tree, nodes, used) for part in parts]
    return problem.replace(accounts=accounts.reset_index(drop=True), balance=tuple(criteria))


def _mix_columns(accounts: pd.DataFrame, mix: Mix) -> tuple[pd.DataFrame, list[Balance]]:
    """Return a column per category: shares within a node differ from category to category."""
    labels = accounts[mix.column].astype(object).where(accounts[mix.column].notna(), "(none)").astype(str)
    value = np.ones(len(labels)) if mix.value is None else accounts[mix.value].to_numpy(dtype=float)
    columns = {f"{mix.column}={c}": np.where(labels == c, value, 0.0) for c in sorted(labels.unique())}
    columns = {name: values for name, values in columns.items() if values.any()}
    made = [Balance(name, mix.tolerance, mix.priority, mix.penalty) for name in columns]
    return accounts.assign(**columns), made


def _rescaled(
    criterion: Balance | Count,
    accounts: pd.DataFrame,
    problem: CarvingProblem,
    tree: Hierarchy,
    nodes: IntArray,
    used: list[str],
) -> Criterion:
    if isinstance(criterion, Balance) and criterion.by_territory is not None:
        raise DataError(
            f"Balance('{criterion.column}') depends on the territory: its targets within a segment are not defined. "
            "Carve the segments as problems of their own."
        )
    values = (
        np.ones(len(accounts)) if isinstance(criterion, Count) else accounts[criterion.column].to_numpy(dtype=float)
    )
    base = criterion.shares or dict(zip(problem.territories.names, problem.territories.shares, strict=True))
    shares: dict[str, float] = {}
    for node in used:
        leaves = tree.leaves_below(node)
        part = float(values[nodes == tree.nodes.index(node)].sum()) / max(float(values.sum()), 1e-300)
        own = float(sum(base[leaf] for leaf in leaves))
        for leaf in leaves:
            shares[leaf] = max(part, 1e-12) * float(base[leaf]) / own
    missing = [leaf for leaf in tree.leaves if leaf not in shares]
    if missing:
        raise DataError(f"`fixed_nodes` leaves {len(missing)} territories without any account: {shorten(missing)}.")
    scale = sum(shares.values())
    changes: dict[str, Any] = {"shares": {name: share / scale for name, share in shares.items()}}
    return replace(criterion, **changes)
