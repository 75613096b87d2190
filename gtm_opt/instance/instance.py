"""The carving problem of one node as arrays: units x territories x criteria.

This is what solvers see. Ids, families and planner's words live above; here are
positions only. `gtm_opt.carving` compiles a planner's problem into an `Instance`,
`gtm_opt.measures` recomputes every number of an assignment from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.instance.terms import total

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gtm_opt.instance.terms import FloatArray, IntArray, Rows, Term

__all__ = ["CHUNK", "Evenness", "EvennessKind", "Instance", "SideRow"]

CHUNK = 16_384
"""Units per block in chunked passes: fixed, so that sums do not depend on the machine."""


class EvennessKind(StrEnum):
    """What "as even as possible" measures per criterion.

    With ``T`` the total and ``s`` the share of a territory:

    - ``DEVIATION``: max over territories of ``|T - target| / unit``.
    - ``SPREAD``: (largest ``T / (K s)`` - smallest ``T / (K s)``) / unit.
    - ``PEAK``: largest ``T / (K s)`` / unit.
    """

    DEVIATION = "deviation"
    SPREAD = "spread"
    PEAK = "peak"


@dataclass(frozen=True, slots=True, eq=False)
class Evenness:
    """Objective "as even as possible": the worst criterion counts, then their sum.

    Attributes
    ----------
    kind : EvennessKind
    unit : ndarray of shape (n_territories, n_criteria)
        What a deviation is divided by: the targets for relative deviations, ones for
        absolute ones. (For ``SPREAD`` and ``PEAK`` row 0 is used.)
    """

    kind: EvennessKind
    unit: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class SideRow:
    """A linear limit ``sum_i term[i, assigned(i)] <= upper``, for example moved revenue.

    Attributes
    ----------
    name : str
    term : Term
        Finite, >= 0.
    upper : float
    """

    name: str
    term: Term
    upper: float


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """A carving problem of one node, compiled to arrays.

        minimise    sum_i cost[i, k(i)] + sum_kj penalty_j * (excess of T_kj outside its band) / target_kj
        subject to  every unit in exactly one territory it is allowed in;
                    lower <= T <= upper where penalty_j is infinite (hard bands);
                    side rows; units of one ``apart`` group in different territories,

    with ``T_kj = sum of activities[i, (k,) j] over the units i in territory k``. With
    ``evenness`` set the objective is that measure instead (cost only breaks ties).

    Attributes
    ----------
    activities : ndarray of shape (n_units, n_criteria) or (n_units, n_territories, n_criteria)
        >= 0. The second form where an activity depends on the territory (workload, travel).
    target : ndarray of shape (n_territories, n_criteria)
        Desired totals, > 0: the base of relative deviations.
    lower, upper : ndarray of shape (n_territories, n_criteria)
        Bands. ``-inf`` / ``inf`` where there is no limit.
    shares : ndarray of shape (n_territories,)
        Sum to 1.
    tier : ndarray of int, shape (n_criteria,)
        Priority of each criterion, 1 first.
    penalty : ndarray of shape (n_criteria,)
        Cost per 100 % of relative excess (elastic band); ``inf``: hard band.
    cost : tuple of Term
        Preference cost; the terms are summed. ``inf`` bars a pair.
    side : tuple of SideRow
    apart : tuple of ndarray of int
        Groups of units that must all sit in different territories.
    previous : ndarray of int, shape (n_units,), or None
        Territory position today; -1 none.
    evenness : Evenness or None
    names : tuple of str
        Criterion names, for messages.
    """

    activities: FloatArray
    target: FloatArray
    lower: FloatArray
    upper: FloatArray
    shares: FloatArray
    tier: IntArray
    penalty: FloatArray
    cost: tuple[Term, ...] = ()
    side: tuple[SideRow, ...] = ()
    apart: tuple[IntArray, ...] = ()
    previous: IntArray | None = None
    evenness: Evenness | None = None
    names: tuple[str, ...] = field(default=())

    @property
    def n_units(self) -> int:
        """Number of units."""
        return int(self.activities.shape[0])

    @property
    def n_territories(self) -> int:
        """Number of territories."""
        return int(self.target.shape[0])

    @property
    def n_criteria(self) -> int:
        """Number of criteria."""
        return int(self.target.shape[1])

    @property
    def by_territory(self) -> bool:
        """Whether activities depend on the territory."""
        return self.activities.ndim == 3

    @property
    def has_cost(self) -> bool:
        """Whether any cost term is present (pins and bars included)."""
        return bool(self.cost)

    def activities3(self) -> FloatArray:
        """Return activities as a view of shape (n_units, 1 or n_territories, n_criteria)."""
        return self.activities if self.by_territory else self.activities[:, None, :]

    def cost_block(self, rows: Rows) -> FloatArray:
        """Return the summed preference cost of ``rows``, shape (len(rows), n_territories); inf = forbidden."""
        n_rows = len(range(*rows.indices(self.n_units))) if isinstance(rows, slice) else len(rows)
        return total(self.cost, rows, n_rows, self.n_territories)

    def chunks(self, size: int | None = None) -> Iterator[slice]:
        """Yield slices that cover all units, in order: `CHUNK` units, fewer with very many territories."""
        if size is None:
            size = min(CHUNK, max(64, 256 * CHUNK // max(self.n_territories, 1)))
        for start in range(0, self.n_units, size):
            yield slice(start, min(start + size, self.n_units))

    def take(self, units: IntArray, fixed: FloatArray | None = None) -> Instance:
        """Return the instance of a subset of the units, the others being fixed.

        Parameters
        ----------
        units : ndarray of int
            Positions of the units that stay free, in the wanted order.
        fixed : ndarray of shape (n_territories, n_criteria), optional
            Totals of the units left out; taken off targets and bands. Side rows are
            the caller's business: reduce their ``upper`` by what the fixed units use.
        """
        off = np.zeros_like(self.target) if fixed is None else fixed
        position = np.full(self.n_units, -1, dtype=np.int64)
        position[units] = np.arange(len(units))
        apart = tuple(group for group in (position[g][position[g] >= 0] for g in self.apart) if len(group) > 1)
        return replace(
            self,
            activities=np.ascontiguousarray(self.activities[units]),
            lower=self.lower - off,
            upper=self.upper - off,
            cost=tuple(term.take(units) for term in self.cost),
            side=tuple(replace(row, term=row.term.take(units)) for row in self.side),
            apart=apart,
            previous=None if self.previous is None else self.previous[units],
        )
