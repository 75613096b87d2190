"""Seeded generators of the classics: generalized assignment, vectors to partition, machines, bins.

They follow the recipes of the literature, so that claims about a family can be tested on as many
instances as one likes, none of which anybody has tuned to.
"""

from __future__ import annotations

import numpy as np

from benchmarks.readers import Gap, Partition
from gtm_opt.errors import DataError, Finding
from gtm_opt.instance import FloatArray, IntArray

__all__ = ["gap", "perfect", "triplets", "uniform_bins", "vectors"]


def gap(letter: str, agents: int, jobs: int, seed: int) -> Gap:
    """Return generalized assignment of type c, d or e.

    Notes
    -----
    Uses and costs are independent and uniform (c), or against each other, linearly (d) or
    logarithmically (e); capacities are four fifths of an even share.

    References
    ----------
    P. C. Chu, J. E. Beasley (1997). A genetic algorithm for the generalised assignment problem.
    https://doi.org/10.1016/S0305-0548(96)00032-9
    M. Yagiura, T. Ibaraki, F. Glover (2006). A path relinking approach with ejection chains for the
    generalized assignment problem. https://doi.org/10.1016/j.ejor.2004.06.016
    """
    rng = np.random.default_rng(seed)
    if letter == "c":
        use, cost = rng.integers(5, 26, (agents, jobs)), rng.integers(10, 51, (agents, jobs))
    elif letter == "d":
        use = rng.integers(1, 101, (agents, jobs))
        cost = 111 - use + rng.integers(-10, 11, (agents, jobs))
    elif letter == "e":
        draw = 1.0 - 10.0 * np.log(1.0 - rng.random((agents, jobs)))
        use = np.maximum(1, np.rint(draw)).astype(np.int64)
        cost = np.maximum(1, np.rint(1000.0 / draw - 10.0 * rng.random((agents, jobs)))).astype(np.int64)
    else:
        raise DataError([Finding("letter", "must be c, d or e", got=f"'{letter}'")])
    capacity = (0.8 * use.sum(axis=1) / agents).astype(np.int64)
    return Gap(cost.astype(np.float64), use.astype(np.float64), capacity.astype(np.float64))


def vectors(n: int, m: int, seed: int) -> FloatArray:
    """Return ``n`` uniform vectors of ``m`` numbers up to 100,000, with three decimals."""
    return np.round(np.random.default_rng(seed).random((n, m)) * 100_000, 3)


def perfect(k: int, load: int, seed: int) -> IntArray:
    """Cut ``k`` bars of length ``load`` into 3 to 6 pieces each, shuffled: the best peak is ``load``."""
    rng = np.random.default_rng(seed)
    pieces: list[int] = []
    for _ in range(k):
        cuts = np.sort(rng.choice(np.arange(1, load), size=int(rng.integers(2, 6)), replace=False))
        pieces += np.diff([0, *cuts.tolist(), load]).tolist()
    return np.asarray(pieces, dtype=np.int64)[rng.permutation(len(pieces))]


def triplets(bins: int, capacity: int, seed: int) -> IntArray:
    """Return three items a bin that fill it exactly, none below a quarter of it.

    References
    ----------
    E. Falkenauer (1996). A hybrid grouping genetic algorithm for bin packing. https://doi.org/10.1007/BF00226291
    """
    rng = np.random.default_rng(seed)
    items: list[int] = []
    for _ in range(bins):
        first = int(rng.integers(int(0.38 * capacity), int(0.49 * capacity)))
        second = int(rng.integers(int(0.25 * capacity), (capacity - first) // 2))
        items += [first, second, capacity - first - second]
    return np.asarray(items, dtype=np.int64)[rng.permutation(len(items))]


def uniform_bins(n: int, low: int, high: int, capacity: int, seed: int) -> Partition:
    """Return uniform weights and the fewest bins their total allows.

    Notes
    -----
    20 to 100 into 150 are Falkenauer's; weights up to four fifths of a capacity of 1,000 are like the hard ones of
    Schoenfield (2002).
    """
    weights = np.random.default_rng(seed).integers(low, high + 1, n)
    least = -(-int(weights.sum()) // capacity)
    return Partition("bpp", weights.astype(np.float64)[:, None], least, float(capacity))
