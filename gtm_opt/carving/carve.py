"""`carve`: the public entry point of carving."""

from __future__ import annotations

import logging
import platform
from dataclasses import replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gtm_opt.carving.centers.alternate import carve_with_centers, enumerated
from gtm_opt.carving.centers.enumeration import best_of_all
from gtm_opt.carving.centers.location import locate
from gtm_opt.carving.centers.scope import limit_scope, with_plan_centers
from gtm_opt.carving.certificate import certify, with_nearest
from gtm_opt.carving.compile.canonical import order_territories, order_tree
from gtm_opt.carving.compile.compiled import compile_problem, unit_positions
from gtm_opt.carving.compile.eligibility import EligibilityTerm
from gtm_opt.carving.feasibility.assess import NEAREST_HINT, assess, find_small_nearest
from gtm_opt.carving.feasibility.conflicts import why_infeasible
from gtm_opt.carving.options import CarveOptions
from gtm_opt.carving.result import Carving
from gtm_opt.carving.segments import Segments, decide
from gtm_opt.carving.tree.flat_bound import FULL_CELLS, flat_certificate
from gtm_opt.carving.tree.levels import NodeOptions, NodeSolution
from gtm_opt.carving.tree.nested import carve_nested
from gtm_opt.carving.tree.node import root_task
from gtm_opt.carving.tree.one_node import ONE_NODE_CELLS, SMALL_TREE_CELLS, as_one_node, unfold
from gtm_opt.carving.tree.rebuild import leaf_of_unit, rebuild
from gtm_opt.carving.tree.settings import TreeSettings, check_levels
from gtm_opt.errors import DataError, InfeasibleError, SolverError, percent_text, shorten
from gtm_opt.instance import ForbiddenTerm, PinTerm
from gtm_opt.measures import read_assignment
from gtm_opt.model import MAX_BUCKETS, Hierarchy
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.matches import match_notes
from gtm_opt.model.problem import require_problem
from gtm_opt.model.renamed import accept_renamed
from gtm_opt.solvers import Run, SolverResult, SolveStatus, Termination, get_solver

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    import pandas as pd

    from gtm_opt.carving.compile.compiled import Compiled
    from gtm_opt.carving.options import CarveKeywords
    from gtm_opt.carving.tree.node import NodeTask
    from gtm_opt.instance import Instance, IntArray
    from gtm_opt.model import CarvingProblem
    from gtm_opt.solvers import Solver
    from gtm_opt.solvers.exact.lexicographic import Nearest

__all__ = ["carve", "resolve_hierarchy"]

_log = logging.getLogger(__name__)


@accept_renamed(given="fixed_nodes")
@takes_tables(either=("start", "fixed_nodes"))
def carve(
    problem: CarvingProblem,
    *,
    hierarchy: Hierarchy | Segments | Literal["flat"] | None = None,
    fixed_nodes: pd.Series | Mapping[str, str] | None = None,
    start: pd.DataFrame | pd.Series | Mapping[str, str] | None = None,
    options: CarveOptions | None = None,
    **keywords: Unpack[CarveKeywords],
) -> Carving:
    """Carve accounts into territories.

    Parameters
    ----------
    problem : CarvingProblem
    hierarchy : Hierarchy, Segments or "flat", optional
        Carve down this tree, whose leaves are the territories. Default: one node for up to
        ``TreeOptions.max_buckets`` territories, else a balanced tree over them: neighbors together where
        the territories have centers, in the order of their names otherwise. It is a tree to look at where
        accounts x territories are at most 100,000: these are carved as one node.
        ``"flat"``: one node, however many.
    fixed_nodes : Series or mapping of str to str, optional
        Node of the hierarchy per account id: a level made by hand, below which to carve. Where every
        account is given a node, the leaves below share what their node has. The carving's problem
        keeps it as a rule `gtm_opt.Within`, as it keeps segments.
    start : DataFrame, Series or mapping, optional
        A plan to begin from (see `gtm_opt.measures.read_assignment`); the answer is never worse.
    options : CarveOptions, optional
        Solver, limits, seed, effort, executor, progress, and what only trees need.
    **keywords
        Fields of `CarveOptions`, in place of those of ``options``: ``carve(problem, time_limit=10, seed=1)``.

    Returns
    -------
    Carving

    Raises
    ------
    DataError
        When the hierarchy's leaves are not the problem's territories, or an argument is out of range.
    InfeasibleError
        When the request is provably impossible (unless ``on_infeasible="nearest"``).
    SolverError
        When the solver does not exist or cannot do what the problem asks for.

    Notes
    -----
    Lagrangian prices of the balance rows, rounding of the accounts they leave undecided, then
    compiled local search and exact re-splits; see the page on the carving engine. Ctrl-C returns the
    best plan found so far with ``termination`` ``interrupted``, a ``cancel`` switch with ``cancelled``.

    Examples
    --------
    >>> import pandas as pd
    >>> from gtm_opt.model import Balance, CarvingProblem
    >>> accounts = pd.DataFrame({"account_id": list("abcd"), "arr": [4.0, 3.0, 2.0, 1.0]})
    >>> carving = carve(CarvingProblem(accounts, 2, [Balance("arr")]))
    >>> carving.status.value, float(carving.criteria["worst_deviation"].abs().max())
    ('optimal', 0.0)
    """
    require_problem(problem)
    chosen = CarveOptions.of(options, keywords)
    get_solver(chosen.solver)
    _log.info("carving %d accounts into %d territories", problem.n_accounts, problem.territories.count)
    max_gap, on_infeasible = chosen.max_gap, chosen.on_infeasible
    problem, tree = resolve_hierarchy(problem, hierarchy, fixed_nodes, chosen.tree.max_buckets)
    from gtm_opt.carving.progress import as_callback

    full_tree = tree

    with as_callback(chosen.progress, tree) as (callback, on_node):
        run = Run(chosen.time_limit, callback, chosen.cancel)
        request = compile_problem(problem, tree.leaves)
        feasibility = assess(request)
        _log.info("checked feasibility in %.2f s: %d findings", run.seconds, len(feasibility.texts))
        if on_infeasible == "raise":
            feasibility.refuse()
        free, notes = feasibility.relax() if on_infeasible == "nearest" else (request, feasibility.texts)
        notes = (*notes, *match_notes(problem))
        begin = None if start is None else unit_positions(free, read_assignment(problem, start))
        _check_capabilities(get_solver(chosen.solver), free.instance)
        per_node = NodeOptions.of(chosen, tree)
        cost_names = (*free.cost_names, *("near" for _ in free.open_centers))
        settings = TreeSettings(chosen.tree.tolerance_budget, chosen.tree.levels, cost_names)
        check_levels(tree, settings, free.instance.names)

        most = ONE_NODE_CELLS if hierarchy is None and fixed_nodes is None else SMALL_TREE_CELLS
        deep = len(tree.nodes) > len(tree.leaves) + 1
        one = deep and chosen.solver == "auto" and not settings.levels and _cells(free) <= most
        if one:
            tree, per_node = as_one_node(full_tree), replace(per_node, nodes=1, one_node=True)

        def solve(closed: Compiled, begin: IntArray | None) -> tuple[NodeTask, dict[str, NodeSolution]]:
            task = root_task(tree, closed.instance, begin, settings)
            return task, carve_nested(task, per_node, run, chosen.executor, on_node)

        compiled, proof = free, None
        if not free.open_centers:
            task, solutions = solve(free, begin)
        else:
            proof = None if settings.levels else best_of_all(free)
            begin = proof if proof is not None else locate(free, tree, run, chosen.seed, chosen.effort, begin)
            compiled, task, solutions = carve_with_centers(free, tree, begin, solve, per_node)
        unit_leaf = leaf_of_unit(tree, request.units.count, solutions)
        asked = compiled if free is request else _close(request, unit_leaf)
        _log.info("carved %d nodes in %.2f s", len(solutions), run.seconds)
        nearest = _settle(asked, unit_leaf, begin, chosen, run)
    if nearest is not None and nearest.assignment is not None and not np.array_equal(nearest.assignment, unit_leaf):
        solutions = rebuild(task, nearest.assignment, solutions, max_gap)
        unit_leaf = nearest.assignment
        if free.open_centers:  # the models were about the centers of the plan before
            asked, nearest = with_plan_centers(request, unit_leaf), _without_objective(nearest)
    root = solutions[tree.root]
    infeasible = root.result.proved_infeasible or (nearest is not None and nearest.infeasible)
    if nearest is not None and nearest.kept:
        infeasible = False
    # "as even as possible" takes bands as a measure, rules and limits never
    refused = infeasible and (asked.instance.evenness is None or (nearest is not None and nearest.infeasible))
    if refused and on_infeasible == "raise":
        raise InfeasibleError(_why(problem, root, nearest), NEAREST_HINT)
    if (unit_leaf < 0).any():
        raise InfeasibleError(_nothing_found(solutions, nearest, run))
    carving = _assemble(problem, task, asked, solutions, chosen, run, list(notes), infeasible or feasibility.impossible)
    carving = replace(carving, carved=None if free is request else compiled)
    if nearest is not None:
        certificate = with_nearest(asked.instance, carving.certificate, nearest, max_gap)
        carving = replace(carving, certificate=certificate, status=certificate.status)
    flat_bound = chosen.tree.flat_bound
    if flat_bound is None:
        flat_bound = _cells(compiled) <= FULL_CELLS and not run.stop()
    carving = _with_flat_bound(carving, run) if flat_bound and len(solutions) > 1 else carving
    if one:
        carving = _by_level(carving, full_tree, solutions[tree.root], run)
    if free.open_centers and compiled.instance.evenness is None:
        carving = limit_scope(carving) if proof is None else enumerated(carving)
    certificate = carving.certificate
    _log.info(
        "carving is %s: value %.6g, bound %.6g, gap %.3g, %s after %.2f s",
        carving.status.value,
        certificate.value,
        certificate.bound,
        certificate.gap,
        carving.termination.value,
        run.seconds,
    )
    return carving


def _cells(compiled: Compiled) -> int:
    return compiled.instance.n_units * compiled.instance.n_territories


def _by_level(carving: Carving, tree: Hierarchy, whole: NodeSolution, run: Run) -> Carving:
    """Return a plan that was carved as one node as the tree it stands for."""
    task = root_task(tree, carving.compiled.instance, carving.unit_leaf, carving.settings)
    return replace(
        carving, hierarchy=tree, solutions=unfold(task, carving.unit_leaf, whole, carving.options.max_gap, run)
    )


def resolve_hierarchy(
    problem: CarvingProblem,
    hierarchy: Hierarchy | Segments | Literal["flat"] | None = None,
    fixed_nodes: pd.Series | Mapping[str, str] | None = None,
    max_buckets: int = MAX_BUCKETS,
) -> tuple[CarvingProblem, Hierarchy]:
    """Return the tree, and the problem with the rule that segments or a level made by hand stand for."""
    if isinstance(hierarchy, Segments):
        if fixed_nodes is not None:
            raise DataError("`fixed_nodes` and segments both decide a level: use one of them.")
        tree = order_tree(hierarchy.hierarchy(problem))
        return decide(problem, tree, hierarchy), tree
    tree = order_tree(_tree(problem, hierarchy, max_buckets))
    return (problem if fixed_nodes is None else decide(problem, tree, fixed_nodes)), tree


def _with_flat_bound(carving: Carving, run: Run) -> Carving:
    flat = carving.compiled.instance
    found = flat_certificate(flat, carving.unit_leaf, run, carving.options.seed, carving.options.max_gap)
    if not found.bound > carving.certificate.bound:
        return carving
    per = 1 if flat.evenness is not None else carving.problem.n_accounts
    note = (
        f"tree decomposition and whole accounts cost at most {percent_text(found.gap)} (proven bound over all "
        f"{flat.n_territories} territories: {found.bound / per:.4g})"
    )
    status = carving.status if carving.status is SolveStatus.INFEASIBLE else found.status
    notes = (*carving.notes, note) if np.isfinite(found.gap) else carving.notes
    return replace(carving, certificate=replace(found, status=status), status=status, notes=notes)


def _check_capabilities(solver: Solver, instance: Instance) -> None:
    """Refuse what a solver would silently break; what it does not balance or prefer is its weakness only."""
    can = solver.capabilities
    rules = bool(instance.apart) or any(
        isinstance(term, PinTerm | ForbiddenTerm | EligibilityTerm) for term in instance.cost
    )
    for asked, able, what in (
        (rules, can.rules, "pins, forbids, teams and groups kept apart"),
        (bool(instance.side), can.side_rows, "limits on what moves (MaxMoved)"),
        (instance.by_territory, can.by_territory, "activities that depend on the territory"),
    ):
        if asked and not able:
            raise SolverError(f"solver='{solver.name}' does not know {what}. Leave them out, or use solver='auto'.")


def _why(problem: CarvingProblem, root: NodeSolution, nearest: Nearest | None) -> str:
    """Return why a solver proved the request impossible."""
    if nearest is not None and nearest.infeasible:
        return why_infeasible(problem)
    return why_infeasible(problem, root.result.steps[-1].name if root.result.steps else "the solver")


def _tree(problem: CarvingProblem, hierarchy: Hierarchy | Literal["flat"] | None, max_buckets: int) -> Hierarchy:
    territories = order_territories(problem.territories)
    names, shares = territories.names, territories.shares
    root = "all" if "all" not in names else "(all)"
    if hierarchy is None and territories.centers is not None and len(names) > max_buckets:
        return Hierarchy.by_place(territories, root=root, max_buckets=max_buckets)
    if hierarchy is None:
        return Hierarchy.split(names, weights=shares, root=root, max_buckets=max_buckets)
    if hierarchy == "flat":
        return Hierarchy.split(names, weights=shares, root=root, max_buckets=max(2, len(names)))
    if not isinstance(hierarchy, Hierarchy):
        raise TypeError(f"`hierarchy` takes a Hierarchy, 'flat' or None, got {hierarchy!r}.")
    missing = sorted(set(names) - set(hierarchy.leaves))
    extra = sorted(set(hierarchy.leaves) - set(names))
    if missing or extra:
        text = f" Territories without a leaf: {shorten(missing)}." if missing else ""
        text += f" Leaves without a territory: {shorten(extra)}." if extra else ""
        raise DataError(
            f"`hierarchy` must have the territories as its leaves.{text}\n"
            "    Build both from the same table, or use Territories.from_hierarchy(tree)."
        )
    return hierarchy


def _close(request: Compiled, unit_leaf: IntArray) -> Compiled:
    """Return the request with the centers of a plan; as it is where there is no plan."""
    return request if (unit_leaf < 0).any() else with_plan_centers(request, unit_leaf)


def _without_objective(nearest: Nearest) -> Nearest:
    """Return what was proven about rules and bands alone."""
    stages = tuple(replace(s, bound=-np.inf) if s.name == "objective" else s for s in nearest.stages)
    return replace(nearest, stages=stages, proven=False)


def _settle(
    asked: Compiled, unit_leaf: IntArray, begin: IntArray | None, options: CarveOptions, run: Run
) -> Nearest | None:
    """Return the nearest plan, by proof, of a small problem whose plan does not keep everything."""
    if options.solver_name != "auto":
        return None
    found = unit_leaf if (unit_leaf >= 0).all() else begin
    return find_small_nearest(asked.instance, run, found, options.effort)


def _nothing_found(solutions: dict[str, NodeSolution], nearest: Nearest | None, run: Run) -> str:
    """Return why there is no plan at all."""
    if nearest is not None and nearest.rules_impossible:
        return (
            "No assignment keeps pins, forbids, teams and accounts kept apart, whatever the bands: proven by an exact "
            "model. Drop or loosen some of these rules."
        )
    failed = [s.node for s in solutions.values() if not len(s.assignment)]
    why = ". Drop or loosen some rules."
    if run.struck:
        why = f" before the run was {run.struck}." if run.is_called_off else " before the time limit. Allow more time."
    return f"No assignment that keeps all rules was found below {shorten(failed)}{why}"


def _assemble(
    problem: CarvingProblem,
    task: NodeTask,
    compiled: Compiled,
    solutions: dict[str, NodeSolution],
    options: CarveOptions,
    run: Run,
    notes: list[str],
    proved_infeasible: bool,
) -> Carving:
    tree = task.tree
    unit_leaf = leaf_of_unit(tree, compiled.units.count, solutions)
    root = solutions[tree.root]
    notes = [*notes, *(f"{step.name}: {step.note}" for step in run.steps if step.name in ("retry", "polish"))]
    certificate = root.certificate
    if len(solutions) > 1 or task.instance is not compiled.instance:
        certificate = certify(compiled.instance, SolverResult(unit_leaf), options.max_gap)
    status = certificate.status
    if proved_infeasible and status in (SolveStatus.OUT_OF_BAND, SolveStatus.NO_SOLUTION):
        status = SolveStatus.INFEASIBLE
    return Carving(
        problem=problem,
        hierarchy=tree,
        status=status,
        termination=_termination(solutions, run, certificate.gap),
        certificate=replace(certificate, status=status),
        notes=tuple(notes),
        provenance=_provenance(problem, options, run, solutions),
        compiled=compiled,
        solutions=solutions,
        options=options.without_resources(),
        unit_leaf=unit_leaf,
        settings=task.settings,
    )


def _termination(solutions: dict[str, NodeSolution], run: Run, gap: float) -> Termination:
    reasons = [s.result.termination for s in solutions.values()]
    for worst in (Termination.INTERRUPTED, Termination.CANCELLED, Termination.TIME_LIMIT, Termination.FINISHED):
        if worst in reasons or run.struck is worst:
            return worst
    # that every node is proven best proves nothing about the tree as a whole
    return Termination.PROVED if len(solutions) == 1 or gap == 0.0 else Termination.FINISHED


def _provenance(
    problem: CarvingProblem, options: CarveOptions, run: Run, solutions: dict[str, NodeSolution]
) -> dict[str, Any]:
    return {
        "gtm_opt": _version("gtm-opt"),
        "python": platform.python_version(),
        **{name: _version(name) for name in ("numpy", "scipy", "pandas", "numba", "ortools", "pulp")},
        **_machine(),
        "solver": options.solver_name,
        "seed": options.seed,
        "effort": options.effort,
        "fingerprint": problem.fingerprint,
        "seconds": run.seconds,
        "steps": [
            {"node": node, "step": step.name, "seconds": step.seconds, "note": step.note}
            for node, solution in solutions.items()
            for step in solution.result.steps
        ],
    }


@cache
def _machine() -> dict[str, str]:
    """Return the processor and the BLAS, on which the last bits of a sum may depend."""
    config: Any = np.show_config(mode="dicts")
    blas = config.get("Build Dependencies", {}).get("blas", {})
    vectors = config.get("SIMD Extensions", {}).get("found", [])
    return {
        "processor": " ".join((platform.system(), platform.machine(), *vectors[-1:])),
        "blas": " ".join(str(blas.get(key, "unknown")) for key in ("name", "version")),
    }


@cache
def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
