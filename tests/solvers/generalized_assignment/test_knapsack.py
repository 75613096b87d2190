"""The compiled knapsack: against the full table, on units of all kinds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtm_opt.instance import FloatArray, IntArray


def best_by_full_table(profit: FloatArray, size: IntArray, room: int) -> float:
    """The textbook table over all units and all capacities."""
    value = np.zeros(room + 1)
    for v, s in zip(profit, size, strict=True):
        if v > 0 and s <= room:
            value[s:] = np.maximum(value[s:], value[: room + 1 - s] + v)
    return float(value[room])


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    n=st.integers(1, 90),
    share=st.floats(0.0, 1.2),
    kind=st.sampled_from(["free", "by size", "equal"]),
)
def test_a_small_core_gives_the_optimum_of_the_full_table(seed: int, n: int, share: float, kind: str) -> None:
    from gtm_opt.solvers.generalized_assignment._kernels_knapsack import fill

    rng = np.random.default_rng(seed)
    size = rng.integers(0, 30, n)
    profit = {"free": rng.integers(-5, 40, n) * 1.0, "by size": size + rng.random(n), "equal": size * 1.0}[kind]
    room = int(share * size.sum())
    chosen = np.zeros(n, dtype=np.uint8)
    gain = fill(profit, size, room, np.zeros((2, room + 1)), np.zeros((n, room + 1), dtype=np.uint8), chosen)
    assert gain == pytest.approx(best_by_full_table(profit, size, room), abs=1e-9 * (1 + gain))
    assert (size * chosen).sum() <= room
    assert gain == pytest.approx(float(profit[chosen > 0].sum()))
