"""The core: the few units worth deciding together, all others being fixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gtm_opt.instance import FloatArray, Instance, IntArray

__all__ = ["Core"]


@dataclass(frozen=True, slots=True, eq=False)
class Core:
    """The units to decide together, the others being fixed.

    Attributes
    ----------
    instance : Instance
        The core units only (`Instance.take`): bands less the totals of the fixed units.
    target : ndarray of shape (n_territories, n_criteria)
        Full targets: the unit of relative excess.
    side_left : ndarray of shape (n_side_rows,)
        What the fixed units leave of each side row.
    reduced : ndarray of shape (n_core, n_territories)
        Reduced costs at the prices; decide which territories are candidates.
    closed : ndarray of bool, shape (n_core, n_territories)
        Pairs that apart groups with fixed units forbid.
    locked : ndarray of bool, shape (n_core,)
        Members of apart groups: they stay where they are.
    start : ndarray of int, shape (n_core,)
        Where the core units sit now.
    price : ndarray of shape (n_territories, n_criteria)
        Multiplier times target: cost of 100 %.
    side_price : ndarray of shape (n_side_rows,)
    floor : float
        Least cost of 100 % excess where prices are zero.
    side_floor : float
    base : float
        Cost of all that is fixed: gaps are relative to the whole.
    """

    instance: Instance
    target: FloatArray
    side_left: FloatArray
    reduced: FloatArray
    closed: NDArray[np.bool_]
    locked: NDArray[np.bool_]
    start: IntArray
    price: FloatArray
    side_price: FloatArray
    floor: float
    side_floor: float
    base: float
