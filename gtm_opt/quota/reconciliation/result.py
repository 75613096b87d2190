"""The result of `reconcile`: who moved, by how much, pulled by whom; and the next round of negotiation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import csc_array, csr_array, diags_array
from scipy.sparse.linalg import splu

from gtm_opt.errors import DataError, Findings, amount_text
from gtm_opt.model.tables import did_you_mean
from gtm_opt.quota.reconciliation.check import family_pull, incoherence
from gtm_opt.quota.reconciliation.gaps import gap_table
from gtm_opt.quota.result import Quotas

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from gtm_opt.model.calendar import Calendar
    from gtm_opt.quota.reconciliation.solve import Request, Solved

    FloatArray = NDArray[np.float64]

__all__ = ["Reconciliation", "Round"]


@dataclass(frozen=True, slots=True)
class Round:
    """One round of negotiation.

    Attributes
    ----------
    number : int
    fixed : tuple of str
        Nodes that were accepted, overridden or fixed from the start.
    root : int
        Amount of the root.
    moved : int
        Nodes whose amount differs from their estimate by a unit or more.
    incoherence : float
        Sum over all families of what the estimates disagree by.
    """

    number: int
    fixed: tuple[str, ...]
    root: int
    moved: int
    incoherence: float


@dataclass(frozen=True, eq=False)
class Reconciliation:
    """Coherent numbers with the estimates they come from.

    Attributes
    ----------
    request : Request
        What was asked, read and checked.
    solved : Solved
        The coherent tree before rounding, its multipliers, and the errors of its optimality conditions.
    rounds : tuple of Round
        This round and those before it.
    """

    request: Request
    solved: Solved
    rounds: tuple[Round, ...]

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per node in the order of the tree.

        ``node_id``, ``parent_id``, ``level``, ``is_leaf``; ``top_down``, ``bottom_up`` (without the usual bias, where a
        history was given) and ``capacity`` (NaN: nothing said); ``pooled`` and ``sd``; ``weight_...`` of each source in
        it; ``coherent`` (before rounding); ``amount`` (whole units); ``moved`` (amount - pooled),
        ``moved_from_top_down``, ``moved_from_bottom_up``; ``state`` ("", "fixed", "determined", "at floor", "at cap").
        """
        request, solved = self.request, self.solved
        estimates = request.estimates
        given = request.tree
        columns: dict[str, Any] = {}
        nothing = np.full(len(request.layers), np.nan)
        for source in ("top_down", "bottom_up", "capacity"):
            columns[source] = self._rows(estimates.values.get(source, nothing))
        columns["pooled"], columns["sd"] = self._rows(estimates.pooled), self._rows(np.sqrt(estimates.variance))
        for source, weight in estimates.weight.items():
            columns[f"weight_{source}"] = self._rows(weight)
        columns["coherent"] = self._rows(solved.coherent)
        columns["amount"] = amount = self._rows(solved.amounts)
        columns["moved"] = amount - self._rows(estimates.pooled)
        columns["moved_from_top_down"] = amount - columns["top_down"]
        columns["moved_from_bottom_up"] = amount - columns["bottom_up"]
        columns["state"] = self._rows(self._states)
        table = pd.DataFrame(
            {
                "node_id": [str(n) for n in given["node_id"]],
                "parent_id": given["parent_id"].to_numpy(dtype=object),
                "level": given["level"].to_numpy(dtype=object),
                "is_leaf": self._rows(request.layers.is_leaf),
            }
        )
        return table.assign(**columns)

    @cached_property
    def gaps(self) -> pd.DataFrame:
        """The three views side by side, the largest gap first.

        ``node_id``, ``level``, ``top_down``, ``bottom_up`` (its own commit), ``bottom_up_rolled`` (the sum of commits
        below over 1 + over-assignment, only where every leaf below has one), ``commits_below``, ``leaves_below``,
        ``capacity``, ``gap`` (bottom-up, rolled or else its own, minus top-down), ``gap_frac``, ``rank``.
        """
        return gap_table(self.request.layers, self.request.factor, self.request.estimates)

    @property
    def amounts(self) -> dict[str, int]:
        """Whole amounts by node."""
        return dict(zip(self.request.layers.ids, self.solved.amounts.tolist(), strict=True))

    @property
    def reliability(self) -> pd.DataFrame | None:
        """Bias and spread of past commits by node, where a history was given."""
        return self.request.reliability

    @property
    def notes(self) -> tuple[str, ...]:
        """What the planner should know."""
        return self.request.notes

    def pulls(self, node: str) -> pd.DataFrame:
        """Return what moved a node away from its estimate, family by family.

        Returns
        -------
        DataFrame
            ``family`` (the parent of the family, or "bounds"), ``disagreement`` (what the children's estimates exceed
            the parent's by, nodes at bounds and fixed nodes taken where they are), ``effect``. The effects add up to
            ``coherent - pooled``. Families without an effect are left out; the largest comes first.

        Notes
        -----
        A coherent tree of least squares is linear in its estimates as long as the same bounds are active. For the
        other methods the effects are those of the multipliers of the two families that the node belongs to.
        """
        at = self._position(node)
        request, solved = self.request, self.solved
        layers, factor = request.layers, request.factor
        moved = float(solved.coherent[at] - request.estimates.pooled[at])
        if self._states[at] != "":
            return pd.DataFrame({"family": ["bounds"], "disagreement": [np.nan], "effect": [moved]})
        if request.method in ("wls", "ols"):
            effects, gap = self._linear_effects(at)
        else:
            above, below = family_pull(layers, factor, solved.multipliers)
            pull = above[at] + below[at]
            part = moved / pull if pull else 0.0
            effects = np.zeros(len(layers))
            effects[layers.parent[at]] += above[at] * part if layers.parent[at] >= 0 else 0.0
            effects[at] += below[at] * part
            gap = incoherence(layers, factor, request.estimates.pooled)
        keep = np.flatnonzero(np.abs(effects) > 1e-9 * max(1.0, float(np.abs(effects).max())))
        keep = keep[np.argsort(-np.abs(effects[keep]), kind="stable")]
        names = np.array(layers.ids, dtype=object)[keep]
        return pd.DataFrame({"family": names, "disagreement": gap[keep], "effect": effects[keep]})

    def explain(self, node: str) -> str:
        """Return in words who said what, what came out, and who pulled."""
        at = self._position(node)
        request, solved = self.request, self.solved
        money, weight = request.currency, request.estimates.weight
        said = [
            f"{source.replace('_', '-')} {amount_text(values[at], money)} (weight {weight[source][at]:.0%})"
            for source, values in request.estimates.values.items()
            if not np.isnan(values[at])
        ]
        pooled = amount_text(request.estimates.pooled[at], money)
        text = (
            f"{node}: {', '.join(said)}; pooled {pooled}." if said else f"{node}: nobody spoke of it; derived {pooled}."
        )
        amount = amount_text(int(solved.amounts[at]), money)
        state = self._states[at]
        if state in ("fixed", "determined"):
            return f"{text} It is {state} at {amount}."
        move = float(solved.coherent[at] - request.estimates.pooled[at])
        text += f" It moved by {move:+,.0f} to {amount}"
        if state:
            return f"{text}, where it is {state}."
        pulls = self.pulls(node).head(3)
        for family, by, effect in zip(pulls["family"], pulls["disagreement"], pulls["effect"], strict=True):
            side = "above" if by > 0 else "below"
            who = f"the estimates below {family} are {amount_text(abs(float(by)), money)} {side} its own"
            text += f"; {float(effect):+,.0f} because {who}"
        return f"{text}."

    def accept(self, nodes: Iterable[str] = (), *, override: Mapping[str, float] | None = None) -> Reconciliation:
        """Fix some nodes where they are, others at an amount of your own, and reconcile the rest again.

        Parameters
        ----------
        nodes : sequence of str
            Accepted: fixed at their present amount.
        override : mapping of str to float
            Fixed at these amounts, whole units.

        Returns
        -------
        Reconciliation
            Of the next round; this one stays as it is.

        Raises
        ------
        DataError
            Nodes that are not in the tree, that are accepted and overridden, amounts that are no whole units.
        InfeasibleError
            Fixed nodes that contradict each other.
        """
        found, unit = Findings(), self.request.unit
        fixed = dict(self.request.fixed)
        changed = {str(k): v for k, v in (override or {}).items()}
        named = [nodes] if isinstance(nodes, str) else [str(n) for n in nodes]
        known = {n: i for i, n in enumerate(self.request.layers.ids)}
        for name in [*named, *changed]:
            if name not in known:
                found.add("accept", "must only name nodes of the tree", rows=[name], kind="node",
                          remedy=did_you_mean(name, known))  # fmt: skip
        both = sorted(set(named) & set(changed))
        if both:
            found.add("accept", "must not accept and override a node at once", rows=both, kind="node")
        for name, value in changed.items():
            is_number = isinstance(value, int | float | np.number) and np.isfinite(value)
            if not is_number or value < 0 or abs(value / unit - round(value / unit)) > 1e-9:
                found.add(f"override['{name}']", f"must be a whole number of units of {unit:,}", got=repr(value))
        found.raise_if_any()
        fixed.update({known[n]: float(self.solved.amounts[known[n]]) for n in named})
        fixed.update({known[n]: float(v) for n, v in changed.items()})
        from gtm_opt.quota.reconciliation.solve import solve_request

        return solve_request(replace(self.request, fixed=fixed), self.rounds)

    def history(self) -> pd.DataFrame:
        """Return the rounds of negotiation: ``number, fixed, root, moved, incoherence``."""
        rows = [(r.number, ", ".join(r.fixed), r.root, r.moved, r.incoherence) for r in self.rounds]
        return pd.DataFrame(rows, columns=["number", "fixed", "root", "moved", "incoherence"])

    def to_quota(self, calendar: Calendar | None = None) -> Quotas:
        """Return the amounts as quotas, as `cascade` does."""
        request, layers = self.request, self.request.layers
        into = np.where(layers.parent >= 0, request.factor[layers.parent] - 1.0, 0.0)
        into = np.array([float(request.edges[p] - 1) if p >= 0 else 0.0 for p in layers.parent.tolist()])
        sums = np.ones(len(layers))
        for layer in layers.down():
            total = np.add.reduceat(self.solved.coherent[layer.nodes], layer.starts)
            sums[layer.nodes] = np.where(total > 0, total, 1.0)[layer.group]
        weight = np.where(layers.parent >= 0, self.solved.coherent / sums, 1.0)
        bound = np.array([s[3:] if s.startswith("at ") else None for s in self._states], dtype=object)
        given = request.tree
        table = pd.DataFrame(
            {
                "node_id": given["node_id"].to_numpy(dtype=object),
                "parent_id": given["parent_id"].to_numpy(dtype=object),
                "level": given["level"].to_numpy(dtype=object),
                "depth": given["depth"].to_numpy(dtype=np.int64),
                "quota": self._rows(self.solved.amounts),
                "weight_frac": self._rows(weight),
                "edge_oa_frac": self._rows(into),
                "at_bound": pd.Series(self._rows(bound), dtype=object),
                "is_leaf": self._rows(layers.is_leaf),
            }
        )
        quotas = Quotas(
            table,
            int(self.solved.amounts[0]),
            request.unit,
            calendar=calendar,
            notes=request.notes,
            currency=request.currency,
        )
        quotas.tie_out()
        return quotas

    def summary(self) -> pd.DataFrame:
        """Return per level: nodes, sums of each view, of the pooled estimates and of the amounts."""
        columns = ["top_down", "bottom_up", "capacity", "pooled", "amount"]
        sums = self.table.groupby("level", sort=False)[columns].sum(min_count=1)
        sums.insert(0, "nodes", self.table.groupby("level", sort=False).size())
        return sums.reset_index()

    @cached_property
    def _states(self) -> NDArray[np.object_]:
        system, coherent = self.solved.system, self.solved.coherent
        out = np.full(len(coherent), "", dtype=object)
        out[~np.isnan(system.value)] = "determined"
        out[list(self.request.fixed)] = "fixed"
        free = system.free
        narrow = self.request.high[free] <= coherent[free]
        out[free[narrow]] = "at cap"
        out[free[(self.request.low[free] >= coherent[free]) & ~narrow]] = "at floor"
        return out

    def _linear_effects(self, at: int) -> tuple[FloatArray, FloatArray]:
        """Return the effect of each family's disagreement on a node that is free to move."""
        request, system = self.request, self.solved.system
        layers, factor = request.layers, request.factor
        held = np.array([s != "" for s in self._states])
        moved = np.where(held, self.solved.coherent, request.estimates.pooled)
        gap = incoherence(layers, factor, moved)
        loose = np.where(held, 0.0, request.variance)[system.free]
        matrix = system.matrix
        hessian = matrix @ csr_array(diags_array(loose)) @ matrix.T
        used = hessian.diagonal() > 0
        own = np.asarray(matrix[:, [int(np.searchsorted(system.free, at))]].toarray()).ravel()[used]
        solved = splu(csc_array(hessian[used][:, used]), permc_spec="MMD_AT_PLUS_A").solve(own)
        effects = np.zeros(len(layers))
        effects[system.family[used]] = -request.variance[at] * solved * (gap - system.shift)[system.family[used]]
        return effects, gap

    def _position(self, node: str) -> int:
        ids = self.request.layers.ids
        if node not in ids:
            raise DataError(f"`node` must be in the tree, got '{node}'. {did_you_mean(node, ids)}")
        return ids.index(node)

    def _rows(self, values: NDArray[np.generic]) -> NDArray:  # type: ignore[type-arg]
        """Return values in the order of the tree's table."""
        out = np.empty(len(values), dtype=values.dtype)
        out[self.request.layers.row] = values
        return out

    def __repr__(self) -> str:
        total = amount_text(int(self.solved.amounts[0]), self.request.currency)
        sources = ", ".join(s.replace("_", "-") for s in self.request.estimates.values)
        text = f"Reconciliation: {total} at the root from {sources}, {len(self.request.layers):,} nodes"
        return f"{text}, {len(self.request.fixed)} fixed, round {len(self.rounds)}"
