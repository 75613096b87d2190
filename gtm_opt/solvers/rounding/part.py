"""A few territories of an instance as an instance of their own, everything else staying as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.instance import Evenness

if TYPE_CHECKING:
    from gtm_opt.instance import Instance, IntArray

__all__ = ["territories_instance"]


def territories_instance(whole: Instance, assignment: IntArray, units: IntArray, territories: IntArray) -> Instance:
    """Return the instance of some units over some territories.

    Parameters
    ----------
    whole : Instance
    assignment : ndarray of int, shape (n_units,)
        Where all units are: what the others use of side rows is taken off.
    units : ndarray of int
        All units that are in one of ``territories``.
    territories : ndarray of int
        Sorted positions.
    """
    part = whole.take(units)
    outside = np.ones(whole.n_units, dtype=bool)
    outside[units] = False
    side = []
    for row, full in zip(part.side, whole.side, strict=True):
        used = 0.0
        for rows in whole.chunks():
            block = full.term.block(rows)
            used += float(block[np.arange(len(block)), assignment[rows]][outside[rows]].sum())
        side.append(replace(row, term=row.term.take_territories(territories), upper=row.upper - used))
    position = np.full(whole.n_territories, -1, dtype=np.int64)
    position[territories] = np.arange(len(territories))
    previous = None
    if part.previous is not None:
        previous = np.where(part.previous >= 0, position[part.previous], -1)
    shares = whole.shares[territories]
    return replace(
        part,
        activities=part.activities[:, territories] if whole.by_territory else part.activities,
        target=whole.target[territories],
        lower=whole.lower[territories],
        upper=whole.upper[territories],
        shares=shares / shares.sum(),
        cost=tuple(term.take_territories(territories) for term in part.cost),
        side=tuple(side),
        previous=previous,
        evenness=None if whole.evenness is None else Evenness(whole.evenness.kind, whole.evenness.unit[territories]),
    )
