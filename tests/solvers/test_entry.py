"""A unit without an open territory is found before any solver begins, whichever it is."""

from __future__ import annotations

import numpy as np
import pytest

from gtm_opt.errors import SolverNotAvailableError
from gtm_opt.instance import Evenness, EvennessKind, ForbiddenTerm, Instance, MoveCost, PinTerm
from gtm_opt.solvers import Run, get_solver, solver_names
from gtm_opt.solvers.entry import settle_unplaceable, unplaceable_units


def make_instance(closed: list[int], even: bool = False) -> Instance:
    n, k = 9, 3
    rng = np.random.default_rng(2)
    activities = rng.uniform(1, 5, (n, 1))
    target = np.full((k, 1), activities.sum() / k)
    pairs = [(u, t) for u in closed for t in range(k)]
    units, places = (np.array(side, dtype=np.int64) for side in zip(*pairs, strict=True)) if pairs else ([], [])
    bars = (ForbiddenTerm(units, places, n, k),) if pairs else ()
    return Instance(
        activities, 1.0 * target, 0.4 * target, 1.6 * target, np.full(k, 1 / k), np.ones(1, dtype=np.int64),
        np.array([np.inf]), cost=(*bars, MoveCost(rng.integers(0, k, n), np.ones(n), k)),
        evenness=Evenness(EvennessKind.DEVIATION, 0.1 * target) if even else None,
    )  # fmt: skip


@pytest.mark.parametrize("even", [False, True])
def test_the_default_proves_that_there_is_no_assignment(even: bool) -> None:
    for name in ("auto", "lns", "local_search")[: 1 if even else 3]:
        found = get_solver(name)(make_instance([4], even), run=Run(), seed=0, effort=0.05)
        assert found.assignment is None
        assert found.proved_infeasible
        assert "the first is unit 4" in found.steps[-1].note


def test_no_solver_places_a_unit_that_has_no_territory_or_fails_on_it() -> None:
    for name in solver_names():
        if not type(get_solver(name)).__module__.startswith("gtm_opt."):
            continue  # a plug-in that somebody registered
        try:
            found = get_solver(name)(make_instance([0]), run=Run(5.0), seed=0, effort=0.05)
        except SolverNotAvailableError:
            continue
        assert found.assignment is None, name


def test_units_are_named_and_what_cannot_bar_is_not_looked_at() -> None:
    assert unplaceable_units(make_instance([2, 7])).tolist() == [2, 7]
    assert settle_unplaceable(make_instance([]), Run()) is None
    free = make_instance([])
    pinned = Instance(
        free.activities, free.target, free.lower, free.upper, free.shares, free.tier, free.penalty,
        cost=(PinTerm(np.full(9, 1), 3),),
    )  # fmt: skip
    assert not len(unplaceable_units(pinned))


def test_two_rules_that_together_leave_no_territory_are_found() -> None:
    instance = make_instance([])
    pin = np.full(9, -1)
    pin[3] = 2
    bar = ForbiddenTerm(np.array([3]), np.array([2]), 9, 3)
    closed = Instance(
        instance.activities, instance.target, instance.lower, instance.upper, instance.shares, instance.tier,
        instance.penalty, cost=(PinTerm(pin, 3), bar),
    )  # fmt: skip
    assert unplaceable_units(closed).tolist() == [3]
