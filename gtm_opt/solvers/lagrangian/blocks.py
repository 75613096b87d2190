"""Units in blocks of fixed size, computed when asked for, on several cores, reduced in order."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from gtm_opt.instance import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from gtm_opt.instance import FloatArray, Instance, IntArray, Rows

__all__ = ["Block", "Blocks", "read_block"]

T = TypeVar("T")

_KEPT = 4_000_000
"""Numbers kept in memory (32 MB); larger instances compute their blocks again at every pass."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """What the kernels read of some units.

    Attributes
    ----------
    cost : ndarray of shape (n_rows, n_territories)
        ``inf`` where forbidden.
    activities : ndarray of shape (n_rows, 1 or n_territories, n_criteria)
    side : ndarray of shape (n_rows, n_territories, n_side_rows)
    weight : ndarray of shape (n_rows,)
        How many units of the instance each row stands for.
    """

    cost: FloatArray
    activities: FloatArray
    side: FloatArray
    weight: FloatArray


def read_block(instance: Instance, rows: Rows, weight: FloatArray | None = None) -> Block:
    """Return fresh contiguous arrays of ``rows`` (the kernels are compiled for those only)."""
    cost = instance.cost_block(rows)
    side = np.zeros((len(cost), instance.n_territories, len(instance.side)))
    for r, row in enumerate(instance.side):
        side[:, :, r] = row.term.block(rows)
    activities = np.array(instance.activities3()[rows], dtype=np.float64, order="C")
    return Block(cost, activities, side, np.ones(len(cost)) if weight is None else weight)


class Blocks:
    """The units of an instance, or a weighted sample of them, in blocks.

    Parameters
    ----------
    instance : Instance
    units : ndarray of int, optional
        A sample; all units if left out.
    weight : ndarray of float, optional
        Weight of each sampled unit.
    workers : int, optional
        Threads; the result does not depend on it. Default: two, or one on a single core.

    Notes
    -----
    Blocks have `CHUNK` units whatever the machine, and their results come back in order, so
    sums are the same for any number of workers.
    """

    def __init__(
        self,
        instance: Instance,
        units: IntArray | None = None,
        weight: FloatArray | None = None,
        workers: int | None = None,
    ) -> None:
        self._instance, self._units, self._weight = instance, units, weight
        self.n_units = instance.n_units if units is None else len(units)
        self._slices = [slice(b, min(b + CHUNK, self.n_units)) for b in range(0, self.n_units, CHUNK)]
        per_unit = instance.n_territories * (1 + len(instance.side)) + int(np.prod(instance.activities.shape[1:]))
        keep = self.n_units * per_unit <= _KEPT
        workers = min(2, os.cpu_count() or 1) if workers is None else workers
        self._pool = ThreadPoolExecutor(workers) if workers > 1 and len(self._slices) > 1 else None
        self._kept: list[Block] | None = None
        if keep:
            self._kept = list(self.map(lambda block: block))

    def __enter__(self) -> Blocks:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        return len(self._slices)

    def read(self, position: int) -> Block:
        """Return block number ``position``."""
        if self._kept is not None:
            return self._kept[position]
        rows = self._slices[position]
        if self._units is None:
            return read_block(self._instance, rows)
        weight = None if self._weight is None else np.array(self._weight[rows])
        return read_block(self._instance, self._units[rows], weight)

    def map(self, function: Callable[[Block], T]) -> Iterator[T]:
        """Yield ``function`` of every block, in order."""
        work = range(len(self._slices))
        if self._pool is None:
            return (function(self.read(position)) for position in work)
        return self._pool.map(lambda position: function(self.read(position)), work)
