"""The independent checker against the library's measures, and against answers that are wrong."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.checker import check_instance, check_problem
from benchmarks.generators import PATTERNS, balance_only, pattern, scale_instance
from benchmarks.readers import Gap, Partition
from gtm_opt.instance import EvennessKind
from gtm_opt.measures import evaluate
from gtm_opt.testing import all_cases


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_checker_and_measures_agree_on_every_pattern(name: str) -> None:
    instance = pattern(name, n=80, k=4, severity=0.6)
    where = np.random.default_rng(0).integers(0, 4, instance.n_units)
    ours, theirs = evaluate(instance, where), check_instance(instance, where.tolist())
    assert theirs.feasible == ours.feasible
    if math.isfinite(ours.cost):
        assert theirs.objective == pytest.approx(ours.objective)
    assert theirs.worst_deviation == pytest.approx(np.abs(ours.totals / instance.target - 1).max())


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.name)
def test_checker_and_measures_agree_on_every_conformance_case(case: object) -> None:
    instance, known = case.instance, case.known  # type: ignore[attr-defined]
    verdict = check_instance(instance, known.tolist())
    assert verdict.feasible
    assert verdict.objective == pytest.approx(evaluate(instance, known).objective)


@pytest.mark.parametrize("kind", list(EvennessKind))
def test_checker_and_measures_agree_on_evenness(kind: EvennessKind) -> None:
    instance = balance_only(scale_instance(200, k=4), kind)
    where = np.arange(200) % 4
    assert check_instance(instance, where.tolist()).objective == pytest.approx(evaluate(instance, where).objective)


def test_haversine_distances_agree() -> None:
    instance = scale_instance(30, k=3)
    near = replace(
        instance.cost[0], points=instance.cost[0].points / 20, centers=instance.cost[0].centers / 20, haversine=True
    )
    geo = replace(instance, cost=(near,))
    where = np.arange(30) % 3
    assert check_instance(geo, where.tolist()).cost == pytest.approx(evaluate(geo, where).cost)


def test_an_overloaded_agent_is_found() -> None:
    gap = Gap(np.array([[1.0, 5.0], [2.0, 2.0]]), np.array([[3.0, 3.0], [1.0, 1.0]]), np.array([3.0, 2.0]))
    assert check_problem(gap, [0, 0]).problems == ("agent 0 uses 6 of 3",)
    assert check_problem(gap, [0, 1]).objective == 3.0


def test_full_bins_are_feasible_and_fuller_ones_are_not() -> None:
    bins = Partition("bpp", np.array([[6.0], [4.0], [5.0]]), 2, 10.0)
    assert check_problem(bins, [0, 0, 1]).feasible
    over = check_problem(bins, [0, 1, 0])
    assert (over.feasible, over.objective) == (False, 11.0)


@pytest.mark.parametrize(
    ("assignment", "text"),
    [(None, "there is no assignment"), ([0], "1 units assigned, there are 3"), ([0, 1, 2], "1 units outside 0..1")],
)
def test_what_is_no_assignment_has_no_value(assignment: list[int] | None, text: str) -> None:
    verdict = check_problem(Partition("pcmax", np.ones((3, 1)), 2), assignment)
    assert math.isnan(verdict.objective)
    assert verdict.problems == (text,)
