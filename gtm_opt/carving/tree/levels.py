"""Carving one node of a tree, or a subtree node by node."""

from __future__ import annotations

import time
import zlib
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.carving.certificate import Certificate, certify
from gtm_opt.carving.tree.guide import GUIDE_ROUNDS, find_guide, guided
from gtm_opt.carving.tree.node import children_tasks, node_instance, node_start
from gtm_opt.measures import evaluate
from gtm_opt.solvers import Run, SolverResult, get_solver
from gtm_opt.solvers.entry import settle_unplaceable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gtm_opt.carving.options import CarveOptions
    from gtm_opt.carving.tree.guide import Guide
    from gtm_opt.carving.tree.node import NodeTask
    from gtm_opt.instance import Instance, IntArray
    from gtm_opt.model import Hierarchy
    from gtm_opt.solvers import Solver

__all__ = [
    "NodeOptions",
    "NodeSolution",
    "node_seed",
    "solve_node",
    "solve_subtree",
    "tasks_below",
    "time_share",
    "work",
]

FULL_NODES = 4
"""Up to this many nodes each gets the full search; the more there are, the less each."""
SMALL_TREE = 30
"""Larger trees leave what is out of band to the polish."""
TREE_GAP = 1e-3
MOST_TREE_GAP = 0.03
ONE_NODE_GAP, ONE_NODE_SEARCH = 5e-4, 0.2
"""Of many territories carved as one node: they cost no more than the tree they take the place of."""
TREE_SEARCH_UNITS = 4_000
"""Inner nodes above this are decided by prices and rounding: their gaps are small, and what is below matters more."""


@dataclass(frozen=True)
class NodeOptions:
    """How to solve each node: what of `CarveOptions` travels to the workers.

    Attributes
    ----------
    solver : str or Solver
    seed : int
    effort : float
    max_gap : float
        A fraction; see `gtm_opt.carve`.
    nodes : int
        How many nodes the whole tree divides.
    one_node : bool
        A tree that was not asked for is carved as one node, with the search that its nodes would have had.
    """

    solver: str | Solver
    seed: int
    effort: float
    max_gap: float = 0.0
    nodes: int = 1
    one_node: bool = False

    @classmethod
    def of(cls, options: CarveOptions, tree: Hierarchy) -> NodeOptions:
        """Return what the nodes of ``tree`` need of the options of a carve."""
        count = len(tree.nodes) - len(tree.leaves)
        return cls(options.solver, options.seed, options.effort, options.max_gap, count)

    @property
    def solver_name(self) -> str:
        """Name of the solver."""
        return self.solver if isinstance(self.solver, str) else self.solver.name

    @property
    def method(self) -> Solver:
        """The solver of a node: in a tree ``auto`` spends less on each node the more there are."""
        if self.solver != "auto" or (self.nodes == 1 and not self.one_node):
            return get_solver(self.solver)
        from gtm_opt.solvers.portfolio import MENDING_ROUNDS, PortfolioSolver

        if self.one_node:
            return PortfolioSolver(max(ONE_NODE_GAP, self.max_gap), search_effort=ONE_NODE_SEARCH)

        many = max(1.0, self.nodes / FULL_NODES)
        mending = MENDING_ROUNDS if self.nodes <= SMALL_TREE else 0
        return PortfolioSolver(min(TREE_GAP * many, MOST_TREE_GAP), TREE_SEARCH_UNITS, 1.0 / many, mending)


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
    guide : Guide or None
        Prices of the slack below that the node was steered by.
    """

    node: str
    units: IntArray
    assignment: IntArray
    result: SolverResult
    certificate: Certificate
    seconds: float
    guide: Guide | None = None


def node_seed(seed: int, node: str) -> int:
    """Return the seed of a node: depends on the seed and the node's name only."""
    return int(np.random.SeedSequence([seed, zlib.crc32(node.encode())]).generate_state(1)[0])


def solve_node(task: NodeTask, options: NodeOptions, run: Run) -> NodeSolution:
    """Carve the root of a subtree.

    Notes
    -----
    A run that was stopped before still gets an answer: solvers return what they have in no time.
    """
    begin = run.seconds
    plain = node_instance(task)
    seed = node_seed(options.seed, task.tree.root)
    guide = find_guide(task, seed, GUIDE_ROUNDS if options.nodes <= SMALL_TREE else GUIDE_ROUNDS // 2)
    instance = guided(task, plain, guide)
    result = settle_unplaceable(instance, run)
    if result is None:
        result = options.method(instance, run=run, seed=seed, effort=options.effort, start=node_start(task))
    if result.assignment is None:
        result = replace(result, assignment=_least_moved(instance))
    assignment = np.zeros(0, dtype=np.int64) if result.assignment is None else result.assignment
    certificate = certify(instance, result, options.max_gap)
    return NodeSolution(task.tree.root, task.units, assignment, result, certificate, run.seconds - begin, guide)


def tasks_below(task: NodeTask, solution: NodeSolution) -> list[NodeTask]:
    """Return the tasks of the children that are divided further."""
    if not len(solution.assignment):
        return []
    # without side rows nothing of the node's own instance is needed
    instance = node_instance(task) if task.instance.side else task.instance
    return children_tasks(task, instance, solution.assignment)


def _least_moved(instance: Instance) -> IntArray | None:
    """Return the assignment that uses least of the side rows, whatever its balance; None if it breaks a rule.

    A solver that found nothing still leaves a plan that keeps the rules, out of band.
    """
    at = np.empty(instance.n_units, dtype=np.int64)
    for rows in instance.chunks():
        forbidden = ~np.isfinite(instance.cost_block(rows))
        use = np.zeros(forbidden.shape)
        for row in instance.side:
            use += row.term.block(rows) / max(row.upper, 1e-9)
        use[forbidden] = np.inf
        at[rows] = use.argmin(axis=1)
    return at if evaluate(instance, at).rules_kept else None


def solve_subtree(
    task: NodeTask, options: NodeOptions, time_limit: float | None, whole: bool, deadline: float = np.inf
) -> list[NodeSolution]:
    """Carve a subtree (or, unless ``whole``, only its root); runs in a worker.

    ``deadline`` is a reading of ``time.time()``: a task that waited in the queue has less than its limit.
    """
    limit = time_limit if np.isinf(deadline) else max(0.0, min(time_limit or np.inf, deadline - time.time()))
    run = Run(limit)
    done: list[NodeSolution] = []
    queue = deque([task])
    while queue:
        at = queue.popleft()
        solution = solve_node(at, options, time_share(at, run, queue))
        done.append(solution)
        if whole:
            queue.extend(tasks_below(at, solution))
    return done


def work(tasks: Iterable[NodeTask]) -> int:
    """Return what is to do, in units times levels."""
    return sum(t.instance.n_units * t.tree.depth for t in tasks)


def time_share(task: NodeTask, run: Run, others: Iterable[NodeTask]) -> Run:
    """Return the run of one node: its own numbers, and of the time left a share by work."""
    if np.isinf(run.remaining):
        return run.within(np.inf, report=True)
    total = work([task, *others])
    return run.within(run.remaining * task.instance.n_units / max(total, 1), report=True)
