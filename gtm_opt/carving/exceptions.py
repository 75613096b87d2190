"""What rules and exceptions cost: by prices for all, exactly on request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.carving.certificate import dual_bound
from gtm_opt.carving.compile import compile_problem
from gtm_opt.carving.explain import node_prices
from gtm_opt.errors import DataError, SolverError
from gtm_opt.instance import Distance, Grouped
from gtm_opt.model import MaxMoved

if TYPE_CHECKING:
    from gtm_opt.carving.compile import Compiled
    from gtm_opt.carving.result import Carving
    from gtm_opt.instance import FloatArray, Term
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
        times the number of accounts. 0 or more.
    exact : float or None
        Value of this plan minus that of a carve without the rule.
    """

    rule: str
    by_prices: float
    exact: float | None


def price_of(carving: Carving, rule: Rule, *, exact: bool = False) -> RulePrice:
    """Return what one of the problem's rules costs.

    Parameters
    ----------
    carving : Carving
        Of a single node, with preferences (prices are about preference cost).
    rule : KeepTogether, KeepApart, Pin, Forbid or MaxMoved
        One of ``carving.problem.rules``.
    exact : bool
        Carve again without it.

    Raises
    ------
    DataError
        When the rule is not one of the problem's.
    SolverError
        For trees and "as even as possible" carves, whose rules have no single price.
    """
    rules = carving.problem.rules
    if not any(r is rule for r in rules):
        raise DataError("`rule` must be one of the problem's own rules: pass an element of carving.problem.rules.")
    prices, side = _root_prices(carving)
    without = carving.problem.replace(rules=tuple(r for r in rules if r is not rule))
    compiled = compile_problem(without, carving.compiled.territories.names)
    kept = [i for i, r in enumerate(r for r in rules if isinstance(r, MaxMoved)) if r is not rule]
    instance = replace(compiled.instance, cost=(*compiled.instance.cost, *_found_centers(carving, compiled)))
    free = dual_bound(instance, prices, side[kept])
    bound = dual_bound(carving.compiled.instance, prices, side)
    real = None
    if exact:
        from gtm_opt.carving.carve import carve

        o = carving.options
        again = carve(
            without, hierarchy=carving.hierarchy, solver=o.solver, effort=o.effort, seed=o.seed, on_infeasible="nearest"
        )
        real = carving.certificate.value - again.certificate.value
    return RulePrice(rule.name, max(0.0, bound - free), real)


def _root_prices(carving: Carving) -> tuple[FloatArray, FloatArray]:
    if len(carving.solutions) > 1:
        raise SolverError(
            "Rules of a tree have no single price: carve one node, or ask with exact=True on a flat carve."
        )
    found = node_prices(carving, carving.hierarchy.root)
    if found is None:
        raise SolverError("'As even as possible' carves have no prices: add a preference, or compare two carves.")
    return found


def _found_centers(carving: Carving, compiled: Compiled) -> list[Term]:
    """Return the distance terms of a fresh compilation, to the centers that were found for the whole problem."""
    last = len(carving.compiled.cost_names)
    known = carving.compiled.instance.cost[last - len(compiled.open_centers) : last]
    terms: list[Term] = []
    for near, found in zip(compiled.open_centers, known, strict=True):
        distance = found.inner if isinstance(found, Grouped) else found
        assert isinstance(distance, Distance)
        term: Term = Distance(near.points, distance.centers, near.weight, near.squared, near.haversine)
        units = compiled.units
        terms.append(term if units.single else Grouped(term, units.members, units.start))
    return terms


def exceptions(carving: Carving) -> pd.DataFrame:
    """Return every pinned account and what its pin costs by prices.

    Returns
    -------
    DataFrame
        account_id, territory, wished_territory (where it would go by prices), cost; most
        expensive first.

    Raises
    ------
    SolverError
        For trees and "as even as possible" carves.
    """
    columns = ["account_id", "territory", "wished_territory", "cost"]
    problem, compiled = carving.problem, carving.compiled
    pinned = np.flatnonzero(problem.resolved.pinned >= 0)
    if not len(pinned):
        return pd.DataFrame(columns=columns)
    prices, side = _root_prices(carving)
    units = np.unique(problem.resolved.family[pinned])
    part = compiled.instance.take(units)
    terms = [t for t, name in zip(part.cost, compiled.cost_names, strict=True) if name != "pin"]
    free = replace(part, cost=tuple(terms))
    reduced = free.cost_block(slice(0, len(units)))
    own = free.activities
    reduced += np.einsum("ikj,kj->ik", own, prices) if free.by_territory else own @ prices.T
    for r, row in enumerate(free.side):
        reduced += side[r] * row.term.block(slice(0, len(units)))
    at = carving.unit_leaf[units]
    wish = reduced.argmin(axis=1)
    cost = reduced[np.arange(len(units)), at] - reduced[np.arange(len(units)), wish]
    row_of = {int(u): i for i, u in enumerate(units)}
    names = compiled.territories.names
    rows = []
    for account in pinned:
        i = row_of[int(problem.resolved.family[account])]
        rows.append((problem.resolved.ids[int(account)], names[at[i]], names[wish[i]], float(cost[i])))
    return (
        pd.DataFrame(rows, columns=columns).sort_values("cost", ascending=False, kind="stable").reset_index(drop=True)
    )
