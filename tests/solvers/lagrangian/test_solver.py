"""The named solver ``prices``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gtm_opt.instance import Dense, Distance, Evenness, EvennessKind, Instance, MoveCost
from gtm_opt.measures import evaluate
from gtm_opt.solvers.lagrangian import lagrangian
from gtm_opt.solvers.protocol import Run, Solver, Termination


def many_accounts(n: int, seed: int = 0, k: int = 5, band: float = 0.02) -> Instance:
    """Skewed revenue, a count, distance to k centers, and owners of whom a third are out of place."""
    rng = np.random.default_rng(seed)
    points, centers = rng.uniform(size=(n, 2)), rng.uniform(size=(k, 2))
    home = np.argmin(((points[:, None] - centers) ** 2).sum(axis=2), axis=1)
    home = np.where(rng.random(n) < 0.3, rng.integers(0, k, n), home)
    activities = np.column_stack([rng.lognormal(0.0, 1.0, n), np.ones(n)])
    target = np.repeat(activities.sum(axis=0)[None] / k, k, axis=0)
    return Instance(
        activities=activities,
        target=target,
        lower=target * (1.0 - band),
        upper=target * (1.0 + band),
        shares=np.full(k, 1.0 / k),
        tier=np.ones(2, dtype=np.int64),
        penalty=np.full(2, np.inf),
        cost=(Distance(points, centers, np.ones(n)), MoveCost(home, np.full(n, 0.3), k)),
        previous=home,
    )


def test_prices_follows_the_protocol():
    assert isinstance(lagrangian, Solver)


@pytest.mark.parametrize("seed", [0, 1])
def test_thousands_of_accounts_end_in_the_band_within_a_small_gap(seed):
    instance = many_accounts(6_000, seed)
    result = lagrangian(instance, run=Run())
    outcome = evaluate(instance, result.assignment)
    assert outcome.feasible
    assert result.bound <= outcome.objective
    assert (outcome.objective - result.bound) / outcome.objective < 2e-3


def test_same_seed_gives_the_same_answer():
    instance = many_accounts(3_000)
    first, second = (lagrangian(instance, run=Run(), seed=4) for _ in range(2))
    assert np.array_equal(first.assignment, second.assignment)
    assert first.bound == second.bound


def test_answer_is_never_worse_than_its_start():
    instance = many_accounts(400)
    good = lagrangian(instance, run=Run(), effort=2.0)
    again = lagrangian(instance, run=Run(), effort=0.01, start=good.assignment)
    assert evaluate(instance, again.assignment).objective <= evaluate(instance, good.assignment).objective


def test_time_limit_is_kept_and_an_answer_comes_back():
    instance = many_accounts(30_000)
    lagrangian(many_accounts(200), run=Run())
    run = Run(time_limit=0.05)
    result = lagrangian(instance, run=run)
    assert run.seconds < 1.5
    assert result.assignment is not None
    assert result.termination is Termination.TIME_LIMIT


def test_infeasible_bars_are_proved():
    instance = many_accounts(50)
    cost = np.zeros((50, 5))
    cost[:, 1:] = np.inf
    forbidden = Instance(
        instance.activities, instance.target, instance.lower, instance.upper, instance.shares, instance.tier,
        instance.penalty, (Dense(cost),),
    )  # fmt: skip
    result = lagrangian(forbidden, run=Run())
    assert result.proved_infeasible
    assert result.termination is Termination.PROVED


def test_progress_can_stop_the_run():
    result = lagrangian(many_accounts(3_000), run=Run(progress=lambda _: False))
    assert result.termination is Termination.INTERRUPTED
    assert result.assignment is not None


def test_bound_is_zero_where_evenness_is_the_objective():
    instance = many_accounts(300)
    even = replace(instance, evenness=Evenness(EvennessKind.DEVIATION, instance.target))
    result = lagrangian(even, run=Run())
    assert result.bound == 0.0 <= evaluate(even, result.assignment).objective
