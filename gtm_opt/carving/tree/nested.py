"""Budgets that nest: what a smaller effort finds is where a larger one begins, so that more is never worse."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.carving.tree.polish import polish_leaves
from gtm_opt.carving.tree.rebuild import leaf_of_unit, rebuild
from gtm_opt.carving.tree.schedule import carve_tree
from gtm_opt.measures import evaluate, rank

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from gtm_opt.carving.tree.levels import NodeOptions, NodeSolution
    from gtm_opt.carving.tree.node import NodeTask
    from gtm_opt.solvers import Run

__all__ = ["carve_nested", "nested_efforts"]

RUNGS = (0.1, 1.0, 10.0, 100.0)
"""Efforts whose plans are where larger efforts begin."""
PROVEN = 1e-6
"""A relative gap below this is rounding."""
NESTED_CELLS = 100_000
"""Units x leaves up to which budgets nest: above, prices and rounding take most of the time, and would be repeated."""


def nested_efforts(options: NodeOptions, cells: int) -> tuple[float, ...]:
    """Return the efforts to carve with, one after the other, the last being the one asked for.

    Examples
    --------
    >>> from gtm_opt.carving.tree.levels import NodeOptions
    >>> nested_efforts(NodeOptions("auto", 0, 2.0), 500)
    (0.1, 1.0, 2.0)
    """
    effort = options.effort
    if options.solver != "auto" or cells > NESTED_CELLS:
        return (effort,)
    below = RUNGS if np.isfinite(effort) else RUNGS[:1]
    return (*(rung for rung in below if rung < effort), effort)


def carve_nested(
    task: NodeTask,
    options: NodeOptions,
    run: Run,
    executor: Executor | None = None,
    on_node: Callable[[NodeSolution], None] | None = None,
) -> dict[str, NodeSolution]:
    """Carve a whole tree with each of the nested efforts, from the best plan so far; return the best.

    Parameters
    ----------
    task : NodeTask
        The root.
    options : NodeOptions
    run : Run
    executor, on_node
        See `gtm_opt.carving.tree.schedule.carve_tree`.

    Notes
    -----
    Plans are compared by `gtm_opt.measures.rank` over all leaves: a plan is never worse than the one it began from, and
    the plan of an effort never worse than that of a rung (0.1, 1, 10, 100) below it. A proven best plan of one node
    ends the work.
    """
    instance, start = task.instance, task.start
    begin = start if start is not None and (start >= 0).all() else None
    best: dict[str, NodeSolution] | None = None
    best_key = None if begin is None else rank(instance, evaluate(instance, begin))
    for effort in nested_efforts(options, instance.n_units * instance.n_territories):
        if best is not None and run.stop():
            break
        last = effort == options.effort
        step = replace(options, effort=effort)
        found = _polished(task, carve_tree(task, step, run, executor, on_node if last else None), step, run)
        leaf = leaf_of_unit(task.tree, instance.n_units, found)
        if (leaf < 0).any():
            best = found if best is None else best
            continue
        key = rank(instance, evaluate(instance, leaf))
        if best_key is None or key <= best_key:
            best, best_key = found, key
            task = replace(task, start=leaf)
        elif best is None:
            assert begin is not None
            best = rebuild(task, begin, found, options.max_gap)
        whole = best[task.tree.root]
        if len(best) == 1 and (whole.certificate.gap <= PROVEN or whole.result.proved_infeasible):
            break
    assert best is not None
    return best


def _polished(
    task: NodeTask, solutions: dict[str, NodeSolution], options: NodeOptions, run: Run
) -> dict[str, NodeSolution]:
    """Return the tree after an exchange between leaves where some are outside their bands."""
    if len(solutions) == 1 or options.solver_name != "auto":
        return solutions
    before = leaf_of_unit(task.tree, task.instance.n_units, solutions)
    after = polish_leaves(task, before, run, options.seed, min(options.effort, 10.0))
    return solutions if (after == before).all() else rebuild(task, after, solutions, options.max_gap)
