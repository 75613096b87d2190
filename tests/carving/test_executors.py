"""The same plan on every executor; lost workers, little data, clean stops, kept time limits."""

from __future__ import annotations

import pickle
import time
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pandas as pd
import pytest

import gtm_opt as gtm
from gtm_opt.carving.compile.compiled import compile_problem
from gtm_opt.carving.tree.levels import NodeOptions, solve_node, tasks_below
from gtm_opt.carving.tree.node import root_task
from gtm_opt.carving.tree.schedule import is_lost
from gtm_opt.solvers import Run
from tests.carving.tree_problems import tree_problem

TREE = gtm.Hierarchy.split([f"T{k + 1:02d}" for k in range(18)], max_buckets=3)
OPTIONS = {"effort": 0.1, "seed": 2, "hierarchy": TREE}


@pytest.fixture(scope="module")
def problem() -> gtm.CarvingProblem:
    return tree_problem(240, 18)


@pytest.fixture(scope="module")
def serial(problem: gtm.CarvingProblem) -> gtm.Carving:
    return gtm.carve(problem, **OPTIONS)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_threads_give_the_serial_plan(problem: gtm.CarvingProblem, serial: gtm.Carving, workers: int) -> None:
    with ThreadPoolExecutor(workers) as executor:
        plan = gtm.carve(problem, executor=executor, **OPTIONS)
    pd.testing.assert_series_equal(plan.labels, serial.labels)
    assert list(plan.solutions) == list(serial.solutions)


@pytest.mark.parametrize(
    ("workers", "method"),
    [(2, "fork"), *(pytest.param(n, m, marks=pytest.mark.slow) for n, m in ((1, "fork"), (2, "spawn")))],
)
def test_processes_give_the_serial_plan(
    problem: gtm.CarvingProblem, serial: gtm.Carving, workers: int, method: str
) -> None:
    with ProcessPoolExecutor(workers, mp_context=get_context(method)) as executor:
        plan = gtm.carve(problem, executor=executor, **OPTIONS)
    pd.testing.assert_series_equal(plan.labels, serial.labels)


class Flaky(Executor):
    """Runs work at once, but loses the first ``lose`` tasks."""

    def __init__(self, lose: int, error: BaseException) -> None:
        self.lose, self.error, self.calls = lose, error, 0

    def submit(self, fn, /, *args, **kwargs):
        self.calls += 1
        future: Future = Future()
        if self.calls <= self.lose:
            future.set_exception(self.error)
        else:
            future.set_result(fn(*args, **kwargs))
        return future


KilledWorker = type("KilledWorker", (Exception,), {"__module__": "distributed.scheduler"})


@pytest.mark.parametrize("error", [OSError("comm closed"), CancelledError(), KilledWorker("three times")])
def test_lost_work_is_sent_again_and_the_plan_is_the_same(
    problem: gtm.CarvingProblem, serial: gtm.Carving, error: BaseException
) -> None:
    plan = gtm.carve(problem, executor=Flaky(3, error), **OPTIONS)
    pd.testing.assert_series_equal(plan.labels, serial.labels)
    assert sum("a worker was lost" in note for note in plan.notes) == 3


def test_a_mistake_in_the_work_is_not_taken_for_a_lost_worker(problem: gtm.CarvingProblem) -> None:
    assert not is_lost(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        gtm.carve(problem, executor=Flaky(1, ZeroDivisionError("mine")), **OPTIONS)


def test_a_task_carries_only_its_own_rows(problem: gtm.CarvingProblem) -> None:
    large = tree_problem(4_800, 18)
    tree = gtm.Hierarchy.split(large.territories.names, max_buckets=3)
    root = root_task(tree, compile_problem(large, tree.leaves).instance)
    below = tasks_below(root, solve_node(root, NodeOptions("greedy_lookahead", 0, 1.0), Run()))
    sizes = [len(pickle.dumps(task)) for task in below]
    assert sum(task.instance.n_units for task in below) == 4_800
    assert sum(sizes) < 1.2 * len(pickle.dumps(root))
    assert sum(sizes) / 4_800 < 150


def test_progress_that_returns_false_stops_and_the_plan_is_whole(problem: gtm.CarvingProblem) -> None:
    begun = time.perf_counter()
    plan = gtm.carve(problem, progress=lambda at: False, effort=5.0, seed=0)
    assert plan.termination == gtm.Termination.INTERRUPTED
    assert plan.labels.notna().all()
    assert time.perf_counter() - begun < 30


def test_progress_stops_work_on_an_executor_as_well(problem: gtm.CarvingProblem) -> None:
    with ThreadPoolExecutor(2) as executor:
        plan = gtm.carve(problem, progress=lambda at: "waiting" not in at.step, executor=executor, effort=0.2)
    assert plan.labels.notna().all()
    assert plan.termination in (gtm.Termination.INTERRUPTED, gtm.Termination.FINISHED, gtm.Termination.PROVED)


def test_a_time_limit_that_strikes_early_leaves_no_node_unbalanced() -> None:
    problem = tree_problem(400, 10, balance=[gtm.Balance("arr", 0.15)], prefer=[gtm.KeepOwner()])
    gtm.carve(problem, effort=0.05, tree=gtm.TreeOptions(max_buckets=5))  # compile first
    begun = time.perf_counter()
    plan = gtm.carve(problem, time_limit=0.2, tree=gtm.TreeOptions(max_buckets=5))
    assert time.perf_counter() - begun < 6.0
    assert plan.criteria["worst_deviation"].abs().max() < 0.5
    assert (plan.labels.value_counts() > 0).sum() == 10
