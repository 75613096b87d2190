"""A dive: territories are filled for good, a few at a time, while the prices of the other units adapt."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.solvers.packing.bound import Fillings

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.solvers.packing.pool import ColumnPool
    from gtm_opt.solvers.packing.tables import Tables
    from gtm_opt.solvers.protocol import Run

__all__ = ["dive"]

_STEPS = 20


def _part(tables: Tables, territories: IntArray, units: IntArray) -> Tables:
    """Return the tables of some territories and units, as far as knapsacks read them."""
    if tables.size is None or tables.room is None:
        raise ValueError("knapsacks need whole sizes")
    here = np.ix_(territories, units)
    return replace(
        tables,
        cost=np.ascontiguousarray(tables.cost[here]),
        size=np.ascontiguousarray(tables.size[here]),
        room=tables.room[territories],
    )


def dive(
    tables: Tables, prices: FloatArray, value: float, pool: ColumnPool, run: Run, rng: np.random.Generator, rounds: int
) -> IntArray | None:
    """Return an assignment, perhaps with overload, or None where the run stopped.

    Parameters
    ----------
    tables : Tables
        With whole sizes.
    prices : ndarray of shape (n_units,)
        Good multipliers of the units.
    value : float
        The bound they reach.
    pool : ColumnPool
        Takes every set on the way.
    run : Run
    rng : Generator
        Shakes the prices a little, so that dives differ.
    rounds : int
        Rounds of knapsacks between two fixings.
    """
    k, n = tables.n_territories, tables.n_units
    out = np.full(n, -1, dtype=np.int64)
    territories, units = np.arange(k), np.arange(n)
    spread = float(np.median(np.partition(tables.reduced, 1, axis=0)[1])) + 1e-3 * abs(value) / n
    at = prices + 1.5 * rng.random() ** 2 * spread * rng.standard_normal(n)
    at_once = max(1, k // _STEPS)
    with ThreadPoolExecutor(2) as threads:
        while len(territories) > 1 and len(units):
            work = Fillings(_part(tables, territories, units))
            mean = np.zeros((len(territories), len(units)))
            sets: list[list[tuple[float, IntArray]]] = [[] for _ in territories]
            center, best = at, -np.inf
            step = 0.01 * abs(value) / n * (2.0 if at_once > 1 else 1.0)
            for r in range(rounds):
                if run.stop():
                    return None
                gain, chosen = work(at, threads)
                bound = float(at.sum() - gain.sum())
                if bound > best:
                    center, best = at, bound
                weight = 0.3 if r else 1.0
                mean = (1.0 - weight) * mean + weight * chosen
                for t in range(len(territories)):
                    picked = np.flatnonzero(chosen[t])
                    sets[t].append((float(gain[t]), picked))
                    pool.add(int(territories[t]), units[picked])
                slope = 1.0 - chosen.sum(axis=0)
                at = at + step * slope
                step *= 0.93
            kept = _fix(mean, sets, at_once)
            done = np.zeros(len(units), dtype=bool)
            for t, picked in kept:
                out[units[picked]] = territories[t]
                done[picked] = True
            territories = np.delete(territories, [t for t, _ in kept])
            units, at = units[~done], center[~done]
    left = np.flatnonzero(out < 0)
    for i in left:
        if len(territories):
            out[i] = territories[int(tables.reduced[territories, i].argmin())]
        else:
            out[i] = tables.near[i, 0]
    return out


def _fix(mean: FloatArray, sets: list[list[tuple[float, IntArray]]], most: int) -> list[tuple[int, IntArray]]:
    """Return the territories to fill for good, with sets that agree most with the mean and share no unit."""
    offers = []
    for t, found in enumerate(sets):
        scores = [float((2.0 * mean[t, picked] - 1.0).sum()) for _, picked in found]
        at = int(np.argmax(scores))
        total = float(mean[t].sum())
        picked = found[at][1]
        # share of the mean that the set explains, less what it would have to drop
        agreement = scores[at] / max(total, 1e-9)
        offers.append((-agreement, t, picked))
    offers.sort(key=lambda offer: (offer[0], offer[1]))
    taken: set[int] = set()
    out: list[tuple[int, IntArray]] = []
    for _, t, picked in offers:
        if len(out) >= most:
            break
        if out and taken.intersection(picked.tolist()):
            continue
        taken.update(picked.tolist())
        out.append((t, picked))
    return out
