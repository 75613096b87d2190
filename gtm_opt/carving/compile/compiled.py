"""From the planner's words to arrays: families become units, criteria become columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.carving.compile.canonical import order_accounts, take_territories
from gtm_opt.carving.compile.costs import OpenCenters, compile_costs
from gtm_opt.carving.compile.eligibility import eligibility_term
from gtm_opt.instance import Evenness, EvennessKind, ForbiddenTerm, Instance, MoveCost, PinTerm, SideRow, UnitSum
from gtm_opt.measures.criteria import CriterionColumn, compile_criteria
from gtm_opt.model import MaxMoved, Territories

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gtm_opt.instance import FloatArray, IntArray, Term
    from gtm_opt.model import CarvingProblem

__all__ = ["Compiled", "Units", "compile_problem"]


@dataclass(frozen=True, eq=False)
class Units:
    """How accounts form units (families), and back.

    Attributes
    ----------
    of_account : ndarray of int, shape (n_accounts,)
    members : ndarray of int, shape (n_accounts,)
        Account positions, those of unit 0 first.
    start : ndarray of int, shape (n_units + 1,)
    """

    of_account: IntArray
    members: IntArray
    start: IntArray

    @classmethod
    def build(cls, family: IntArray) -> Units:
        """Return the units of a family label per account."""
        members = np.argsort(family, kind="stable")
        start = np.concatenate([[0], np.cumsum(np.bincount(family))])
        return cls(family, members, start)

    @property
    def count(self) -> int:
        """Number of units."""
        return len(self.start) - 1

    @property
    def single(self) -> bool:
        """Whether every account is a unit of its own."""
        return self.count == len(self.of_account)

    def members_of(self, unit: int) -> IntArray:
        """Return the account positions of a unit."""
        return self.members[self.start[unit] : self.start[unit + 1]]

    def sums(self, values: FloatArray) -> FloatArray:
        """Return the sum per unit of a value per account (first axis)."""
        if self.single:
            return values
        if values.ndim == 1:
            return np.bincount(self.of_account, weights=values, minlength=self.count).astype(np.float64)
        out: FloatArray = np.add.reduceat(values[self.members], self.start[:-1], axis=0)
        return out

    def first_known(self, values: IntArray) -> IntArray:
        """Return per unit the first value that is not -1 among its accounts (-1: none)."""
        out = np.full(self.count, -1, dtype=np.int64)
        known = np.flatnonzero(values >= 0)[::-1]
        out[self.of_account[known]] = values[known]
        return out


@dataclass(frozen=True, eq=False)
class Compiled:
    """A problem as arrays, with the way back to ids.

    Attributes
    ----------
    problem : CarvingProblem
        Its accounts sorted by id, as everything here has them.
    territories : Territories
        In the order of the instance's columns (the leaf order of the hierarchy).
    units : Units
    instance : Instance
        Units x all territories.
    columns : tuple of CriterionColumn
        What each criterion column of the instance stands for.
    open_centers : tuple of OpenCenters
        Distances whose centers must still be found, node by node.
    cost_names : tuple of str
        What each cost term of the instance stands for: a preference's name, "pin", "forbid" or
        "segment" (rules `Within`).
    """

    problem: CarvingProblem
    territories: Territories
    units: Units
    instance: Instance
    columns: tuple[CriterionColumn, ...]
    open_centers: tuple[OpenCenters, ...]
    cost_names: tuple[str, ...] = ()


def compile_problem(problem: CarvingProblem, order: Sequence[str] | None = None) -> Compiled:
    """Compile ``problem`` into an `Instance` over all its territories.

    Parameters
    ----------
    problem : CarvingProblem
    order : sequence of str, optional
        Territory names in the wanted column order (the leaf order of a hierarchy).

    Notes
    -----
    Accounts are sorted by id, so that the instance does not depend on the order of rows: ``Compiled.problem`` is the
    problem in that order. Memory: one float per account and criterion, and a few per account for each preference;
    preferences per territory are computed in blocks, never stored.
    """
    problem = order_accounts(problem)
    given = problem.territories
    own = {name: at for at, name in enumerate(given.names)}
    permutation = np.arange(given.count) if order is None else np.array([own[name] for name in order])
    territories = take_territories(given, permutation)
    position = np.argsort(permutation)
    units = Units.build(problem.resolved.family)
    columns = compile_criteria(problem, territories)
    activities, target, lower, upper = _stack(problem, columns, territories, units)
    cost, cost_names, open_centers = compile_costs(problem, territories, units, position)
    rule_terms = _compile_rules(problem, units, position, territories.count)
    cost += rule_terms
    cost_names += tuple("pin" if isinstance(term, PinTerm) else "forbid" for term in rule_terms)
    inside = eligibility_term(problem, permutation)
    if inside is not None:
        cost, cost_names = (*cost, inside), (*cost_names, "segment")
    evenness = None
    if problem.objective == "even":
        half = np.maximum(upper - target, target - lower)
        free = np.array([c.limit for c in columns])
        half = np.where(np.isfinite(half) & (half > 0), half, target)
        half[:, free] = np.inf
        evenness = Evenness(EvennessKind.DEVIATION, half)
    n = problem.n_accounts
    instance = Instance(
        activities=activities,
        target=target,
        lower=lower,
        upper=upper,
        shares=np.array(territories.shares),
        tier=np.array([c.priority for c in columns], dtype=np.int64),
        penalty=np.array([np.inf if c.penalty is None else c.penalty * n for c in columns]),
        cost=cost,
        side=_compile_side(problem, units, position, territories.count),
        apart=tuple(problem.resolved.family[g] for g in problem.resolved.apart),
        previous=_previous(problem, units, position),
        evenness=evenness,
        names=tuple(c.name for c in columns),
    )
    return Compiled(problem, territories, units, instance, columns, open_centers, cost_names)


def _stack(
    problem: CarvingProblem, columns: tuple[CriterionColumn, ...], territories: Territories, units: Units
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return activities per unit, and target, lower and upper per (territory, criterion)."""
    k = territories.count
    by_territory = any(c.values.ndim == 2 for c in columns)
    shape = (units.count, k, len(columns)) if by_territory else (units.count, len(columns))
    activities = np.empty(shape)
    bands = np.empty((3, k, len(columns)))
    for j, column in enumerate(columns):
        summed = units.sums(column.values)
        activities[..., j] = summed[:, None] if by_territory and summed.ndim == 1 else summed
        bands[:, :, j] = column.target, column.lower, column.upper
    return activities, bands[0], bands[1], bands[2]


def _compile_rules(problem: CarvingProblem, units: Units, position: IntArray, k: int) -> tuple[Term, ...]:
    resolved = problem.resolved
    terms: list[Term] = []
    pinned = units.first_known(np.where(resolved.pinned >= 0, position[resolved.pinned], -1))
    if (pinned >= 0).any():
        terms.append(PinTerm(pinned, k))
    account, territory = resolved.forbidden
    if len(account):
        pairs = np.unique(resolved.family[account] * k + position[territory])
        terms.append(ForbiddenTerm(pairs // k, pairs % k, units.count, k))
    return tuple(terms)


def _compile_side(problem: CarvingProblem, units: Units, position: IntArray, k: int) -> tuple[SideRow, ...]:
    rows = []
    for rule in problem.rules:
        if not isinstance(rule, MaxMoved):
            continue
        home = problem.resolved.home[problem.moved_owner(rule)]
        value = np.ones(problem.n_accounts) if rule.by is None else problem.accounts[rule.by].to_numpy(dtype=float)
        owned = home >= 0
        term: Term = MoveCost(np.where(owned, position[home], -1), np.where(owned, value, 0.0), k)
        rows.append(SideRow(rule.name, grouped(term, units), rule.share * float(value[owned].sum())))
    return tuple(rows)


def grouped(term: Term, units: Units) -> Term:
    """Return a term over accounts as a term over units."""
    return term if units.single else UnitSum(term, units.members, units.start)


def _previous(problem: CarvingProblem, units: Units, position: IntArray) -> IntArray | None:
    if problem.previous is None:
        return None
    home = problem.resolved.home[problem.previous]
    return units.first_known(np.where(home >= 0, position[home], -1))


def account_labels(compiled: Compiled, assignment: IntArray) -> pd.Series:
    """Return the territory name of every account for an assignment of units."""
    names = np.array(compiled.territories.names, dtype=object)
    return pd.Series(
        names[assignment[compiled.units.of_account]], index=compiled.problem.resolved.ids, name="territory"
    )


def unit_positions(compiled: Compiled, labels: pd.Series) -> IntArray:
    """Return the territory position of every unit for territory names per account.

    A family that is split in ``labels`` takes the place of its first account.
    """
    at = pd.Index(compiled.territories.names).get_indexer(pd.Index(labels.reindex(compiled.problem.resolved.ids)))
    return at.astype(np.int64)[compiled.units.members[compiled.units.start[:-1]]]
