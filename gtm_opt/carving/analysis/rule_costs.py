"""What rules and exceptions cost: by prices for all, exactly on request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.carving.analysis.again import carve_as_before
from gtm_opt.carving.analysis.rule_exact import exact_cost
from gtm_opt.carving.analysis.rule_prices import preferred_leaves, price_by_nodes, without_pins, without_rule
from gtm_opt.errors import DataError
from gtm_opt.model import KeepApart

if TYPE_CHECKING:
    from gtm_opt.carving.analysis.rule_prices import RelaxedProblem
    from gtm_opt.carving.result import Carving
    from gtm_opt.model import Rule

__all__ = ["RulePrice", "exceptions", "price_of"]


@dataclass(frozen=True, slots=True)
class RulePrice:
    """What a rule costs.

    Attributes
    ----------
    rule : str
    by_prices : float
        Estimate: how much the bound falls without the rule, at today's prices. Preference score
        times the number of accounts. 0 or more; NaN where prices cannot tell, and ``note`` says why.
    exact : float or None
        Value of this plan minus that of a carve without the rule.
    note : str
        What a planner should know about the numbers.
    """

    rule: str
    by_prices: float
    exact: float | None
    note: str = ""


def _is_same(one: Rule, other: Rule) -> bool:
    """Whether two rules say the same, though they are two objects."""
    return type(one) is type(other) and bool(one == other)


def price_of(carving: Carving, rule: Rule, *, exact: bool = False) -> RulePrice:
    """Return what one of the problem's rules costs.

    Parameters
    ----------
    carving : Carving
        With preferences: prices are about preference cost.
    rule : KeepTogether, KeepApart, Pin, Forbid, MaxMoved or Within
        One of ``carving.problem.rules``.
    exact : bool
        Carve again without it: a single node from the start; of a tree the smallest subtree that holds
        where the rule's accounts are and where they would go, from the plan as it is.

    Raises
    ------
    DataError
        When the rule is not one of the problem's.
    SolverError
        For "as even as possible" carves, which have no prices, unless ``exact``.

    Notes
    -----
    In a tree prices belong to nodes: the estimate is the sum over the nodes on the way to each account's
    place of what the rule costs there.
    """
    own = next((r for r in carving.problem.rules if r is rule or _is_same(r, rule)), None)
    if own is None:
        raise DataError("`rule` must be one of the problem's own rules: pass an element of carving.problem.rules.")
    rule = own
    without = without_rule(carving, rule)
    even = carving.compiled.instance.evenness is not None
    note = ""
    if isinstance(rule, KeepApart):
        by_prices = np.nan
        note = "prices are about one account at a time and cannot tell what keeping several apart costs"
        note += "" if exact else ": ask with exact=True"
    elif even and exact:
        by_prices = np.nan
        note = "'as even as possible' carves have no prices; the exact cost is in tolerances of the worst deviation"
    else:
        by_prices = price_by_nodes(carving, rule, without)
    if not exact:
        return RulePrice(rule.name, by_prices, None, note)
    if len(carving.solutions) > 1:
        cost, how = exact_cost(carving, rule, without)
        return RulePrice(rule.name, by_prices, cost, f"{note}; {how}" if note else how)
    return RulePrice(rule.name, by_prices, _carved_without(carving, without), note)


def _carved_without(carving: Carving, without: RelaxedProblem) -> float:
    """Return the value of a single node less that of a carve without the rule."""
    again = carve_as_before(carving, without.compiled.problem)
    return carving.certificate.value - again.certificate.value


def exceptions(carving: Carving) -> pd.DataFrame:
    """Return every pinned account and what its pin costs by prices.

    Returns
    -------
    DataFrame
        account_id, territory, preferred_territory (where it would go by prices), cost; most
        expensive first.

    Raises
    ------
    SolverError
        For "as even as possible" carves.

    Notes
    -----
    In a tree the cost is the sum over the nodes on the way to where the account is; the preferred
    territory is found by following the cheapest child from the root down.
    """
    columns = ["account_id", "territory", "preferred_territory", "cost"]
    problem = carving.compiled.problem
    pinned = np.flatnonzero(problem.resolved.pinned >= 0)
    if not len(pinned):
        return pd.DataFrame(columns=columns)
    units = np.unique(problem.resolved.family[pinned])
    wish, cost = preferred_leaves(carving, without_pins(carving), units)
    at = carving.unit_leaf[units]
    row_of = {int(u): i for i, u in enumerate(units)}
    names = carving.compiled.territories.names
    rows = []
    for account in pinned:
        i = row_of[int(problem.resolved.family[account])]
        rows.append((problem.resolved.ids[int(account)], names[at[i]], names[wish[i]], float(cost[i])))
    return (
        pd.DataFrame(rows, columns=columns).sort_values("cost", ascending=False, kind="stable").reset_index(drop=True)
    )
