"""Random columns shaped like real account data: skewed sizes, empty pipelines, cities, owners out of place.

Everything else in this package, and the instance generators of the benchmarks, is put
together from these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "city_points",
    "lognormal_sizes",
    "nearest",
    "out_of_place",
    "poisson_counts",
    "sparse_sizes",
    "spread_centers",
    "zipf_sizes",
]


_CELLS = 8_000_000
_MANY = 64


def lognormal_sizes(
    n: int, rng: np.random.Generator, *, median: float = 1.0, sigma: float = 1.5
) -> NDArray[np.float64]:
    """Return ``n`` sizes from a lognormal distribution.

    Parameters
    ----------
    n : int
    rng : numpy.random.Generator
    median : float
        Half of the accounts are smaller.
    sigma : float
        Standard deviation of the logarithm. 1.5 is typical of account revenue: the
        largest of 1,000 is about 40 times the mean.
    """
    return median * rng.lognormal(0.0, sigma, n)


def sparse_sizes(
    n: int, rng: np.random.Generator, *, median: float = 1.0, sigma: float = 1.5, zeros: float = 0.6
) -> NDArray[np.float64]:
    """Return lognormal sizes of which the fraction ``zeros`` (each by itself) is zero."""
    return np.where(rng.random(n) < zeros, 0.0, lognormal_sizes(n, rng, median=median, sigma=sigma))


def zipf_sizes(n: int, rng: np.random.Generator, *, largest: float = 1.0, exponent: float = 1.0) -> NDArray[np.float64]:
    """Return ``largest / rank ** exponent`` in random order."""
    return largest / rng.permutation(np.arange(1, n + 1)).astype(np.float64) ** exponent


def poisson_counts(n: int, rng: np.random.Generator, *, mean: float = 4.0) -> NDArray[np.float64]:
    """Return Poisson counts as floats, independent of any size."""
    return rng.poisson(mean, n).astype(np.float64)


def city_points(
    n: int, rng: np.random.Generator, *, n_cities: int = 50, side: float = 1_000.0, scatter: float = 15.0
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return ``n`` points clustered around cities of unequal size in a square, and the city of each.

    Parameters
    ----------
    n : int
    rng : numpy.random.Generator
    n_cities : int
    side : float
        Side of the square, for example in km.
    scatter : float
        Standard deviation of the distance to the city center, per axis.

    Returns
    -------
    points : ndarray of shape (n, 2)
    city : ndarray of int, shape (n,)
    """
    centers = rng.random((n_cities, 2)) * side
    weight = rng.lognormal(0.0, 0.8, n_cities)
    city = rng.choice(n_cities, size=n, p=weight / weight.sum()).astype(np.int64)
    points = rng.normal(0.0, scatter, (n, 2))
    points += centers[city]
    return points, city


def nearest(points: NDArray[np.float64], centers: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the position of the nearest center of each point; by a tree of the centers where there are many."""
    if len(centers) > _MANY:
        from scipy.spatial import cKDTree

        _, position = cKDTree(centers).query(points)
        return np.asarray(position, dtype=np.int64)
    out = np.empty(len(points), dtype=np.int64)
    block_size = max(1, _CELLS // max(1, len(centers)))
    square = (centers**2).sum(axis=1)
    for start in range(0, len(points), block_size):
        block = points[start : start + block_size]
        out[start : start + block_size] = (square - 2.0 * block @ centers.T).argmin(axis=1)
    return out


def spread_centers(
    points: NDArray[np.float64], k: int, rng: np.random.Generator, *, sweeps: int = 5
) -> NDArray[np.float64]:
    """Return ``k`` centers: randomly drawn points, moved by a few Lloyd sweeps on a sample."""
    sample = points[rng.choice(len(points), size=min(len(points), max(5_000, 20 * k)), replace=False)]
    centers = sample[rng.choice(len(sample), size=k, replace=len(sample) < k)].copy()
    for _ in range(sweeps):
        label = nearest(sample, centers)
        count = np.bincount(label, minlength=k)
        for axis in range(2):
            mean = np.bincount(label, weights=sample[:, axis], minlength=k) / np.maximum(count, 1)
            centers[:, axis] = np.where(count > 0, mean, centers[:, axis])
    return centers


def out_of_place(
    home: NDArray[np.int64], k: int, rng: np.random.Generator, *, fraction: float = 0.3
) -> NDArray[np.int64]:
    """Return ``home`` with the given fraction replaced by another of the ``k`` positions, drawn evenly."""
    if k < 2:
        return home.copy()
    moved = rng.random(len(home)) < fraction
    other = (home + rng.integers(1, k, len(home))) % k
    return np.where(moved, other, home)
