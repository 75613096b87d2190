"""What is checked before any solver begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.instance import Distance, MoveCost, PinTerm, Table, UnitSum
from gtm_opt.instance.terms import total
from gtm_opt.solvers.protocol import SolverResult

if TYPE_CHECKING:
    from gtm_opt.instance import Instance, IntArray, Term
    from gtm_opt.solvers.protocol import Run

__all__ = ["settle_unplaceable", "unplaceable_units"]


def unplaceable_units(instance: Instance) -> IntArray:
    """Return the units for which no territory is open, in order.

    Notes
    -----
    Only terms that can bar a pair are looked at: without any this takes no time, else one pass over
    units x territories.
    """
    bars = [term for term in instance.cost if _may_bar(term)]
    if not bars or (len(bars) == 1 and isinstance(bars[0], PinTerm)):
        return np.zeros(0, dtype=np.int64)
    lost = []
    for rows in instance.chunks():
        open_to = np.isfinite(total(bars, rows, rows.stop - rows.start, instance.n_territories))
        lost.append(rows.start + np.flatnonzero(~open_to.any(axis=1)))
    return np.concatenate(lost).astype(np.int64) if lost else np.zeros(0, dtype=np.int64)


def _may_bar(term: Term) -> bool:
    inner = term.inner if isinstance(term, UnitSum) else term
    return not isinstance(inner, MoveCost | Distance | Table)


def settle_unplaceable(instance: Instance, run: Run) -> SolverResult | None:
    """Return that there is no assignment where some unit has no territory; None where every unit has one."""
    lost = unplaceable_units(instance)
    if not len(lost):
        return None
    run.note("entry", run.seconds, f"{len(lost):,} units have no open territory, the first is unit {int(lost[0])}")
    return SolverResult(
        None,
        bound=np.inf,
        termination=run.termination(proved=True),
        proved_infeasible=True,
        steps=tuple(run.steps),
    )
