"""Adapters to third-party packages, for side-by-side runs; each says what to install when it is missing."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from gtm_opt.errors import SolverNotAvailableError
from gtm_opt.solvers.baselines.base import Baseline
from gtm_opt.solvers.baselines.min_cost_flow import points_of
from gtm_opt.solvers.protocol import Capabilities

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.solvers.baselines.base import Work

__all__ = ["KMEANS_CONSTRAINED", "METIS", "PRTPY", "KMeansConstrained", "Metis", "Prtpy"]

_NEIGHBORS = 8
_BLIND = Capabilities(
    several_criteria=False,
    unequal_shares=False,
    preferences=False,
    bands=False,
    rules=False,
    side_rows=False,
    by_territory=False,
)


def _load(module: str, package: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise SolverNotAvailableError(f"This solver needs the package {package}: pip install {package}.") from error


_KMEANS_CONSTRAINED_CAN = Capabilities(preferences=False, bands=False, rules=False, side_rows=False, by_territory=False)


@dataclass(frozen=True)
class KMeansConstrained(Baseline):
    """`k-means-constrained`: k-means with equal counts, the clusters matched to the territories by cost.

    Notes
    -----
    Balances the count only, equal shares, no rules. Clusters the points of the distance term, or
    the accounts' activities where there is none. Runs to its end: the time limit is not kept.
    """

    name: str = "k_means_constrained"
    source: str = "package k-means-constrained; Bradley, Bennett & Demiriz 2000, MSR-TR-2000-65"
    capabilities: Capabilities = _BLIND

    def fill(self, work: Work) -> None:
        """Cluster with counts between floor and ceiling of n / K."""
        module = _load("k_means_constrained", "k-means-constrained")
        n, k = work.instance.n_units, work.instance.n_territories
        if n < k or k < 2:
            return
        place = points_of(work.instance)
        points = work.relative * n if place is None else place.points
        size = {"size_min": n // k, "size_max": -(-n // k)}
        model = module.KMeansConstrained(k, **size, n_init=1, max_iter=20, random_state=work.seed % 2**32)
        label = np.asarray(model.fit_predict(np.array(points)), dtype=np.int64)
        work.assignment[:] = _matched(work, label)


def _matched(work: Work, label: IntArray) -> IntArray:
    """Rename clusters to the territories where their members cost least in all."""
    from scipy.optimize import linear_sum_assignment

    k = work.instance.n_territories
    if not work.instance.has_cost:
        return label
    cost = np.zeros((k, k))
    for rows in work.instance.chunks():
        block = np.minimum(work.instance.cost_block(rows), 1e12)
        np.add.at(cost, label[rows], block)
    territory = np.empty(k, dtype=np.int64)
    cluster, best = linear_sum_assignment(cost)
    territory[cluster] = best
    renamed: IntArray = territory[label]
    return renamed


_METIS_CAN = Capabilities(preferences=False, bands=False, rules=False, side_rows=False, by_territory=False)


@dataclass(frozen=True)
class Metis(Baseline):
    """METIS, recursive bisection with one vertex weight per criterion.

    Notes
    -----
    Minimizes cut edges between nearest neighbors (eight each; no edges where there are no points) under
    imbalance limits. The Python interface of `pymetis` takes one weight per vertex, so the C function of
    its library is called directly; where that is not exported, the criteria are added up into one. Shares
    are kept, parts are matched to territories by cost when the shares are equal. No bands, no
    preferences, no rules; not interruptible.

    References
    ----------
    G. Karypis, V. Kumar, "Multilevel algorithms for multi-constraint graph partitioning", SC 1998,
    https://doi.org/10.1109/SC.1998.10018
    """

    name: str = "pymetis"
    source: str = "package pymetis; Karypis & Kumar 1998, doi:10.1109/SC.1998.10018"
    capabilities: Capabilities = _KMEANS_CONSTRAINED_CAN

    def fill(self, work: Work) -> None:
        """Partition the graph of nearest neighbors."""
        pymetis = _load("pymetis", "pymetis")
        n, k = work.instance.n_units, work.instance.n_territories
        if n < k or k < 2:
            return
        start, neighbors = _graph(work)
        most = (2**31 - 1) / (4.0 * k)
        weights = np.maximum(np.rint(work.relative * min(most, 1e7)), 0).astype(np.int32)
        label = _metis_c(start, neighbors, weights, work.instance.shares, work.seed)
        if label is None:
            work.notes.append("one composite weight: the C function is not exported")
            one = np.rint(weights.mean(axis=1)).astype(int).tolist()
            graph = pymetis.CSRAdjacency(adj_starts=start.tolist(), adjacent=neighbors.tolist())
            _, part = pymetis.part_graph(k, graph, vweights=one, recursive=True)
            label = np.asarray(part, dtype=np.int64)
        equal = np.ptp(work.instance.shares) < 1e-12
        work.assignment[:] = _matched(work, label) if equal else label


def _graph(work: Work) -> tuple[IntArray, IntArray]:
    """Return the symmetric graph of nearest neighbors in compressed rows."""
    from scipy.sparse import coo_array, csr_array
    from scipy.spatial import cKDTree

    n = work.instance.n_units
    place = points_of(work.instance)
    if place is None or n <= _NEIGHBORS:
        return np.zeros(n + 1, dtype=np.int64), np.zeros(0, dtype=np.int64)
    _, near = cKDTree(place.points).query(place.points, k=_NEIGHBORS + 1)
    a = np.repeat(np.arange(n), _NEIGHBORS + 1)
    b = near.ravel()
    a, b = np.concatenate([a, b]), np.concatenate([b, a])
    keep = a != b
    graph = csr_array(coo_array((np.ones(int(keep.sum())), (a[keep], b[keep])), shape=(n, n)))
    return graph.indptr.astype(np.int64), graph.indices.astype(np.int64)


def _metis_c(
    start: IntArray, neighbors: IntArray, weights: NDArray[np.int32], shares: FloatArray, seed: int
) -> IntArray | None:
    """Call METIS_PartGraphRecursive with several weights; None where the library does not export it or refuses."""
    internal = _load("pymetis._internal", "pymetis")
    try:
        library = ctypes.CDLL(internal.__file__)
        function, defaults = library.METIS_PartGraphRecursive, library.METIS_SetDefaultOptions
    except (AttributeError, OSError):
        return None
    # Builds differ in the width of their integers: the defaults (40 times -1) show it.
    probe = np.full(80, 7, dtype=np.int32)
    defaults(probe.ctypes.data_as(ctypes.c_void_p))
    width = np.int64 if probe[41] == -1 else np.int32
    options = probe.view(np.int64).copy() if width is np.int64 else probe[:40].copy()
    options[8] = seed % 2**31  # METIS_OPTION_SEED
    n, m = weights.shape
    part = np.zeros(n, dtype=width)
    parts = np.zeros(2 * m * len(shares), dtype=np.float32)
    parts[: m * len(shares)] = np.repeat(shares / shares.sum(), m)
    arrays: list[NDArray[Any] | None] = [
        np.array([n], dtype=width),
        np.array([m], dtype=width),
        start.astype(width),
        np.append(neighbors, 0).astype(width),
        np.ascontiguousarray(weights, dtype=width),
        None,
        None,
        np.array([len(shares)], dtype=width),
        None if np.ptp(shares) < 1e-12 else parts,
        None,
        options,
        np.zeros(1, dtype=width),
        part,
    ]
    done = function(*(None if a is None else a.ctypes.data_as(ctypes.c_void_p) for a in arrays))
    return part.astype(np.int64) if done == 1 else None


@dataclass(frozen=True)
class Prtpy(Baseline):
    """`prtpy`: its Karmarkar-Karp on the leading criterion.

    Notes
    -----
    One criterion, equal shares, nothing else; pure Python; not interruptible.
    """

    name: str = "prtpy"
    source: str = "package prtpy (Karmarkar & Karp 1982)"
    capabilities: Capabilities = _BLIND

    def fill(self, work: Work) -> None:
        """Partition the unit positions by their size."""
        prtpy = _load("prtpy", "prtpy")
        sizes = work.sizes.tolist()
        if not sizes:
            return
        bins = prtpy.partition(
            algorithm=prtpy.partitioning.kk,
            numbins=work.instance.n_territories,
            items=list(range(len(sizes))),
            valueof=sizes.__getitem__,
        )
        for territory, members in enumerate(bins):
            work.assignment[np.asarray(members, dtype=np.int64)] = territory


KMEANS_CONSTRAINED = KMeansConstrained()
METIS = Metis()
PRTPY = Prtpy()
