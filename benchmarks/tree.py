"""The `tree` benchmark: accounts of the `scale` workload down a hierarchy of reps, through the public door.

The executor is part of the case, so that the same plan from one process, a pool and Dask can be compared.
"""

from __future__ import annotations

import hashlib
import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.meter import peak_memory_mb, peak_memory_of_children_mb
from gtm_opt.datasets import columns
from gtm_opt.instance import FloatArray, IntArray

__all__ = ["run_tree", "tree_tables"]

CRITERIA = ("revenue", "pipeline", "leads")
LEVELS = ("area", "region", "district", "team")


def _parts(fanout: str) -> list[int]:
    """Return "10x10x10" as numbers, one for each level."""
    return [int(part) for part in fanout.split("x")]


def _columns_of_levels(centers: FloatArray, parts: list[int]) -> dict[str, list[str]]:
    """Return a column for each level above the reps: strips of strips, west to east and south to north in turn."""
    nodes, out = [np.arange(len(centers))], {}
    for depth, count in enumerate(parts[:-1]):
        nodes = [
            part
            for node in nodes
            for part in np.array_split(node[np.argsort(centers[node, depth % 2], kind="stable")], count)
        ]
        label = np.empty(len(centers), dtype=np.int64)
        for at, node in enumerate(nodes):
            label[node] = at
        out[LEVELS[depth]] = [f"{LEVELS[depth]} {at}" for at in label]
    return out


def tree_tables(n: int, fanout: str, seed: int, *, rules: bool = False) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return accounts, and reps with one column for each level above them, cut by place.

    Parameters
    ----------
    n : int
        Accounts.
    fanout : str
        Children at each level, such as "10x10x10".
    seed : int
    rules : bool
        Columns ``family`` (2 % of the accounts, two to five each) and ``pinned`` (1 % of them, to their owner).

    Notes
    -----
    Columns are those of `benchmarks.generators.scale_instance`; places are plane coordinates in km.
    """
    rng = np.random.default_rng(seed)
    parts = _parts(fanout)
    k = math.prod(parts)
    points, _ = columns.city_points(n, rng)
    centers = columns.spread_centers(points, k, rng)
    names = np.array([f"R-{i:05d}" for i in range(k)])
    reps = pd.DataFrame(
        {"rep_id": names, **_columns_of_levels(centers, parts), "lat": centers[:, 0], "lon": centers[:, 1]}
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
            "owner": names[owner],
        }
    )
    return accounts.assign(**_rule_columns(owner, names, rng)) if rules else accounts, reps


def _rule_columns(owner: IntArray, names: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    """Return families of two to five accounts, mostly of one owner, and pins of others to their owner."""
    n = len(owner)
    chosen = rng.permutation(n)
    members = chosen[: n // 50]
    members = members[np.argsort(owner[members], kind="stable")]
    number = np.repeat(np.arange(len(members)), rng.integers(2, 6, len(members)))[: len(members)]
    family = np.full(n, None, dtype=object)
    family[members] = [f"F-{at:06d}" for at in number]
    pinned = np.full(n, None, dtype=object)
    held = chosen[n // 50 : n // 50 + n // 100]
    pinned[held] = names[owner[held]]
    return {"family": family, "pinned": pinned}


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

    rules: list[Any] = []
    if "family" in accounts:
        held = accounts.dropna(subset="pinned").set_index("account_id")["pinned"]
        rules = [gtm.KeepTogether("family"), gtm.Pin(held)]
    problem = gtm.CarvingProblem(
        accounts,
        territories=gtm.Territories.from_reps(reps),
        balance=[*(gtm.Balance(name, tolerance=band) for name in CRITERIA), gtm.Count(tolerance=band)],
        prefer=[gtm.KeepOwner("owner"), gtm.Near("lat", "lon", metric="euclidean")],
        rules=rules,
    )
    return problem, gtm.Hierarchy.from_reps(reps, levels=[level for level in LEVELS if level in reps])


def run_tree(task: dict[str, Any]) -> dict[str, Any]:
    """Carve one tree and return its row; leaf deviations are recomputed with pandas from the tables."""
    import gtm_opt as gtm

    given = dict(task["arguments"])
    kind, workers, band = given.pop("executor", "serial"), given.pop("workers", 2), given.pop("band", 0.05)
    flat = given.pop("flat", False)
    begun = time.perf_counter()
    accounts, reps = tree_tables(seed=task["seed"], **given)
    problem, hierarchy = _problem(accounts, reps, band)
    setup = time.perf_counter() - begun
    cpu, clock = sum(os.times()[:4]), time.perf_counter()
    with _executor(kind, workers) as executor:
        carving = gtm.carve(
            problem,
            hierarchy="flat" if flat else hierarchy,
            time_limit=task["time_limit"],
            effort=float(task["effort"]),
            seed=task["seed"],
            executor=executor,
            on_infeasible="nearest",
        )
        seconds = time.perf_counter() - clock
    # the pool's workers have ended: their peaks are known
    row = _row(accounts, reps, carving, band)
    gap = carving.certificate.gap
    return row | {
        "status": str(carving.status) if row["checker_agrees"] else "error",
        "gap": float(gap) if gap is not None else float("nan"),
        "seconds": seconds,
        "cpu_seconds": sum(os.times()[:4]) - cpu,
        "setup_seconds": setup,
        "peak_mb": peak_memory_mb() + (workers * peak_memory_of_children_mb() if kind != "serial" else 0.0),
        "termination": str(carving.termination),
    }


def _row(accounts: pd.DataFrame, reps: pd.DataFrame, carving: Any, band: float) -> dict[str, Any]:
    """Return deviation of the leaves, broken rules, moved accounts and distance, from the tables alone."""
    assignment = carving.assignment
    placed = assignment.set_index("account_id")["territory"].reindex(accounts["account_id"])
    whole = bool(placed.isin(reps["rep_id"]).all()) and len(assignment) == len(accounts)
    table = accounts.assign(count=1.0, territory=placed.to_numpy())
    by_leaf = table.groupby("territory")[[*CRITERIA, "count"]]
    totals = by_leaf.sum().reindex(reps["rep_id"], fill_value=0.0)
    target = totals.sum() / len(reps)
    deviation = (totals / target - 1.0).abs()
    # a leaf whose largest account alone is over the band cannot be inside on that criterion
    alone = by_leaf.max().reindex(reps["rep_id"], fill_value=0.0) > (1.0 + band) * target
    fits = deviation <= band + 1e-9
    outside = carving.outside
    named = set(outside.loc[outside["reason"].str.len() > 0, "territory"])
    explained = len(named & set(fits.index[~fits.all(axis=1)]))
    centers = reps.set_index("rep_id").loc[placed.fillna(reps["rep_id"].iloc[0]), ["lat", "lon"]].to_numpy()
    distance = float(np.hypot(*(accounts[["lat", "lon"]].to_numpy() - centers).T).sum())
    moved = placed.to_numpy() != accounts["owner"].to_numpy()
    broken = _broken(table)
    digest = hashlib.sha256("\n".join(placed.astype(str)).encode()).hexdigest()[:16]
    worst = ", ".join(f"{name} {100 * value:.2f} %" for name, value in deviation.where(~alone).max().items())
    return {
        "feasible": whole and not broken and bool(fits.all(axis=None)),
        "objective": float(carving.certificate.value),
        "worst_deviation": float(deviation.where(~alone).max(axis=None)),
        "cost": distance,
        "checker_agrees": whole,
        "problems": (
            f"{100 * float(fits.all(axis=1).mean()):.1f} % of the leaves inside the band on everything, "
            f"{100 * float((fits | alone).all(axis=1).mean()):.1f} % but for single accounts larger than a band; "
            f"outside {int((~fits.all(axis=1)).sum())}, explained {explained}; rules broken {broken}; "
            f"moved {100 * float(moved.mean()):.1f} %; plan {digest}"
        ),
        "steps": f"median of the leaves' worst {100 * float(deviation.max(axis=1).median()):.2f} %; worst: {worst}",
    }


def _broken(table: pd.DataFrame) -> int:
    """Return how many families are divided and how many pins are not kept."""
    if "family" not in table:
        return 0
    divided = int((table.dropna(subset="family").groupby("family")["territory"].nunique() > 1).sum())
    held = table.dropna(subset="pinned")
    return divided + int((held["pinned"] != held["territory"]).sum())
