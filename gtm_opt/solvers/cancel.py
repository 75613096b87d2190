"""Stopping a run from outside: from another thread, a web request, a button."""

from __future__ import annotations

import threading
from typing import Protocol, runtime_checkable

__all__ = ["Cancel", "CancelToken"]


@runtime_checkable
class CancelToken(Protocol):
    """Anything that says whether it was set: `Cancel`, ``threading.Event``, ``multiprocessing.Event``."""

    def is_set(self) -> bool:
        """Whether the work should stop now."""


class Cancel:
    """A switch that stops runs: give it to them as ``cancel``, and call `cancel` from anywhere.

    Examples
    --------
    >>> stop = Cancel()
    >>> stop.cancel()
    >>> stop.is_set()
    True

    Notes
    -----
    Runs look at it between slices of work of at most 0.2 s, and return the best they have. Thread-safe. One switch
    may stop several runs; once set it stays set.
    """

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Stop every run that has this switch."""
        self._event.set()

    def is_set(self) -> bool:
        """Whether `cancel` was called."""
        return self._event.is_set()

    def __repr__(self) -> str:
        return f"Cancel({'set' if self.is_set() else 'not set'})"
