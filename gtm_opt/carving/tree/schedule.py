"""Carving a whole tree: children start as soon as their parent is done, here or on an executor."""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.carving.tree.levels import (
    NodeOptions,
    NodeSolution,
    solve_node,
    solve_subtree,
    tasks_below,
    time_share,
    work,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from gtm_opt.carving.tree.node import NodeTask
    from gtm_opt.solvers import Run

__all__ = ["carve_tree", "is_lost"]

_log = logging.getLogger(__name__)

TASKS_PER_WORKER = 3
"""Whole subtrees are handed out from the first depth with this many nodes per worker."""
RETRIES = 2
"""How often a task of a lost worker is sent again before it is carved here."""
POLL = 0.2
GRACE = 1.0
"""Seconds beyond the time limit that workers have to hand in what they have."""
CLUSTERS = ("distributed", "dask", "ray", "mpi4py", "loky", "parsl")


def carve_tree(
    task: NodeTask,
    options: NodeOptions,
    run: Run,
    executor: Executor | None = None,
    on_node: Callable[[NodeSolution], None] | None = None,
) -> dict[str, NodeSolution]:
    """Carve a whole tree; children start as soon as their parent is done.

    Parameters
    ----------
    task : NodeTask
        The root.
    options : NodeOptions
    run : Run
    executor : concurrent.futures.Executor, optional
        Each subtree is one task, sent with the rows of its own accounts only, once. When workers
        are lost, what they had is sent again, or carved here; the plan is the same.
    on_node : callable, optional
        Called with each `NodeSolution` as it arrives.

    Returns
    -------
    dict of str to NodeSolution
        In tree order, whatever the order of completion.

    Notes
    -----
    The answer of a node depends on its accounts, the options and its name only: not on who carves
    it, nor when. A run that is stopped (clock, Ctrl-C, progress callback) keeps what is done; the nodes
    left get the quick answer that solvers give when their time is up, so that the plan is whole.
    """
    order = {node: at for at, node in enumerate(task.tree.walk())}
    found: list[NodeSolution] = []

    def take(solution: NodeSolution) -> None:
        found.append(solution)
        _log.info("carved %s in %.2f s: %s", solution.node, solution.seconds, solution.certificate.status.value)
        run.report(f"carved {solution.node}")
        if on_node is not None:
            on_node(solution)

    if executor is None:
        _here(deque([task]), options, run, take)
    else:
        _Board(task, options, run, executor, take).carve()
    return {s.node: s for s in sorted(found, key=lambda s: order[s.node])}


def _here(queue: deque[NodeTask], options: NodeOptions, run: Run, take: Callable[[NodeSolution], None]) -> None:
    """Carve tasks and all below them in this process."""
    while queue:
        at = queue.popleft()
        solution = _careful(at, options, run, queue)
        take(solution)
        queue.extend(tasks_below(at, solution))


def _careful(task: NodeTask, options: NodeOptions, run: Run, others: deque[NodeTask]) -> NodeSolution:
    """Carve one node; Ctrl-C that no solver caught stops the run, and the node is carved in no time."""
    try:
        return solve_node(task, options, time_share(task, run, others))
    except KeyboardInterrupt:
        run.interrupt()
        return solve_node(task, options, time_share(task, run, others))


def is_lost(error: BaseException) -> bool:
    """Whether an error says that a worker, not the work, failed."""
    if isinstance(error, BrokenExecutor | OSError | EOFError | CancelledError):
        return True
    return type(error).__module__.split(".")[0] in CLUSTERS


def workers_of(executor: Executor) -> int:
    """Return how many workers an executor has; the number of cores where it does not say."""
    known = getattr(executor, "_max_workers", None)
    return known if isinstance(known, int) and known > 0 else max(os.cpu_count() or 1, 8)


class _Board:
    """Who carves what: tasks out, tasks to carve here, and what is known."""

    def __init__(
        self, task: NodeTask, options: NodeOptions, run: Run, executor: Executor, take: Callable[[NodeSolution], None]
    ) -> None:
        self.task, self.options, self.run, self.executor, self.take = task, options, run, executor, take
        self.workers = workers_of(executor)
        self.out: dict[Future[list[NodeSolution]], tuple[NodeTask, bool]] = {}
        self.tries: dict[str, int] = {}
        self.left: deque[NodeTask] = deque()
        wanted = TASKS_PER_WORKER * self.workers
        depths = range(1, max(task.tree.depth, 1))
        self.cut = next((d for d in depths if len(task.tree.nodes_at(d)) >= wanted), max(task.tree.depth - 1, 0))

    def carve(self) -> None:
        # the root is carved here: every worker would wait for it anyway, and its rows need not travel
        solution = _careful(self.task, self.options, self.run, deque())
        self.take(solution)
        for below in self._by_size(tasks_below(self.task, solution)):
            self._submit(below)
        end = time.time() + self.run.remaining + GRACE
        while self.out or self.left:
            try:
                self._step(end)
            except KeyboardInterrupt:
                self.run.interrupt()

    def _step(self, end: float) -> None:
        if self.run.stop() and (self.run.is_called_off or time.time() > end):
            self._give_up()
        if self.left:
            _here(self.left, self.options, self.run, self.take)
        done, _ = wait(self.out, timeout=POLL, return_when=FIRST_COMPLETED)
        for future in sorted(done, key=lambda f: self.out[f][0].tree.root):
            self._collect(future)
        self.run.report("waiting for workers")

    def _collect(self, future: Future[list[NodeSolution]]) -> None:
        task, whole = self.out.pop(future)
        try:
            solutions = future.result()
        except Exception as error:
            if not is_lost(error):
                raise
            self._again(task, type(error).__name__)
            return
        for solution in solutions:
            self.take(solution)
        if not whole:
            for below in self._by_size(tasks_below(task, solutions[0])):
                self._submit(below)

    def _again(self, task: NodeTask, why: str) -> None:
        node = task.tree.root
        self.tries[node] = self.tries.get(node, 0) + 1
        where = "sent again" if self.tries[node] <= RETRIES else "carved here"
        self.run.note("retry", self.run.seconds, f"{node}: a worker was lost ({why}), {where}")
        if self.tries[node] <= RETRIES:
            self._submit(task)
        else:
            self.left.append(task)

    def _submit(self, task: NodeTask) -> None:
        whole = self.task.tree.depth - task.tree.depth >= self.cut or task.tree.depth == 1
        limit, deadline = self._limit(task, whole)
        try:
            self.out[self.executor.submit(solve_subtree, task, self.options, limit, whole, deadline)] = (task, whole)
        except (BrokenExecutor, RuntimeError):
            self.left.append(task)

    def _limit(self, task: NodeTask, whole: bool) -> tuple[float | None, float]:
        """Return seconds for a task by its share of the work, and when to stop at the latest."""
        if np.isinf(self.run.remaining):
            return None, np.inf
        total = max(work([task, *(other for other, _ in self.out.values())]), 1)
        mine = work([task]) if whole else task.instance.n_units
        share = min(1.0 if whole else 1.0 / task.tree.depth, self.workers * mine / total)
        return self.run.remaining * share, time.time() + self.run.remaining

    @staticmethod
    def _by_size(tasks: list[NodeTask]) -> list[NodeTask]:
        """Return the largest first, so that no straggler begins last."""
        return sorted(tasks, key=lambda t: (-work([t]), t.tree.root))

    def _give_up(self) -> None:
        """Take back what is out: it is carved here, in no time."""
        for future, (task, _) in self.out.items():
            future.cancel()
            self.left.append(task)
        self.out.clear()
