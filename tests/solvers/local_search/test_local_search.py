"""The compiled search: valid, repeatable, never worse than its start."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gtm_opt.errors import SolverError
from gtm_opt.instance import Dense, Instance, PinTerm, SideRow
from gtm_opt.measures import evaluate
from gtm_opt.solvers.local_search import LocalSearchSolver, local_search, polish
from gtm_opt.solvers.local_search.anneal import AnnealParams
from gtm_opt.solvers.protocol import Run

QUICK = AnnealParams(steps=60_000, rounds=2)


def make(
    n: int, k: int, seed: int, *, by_territory: bool = False, penalty: float = np.inf, band: float = 0.25
) -> Instance:
    """A random instance with two criteria, unequal shares, and a band around the targets."""
    rng = np.random.default_rng(seed)
    activities = rng.lognormal(0, 0.5, (n, k, 2) if by_territory else (n, 2))
    shares = rng.uniform(0.8, 1.2, k)
    shares /= shares.sum()
    total = (activities.mean(axis=1) if by_territory else activities).sum(axis=0)
    target = shares[:, None] * total
    return Instance(
        activities=activities,
        target=target,
        lower=target * (1 - band),
        upper=target * (1 + band),
        shares=shares,
        tier=np.ones(2, dtype=np.int64),
        penalty=np.array([penalty, penalty]),
        cost=(Dense(rng.uniform(0, 10, (n, k))),),
    )


def best_by_enumeration(instance: Instance) -> float:
    """The least objective over all assignments that keep every rule and band."""
    best = np.inf
    for choice in itertools.product(range(instance.n_territories), repeat=instance.n_units):
        found = evaluate(instance, np.array(choice))
        if found.feasible:
            best = min(best, found.objective)
    return best


@pytest.mark.parametrize("by_territory", [False, True])
@pytest.mark.parametrize("penalty", [np.inf, 20.0])
def test_search_agrees_with_enumeration_on_small_instances(by_territory: bool, penalty: float) -> None:
    for seed in range(2):
        instance = make(8, 3, seed, by_territory=by_territory, penalty=penalty)
        result = LocalSearchSolver(QUICK)(instance, run=Run(), seed=seed)
        assert result.assignment is not None
        found = evaluate(instance, result.assignment)
        truth = best_by_enumeration(instance)
        assert found.feasible == np.isfinite(truth)
        if found.feasible:
            assert found.objective == pytest.approx(truth)
            assert result.bound <= truth + 1e-9


def test_search_keeps_apart_groups_side_rows_and_pins() -> None:
    plain = make(30, 3, 5)
    pins = np.full(30, -1)
    pins[:4] = [0, 1, 2, 0]
    moved = Dense(np.random.default_rng(1).uniform(0, 1, (30, 3)))
    instance = Instance(
        **{f: getattr(plain, f) for f in ("activities", "target", "lower", "upper", "shares", "tier", "penalty")},
        cost=(*plain.cost, PinTerm(pins, 3)),
        side=(SideRow("moved", moved, 13.0),),
        apart=(np.array([4, 5, 6]), np.array([6, 7])),
    )
    result = LocalSearchSolver(QUICK)(instance, run=Run(), seed=0)
    assert result.assignment is not None
    assert evaluate(instance, result.assignment).feasible
    assert result.assignment[:4].tolist() == [0, 1, 2, 0]


@pytest.mark.determinism
def test_same_seed_gives_the_same_assignment() -> None:
    instance = make(60, 4, 3, band=0.05)
    one, two = (LocalSearchSolver(QUICK)(instance, run=Run(), seed=7).assignment for _ in range(2))
    assert one is not None
    assert two is not None
    assert one.tolist() == two.tolist()


def test_the_answer_is_never_worse_than_the_start() -> None:
    instance = make(40, 3, 2)
    good = LocalSearchSolver(QUICK)(instance, run=Run(), seed=0).assignment
    again = LocalSearchSolver(AnnealParams(steps=50, rounds=1))(instance, run=Run(), seed=1, start=good).assignment
    assert good is not None
    assert again is not None
    assert evaluate(instance, again).objective <= evaluate(instance, good).objective


def test_polish_moves_only_the_units_it_was_given() -> None:
    instance = make(200, 4, 9, band=0.1)
    start = np.arange(200) % 4
    units = np.arange(0, 200, 3)
    after = polish(instance, start, Run(), seed=0, iterations=100_000, units=units)
    stays = np.setdiff1d(np.arange(200), units)
    assert (after[stays] == start[stays]).all()
    before, found = evaluate(instance, start), evaluate(instance, after)
    assert (not found.in_band, found.excess.sum()) <= (not before.in_band, before.excess.sum())


def test_search_stops_when_the_time_is_up() -> None:
    local_search(make(30, 3, 0), run=Run(30.0), effort=1e-3)  # compiled before the clock starts
    run = Run(0.5)
    result = local_search(make(300, 5, 1), run=run, effort=np.inf)
    assert result.assignment is not None
    assert run.seconds < 2.5


def test_search_rejects_a_start_of_the_wrong_length() -> None:
    with pytest.raises(SolverError, match=r"one territory per unit \(30\), got shape \(29,\)"):
        local_search(make(30, 3, 0), run=Run(1.0), start=np.zeros(29, dtype=np.int64))
