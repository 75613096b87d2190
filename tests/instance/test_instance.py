"""Instances: subsets, chunks, summed costs."""

from __future__ import annotations

import pickle

import numpy as np

from gtm_opt.instance import CHUNK, Dense, Instance, PinTerm, SideRow


def make(n: int = 10, k: int = 3, **parts) -> Instance:
    rng = np.random.default_rng(0)
    activities = rng.random((n, 2))
    target = np.full((k, 2), 1 / k) * activities.sum(axis=0)
    return Instance(
        activities=activities,
        target=target,
        lower=0.9 * target,
        upper=1.1 * target,
        shares=np.full(k, 1 / k),
        tier=np.ones(2, dtype=np.int64),
        penalty=np.full(2, np.inf),
        **parts,
    )


def test_costs_are_summed_over_terms_and_bars_stay_infinite() -> None:
    values = np.arange(30.0).reshape(10, 3)
    instance = make(cost=(Dense(values), Dense(values), PinTerm(np.array([1] + [-1] * 9), 3)))
    block = instance.cost_block(np.array([0, 4]))
    assert block.tolist() == [[np.inf, 2.0, np.inf], [24.0, 26.0, 28.0]]
    assert make().cost_block(slice(0, 4)).tolist() == [[0.0] * 3] * 4


def test_chunks_cover_all_units_once_and_shrink_with_many_territories() -> None:
    instance = make(n=2 * CHUNK + 5)
    covered = np.concatenate([np.arange(instance.n_units)[rows] for rows in instance.chunks()])
    assert (covered == np.arange(instance.n_units)).all()
    sizes = [len(range(*rows.indices(1000))) for rows in make(n=1000, k=15_000).chunks()]
    assert max(sizes) * 15_000 <= 256 * CHUNK


def test_taking_units_takes_everything_that_hangs_on_them() -> None:
    values = np.arange(30.0).reshape(10, 3)
    instance = make(
        cost=(Dense(values),),
        side=(SideRow("moved", Dense(values), 5.0),),
        apart=(np.array([0, 1, 2]), np.array([3, 9])),
        previous=np.arange(10) % 3,
    )
    fixed = np.full((3, 2), 0.1)
    part = instance.take(np.array([2, 0, 9]), fixed)
    assert part.n_units == 3
    np.testing.assert_allclose(part.upper, instance.upper - 0.1)
    np.testing.assert_array_equal(part.activities, instance.activities[[2, 0, 9]])
    assert [sorted(group.tolist()) for group in part.apart] == [[0, 1]]
    assert part.previous.tolist() == [2, 0, 0]
    assert part.cost_block(slice(0, 3)).tolist() == values[[2, 0, 9]].tolist()
    assert part.side[0].term.block(slice(0, 1)).tolist() == [values[2].tolist()]


def test_instances_travel_between_processes() -> None:
    instance = make(cost=(Dense(np.ones((10, 3))),))
    again = pickle.loads(pickle.dumps(instance))
    np.testing.assert_array_equal(again.target, instance.target)
    assert again.cost_block(slice(0, 1)).tolist() == [[1.0] * 3]
