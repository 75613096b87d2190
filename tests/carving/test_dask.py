"""A real cluster: the serial plan, also when a worker is killed in the middle."""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

import gtm_opt as gtm
from tests.carving.tree_problems import tree_problem

distributed = pytest.importorskip("distributed")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
]


def options(count: int) -> dict[str, Any]:
    """Return the options of a carve into ``count`` territories, down a tree, so that there is work to share."""
    tree = gtm.Hierarchy.split([f"T{k + 1:02d}" for k in range(count)], max_buckets=3)
    return {"effort": 0.2, "seed": 1, "hierarchy": tree}


@pytest.fixture
def client() -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)
        with cluster, distributed.Client(cluster) as given:
            yield given


def test_dask_gives_the_serial_plan(client: Any) -> None:
    problem = tree_problem(240, 18)
    serial = gtm.carve(problem, **options(18))
    plan = gtm.carve(problem, executor=client.get_executor(), **options(18))
    pd.testing.assert_series_equal(plan.labels, serial.labels)


def test_a_killed_dask_worker_changes_nothing(client: Any) -> None:
    problem = tree_problem(900, 27)
    serial = gtm.carve(problem, **options(27))
    victim = next(iter(client.run(os.getpid).values()))

    def kill_soon() -> None:
        time.sleep(1.0)
        os.kill(victim, signal.SIGKILL)

    killer = threading.Thread(target=kill_soon)
    killer.start()
    plan = gtm.carve(problem, executor=client.get_executor(), **options(27))
    killer.join()
    pd.testing.assert_series_equal(plan.labels, serial.labels)
    assert plan.check.violations["rule"].str.startswith("band of ").all()
