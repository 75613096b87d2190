"""Cubes and reconciliation at planning size, beside plain scripts: ``python -m benchmarks.quota_year``.

Prints one row per case: processor seconds of the library and of the plain script, their ratio, and what was proven. The
plain scripts read no tables and check nothing: they rake arrays and round them by one flow (two-way tables only), and
solve the formula of reconciliation, which knows no bounds, with one sparse factorization.
"""

from __future__ import annotations

import sys
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csc_array, diags_array
from scipy.sparse.linalg import splu

from gtm_opt import allocate, reconcile

__all__ = ["cube_case", "main", "reconcile_case"]


def seed_table(shape: tuple[int, ...], number: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A table of lognormal cells with strong effects of every dimension."""
    rng = np.random.default_rng(number)
    table = rng.lognormal(0, 0.5, shape)
    for axis, size in enumerate(shape):
        effect = rng.lognormal(0, 0.7, size)
        table *= effect.reshape([-1 if k == axis else 1 for k in range(len(shape))])
    return table


def cube_case(shape: tuple[int, int, int], keys: list[tuple[str, ...]], time_limit: float | None) -> dict[str, object]:
    """Allocate a cube from some of its margins; beside plain raking of the same array."""
    seed, wanted = seed_table(shape, 0), np.rint(20 * seed_table(shape, 1)).astype(np.int64)
    names = ("territory", "product", "quarter")
    index = np.indices(shape).reshape(3, -1)
    cells = pd.DataFrame({n: np.char.mod("%05d", index[k]) for k, n in enumerate(names)})
    told = cells.assign(amount=wanted.ravel() * 1_000)
    margins = {k: told.groupby(list(k))["amount"].sum() for k in keys}
    since = time.process_time()
    cube = allocate(cells.assign(seed=seed.ravel()), margins, unit=1_000, time_limit=time_limit)
    ours = time.process_time() - since
    axes = [tuple(k for k, n in enumerate(names) if n not in key) for key in keys]
    since = time.process_time()
    plain = seed * (wanted.sum() / seed.sum())
    for _ in range(cube.passes):
        for axis in axes:
            plain *= wanted.sum(axis=axis, keepdims=True) / np.maximum(plain.sum(axis=axis, keepdims=True), 1e-300)
    if cube.rounded_by == "flow":
        round_plainly(plain.reshape(shape[0], -1), wanted.reshape(shape[0], -1))
    other = time.process_time() - since if cube.rounded_by == "flow" else float("nan")
    proof = "optimal" if cube.is_optimal else f"gap {100 * cube.gap:.2g} %"
    case = " x ".join(f"{n:,}" for n in shape) + f", {len(keys)} margins"
    return {"case": case, "seconds": ours, "plain": other, "ratio": ours / other, "proof": proof}


def round_plainly(
    fitted: np.ndarray[Any, np.dtype[np.float64]], wanted: np.ndarray[Any, np.dtype[np.int64]]
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Round a two-way table by a minimum-cost flow between its rows and columns."""
    from ortools.graph.python import min_cost_flow

    base = np.floor(fitted + 1e-7).astype(np.int64)
    part = np.maximum(fitted - base, 0.0)
    i, j = np.nonzero(part > 1e-7)
    solver = min_cost_flow.SimpleMinCostFlow()
    cost = np.rint((1.0 - 2.0 * part[i, j]) * 2**30).astype(np.int64)
    arcs = solver.add_arcs_with_capacity_and_unit_cost(i, len(base) + j, np.ones(len(i), dtype=np.int64), cost)
    supply = np.concatenate([(wanted - base).sum(axis=1), -(wanted - base).sum(axis=0)])
    solver.set_nodes_supplies(np.arange(len(supply)), supply)
    solver.solve()
    base[i, j] += solver.flows(arcs)
    return base


def random_tree(leaves: int) -> pd.DataFrame:
    """A tree of five levels with about this many leaves."""
    fans = (10, 20, 10, max(1, leaves // 2_000)) if leaves >= 2_000 else (3, 3, max(1, leaves // 9))
    parents, depth, level = [-1], [0], [0]
    for d, fan in enumerate(fans, 1):
        start = len(parents)
        for p in level:
            parents += [p] * fan
            depth += [d] * fan
        level = list(range(start, len(parents)))
    ids = [f"n{i:06d}" for i in range(len(parents))]
    inner = set(parents)
    return pd.DataFrame(
        {
            "node_id": ids,
            "parent_id": [None if p < 0 else ids[p] for p in parents],
            "level": [f"L{d}" for d in depth],
            "depth": depth,
            "share": 1.0,
            "is_leaf": [i not in inner for i in range(len(ids))],
        }
    )


def reconcile_case(leaves: int, *, bounded: bool) -> dict[str, object]:
    """Reconcile noisy numbers of every node; beside the formula with the same variances, without bounds."""
    rng = np.random.default_rng(2)
    table = random_tree(leaves)
    n = len(table)
    parent = pd.Index(table["node_id"]).get_indexer(pd.Index(table["parent_id"]))
    value = np.where(table["is_leaf"], rng.lognormal(13, 0.6, n), 0.0)
    for node in range(n - 1, 0, -1):
        value[parent[node]] += value[node]
    said = pd.DataFrame({"node_id": table["node_id"], "value": value * np.exp(rng.normal(0, 0.1, n))})
    said["sd"] = 0.1 * said["value"]
    bounds = None
    if bounded:
        low, high = np.floor(said["value"] * 0.94 / 1_000) * 1_000, np.ceil(said["value"] * 1.06 / 1_000) * 1_000
        leaf = table["is_leaf"].to_numpy()
        bounds = pd.DataFrame({"node_id": table["node_id"], "floor": low, "cap": high})[leaf]
    since = time.process_time()
    rec = reconcile(SimpleNamespace(table=table), said, bounds=bounds)
    ours = time.process_time() - since
    since = time.process_time()
    child = np.flatnonzero(parent >= 0)
    inner = np.unique(parent[child])
    row = np.searchsorted(inner, parent[child])
    rows, columns = np.concatenate([row, np.arange(len(inner))]), np.concatenate([child, inner])
    signs = np.concatenate([np.ones(len(child)), -np.ones(len(inner))])
    c = csc_array((signs, (rows, columns)), shape=(len(inner), n))
    w, z = np.square(said["sd"].to_numpy()), said["value"].to_numpy()
    weighted = csc_array(c @ diags_array(w) @ c.T)
    plain = z - w * (c.T @ splu(weighted, permc_spec="MMD_AT_PLUS_A").solve(c @ z))
    other = time.process_time() - since
    off = float(np.abs(plain - rec.table["coherent"]).max() / np.abs(plain).max())
    proof = f"largest condition error {max(rec.solved.errors.values()):.0e}"
    if not bounded:
        proof += f", largest difference {off:.0e}"
    case = f"reconcile {n:,} nodes, {'bounded' if bounded else 'unbounded'}"
    return {"case": case, "seconds": ours, "plain": other, "ratio": ours / other, "proof": proof}


def main(arguments: list[str]) -> pd.DataFrame:
    """Run the cases; ``small`` for sizes that take a second."""
    small = "small" in arguments
    pairs = [("territory", "product"), ("territory", "quarter"), ("product", "quarter")]
    flow = [("territory",), ("product", "quarter")]
    rows = [
        cube_case((60, 4, 4) if small else (10_000, 12, 20), flow, None),
        cube_case((20, 4, 3) if small else (1_000, 12, 5), pairs, 30.0),
        reconcile_case(90 if small else 100_000, bounded=False),
        reconcile_case(90 if small else 100_000, bounded=True),
    ]
    return pd.DataFrame(rows)


if __name__ == "__main__":
    sys.stdout.write(main(sys.argv[1:]).to_string(index=False, float_format=lambda x: f"{x:.3g}") + "\n")
