"""Readers for public instance formats: plain numbers in, small frozen records out.

All formats are whitespace-separated numbers; line breaks carry no meaning except in the
number partitioning matrix, where they do no harm either.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gtm_opt.errors import DataError, Finding
from gtm_opt.instance import FloatArray

__all__ = ["FAMILIES", "Gap", "Partition", "read"]

FAMILIES = ("gap", "mdmwnpp", "pcmax", "bpp")


@dataclass(frozen=True, slots=True, eq=False)
class Gap:
    """Generalized assignment: cheapest assignment of jobs to agents within capacities.

    Attributes
    ----------
    cost, use : ndarray of shape (n_agents, n_jobs)
    capacity : ndarray of shape (n_agents,)
    """

    cost: FloatArray
    use: FloatArray
    capacity: FloatArray
    family: str = "gap"

    @property
    def n(self) -> int:
        """Number of jobs."""
        return int(self.cost.shape[1])

    @property
    def k(self) -> int:
        """Number of agents."""
        return int(self.cost.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Partition:
    """Number partitioning in one or more dimensions: ``mdmwnpp``, ``pcmax`` or ``bpp``.

    Attributes
    ----------
    family : str
    sizes : ndarray of shape (n_units, n_dimensions)
    k : int
        Subsets, machines or bins.
    capacity : float
        Of a bin; ``inf`` elsewhere.
    """

    family: str
    sizes: FloatArray
    k: int
    capacity: float = np.inf

    @property
    def n(self) -> int:
        """Number of units."""
        return int(self.sizes.shape[0])


def _numbers(path: Path, family: str) -> FloatArray:
    if not path.is_file():
        raise DataError([Finding(f"file '{path}'", "must exist", remedy="Check the path.")])
    tokens = path.read_text(encoding="utf-8", errors="replace").replace(",", " ").split()
    try:
        found = np.array(tokens, dtype=np.float64)
    except ValueError:
        wrong = [t for t in tokens if not _is_number(t)]
        raise DataError(
            [Finding(f"file '{path.name}'", f"must hold numbers only for family {family}", rows=wrong)]
        ) from None
    if not np.isfinite(found).all():
        raise DataError([Finding(f"file '{path.name}'", "must hold finite numbers only")])
    return found


def _is_number(token: str) -> bool:
    try:
        float(token)
    except ValueError:
        return False
    return True


def _need(path: Path, family: str, numbers: FloatArray, wanted: int, layout: str) -> None:
    if len(numbers) < wanted:
        raise DataError(
            [
                Finding(
                    f"file '{path.name}'",
                    f"must follow the layout of {family} ({layout}), which asks for {wanted:,} numbers",
                    got=f"{len(numbers):,}",
                    remedy="Is it of another family?",
                )
            ]
        )


def _count(path: Path, family: str, numbers: FloatArray, position: int, what: str) -> int:
    _need(path, family, numbers, position + 1, "counts first")
    value = float(numbers[position])
    if value < 1 or value != int(value):
        raise DataError([Finding(f"file '{path.name}'", f"must give {what} as a whole number >= 1", got=f"{value:g}")])
    return int(value)


def _gap(path: Path, numbers: FloatArray) -> Gap:
    agents, jobs = _count(path, "gap", numbers, 0, "the agents"), _count(path, "gap", numbers, 1, "the jobs")
    cells = agents * jobs
    _need(path, "gap", numbers, 2 + 2 * cells + agents, "m n, m x n costs, m x n uses, m capacities")
    body = numbers[2:]
    return Gap(
        cost=body[:cells].reshape(agents, jobs),
        use=body[cells : 2 * cells].reshape(agents, jobs),
        capacity=body[2 * cells : 2 * cells + agents],
    )


def _mdmwnpp(path: Path, numbers: FloatArray) -> Partition:
    n, m = _count(path, "mdmwnpp", numbers, 0, "the vectors"), _count(path, "mdmwnpp", numbers, 1, "the coordinates")
    _need(path, "mdmwnpp", numbers, 2 + n * m, "n m, n rows of m numbers")
    return Partition("mdmwnpp", numbers[2 : 2 + n * m].reshape(n, m), 2)


def _pcmax(path: Path, numbers: FloatArray) -> Partition:
    k, n = _count(path, "pcmax", numbers, 0, "the machines"), _count(path, "pcmax", numbers, 1, "the jobs")
    _need(path, "pcmax", numbers, 2 + n, "machines, jobs, processing times")
    return Partition("pcmax", numbers[2 : 2 + n, None], k)


def _bpp(path: Path, numbers: FloatArray) -> Partition:
    n = _count(path, "bpp", numbers, 0, "the items")
    _need(path, "bpp", numbers, 2 + n, "n, capacity, n weights")
    capacity, sizes = float(numbers[1]), numbers[2 : 2 + n, None]
    least = max(1, int(np.ceil(sizes.sum() / capacity - 1e-9))) if capacity > 0 else 1
    return Partition("bpp", sizes, least, capacity)


def read(
    family: str, path: str | Path, *, k: int | None = None, n: int | None = None, m: int | None = None
) -> Gap | Partition:
    """Read one file.

    Parameters
    ----------
    family : str
        One of `FAMILIES`.
    path : path
    k : int, optional
        Subsets, machines or bins. Default: the file's machines for ``pcmax``, the fewest bins the total
        allows for ``bpp``, 2 for ``mdmwnpp``.
    n, m : int, optional
        Only the first n units and the first m dimensions.

    Raises
    ------
    DataError
        For an unknown family, a file that does not follow its layout, or options out of range.
    """
    readers = {"gap": _gap, "mdmwnpp": _mdmwnpp, "pcmax": _pcmax, "bpp": _bpp}
    if family not in readers:
        raise DataError([Finding("family", f"must be one of {', '.join(FAMILIES)}", got=f"'{family}'")])
    path = Path(path)
    problem = readers[family](path, _numbers(path, family))
    given = {name: value for name, value in (("k", k), ("n", n), ("m", m)) if value is not None}
    if isinstance(problem, Gap):
        if given:
            raise DataError([Finding(f"--{next(iter(given))}", "has no meaning for gap: the file fixes everything")])
        return problem
    most = {"n": problem.n, "m": problem.sizes.shape[1]}
    for name, value in given.items():
        if value < 1 or value > most.get(name, value):
            raise DataError([Finding(f"--{name}", f"must lie between 1 and {most.get(name, 'any')}", got=str(value))])
    sizes = np.ascontiguousarray(problem.sizes[:n, :m])
    if (sizes < 0).any():
        raise DataError([Finding(f"file '{path.name}'", "must not hold negative sizes", got=f"{sizes.min():g}")])
    if k is None and n is not None and family == "bpp":
        k = max(1, int(np.ceil(sizes.sum() / problem.capacity - 1e-9)))
    return replace(problem, sizes=sizes, k=problem.k if k is None else k)
