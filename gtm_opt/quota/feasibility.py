"""Whether a plan can be handed down at all: node by node with slack, the conflict, and the cheapest way out."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, Findings, amount_text
from gtm_opt.model.frames import takes_tables
from gtm_opt.quota.bounds import own_bounds
from gtm_opt.quota.edges import Edges, carry_bounds, find_ceilings
from gtm_opt.quota.inputs import read_edges, read_plan_units
from gtm_opt.quota.layers import Layers, TreeLike
from gtm_opt.quota.relaxation import relax_bounds
from gtm_opt.quota.rounding import UNBOUNDED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    IntArray = NDArray[np.int64]
    Bound = tuple[int, str]

__all__ = ["Feasibility", "check_feasibility"]

_MOST_ROWS = 500


@dataclass(frozen=True, eq=False)
class Feasibility:
    """What every node can get, before anything is handed down.

    Attributes
    ----------
    table : DataFrame
        One row per node in the order of the tree's layers: ``node_id``, ``floor``, ``cap`` (its own, NaN: none),
        ``least`` and ``most`` (what it can pass down with every bound below it kept; NaN: without limit),
        ``slack`` (``most - least``; negative where bounds below clash), ``lowest`` and ``highest`` (what it can get
        with this target and all bounds of the tree; NaN where the plan is impossible).
    is_feasible : bool
    target, unit : int
    """

    table: pd.DataFrame
    is_feasible: bool
    target: int
    unit: int
    layers: Layers = field(repr=False)
    edges: Edges = field(repr=False)
    floors: IntArray = field(repr=False)
    caps: IntArray = field(repr=False)
    ceilings: IntArray = field(repr=False)

    @cached_property
    def conflict(self) -> pd.DataFrame:
        """Bounds that contradict each other, as few as can be by leaving out.

        ``node_id``, ``bound``, ``amount``; empty where the plan is possible. Larger floors and smaller caps are tried
        first, so that few large bounds are named rather than many small ones. ``attrs["is_irreducible"]``: without any
        one of these rows the rest could be kept. That takes a pass over the tree per row; beyond 500 rows the set is
        what the clash at its node rests on, a conflict of which some rows may be spared.
        """
        bounds: list[Bound] = []
        irreducible = True
        if not self.is_feasible:
            clash = self._find_clash()
            floors = np.array([n for n, kind in clash if kind == "floor"], dtype=np.int64)
            caps = np.array([n for n, kind in clash if kind == "cap"], dtype=np.int64)
            ordered = [(int(n), "floor") for n in floors[np.argsort(-self.floors[floors], kind="stable")]]
            ordered += [(int(n), "cap") for n in caps[np.argsort(-self._missing(caps), kind="stable")]]
            irreducible = len(ordered) <= _MOST_ROWS
            bounds = _find_conflict(ordered, self._is_impossible) if irreducible else ordered
        rows = [
            (self.layers.ids[n], kind, int((self.floors if kind == "floor" else self.caps)[n]) * self.unit)
            for n, kind in sorted(bounds)
        ]
        frame = pd.DataFrame(rows, columns=["node_id", "bound", "amount"])
        frame.attrs["is_irreducible"] = irreducible
        return frame

    def _find_clash(self) -> list[Bound]:
        """Return the bounds that the deepest clash rests on: enough to make the plan impossible."""
        finite = np.minimum(self.caps, self.ceilings)
        low, high = carry_bounds(self.layers.up(), self.edges, self.floors, finite)
        bad = np.flatnonzero(low > high)
        node = int(bad[-1]) if len(bad) else 0
        plan = self.target // self.unit
        children = _children(self.layers)
        rows: list[Bound] = []
        if len(bad) or plan > high[0]:
            rows += [(n, "cap") for n in _rest_on(children, node, high, finite) if self.caps[n] == high[n]]
        if len(bad) or plan < low[0]:
            rows += [(n, "floor") for n in _rest_on(children, node, low, self.floors) if self.floors[n] > 0]
        return rows

    def relaxation(self, costs: Mapping[str, float] | None = None) -> pd.DataFrame:
        """Return the cheapest change of bounds that makes the plan possible; an optimum.

        Parameters
        ----------
        costs : mapping, optional
            Cost per unit of amount by which the bounds of a node are relaxed, > 0; default 1 everywhere.

        Returns
        -------
        DataFrame
            ``node_id``, ``bound``, ``amount``, ``new_amount``, ``change``; in ``attrs`` ``cost``, ``bound`` (no cheaper
            change exists) and ``status``. Empty where the plan is possible.

        Raises
        ------
        DataError
            For costs that are not positive or name unknown nodes.
        """
        found = Findings()
        price = np.ones(len(self.layers))
        index = {node: n for n, node in enumerate(self.layers.ids)}
        for node, cost in (costs or {}).items():
            if str(node) not in index:
                found.add("costs", "must only name nodes of the tree", rows=[node], kind="node")
            elif not cost > 0:
                found.add("costs", "must be above 0", got=repr(cost), rows=[node], kind="node")
            else:
                price[index[str(node)]] = float(cost)
        found.raise_if_any()
        return relax_bounds(self, price)

    def summary(self) -> str:
        """Return in words whether the plan is possible, and the tightest node."""
        plan = amount_text(self.target)
        if not self.is_feasible:
            rows = [
                f"{r['bound']} of '{r['node_id']}' {amount_text(r['amount'])}" for r in self.conflict.to_dict("records")
            ]
            more = f"; and {len(rows) - 5} more" if len(rows) > 5 else ""
            spared = ", none can be spared" if self.conflict.attrs["is_irreducible"] else ""
            return f"A plan of {plan} is impossible. These bounds clash{spared}: {'; '.join(rows[:5])}{more}."
        tight = self.table.dropna(subset=["slack"]).sort_values("slack", kind="stable")
        if tight.empty:
            return f"A plan of {plan} is possible; no bound limits it."
        row = tight.iloc[0]
        return (
            f"A plan of {plan} is possible. Tightest: '{row['node_id']}' with a slack of {amount_text(row['slack'])}."
        )

    def _missing(self, nodes: IntArray) -> IntArray:
        return (self.ceilings - np.minimum(self.caps, self.ceilings))[nodes]

    def _is_impossible(self, bounds: list[Bound]) -> bool:
        floors = np.zeros_like(self.floors)
        caps = self.ceilings.copy()
        for node, kind in bounds:
            if kind == "floor":
                floors[node] = self.floors[node]
            else:
                caps[node] = min(int(self.caps[node]), int(self.ceilings[node]))
        low, high = carry_bounds(self.layers.up(), self.edges, floors, caps)
        plan = self.target // self.unit
        return bool((low > high).any() or not low[0] <= plan <= high[0])

    def __repr__(self) -> str:
        return f"Feasibility: {'possible' if self.is_feasible else 'impossible'}, {len(self.table):,} nodes"


@takes_tables("bounds")
def check_feasibility(
    tree: TreeLike,
    target: float,
    *,
    bounds: pd.DataFrame | None,
    over_assign: float | Mapping[str, float] | None = None,
    unit: int = 1_000,
) -> Feasibility:
    """Say before anything runs whether a plan can be handed down within its bounds.

    Parameters
    ----------
    tree, target, bounds, over_assign, unit
        As for `cascade`.

    Returns
    -------
    Feasibility

    Raises
    ------
    DataError
        With every finding in the arguments.

    Notes
    -----
    Bounds are carried up the tree in whole units, which decides feasibility exactly: the totals of children are
    consecutive, and so are the quotas of a parent that lead to them. O(n); the conflict needs O(k log n) such passes
    for k rows, the relaxation is an integer program.
    """
    found = Findings()
    layers = Layers.of(tree)
    plan = read_plan_units(target, unit, found)
    factors = read_edges(over_assign, layers, found)
    own = None if found else own_bounds(bounds, layers, unit, found, factors)
    found.raise_if_any()
    n = len(layers)
    floors, caps = (np.zeros(n, np.int64), np.full(n, UNBOUNDED)) if own is None else own[:2]
    ceilings = find_ceilings(layers, factors, plan)
    edges = Edges.of(factors, max(int(ceilings.max(initial=0)), int(floors.sum())))
    low, high = carry_bounds(layers.up(), edges, floors, np.minimum(caps, ceilings))
    possible = bool((low <= high).all() and low[0] <= plan <= high[0])
    lowest, highest = _reach(layers, edges, low, high, plan) if possible else (np.full(n, np.nan), np.full(n, np.nan))
    unlimited = high >= ceilings
    most = np.where(unlimited, np.nan, high * float(unit))
    table = pd.DataFrame(
        {
            "node_id": layers.ids,
            "floor": np.where(floors > 0, floors * float(unit), np.nan),
            "cap": np.where(caps < UNBOUNDED, caps * float(unit), np.nan),
            "least": low * unit,
            "most": most,
            "slack": most - low * unit,
            "lowest": lowest * unit,
            "highest": highest * unit,
        }
    )
    return Feasibility(table, possible, plan * unit, unit, layers, edges, floors, caps, ceilings)


def _children(layers: Layers) -> dict[int, list[int]]:
    below: dict[int, list[int]] = {}
    for child, parent in enumerate(layers.parent.tolist()):
        below.setdefault(parent, []).append(child)
    return below


def _rest_on(children: dict[int, list[int]], start: int, carried: IntArray, own: IntArray) -> list[int]:
    """Return the nodes whose own bounds make up what was carried to ``start``."""
    rows, stack = [], [start]
    while stack:
        node = stack.pop()
        if node in children and carried[node] != own[node]:
            stack.extend(children[node])
        else:
            rows.append(node)
    return rows


def _reach(layers: Layers, edges: Edges, low: IntArray, high: IntArray, plan: int) -> tuple[IntArray, IntArray]:
    """Return the least and most units that each node can get with this plan, from the top down."""
    lowest, highest = low.copy(), high.copy()
    lowest[0] = highest[0] = plan
    for layer in layers.down():
        parents, group = layer.parents, layer.group
        least = edges.below(parents, lowest[parents])
        most = edges.below(parents, highest[parents])
        lows = np.add.reduceat(low[layer.nodes], layer.starts)
        highs = np.add.reduceat(high[layer.nodes], layer.starts)
        others_low = lows[group] - low[layer.nodes]
        others_high = highs[group] - high[layer.nodes]
        lowest[layer.nodes] = np.maximum(low[layer.nodes], least[group] - others_high)
        highest[layer.nodes] = np.minimum(high[layer.nodes], most[group] - others_low)
    return lowest, highest


def _find_conflict(bounds: list[Bound], is_impossible: Callable[[list[Bound]], bool]) -> list[Bound]:
    """Return an irreducible conflict among bounds, the first ones preferred (QuickXplain, Junker 2004, AAAI)."""

    def find(kept: list[Bound], added: bool, candidates: list[Bound]) -> list[Bound]:
        if added and is_impossible(kept):
            return []
        if len(candidates) == 1:
            return candidates
        half = len(candidates) // 2
        first, second = candidates[:half], candidates[half:]
        right = find(kept + first, bool(first), second)
        left = find(kept + right, bool(right), first)
        return left + right

    if not bounds:
        raise DataError("the plan is impossible without any bound: over-assignment leaves nothing to hand down.")
    return find([], False, bounds)
