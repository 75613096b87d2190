"""Small frozen files of our own, in the four public formats; ``python -m benchmarks.frozen_sets`` writes them.

They are committed with checksums, so that a number in a table is about exactly these bytes. Where the
construction gives the optimum (perfect partitions), ``index.csv`` holds it.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.classic import gap, perfect, triplets, uniform_bins, vectors

__all__ = ["FROZEN", "checksums", "frozen_files"]

FROZEN = Path(__file__).resolve().parent / "frozen"

_Entry = tuple[str, str, str, int, int, int, str, str]


def _lines(*rows: object) -> str:
    out = io.StringIO()
    for row in rows:
        values = np.atleast_1d(np.asarray(row)).ravel().tolist()
        out.write(" ".join(str(v) for v in values) + "\n")
    return out.getvalue()


def _gap(kind: str, agents: int, jobs: int, seed: int) -> str:
    made = gap(kind, agents, jobs, seed)
    cost, use, capacity = (part.astype(np.int64) for part in (made.cost, made.use, made.capacity))
    return _lines((agents, jobs), *cost, *use, capacity)


def frozen_files() -> Iterator[tuple[_Entry, str]]:
    """Yield (file, family, kind, n, k, m, best known, status) and the text of each file."""
    for kind, agents, jobs in (("c", 5, 40), ("d", 8, 60), ("e", 5, 50)):
        name = f"gap_{kind}_{agents}x{jobs}.txt"
        yield (name, "gap", kind, jobs, agents, 1, "", ""), _gap(kind, agents, jobs, seed=agents * jobs)
    yield ("mdmwnpp_80x6.txt", "mdmwnpp", "uniform", 80, 5, 6, "", ""), _lines((80, 6), *vectors(80, 6, seed=6))
    yield (
        ("mdmwnpp_200x12.txt", "mdmwnpp", "uniform", 200, 10, 12, "", ""),
        _lines((200, 12), *vectors(200, 12, seed=12)),
    )
    rng = np.random.default_rng(40)
    times = rng.integers(1, 101, 40)
    yield ("pcmax_u_6x40.txt", "pcmax", "uniform", 40, 6, 1, "", ""), _lines((6, 40), times)
    pieces = perfect(8, 10_000, seed=8)
    entry = ("pcmax_perfect_8.txt", "pcmax", "perfect", len(pieces), 8, 1, "10000", "optimal by construction")
    yield entry, _lines((8, len(pieces)), pieces)
    items = triplets(20, 1_000, seed=20)
    entry = ("bpp_triplets_60.txt", "bpp", "triplets", 60, 20, 1, "1000", "optimal by construction")
    yield entry, _lines(60, 1_000, *items)
    uniform = uniform_bins(120, 20, 100, 150, seed=120)
    entry = ("bpp_u_120.txt", "bpp", "uniform", 120, uniform.k + 1, 1, "", "")
    yield entry, _lines(120, 150, *uniform.sizes[:, 0].astype(np.int64))


def checksums() -> dict[str, str]:
    """Return the committed checksums by file name."""
    lines = (FROZEN / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


def _write() -> None:
    FROZEN.mkdir(exist_ok=True)
    index, sums = ["file,family,kind,n,k,m,best_known,status"], []
    for entry, text in frozen_files():
        (FROZEN / entry[0]).write_bytes(text.encode())
        sums.append(f"{hashlib.sha256(text.encode()).hexdigest()}  {entry[0]}")
        index.append(",".join(str(value) for value in entry))
    (FROZEN / "index.csv").write_bytes(("\n".join(index) + "\n").encode())
    (FROZEN / "SHA256SUMS").write_bytes(("\n".join(sums) + "\n").encode())


if __name__ == "__main__":
    _write()
