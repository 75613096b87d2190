"""The bound of a tree over all leaves at once: valid whatever it is made from, and better from a calibrated sample."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.owners import owners_instance
from gtm_opt.carving.certificate import dual_bound
from gtm_opt.carving.tree import flat_bound
from gtm_opt.carving.tree.guide import ascend
from gtm_opt.measures import evaluate
from gtm_opt.solvers import Run
from gtm_opt.solvers.lagrangian import solve_prices
from gtm_opt.solvers.lagrangian.ascent import sample_prices


@pytest.mark.parametrize("kind", ["count", "mixed"])
def test_prices_of_a_sample_bound_all_units_and_beat_a_subgradient_ascent(kind: str) -> None:
    instance = owners_instance(4_000, k=10, band=0.05, kind=kind)  # type: ignore[arg-type]
    best = solve_prices(instance, Run()).bound
    found = sample_prices(instance, Run(), 2_000, effort=0.3, slack=2e-3)
    bound = dual_bound(instance, found.prices, found.side_prices)
    assert found.sampled == 2_000
    assert bound <= best * (1 + 1e-9)
    assert bound >= dual_bound(instance, ascend(instance, 60))


def test_a_sample_claims_no_bound_of_its_own() -> None:
    instance = owners_instance(1_000, k=5, band=0.05)
    assert sample_prices(instance, Run(), 500, effort=0.1).bound == -np.inf


def test_certificate_of_a_tree_uses_the_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = owners_instance(3_000, k=10, band=0.05)
    plan = np.argsort(instance.cost_block(slice(0, 3_000)), axis=1, kind="stable")[:, 0]
    monkeypatch.setattr(flat_bound, "FULL_CELLS", 1)
    monkeypatch.setattr(flat_bound, "SAMPLE", 1_000)
    certificate = flat_bound.flat_certificate(instance, plan, Run(), 0, 0.0)
    assert certificate.value == pytest.approx(evaluate(instance, plan).objective)
