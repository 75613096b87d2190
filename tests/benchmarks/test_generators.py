from __future__ import annotations

import numpy as np
import pytest

from benchmarks.generators import PATTERNS, balance_only, largest_fraction, lumpy_instance, pattern, scale_instance
from gtm_opt.instance import EvennessKind


def test_scale_is_shaped_as_documented() -> None:
    instance = scale_instance(20_000, seed=3)
    assert instance.names == ("revenue", "pipeline", "leads", "count")
    zeros = (instance.activities[:, 1] == 0).mean()
    assert 0.58 < zeros < 0.62
    assert np.std(np.log(instance.activities[:, 0])) == pytest.approx(1.5, abs=0.03)
    distance = instance.cost[0].block(slice(0, 20_000))
    assert instance.previous is not None
    assert (distance.argmin(axis=1) != instance.previous).mean() == pytest.approx(0.3, abs=0.02)


@pytest.mark.parametrize("m", [1, 3, 6])
def test_scale_takes_any_number_of_criteria(m: int) -> None:
    instance = scale_instance(200, k=5, m=m)
    assert instance.activities.shape == (200, m)
    assert len(instance.names) == m
    assert (instance.target > 0).all()


def test_same_seed_gives_the_same_instance_and_another_seed_another() -> None:
    first, again, other = scale_instance(300, seed=1), scale_instance(300, seed=1), scale_instance(300, seed=2)
    assert np.array_equal(first.activities, again.activities)
    assert np.array_equal(first.cost_block(slice(0, 300)), again.cost_block(slice(0, 300)))
    assert not np.array_equal(first.activities, other.activities)


@pytest.mark.parametrize("seed", range(3))
def test_lumpy_has_an_account_of_two_fifths_to_two_thirds_of_a_share(seed: int) -> None:
    assert 0.40 <= largest_fraction(lumpy_instance(seed)) <= 0.66


@pytest.mark.parametrize("name", sorted(PATTERNS))
@pytest.mark.parametrize("severity", [0.0, 0.5, 1.0])
def test_every_pattern_gives_a_sound_instance_at_every_severity(name: str, severity: float) -> None:
    instance = pattern(name, n=120, k=5, severity=severity, seed=1)
    assert (instance.target > 0).all()
    assert instance.shares.sum() == pytest.approx(1.0)
    assert np.allclose(instance.activities.sum(axis=0), instance.target.sum(axis=0))
    assert np.isfinite(instance.cost_block(slice(0, instance.n_units))).any(axis=1).all()


def test_pattern_names_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="zipf, got 'moon'"):
        pattern("moon")
    with pytest.raises(ValueError, match=r"between 0 and 1, got 1\.5"):
        pattern("zipf", severity=1.5)


def test_balance_only_drops_bands_and_preferences() -> None:
    instance = balance_only(scale_instance(100), EvennessKind.SPREAD)
    assert not instance.has_cost
    assert np.isinf(instance.upper).all()
    assert instance.evenness is not None
    assert instance.evenness.kind is EvennessKind.SPREAD
