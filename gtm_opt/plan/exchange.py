"""Putting new files and folders in the place of old ones: exchange in one step, permissions as usual."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["current_umask", "exchange"]

_HERE = -100
"""AT_FDCWD: paths are relative to the working directory."""
_SWAP = 2
"""RENAME_EXCHANGE of renameat2(2), and RENAME_SWAP of renamex_np(2)."""


def current_umask() -> int:
    """Return the permissions that new files of this process are made without."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def exchange(one: Path, other: Path) -> bool:
    """Exchange two existing paths atomically; return whether the system could.

    Notes
    -----
    ``renameat2`` of Linux and ``renamex_np`` of macOS: at every moment there is something whole at both paths.
    Other systems, and file systems without it, return False and change nothing.
    """
    first, second = os.fsencode(one), os.fsencode(other)
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "linux":
            return bool(library.renameat2(_HERE, first, _HERE, second, _SWAP) == 0)
        if sys.platform == "darwin":
            return bool(library.renamex_np(first, second, _SWAP) == 0)
    except (OSError, AttributeError, TypeError):
        return False
    return False
