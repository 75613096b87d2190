"""A few units, as even as possible: all assignments seen, beside a search that sees them one by one."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtm_opt.instance import Evenness, EvennessKind, ForbiddenTerm, Instance, MoveCost, SideRow
from gtm_opt.measures import evaluate
from gtm_opt.solvers.exact.enumerate import can_enumerate, enumerate_even


def random_instance(seed: int) -> Instance:
    """Bars, a group kept apart, a limit, a side row, unequal targets: each now and then."""
    rng = np.random.default_rng(seed)
    n, k, m = int(rng.integers(3, 8)), int(rng.integers(2, 4)), int(rng.integers(1, 3))
    activities = rng.integers(1, 30, (n, m)).astype(float) if rng.random() < 0.5 else rng.lognormal(2, 1, (n, m))
    shares = np.full(k, 1 / k) if rng.random() < 0.5 else rng.dirichlet(np.full(k, 5.0))
    target = shares[:, None] * activities.sum(axis=0)
    width = float(rng.choice([0.1, 0.5, 2.0]))
    unit = 0.1 * target
    lower, upper = target * (1 - width), target * (1 + width)
    if m == 2 and rng.random() < 0.5:  # the second is a limit without a measure
        unit[:, 1], lower[:, 1], upper[:, 1] = np.inf, -np.inf, target[:, 1].max() * float(rng.choice([1.2, 2.0]))
    cost = (ForbiddenTerm(np.array([0]), np.array([0]), n, k),) if rng.random() < 0.4 else ()
    home = rng.integers(0, k, n)
    side = (SideRow("moved", MoveCost(home, np.ones(n), k), float(rng.integers(0, n))),) if rng.random() < 0.4 else ()
    apart = (np.array([1, 2]),) if rng.random() < 0.4 else ()
    return Instance(
        activities, target, lower, upper, shares, np.ones(m, dtype=np.int64), np.full(m, np.inf),
        cost=cost, side=side, apart=apart, evenness=Evenness(EvennessKind.DEVIATION, unit),
    )  # fmt: skip


def least(instance: Instance, *, bands: bool) -> float:
    """The least worst deviation of all assignments, one by one."""
    best = np.inf
    limits = ~np.isfinite(instance.evenness.unit).all(axis=0)  # type: ignore[union-attr]
    for plan in product(range(instance.n_territories), repeat=instance.n_units):
        found = evaluate(instance, np.array(plan))
        inside = found.in_band if bands else not (found.excess[:, limits] > 0).any()
        if found.rules_kept and inside:
            best = min(best, found.evenness)
    return best


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.booleans())
def test_the_search_finds_what_all_assignments_have(seed: int, bands: bool) -> None:
    instance = random_instance(seed)
    assert can_enumerate(instance)
    found = enumerate_even(instance, bands=bands)
    assert found.complete
    best = least(instance, bands=bands)
    assert found.value == pytest.approx(best, rel=1e-8, abs=1e-12)
    assert (found.assignment is None) == np.isinf(best)
    if found.assignment is not None:
        assert evaluate(instance, found.assignment).evenness == pytest.approx(best, rel=1e-8, abs=1e-12)


def test_what_is_cut_short_proves_nothing_and_repeats() -> None:
    rng = np.random.default_rng(0)
    activities = rng.lognormal(2, 1, (20, 1))
    target = np.full((4, 1), activities.sum() / 4)
    instance = Instance(
        activities, target, 0.99 * target, 1.01 * target, np.full(4, 0.25), np.ones(1, dtype=np.int64),
        np.array([np.inf]), evenness=Evenness(EvennessKind.DEVIATION, 0.01 * target),
    )  # fmt: skip
    one, other = (enumerate_even(instance, placements=5_000) for _ in range(2))
    assert not one.complete
    assert one.placements == other.placements
    assert one.value == other.value


def test_only_something_better_than_a_known_plan_is_looked_for() -> None:
    instance = random_instance(1)
    first = enumerate_even(instance, bands=False)
    assert first.assignment is not None
    again = enumerate_even(instance, first.assignment, bands=False)
    assert again.complete
    assert again.assignment is None
    assert again.value == first.value
