"""What happens after a giant has set the worst deviation; large and small territories."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from gtm_opt.instance import Evenness, EvennessKind, Instance
from gtm_opt.measures import evaluate
from gtm_opt.solvers import Run, Termination
from gtm_opt.solvers.balancing import balancing, evenness_bound


def relative(weights: np.ndarray, shares: np.ndarray) -> Instance:
    k, m = len(shares), weights.shape[1]
    target = shares[:, None] * weights.sum(axis=0)
    free = np.full((k, m), np.inf)
    return Instance(
        weights,
        target,
        -free,
        free,
        shares,
        np.ones(m, dtype=np.int64),
        np.full(m, np.inf),
        evenness=Evenness(EvennessKind.DEVIATION, target),
    )


def accounts(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    pipeline = np.where(rng.random(n) < 0.6, 0.0, rng.lognormal(sigma=1.5, size=n))
    return np.stack([rng.lognormal(sigma=1.5, size=n), pipeline, rng.poisson(3, n), np.ones(n)], axis=1)


def test_a_giant_sets_the_bound_and_the_others_are_still_balanced():
    rng = np.random.default_rng(0)
    weights = rng.uniform(1.0, 2.0, size=(200, 2))
    weights[:100, 0] = 0.0
    weights[0] = [120.0, 1.0]  # the target of a territory is about 54 of the first criterion
    instance = relative(weights, np.full(5, 0.2))
    result = balancing(instance, run=Run(20.0), effort=0.1)
    found = evaluate(instance, result.assignment)
    oversized = result.assignment[0]
    deviation = np.abs(found.totals / instance.target - 1.0)
    assert result.termination is Termination.PROVED
    assert found.objective == pytest.approx(evenness_bound(instance))
    others = np.delete(deviation, oversized, axis=0)[:, 0]
    assert np.ptp(others) < 0.01


@pytest.mark.parametrize("n", [1_000, 20_500])
def test_many_accounts_reach_the_proven_bound(n):
    shares = np.linspace(0.5, 1.5, 10) / 10.0
    instance = relative(accounts(n, 1), shares)
    result = balancing(instance, run=Run(30.0), effort=5.0)
    assert result.termination is Termination.PROVED


def test_published_matrix_is_partitioned_better_than_published():
    root = Path(os.environ.get("GTM_OPT_INSTANCES", Path(__file__).parents[4] / "shared" / "instances"))
    file = root / "mdmwnpp" / "mdtwnpp_500_20a.txt"
    if not file.exists():
        pytest.skip("mdmwnpp/mdtwnpp_500_20a.txt is not there")
    weights = np.loadtxt(file, skiprows=1)[:100, :5]
    k = 5
    free = np.full((k, 5), np.inf)
    instance = Instance(
        weights,
        np.repeat(weights.sum(axis=0)[None, :] / k, k, axis=0),
        -free,
        free,
        np.full(k, 1.0 / k),
        np.ones(5, dtype=np.int64),
        np.full(5, np.inf),
        evenness=Evenness(EvennessKind.SPREAD, np.ones((k, 5))),
    )
    result = balancing(instance, run=Run(), effort=0.2)
    assert evaluate(instance, result.assignment).objective < 11_038.827
