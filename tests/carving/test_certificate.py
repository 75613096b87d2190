"""Bounds are never above the best there is, whatever the prices."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtm_opt.carving.certificate import certify, dual_bound, evenness_bound
from gtm_opt.errors import SolverError
from gtm_opt.instance import Dense, Evenness, EvennessKind, Instance, SideRow
from gtm_opt.measures import evaluate
from gtm_opt.solvers import SolverResult, SolveStatus


def make(seed: int, *, n: int = 6, k: int = 3, even: bool = False, whole: bool = False) -> Instance:
    """Return a random instance with elastic and hard bands, one-sided limits, bars and a side row."""
    rng = np.random.default_rng(seed)
    by_territory = bool(rng.integers(2)) and not even
    shape = (n, k, 2) if by_territory else (n, 2)
    activities = rng.integers(0, 9, shape).astype(float) if whole or rng.integers(2) else rng.random(shape)
    shares = rng.random(k) + 0.2
    shares /= shares.sum()
    sums = (activities * shares[None, :, None]).sum(axis=(0, 1)) if by_territory else activities.sum(axis=0)
    target = np.maximum(shares[:, None] * sums, 1e-3)
    lower, upper = target * rng.choice([0.3, 0.8], 2), target * rng.choice([1.3, 2.0], 2)
    if rng.integers(2):
        lower[:, 0] = -np.inf
    if rng.integers(2):
        upper[:, 1] = np.inf
    cost = rng.random((n, k))
    cost[rng.random((n, k)) < 0.1] = np.inf
    cost[np.isinf(cost).all(axis=1)] = 0.0
    side = (SideRow("moved", Dense(rng.random((n, k))), float(rng.uniform(0.2, 0.6)) * n),) if rng.integers(2) else ()
    return Instance(
        activities=activities,
        target=target,
        lower=lower,
        upper=upper,
        shares=shares,
        tier=np.ones(2, dtype=np.int64),
        penalty=np.where(rng.random(2) < 0.5, np.inf, 3 * rng.random(2) + 0.1),
        cost=(Dense(cost),),
        side=side,
        apart=(np.array([0, 1]),) if rng.integers(2) else (),
        evenness=Evenness(EvennessKind.DEVIATION, target * rng.choice([0.05, 1.0], 2)) if even else None,
    )


def best_of(instance: Instance) -> float:
    """Return the least objective over all assignments that keep everything, inf when there is none."""
    found = (evaluate(instance, np.array(at)) for at in product(range(instance.n_territories), repeat=instance.n_units))
    return min(
        (e.objective for e in found if e.feasible or (instance.evenness is not None and e.rules_kept)), default=np.inf
    )


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.1, 1.0, 10.0]))
def test_the_dual_bound_holds_for_every_price(seed: int, scale: float) -> None:
    instance = make(seed, n=5)
    rng = np.random.default_rng(seed + 1)
    prices = rng.normal(0, scale, instance.target.shape)
    bound = dual_bound(instance, prices, rng.normal(0, scale, len(instance.side)))
    assert bound <= best_of(instance) + 1e-9


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.booleans())
def test_the_evenness_bound_holds(seed: int, whole: bool) -> None:
    instance = make(seed, n=5, even=True, whole=whole)
    assert evenness_bound(instance) <= best_of(instance) + 1e-9


def test_whole_numbers_that_cannot_be_even_are_proven_uneven() -> None:
    """7 equal accounts over 2: 3 and 4, half an account off."""
    target = np.full((2, 1), 3.5)
    instance = Instance(
        activities=np.ones((7, 1)),
        target=target,
        lower=np.full((2, 1), 3.0),
        upper=np.full((2, 1), 4.0),
        shares=np.full(2, 0.5),
        tier=np.ones(1, dtype=np.int64),
        penalty=np.full(1, np.inf),
        evenness=Evenness(EvennessKind.DEVIATION, target),
    )
    assert evenness_bound(instance) == pytest.approx(0.5 / 3.5)
    found = certify(instance, SolverResult(np.array([0, 0, 0, 1, 1, 1, 1])))
    assert (found.status, found.gap, found.source) == (SolveStatus.OPTIMAL, pytest.approx(0, abs=1e-6), "account sizes")


def plain() -> Instance:
    """Return four units of size 1 over two territories, two each, cost 1 in the second."""
    return Instance(
        activities=np.ones((4, 1)),
        target=np.full((2, 1), 2.0),
        lower=np.full((2, 1), 2.0),
        upper=np.full((2, 1), 2.0),
        shares=np.full(2, 0.5),
        tier=np.ones(1, dtype=np.int64),
        penalty=np.full(1, np.inf),
        cost=(Dense(np.array([[0.0, 1.0]] * 4)),),
    )


def test_status_words_follow_rules_bands_and_gap() -> None:
    good, out = np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1])
    prices = np.array([[1.0], [0.0]])
    assert certify(plain(), SolverResult(good, prices=prices)).status is SolveStatus.OPTIMAL
    blind = certify(plain(), SolverResult(good))
    assert (blind.status, blind.bound, blind.gap, blind.source) == (SolveStatus.FEASIBLE, 0.0, 1.0, "cheapest places")
    assert certify(plain(), SolverResult(good), max_gap=1.0).status is SolveStatus.WITHIN_GAP
    assert certify(plain(), SolverResult(out)).status is SolveStatus.OUT_OF_BAND
    assert certify(plain(), SolverResult(out, proved_infeasible=True)).status is SolveStatus.INFEASIBLE
    assert certify(plain(), SolverResult(None)).status is SolveStatus.NO_SOLUTION
    assert certify(plain(), SolverResult(None, proved_infeasible=True)).status is SolveStatus.INFEASIBLE


def test_an_exact_bound_is_used_where_it_is_better_and_a_wrong_one_is_an_error() -> None:
    good = np.array([0, 0, 1, 1])
    found = certify(plain(), SolverResult(good, bound=2.0))
    assert (found.source, found.status, found.gap) == ("exact solver", SolveStatus.OPTIMAL, 0.0)
    with pytest.raises(SolverError, match=r"bound of 3 \(from exact solver\) is above the value 2"):
        certify(plain(), SolverResult(good, bound=3.0))
