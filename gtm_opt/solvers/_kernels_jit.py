"""The compiler of all kernels: Numba's, with a cache where one can be written, and without where none can.

Imported late: loading this module loads numba.
"""

from __future__ import annotations

import os
import stat
import tempfile
import threading
from pathlib import Path
from typing import Any

import numba
from numba.core import config

__all__ = ["njit", "private_folder"]

_lock = threading.Lock()


def njit(**options: Any) -> Any:
    """Return Numba's decorator ``njit`` that falls back to another cache, or to none.

    Notes
    -----
    Numba caches beside the source or in the user's cache directory, and refuses to define a function when
    neither can be written: in containers with a read-only file system and no home nothing could be carved. Then
    a folder of the user's own below the temporary directory is taken (so that processes on one machine
    compile once), and no cache where there is none.
    """

    def decorate(function: Any) -> Any:
        try:
            return numba.njit(**options)(function)
        except RuntimeError as error:
            if not options.get("cache") or "cannot cache" not in str(error):
                raise
        folder = private_folder()
        if folder is not None:
            with _lock:  # the place is asked for while the function is defined, and never again
                before = config.CACHE_DIR  # type: ignore[attr-defined]
                config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
                try:
                    return numba.njit(**options)(function)
                except RuntimeError:
                    pass
                finally:
                    config.CACHE_DIR = before  # type: ignore[attr-defined]
        return numba.njit(**{**options, "cache": False})(function)

    return decorate


def private_folder() -> Path | None:
    """Return a folder below the temporary directory that only this user can write, None where there is none.

    What is loaded from a cache is run: a folder that somebody else could have filled is not used.
    """
    try:
        user = os.getuid() if hasattr(os, "getuid") else os.getlogin()
        folder = Path(tempfile.gettempdir()) / f"gtm_opt-kernels-{user}"
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    if not stat.S_ISDIR(found.st_mode):
        return None
    if hasattr(os, "getuid") and (found.st_uid != os.getuid() or found.st_mode & 0o077):
        return None
    return folder if os.access(folder, os.W_OK | os.X_OK) else None
