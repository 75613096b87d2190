"""The carving: who gets what, how good it is, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.carving.compile.compiled import account_labels
from gtm_opt.carving.tree.settings import TreeSettings
from gtm_opt.measures import check
from gtm_opt.model.json_form import JsonForm

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    import networkx as nx

    from gtm_opt.carving.analysis.explain import Explanation
    from gtm_opt.carving.analysis.rule_costs import RulePrice
    from gtm_opt.carving.certificate import Certificate
    from gtm_opt.carving.compile.compiled import Compiled
    from gtm_opt.carving.options import CarveOptions
    from gtm_opt.carving.tree.levels import NodeSolution
    from gtm_opt.carving.verdict import Verdict
    from gtm_opt.instance import IntArray
    from gtm_opt.measures import Check
    from gtm_opt.model import CarvingProblem, Hierarchy, Rule, Territories
    from gtm_opt.solvers import SolveStatus, Termination

__all__ = ["Carving"]


@dataclass(frozen=True, eq=False)
class Carving(JsonForm):
    """The result of `gtm_opt.carve`.

    Attributes
    ----------
    problem : CarvingProblem
    hierarchy : Hierarchy
        The tree that was carved; a root over the territories for a single node.
    status : SolveStatus
        Of the whole plan: the worst of what the bands, the rules and the gap allow.
    termination : Termination
        Why it stopped; ``time_limit`` means that another run may give another plan.
    certificate : Certificate
        Value, lower bound and gap of the whole; for a tree the bound is that of the nodes' own
        carves only where there is one node.
    notes : tuple of str
        What had to give (``on_infeasible="nearest"``), lost workers, and the like.
    provenance : dict
        Versions, seed, solver, fingerprint of the problem, seconds.
    settings : TreeSettings
        The tolerance budget and the levels it was carved with.
    compiled : Compiled
        The problem as it was asked for: all values are measured by it.
    carved : Compiled or None
        The problem with its bands relaxed, where it was carved that way (``on_infeasible="nearest"``).
    """

    problem: CarvingProblem
    hierarchy: Hierarchy
    status: SolveStatus
    termination: Termination
    certificate: Certificate
    notes: tuple[str, ...]
    provenance: dict[str, Any]
    compiled: Compiled = field(repr=False)
    solutions: dict[str, NodeSolution] = field(repr=False)
    options: CarveOptions = field(repr=False)
    unit_leaf: IntArray = field(repr=False)
    settings: TreeSettings = field(default_factory=TreeSettings, repr=False)
    carved: Compiled | None = field(default=None, repr=False)

    # -- tables -------------------------------------------------------------------

    @cached_property
    def labels(self) -> pd.Series:
        """Territory name per account id."""
        labels, ids = account_labels(self.compiled, self.unit_leaf), self.problem.resolved.ids
        return labels if labels.index.equals(ids) else labels.reindex(ids)

    @cached_property
    def _leaf_of_account(self) -> IntArray:
        """Position among the leaves of each account, in the order of the problem's rows."""
        at = self.unit_leaf[self.compiled.units.of_account]
        ids, ordered = self.problem.resolved.ids, self.compiled.problem.resolved.ids
        return at if ordered.equals(ids) else at[ordered.get_indexer(ids)]

    @cached_property
    def assignment(self) -> pd.DataFrame:
        """One row per account: account_id, territory, previous_territory, moved."""
        previous = self.problem.home
        table = pd.DataFrame({"account_id": self.problem.resolved.ids, "territory": self.labels.to_numpy()})
        table["previous_territory"] = None if previous is None else previous.to_numpy()
        known = table["previous_territory"].notna()
        table["moved"] = known & (table["territory"] != table["previous_territory"])
        return table

    @cached_property
    def check(self) -> Check:
        """Everything recomputed by the independent checker."""
        return check(self.problem, self.labels)

    @property
    def balance(self) -> pd.DataFrame:
        """One row per territory and criterion: total, target, deviation, within."""
        return self.check.balance

    @property
    def criteria(self) -> pd.DataFrame:
        """One row per criterion: worst deviation, forced and avoidable part, Gini, and so on."""
        return self.check.criteria

    @property
    def moved(self) -> pd.DataFrame:
        """What moves, in accounts and in every measured column."""
        return self.check.moved

    @property
    def preferences(self) -> pd.DataFrame:
        """How well each preference is kept."""
        return self.check.preferences

    @property
    def accounts(self) -> pd.DataFrame:
        """The account table, indexed by account id, with a column ``territory``."""
        return self.problem.accounts.assign(territory=self.labels)

    @property
    def territories(self) -> Territories:
        """The territories that were carved."""
        return self.problem.territories

    @cached_property
    def prices(self) -> pd.DataFrame:
        """What one more unit of a criterion costs (+) or saves (-) in a territory, per node of the tree.

        Columns: node, territory (child of the node), criterion, price (preference score, times
        the number of accounts, per unit of the criterion), price_of_target (the same for a
        whole target).
        """
        frames = []
        for node, solution in self.solutions.items():
            prices = solution.result.prices
            if prices is None:
                continue
            children = self.hierarchy.children(node)
            target = np.stack([self._target(child) for child in children])
            k, m = prices.shape
            frames.append(
                pd.DataFrame(
                    {
                        "node": node,
                        "territory": np.repeat(children, m),
                        "criterion": np.tile([c.name for c in self.compiled.columns], k),
                        "price": prices.ravel(),
                        "price_of_target": (prices * target).ravel(),
                    }
                )
            )
        columns = ["node", "territory", "criterion", "price", "price_of_target"]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)

    def _target(self, node: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        start, stop = self.hierarchy.leaf_range(node)
        out: np.ndarray[tuple[int], np.dtype[np.float64]] = self.compiled.instance.target[start:stop].sum(axis=0)
        return out

    @cached_property
    def nodes(self) -> pd.DataFrame:
        """One row per node that was divided: accounts, status, value, bound, gap, seconds."""
        rows = []
        sizes = np.diff(self.compiled.units.start)
        for node, s in self.solutions.items():
            rows.append(
                {
                    "node": node,
                    "level": self.hierarchy.level(node),
                    "buckets": len(self.hierarchy.children(node)),
                    "accounts": int(sizes[s.units].sum()),
                    "status": s.certificate.status.value,
                    "value": s.certificate.value,
                    "bound": s.certificate.bound,
                    "gap": s.certificate.gap,
                    "bound_from": s.certificate.source,
                    "bound_scope": self.certificate.bound_scope,
                    "termination": s.result.termination.value,
                    "seconds": s.seconds,
                }
            )
        return pd.DataFrame(rows)

    def level(self, depth: int) -> pd.DataFrame:
        """Return one row per account: the node at ``depth`` (1: below the root) it belongs to.

        A territory that lies less deep stands for itself.
        """
        paths = [self.hierarchy.path(leaf) for leaf in self.hierarchy.leaves]
        of_leaf = np.array([path[min(depth, len(path) - 1)] for path in paths], dtype=object)
        return pd.DataFrame({"account_id": self.problem.resolved.ids, "node": of_leaf[self._leaf_of_account]})

    def level_table(self, depth: int) -> pd.DataFrame:
        """Return one row per node at ``depth`` and criterion: accounts, total, target, deviation."""
        from gtm_opt.carving.analysis.violations import level_table

        return level_table(self, depth)

    @cached_property
    def outside(self) -> pd.DataFrame:
        """One row per territory and criterion outside its band, and which account or rule forces it."""
        from gtm_opt.carving.analysis.violations import outside_table

        return outside_table(self.compiled, self.unit_leaf, self.balance, self.carved, self.certificate.nearest)

    @cached_property
    def violations(self) -> pd.DataFrame:
        """What does not hold: rule, where, detail, forced, relaxed, reason."""
        from gtm_opt.carving.analysis.violations import judged_violations

        nearest = self.certificate.nearest
        return judged_violations(self.check.violations, self.compiled, self.unit_leaf, self.outside, nearest)

    @cached_property
    def verdict(self) -> Verdict:
        """Was the request met, how good is the plan, and what of it is proven: every printed text is made from it."""
        from gtm_opt.carving.verdict import give_verdict

        return give_verdict(self)

    def to_networkx(self) -> nx.DiGraph[Hashable]:
        """Return the tree as a directed graph with accounts, totals and deviations on its nodes."""
        from gtm_opt.carving.analysis.violations import tree_graph

        return tree_graph(self)

    def roll_up(self, column: str) -> pd.DataFrame:
        """Return the total of any numeric account column at every node of the tree."""
        from gtm_opt.errors import Findings
        from gtm_opt.model.tables import number_column

        found = Findings()
        values = number_column(self.problem.accounts, column, found, negative=True)
        found.raise_if_any()
        assert values is not None
        leaf = np.bincount(self._leaf_of_account, weights=values.to_numpy(), minlength=len(self.hierarchy.leaves))
        sums = np.concatenate([[0.0], np.cumsum(leaf)])
        table = self.hierarchy.table
        ranges = [self.hierarchy.leaf_range(n) for n in table["node_id"]]
        table[column] = [float(sums[stop] - sums[start]) for start, stop in ranges]
        return table

    # -- questions ----------------------------------------------------------------

    def explain(self, account: str, *, exact: bool = False) -> Explanation:
        """Return why an account is where it is, the next best place, and what forcing it there would cost.

        Parameters
        ----------
        account : str
        exact : bool
            Small nodes are answered by exact models anyway. Elsewhere: carve again with the account forced to the
            next best territory, in place of an estimate by prices. Also tells why what is impossible is so.
        """
        from gtm_opt.carving.analysis.explain import explain

        return explain(self, account, exact=exact)

    def price_of(self, rule: Rule, *, exact: bool = False) -> RulePrice:
        """Return what one of the problem's rules costs; see `gtm_opt.carving.price_of`."""
        from gtm_opt.carving.analysis.rule_costs import price_of

        return price_of(self, rule, exact=exact)

    def exceptions(self) -> pd.DataFrame:
        """Return every pinned account and what its pin costs by prices, most expensive first."""
        from gtm_opt.carving.analysis.rule_costs import exceptions

        return exceptions(self)

    def summary(self) -> str:
        """Return the plan in a screenful of text."""
        from gtm_opt.carving.analysis.summary import summary

        return summary(self)

    def __repr__(self) -> str:
        return self.summary()

    def encode_state(self, put: Callable[[pd.DataFrame, str], str]) -> dict[str, Any]:
        """Return what has to be kept of this, as JSON; tables go to ``put`` (see `JsonForm.to_dict`)."""
        from gtm_opt.carving.state import carving_state

        frames = {name: put(getattr(self, name), name) for name in ("assignment", "nodes", "prices")}
        return {"carving": carving_state(self, put), "frames": frames}

    @classmethod
    def decode_state(cls, state: dict[str, Any], get: Callable[[str], pd.DataFrame]) -> Carving:
        """Return the carving of a decoded state."""
        from gtm_opt.carving.state import restore_carving

        return restore_carving(state["carving"], lambda name: get(state["frames"].get(name, name)))

    def as_changed(self) -> Carving:
        """Return this for numbers that were edited: measured anew, and proven only as far as they go."""
        from gtm_opt.carving.state import without_proofs

        return without_proofs(self, "the numbers were changed after they were written down")
