"""Several searches side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_opt.solvers.protocol import Run

__all__ = ["STREAMS", "side_by_side"]

STREAMS = 2
"""Searches that run side by side, whatever the number of threads."""

T = TypeVar("T")


def side_by_side(work: Callable[[int], T], workers: int, run: Run, look: Callable[[], object]) -> list[T]:
    """Return ``[work(0), work(1), ...]`` of all streams.

    Parameters
    ----------
    work : callable
        Has to end soon after ``run`` was told to stop.
    workers : int
        Threads; 1: one after the other in this thread.
    run : Run
    look : callable
        Called ten times a second while threads work, for progress.

    Raises
    ------
    KeyboardInterrupt
        When Ctrl-C was pressed inside ``work``. Pressed while this thread waits, it only stops ``run``.
    """
    if workers <= 1:
        return [work(index) for index in range(STREAMS)]
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(work, index) for index in range(STREAMS)]
        waiting = set(futures)
        while waiting:
            try:
                waiting = wait(futures, timeout=0.1).not_done
                look()
            except KeyboardInterrupt:
                run.interrupt()
        return [future.result() for future in futures]
