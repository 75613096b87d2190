"""Plans that keep a promise within the scenarios, found with small models: a start and a cutoff for the exact one."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.mip import Options, solve
from gtm_opt.sales_capacity.hiring.formulation import Formulation, formulate
from gtm_opt.sales_capacity.hiring.scenario_model import SCENARIO

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.sales_capacity.hiring.confidence import Confidence
    from gtm_opt.sales_capacity.hiring.problem import HiringProblem
    from gtm_opt.sales_capacity.hiring.scenario_model import Lives

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

__all__ = ["complete", "find_start", "missed"]

_HALVINGS = 7
_ROUNDS = 2
_NODES = 300
_GAP = 1e-3


def missed(problem: HiringProblem, lives: Lives, hires: IntArray) -> NDArray[np.bool_]:
    """Return which targets are missed in which scenarios under a plan, shape (n, n_targets)."""
    goal = np.array([target.amount for target in problem.targets])
    used = np.array([slot < hires[role, month] for role, month, slot in lives.slots], dtype=bool)
    booked = lives.present + lives.booked[used].sum(axis=0)
    return np.asarray(booked < goal - 1e-9 * np.maximum(1.0, goal))


def is_kept(confidence: Confidence, miss: NDArray[np.bool_]) -> bool:
    """Whether no more scenarios miss than may."""
    if confidence.jointly:
        return int(miss.any(axis=1).sum()) <= confidence.may_miss
    return bool((miss.sum(axis=0) <= confidence.may_miss).all())


def find_start(
    problem: HiringProblem, confidence: Confidence, lives: Lives, form: Formulation, options: Options, backend: str
) -> FloatArray | None:
    """Return values of the scenario model's columns that keep all its rows, None where none were found.

    Notes
    -----
    Deterministic plans for targets that are raised by a multiple of the spread of each target, the multiple halved
    between one that keeps the promise and one that does not; then, a few times, the scenarios that the plan misses are
    left out and the plan is solved again for all others.
    """
    since = time.perf_counter()
    hires = _raised_targets(problem, confidence, lives, options, backend)
    if hires is None:
        return None
    best = complete(form, confidence, problem, lives, hires, options, backend)
    for _ in range(_ROUNDS):
        left = options.seconds - (time.perf_counter() - since)
        if best is None or left < 0.5:
            break
        better = _without_missed(form, confidence, problem, lives, best, options, backend)
        if better is None or _cost(form, better) >= _cost(form, best) * (1.0 - 1e-6):
            break
        best = better
    return best


def _cost(form: Formulation, values: FloatArray) -> float:
    return form.objectives["least_cost"].at(values)


def _raised_targets(
    problem: HiringProblem, confidence: Confidence, lives: Lives, options: Options, backend: str
) -> IntArray | None:
    """Return hires that keep the promise, from targets raised as little as halving finds."""
    spread = lives.present.std(axis=0)
    step = np.maximum(spread, 1e-3 * np.array([target.amount for target in problem.targets]))
    low, high, best = 0.0, 1.0, None
    for _ in range(_HALVINGS + 4):
        middle = high if best is None else 0.5 * (low + high)
        raised = tuple(
            replace(target, amount=target.amount + middle * float(more))
            for target, more in zip(problem.targets, step, strict=True)
        )
        # what is asked for goes no further than what can be reached: the early quarters have little room
        hires = _deterministic(problem.with_targets(raised), options, backend)
        if hires is not None and is_kept(confidence, missed(problem, lives, hires)):
            best, high = hires, middle
        elif best is None:
            low, high = middle, 1.6 * middle
        else:
            low = middle
        if best is not None and high - low < 0.02:
            break
    return best


def _deterministic(problem: HiringProblem, options: Options, backend: str) -> IntArray | None:
    """Return the cheapest hires for the targets, or for as much of them as can be reached."""
    quick = Options(time_limit=_slice(options, 0.05), node_limit=_NODES, rel_gap=_GAP, own_process=False)
    form = formulate(problem, ("least_cost",))
    answer = solve(form.model(form.objectives["least_cost"]), quick, backend=backend)
    if not answer.has_values:
        form = formulate(problem, ("most_coverage", "least_cost"), soft=True)
        unit = max(1.0, max(target.amount for target in problem.targets))
        cost = form.objectives["least_cost"]
        # coverage first, cost as a tie-break: one model instead of two
        weight = 1e-3 * unit / max(1.0, float(np.abs(cost.values).max(initial=1.0)) * 100.0)
        reach = form.objectives["most_coverage"].plus(cost.columns, weight * cost.values)
        answer = solve(form.model(reach), quick, backend=backend)
    return np.rint(answer.of(form.flow.hires)).astype(np.int64) if answer.has_values else None


def complete(
    form: Formulation,
    confidence: Confidence,
    problem: HiringProblem,
    lives: Lives,
    hires: IntArray,
    options: Options,
    backend: str,
) -> FloatArray | None:
    """Return values of all columns for given hires of sellers; support is decided again, at least cost."""
    low, high = list(form.low), list(form.high)
    for role in problem.sellers():
        for month in range(problem.n_months):
            column = int(form.flow.hires[role, month])
            low[column] = high[column] = float(hires[role, month])
    for column, (role, month, slot) in zip(form.extra["slots"].tolist(), lives.slots, strict=True):
        low[column] = high[column] = float(slot < hires[role, month])
    _fix_misses(form, missed(problem, lives, hires), low, high)
    return _values(replace(form, low=low, high=high), _slice(options, 0.2), options, backend)


def _without_missed(
    form: Formulation,
    confidence: Confidence,
    problem: HiringProblem,
    lives: Lives,
    values: FloatArray,
    options: Options,
    backend: str,
) -> FloatArray | None:
    """Return the best plan for all scenarios but as many as may miss: those missed, then the closest ones."""
    hires = np.rint(values[form.flow.hires]).astype(np.int64)
    used = np.array([slot < hires[role, month] for role, month, slot in lives.slots], dtype=bool)
    goal = np.array([target.amount for target in problem.targets])
    slack = (lives.present + lives.booked[used].sum(axis=0) - goal) / np.maximum(goal, 1e-9)
    miss = np.zeros(slack.shape, dtype=bool)
    if confidence.jointly:
        miss[np.argsort(slack.min(axis=1), kind="stable")[: confidence.may_miss]] = True
    else:
        for at in range(len(goal)):
            miss[np.argsort(slack[:, at], kind="stable")[: confidence.may_miss], at] = True
    low, high = list(form.low), list(form.high)
    _fix_misses(form, miss, low, high)
    fixed = replace(form, low=low, high=high)
    skipped = [row for row in form.rows if not (row.kind == SCENARIO and _is_free(form, row.name, miss))]
    return _values(replace(fixed, rows=skipped), _slice(options, 0.15), options, backend)


def _is_free(form: Formulation, name: str, miss: NDArray[np.bool_]) -> bool:
    key = form.keys.get(name)
    return key is not None and bool(miss[key[1]].any() if key[0] < 0 else miss[key[1], key[0]])


def _fix_misses(form: Formulation, miss: NDArray[np.bool_], low: list[float], high: list[float]) -> None:
    for (at, w), column in form.misses.items():
        value = float(miss[w].any() if at < 0 else miss[w, at])
        low[column] = high[column] = value


def _values(form: Formulation, seconds: float | None, options: Options, backend: str) -> FloatArray | None:
    quick = Options(time_limit=seconds, node_limit=_NODES, rel_gap=_GAP, seed=options.seed, own_process=False)
    return solve(form.model(form.objectives["least_cost"]), quick, backend=backend).values


def _slice(options: Options, part: float) -> float | None:
    return None if options.time_limit is None else max(0.2, part * options.time_limit)
