"""Why an account is where it is, the next best place, and what forcing it there would cost."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.carving.guide import guided, look_ahead
from gtm_opt.carving.node import NodeTask, node_instance, restrict_task
from gtm_opt.errors import DataError, SolverError
from gtm_opt.instance import Only
from gtm_opt.measures import evenness_by_criterion, territory_totals
from gtm_opt.model import Pin
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from gtm_opt.carving.result import Carving
    from gtm_opt.instance import FloatArray, Instance, Term

__all__ = ["Explanation", "explain", "node_prices", "node_task"]

ROOM = "room further down"
"""Column of the look-ahead: how much dearer the best place below an option is, at the prices of the room there."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why an account is where it is.

    Attributes
    ----------
    account, territory : str
    family : tuple of str
        Accounts that must go with it (itself included).
    options : DataFrame
        One row per alternative at every level of the tree: node, option, chosen, one column per
        preference and rule (its cost), one per criterion (price times what the account brings), at inner
        nodes ``room further down`` (what the best place below costs more, at the prices of the room
        there; 0 at the last level), total, difference to the chosen one. Costs are preference scores times
        the number of accounts.
        For "as even as possible" carves the total is the worst deviation after the move.
    next_best : str or None
        Next best territory among the siblings; None where nothing else is allowed.
    margin : float
        Estimated cost of forcing the account to ``next_best``, by prices. Never more than what a
        carve that is optimal for these prices would lose.
    forced_cost : float or None
        The same by carving again with the account pinned there (only with ``exact=True``).
    text : str
        All of it in a few sentences.
    """

    account: str
    territory: str
    family: tuple[str, ...]
    options: pd.DataFrame
    next_best: str | None
    margin: float
    forced_cost: float | None
    text: str

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text


def explain(carving: Carving, account: str, *, exact: bool = False) -> Explanation:
    """Return the explanation of one account.

    Parameters
    ----------
    carving : Carving
    account : str
    exact : bool
        Carve again with the account pinned to the next best territory.

    Raises
    ------
    DataError
        For an unknown account.
    """
    ids = carving.problem.resolved.ids
    if account not in ids:
        raise DataError(f"`account` must be in the problem, got '{account}'. {did_you_mean(account, ids[:100_000], 3)}")
    unit = int(carving.problem.resolved.family[ids.get_loc(account)])
    leaf = carving.hierarchy.leaves[carving.unit_leaf[unit]]
    path = carving.hierarchy.path(leaf)
    frames = [_options(carving, node, child, unit) for node, child in itertools.pairwise(path)]
    options = pd.concat(frames, ignore_index=True)
    parts = options.columns.difference(["node", "option", "chosen", "total", "difference"], sort=False)
    options[parts] = options[parts].fillna(0.0)  # what a level has no part of
    last = frames[-1]
    others = last[~last["chosen"] & np.isfinite(last["total"])].sort_values("total", kind="stable")
    next_best = str(others["option"].iloc[0]) if len(others) else None
    margin = float(others["difference"].iloc[0]) if len(others) else np.inf
    forced = _forced_cost(carving, account, _leaf_of(carving, next_best)) if exact and next_best is not None else None
    family = tuple(str(ids[i]) for i in carving.compiled.units.members_of(unit))
    text = _text(carving, account, leaf, family, last, next_best, margin, forced)
    return Explanation(account, leaf, family, options, next_best, margin, forced, text)


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


def _options(carving: Carving, node: str, chosen: str, unit: int) -> pd.DataFrame:
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
        table[ROOM] = look_ahead(task, one, guide).block(row)[0]
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
    return "too large for its band" if isinstance(term, Only) else "kept apart"


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


def _leaf_of(carving: Carving, node: str) -> str:
    """Return a leaf to pin to when the alternative is an inner node: its first."""
    return carving.hierarchy.leaves_below(node)[0]


def _forced_cost(carving: Carving, account: str, territory: str) -> float:
    from gtm_opt.carving.carve import carve

    if carving.problem.resolved.pinned[carving.problem.resolved.ids.get_loc(account)] >= 0:
        raise SolverError(f"'{account}' is pinned: drop the pin first, then ask what moving it costs.")
    problem = carving.problem.replace(rules=(*carving.problem.rules, Pin({account: territory})))
    tree, options = carving.hierarchy, carving.options
    again = carve(
        problem,
        hierarchy=tree,
        solver=options.solver,
        effort=options.effort,
        seed=options.seed,
        on_infeasible="nearest",
        levels=carving.settings.levels,
        tolerance_budget=carving.settings.room,
    )
    return again.certificate.value - carving.certificate.value


def _groups(carving: Carving, account: str) -> list[str]:
    """Return the groups whose team an account is held to: "segment enterprise"."""
    resolved = carving.problem.resolved
    at = int(resolved.ids.get_indexer(pd.Index([account]))[0])
    held = [(team, int(team.group[at])) for team in resolved.teams]
    return [f"{team.rule.word} {team.names[group]}" for team, group in held if group >= 0]


def _text(
    carving: Carving,
    account: str,
    leaf: str,
    family: tuple[str, ...],
    options: pd.DataFrame,
    next_best: str | None,
    margin: float,
    forced: float | None,
) -> str:
    with_family = f" (with its family of {len(family)})" if len(family) > 1 else ""
    team = "".join(f" It is in {group} by rule." for group in _groups(carving, account))
    if next_best is None:
        rules = "pins, forbids and teams" if team else "pins and forbids"
        return f"'{account}'{with_family} is in {leaf}: {rules} leave no other place.{team}"
    here = options[options["chosen"]].iloc[0]
    there = options[options["option"] == next_best].iloc[0]
    if carving.compiled.instance.evenness is not None:
        return (
            f"'{account}'{with_family} is in {leaf}. In {next_best} the worst deviation would be {there['total']:.4g} "
            f"tolerances instead of {here['total']:.4g}.{team}"
        )
    parts = [c for c in options.columns if c not in ("node", "option", "chosen", "total", "difference")]
    gaps = sorted(((float(there[c] - here[c]), c) for c in parts), key=lambda g: -abs(g[0]))
    reasons = ", ".join(f"{c} {gap:+.4g}" for gap, c in gaps if abs(gap) > 1e-9) or "nothing: it is a tie"
    text = (
        f"'{account}'{with_family} is in {leaf}. Next best is {next_best}; "
        f"forcing it there would cost about {margin:.4g} ({reasons})."
    )
    if margin > 0:
        text += f" It would move if {next_best} became cheaper for it by more than {margin:.4g}."
    else:
        text += " By prices it belongs there: it is one of the accounts that make the bands come out even."
    text += team
    if forced is not None:
        text += f" Carving again with it forced there costs {forced:.4g}."
    return text
