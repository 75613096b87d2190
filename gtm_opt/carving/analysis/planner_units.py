"""What two plans differ in, in units a planner knows: money that changes owner, kilometers, points of fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.carving.compile.costs import preference_term
from gtm_opt.errors import number_text
from gtm_opt.instance import Distance, Table, UnitSum
from gtm_opt.measures import evaluate
from gtm_opt.model import Fit, KeepOwner

if TYPE_CHECKING:
    from gtm_opt.carving.compile.compiled import Compiled
    from gtm_opt.instance import FloatArray, IntArray, Term
    from gtm_opt.model import CarvingProblem, Near, Preference

__all__ = ["Quantity", "compare_plans", "measure_plan"]

ROUND_OFF = 1e-9
CHUNK = 1 << 14


@dataclass(frozen=True, slots=True)
class Quantity:
    """One thing a plan has so much of.

    Attributes
    ----------
    name : str
        ``"arr changes owner"``, ``"km"``, ``"points of fit"``: reads after the amount.
    amount : float
    """

    name: str
    amount: float

    @property
    def text(self) -> str:
        """The amount with its sign, and what it is of."""
        sign = "+" if self.amount > 0 else ""
        return f"{sign}{number_text(self.amount)} {self.name}"


def measure_plan(compiled: Compiled, unit_leaf: IntArray) -> tuple[Quantity, ...]:
    """Return what a plan has of everything it is judged by.

    Parameters
    ----------
    compiled : Compiled
        With centers, where a `Near` needs some.
    unit_leaf : ndarray of int, shape (n_units,)

    Returns
    -------
    tuple of Quantity
        One per preference, in the problem's order; with penalties on bands their sum, in preference points.
    """
    problem, instance = compiled.problem, compiled.instance
    leaf = unit_leaf[compiled.units.of_account]
    near = iter(_distances(compiled))
    out: list[Quantity] = []
    for preference in problem.prefer:
        value = _value(problem, preference)
        if isinstance(preference, KeepOwner):
            out += _moved(compiled, preference, leaf, value)
        elif isinstance(preference, Fit):
            out.append(_fit(compiled, preference, leaf, value))
        else:
            term = replace(next(near), weight=value)
            name = "km" if term.haversine else "of distance"
            name = f"{name} squared" if term.squared else name
            name = name if preference.value is None else f"{name} times {preference.value}"
            out.append(Quantity(name, _sum_at(term, leaf)))
    soft = np.isfinite(instance.penalty)
    if soft.any() and instance.evenness is None:
        excess = evaluate(instance, unit_leaf).excess[:, soft]
        out.append(Quantity("points of penalties on bands", float((excess * instance.penalty[soft]).sum())))
    return tuple(out)


def compare_plans(compiled: Compiled, before: IntArray, after: IntArray) -> tuple[Quantity, ...]:
    """Return what the second plan has more (+) or less (-) of than the first; what is the same is left out.

    Parameters
    ----------
    compiled : Compiled
    before, after : ndarray of int, shape (n_units,)
    """
    pairs = zip(measure_plan(compiled, before), measure_plan(compiled, after), strict=True)
    changes = ((b.name, a.amount - b.amount, max(abs(a.amount), abs(b.amount))) for b, a in pairs)
    return tuple(Quantity(name, change) for name, change, size in changes if abs(change) > ROUND_OFF * max(size, 1.0))


def _value(problem: CarvingProblem, preference: Preference) -> FloatArray:
    if preference.value is None:
        return np.ones(problem.n_accounts)
    return problem.accounts[preference.value].to_numpy(dtype=float)


def _moved(compiled: Compiled, keep: KeepOwner, leaf: IntArray, value: FloatArray) -> list[Quantity]:
    problem = compiled.problem
    place = np.array([problem.territories.position[name] for name in compiled.territories.names])
    home = problem.resolved.home[keep.owner]
    moved = (home >= 0) & (home != place[leaf])
    several = sum(isinstance(p, KeepOwner) for p in problem.prefer) > 1
    whom = f" by {keep.owner}" if several else ""
    out = [] if keep.value is None else [Quantity(f"{keep.value} that changes owner{whom}", float(value[moved].sum()))]
    if keep.value is None or keep.per_account > 0:
        out.append(Quantity(f"accounts that change owner{whom}", float(moved.sum())))
    return out


def _fit(compiled: Compiled, fit: Fit, leaf: IntArray, value: FloatArray) -> Quantity:
    term = preference_term(compiled.problem, fit, compiled.territories, np.arange(compiled.territories.count))
    assert isinstance(term, Table)
    points = float(value.sum()) - _sum_at(replace(term, weight=value), leaf)
    name = f"points of {fit.name}"
    return Quantity(name if fit.value is None else f"{name} times {fit.value}", points)


def _distances(compiled: Compiled) -> list[Distance]:
    """Return the distance terms over accounts in the order of the problem's preferences."""
    given: list[Distance] = []
    for name, term in zip(compiled.cost_names, compiled.instance.cost, strict=False):
        inner = term.inner if isinstance(term, UnitSum) else term
        if name == "near" and isinstance(inner, Distance):
            given.append(inner)
    wishes = [p for p in compiled.problem.prefer if not isinstance(p, KeepOwner | Fit)]
    # terms of found centers come after all others
    fixed = iter(given)
    first = [p for p in wishes if not _is_open(compiled.problem, p)]
    of = {id(p): next(fixed) for p in (*first, *(p for p in wishes if _is_open(compiled.problem, p)))}
    return [of[id(p)] for p in wishes]


def _is_open(problem: CarvingProblem, near: Near) -> bool:
    return near.centers is None and problem.territories.centers is None


def _sum_at(term: Term, leaf: IntArray) -> float:
    """Return the sum of a term over accounts at their leaves."""
    total = 0.0
    for start in range(0, len(leaf), CHUNK):
        rows = np.arange(start, min(start + CHUNK, len(leaf)))
        total += float(term.block(rows)[np.arange(len(rows)), leaf[rows]].sum())
    return total
