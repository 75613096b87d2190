"""The `tree` benchmark: accounts of the `scale` workload down a hierarchy of reps, through the public door.

The executor is part of the case, so that the same plan from one process, a pool and Dask can be compared.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.meter import peak_memory_mb
from gtm_opt.datasets import columns
from gtm_opt.instance import FloatArray, IntArray

__all__ = ["run_tree", "tree_tables"]

CRITERIA = ("revenue", "pipeline", "leads")


def _cut(order_by: FloatArray, members: IntArray, parts: int) -> list[IntArray]:
    """Split ``members`` into equal parts along one coordinate."""
    return np.array_split(members[np.argsort(order_by[members], kind="stable")], parts)


def tree_tables(n: int, branching: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return accounts and ``branching ** 3`` reps with three levels (area, region, rep) cut by place.

    Columns are those of `benchmarks.generators.scale_instance`; places are plane coordinates in km.
    """
    rng = np.random.default_rng(seed)
    k = branching**3
    points, _ = columns.city_points(n, rng)
    centers = columns.spread_centers(points, k, rng)
    area, region = np.empty(k, dtype=np.int64), np.empty(k, dtype=np.int64)
    for a, west_to_east in enumerate(_cut(centers[:, 0], np.arange(k), branching)):
        for r, south_to_north in enumerate(_cut(centers[:, 1], west_to_east, branching)):
            area[south_to_north], region[south_to_north] = a, a * branching + r
    reps = pd.DataFrame(
        {
            "rep_id": [f"R-{i:05d}" for i in range(k)],
            "area": [f"area {a}" for a in area],
            "region": [f"region {r}" for r in region],
            "lat": centers[:, 0],
            "lon": centers[:, 1],
        }
    )
    owner = columns.out_of_place(columns.nearest(points, centers), k, rng)
    accounts = pd.DataFrame(
        {
            "account_id": [f"A-{i:07d}" for i in range(n)],
            "revenue": columns.lognormal_sizes(n, rng, median=50_000.0),
            "pipeline": columns.sparse_sizes(n, rng, median=20_000.0),
            "leads": columns.poisson_counts(n, rng),
            "lat": points[:, 0],
            "lon": points[:, 1],
            "owner": reps["rep_id"].to_numpy()[owner],
        }
    )
    return accounts, reps


@contextmanager
def _executor(kind: str, workers: int) -> Iterator[Any]:
    """Yield an executor of the given kind, None for "serial"."""
    if kind == "process":
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            yield pool
    elif kind == "dask":
        from dask.distributed import Client, LocalCluster

        local = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
        with local as cluster, Client(cluster) as client:
            yield client.get_executor()
    else:
        yield None


def _problem(accounts: pd.DataFrame, reps: pd.DataFrame, band: float) -> tuple[Any, Any]:
    import gtm_opt as gtm

    problem = gtm.CarvingProblem(
        accounts,
        territories=gtm.Territories.from_reps(reps),
        balance=[*(gtm.Balance(name, tolerance=band) for name in CRITERIA), gtm.Count(tolerance=band)],
        prefer=[gtm.KeepOwner("owner"), gtm.Near("lat", "lon", metric="euclidean")],
    )
    return problem, gtm.Hierarchy.from_reps(reps, levels=["area", "region"])


def run_tree(task: dict[str, Any]) -> dict[str, Any]:
    """Carve one tree and return its row; leaf deviations are recomputed with pandas from the tables."""
    import gtm_opt as gtm

    given = dict(task["arguments"])
    kind, workers, band = given.pop("executor", "serial"), given.pop("workers", 2), given.pop("band", 0.05)
    begun = time.perf_counter()
    accounts, reps = tree_tables(seed=task["seed"], **given)
    problem, hierarchy = _problem(accounts, reps, band)
    setup = time.perf_counter() - begun
    cpu, clock = time.process_time(), time.perf_counter()
    with _executor(kind, workers) as executor:
        carving = gtm.carve(
            problem,
            hierarchy=hierarchy,
            time_limit=task["time_limit"],
            effort=float(task["effort"]),
            seed=task["seed"],
            executor=executor,
            on_infeasible="nearest",
        )
        seconds = time.perf_counter() - clock
    row = _row(accounts, reps, carving.assignment, band)
    gap = carving.certificate.gap
    return row | {
        "status": str(carving.status) if row["checker_agrees"] else "error",
        "gap": float(gap) if gap is not None else float("nan"),
        "seconds": seconds,
        "cpu_seconds": time.process_time() - cpu,
        "setup_seconds": setup,
        "peak_mb": peak_memory_mb(),
        "termination": str(carving.termination),
    }


def _row(accounts: pd.DataFrame, reps: pd.DataFrame, assignment: pd.DataFrame, band: float) -> dict[str, Any]:
    """Return deviation of the leaves, moved accounts and distance, from the tables alone."""
    placed = assignment.set_index("account_id")["territory"].reindex(accounts["account_id"])
    whole = bool(placed.isin(reps["rep_id"]).all()) and len(assignment) == len(accounts)
    table = accounts.assign(count=1.0, territory=placed.to_numpy())
    totals = table.groupby("territory")[[*CRITERIA, "count"]].sum().reindex(reps["rep_id"], fill_value=0.0)
    deviation = (totals / (totals.sum() / len(reps)) - 1.0).abs()
    centers = reps.set_index("rep_id").loc[placed.fillna(reps["rep_id"].iloc[0]), ["lat", "lon"]].to_numpy()
    kilometers = float(np.hypot(*(accounts[["lat", "lon"]].to_numpy() - centers).T).sum())
    moved = float((placed.to_numpy() != accounts["owner"].to_numpy()).mean())
    digest = hashlib.sha256("\n".join(placed.astype(str)).encode()).hexdigest()[:16]
    worst = ", ".join(f"{name} {100 * value:.2f} %" for name, value in deviation.max().items())
    inside = float((deviation.max(axis=1) <= band + 1e-9).mean())
    return {
        "feasible": whole and inside == 1.0,
        "objective": float(deviation.to_numpy().max()),
        "worst_deviation": float(deviation.to_numpy().max()),
        "cost": kilometers,
        "checker_agrees": whole,
        "problems": f"leaves inside the band {100 * inside:.1f} %; moved {100 * moved:.1f} %; plan {digest}",
        "steps": f"median of the leaves' worst {100 * float(deviation.max(axis=1).median()):.2f} %; worst: {worst}",
    }
