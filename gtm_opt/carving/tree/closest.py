"""Distances as they look from an inner node: to the closest of the leaves below each child."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from gtm_opt.instance import Dense, Distance, UnitSum

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, IntArray, Term

__all__ = ["closest_leaf", "merge_term"]

EARTH_RADIUS_KM = 6371.0088
PAIRS = 3_000_000
"""Up to this many units x groups the closest leaf is looked up; above, the mean center of a group stands for it."""


def merge_term(term: Term, group: IntArray, shares: FloatArray) -> Term:
    """Return a cost term for groups of leaves: the best a unit can still get below each child.

    Notes
    -----
    Distances are stored for the groups (8 bytes per unit and child) up to `PAIRS`; all other terms
    stay formulas.
    """
    if isinstance(term, UnitSum):
        return UnitSum(merge_term(term.inner, group, shares), term.members, term.start)
    if isinstance(term, Distance) and len(term.points) * (int(group.max()) + 1) <= PAIRS:
        return Dense(closest_leaf(term, group))
    return term.merge(group, shares)


def closest_leaf(term: Distance, group: IntArray) -> FloatArray:
    """Return the distance to the closest center of each group, shape (n_units, n_groups).

    Parameters
    ----------
    term : Distance
    group : ndarray of int, shape (n_territories,)

    Notes
    -----
    One search tree of centers per group; great-circle distances by chords on the unit sphere.
    O(n_units * n_groups * log(leaves)) time.
    """
    n_groups = int(group.max()) + 1
    points, centers = _places(term.points, term.haversine), _places(term.centers, term.haversine)
    out = np.empty((len(points), n_groups))
    for g in range(n_groups):
        straight, _ = cKDTree(centers[group == g]).query(points)
        out[:, g] = straight
    if term.haversine:
        out = 2.0 * EARTH_RADIUS_KM * np.arcsin(np.clip(out / 2.0, 0.0, 1.0))
    if term.squared:
        out *= out
    out *= term.weight[:, None]
    return out


def _places(points: FloatArray, haversine: bool) -> FloatArray:
    """Return plane coordinates as they are, latitude and longitude as points on the unit sphere."""
    if not haversine:
        return np.ascontiguousarray(points)
    lat, lon = np.radians(points[:, 0]), np.radians(points[:, 1])
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
