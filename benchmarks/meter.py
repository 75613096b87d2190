"""What a run is measured with: clock since the process began, peak memory, machine and versions."""

from __future__ import annotations

import os
import platform
import time
from importlib import metadata
from pathlib import Path

__all__ = ["machine", "peak_memory_mb", "peak_memory_of_children_mb", "seconds_since_start", "version", "versions"]

_IMPORTED = time.perf_counter()
_PACKAGES = ("numpy", "scipy", "pandas", "numba", "ortools", "pulp", "k-means-constrained", "pymetis", "prtpy")


def _age_at_import() -> float:
    """Seconds between the start of the process and the import of this module (Linux; else a guess)."""
    try:
        ticks = float(Path("/proc/self/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[19])
        uptime = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
        return max(0.0, uptime - ticks / os.sysconf("SC_CLK_TCK") - (time.perf_counter() - _IMPORTED))
    except (OSError, ValueError, IndexError, AttributeError):
        return 0.1


_AGE = _age_at_import()


def seconds_since_start() -> float:
    """Return wall-clock seconds since the process began, interpreter start included."""
    return _AGE + time.perf_counter() - _IMPORTED


def peak_memory_mb() -> float:
    """Return the peak resident memory of this process in MB (1e6 bytes)."""
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM"):
                return float(line.split()[1]) * 1024 / 1e6
    except OSError:
        pass
    try:
        import resource
    except ImportError:
        return float("nan")
    scale = 1.0 if platform.system() == "Darwin" else 1024.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 1e6


def peak_memory_of_children_mb() -> float:
    """Return the peak resident memory of the largest child process that has ended, in MB."""
    try:
        import resource
    except ImportError:
        return float("nan")
    scale = 1.0 if platform.system() == "Darwin" else 1024.0
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * scale / 1e6


def machine() -> str:
    """Return processor, cores and system in one line, without host names."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
    except OSError:
        pass
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def version() -> str:
    """Return the version of gtm_opt; with "+tree" when it is not installed but imported from a checkout."""
    try:
        return metadata.version("gtm-opt")
    except metadata.PackageNotFoundError:
        import tomllib

        path = Path(__file__).resolve().parents[1] / "pyproject.toml"
        return str(tomllib.loads(path.read_text(encoding="utf-8"))["project"]["version"]) + "+tree"


def versions() -> dict[str, str]:
    """Return the versions of everything that can influence a result."""
    found = {"gtm_opt": version(), "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
