"""The cheapest change of bounds that makes a plan possible, as an integer program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.mip import Model, solve
from gtm_opt.quota.rounding import UNBOUNDED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.quota.feasibility import Feasibility

__all__ = ["relax_bounds"]


def relax_bounds(problem: Feasibility, price: NDArray[np.float64]) -> pd.DataFrame:
    """Return the bounds to change at the least cost; see `Feasibility.relaxation`.

    Notes
    -----
    Columns: quota of each node in units, and by how much each bound is relaxed. Edges are exact in whole numbers:
    with ``1 + o = t / b`` the children's sum r is the rounded product if and only if
    ``0 <= 2 t q + b - 2 b r <= 2 b - 1``.
    """
    layers, unit, plan = problem.layers, problem.unit, problem.target // problem.unit
    model = Model("cheapest relaxation")
    largest = np.maximum(problem.ceilings, problem.floors)
    low = np.zeros(len(layers))
    low[0] = plan
    high = np.where(np.arange(len(layers)) == 0, plan, np.maximum(largest, plan)).astype(np.float64)
    quota = model.add_columns([f"quota {n}" for n in layers.ids], low=low, high=high, integer=True)
    floors = np.flatnonzero(problem.floors > 0)
    caps = np.flatnonzero(problem.caps < UNBOUNDED)
    down = model.add_columns(
        [f"lower floor of {layers.ids[n]}" for n in floors],
        high=problem.floors[floors],
        integer=True,
        cost=price[floors],
    )
    up = model.add_columns(
        [f"raise cap of {layers.ids[n]}" for n in caps],
        high=np.maximum(high[caps] - problem.caps[caps], 0),
        integer=True,
        cost=price[caps],
    )
    for column, node in zip(down, floors, strict=True):
        model.add_row(f"floor {layers.ids[node]}", [quota[node], column], [1, 1], low=float(problem.floors[node]))
    for column, node in zip(up, caps, strict=True):
        model.add_row(f"cap {layers.ids[node]}", [quota[node], column], [1, -1], high=float(problem.caps[node]))
    for layer in layers.down():
        ends = np.append(layer.starts[1:], len(layer.group))
        for parent, start, end in zip(layer.parents.tolist(), layer.starts, ends, strict=True):
            top, bottom = int(problem.edges.top[parent]), int(problem.edges.bottom[parent])
            children = quota[layer.nodes.start + int(start) : layer.nodes.start + int(end)]
            name = f"children of {layers.ids[parent]}"
            if top == bottom:
                values = [1.0, *[-1.0] * len(children)]
                model.add_row(name, [quota[parent], *children], values, low=0.0, high=0.0)
            else:
                values = [2.0 * top, *[-2.0 * bottom] * len(children)]
                model.add_row(name, [quota[parent], *children], values, low=-float(bottom), high=float(bottom - 1))
    solution = solve(model)
    rows = []
    if solution.values is not None:
        for column, node, kind in [
            *((c, n, "floor") for c, n in zip(down, floors, strict=True)),
            *((c, n, "cap") for c, n in zip(up, caps, strict=True)),
        ]:
            change = round(float(solution.values[column]))
            if change:
                amount = int((problem.floors if kind == "floor" else problem.caps)[node])
                signed = -change if kind == "floor" else change
                rows.append((layers.ids[node], kind, amount * unit, (amount + signed) * unit, signed * unit))
    frame = pd.DataFrame(rows, columns=["node_id", "bound", "amount", "new_amount", "change"])
    frame.attrs = {
        "cost": solution.objective * unit,
        "bound": solution.bound * unit,
        "status": str(solution.status),
    }
    return frame
