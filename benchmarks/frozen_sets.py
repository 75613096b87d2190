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
    """Types C, D and E as in the literature (Chu & Beasley 1997; Yagiura, Ibaraki & Glover 2004)."""
    rng = np.random.default_rng(seed)
    if kind == "c":
        use, cost = rng.integers(5, 26, (agents, jobs)), rng.integers(10, 51, (agents, jobs))
    elif kind == "d":
        use = rng.integers(1, 101, (agents, jobs))
        cost = 111 - use + rng.integers(-10, 11, (agents, jobs))
    else:
        draw = 1.0 - 10.0 * np.log(1.0 - rng.random((agents, jobs)))
        use = np.maximum(1, np.rint(draw)).astype(np.int64)
        cost = np.maximum(1, np.rint(1000.0 / draw - 10.0 * rng.random((agents, jobs)))).astype(np.int64)
    capacity = (0.8 * use.sum(axis=1) / agents).astype(np.int64)
    return _lines((agents, jobs), *cost, *use, capacity)


def _vectors(n: int, m: int, seed: int) -> str:
    rng = np.random.default_rng(seed)
    return _lines((n, m), *np.round(rng.random((n, m)) * 100_000, 3))


def _perfect(k: int, load: int, seed: int) -> list[int]:
    """Cut k bars of length ``load`` into 3 to 6 pieces each, shuffled: the best peak is ``load``."""
    rng = np.random.default_rng(seed)
    pieces: list[int] = []
    for _ in range(k):
        cuts = np.sort(rng.choice(np.arange(1, load), size=int(rng.integers(2, 6)), replace=False))
        pieces += np.diff([0, *cuts.tolist(), load]).tolist()
    return [int(pieces[i]) for i in rng.permutation(len(pieces))]


def _triplets(bins: int, capacity: int, seed: int) -> list[int]:
    """Three items a bin, none below a quarter of it: as in the triplets of Falkenauer (1996)."""
    rng = np.random.default_rng(seed)
    items: list[int] = []
    for _ in range(bins):
        first = int(rng.integers(int(0.38 * capacity), int(0.49 * capacity)))
        second = int(rng.integers(int(0.25 * capacity), (capacity - first) // 2))
        items += [first, second, capacity - first - second]
    return [items[i] for i in rng.permutation(len(items))]


def frozen_files() -> Iterator[tuple[_Entry, str]]:
    """Yield (file, family, kind, n, k, m, best known, status) and the text of each file."""
    for kind, agents, jobs in (("c", 5, 40), ("d", 8, 60), ("e", 5, 50)):
        name = f"gap_{kind}_{agents}x{jobs}.txt"
        yield (name, "gap", kind, jobs, agents, 1, "", ""), _gap(kind, agents, jobs, seed=agents * jobs)
    yield ("mdmwnpp_80x6.txt", "mdmwnpp", "uniform", 80, 5, 6, "", ""), _vectors(80, 6, seed=6)
    yield ("mdmwnpp_200x12.txt", "mdmwnpp", "uniform", 200, 10, 12, "", ""), _vectors(200, 12, seed=12)
    rng = np.random.default_rng(40)
    times = rng.integers(1, 101, 40)
    yield ("pcmax_u_6x40.txt", "pcmax", "uniform", 40, 6, 1, "", ""), _lines((6, 40), times)
    perfect = _perfect(8, 10_000, seed=8)
    entry = ("pcmax_perfect_8.txt", "pcmax", "perfect", len(perfect), 8, 1, "10000", "optimal by construction")
    yield entry, _lines((8, len(perfect)), perfect)
    items = _triplets(20, 1_000, seed=20)
    entry = ("bpp_triplets_60.txt", "bpp", "triplets", 60, 20, 1, "1000", "optimal by construction")
    yield entry, _lines(60, 1_000, *items)
    weights = np.random.default_rng(120).integers(20, 101, 120)
    least = -(-int(weights.sum()) // 150)
    yield ("bpp_u_120.txt", "bpp", "uniform", 120, least + 1, 1, "", ""), _lines(120, 150, *weights)


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
