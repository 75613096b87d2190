from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.problems import to_instance, trivial_bound
from benchmarks.readers import Gap, Partition, read
from gtm_opt.errors import DataError
from gtm_opt.measures import evaluate


def written(folder: Path, text: str) -> Path:
    path = folder / "file.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_gap_is_read_whatever_the_line_breaks(tmp_path: Path) -> None:
    rows = "2 3\n1 2 3\n4 5 6\n1 1 1\n2 2 2\n5 4\n"
    first = read("gap", written(tmp_path, rows))
    second = read("gap", written(tmp_path, "  " + rows.replace("\n", "\r\n\t ").replace(" ", "\n\n")))
    assert isinstance(first, Gap)
    assert isinstance(second, Gap)
    assert first.cost.tolist() == second.cost.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert first.use.tolist() == [[1, 1, 1], [2, 2, 2]]
    assert first.capacity.tolist() == [5, 4]


def test_mdmwnpp_takes_the_first_vectors_and_coordinates(tmp_path: Path) -> None:
    problem = read("mdmwnpp", written(tmp_path, "3 2\n1.5 2\n3 4\n5 6"), n=2, m=1, k=2)
    assert isinstance(problem, Partition)
    assert problem.sizes.tolist() == [[1.5], [3.0]]


def test_pcmax_takes_the_machines_of_the_file_unless_told_otherwise(tmp_path: Path) -> None:
    path = written(tmp_path, "3\n5\n4 4 3 3 2")
    assert read("pcmax", path).k == 3
    assert read("pcmax", path, k=2).k == 2


def test_bpp_needs_at_least_the_bins_of_its_total(tmp_path: Path) -> None:
    path = written(tmp_path, "4\n10\n6\n6\n6\n6")
    problem = read("bpp", path)
    assert isinstance(problem, Partition)
    assert (problem.k, problem.capacity) == (3, 10.0)
    assert read("bpp", path, n=3).k == 2


@pytest.mark.parametrize(
    ("family", "text", "options", "message"),
    [
        ("gap", "2 3 1 2", {}, "asks for 16 numbers, got 4"),
        ("gap", "2 3 1 x", {}, "numbers only for family gap in 1 row: 'x'"),
        ("gap", "1 1 1 1 1", {"k": 2}, "--k has no meaning for gap"),
        ("pcmax", "0 3 1 2 3", {}, "machines as a whole number >= 1, got 0"),
        ("pcmax", "2 3 1 2 -3", {}, "negative sizes, got -3"),
        ("mdmwnpp", "2 1 5 6", {"n": 9}, "--n must lie between 1 and 2, got 9"),
        ("bpp", "", {}, "asks for 1 numbers, got 0"),
        ("bpp", "2 10 nan 3", {}, "finite numbers only"),
        ("tsp", "1", {}, "family must be one of gap, mdmwnpp, pcmax, bpp, got 'tsp'"),
    ],
)
def test_files_that_are_something_else_are_refused(
    tmp_path: Path, family: str, text: str, options: dict[str, int], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read(family, written(tmp_path, text), **options)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing\.txt' must exist"):
        read("gap", tmp_path / "nothing.txt")


def test_the_mapping_gives_the_objective_of_each_family() -> None:
    vectors = Partition("mdmwnpp", np.array([[1.0, 9.0], [4.0, 1.0], [3.0, 3.0]]), 2)
    assert evaluate(to_instance(vectors), np.array([0, 1, 1])).objective == 6.0
    machines = Partition("pcmax", np.array([[4.0], [3.0], [3.0]]), 2)
    assert evaluate(to_instance(machines), np.array([0, 1, 1])).objective == 6.0
    gap = Gap(np.array([[1.0, 5.0], [2.0, 2.0]]), np.array([[3.0, 3.0], [1.0, 1.0]]), np.array([3.0, 2.0]))
    found = evaluate(to_instance(gap), np.array([0, 1]))
    assert (found.objective, found.feasible) == (3.0, True)
    assert not evaluate(to_instance(gap), np.array([0, 0])).feasible


@pytest.mark.parametrize(
    ("sizes", "k", "bound"), [([5, 5, 5], 2, 10), ([3, 3, 3, 3], 3, 6), ([7, 1, 1], 2, 7), ([1, 1, 1, 2], 2, 3)]
)
def test_trivial_bound_of_a_peak(sizes: list[float], k: int, bound: float) -> None:
    assert trivial_bound(Partition("pcmax", np.array(sizes, dtype=float)[:, None], k)) == bound


def test_public_files_read_with_the_sizes_of_their_tables(instances: Path) -> None:
    problem = read("gap", instances / "gap" / "d20200")
    assert (problem.k, problem.n) == (20, 200)
    matrix = read("mdmwnpp", instances / "mdmwnpp" / "mdtwnpp_500_20a.txt")
    assert isinstance(matrix, Partition)
    assert matrix.sizes.shape == (500, 20)
