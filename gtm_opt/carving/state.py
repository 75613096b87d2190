"""What has to be kept of a carving, and the carving made again of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.carving.centers.scope import with_plan_centers
from gtm_opt.carving.certificate import Certificate, certify
from gtm_opt.carving.compile.compiled import compile_problem
from gtm_opt.carving.feasibility.nearest import make_possible
from gtm_opt.carving.options import CarveOptions, TreeOptions
from gtm_opt.carving.result import Carving
from gtm_opt.carving.tree.guide import Guide
from gtm_opt.carving.tree.levels import NodeSolution
from gtm_opt.carving.tree.settings import TreeSettings
from gtm_opt.errors import DataError, shorten
from gtm_opt.measures import evaluate, read_assignment
from gtm_opt.model.codec import encode
from gtm_opt.solvers import SolverResult, SolveStatus, Step, Termination

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_opt.carving.compile.compiled import Compiled
    from gtm_opt.instance import IntArray
    from gtm_opt.model import CarvingProblem, Hierarchy

__all__ = ["carving_state", "restore_carving", "without_proofs"]


def carving_state(carving: Carving, put: Callable[[pd.DataFrame, str], str]) -> dict[str, Any]:
    """Return what of a carving cannot be computed again, as JSON; tables go to ``put``."""
    certificate, options = carving.certificate, carving.options
    state = {
        "problem": carving.problem,
        "hierarchy": carving.hierarchy,
        "status": carving.status.value,
        "termination": carving.termination.value,
        "certificate": {
            "value": certificate.value,
            "bound": certificate.bound,
            "gap": certificate.gap,
            "source": certificate.source,
            "nearest": certificate.nearest,
            "bound_scope": certificate.bound_scope,
        },
        "notes": carving.notes,
        "provenance": carving.provenance,
        "options": options.replace(solver=options.solver_name),
        "widened": _is_widened(carving),
        "guides": {
            n: {"nodes": s.guide.nodes, "prices": s.guide.prices} for n, s in carving.solutions.items() if s.guide
        },
        "side_prices": {n: s.result.side_prices for n, s in carving.solutions.items()},
        "bounds": {n: s.result.bound for n, s in carving.solutions.items()},
    }
    return {key: encode(value, put, key) for key, value in state.items()}


def _is_widened(carving: Carving) -> bool:
    """Whether bands were widened for the nearest possible plan (so that loading widens them again)."""
    return carving.carved is not None


def without_proofs(carving: Carving, why: str) -> Carving:
    """Return a carving whose plan was edited: measured anew, and proven only as far as its own numbers go."""
    result = SolverResult(carving.unit_leaf)
    certificate = certify(carving.compiled.instance, result, carving.options.max_gap)
    ended = carving.termination
    return replace(
        carving,
        status=certificate.status,
        termination=Termination.FINISHED if ended is Termination.PROVED else ended,
        certificate=certificate,
        solutions={
            name: replace(
                s,
                certificate=replace(s.certificate, bound=-np.inf, gap=np.inf, status=SolveStatus.FEASIBLE),
                result=replace(s.result, bound=-np.inf),
            )
            for name, s in carving.solutions.items()
        },
        notes=(*carving.notes, f"{why}: what was proven then is not shown"),
    )


def restore_carving(state: dict[str, Any], get: Callable[[str], pd.DataFrame]) -> Carving:
    """Return the carving of a decoded state, measured anew; ``get`` returns the tables it was saved with."""
    problem: CarvingProblem = state["problem"]
    tree: Hierarchy = state["hierarchy"]
    options = _options(state)
    compiled = compile_problem(problem, tree.leaves)
    carved = make_possible(compiled)[0] if state["widened"] else None
    unit_leaf = _unit_leaf(problem, compiled, get("assignment"))
    compiled = with_plan_centers(compiled, unit_leaf)
    carved = None if carved is None else with_plan_centers(carved, unit_leaf)
    status = SolveStatus(state["status"])
    found = evaluate(compiled.instance, unit_leaf)
    known = state["certificate"] | {"value": found.objective}
    if known["bound"] > found.objective:  # of another plan: see `without_proofs`
        known |= {"bound": -np.inf, "gap": np.inf}
    certificate = Certificate(**known, status=status, evaluation=found)
    return Carving(
        problem=problem,
        hierarchy=tree,
        status=status,
        termination=Termination(state["termination"]),
        certificate=certificate,
        notes=tuple(state["notes"]),
        provenance=state["provenance"],
        compiled=compiled,
        solutions=_solutions(state, tree, compiled, unit_leaf, certificate, get),
        options=options,
        unit_leaf=unit_leaf,
        settings=TreeSettings(options.tree.tolerance_budget, options.tree.levels, compiled.cost_names),
        carved=carved,
    )


def _options(state: dict[str, Any]) -> CarveOptions:
    """Return the options of the carve; plans of release 0.1 hold them field by field."""
    saved = state["options"]
    if isinstance(saved, CarveOptions):
        return saved
    tree = TreeOptions(tolerance_budget=state.get("room", 0.5), levels=state.get("levels", {}))
    # an endless effort needs a limit, which that release did not save: what it took is the nearest thing
    limit = float(state["provenance"]["seconds"]) if np.isinf(saved["effort"]) else None
    named = {name: saved[name] for name in ("solver", "effort", "seed", "max_gap") if name in saved}
    return CarveOptions(**named, time_limit=limit, tree=tree)


def _unit_leaf(problem: CarvingProblem, compiled: Compiled, table: pd.DataFrame) -> IntArray:
    """Return the leaf of each unit (family) from the saved assignment."""
    labels = read_assignment(problem, table).reindex(compiled.problem.resolved.ids)
    leaves = pd.Index(compiled.territories.names).get_indexer(pd.Index(labels))
    first = compiled.units.members[compiled.units.start[:-1]]
    unit_leaf = leaves[first].astype(np.int64)
    torn = np.flatnonzero(unit_leaf[compiled.units.of_account] != leaves)
    if len(torn):
        ids = [str(labels.index[int(i)]) for i in torn]
        raise DataError(
            f"the saved assignment splits families that must stay together: {shorten(ids)}. "
            "Give the members one territory, or judge the table with gtm_opt.check."
        )
    return unit_leaf


def _solutions(
    state: dict[str, Any], tree: Hierarchy, compiled: Compiled, unit_leaf: IntArray, whole: Certificate, get: Any
) -> dict[str, NodeSolution]:
    """Return the solution of each divided node: its units, its prices, its certificate."""
    nodes, prices = get("nodes"), get("prices")
    columns = [c.name for c in compiled.columns]
    guides = state.get("guides", {})
    out = {}
    for row in nodes.itertuples():
        node = str(row.node)
        start, stop = tree.leaf_range(node)
        units = np.flatnonzero((unit_leaf >= start) & (unit_leaf < stop))
        children = tree.children(node)
        edges = np.array([tree.leaf_range(child)[1] for child in children])
        assignment = np.searchsorted(edges, unit_leaf[units], side="right").astype(np.int64)
        own = prices[prices["node"] == node]
        matrix = own["price"].to_numpy(dtype=float).reshape(len(children), len(columns)) if len(own) else None
        result = SolverResult(
            assignment=assignment,
            bound=float(state["bounds"][node]),
            prices=matrix,
            side_prices=state["side_prices"][node],
            termination=Termination(row.termination),
            steps=tuple(
                Step(s["step"], s["seconds"], s["note"]) for s in state["provenance"]["steps"] if s["node"] == node
            ),
        )
        certificate = replace(
            whole,
            value=float(row.value),
            bound=float(row.bound),
            gap=float(row.gap),
            source=str(row.bound_from),
            status=SolveStatus(row.status),
            evaluation=whole.evaluation if len(nodes) == 1 else None,
        )
        guide = guides.get(node)
        out[node] = NodeSolution(
            node, units, assignment, result, certificate, float(row.seconds), None if guide is None else Guide(**guide)
        )
    return out
