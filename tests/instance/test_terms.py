"""Every term agrees with a matrix, however it is cut, reordered and merged."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtm_opt.instance import BestLeaf, Dense, Distance, ForbiddenTerm, MoveCost, PinTerm, Table, Term, UnitSum, frozen

KINDS = ("dense", "stay", "distance", "haversine", "table", "only", "forbidden", "grouped", "lowest")


def make(kind: str, n: int, k: int, rng: np.random.Generator) -> tuple[Term, np.ndarray]:
    """Return a random term and the matrix it stands for, written down pair by pair."""
    units, territories = np.arange(n), np.arange(k)
    out = np.zeros((n, k))
    if kind == "dense":
        values = rng.random((n, k))
        return Dense(values), values
    if kind == "stay":
        home, value = rng.integers(-2, k, n), rng.random(n)
        for i in units:
            for t in territories:
                out[i, t] = 0.0 if home[i] == -1 or home[i] == t else value[i]
        return MoveCost(home, value, k), out
    if kind in ("distance", "haversine"):
        points, centers, weight = rng.uniform(-60, 60, (n, 2)), rng.uniform(-60, 60, (k, 2)), rng.random(n)
        squared = bool(rng.integers(2))
        for i in units:
            for t in territories:
                d = great_circle(points[i], centers[t]) if kind == "haversine" else np.hypot(*(points[i] - centers[t]))
                out[i, t] = weight[i] * (d**2 if squared else d)
        return Distance(points, centers, weight, squared, kind == "haversine"), out
    if kind == "table":
        codes, table, weight = rng.integers(-1, 3, n), rng.random((3, k)), rng.random(n)
        for i in units:
            out[i] = 0.0 if codes[i] < 0 else table[codes[i]] * weight[i]
        return Table(codes, table, weight), out
    if kind == "only":
        where = rng.integers(-2, k, n)
        for i in units:
            out[i] = 0.0 if where[i] == -1 else np.where(territories == where[i], 0.0, np.inf)
        return PinTerm(where, k), out
    if kind == "forbidden":
        pairs = np.unique(rng.integers(0, [n, k], (n, 2)), axis=0)
        out[pairs[:, 0], pairs[:, 1]] = np.inf
        return ForbiddenTerm(pairs[:, 0], pairs[:, 1], n, k), out
    if kind == "lowest":
        inner, matrix = make("table", n, 2 * k, rng)
        group = rng.permutation(np.repeat(territories, 2))
        return BestLeaf(inner, group), np.stack([matrix[:, group == t].min(axis=1) for t in territories], axis=1)
    inner, matrix = make("stay", n + 4, k, rng)
    family = np.concatenate([units, rng.integers(0, n, 4)])
    members = np.argsort(family, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(family))])
    np.add.at(out, family, matrix)
    return UnitSum(inner, members, start), out


def great_circle(a: np.ndarray, b: np.ndarray) -> float:
    """Kilometers between two points, by the spherical law of cosines."""
    (lat1, lon1), (lat2, lon2) = np.radians(a), np.radians(b)
    cosine = np.sin(lat1) * np.sin(lat2) + np.cos(lat1) * np.cos(lat2) * np.cos(lon1 - lon2)
    return 6371.0088 * float(np.arccos(np.clip(cosine, -1, 1)))


cases = given(st.sampled_from(KINDS), st.integers(1, 9), st.integers(1, 6), st.integers(0, 10**6))


@cases
def test_blocks_are_the_rows_of_the_matrix(kind: str, n: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    term, matrix = make(kind, n, k, rng)
    some = rng.permutation(n)[: rng.integers(1, n + 1)]
    assert isinstance(term, Term)
    np.testing.assert_allclose(term.block(slice(0, n)), matrix, rtol=1e-6, atol=1e-4)
    np.testing.assert_allclose(term.block(slice(n // 2, n)), matrix[n // 2 :], rtol=1e-6, atol=1e-4)
    np.testing.assert_allclose(term.block(some), matrix[some], rtol=1e-6, atol=1e-4)


@cases
def test_taking_units_and_territories_takes_rows_and_columns(kind: str, n: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    term, matrix = make(kind, n, k, rng)
    units, territories = rng.permutation(n)[: rng.integers(1, n + 1)], rng.permutation(k)[: rng.integers(1, k + 1)]
    taken = term.take(units).take_territories(territories)
    again = pickle.loads(pickle.dumps(taken))
    expected = matrix[np.ix_(units, territories)]
    np.testing.assert_allclose(taken.block(slice(0, len(units))), expected, rtol=1e-6, atol=1e-4)
    np.testing.assert_array_equal(again.block(slice(0, len(units))), taken.block(slice(0, len(units))))


@cases
def test_merging_takes_the_lowest_of_a_group(kind: str, n: int, k: int, seed: int) -> None:
    """Distances are merged to a common center instead, families account by account."""
    rng = np.random.default_rng(seed)
    term, matrix = make(kind, n, k, rng)
    group = np.unique(rng.integers(0, k, k), return_inverse=True)[1]
    shares = rng.random(k) + 0.1
    merged = term.merge(group, shares).block(slice(0, n))
    lowest = np.stack([matrix[:, group == g].min(axis=1) for g in range(group.max() + 1)], axis=1)
    assert merged.shape == lowest.shape
    if kind == "grouped":
        assert (merged <= lowest + 1e-12).all()
    elif kind not in ("distance", "haversine"):
        np.testing.assert_allclose(merged, lowest)


def test_distances_merge_to_the_center_weighted_by_shares() -> None:
    term = Distance(np.zeros((1, 2)), np.array([[0.0, 3.0], [0.0, 9.0], [4.0, 0.0]]), np.ones(1))
    merged = term.merge(np.array([0, 0, 1]), np.array([2.0, 1.0, 1.0]))
    assert merged.block(slice(0, 1)).tolist() == [[5.0, 4.0]]


def test_an_empty_selection_gives_an_empty_block() -> None:
    rng = np.random.default_rng(0)
    nobody = np.zeros(0, dtype=np.int64)
    for kind in KINDS:
        term, _ = make(kind, 5, 3, rng)
        assert term.take(nobody).block(slice(0, 0)).shape == (0, 3), kind


def test_frozen_arrays_are_copies_that_cannot_be_written() -> None:
    values = np.arange(3.0)
    copy = frozen(values)
    values[0] = 9.0
    assert copy[0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        copy[0] = 1.0
