"""Dives: territories are filled for good, a few at a time, while the prices of what is open adapt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.solvers.generalized_assignment.tables import Tables
    from gtm_opt.solvers.protocol import Run

__all__ = ["Beam", "Diver"]

_FIRST_ROUNDS = 40
_PACE_END = 0.1
_NEW = 0.3
_NOISE = 0.1


@dataclass(frozen=True, slots=True)
class Beam:
    """How wide a dive is.

    Attributes
    ----------
    width : int
        Partial assignments kept per level, those of least bound.
    count : int
        Ways to go on from each.
    shake : float
        How much prices are shaken, in typical differences of a unit's best two territories.
    pace : float
        First step of the open prices, as a fraction of the mean cost of a unit.
    rounds : int
        Steps of the prices at each node, 1 to 40.
    levels : int
        About how many times territories are filled; with as many as territories, one at a time.
    """

    width: int = 3
    count: int = 3
    shake: float = 0.0
    pace: float = 0.01
    rounds: int = 10
    levels: int = 20


@dataclass(slots=True, eq=False)
class _Node:
    """A partial assignment ``out`` of cost ``paid``; territories ``here`` and units ``left`` are open."""

    here: IntArray
    left: IntArray
    prices: FloatArray
    out: IntArray
    paid: float
    bound: float = -np.inf
    sets: list[IntArray] = field(default_factory=list)
    agreement: FloatArray = field(default_factory=lambda: np.zeros(0))


class Diver:
    """Dives into some or all territories, with the work space of one thread.

    Parameters
    ----------
    tables : Tables
        With whole sizes.
    prices : ndarray of shape (n_units,)
        Good multipliers of the units.
    value : float
        The bound they reach.

    Notes
    -----
    A beam search over columns. At each node the prices of the open units take some subgradient steps, each of
    one knapsack per open territory, which gives a bound for the node; then the territories whose recent
    fillings agree most are filled for good. The nodes of least bound go on, those above the cutoff are dropped.
    """

    def __init__(self, tables: Tables, prices: FloatArray, value: float) -> None:
        if tables.size is None or tables.room is None:
            raise ValueError("dives need whole sizes")
        self._tables, self._prices, self._size, self._room = tables, prices, tables.size, tables.room
        n, k = tables.n_units, tables.n_territories
        self._unit = max(abs(value), 1.0) / n
        self.spread = float(np.median(np.partition(tables.reduced, 1, axis=0)[1])) + 1e-3 * self._unit
        most = int(tables.room.max(initial=0)) + 1
        self._space, self._taken = np.zeros((2, most)), np.zeros((n, most), dtype=np.uint8)
        self._chosen = np.zeros((_FIRST_ROUNDS, k, n), dtype=np.uint8)
        self._mean, self._agreement, self._which = np.zeros((k, n)), np.zeros(k), np.zeros(k, dtype=np.int64)

    def __call__(
        self, territories: IntArray, start: IntArray, cutoff: float, beam: Beam, rng: np.random.Generator, run: Run
    ) -> list[IntArray]:
        """Return assignments, best first, some perhaps with overload.

        Parameters
        ----------
        territories : ndarray of int
            To be filled anew.
        start : ndarray of shape (n_units,)
            An assignment; units of other territories stay. -1 for units of no territory yet.
        cutoff : float
            Nodes of a larger bound are dropped.
        beam : Beam
        rng : Generator
        run : Run
        """
        open_ = (start < 0) | np.isin(start, territories)
        left, out = np.flatnonzero(open_), np.where(open_, -1, start)
        prices = self._prices.copy()
        prices[left] += beam.shake * self.spread * rng.standard_normal(len(left))
        at_once = max(1, len(territories) // beam.levels)
        front, rounds = [_Node(territories, left, prices, out, self._cost(out))], _FIRST_ROUNDS
        done: list[_Node] = []
        while front:
            for node in front:
                if run.stop():
                    return []
                self._look(node, rounds if len(node.here) > 1 else 1, beam.pace)
            rounds = beam.rounds
            front.sort(key=lambda node: node.bound)
            seen: set[bytes] = set()
            grown = [
                child
                for node in front[: beam.width]
                if node.bound <= cutoff
                for child in self._children(node, beam.count, at_once, rng, seen)
            ]
            done.extend(node for node in grown if not (len(node.here) and len(node.left)))
            front = [node for node in grown if len(node.here) and len(node.left)]
        done.sort(key=lambda node: (len(node.left), node.paid))
        return [self._placed(node.out) for node in done]

    def _cost(self, out: IntArray) -> float:
        inside = np.flatnonzero(out >= 0)
        return float(self._tables.cost[out[inside], inside].sum())

    def _look(self, node: _Node, rounds: int, pace: float) -> None:
        """Adapt the prices of a node; note its bound and the sets its territories ask for."""
        from gtm_opt.solvers.generalized_assignment._kernels_dive import offers

        bound = offers(
            node.here, node.left, node.prices, pace * self._unit, _PACE_END ** (1.0 / rounds), _NEW, rounds,
            self._tables.cost, self._size, self._room, self._chosen, self._taken, self._space, self._mean,
            self._agreement, self._which,
        )  # fmt: skip
        node.bound = node.paid + float(bound)
        at = range(len(node.here))
        node.agreement = self._agreement[: len(at)].copy()
        node.sets = [np.flatnonzero(self._chosen[self._which[t], t, : len(node.left)]) for t in at]

    def _children(
        self, node: _Node, count: int, at_once: int, rng: np.random.Generator, seen: set[bytes]
    ) -> list[_Node]:
        """Return nodes with a few more territories filled: the surest ones, and ones picked with noise."""
        children = []
        for child in range(count if len(node.here) > 1 else 1):
            sure = node.agreement + (_NOISE * rng.standard_normal(len(node.here)) if child else 0.0)
            gone, busy = self._pick(node, np.argsort(-sure, kind="stable"), at_once)
            out = node.out.copy()
            for t in gone:
                out[node.left[node.sets[t]]] = node.here[t]
            key = out.tobytes()
            if key in seen:
                continue
            seen.add(key)
            added = np.flatnonzero(busy)
            paid = node.paid + float(self._tables.cost[out[node.left[added]], node.left[added]].sum())
            children.append(_Node(np.delete(node.here, gone), node.left[~busy], node.prices.copy(), out, paid))
        return children

    @staticmethod
    def _pick(node: _Node, order: IntArray, at_once: int) -> tuple[list[int], NDArray[np.bool_]]:
        """Return the first ``at_once`` territories in ``order`` whose sets share no unit, and their units."""
        busy = np.zeros(len(node.left), dtype=bool)
        gone: list[int] = []
        for t in order:
            units = node.sets[t]
            if not busy[units].any():
                busy[units] = True
                gone.append(int(t))
                if len(gone) >= at_once:
                    break
        return gone, busy

    def _placed(self, out: IntArray) -> IntArray:
        """Put what is left over where reduced cost and overload add least."""
        t, missing = self._tables, np.flatnonzero(out < 0)
        inside = np.flatnonzero(out >= 0)
        used = np.bincount(out[inside], weights=t.use[out[inside], inside], minlength=t.n_territories)
        room = t.upper - used
        for i in missing:
            after = room - t.use[:, i]
            overload = np.minimum(room, 0.0) - np.minimum(after, 0.0)
            k = int(np.argmin(t.reduced[:, i] - t.under * t.use[:, i] + (t.under + t.base) * overload))
            out[i] = k
            room[k] -= t.use[k, i]
        return out
