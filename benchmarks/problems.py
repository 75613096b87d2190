"""From what a file says to the library's own arrays, and lower bounds that need no solver."""

from __future__ import annotations

import numpy as np

from benchmarks.readers import Gap, Partition
from gtm_opt.instance import Dense, Evenness, EvennessKind, Instance, frozen

__all__ = ["to_instance", "trivial_bound"]


def to_instance(problem: Gap | Partition) -> Instance:
    """Return the problem as an `Instance`.

    Notes
    -----
    Generalized assignment: activities that depend on the territory, upper limits only, hard. The others: no
    bands, no cost, evenness in absolute units (spread for ``mdmwnpp``, peak for ``pcmax`` and ``bpp``).
    """
    if isinstance(problem, Gap):
        capacity = problem.capacity[:, None]
        target = np.where(capacity > 0, capacity, 1.0)
        return Instance(
            activities=frozen(problem.use.T[:, :, None]),
            target=frozen(target),
            lower=frozen(np.full_like(target, -np.inf)),
            upper=frozen(capacity),
            shares=frozen(target[:, 0] / target.sum()),
            tier=frozen(np.ones(1), np.int64),
            penalty=frozen(np.full(1, np.inf)),
            cost=(Dense(frozen(problem.cost.T)),),
            names=("use",),
        )
    k, m = problem.k, problem.sizes.shape[1]
    target = np.repeat(problem.sizes.sum(axis=0, keepdims=True) / k, k, axis=0)
    target = np.where(target > 0, target, 1.0)
    free = np.full((k, m), np.inf)
    kind = EvennessKind.SPREAD if problem.family == "mdmwnpp" else EvennessKind.PEAK
    return Instance(
        activities=frozen(problem.sizes),
        target=frozen(target),
        lower=frozen(-free),
        upper=frozen(free),
        shares=frozen(np.full(k, 1.0 / k)),
        tier=frozen(np.ones(m), np.int64),
        penalty=frozen(np.full(m, np.inf)),
        evenness=Evenness(kind, frozen(np.ones((k, m)))),
        names=tuple(f"coordinate_{j}" for j in range(m)),
    )


def trivial_bound(problem: Gap | Partition) -> float:
    """Return a lower bound that needs no solver.

    Notes
    -----
    ``gap``: every job at its cheapest agent that can hold it. ``pcmax`` and ``bpp``: the largest of the mean load
    (rounded up for whole numbers), the largest size, and the two smallest of the k + 1 largest (in general, of
    the first ``r k + 1`` by size the ``r + 1`` smallest must share a bin). ``mdmwnpp``: zero, or the largest
    coordinate where there are fewer vectors than subsets.
    """
    if isinstance(problem, Gap):
        fits = problem.use <= problem.capacity[:, None]
        return float(np.where(fits, problem.cost, np.inf).min(axis=0).sum())
    sizes, k, n = problem.sizes, problem.k, problem.n
    if problem.family == "mdmwnpp":
        return float(sizes.max()) if n < k else 0.0
    ordered = np.sort(sizes[:, 0])[::-1]
    mean = float(ordered.sum()) / k
    whole = bool((ordered == np.rint(ordered)).all())
    bound = max(float(np.ceil(mean - 1e-9)) if whole else mean, float(ordered[0]))
    for r in range(1, (n - 1) // k + 1):
        bound = max(bound, float(ordered[r * k - r : r * k + 1].sum()))
    return bound
