"""Presolve: pairs that a side row alone rules out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, Instance, IntArray, Rows, Term

__all__ = ["OverLimit", "presolve"]


@dataclass(frozen=True, slots=True, eq=False)
class OverLimit:
    """Infinity for the pairs that use more of a side row than is left beyond what all units use anyway.

    Attributes
    ----------
    inner : Term
        The side row's.
    slack : float
    """

    inner: Term
    slack: float

    def block(self, rows: Rows) -> FloatArray:
        """Return the values of ``rows``."""
        use = self.inner.block(rows)
        return np.where(use - use.min(axis=1, keepdims=True) > self.slack, np.inf, 0.0)

    def take(self, units: IntArray) -> OverLimit:
        """Return the term of a subset of the units."""
        return OverLimit(self.inner.take(units), self.slack)

    def take_territories(self, territories: IntArray) -> OverLimit:
        """Return the term of a subset of the territories."""
        return OverLimit(self.inner.take_territories(territories), self.slack)

    def merge(self, group: IntArray, shares: FloatArray) -> OverLimit:
        """Return the term for groups of territories."""
        return OverLimit(self.inner.merge(group, shares), self.slack)


def presolve(instance: Instance) -> Instance:
    """Return the instance with pairs forbidden that break a side row by themselves.

    Notes
    -----
    A cap of zero on what may move leaves every unit one place: no solver needs to find that out.
    """
    terms = []
    for row in instance.side:
        least, most = 0.0, 0.0
        for rows in instance.chunks():
            use = row.term.block(rows)
            low = use.min(axis=1)
            least += float(low.sum())
            most = max(most, float((use - low[:, None]).max(initial=0.0)))
        # what no unit can exceed bars nothing; and rounding of the sums must bar nothing either
        slack = max(row.upper - least, 0.0) + 1e-9 * max(1.0, abs(row.upper))
        if most > slack:
            terms.append(OverLimit(row.term, slack))
    return replace(instance, cost=(*instance.cost, *terms)) if terms else instance
