"""The restricted LP core: all units over few pairs, chosen by LP duals; a good assignment soon, not a proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.measures import better
from gtm_opt.solvers.lns.linear import sharpened
from gtm_opt.solvers.lns.model import solve_resplit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.instance import FloatArray, Instance, IntArray
    from gtm_opt.solvers.local_search.opening import Opening
    from gtm_opt.solvers.local_search.relaxation import Relaxation
    from gtm_opt.solvers.protocol import Run

__all__ = ["tight_core", "tight_pairs"]

_PER_BAND = (14, 28, 56, 112)
"""Fewer than the first cannot make the bands as a rule; the last are near the whole problem."""
_NODES = 20
"""The heuristics of the first nodes find nearly all there is to find."""
_LEAST_SECONDS = 4.0
"""A core of one or two thousand pairs finds next to nothing in less."""
_MOST_SECONDS = 120.0
"""Only a safeguard, beside the nodes."""
_LINEAR = 2
"""Pairs per unit in the linear program."""


def tight_core(
    instance: Instance, opening: Opening, best: IntArray, run: Run, effort: float
) -> tuple[IntArray, Relaxation]:
    """Return the better of ``best`` and the cores' answers, and the relaxation at its LP duals.

    Parameters
    ----------
    instance : Instance
    opening : Opening
    best : ndarray of int, shape (n_units,)
    run : Run
    effort : float
        Multiplies the nodes; infinity: core after core, until the last or the end of the time.

    Notes
    -----
    Larger cores follow where there is time, or where smaller ones had nothing better.
    """
    layout = opening.layout
    sharp = sharpened(layout, opening.relaxation, _LINEAR * layout.n_free, min(run.remaining, _MOST_SECONDS), run.cut)
    improved = False
    for number, per_band in enumerate(_PER_BAND):
        if run.stop() or (improved and np.isfinite(effort)):
            break
        last = number == len(_PER_BAND) - 1
        share = run.remaining if last else max(0.5 * run.remaining, _LEAST_SECONDS)
        answer = solve_resplit(
            layout,
            tight_pairs(sharp.reduced, per_band * layout.fixed.shape[1]),
            node_limit=int(np.clip(_NODES * effort, 1, 1e9)),
            time_limit=max(0.1, min(share, run.remaining, _MOST_SECONDS)),
        )
        if answer.clock:
            run.cut()
        if answer.assignment is not None:
            before, best = best, better(instance, best, answer.assignment)
            improved |= best is not before
    return best, sharp


def tight_pairs(reduced: FloatArray, per: int) -> NDArray[np.bool_]:
    """Return each unit's best pair and the few others by which whole units could make the bands.

    Parameters
    ----------
    reduced : ndarray of shape (n_free, n_territories)
        Exact reduced costs, see `gtm_opt.solvers.lns.linear.sharpened`.
    per : int
        Per territory, so many cheapest pairs of units from elsewhere are allowed, and so many cheapest ways out of it;
        over all territories, that often the number of territories of the cheapest pairs.

    Notes
    -----
    How many units have to be decided together depends on the number of bands, not of units. The cheapest pairs
    alone would leave territories of high prices without any.
    """
    n, k = reduced.shape
    best = reduced.argmin(axis=1)
    others = reduced.copy()
    others[np.arange(n), best] = np.inf
    out = others.min(axis=1)
    allowed = np.zeros((n, k), dtype=bool)
    allowed[np.arange(n), best] = True
    for territory in range(k):
        arriving = others[:, territory]
        allowed[_cheapest(arriving, per), territory] = True
        leaving = _cheapest(np.where(best == territory, out, np.inf), per)
        allowed[leaving, others[leaving].argmin(axis=1)] = True
    allowed.ravel()[_cheapest(others.ravel(), per * k)] = True
    return allowed


def _cheapest(values: FloatArray, count: int) -> IntArray:
    order = np.argsort(values, kind="stable")[:count]
    return order[np.isfinite(values[order])]
