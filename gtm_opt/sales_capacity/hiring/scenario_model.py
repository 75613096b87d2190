"""The scenario model: every possible hire has a life in each scenario, and only so many scenarios may miss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.sales_capacity.hiring.formulation import Formulation, Linear, formulate
from gtm_opt.sales_capacity.hiring.paths import Paths

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.sales_capacity.hiring.confidence import Confidence
    from gtm_opt.sales_capacity.hiring.problem import HiringProblem

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

__all__ = ["Lives", "draw_lives", "scenario_model", "tight_floor"]

SCENARIO = "scenario"


@dataclass(frozen=True, eq=False)
class Lives:
    """What each possible hire books in each scenario.

    Attributes
    ----------
    present : ndarray of shape (n, n_targets)
    slots : list of (role, month, slot)
    booked : ndarray of shape (n_slots, n, n_targets)
    """

    present: FloatArray
    slots: list[tuple[int, int, int]]
    booked: FloatArray


def draw_lives(problem: HiringProblem, confidence: Confidence, most: FloatArray, stream: int = 0) -> Lives:
    """Return the lives of everybody who is there or may be hired."""
    paths = Paths(problem, confidence, confidence.scenarios, stream)
    slots = [
        (role, month, slot)
        for role in problem.sellers()
        for month in range(problem.n_months)
        for slot in range(round(most[role, month]))
    ]
    booked = np.zeros((len(slots), confidence.scenarios, len(problem.targets)))
    for at, key in enumerate(slots):
        booked[at] = paths.hire(*key)
    return Lives(paths.present(), slots, booked)


def scenario_model(problem: HiringProblem, confidence: Confidence, lives: Lives) -> Formulation:
    """Return the model of least cost under the promise, by scenarios or by CVaR.

    Notes
    -----
    Slots v_kcn in {0, 1} with v_kc1 >= v_kc2 >= ... and x_kc = sum_n v_kcn (identities); in scenario w ::

        B_i(w) + sum A_i,kcn(w) v_kcn >= target_i - M_i(w) z_w,      sum_w z_w <= floor((1 - p) N)

    for all targets i together, or with a z of its own for each. ``M_i(w) = target_i - floor_i(w)`` where the floor
    is what is booked at least whenever enough other scenarios are met (`tight_floor`), instead of B_i(w).
    CVaR has continuous columns only: ``eta + sum_w s_w / ((1 - p) N) <= 0, s_w >= short_i(w) - eta``, with the
    shortfall relative to its target (Rockafellar and Uryasev 2000, doi:10.21314/JOR.2000.038).
    """
    form = formulate(replace(problem, targets=()), ("least_cost",))
    columns = _add_slots(form, lives)
    goal = np.array([target.amount for target in problem.targets])
    need = goal[None, :] - lives.present
    used = [np.flatnonzero(lives.booked[:, :, at].any(axis=1)) for at in range(len(goal))]
    if confidence.method == "cvar":
        _add_cvar(form, confidence, lives, columns, need, goal, used, [target.name for target in problem.targets])
        return form
    floor = tight_floor(lives, goal, confidence.may_miss)
    form.extra["slots"] = columns
    for at, target in enumerate(problem.targets):
        for w in range(confidence.scenarios):
            if need[w, at] <= 0.0:
                continue
            key = (-1 if confidence.jointly else at, w)
            if key not in form.misses:
                name = f"miss[{w}]" if confidence.jointly else f"miss[{target.name},{w}]"
                form.misses[key] = form.add_column(name, high=1.0, integer=True)
            slack = min(need[w, at], goal[at] - floor[w, at])
            values = lives.booked[used[at], w, at]
            function = Linear(columns[used[at]], values).plus([form.misses[key]], [max(slack, 0.0)])
            name = f"{target.name} in path {w}"
            form.keys[name] = key
            form.add_row(name, SCENARIO, target.quarter, at, function, low=need[w, at])
    for group in sorted({at for at, _ in form.misses}):
        members = [column for (at, _), column in form.misses.items() if at == group]
        function = Linear(np.array(members), np.ones(len(members)))
        form.add_row(f"paths that may miss {group}", SCENARIO, "", -1, function, high=float(confidence.may_miss))
    return form


def tight_floor(lives: Lives, goal: FloatArray, may_miss: int) -> FloatArray:
    """Return what is booked at least in each scenario, whichever ``may_miss`` scenarios miss; shape (n, n_targets).

    Notes
    -----
    Coefficient strengthening for covering problems with violations (Qiu, Ahmed, Dey and Wolsey 2014,
    doi:10.1287/ijoc.2013.0582). Where scenario u is met, scenario w books at least ``B(w) + min {A(w) v : A(u) v >=
    need(u), 0 <= v <= 1}``, a continuous knapsack. At least one of any ``may_miss + 1`` scenarios is met, so the
    (may_miss + 1)-th largest of these minima over u holds for every feasible plan.
    """
    n, targets = lives.present.shape
    floor = lives.present.copy()
    for at in range(targets):
        need = goal[at] - lives.present[:, at]
        hard = np.flatnonzero(need > 0.0)
        if len(hard) <= may_miss:
            continue
        rates = lives.booked[:, :, at]
        least = np.zeros((n, len(hard)))
        for k, u in enumerate(hard.tolist()):
            least[:, k] = _cheapest_cover(rates, rates[:, u], float(need[u]))
        kept = -np.partition(-least, may_miss, axis=1)[:, may_miss]
        floor[:, at] += np.where(np.isfinite(kept), kept, 0.0)
    return floor


def _cheapest_cover(cost: FloatArray, gain: FloatArray, need: float) -> FloatArray:
    """Return ``min cost(w) v subject to gain v >= need, 0 <= v <= 1`` for all w, cost of shape (n_slots, n)."""
    useful = gain > 0.0
    cost, gain = cost[useful], gain[useful]
    if gain.sum() < need:
        return np.full(cost.shape[1], np.inf)
    order = np.argsort(cost / gain[:, None], axis=0, kind="stable")
    gains = gain[order]
    costs = np.take_along_axis(cost, order, axis=0)
    before = np.cumsum(gains, axis=0) - gains
    part = np.clip((need - before) / gains, 0.0, 1.0)
    # less by a rounding error: the floor must not cut off a feasible plan
    return np.asarray((costs * part).sum(axis=0) * (1.0 - 1e-9))


def _add_slots(form: Formulation, lives: Lives) -> IntArray:
    """Add a column per slot, used in order, and tie them to the hires; return the columns."""
    labels, roles = form.problem.calendar.labels, form.problem.roles.names
    columns = np.array(
        [form.add_column(f"slot[{roles[k]},{labels[m]},{n}]", high=1.0, integer=True) for k, m, n in lives.slots],
        dtype=np.int64,
    )
    cells: dict[tuple[int, int], list[int]] = {}
    for (role, month, _), column in zip(lives.slots, columns.tolist(), strict=True):
        cells.setdefault((role, month), []).append(column)
    for (role, month), members in cells.items():
        name = f"{roles[role]},{labels[month]}"
        function = Linear(np.array(members), np.ones(len(members))).plus([int(form.flow.hires[role, month])], [-1.0])
        form.add_row(f"slots of {name}", "identity", labels[month], -1, function, low=0.0, high=0.0)
        for at, (first, second) in enumerate(pairwise(members)):
            pair = Linear(np.array([first, second]), np.array([1.0, -1.0]))
            form.add_row(f"slot {at} before the next of {name}", "identity", labels[month], -1, pair, low=0.0)
    return columns


def _add_cvar(
    form: Formulation,
    confidence: Confidence,
    lives: Lives,
    columns: IntArray,
    need: FloatArray,
    goal: FloatArray,
    used: list[IntArray],
    names: list[str],
) -> None:
    tail = (1.0 - confidence.probability) * confidence.scenarios
    groups = [list(range(len(goal)))] if confidence.jointly else [[at] for at in range(len(goal))]
    for group in groups:
        eta = form.add_column(f"eta[{group[0]}]", low=-np.inf)
        excess = [form.add_column(f"excess[{group[0]},{w}]") for w in range(confidence.scenarios)]
        for at in group:
            unit = goal[at] if goal[at] > 0 else 1.0
            for w in range(confidence.scenarios):
                values = lives.booked[used[at], w, at] / unit
                function = Linear(columns[used[at]], values).plus([excess[w], eta], [1.0, 1.0])
                name = f"{names[at]} in path {w}"
                form.add_row(name, SCENARIO, "", at, function, low=need[w, at] / unit)
        function = Linear(np.array([eta, *excess]), np.array([1.0] + [1.0 / tail] * len(excess)))
        form.add_row(f"conditional shortfall {group[0]}", SCENARIO, "", -1, function, high=0.0)
