"""What every improvement of an assignment begins with: start, layout, prices, bound; and how it reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import SolverError
from gtm_opt.measures import better, evaluate
from gtm_opt.solvers.local_search.arrays import lay_out
from gtm_opt.solvers.local_search.relaxation import by_prices, round_up
from gtm_opt.solvers.protocol import SolverResult

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, Instance, IntArray
    from gtm_opt.solvers.lagrangian import Prices
    from gtm_opt.solvers.local_search.arrays import Layout
    from gtm_opt.solvers.local_search.relaxation import Relaxation
    from gtm_opt.solvers.protocol import Run

__all__ = ["Opening", "allowed_start", "checked_start", "closed", "met", "opened"]


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """Where an improvement begins.

    Attributes
    ----------
    before : ndarray of int or None
        The start that was given, checked.
    layout : Layout
    relaxation : Relaxation
    bound : float
    starts : list of ndarray of int
        Every unit at its price; then the start, if there is one, with units in forbidden territories moved. Searches
        from the first are freer, those from the second never lose what is known.
    """

    before: IntArray | None
    layout: Layout
    relaxation: Relaxation
    bound: float
    starts: list[IntArray]


def opened(instance: Instance, run: Run, name: str, start: IntArray | None, prices: Prices | None) -> Opening:
    """Return the opening of solver ``name``, its bound reported.

    Raises
    ------
    SolverError
        When the objective is evenness, or the start does not fit.
    """
    if instance.evenness is not None:
        raise SolverError(
            f"solver '{name}' minimises preference cost, got an evenness objective. Use solver='balancing' for it."
        )
    before = None if start is None else checked_start(instance, start)
    layout = lay_out(instance, np.zeros(instance.n_units, dtype=np.int64) if before is None else before)
    relaxation = by_prices(instance, layout, run, prices)
    bound = round_up(relaxation.bound, layout)
    run.report(name, bound=bound)
    starts = [relaxation.priced.argmin(axis=1)]
    if before is not None:
        starts.append(allowed_start(layout.cost, relaxation.priced, before))
    return Opening(before, layout, relaxation, bound, starts)


def closed(
    instance: Instance, run: Run, name: str, since: float, opening: Opening, found: IntArray, bound: float
) -> SolverResult:
    """Return the result of solver ``name``: the better of what was found and the start."""
    best = better(instance, found, opening.before)
    final = evaluate(instance, best)
    run.note(name, since, f"objective {final.objective:,.6g}, bound {bound:,.6g}")
    return SolverResult(
        assignment=best if final.rules_kept else None,
        bound=bound,
        prices=opening.relaxation.prices,
        side_prices=opening.relaxation.side_prices,
        termination=run.termination(proved=met(instance, best, bound)),
        steps=tuple(run.steps),
    )


def met(instance: Instance, assignment: IntArray, bound: float) -> bool:
    """Whether the assignment keeps all bands and reaches the bound."""
    found = evaluate(instance, assignment)
    return found.feasible and found.objective <= bound + 1e-9 * max(1.0, abs(bound))


def checked_start(instance: Instance, start: IntArray) -> IntArray:
    """Return ``start`` as positions, or raise.

    Raises
    ------
    SolverError
        When its length or a position does not fit the instance.
    """
    found = np.asarray(start, dtype=np.int64)
    if found.shape != (instance.n_units,):
        raise SolverError(f"`start` must have one territory per unit ({instance.n_units}), got shape {found.shape}.")
    wrong = np.flatnonzero((found < 0) | (found >= instance.n_territories))
    if len(wrong):
        raise SolverError(
            f"`start` must hold positions 0 to {instance.n_territories - 1}, got {found[wrong[0]]} "
            f"for unit {wrong[0]} and {len(wrong) - 1} more such units."
        )
    return found


def allowed_start(cost: FloatArray, priced: FloatArray, start: IntArray) -> IntArray:
    """Return ``start`` with units in forbidden territories moved to their cheapest one."""
    forbidden = ~np.isfinite(cost[np.arange(len(start)), start])
    return np.where(forbidden, priced.argmin(axis=1), start)
