"""A pool of columns (a territory with a set of units that fits) and the best way to combine them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csc_array

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.solvers.packing.tables import Tables

__all__ = ["ColumnPool"]


class ColumnPool:
    """Columns met so far, each once, in the order in which they were met.

    Parameters
    ----------
    tables : Tables
    prices : ndarray of shape (n_units,)
        Multipliers of the units; with the best filling of each territory they give reduced costs.
    gain : ndarray of shape (n_territories,)
        Best filling of each territory at these prices.
    """

    def __init__(self, tables: Tables, prices: FloatArray, gain: FloatArray) -> None:
        self._tables, self._prices, self._gain = tables, prices, gain
        self._known: dict[bytes, None] = {}
        self._territory: list[int] = []
        self._units: list[IntArray] = []
        self._cost: list[float] = []
        self._reduced: list[float] = []

    def __len__(self) -> int:
        return len(self._territory)

    def add(self, territory: int, units: IntArray) -> None:
        """Take a column if it fits and is new."""
        use = float(self._tables.use[territory, units].sum())
        if use > self._tables.upper[territory]:
            return
        key = np.concatenate([[territory], np.sort(units)]).astype(np.int64).tobytes()
        if key in self._known:
            return
        self._known[key] = None
        cost = float(self._tables.cost[territory, units].sum())
        self._territory.append(territory)
        self._units.append(np.sort(units))
        self._cost.append(cost)
        self._reduced.append(cost - float(self._prices[units].sum()) + float(self._gain[territory]))

    def add_assignment(self, assignment: IntArray) -> None:
        """Take the columns of an assignment (those that fit)."""
        for k in range(self._tables.n_territories):
            self.add(k, np.flatnonzero(assignment == k))

    def combine(self, slack: float, most: int, node_limit: int, time_limit: float) -> IntArray | None:
        """Return the cheapest assignment that covers every unit with one column per territory.

        Parameters
        ----------
        slack : float
            Columns of larger reduced cost cannot be part of something better: left out.
        most : int
            Columns of smallest reduced cost that are used.
        node_limit : int
        time_limit : float
            Seconds.

        Notes
        -----
        Set covering; a unit that is covered twice stays where it is cheapest, which frees room elsewhere.
        """
        reduced = np.array(self._reduced)
        order = np.argsort(reduced, kind="stable")[:most]
        order = np.sort(order[reduced[order] <= slack + 1e-6])
        if len(order) == 0:
            return None
        n, k = self._tables.n_units, self._tables.n_territories
        lengths = np.array([len(self._units[c]) + 1 for c in order])
        rows = np.concatenate([np.append(self._units[c], n + self._territory[c]) for c in order])
        matrix = csc_array(
            (np.ones(len(rows)), rows, np.concatenate([[0], np.cumsum(lengths)])), shape=(n + k, len(order))
        )
        lower = np.concatenate([np.ones(n), np.zeros(k)])
        upper = np.concatenate([np.full(n, np.inf), np.ones(k)])
        answer: Any = milp(
            np.array(self._cost)[order],
            constraints=LinearConstraint(matrix, lower, upper),
            integrality=np.ones(len(order), dtype=np.int64),
            bounds=Bounds(0, 1),
            options={"node_limit": node_limit, "time_limit": max(0.1, time_limit), "mip_rel_gap": 0.0},
        )
        return None if answer.x is None else self._read(order, answer.x)

    def _read(self, order: IntArray, x: FloatArray) -> IntArray | None:
        """Return the assignment of a solution, each unit in the cheapest of its columns."""
        tables = self._tables
        out = np.full(tables.n_units, -1, dtype=np.int64)
        paid = np.full(tables.n_units, np.inf)
        for c in order[x > 0.5]:
            k, units = self._territory[c], self._units[c]
            better = units[tables.cost[k, units] < paid[units]]
            out[better], paid[better] = k, tables.cost[k, better]
        return None if (out < 0).any() else out
