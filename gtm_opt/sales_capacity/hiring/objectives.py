"""Objectives of a hiring plan, each a linear function to be minimized."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.sales_capacity.hiring.formulation import Formulation, Linear

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MAXIMIZED", "OBJECTIVES", "add_objectives"]

OBJECTIVES = ("least_cost", "most_coverage", "least_change", "smooth", "fewest_hires", "latest")
MAXIMIZED = frozenset({"most_coverage"})


def add_objectives(out: Formulation, names: Sequence[str], covered: Linear | None) -> None:
    """Add the functions of these objectives, with the columns they need.

    Notes
    -----
    least_cost: payroll, hiring cost and severance of what is decided (the pay of people who stay is a constant and left
    out). most_coverage: minus the part of the targets that is reached. least_change: people who start in another
    month or role than approved. smooth: ``sum |X_c - X_(c-1)|`` of all hires by month. fewest_hires: hires and
    promotions. latest: ``sum (T - c) X_c``.
    """
    flow = out.flow
    hires = flow.hires
    for name in names:
        if name == "least_cost":
            out.objectives[name] = Linear.dense(flow.cost.sum(axis=0), 0.0)
        elif name == "most_coverage":
            assert covered is not None
            out.objectives[name] = Linear(covered.columns, -covered.values)
        elif name == "least_change":
            out.objectives[name] = _least_change(out)
        elif name == "smooth":
            out.objectives[name] = _smooth(out)
        elif name == "fewest_hires":
            columns = [*hires.ravel().tolist(), *np.concatenate([[], *flow.decisions.values()]).tolist()]
            out.objectives[name] = Linear(np.array(columns, dtype=np.int64), np.ones(len(columns)))
        else:
            wait = np.broadcast_to(hires.shape[1] - np.arange(hires.shape[1]), hires.shape)
            out.objectives[name] = Linear(hires.ravel(), wait.ravel().astype(np.float64))


def _least_change(out: Formulation) -> Linear:
    """Count every hire more or less than approved."""
    approved = out.problem.approved
    assert approved is not None
    columns = []
    for hire, wanted in zip(out.flow.hires.ravel().tolist(), approved.ravel().tolist(), strict=True):
        if out.high[hire] == out.low[hire] == wanted:
            continue
        change = out.add_column(f"change[{out.names[hire]}]")
        for sign, word in ((1.0, "more"), (-1.0, "fewer")):
            function = Linear(np.array([change, hire]), np.array([1.0, -sign]), sign * wanted)
            out.add_row(f"{word} than approved: {out.names[hire]}", "identity", "", -1, function, low=0.0)
        columns.append(change)
    return Linear(np.array(columns, dtype=np.int64), np.ones(len(columns)))


def _smooth(out: Formulation) -> Linear:
    hires, labels = out.flow.hires, out.problem.calendar.labels
    columns = []
    for month in range(1, hires.shape[1]):
        step = out.add_column(f"step[{labels[month]}]")
        pair = np.concatenate([hires[:, month], hires[:, month - 1]])
        values = np.concatenate([np.ones(len(hires)), -np.ones(len(hires))])
        for sign, word in ((1.0, "up"), (-1.0, "down")):
            function = Linear(np.array([step]), np.array([1.0])).plus(pair, -sign * values)
            out.add_row(f"step {word}[{labels[month]}]", "identity", labels[month], -1, function, low=0.0)
        columns.append(step)
    return Linear(np.array(columns, dtype=np.int64), np.ones(len(columns)))
