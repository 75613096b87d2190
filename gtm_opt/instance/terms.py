"""Terms: quantities per (unit, territory) that are computed in blocks, never stored whole.

A term is anything of the shape "so much for unit i in territory k": the loss when an
account leaves its owner, the distance to a territory's center, a misfit, or infinity
where a pair is forbidden. The cost of an instance and its side rows are sums of terms, so
memory stays linear in the number of units however many territories there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "BestLeaf",
    "Dense",
    "Distance",
    "FloatArray",
    "ForbiddenTerm",
    "IntArray",
    "MoveCost",
    "PinTerm",
    "Rows",
    "Table",
    "Term",
    "UnitSum",
    "frozen",
    "total",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Rows = slice | IntArray

_EARTH_RADIUS_KM = 6371.0088


def frozen(values: ArrayLike, dtype: type = np.float64) -> NDArray[Any]:
    """Return a read-only C-contiguous copy of ``values``."""
    array: NDArray[Any] = np.array(values, dtype=dtype, order="C", copy=True)
    array.setflags(write=False)
    return array


@runtime_checkable
class Term(Protocol):
    """So much for each unit in each territory."""

    def block(self, rows: Rows) -> FloatArray:
        """Return the values of ``rows``, shape (len(rows), n_territories)."""
        ...

    def take(self, units: IntArray) -> Term:
        """Return the same term for a subset of the units, in the given order."""
        ...

    def take_territories(self, territories: IntArray) -> Term:
        """Return the same term for a subset of the territories, in the given order."""
        ...

    def merge(self, group: IntArray, shares: FloatArray) -> Term:
        """Return the term for groups of territories, as it looks from an inner node of a tree.

        Parameters
        ----------
        group : ndarray of int, shape (n_territories,)
            Group of each territory, 0 .. n_groups - 1, none empty.
        shares : ndarray of shape (n_territories,)
            Weights within the groups.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """A stored matrix.

    Attributes
    ----------
    values : ndarray of shape (n_units, n_territories)
    """

    values: FloatArray

    def block(self, rows: Rows) -> FloatArray:
        """Return the values of ``rows``."""
        return np.array(self.values[rows], dtype=np.float64)

    def take(self, units: IntArray) -> Dense:
        """Return the term of a subset of the units."""
        return Dense(self.values[units])

    def take_territories(self, territories: IntArray) -> Dense:
        """Return the term of a subset of the territories."""
        return Dense(self.values[:, territories])

    def merge(self, group: IntArray, shares: FloatArray) -> Dense:
        """Return the lowest value in each group."""
        return Dense(_lowest(self.values, group))


@dataclass(frozen=True, slots=True, eq=False)
class MoveCost:
    """A loss of ``value[i]`` wherever unit i is not at ``home[i]``.

    Attributes
    ----------
    home : ndarray of int, shape (n_units,)
        Territory position the unit comes from. -1: no home, no loss anywhere.
        -2: its home is not among these territories, the loss occurs everywhere.
    value : ndarray of shape (n_units,)
        Loss when the unit moves, >= 0.
    n_territories : int
    """

    home: IntArray
    value: FloatArray
    n_territories: int

    def block(self, rows: Rows) -> FloatArray:
        """Return the values of ``rows``."""
        home, value = self.home[rows], self.value[rows]
        out = np.repeat(np.where(home == -1, 0.0, value)[:, None], self.n_territories, axis=1)
        at_home = np.flatnonzero(home >= 0)
        out[at_home, home[at_home]] = 0.0
        return out

    def take(self, units: IntArray) -> MoveCost:
        """Return the term of a subset of the units."""
        return MoveCost(self.home[units], self.value[units], self.n_territories)

    def take_territories(self, territories: IntArray) -> MoveCost:
        """Return the term of a subset of the territories."""
        position = np.full(self.n_territories, -2, dtype=np.int64)
        position[territories] = np.arange(len(territories))
        home = _moved(self.home, position)
        return MoveCost(home, self.value, len(territories))

    def merge(self, group: IntArray, shares: FloatArray) -> MoveCost:
        """Return the loss of leaving the group of the home."""
        home = _moved(self.home, group)
        return MoveCost(home, self.value, int(group.max()) + 1)


@dataclass(frozen=True, slots=True, eq=False)
class Distance:
    """Weighted distance from each unit to each territory's center.

    Attributes
    ----------
    points : ndarray of shape (n_units, 2)
        Plane coordinates, or latitude and longitude in degrees when ``haversine``.
    centers : ndarray of shape (n_territories, 2)
        Same units as ``points``.
    weight : ndarray of shape (n_units,)
        Multiplies the distance, >= 0.
    squared : bool
        Squared distance: the solution by prices is then a balanced power diagram.
    haversine : bool
        Great-circle distance in kilometers (sphere of radius 6371.0088 km).
    """

    points: FloatArray
    centers: FloatArray
    weight: FloatArray
    squared: bool = False
    haversine: bool = False

    def block(self, rows: Rows) -> FloatArray:
        """Return the values of ``rows``."""
        points = self.points[rows]
        if self.haversine:
            a, b = np.radians(points), np.radians(self.centers)
            half_lat = np.sin((a[:, None, 0] - b[None, :, 0]) / 2.0)
            half_lon = np.sin((a[:, None, 1] - b[None, :, 1]) / 2.0)
            chord = half_lat**2 + np.cos(a[:, 0])[:, None] * np.cos(b[:, 0])[None, :] * half_lon**2
            distance: FloatArray = 2.0 * _EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(chord, 0.0, 1.0)))
            if self.squared:
                distance *= distance
        else:
            dx = points[:, None, 0] - self.centers[None, :, 0]
            dy = points[:, None, 1] - self.centers[None, :, 1]
            distance = dx * dx + dy * dy
            if not self.squared:
                np.sqrt(distance, out=distance)
        distance *= self.weight[rows][:, None]
        return distance

    def take(self, units: IntArray) -> Distance:
        """Return the term of a subset of the units."""
        return Distance(self.points[units], self.centers, self.weight[units], self.squared, self.haversine)

    def take_territories(self, territories: IntArray) -> Distance:
        """Return the term of a subset of the territories."""
        return Distance(self.points, self.centers[territories], self.weight, self.squared, self.haversine)

    def merge(self, group: IntArray, shares: FloatArray) -> Distance:
        """Return the distance to the center of each group, its centers weighted by share."""
        weight = np.bincount(group, weights=shares)
        centers = np.stack([np.bincount(group, weights=shares * self.centers[:, d]) / weight for d in (0, 1)], axis=1)
        return Distance(self.points, centers, self.weight, self.squared, self.haversine)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A value per (segment of the unit, territory), times a weight per unit.

    Attributes
    ----------
    codes : ndarray of int, shape (n_units,)
        Row of ``table`` for each unit; -1: zero everywhere.
    table : ndarray of shape (n_segments, n_territories)
    weight : ndarray of shape (n_units,)
    """

    codes: IntArray
    table: FloatArray
    weight: FloatArray

    def block(self, rows: Rows) -> FloatArray:
        """Return the values of ``rows``."""
        codes = self.codes[rows]
        out: FloatArray = self.table[codes] * np.where(codes < 0, 0.0, self.weight[rows])[:, None]
        return out

    def take(self, units: IntArray) -> Table:
        """Return the term of a subset of the units."""
        return Table(self.codes[units], self.table, self.weight[units])

    def take_territories(self, territories: IntArray) -> Table:
        """Return the term of a subset of the territories."""
        return Table(self.codes, self.table[:, territories], self.weight)

    def merge(self, group: IntArray, shares: FloatArray) -> Table:
        """Return the lowest value in each group."""
        return Table(self.codes, _lowest(self.table, group), self.weight)


@dataclass(frozen=True, slots=True, eq=False)
class PinTerm:
    """Infinity everywhere but in ``territory[i]`` (pins); -1 leaves unit i free.

    Attributes
    ----------
    territory : ndarray of int, shape (n_units,)
        -2: pinned to a territory that is not among these (infinite everywhere).
    n_territories : int
    """

    territory: IntArray
    n_territories: int

    def block(self, rows: Rows) -> FloatArray:
        """Return the values of ``rows``."""
        allowed = self.territory[rows]
        out = np.zeros((len(allowed), self.n_territories))
        out[allowed != -1] = np.inf
        pinned = np.flatnonzero(allowed >= 0)
        out[pinned, allowed[pinned]] = 0.0
        return out

    def take(self, units: IntArray) -> PinTerm:
        """Return the term of a subset of the units."""
        return PinTerm(self.territory[units], self.n_territories)

    def take_territories(self, territories: IntArray) -> PinTerm:
        """Return the term of a subset of the territories."""
        position = np.full(self.n_territories, -2, dtype=np.int64)
        position[territories] = np.arange(len(territories))
        return PinTerm(_moved(self.territory, position), len(territories))

    def merge(self, group: IntArray, shares: FloatArray) -> PinTerm:
        """Return the pins to the groups."""
        territory = _moved(self.territory, group)
        return PinTerm(territory, int(group.max()) + 1)


@dataclass(frozen=True, slots=True, eq=False)
class ForbiddenTerm:
    """Infinity for the listed (unit, territory) pairs, zero elsewhere.

    Attributes
    ----------
    unit, territory : ndarray of int, shape (n_pairs,)
        Positions; sorted by unit.
    n_units, n_territories : int
    """

    unit: IntArray
    territory: IntArray
    n_units: int
    n_territories: int

    def block(self, rows: Rows) -> FloatArray:
        """Return the values of ``rows``."""
        if isinstance(rows, slice):
            start, stop, _ = rows.indices(self.n_units)
            first, last = np.searchsorted(self.unit, (start, stop))
            out = np.zeros((stop - start, self.n_territories))
            out[self.unit[first:last] - start, self.territory[first:last]] = np.inf
            return out
        position = np.full(self.n_units, -1, dtype=np.int64)
        position[rows] = np.arange(len(rows))
        row = position[self.unit]
        out = np.zeros((len(rows), self.n_territories))
        hit = row >= 0
        out[row[hit], self.territory[hit]] = np.inf
        return out

    def take(self, units: IntArray) -> ForbiddenTerm:
        """Return the term of a subset of the units."""
        position = np.full(self.n_units, -1, dtype=np.int64)
        position[units] = np.arange(len(units))
        row = position[self.unit]
        hit = row >= 0
        order = np.argsort(row[hit], kind="stable")
        return ForbiddenTerm(row[hit][order], self.territory[hit][order], len(units), self.n_territories)

    def take_territories(self, territories: IntArray) -> ForbiddenTerm:
        """Return the term of a subset of the territories."""
        position = np.full(self.n_territories, -1, dtype=np.int64)
        position[territories] = np.arange(len(territories))
        column = position[self.territory]
        hit = column >= 0
        return ForbiddenTerm(self.unit[hit], column[hit], self.n_units, len(territories))

    def merge(self, group: IntArray, shares: FloatArray) -> ForbiddenTerm:
        """Return the pairs whose whole group is forbidden."""
        n_groups = int(group.max()) + 1
        size = np.bincount(group)
        pair = self.unit * n_groups + group[self.territory]
        found, count = np.unique(pair, return_counts=True)
        whole = found[count == size[found % n_groups]]
        return ForbiddenTerm(whole // n_groups, whole % n_groups, self.n_units, n_groups)


@dataclass(frozen=True, slots=True, eq=False)
class UnitSum:
    """A term of accounts, summed over the accounts each unit (family) consists of.

    Attributes
    ----------
    inner : Term
        Over accounts.
    members : ndarray of int, shape (n_accounts,)
        Account positions, those of unit 0 first.
    start : ndarray of int, shape (n_units + 1,)
        Where the members of each unit begin; no unit is empty.
    """

    inner: Term
    members: IntArray
    start: IntArray

    def block(self, rows: Rows) -> FloatArray:
        """Return the values of ``rows``."""
        first, last = self.start[:-1][rows], self.start[1:][rows]
        size = last - first
        offset = np.concatenate([[0], np.cumsum(size)])
        # positions of all members of the wanted units, unit by unit
        at = np.repeat(first - offset[:-1], size) + np.arange(offset[-1])
        out: FloatArray = np.add.reduceat(self.inner.block(self.members[at]), offset[:-1], axis=0)
        return out

    def take(self, units: IntArray) -> UnitSum:
        """Return the term of a subset of the units."""
        size = (self.start[1:] - self.start[:-1])[units]
        start = np.concatenate([[0], np.cumsum(size)])
        at = np.repeat(self.start[:-1][units] - start[:-1], size) + np.arange(start[-1])
        inner = self.inner.take(self.members[at])
        return UnitSum(inner, np.arange(start[-1]), start)

    def take_territories(self, territories: IntArray) -> UnitSum:
        """Return the term of a subset of the territories."""
        return UnitSum(self.inner.take_territories(territories), self.members, self.start)

    def merge(self, group: IntArray, shares: FloatArray) -> UnitSum:
        """Return the term for groups of territories."""
        return UnitSum(self.inner.merge(group, shares), self.members, self.start)


@dataclass(frozen=True, slots=True, eq=False)
class BestLeaf:
    """The lowest value of another term within each group of territories.

    Attributes
    ----------
    inner : Term
    group : ndarray of int, shape (n_territories,)
        Group of each territory of ``inner``, 0 .. n_groups - 1, none empty.
    rules : tuple of Term
        Infinite where a territory is forbidden; it counts only where its whole group is.
    """

    inner: Term
    group: IntArray
    rules: tuple[Term, ...] = ()

    def block(self, rows: Rows) -> FloatArray:
        """Return the values of ``rows``."""
        values = self.inner.block(rows)
        lowest = _lowest(values, self.group)
        if not self.rules:
            return lowest
        allowed = _lowest(sum((rule.block(rows) for rule in self.rules), values), self.group)
        return np.where(np.isfinite(allowed), allowed, lowest)

    def take(self, units: IntArray) -> BestLeaf:
        """Return the term of a subset of the units."""
        return BestLeaf(self.inner.take(units), self.group, tuple(rule.take(units) for rule in self.rules))

    def take_territories(self, territories: IntArray) -> BestLeaf:
        """Return the term of a subset of the groups."""
        position = np.full(int(self.group.max()) + 1, -1, dtype=np.int64)
        position[territories] = np.arange(len(territories))
        columns = np.flatnonzero(position[self.group] >= 0)
        rules = tuple(rule.take_territories(columns) for rule in self.rules)
        return BestLeaf(self.inner.take_territories(columns), position[self.group[columns]], rules)

    def merge(self, group: IntArray, shares: FloatArray) -> BestLeaf:
        """Return the lowest value in each group of groups."""
        return BestLeaf(self.inner, group[self.group], self.rules)


def _moved(at: IntArray, position: IntArray) -> IntArray:
    """Return new positions; the negative ones mean something else and stay."""
    return np.where(at >= 0, position[np.maximum(at, 0)], at)


def _lowest(values: FloatArray, group: IntArray) -> FloatArray:
    """Return the minimum over the columns of each group, shape (n_rows, n_groups)."""
    n_groups = int(group.max()) + 1
    return np.stack([values[:, group == g].min(axis=1) for g in range(n_groups)], axis=1)


def total(terms: Sequence[Term], rows: Rows, n_rows: int, n_territories: int) -> FloatArray:
    """Return the sum of ``terms`` over ``rows``, shape (n_rows, n_territories)."""
    out = np.zeros((n_rows, n_territories))
    for term in terms:
        out += term.block(rows)
    return out
