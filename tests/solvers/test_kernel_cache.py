"""Kernels compile on machines where neither the install nor a home can be written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gtm_opt.solvers import _kernels_jit

PROGRAM = """
import numpy as np
from gtm_opt.solvers._kernels_random import next_float
value = next_float(np.array([7], dtype=np.uint64))
assert 0.0 <= value < 1.0
print(next_float._cache.cache_path if next_float._cache.__class__.__name__ != "NullCache" else "none")
"""


@pytest.fixture
def locked(tmp_path: Path, root: Path) -> dict[str, str]:
    """Hide home, and copy the package to where no cache fits: a file in the folder's place stops even root."""
    shutil.copytree(root / "gtm_opt", tmp_path / "install" / "gtm_opt", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "install" / "gtm_opt" / "solvers" / "__pycache__").write_text("")
    kept = {key: value for key, value in os.environ.items() if key not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    (tmp_path / "temporary").mkdir()
    here = {"PYTHONPATH": str(tmp_path / "install"), "HOME": "/dev/null/nobody", "TMPDIR": str(tmp_path / "temporary")}
    return {**kept, **here, "PYTHONDONTWRITEBYTECODE": "1"}


def run(environment: dict[str, str], before: str = "") -> str:
    command = [sys.executable, "-P", "-c", before + PROGRAM]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.mark.skipif(sys.platform == "win32", reason="other places on Windows")
def test_a_locked_machine_caches_in_a_private_temporary_folder(locked: dict[str, str]) -> None:
    place = Path(run(locked))
    assert place.is_relative_to(locked["TMPDIR"])
    assert list(place.glob("*.nbi"))
    assert place.relative_to(locked["TMPDIR"]).parts[0].startswith("gtm_opt-kernels-")


@pytest.mark.skipif(sys.platform == "win32", reason="other places on Windows")
def test_without_any_place_kernels_are_compiled_all_the_same(locked: dict[str, str]) -> None:
    nowhere = "from gtm_opt.solvers import _kernels_jit\n_kernels_jit.private_folder = lambda: None\n"
    assert run(locked, nowhere) == "none"


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs owners of files")
def test_a_folder_that_others_could_have_filled_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_kernels_jit.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = _kernels_jit.private_folder()
    assert folder is not None
    folder.chmod(0o777)
    assert _kernels_jit.private_folder() is None
