"""Carving while the centers are free: solve, move the centers to the plan's means, solve again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.carving.centers.location import better
from gtm_opt.carving.centers.scope import limit_scope, plan_key, with_plan_centers
from gtm_opt.carving.certificate import certify
from gtm_opt.carving.tree.node import root_task
from gtm_opt.carving.tree.rebuild import leaf_of_unit, rebuild
from gtm_opt.solvers import SolveStatus, Termination

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_opt.carving.compile.compiled import Compiled
    from gtm_opt.carving.result import Carving
    from gtm_opt.carving.tree.levels import NodeOptions, NodeSolution
    from gtm_opt.carving.tree.node import NodeTask
    from gtm_opt.instance import IntArray
    from gtm_opt.model import Hierarchy

__all__ = ["carve_with_centers", "enumerated"]


MOST_MOVES_OF_CENTERS = 10
"""Most times that the whole is carved again because centers moved."""


def carve_with_centers(
    free: Compiled,
    tree: Hierarchy,
    begin: IntArray | None,
    solve: Callable[[Compiled, IntArray | None], tuple[NodeTask, dict[str, NodeSolution]]],
    options: NodeOptions,
) -> tuple[Compiled, NodeTask, dict[str, NodeSolution]]:
    """Carve for the centers of a plan, move them to the new plan's means, and again while that improves.

    The plan that comes back has its own means as centers and is never worse than ``begin`` by them.
    """
    count = free.instance.n_units
    compiled = with_plan_centers(free, np.arange(count) % len(tree.leaves) if begin is None else begin)
    for _ in range(MOST_MOVES_OF_CENTERS):
        task, solutions = solve(compiled, begin)
        plan = leaf_of_unit(tree, count, solutions)
        if begin is None and (plan < 0).any():
            return compiled, task, solutions
        if begin is not None and ((plan < 0).any() or not better(plan_key(free, plan), plan_key(free, begin))):
            break
        begin, compiled = plan, with_plan_centers(free, plan)
    assert begin is not None
    return compiled, task, _at(task, begin, compiled, solutions, options)


def _at(
    task: NodeTask, plan: IntArray, compiled: Compiled, solutions: dict[str, NodeSolution], options: NodeOptions
) -> dict[str, NodeSolution]:
    """Return the solutions for a plan; what was proven holds where the centers are those that were solved."""
    same = task.instance is compiled.instance
    if not same:
        task = root_task(task.tree, compiled.instance, plan, task.settings)
    if len(solutions) > 1:
        if not same:
            solutions = {
                name: replace(s, result=replace(s.result, bound=-np.inf), assignment=np.full(len(s.units), -1))
                for name, s in solutions.items()
            }
        return rebuild(task, plan, solutions, options.max_gap)
    (node, old), *_ = solutions.items()
    at = plan[old.units]
    bound = old.result.bound if same else -np.inf
    result = replace(old.result, assignment=at, bound=bound)
    certificate = certify(compiled.instance, result, options.max_gap)
    return {node: replace(old, assignment=at, result=result, certificate=certificate)}


def enumerated(carving: Carving) -> Carving:
    """Return the carving of a plan that is the best of all there are, whatever the centers."""
    c = replace(
        carving.certificate,
        bound=carving.certificate.value,
        gap=0.0,
        source="enumeration of all plans",
        status=SolveStatus.OPTIMAL,
    )
    if not (c.evaluation is not None and c.evaluation.feasible) or carving.status is SolveStatus.INFEASIBLE:
        return limit_scope(carving)
    return replace(carving, status=SolveStatus.OPTIMAL, termination=Termination.PROVED, certificate=c)
