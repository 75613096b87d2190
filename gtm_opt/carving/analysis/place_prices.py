"""What each place costs an account at the prices of a carving, node by node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.carving.tree.guide import guided, look_ahead
from gtm_opt.carving.tree.node import NodeTask, node_instance, restrict_task
from gtm_opt.instance import PinTerm
from gtm_opt.measures import evenness_by_criterion, territory_totals

if TYPE_CHECKING:
    from gtm_opt.carving.result import Carving
    from gtm_opt.instance import FloatArray, Instance, Term

__all__ = ["node_prices", "node_task", "price_options"]

SLACK_BELOW = "slack further down"
"""Column of the look-ahead: what the best place below an option costs more, at the prices of the slack there."""


def node_task(carving: Carving, node: str, units: np.ndarray[tuple[int], np.dtype[np.int64]]) -> NodeTask:
    """Return the task of ``node`` for some of its units only (bands and budgets are not meaningful)."""
    tree = carving.hierarchy
    flat, count = (carving.carved or carving.compiled).instance, carving.compiled.units.count
    whole = NodeTask(tree, flat, np.arange(count), np.zeros(len(flat.side)), settings=carving.settings)
    return restrict_task(whole, node, units)


def node_prices(carving: Carving, node: str) -> tuple[FloatArray, FloatArray] | None:
    """Return the prices and side prices of a node; found now where its solver returned none.

    None for "as even as possible" carves, which have no prices.
    """
    solution = carving.solutions[node]
    side = solution.result.side_prices
    n_side = len(carving.compiled.instance.side)
    if solution.result.prices is not None:
        return solution.result.prices, np.zeros(n_side) if side is None else side
    if carving.compiled.instance.evenness is not None:
        return None
    from gtm_opt.solvers import Run
    from gtm_opt.solvers.lagrangian import solve_prices

    task = node_task(carving, node, solution.units)
    found = solve_prices(guided(task, node_instance(task), solution.guide), Run())
    return found.prices, found.side_prices


def price_options(carving: Carving, node: str, chosen: str, unit: int) -> pd.DataFrame:
    """Return one row per child of a node: what it costs a unit, in parts, in total and beside the chosen one."""
    children = carving.hierarchy.children(node)
    task = node_task(carving, node, np.array([unit]))
    one = node_instance(task)
    table = pd.DataFrame({"node": node, "option": children, "chosen": [c == chosen for c in children]})
    row = np.array([0])
    names = carving.compiled.cost_names
    for name, term in zip((*names, *map(_unnamed, one.cost[len(names) :])), one.cost, strict=True):
        table[name] = table.get(name, 0.0) + term.block(row)[0]
    guide = carving.solutions[node].guide
    if guide is not None:
        table[SLACK_BELOW] = look_ahead(task, one, guide).block(row)[0]
    priced = node_prices(carving, node)
    if priced is None:
        table["total"] = _evenness_after(carving, node, one, unit)
    else:
        prices, side_prices = priced
        brings = one.activities3()[0]
        for j, column in enumerate(carving.compiled.columns):
            table[f"price of {column.name}"] = prices[:, j] * brings[..., j]
        for r, side in enumerate(one.side):
            table[f"price of {side.name}"] = side_prices[r] * side.term.block(row)[0]
        table["total"] = table.drop(columns=["node", "option", "chosen"]).sum(axis=1)
    table["difference"] = table["total"] - float(table.loc[table["chosen"], "total"].iloc[0])
    return table


def _unnamed(term: Term) -> str:
    """Return what a rule stands for that a carve added itself."""
    return "too large for its band" if isinstance(term, PinTerm) else "kept apart"


def _evenness_after(carving: Carving, node: str, one: Instance, unit: int) -> list[float]:
    """Return the worst deviation of the node for each place the unit could move to."""
    solution = carving.solutions[node]
    whole = node_instance(node_task(carving, node, solution.units))
    totals = territory_totals(whole, solution.assignment)
    here = int(solution.assignment[np.flatnonzero(solution.units == unit)[0]])
    brings = np.broadcast_to(one.activities3()[0], totals.shape)
    allowed = np.isfinite(one.cost_block(np.array([0]))[0])
    out = []
    for k in range(len(totals)):
        after = totals.copy()
        after[here] -= brings[here]
        after[k] += brings[k]
        out.append(float(evenness_by_criterion(whole, after).max()) if allowed[k] else np.inf)
    return out
