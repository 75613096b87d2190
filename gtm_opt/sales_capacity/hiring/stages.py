"""Solving one objective after the other, each stage keeping what the stages before it reached."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.mip import Options, Status, solve
from gtm_opt.sales_capacity.hiring.formulation import Formulation, Row
from gtm_opt.sales_capacity.hiring.objectives import MAXIMIZED
from gtm_opt.sales_capacity.hiring.prices import solve_with_prices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gtm_opt.mip import Solution
    from gtm_opt.sales_capacity.hiring.formulation import Linear

    FloatArray = NDArray[np.float64]

__all__ = ["Stage", "relax", "solve_stages"]

_KEEP = 1e-9
"""Relative loosening of the row that keeps an earlier stage's value, for its round-off."""


@dataclass(frozen=True)
class Stage:
    """What one objective reached.

    Attributes
    ----------
    objective : str
    value, bound : float
        In the objective's own direction; the bound is one for plans that are as good in all earlier objectives.
    gap : float
    status : Status
    limit_reached : bool
    """

    objective: str
    value: float
    bound: float
    gap: float
    status: Status
    limit_reached: bool


def solve_stages(
    form: Formulation,
    objectives: Sequence[str],
    options: Options,
    backend: str,
    start: FloatArray | None = None,
    method: str = "direct",
) -> tuple[tuple[Stage, ...], FloatArray | None, tuple[str, ...]]:
    """Return the stages, the values of the columns (None: there are none) and the backends' notes.

    Notes
    -----
    The time limit is one for all stages together. ``method="prices"`` is for the first of them.
    """
    since = time.perf_counter()
    kept: list[Row] = []
    stages: list[Stage] = []
    notes: list[str] = []
    values = start
    for name in objectives:
        objective = form.objectives[name]
        left = options
        if options.time_limit is not None:
            left = replace(options, time_limit=max(options.time_limit - (time.perf_counter() - since), 0.05))
        if method == "prices" and not kept:
            answer = solve_with_prices(form, objective, left, values)
        else:
            answer = solve(form.model(objective, kept), left, backend=backend, start=values)
        if answer.limit_reached and answer.bound == -np.inf and answer.has_values:
            answer = _with_relaxed_bound(form, objective, kept, answer, options)
        stages.append(_stage(name, answer))
        notes += [f"{name}: {note}" for note in answer.notes]
        if answer.values is None:
            # the start keeps every row, so only a first stage can end without values
            return tuple(stages), None, tuple(notes)
        values = answer.values
        limit = answer.objective + _KEEP * max(1.0, abs(answer.objective))
        kept.append(Row(f"keep {name}", "identity", "", -1, objective, high=limit))
    return tuple(stages), values, tuple(notes)


def _with_relaxed_bound(
    form: Formulation, objective: Linear, kept: Sequence[Row], answer: Solution, options: Options
) -> Solution:
    """Return the answer with the bound of the linear relaxation, where the search was cut before it had one."""
    program = form.model(objective, kept).program()
    relaxed = solve(replace(program, integer=np.zeros_like(program.integer)), Options())
    bound = min(relaxed.bound, answer.objective)
    if not np.isfinite(bound):
        return answer
    gap = (answer.objective - bound) / abs(answer.objective) if answer.objective else 0.0
    status = Status.WITHIN_GAP if gap <= options.rel_gap else Status.FEASIBLE
    note = "the bound is that of the linear relaxation: the search was cut before it had a better one"
    return replace(answer, bound=bound, gap=gap, status=status, notes=(*answer.notes, note))


def _stage(name: str, answer: Solution) -> Stage:
    sign = -1.0 if name in MAXIMIZED else 1.0
    return Stage(
        name, sign * answer.objective + 0.0, sign * answer.bound + 0.0, answer.gap, answer.status, answer.limit_reached
    )


def relax(form: Formulation, objective: Linear, options: Options | None = None) -> Solution:
    """Solve the linear relaxation: its value is a lower bound, its duals are prices per unit of each row's limit."""
    program = form.model(objective).program()
    return solve(replace(program, integer=np.zeros_like(program.integer)), options)
