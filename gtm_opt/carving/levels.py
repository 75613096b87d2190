"""Carving down a tree: each node a small carve, subtrees independent, on any executor."""

from __future__ import annotations

import os
import time
import zlib
from collections import deque
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.carving.certificate import Certificate, certify
from gtm_opt.carving.node import NodeTask, children_tasks, node_instance, node_start
from gtm_opt.solvers import Run, SolverResult, get_solver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Executor

    from gtm_opt.instance import IntArray
    from gtm_opt.solvers import Solver

__all__ = ["NodeSolution", "Options", "carve_tree"]

SUBTREE_TASKS = 24
"""A tree is cut into subtree tasks at the first depth with at least this many nodes."""


@dataclass(frozen=True)
class Options:
    """How to solve each node.

    Attributes
    ----------
    solver : str or Solver
    seed : int
    effort : float
    max_gap : float
        A fraction; see `gtm_opt.carve`.
    """

    solver: str | Solver
    seed: int
    effort: float
    max_gap: float = 0.0


@dataclass(frozen=True, eq=False)
class NodeSolution:
    """The carve of one node.

    Attributes
    ----------
    node : str
    units : ndarray of int
        Positions of the node's units in the whole problem.
    assignment : ndarray of int
        Child position of each unit; empty when the solver found nothing.
    result : SolverResult
    certificate : Certificate
    seconds : float
    """

    node: str
    units: IntArray
    assignment: IntArray
    result: SolverResult
    certificate: Certificate
    seconds: float


def node_seed(seed: int, node: str) -> int:
    """Return the seed of a node: depends on the seed and the node's name only."""
    return int(np.random.SeedSequence([seed, zlib.crc32(node.encode())]).generate_state(1)[0])


def solve_node(task: NodeTask, options: Options, run: Run) -> tuple[NodeSolution, list[NodeTask]]:
    """Carve the root of a subtree; return its solution and the tasks below."""
    instance = node_instance(task)
    begin = run.seconds
    solver = get_solver(options.solver)
    seed = node_seed(options.seed, task.tree.root)
    result = solver(instance, run=run, seed=seed, effort=options.effort, start=node_start(task))
    assignment = np.zeros(0, dtype=np.int64) if result.assignment is None else result.assignment
    certificate = certify(instance, result, options.max_gap)
    solution = NodeSolution(task.tree.root, task.units, assignment, result, certificate, run.seconds - begin)
    return solution, children_tasks(task, instance, assignment) if len(assignment) else []


def solve_subtree(
    task: NodeTask, options: Options, time_limit: float | None, whole: bool, deadline: float = np.inf
) -> tuple[list[NodeSolution], list[NodeTask]]:
    """Carve a subtree (or, unless ``whole``, only its root); runs in a worker.

    ``deadline`` is a reading of ``time.time()``: a task that waited in the queue has less than its limit.
    """
    run = Run(time_limit if np.isinf(deadline) else max(0.0, min(time_limit or np.inf, deadline - time.time())))
    done: list[NodeSolution] = []
    queue = deque([task])
    waiting: list[NodeTask] = []
    while queue:
        at = queue.popleft()
        solution, below = solve_node(at, options, _part(at, run, [*queue]))
        done.append(solution)
        if whole:
            queue.extend(below)
        else:
            waiting.extend(below)
    return done, waiting


def carve_tree(
    task: NodeTask,
    options: Options,
    run: Run,
    executor: Executor | None = None,
    on_node: Callable[[NodeSolution], None] | None = None,
) -> dict[str, NodeSolution]:
    """Carve a whole tree; children start as soon as their parent is done.

    Parameters
    ----------
    task : NodeTask
        The root.
    options : Options
    run : Run
    executor : concurrent.futures.Executor, optional
        Each subtree is one task, sent with the rows of its own accounts only. When workers are
        lost, what they had is carved here; the plan is the same.
    on_node : callable, optional
        Called with each `NodeSolution` as it arrives.

    Returns
    -------
    dict of str to NodeSolution
        In tree order, whatever the order of completion.
    """
    order = {node: at for at, node in enumerate(task.tree.walk())}
    depth = _cut_depth(task)
    found: list[NodeSolution] = []

    def take(solutions: list[NodeSolution]) -> None:
        for solution in solutions:
            found.append(solution)
            if on_node is not None:
                on_node(solution)

    if executor is None:
        queue = deque([task])
        # an interrupted run goes on as well: each node left is then placed in no time, and the plan is whole
        while queue:
            at = queue.popleft()
            solution, below = solve_node(at, options, _part(at, run, [*queue]))
            take([solution])
            queue.extend(below)
    else:
        _distributed(task, depth, options, run, executor, take)
    return {s.node: s for s in sorted(found, key=lambda s: order[s.node])}


def _cut_depth(task: NodeTask) -> int:
    """Return how many levels are carved node by node before whole subtrees are handed out."""
    for depth in range(task.tree.depth):
        if len(task.tree.nodes_at(depth)) >= SUBTREE_TASKS:
            return depth
    return max(task.tree.depth - 1, 0)


def _part(task: NodeTask, run: Run, others: list[NodeTask]) -> Run:
    """Return the run of one node: its own numbers, and of the time left a share by work."""
    if np.isinf(run.remaining):
        return run.within(np.inf, report=True)
    total = _work([task, *others])
    return run.within(run.remaining * task.instance.n_units / max(total, 1), report=True)


def _work(tasks: Iterable[NodeTask]) -> int:
    return sum(t.instance.n_units * t.tree.depth for t in tasks)


def _limit(task: NodeTask, run: Run, total: int, whole: bool) -> tuple[float | None, float]:
    """Return seconds for a task by its share of the work, as many workers as cores, and when to stop at the latest."""
    if np.isinf(run.remaining):
        return None, np.inf
    work = _work([task]) if whole else task.instance.n_units
    share = min(1.0 if whole else 1.0 / task.tree.depth, (os.cpu_count() or 1) * work / total)
    return run.remaining * share, time.time() + run.remaining


def _distributed(
    task: NodeTask,
    cut: int,
    options: Options,
    run: Run,
    executor: Executor,
    take: Callable[[list[NodeSolution]], None],
) -> None:
    top = task.tree.depth
    waiting: dict[Future[tuple[list[NodeSolution], list[NodeTask]]], NodeTask] = {}

    def submit(tasks: list[NodeTask]) -> None:
        total = max(_work([*tasks, *waiting.values()]), 1)
        for at in tasks:
            whole = top - at.tree.depth >= cut
            limit, deadline = _limit(at, run, total, whole)
            try:
                waiting[executor.submit(solve_subtree, at, options, limit, whole, deadline)] = at
            except (BrokenExecutor, RuntimeError):
                lost.append(at)

    lost: list[NodeTask] = []
    # the root is carved here: every worker would wait for it anyway, and its rows need not travel
    solution, below = solve_node(task, options, _part(task, run, []))
    take([solution])
    submit(below)
    while waiting or lost:
        while lost:
            solution, below = solve_node(lost[0], options, _part(lost[0], run, lost[1:]))
            take([solution])
            lost[:1] = below
        if not waiting:
            continue
        done, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in sorted(done, key=lambda f: waiting[f].tree.root):
            at = waiting.pop(future)
            try:
                solutions, below = future.result()
            except (BrokenExecutor, OSError) as error:
                run.note(
                    "retry", run.seconds, f"{at.tree.root}: a worker was lost ({type(error).__name__}), carved here"
                )
                lost.append(at)
                continue
            take(solutions)
            submit(below)
