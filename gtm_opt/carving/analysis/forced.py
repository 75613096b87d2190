"""What forcing an account elsewhere costs: exactly where a node is small, by carving again elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.carving.analysis.again import carve_as_before
from gtm_opt.carving.certificate import dual_bound
from gtm_opt.errors import InfeasibleError
from gtm_opt.instance import PinTerm
from gtm_opt.measures import evaluate
from gtm_opt.model import Pin
from gtm_opt.solvers import Run
from gtm_opt.solvers.rounding.part import territories_instance

if TYPE_CHECKING:
    from gtm_opt.carving.result import Carving
    from gtm_opt.instance import Instance, IntArray
    from gtm_opt.solvers.exact.lexicographic import Stage

__all__ = ["Forced", "Outcome", "Scope", "force_by_carving", "force_in", "small_scope", "why_impossible"]

SMALL_CELLS = 2_000
"""Units x territories up to which a forced move is answered by exact models."""
EVEN_CELLS = 150
"""The same where the objective is to be as even as possible: partitioning is hard for a model."""
NODES = 2_000
"""Branch-and-bound nodes of one question."""
SAME = 1e-7


class Outcome(StrEnum):
    """What became of forcing an account somewhere."""

    EXACT = "exact"
    """The cost is that of the best plan with the account there: proven."""
    AT_LEAST = "at least"
    """Not looked at further: proven that it costs more than another place."""
    AT_MOST = "at most"
    """A plan with the account there was found; a cheaper one may exist."""
    IMPOSSIBLE = "impossible"
    """Proven: no plan with the account there keeps the rules and bands."""
    FURTHER = "further out"
    """The plan is a nearest one already; with the account there the bands are left by more."""
    OPEN = "open"
    """No plan with the account there was found that keeps the bands; not proven impossible."""
    ESTIMATE = "estimate"
    """By prices: nothing was carved again."""


@dataclass(frozen=True, slots=True, eq=False)
class Forced:
    """The answer for one place.

    Attributes
    ----------
    territory : str
    outcome : Outcome
    cost : float
        Objective of the plan with the account there less that of the plan; inf where impossible, nan where open.
    plan : ndarray of int, shape (n_units,), or None
        Leaf of every unit.
    reasons : tuple of str
        Why it is impossible.
    """

    territory: str
    outcome: Outcome
    cost: float
    plan: IntArray | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """The part of a plan in which a question is answered exactly; everything else stays as it is.

    Attributes
    ----------
    instance : Instance
    units, leaves : ndarray of int
        Positions in the whole problem.
    whole : bool
        It is the whole problem.
    """

    instance: Instance
    units: IntArray
    leaves: IntArray
    whole: bool


def small_scope(carving: Carving, node: str) -> Scope | None:
    """Return the whole problem, or else one node above leaves, where that is small; None where neither is."""
    flat, at, tree = carving.compiled.instance, carving.unit_leaf, carving.hierarchy
    if flat.evenness is not None:
        # bands are a measure of this objective, not a limit
        measured = np.isfinite(flat.evenness.unit)
        flat = replace(
            flat, lower=np.where(measured, -np.inf, flat.lower), upper=np.where(measured, np.inf, flat.upper)
        )
    most = SMALL_CELLS if flat.evenness is None else EVEN_CELLS
    if flat.n_units * flat.n_territories <= most:
        return Scope(flat, np.arange(flat.n_units), np.arange(flat.n_territories), whole=True)
    start, stop = tree.leaf_range(node)
    units = np.flatnonzero((at >= start) & (at < stop))
    if flat.evenness is not None or len(units) * (stop - start) > most or stop - start != len(tree.children(node)):
        return None
    leaves = np.arange(start, stop)
    return Scope(territories_instance(flat, at, units, leaves), units, leaves, whole=False)


def force_in(carving: Carving, scope: Scope, unit: int, others: IntArray) -> list[Forced]:
    """Return what forcing a unit to each of some leaves costs, the cheapest first; impossible ones last.

    Parameters
    ----------
    carving : Carving
    scope : Scope
    unit : int
        Position in the whole problem.
    others : ndarray of int
        Leaves that no rule about this unit alone closes.

    Notes
    -----
    Places are asked in the order of a proven lower bound, that of the prices with the unit forced there; as soon
    as the bound of the next is above the cheapest answer, all that are left are more expensive: that is proven.
    """
    instance = scope.instance
    before = np.searchsorted(scope.leaves, carving.unit_leaf[scope.units])
    value = evaluate(instance, before).objective
    position = int(np.searchsorted(scope.units, unit))
    places = np.searchsorted(scope.leaves, others)
    forced = [_hold(instance, position, int(k)) for k in places]
    least = np.array(_bounds(instance, forced)) - value
    names = carving.hierarchy.leaves
    found: list[Forced] = []
    cheapest = np.inf
    for i in np.lexsort((others, least)):
        name = names[others[i]]
        if least[i] > cheapest + SAME * max(1.0, abs(cheapest)):
            found.append(Forced(name, Outcome.AT_LEAST, float(least[i])))
            continue
        answer = _ask(carving, scope, forced[i], before, name)
        found.append(answer)
        if answer.outcome is Outcome.EXACT:
            cheapest = min(cheapest, answer.cost)
    worst = (Outcome.FURTHER, Outcome.OPEN, Outcome.IMPOSSIBLE)
    order = [(worst.index(f.outcome) if f.outcome in worst else -1, f.cost) for f in found]
    return [found[i] for i in sorted(range(len(found)), key=lambda i: order[i])]


def _hold(instance: Instance, unit: int, territory: int) -> Instance:
    only = np.full(instance.n_units, -1, dtype=np.int64)
    only[unit] = territory
    return replace(instance, cost=(*instance.cost, PinTerm(only, instance.n_territories)))


def _bounds(instance: Instance, forced: list[Instance]) -> list[float]:
    """Return a lower bound of each forced instance, by the prices of the free one."""
    if instance.evenness is not None:
        return [0.0] * len(forced)
    from gtm_opt.solvers.lagrangian import solve_prices

    prices = solve_prices(instance, Run())
    return [dual_bound(one, prices.prices, prices.side_prices) for one in forced]


def _ask(carving: Carving, scope: Scope, forced: Instance, before: IntArray, name: str) -> Forced:
    """Return the answer for one place by exact models."""
    from gtm_opt.solvers.exact import MilpSolver

    free = evaluate(scope.instance, before)
    if not free.feasible:
        return _ask_nearest(carving, scope, forced, before, name)
    result = MilpSolver(nodes=NODES)(forced, run=Run())
    if result.proved_infeasible:
        return Forced(name, Outcome.IMPOSSIBLE, np.inf)
    if result.assignment is None or not evaluate(forced, result.assignment).feasible:
        return Forced(name, Outcome.OPEN, np.nan)
    cost = evaluate(forced, result.assignment).objective - free.objective
    room = SAME * max(1.0, abs(free.objective))
    exact = free.objective + cost - result.bound <= 10 * room
    cost = 0.0 if abs(cost) <= room else float(cost)
    return Forced(name, Outcome.EXACT if exact else Outcome.AT_MOST, cost, _whole(carving, scope, result.assignment))


def _ask_nearest(carving: Carving, scope: Scope, forced: Instance, before: IntArray, name: str) -> Forced:
    """Return the answer where the plan itself leaves bands: by the order in which things are relaxed."""
    from gtm_opt.solvers.exact.lexicographic import find_nearest, stage_values

    nearest = find_nearest(forced, Run(), nodes=NODES)
    if nearest.assignment is None:
        return Forced(name, Outcome.IMPOSSIBLE if nearest.rules_impossible else Outcome.OPEN, np.inf)
    now = stage_values(scope.instance, evaluate(scope.instance, before))
    then = stage_values(forced, evaluate(forced, nearest.assignment))
    plan = _whole(carving, scope, nearest.assignment)
    further = [f"{_words(stage)} from {a:.2%} to {b:.2%}" for (stage, a), (_, b) in _worse(now, then)]
    if further:
        return Forced(name, Outcome.FURTHER, np.nan, plan, (f"what is outside grows: {'; '.join(further)}",))
    proven = nearest.proven and _all_proven(nearest.stages)
    cost = then[-1][1] - now[-1][1]
    return Forced(name, Outcome.EXACT if proven else Outcome.AT_MOST, float(cost), plan)


def _worse(
    now: list[tuple[str, float]], then: list[tuple[str, float]]
) -> list[tuple[tuple[str, float], tuple[str, float]]]:
    """Return the first quantity that is relaxed by more, in the order in which things are relaxed."""
    for a, b in zip(now[:-1], then[:-1], strict=True):
        if abs(a[1] - b[1]) > SAME * max(1.0, abs(a[1])):
            return [(a, b)] if b[1] > a[1] else []
    return []


def _words(stage: str) -> str:
    return "excess over limits on moves" if stage == "rules" else stage.replace("tier", "excess of bands of priority")


def _all_proven(stages: tuple[Stage, ...]) -> bool:
    return all(stage.proven for stage in stages)


def _whole(carving: Carving, scope: Scope, assignment: IntArray) -> IntArray:
    plan = carving.unit_leaf.copy()
    plan[scope.units] = scope.leaves[assignment]
    return plan


def force_by_carving(carving: Carving, account: str, territory: str) -> Forced:
    """Return what forcing an account to a territory costs by carving the whole again with it pinned there.

    Parameters
    ----------
    carving : Carving
    account, territory : str

    Notes
    -----
    Impossible where that is proven. A second search, not a proof: the cost is at most this.
    """
    problem = carving.problem.replace(rules=(*carving.problem.rules, Pin({account: territory})))
    now = carving.certificate.evaluation
    kept = now is not None and now.feasible
    try:
        again = carve_as_before(carving, problem, on_infeasible="raise" if kept else "nearest")
    except InfeasibleError as error:
        return Forced(territory, Outcome.IMPOSSIBLE, np.inf, None, error.reasons)
    then = again.certificate.evaluation
    if then is None or now is None or not then.rules_kept:
        return Forced(territory, Outcome.OPEN, np.nan)
    even = carving.compiled.instance.evenness is not None
    if kept and not then.feasible and not even:
        return Forced(territory, Outcome.OPEN, np.nan, again.unit_leaf)
    outside, before = float(then.excess.sum()), float(now.excess.sum())
    if not kept and not even and outside > before * (1 + SAME) + SAME:
        text = f"the excess outside the bands grows from {before:.2%} to {outside:.2%}"
        return Forced(territory, Outcome.FURTHER, np.nan, again.unit_leaf, (text,))
    # both measured by the same centers, where centers were found along with a plan
    plan = again.unit_leaf
    cost = evaluate(carving.compiled.instance, plan).objective - carving.certificate.value
    if not np.isfinite(cost):
        cost = again.certificate.value - carving.certificate.value
    return Forced(territory, Outcome.AT_MOST, float(cost), plan)


def why_impossible(carving: Carving, account: str, territory: str) -> tuple[str, ...]:
    """Return why no plan with an account in a territory keeps the rules and bands, in planner's words."""
    from gtm_opt.carving.compile.compiled import compile_problem
    from gtm_opt.carving.feasibility.assess import assess
    from gtm_opt.carving.feasibility.conflicts import why_infeasible

    problem = carving.problem.replace(rules=(*carving.problem.rules, Pin({account: territory})))
    known = assess(compile_problem(problem, carving.compiled.territories.names))
    even = carving.compiled.instance.evenness is not None
    return (known.reasons.rules if even else known.texts) or (why_infeasible(problem),)
