"""Silence for lines that HiGHS prints through C although it was told to print nothing."""

from __future__ import annotations

import ctypes
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["silent_c_output"]

_lock = threading.Lock()
_depth = 0
_saved: int | None = None
_nowhere: int | None = None


def _stream() -> ctypes.c_void_p | None:
    """Return the C library's variable ``stdout``, None where it has none that can be set."""
    for name in ("stdout", "__stdoutp"):  # glibc; macOS
        try:
            return ctypes.c_void_p.in_dll(ctypes.CDLL(None), name)
        except (ValueError, OSError, TypeError, AttributeError):
            continue
    return None


@contextmanager
def silent_c_output() -> Iterator[None]:
    """Send what C code prints nowhere, as long as some thread is inside.

    Notes
    -----
    A debugging line of HiGHS ("... tmpSolver.run();") goes through ``printf``, whatever the options say, and
    breaks pipes that carry our own output. Moving file descriptor 1 would also swallow what Python prints in
    other threads. The C library's own stream is another thing: Python does not write through it. So that
    variable is pointed at the null device, for as many threads as are inside, and set back by the last.
    Where the C library has no such variable (Windows) nothing is done.
    """
    global _depth, _saved, _nowhere
    stream = _stream()
    if stream is None:
        yield
        return
    with _lock:
        if _depth == 0:
            library = ctypes.CDLL(None)
            if _nowhere is None:
                library.fopen.restype = ctypes.c_void_p
                library.fopen.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
                _nowhere = library.fopen(os.devnull.encode(), b"w")
            _saved = stream.value
            if _nowhere:
                stream.value = _nowhere
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0 and _nowhere:
                stream.value = _saved
