"""Construction: vector greedy, the generalisation of LPT to several criteria."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.solvers.balancing.problem import normal_form

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, Instance, IntArray
    from gtm_opt.solvers.balancing.problem import BalancingProblem

__all__ = ["greedy_order", "place_units", "vector_greedy"]

_REPAIRS = 50


def vector_greedy(instance: Instance, rng: np.random.Generator | None = None, *, noise: float = 0.1) -> IntArray | None:
    """Place units by decreasing size where the worst normalised total grows least.

    Parameters
    ----------
    instance : Instance
        Activities of shape (n_units, n_criteria). Pairs of infinite cost are avoided, and the units
        of an ``apart`` group kept apart.
    rng : Generator, optional
        Varies the order of the units by a factor ``exp(noise * normal)`` on their sizes.
    noise : float
        Without effect when ``rng`` is None.

    Returns
    -------
    ndarray of int64, shape (n_units,), or None
        None when no assignment that keeps the rules was found.

    Notes
    -----
    O(n_units * n_territories * n_criteria) time. With one criterion, equal shares and no rules it is
    LPT, within 4/3 - 1/(3K) of the smallest possible largest total [1]_; with several criteria
    there is no such guarantee.

    References
    ----------
    .. [1] R. L. Graham, "Bounds on multiprocessing timing anomalies", SIAM J. Appl. Math. 17 (1969),
       https://doi.org/10.1137/0117039
    """
    problem = normal_form(instance)
    order = greedy_order(problem, rng, noise)
    return place_units(problem, order, rng)


def greedy_order(problem: BalancingProblem, rng: np.random.Generator | None, noise: float = 0.1) -> IntArray:
    """Return the units by decreasing largest normalised activity; those with few choices first."""
    total = problem.weights.sum(axis=0)
    size = (problem.weights / np.where(total > 0, total, 1.0)).max(axis=1, initial=0.0)
    if rng is not None:
        size = size * np.exp(noise * rng.standard_normal(len(size)))
    choices = problem.allowed.sum(axis=1) if problem.has_bars else np.zeros(problem.n_units)
    rivals = np.diff(problem.rival_start) if problem.has_rivals else np.zeros(problem.n_units)
    return np.lexsort((-size, -np.minimum(rivals, 1), np.minimum(choices, 2))).astype(np.int64)


def place_units(problem: BalancingProblem, order: IntArray, rng: np.random.Generator | None) -> IntArray | None:
    """Run the greedy in the given order; units that got stuck go first in the next try."""
    from gtm_opt.solvers.balancing._kernels_greedy import place

    for _ in range(_REPAIRS):
        assign = np.full(problem.n_units, -1, dtype=np.int64)
        x: FloatArray = -problem.offset.copy()
        stuck = place(
            order,
            problem.weights,
            problem.scale,
            problem.offset,
            problem.allowed,
            problem.rival_start,
            problem.rivals,
            assign,
            x,
        )
        if stuck == 0:
            return assign
        late = assign[order] < 0
        order = np.concatenate([order[late], order[~late]])
    return None
