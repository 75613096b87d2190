"""As even as possible, few units: all assignments, seen one way or another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.instance import EvennessKind
from gtm_opt.measures import evaluate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.instance import FloatArray, Instance, IntArray

__all__ = ["Enumerated", "can_enumerate", "enumerate_even"]

MOST_UNITS = 24
PLACEMENTS = 2_000_000
"""Placements tried at effort 1: a few tenths of a second."""
ALIKE = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Enumerated:
    """What a search over all assignments found.

    Attributes
    ----------
    assignment : ndarray of int, shape (n_units,), or None
        The best; None where there is none, or none better than what was known.
    value : float
        Its worst deviation, or the value that was to be beaten.
    complete : bool
        Proven: no assignment that keeps rules and hard limits has a smaller worst deviation.
    placements : int
    """

    assignment: IntArray | None
    value: float
    complete: bool
    placements: int


def can_enumerate(instance: Instance) -> bool:
    """Whether a search over all assignments is worth a try."""
    even = instance.evenness is not None and instance.evenness.kind is EvennessKind.DEVIATION
    return even and 0 < instance.n_units <= MOST_UNITS


def enumerate_even(
    instance: Instance, start: IntArray | None = None, placements: int = PLACEMENTS, *, bands: bool = True
) -> Enumerated:
    """Search all assignments for the least worst deviation.

    Parameters
    ----------
    instance : Instance
        With ``evenness`` of kind deviation.
    start : ndarray of int, shape (n_units,), optional
        A known assignment that keeps everything; only what is better is looked for.
    placements : int
        Most placements of a unit that are tried: what it cuts is repeatable.
    bands : bool
        All hard bands must hold. False: only rules and limits without a measure.

    Notes
    -----
    Depth first, the largest units first. A branch ends where a total is above what the best known value allows, where
    what is left cannot fill the territories that lack something, where a limit, a side row or a group kept apart
    is broken, and of empty territories that cannot be distinguished only the first is tried. Exponential in the number
    of units: up to some fifteen in a tenth of a second.
    """
    from gtm_opt.solvers.exact._kernels_enumerate import search_all

    evenness = instance.evenness
    assert evenness is not None
    n, k, m = instance.n_units, instance.n_territories, instance.n_criteria
    every = slice(0, n)
    w = np.ascontiguousarray(np.broadcast_to(instance.activities3(), (n, k, m)))
    allowed = np.isfinite(instance.cost_block(every))
    if not allowed.any(axis=1).all():
        return Enumerated(None, np.inf, complete=True, placements=0)
    measured = np.isfinite(evenness.unit)
    hard = np.isinf(instance.penalty)[None, :] & (bands | ~measured)
    low = np.where(hard, instance.lower, -np.inf)
    high = np.where(hard, instance.upper, np.inf)
    side = np.stack([row.term.block(every) for row in instance.side], axis=2) if instance.side else np.zeros((n, k, 0))
    side_left = np.array([row.upper for row in instance.side])
    size = np.where(measured[None], w / evenness.unit[None], 0.0).max(axis=(1, 2), initial=0.0)
    order = np.lexsort((np.arange(n), -size, allowed.sum(axis=1)))
    rival_start, rivals = _rivals(instance, order)
    alike = _alike(w, allowed, side, instance, low, high)
    best, at_best = np.inf, np.full(n, -1, dtype=np.int64)
    if start is not None:
        found = evaluate(instance, start)
        if found.rules_kept and (found.in_band or not bands):
            best = found.evenness
    value, tried, complete = search_all(
        w[order], allowed[order], alike, instance.target, evenness.unit, low, high, side[order], side_left,
        rival_start, rivals, best, at_best, placements,
    )  # fmt: skip
    if (at_best < 0).any():
        return Enumerated(None, float(value), bool(complete), int(tried))
    assignment = np.empty(n, dtype=np.int64)
    assignment[order] = at_best
    return Enumerated(assignment, float(value), bool(complete), int(tried))


def _rivals(instance: Instance, order: IntArray) -> tuple[IntArray, IntArray]:
    """Return the earlier units that each unit must be kept apart from, in the order of placing."""
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    sets: list[set[int]] = [set() for _ in order]
    for group in instance.apart:
        at = np.sort(place[group])
        for later in range(1, len(at)):
            sets[at[later]].update(at[:later].tolist())
    start = np.concatenate([[0], np.cumsum([len(s) for s in sets])]).astype(np.int64)
    return start, np.array([u for s in sets for u in sorted(s)], dtype=np.int64)


def _alike(
    w: FloatArray, allowed: NDArray[np.bool_], side: FloatArray, instance: Instance, low: FloatArray, high: FloatArray
) -> IntArray:
    """Return for each territory the first that no unit can tell it from."""
    k = w.shape[1]
    out = np.arange(k)
    assert instance.evenness is not None
    for q in range(k):
        for p in range(q):
            same = (
                np.array_equal(allowed[:, p], allowed[:, q])
                and np.array_equal(w[:, p], w[:, q])
                and np.array_equal(side[:, p], side[:, q])
                and np.array_equal(low[p], low[q])
                and np.array_equal(high[p], high[q])
                and np.allclose(instance.target[p], instance.target[q], rtol=ALIKE, atol=0.0)
                and np.allclose(instance.evenness.unit[p], instance.evenness.unit[q], rtol=ALIKE, atol=0.0)
            )
            if same:
                out[q] = out[p]
                break
    return out
