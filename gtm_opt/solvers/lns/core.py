"""The core: all units at once, restricted to the pairs that can still matter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.solvers.lns.model import solve_resplit

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.solvers.local_search.arrays import Layout

__all__ = ["Core", "solve_core"]


@dataclass(frozen=True, slots=True, eq=False)
class Core:
    """The answer of a core.

    Attributes
    ----------
    assignment : ndarray of int, shape (n_free,), or None
        None when there is none (no better one, where that was asked), or the limits were reached first.
    exact : bool
        The core was solved to its end.
    bound : float
        Lower bound on the objective of the whole problem, pairs outside the core included.
    clock : bool
        The time limit cut the search.
    """

    assignment: IntArray | None
    exact: bool
    bound: float
    clock: bool = False


def solve_core(
    layout: Layout,
    reduced: FloatArray,
    dual: float,
    objective: float,
    *,
    pairs: int = 2_500,
    step: float = 0.0,
    only_better: bool = True,
    node_limit: int = 2_000,
    time_limit: float = 10.0,
) -> Core:
    """Solve the problem over the cheapest pairs, and say what that proves.

    Parameters
    ----------
    layout : Layout
    reduced : ndarray of shape (n_free, n_territories)
        Cost plus prices, less each unit's smallest.
    dual : float
        The Lagrangian bound of those prices.
    objective : float
        Of the best assignment that keeps all bands; ``inf``: none yet.
    pairs : int
        Size of the core.
    step : float
        Objectives differ by at least this (1 for integer costs).
    only_better : bool
        Ask for nothing that is not better than ``objective``: what proofs need. The heuristics of a MIP
        solver find more without.
    node_limit, time_limit : int, float
        See `solve_resplit`.

    Notes
    -----
    An assignment that uses a pair of reduced cost r costs at least ``dual + r``. So the
    core's own proof holds for everything up to ``dual`` plus the smallest reduced cost left out.
    """
    flat = np.sort(reduced[np.isfinite(reduced)])
    room = objective - dual
    limit = min(room, float(flat[min(pairs, len(flat)) - 1]))
    allowed = reduced <= limit
    left_out = reduced[~allowed & np.isfinite(reduced)]
    outside = dual + float(left_out.min()) if len(left_out) else np.inf
    cutoff = np.inf
    if only_better and np.isfinite(objective):
        cutoff = objective - layout.fixed_cost - max(0.5 * step, 1e-7 * abs(objective))
    answer = solve_resplit(layout, allowed, cutoff=cutoff, node_limit=node_limit, time_limit=time_limit)
    # nothing below the cutoff: the known assignment is the core's best
    nothing = answer.exact and answer.assignment is None
    inside = (objective if only_better else np.inf) if nothing else answer.bound + layout.fixed_cost
    return Core(answer.assignment, answer.exact, max(dual, min(inside, outside)), answer.clock)
