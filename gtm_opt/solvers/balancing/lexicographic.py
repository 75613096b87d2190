"""After an oversized unit has set the worst deviation: balance what is left."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.solvers.balancing.problem import DEVIATION

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.solvers.balancing.problem import BalancingProblem

__all__ = ["balance_the_rest"]

_FAINT = 1e-6
"""Factor on the scale of a cell that is settled, so that it no longer counts."""


def balance_the_rest(
    problem: BalancingProblem, assign: IntArray, solve: Callable[[BalancingProblem, IntArray, bool], IntArray]
) -> tuple[IntArray, int]:
    """Go on minimising the next largest deviations where single oversized units force the largest.

    Parameters
    ----------
    problem : BalancingProblem
        Other kinds than ``DEVIATION`` are returned as they are.
    assign : ndarray of int
    solve : callable
        Improves an assignment of a changed problem; its third argument says whether this is the last call.

    Returns
    -------
    assign : ndarray of int
        Its sorted deviations are never worse, first ones first.
    settled : int
        Number of cells and territories settled.

    Notes
    -----
    A cell (territory, criterion) whose deviation one unit alone explains is settled: it stops counting, and
    units that would add to it are forbidden there. When such a territory is the worst again in another
    criterion, it is frozen as a whole. Repeats until the worst cell has no oversized unit behind it.
    """
    current, settled = problem, 0
    if problem.kind != DEVIATION or problem.n_criteria == 0:
        return assign, 0
    oversized: set[int] = set()
    while settled < 3 * problem.n_territories:
        x = np.abs(current.deviations(assign))
        k, j = (int(v) for v in np.unravel_index(int(x.argmax()), x.shape))
        if _has_giant(current, assign, k, j):
            current = _settle(current, assign, k, j)
            oversized.add(k)
        elif k in oversized:
            current = _freeze(current, assign, k)
        else:
            break
        settled += 1
        assign = _better(problem, assign, solve(current, assign, False))
    if settled:
        assign = _better(problem, assign, solve(current, assign, True))
    return assign, settled


def _better(problem: BalancingProblem, old: IntArray, new: IntArray) -> IntArray:
    """Return ``new`` where its sorted deviations are not worse than those of ``old``."""
    return new if _earlier(np.abs(problem.deviations(new)), np.abs(problem.deviations(old))) else old


def _earlier(new: FloatArray, old: FloatArray) -> bool:
    """Whether the sorted deviations ``new`` are lexicographically not worse than ``old``."""
    a, b = np.sort(new.ravel())[::-1], np.sort(old.ravel())[::-1]
    differ = np.flatnonzero(np.abs(a - b) > 1e-9 * np.maximum(1.0, b))
    return len(differ) == 0 or bool(a[differ[0]] < b[differ[0]])


def _has_giant(problem: BalancingProblem, assign: IntArray, k: int, j: int) -> bool:
    units = np.flatnonzero(assign == k)
    if len(units) == 0:
        return False
    alone = float(problem.weights[units, j].max()) * problem.scale[k, j] - problem.offset[k, j]
    worst = float(np.abs(problem.deviations(assign)[k, j]))
    return bool(alone > 0.0 and alone >= worst * (1.0 - 1e-6))


def _open(problem: BalancingProblem) -> NDArray[np.uint8]:
    if problem.has_bars:
        return problem.allowed.copy()
    return np.ones((problem.n_units, problem.n_territories), dtype=np.uint8)


def _settle(problem: BalancingProblem, assign: IntArray, k: int, j: int) -> BalancingProblem:
    scale, offset, allowed = problem.scale.copy(), problem.offset.copy(), _open(problem)
    scale[k, j] *= _FAINT
    offset[k, j] = 0.0
    here = assign == k
    allowed[(problem.weights[:, j] > 0.0) & ~here, k] = 0
    oversized = np.flatnonzero(here)[problem.weights[here, j].argmax()]
    allowed[oversized] = 0
    allowed[oversized, k] = 1
    return replace(problem, scale=scale, offset=offset, allowed=allowed)


def _freeze(problem: BalancingProblem, assign: IntArray, k: int) -> BalancingProblem:
    scale, offset, allowed = problem.scale.copy(), problem.offset.copy(), _open(problem)
    scale[k] *= _FAINT
    offset[k] = 0.0
    here = assign == k
    allowed[:, k] = 0
    allowed[here] = 0
    allowed[here, k] = 1
    return replace(problem, scale=scale, offset=offset, allowed=allowed)
