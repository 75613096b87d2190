"""Values, objective, bound and status, recomputed from the model in the user's numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.mip import highs
from gtm_opt.mip.options import Options
from gtm_opt.mip.scaling import scale_program
from gtm_opt.mip.solution import Solution, gap_of, integral_step, status_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.mip.model import Program
    from gtm_opt.mip.scaling import Scaling
    from gtm_opt.mip.solution import Answer

__all__ = ["FEASIBLE", "recompute"]

FEASIBLE = 1e-6
"""Largest violation, relative to the largest number of a row, at which values still count as keeping it."""
_EXACT = 1e-9
_CONTRADICTION = 1e-9
"""A bound above the objective by more than this, relative, and by more than its own error, is no bound."""


def recompute(
    program: Program,
    scaling: Scaling | None,
    options: Options,
    answer: Answer,
    start: NDArray[np.float64] | None,
    seconds: float,
) -> Solution:
    """Turn a backend's answer into a checked solution.

    Parameters
    ----------
    program : Program
        In the user's numbers.
    scaling : Scaling or None
        Of the program that the backend got; None: it got ``program`` itself.
    options : Options
    answer : Answer
    start : ndarray or None
        The user's values to begin from.
    seconds : float
        What is left of the time limit.

    Returns
    -------
    Solution
        Without backend and seconds, which the caller knows.
    """
    notes = list(answer.notes)
    values = _values(program, scaling, answer, seconds, notes)
    usable = start is not None and program.violation(start) <= FEASIBLE
    if start is not None and usable and (values is None or program.objective(start) < program.objective(values)):
        values = start
        notes.append("nothing better than the start was found")
    objective = np.nan if values is None else program.objective(values)
    bound, error = _bound(program, scaling, answer, values, notes)
    step = integral_step(program)
    rounding = _EXACT * (abs(objective) if values is not None else 0.0)
    tolerance = max(2.0 * error, rounding) if step == 0.0 else rounding
    status = status_of(objective, bound, tolerance, options.rel_gap, unbounded=answer.unbounded and bound == -np.inf)
    sign = -1.0 if program.maximize else 1.0
    duals = answer.duals
    if duals is not None and scaling is not None:
        duals = sign * duals * scaling.row * scaling.objective
    return Solution(
        status=status,
        values=values,
        objective=sign * objective + 0.0,
        bound=sign * bound,
        gap=gap_of(objective, bound),
        tolerance=tolerance,
        violation=0.0 if values is None else program.violation(values),
        limit_reached=answer.limit_reached,
        backend="",
        seconds=0.0,
        nodes=answer.nodes,
        clock=answer.clock,
        duals=duals,
        notes=tuple(notes),
        column_names=program.column_names,
    )


def _values(
    program: Program, scaling: Scaling | None, answer: Answer, seconds: float, notes: list[str]
) -> NDArray[np.float64] | None:
    """Return values with whole numbers that keep all rows, None where there are none."""
    if answer.values is None:
        return None
    values = answer.values if scaling is None else scaling.to_user(answer.values)
    values = np.clip(np.where(program.integer, np.rint(values), values), program.low, program.high)
    mixed = bool(program.integer.any() and not program.integer.all())
    if mixed and (scaling is None or program.violation(values) > _EXACT):
        exact = _fixed(program, values, seconds)
        if exact is not None and program.violation(exact) <= max(program.violation(values), _EXACT):
            values = exact
    if program.violation(values) > FEASIBLE:
        notes.append(
            f"values were dropped: rounded to whole numbers they break a row by {program.violation(values):.2g}"
        )
        return None
    return values


def _fixed(program: Program, values: NDArray[np.float64], seconds: float) -> NDArray[np.float64] | None:
    """Return the best continuous columns for these whole numbers."""
    low, high = (np.where(program.integer, values, limit) for limit in (program.low, program.high))
    fixed = replace(program.with_bounds(low, high), integer=np.zeros_like(program.integer))
    scaling = scale_program(fixed)
    limit = None if np.isinf(seconds) else max(seconds, 0.05)
    found = highs.solve_program(scaling.program, Options(time_limit=limit)).values
    return None if found is None else np.clip(scaling.to_user(found), low, high)


def _bound(
    program: Program,
    scaling: Scaling | None,
    answer: Answer,
    values: NDArray[np.float64] | None,
    notes: list[str],
) -> tuple[float, float]:
    """Return a lower bound with its error taken off, and the error, in the user's numbers."""
    unit = 1.0 if scaling is None else scaling.objective
    bound, error = answer.bound, answer.error
    if bound == -np.inf and values is not None and not answer.unbounded and not answer.limit_reached:
        relaxed = scale_program(replace(program, integer=np.zeros_like(program.integer)))
        found = highs.solve_program(relaxed.program, Options())
        bound, error, unit = found.bound, found.error, relaxed.objective
    objective = np.inf if values is None else program.objective(values)
    if bound == np.inf:
        if values is not None:
            notes.append("a claim of infeasibility was dropped: the start keeps all rows")
            return -np.inf, 0.0
        return np.inf, 0.0
    if not np.isfinite(bound):
        return -np.inf, 0.0
    error = error * unit if program.cost.any() else 0.0
    bound = bound * unit - error
    step = integral_step(program)
    if step > 0.0:  # up to the next value that the objective can take
        bound = step * np.ceil(bound / step - 1e-9)
    bound += program.offset
    if bound > objective:
        if bound - objective > error + _CONTRADICTION * max(abs(objective), error):
            notes.append(f"a bound of {bound:.10g} was dropped: better values are known")
            return -np.inf, 0.0
        bound = objective
    return float(bound), error
