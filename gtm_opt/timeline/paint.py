"""Statements about intervals of days, made one after another: on every day the last one made holds."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.timeline.sweep import EVER, NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Days = NDArray[np.datetime64]

__all__ = ["latest_by_day"]


def latest_by_day(
    key: NDArray[np.int64], first: Days, last: Days, order: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Days, Days]:
    """Return which statement holds on which days.

    Parameters
    ----------
    key : ndarray of int, shape (n,)
        What each statement is about.
    first, last : ndarray of datetime64[D], shape (n,)
        Inclusive; NaT: open. A statement that ends before it begins says nothing.
    order : ndarray of int, shape (n,)
        Unique: of two statements about one key and day the one with the greater number holds.

    Returns
    -------
    source, first, last : ndarray of shape (m,)
        Position of the statement, and the days on which it holds; by key and day, disjoint for every key,
        consecutive days of one statement joined. Open ends are ``EVER`` and ``NEVER``.

    Notes
    -----
    One sort, then a sweep that keeps the statements in force in a heap: O(n log n) in time, O(n) pieces.
    """
    begin = np.where(np.isnat(first), EVER, first).astype("datetime64[D]").astype(np.int64)
    after = np.where(np.isnat(last), NEVER, last).astype("datetime64[D]").astype(np.int64) + 1
    real = np.flatnonzero(after > begin)
    rows = real[np.lexsort((order[real], begin[real], key[real]))]
    keys, begins, afters, ranks = (a[rows].tolist() for a in (key, begin, after, order))
    source: list[int] = []
    starts: list[int] = []
    ends: list[int] = []

    def note(row: int, since: int, until: int) -> None:
        if until <= since:
            return
        if source and source[-1] == row and ends[-1] == since:
            ends[-1] = until
            return
        source.append(row)
        starts.append(since)
        ends.append(until)

    n, at = len(rows), 0
    positions = rows.tolist()
    while at < n:
        heap: list[tuple[int, int, int]] = []  # (-order, day after the last, row)
        group, day = keys[at], begins[at]
        while heap or (at < n and keys[at] == group):
            arrives = begins[at] if at < n and keys[at] == group else None
            while heap and heap[0][1] <= day:
                heappop(heap)
            if not heap:
                if arrives is None:
                    break
                day = max(day, arrives)
            elif arrives is None or arrives > day:
                until = heap[0][1] if arrives is None else min(heap[0][1], arrives)
                note(heap[0][2], day, until)
                day = until
                continue
            while at < n and keys[at] == group and begins[at] <= day:
                heappush(heap, (-ranks[at], afters[at], positions[at]))
                at += 1
    return (
        np.array(source, dtype=np.int64),
        np.array(starts, dtype=np.int64).astype("datetime64[D]"),
        (np.array(ends, dtype=np.int64) - 1).astype("datetime64[D]"),
    )
