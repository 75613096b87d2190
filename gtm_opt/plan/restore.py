"""Loading a saved plan: the manifest checked, the tables verified, the objects made again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.carving import CarveOptions, Carving, Certificate, TreeOptions, compile_problem
from gtm_opt.carving.centers.scope import with_plan_centers
from gtm_opt.carving.certificate import certify
from gtm_opt.carving.feasibility.nearest import make_possible
from gtm_opt.carving.tree.guide import Guide
from gtm_opt.carving.tree.levels import NodeSolution
from gtm_opt.carving.tree.settings import TreeSettings
from gtm_opt.errors import DataError, shorten
from gtm_opt.measures import evaluate, read_assignment
from gtm_opt.plan.codec import decode
from gtm_opt.plan.store import KIND, MANIFEST, SCHEMA, checksum, seal
from gtm_opt.plan.table_io import read_table
from gtm_opt.solvers import SolverResult, SolveStatus, Step, Termination

if TYPE_CHECKING:
    from os import PathLike

    from gtm_opt.carving import Compiled
    from gtm_opt.instance import IntArray
    from gtm_opt.model import CarvingProblem, Hierarchy
    from gtm_opt.plan.plan import Plan

__all__ = ["load_plan"]

_NAMED_USD = ("capacity", "quotas")
"""Tables of a plan whose amounts ended in ``_usd`` up to schema 1."""


def _present_name(column: str) -> str:
    return {"plan_usd": "target"}.get(column, column.removesuffix("_usd"))


def load_plan(folder: str | PathLike[str], verify: bool) -> Plan:
    """Read the folder of a saved plan."""
    from gtm_opt.plan.plan import Plan

    root = Path(folder)
    manifest = read_manifest(root)
    _check_files(root, manifest, verify)
    cache: dict[str, pd.DataFrame] = {}

    def get(name: str) -> pd.DataFrame:
        if name not in manifest["tables"]:
            raise DataError(f"the saved plan in '{root}' lacks the table '{name}'. Save it again.")
        if name not in cache:
            meta = manifest["tables"][name]
            cache[name] = read_table(root / meta["file"], meta, manifest["format"])
            if int(manifest["schema"]) < 2 and name in _NAMED_USD:
                cache[name].columns = cache[name].columns.map(_present_name)
        return cache[name]

    state = manifest["plan"]
    carving = _carving(decode(state["carving"], get), get)
    if not _is_untouched(root, manifest):
        carving = _without_proofs(carving)
    further = (decode(state.get(part), get) for part in ("staffing", "capacity", "quotas", "roles", "people"))
    return Plan(carving, *further)


def read_manifest(root: Path) -> dict[str, Any]:
    """Return the manifest, or say why this folder cannot be read.

    Raises
    ------
    DataError
        For a folder without a manifest, a broken one, and one of a newer schema.
    """
    path = root / MANIFEST
    if not path.is_file():
        what = "no such folder" if not root.is_dir() else f"no {MANIFEST} in it"
        raise DataError(f"`folder` must hold a saved plan, got '{root}': {what}. Give the folder that Plan.save wrote.")
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        schema = int(manifest["schema"])
        kind = manifest["kind"]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"'{path}' is not the manifest of a plan, or was damaged: {error}. Save the plan again."
        ) from error
    if kind != KIND:
        raise DataError(f"'{path}' describes a '{kind}', not a {KIND}.")
    if schema > SCHEMA:
        raise DataError(
            f"the plan in '{root}' was saved with schema {schema} (gtm_opt {manifest.get('gtm_opt', '?')}), this "
            f"version reads up to schema {SCHEMA}. Upgrade gtm_opt to load it; nothing was read."
        )
    return manifest


def _check_files(root: Path, manifest: dict[str, Any], verify: bool) -> None:
    files = {meta["file"]: meta["sha256"] for meta in manifest["tables"].values()}
    missing = [name for name in files if not (root / name).is_file()]
    if missing:
        raise DataError(
            f"the saved plan in '{root}' lacks {len(missing)} files: {shorten(missing)}. Restore or save again."
        )
    if not verify:
        return
    changed = [name for name, expected in files.items() if checksum(root / name) != expected]
    if changed:
        raise DataError(
            f"{len(changed)} files in '{root}' were changed after the plan was saved: {shorten(changed)}.\n"
            "    Restore them, or pass verify=False to take the edited tables as they are."
        )


def _is_untouched(root: Path, manifest: dict[str, Any]) -> bool:
    """Whether manifest and tables are those that were saved (plans before schema 2 have no seal: their tables are)."""
    if ("seal" in manifest or int(manifest["schema"]) >= 2) and manifest.get("seal") != seal(manifest):
        return False
    return all(checksum(root / meta["file"]) == meta["sha256"] for meta in manifest["tables"].values())


def _without_proofs(carving: Carving) -> Carving:
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
        notes=(*carving.notes, "the files were changed after the plan was saved: what was proven then is not shown"),
    )


def _carving(state: dict[str, Any], get: Any) -> Carving:
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
    if known["bound"] > found.objective:  # of another plan: see `_without_proofs`
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
