"""Small problems of every kind beside all plans there are: four facts about each, and every one is settled."""

from __future__ import annotations

import pytest

import gtm_opt as gtm
from tests.carving.small_problems import enumerate_plans, wider_problem

TINY = 1e-6


def judge(seed: int, **options: object) -> str:
    """Carve one random problem and compare it with all plans; return what became of it."""
    problem = wider_problem(seed)
    if problem is None:
        return "refused words"
    every = enumerate_plans(problem)
    kept = every.kept
    try:
        carving = gtm.carve(problem, effort=0.1, **options)  # type: ignore[arg-type]
    except gtm.InfeasibleError as error:
        assert not kept.any(), f"{seed}: infeasible is infeasible: {error}"
        return "infeasible"
    row = every.row(carving.labels, list(problem.territories.names))
    certificate = carving.certificate
    assert every.rules[row], f"{seed}: rules are kept"
    per = 1 if every.even else problem.n_accounts
    assert certificate.value / per == pytest.approx(float(every.value[row]), abs=TINY), f"{seed}: value"
    assert kept.any(), f"{seed}: what is impossible is refused"
    assert kept[row], f"{seed}: what can be kept is kept"
    # "as even as possible" keeps its bands, too, where that can be: one may leave less room than its measure
    banded = kept & (every.measured <= 0)
    best = float(every.value[banded if every.even and banded.any() else kept].min())
    assert certificate.bound / per <= best + TINY, f"{seed}: bound"
    if carving.status == "infeasible":  # "as even as possible": the bands it is measured by cannot all hold
        assert every.even, seed
        assert not banded.any(), f"{seed}: infeasible is infeasible"
    if carving.status == "optimal" or carving.certificate.gap == 0.0:
        assert float(every.value[row]) <= best + TINY * max(1.0, best), f"{seed}: optimal is optimal"
    return str(carving.status.value) if certificate.gap <= TINY else "not proven"


@pytest.mark.parametrize("block", range(2))
def test_small_problems_are_solved_and_proven_or_refused(block: int) -> None:
    found = [judge(seed) for seed in range(30_000 + 25 * block, 30_000 + 25 * (block + 1))]
    assert "not proven" not in found


@pytest.mark.slow
@pytest.mark.parametrize("block", range(20))
def test_two_thousand_small_problems_are_solved_and_proven_or_refused(block: int) -> None:
    seeds = range(40_000 + 125 * block, 40_000 + 125 * (block + 1))
    found = [judge(seed, **({"tree": gtm.TreeOptions(max_buckets=2)} if seed % 3 == 0 else {})) for seed in seeds]
    assert "not proven" not in found
    assert sum(f != "refused words" for f in found) >= 100
