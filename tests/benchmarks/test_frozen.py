from __future__ import annotations

import csv
import hashlib

from benchmarks.checker import check_problem
from benchmarks.frozen_sets import FROZEN, checksums, frozen_files
from benchmarks.readers import read


def test_frozen_files_have_their_committed_checksums() -> None:
    sums = checksums()
    assert len(sums) == 9
    for name, digest in sums.items():
        assert hashlib.sha256((FROZEN / name).read_bytes()).hexdigest() == digest, name


def test_frozen_files_are_what_their_generator_makes() -> None:
    for entry, text in frozen_files():
        assert (FROZEN / entry[0]).read_text(encoding="utf-8") == text


def test_frozen_files_read_with_the_sizes_of_the_index() -> None:
    with (FROZEN / "index.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    for row in rows:
        k = None if row["family"] == "gap" else int(row["k"])
        problem = read(row["family"], FROZEN / row["file"], k=k)
        assert (problem.n, problem.k) == (int(row["n"]), int(row["k"])), row["file"]


def test_constructed_optimum_of_the_triplets_is_real() -> None:
    problem = read("bpp", FROZEN / "bpp_triplets_60.txt")
    assert problem.k == 20
    assert problem.sizes.sum() == 20 * 1_000
    assert not check_problem(problem, [0] * 60).feasible
