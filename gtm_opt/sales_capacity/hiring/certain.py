"""Plans with a promise: solve the scenario model, CVaR or the normal cut, and check it on fresh paths."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.sales_capacity.hiring.confidence import Confidence, check_uncertain
from gtm_opt.sales_capacity.hiring.formulation import Formulation, Row, formulate
from gtm_opt.sales_capacity.hiring.normal_cut import moments, normal_model
from gtm_opt.sales_capacity.hiring.odds import measure_odds
from gtm_opt.sales_capacity.hiring.result import HiringPlan
from gtm_opt.sales_capacity.hiring.scenario_model import Lives, draw_lives, scenario_model
from gtm_opt.sales_capacity.hiring.scenario_search import find_start
from gtm_opt.sales_capacity.hiring.stages import Stage, solve_stages

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.mip import Options
    from gtm_opt.sales_capacity.hiring.problem import HiringProblem

__all__ = ["most_hires", "plan_with_confidence"]

_ROUNDS = 5


def plan_with_confidence(
    problem: HiringProblem, confidence: Confidence, options: Options, backend: str = "highs", stream: int = 0
) -> HiringPlan:
    """Return the cheapest plan that keeps the promise within the model, with its odds on fresh paths."""
    most = most_hires(problem)
    check_uncertain(problem, confidence, most)
    if confidence.method == "normal":
        return _with_odds(_normal(problem, confidence, options, backend), confidence)
    lives = draw_lives(problem, confidence, most, 2 * stream)
    form = scenario_model(problem, confidence, lives)
    stages, values, notes = _solve(problem, confidence, lives, form, options, backend)
    plan = HiringPlan(problem, stages, form, values, options, backend, notes, confidence=confidence)
    return _with_odds(plan, confidence)


def _solve(
    problem: HiringProblem, confidence: Confidence, lives: Lives, form: Formulation, options: Options, backend: str
) -> tuple[tuple[Stage, ...], NDArray[np.float64] | None, tuple[str, ...]]:
    """Solve the exact model from a plan found with small ones, whose cost is a cutoff: a better plan costs less."""
    since = time.perf_counter()
    start = None
    if confidence.method == "scenarios":
        start = find_start(problem, confidence, lives, form, options, backend)
    if start is not None:
        cost = form.objectives["least_cost"]
        limit = cost.at(start) * (1.0 + 1e-9)
        form = replace(
            form, rows=[*form.rows, Row("costs no more than the plan known", "identity", "", -1, cost, high=limit)]
        )
    if options.time_limit is not None:
        options = replace(options, time_limit=max(0.1, options.time_limit - (time.perf_counter() - since)))
    return solve_stages(form, ("least_cost",), options, backend, start)


def most_hires(problem: HiringProblem) -> NDArray[np.float64]:
    """Return the largest number of starts by role and month."""
    form = formulate(problem, ())
    return np.array(form.high[: form.flow.hires.size]).reshape(form.flow.hires.shape)


def _normal(problem: HiringProblem, confidence: Confidence, options: Options, backend: str) -> HiringPlan:
    """Move the cut to the variance of the plan it gave until that is no cheaper; the cheapest of the plans."""
    known = moments(problem, confidence)
    at = np.maximum(known.variance_0, 1e-6 * np.array([t.amount for t in problem.targets]) ** 2)
    best: HiringPlan | None = None
    for _ in range(_ROUNDS):
        form = normal_model(problem, confidence, known, at)
        stages, values, notes = solve_stages(form, ("least_cost",), options, backend)
        plan = HiringPlan(problem, stages, form, values, options, backend, notes, confidence=confidence)
        if best is None or (plan.values is not None and not plan.objective >= best.objective - 1e-9):
            best = plan
        if plan.values is None:
            break
        after = known.at(plan.hire_counts)[1]
        if np.allclose(after, at, rtol=1e-9):
            break
        at = after
    assert best is not None
    return best


def _with_odds(plan: HiringPlan, confidence: Confidence) -> HiringPlan:
    if plan.values is None:
        return plan
    odds = measure_odds(plan.problem, plan.hire_counts, confidence, asked=confidence.probability)
    note = () if odds.is_kept else (odds.summary(),)
    return replace(plan, odds=odds, notes=(*plan.notes, *note))
