"""The model of a Newton step: kinks and box are kept exactly."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gtm_opt.solvers.lagrangian.quadratic import Limits, maximize_model


def random_model(seed: int):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 9))
    root = rng.normal(size=(n, n + 1))
    curvature = root @ root.T + 1e-3 * np.eye(n)
    down = rng.uniform(-1.0, 1.0, n)
    limits = Limits(down + rng.uniform(0.0, 1.0, n), down, -rng.uniform(0.0, 2.0, n), rng.uniform(0.0, 2.0, n))
    start = np.clip(rng.normal(size=n), limits.low, limits.high)
    return curvature, rng.normal(size=n), start, limits, rng


@given(seed=st.integers(0, 10_000))
def test_no_direction_improves_on_the_maximizer(seed):
    curvature, gradient, start, limits, rng = random_model(seed)

    def value(x):
        move = x - start
        return gradient @ move - 0.5 * move @ curvature @ move - limits.loss(x)

    best = maximize_model(curvature, gradient, start, limits)
    assert (best >= limits.low).all()
    assert (best <= limits.high).all()
    assert value(best) >= value(start) - 1e-12
    for _ in range(100):
        other = np.clip(best + rng.normal(size=len(best)) * 10.0 ** rng.uniform(-4, 0), limits.low, limits.high)
        assert value(other) <= value(best) + 1e-6
