"""Part of a tree carved again: one subtree, or everything but what is frozen; and two trees compared."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.carving.centers.scope import has_free_centers, limit_scope
from gtm_opt.carving.options import CarveOptions
from gtm_opt.carving.progress import as_callback
from gtm_opt.carving.tree.flat_bound import flat_certificate
from gtm_opt.carving.tree.levels import NodeOptions
from gtm_opt.carving.tree.node import NodeTask, root_task
from gtm_opt.carving.tree.rebuild import leaf_of_unit, rebuild
from gtm_opt.carving.tree.schedule import carve_tree
from gtm_opt.carving.tree.settings import TreeSettings, check_levels
from gtm_opt.errors import DataError, InfeasibleError, shorten
from gtm_opt.model import Hierarchy
from gtm_opt.solvers import Run, SolveStatus, Termination
from gtm_opt.solvers.rounding.part import territories_instance

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from gtm_opt.carving.options import CarveKeywords, TreeOptions
    from gtm_opt.carving.result import Carving
    from gtm_opt.instance import IntArray

__all__ = ["compare_trees", "recarve_subtree"]


def recarve_subtree(
    carving: Carving,
    node: str | None = None,
    *,
    frozen: Sequence[str] = (),
    from_here: bool = True,
    options: CarveOptions | None = None,
    **keywords: Unpack[CarveKeywords],
) -> Carving:
    """Carve one subtree again, or everything but frozen subtrees; all other accounts stay where they are.

    Parameters
    ----------
    carving : Carving
    node : str, optional
        Root of the subtree; default: that of the whole tree.
    frozen : sequence of str
        Nodes (or leaves) below ``node`` that keep exactly the accounts they have.
    from_here : bool
        Begin from the present plan: the answer is then never worse. False: begin anew.
    options : CarveOptions, optional
        Default: those the carving was made with, without its executor and callback.
    **keywords
        Fields of `CarveOptions`, in place of those of ``options``.

    Returns
    -------
    Carving
        Of the whole tree; targets and bands of the leaves are those of the problem, as before.

    Raises
    ------
    DataError
        For unknown nodes, and when nothing is left to carve.
    """
    tree, flat = carving.hierarchy, (carving.carved or carving.compiled).instance
    top = tree.root if node is None else node
    held = _held_leaves(tree, top, frozen)
    start, stop = tree.leaf_range(top)
    leaves = np.array([k for k in range(start, stop) if k not in held], dtype=np.int64)
    if len(leaves) < 2:
        raise DataError(
            f"`node` must leave at least two territories to carve, got {len(leaves)} below '{top}'. "
            "Name a node with more leaves, or freeze fewer."
        )
    chosen = CarveOptions.of(options or carving.options, keywords)
    nodes = _without(tree.subtree(top), held, tree.leaves) if held else tree.subtree(top)
    inherited = chosen.tree.levels == carving.options.tree.levels
    settings = _settings(carving, nodes, chosen.tree, inherited)
    check_levels(nodes, settings, flat.names)
    units = np.flatnonzero(np.isin(carving.unit_leaf, leaves))
    task = _part_task(carving, nodes, units, leaves, from_here, settings)
    with as_callback(chosen.progress, nodes) as (callback, on_node):
        run = Run(chosen.time_limit, callback, chosen.cancel)
        found = carve_tree(task, NodeOptions.of(chosen, nodes), run, chosen.executor, on_node)
    inner = leaf_of_unit(nodes, flat.n_units, found)[units]
    if (inner < 0).any():
        raise InfeasibleError(f"No assignment that keeps all rules was found below '{top}'. Drop or loosen some rules.")
    unit_leaf = carving.unit_leaf.copy()
    unit_leaf[units] = leaves[inner]
    kept = settings if top == tree.root and not held else carving.settings
    whole = root_task(tree, flat, settings=kept)
    solutions = rebuild(whole, unit_leaf, carving.solutions | ({} if held else found), chosen.max_gap)
    certificate = flat_certificate(carving.compiled.instance, unit_leaf, run, chosen.seed, chosen.max_gap)
    if carving.carved is not None and certificate.status is SolveStatus.OUT_OF_BAND:
        # what was proven impossible stays so, whoever carves a part again
        certificate = replace(certificate, status=SolveStatus.INFEASIBLE)
    struck = run.struck or Termination.FINISHED
    note = f"carved again below {top}" + (f", {shorten(list(frozen))} frozen" if held else "")
    again = replace(
        carving,
        status=certificate.status,
        termination=struck,
        certificate=certificate,
        notes=(*carving.notes, note),
        provenance={**carving.provenance, "seconds": run.seconds},
        solutions=solutions,
        options=chosen.without_resources(),
        unit_leaf=unit_leaf,
        settings=kept,
    )
    chosen_centers = has_free_centers(carving.problem) and flat.evenness is None
    return limit_scope(again) if chosen_centers else again


def _settings(carving: Carving, tree: Hierarchy, options: TreeOptions, inherited: bool) -> TreeSettings:
    """Return the settings of the part: of levels that were set for the whole tree those that are in ``tree``."""
    levels = options.levels
    if inherited:
        levels = {name: level for name, level in levels.items() if name in tree.levels[1:]}
    return TreeSettings(options.tolerance_budget, levels, carving.compiled.cost_names)


def _held_leaves(tree: Hierarchy, top: str, frozen: Sequence[str]) -> set[int]:
    first, last = tree.leaf_range(top)
    held: set[int] = set()
    for name in frozen:
        start, stop = tree.leaf_range(name)
        if not (first <= start and stop <= last):
            raise DataError(f"`frozen` must name nodes below '{top}', got '{name}'.")
        held |= set(range(start, stop))
    return held


def _without(tree: Hierarchy, held: set[int], leaves: Sequence[str]) -> Hierarchy:
    """Return the tree without some leaves, and without nodes that have none left."""
    gone = {leaves[k] for k in held}
    kept = [n for n in tree.walk() if not set(tree.leaves_below(n)) <= gone]
    weight = dict(zip(tree.nodes, tree.weights, strict=True))
    return Hierarchy(
        tuple(kept),
        tuple(tree.parent(n) for n in kept),
        tuple(weight[n] for n in kept),
        tree.levels,
        tree.max_buckets,
    )


def _part_task(
    carving: Carving, tree: Hierarchy, units: IntArray, leaves: IntArray, from_here: bool, settings: TreeSettings
) -> NodeTask:
    part = territories_instance(carving.compiled.instance, carving.unit_leaf, units, leaves)
    at = np.searchsorted(leaves, carving.unit_leaf[units])
    task = root_task(tree, part, at if from_here else None, settings)
    return replace(task, units=units)


def compare_trees(before: Carving, after: Carving) -> pd.DataFrame:
    """Return one row per measure of two carves of the same accounts, whatever their trees.

    Returns
    -------
    DataFrame
        measure, before, after, difference: levels, nodes, territories, preference score, share of
        (territory, criterion) pairs within their band, worst deviation per criterion, share of
        accounts that change territory.
    """
    a, b = _measures(before), _measures(after)
    ids = before.labels.index
    if not ids.equals(after.labels.index):
        raise DataError("`after` must carve the same accounts as `before`, in the same order. Use changes() instead.")
    a["accounts that change territory"] = 0.0
    b["accounts that change territory"] = float((before.labels.to_numpy() != after.labels.to_numpy()).mean())
    table = pd.DataFrame({"measure": list(a | b)})
    table["before"] = [a.get(m, np.nan) for m in table["measure"]]
    table["after"] = [b.get(m, np.nan) for m in table["measure"]]
    table["difference"] = table["after"] - table["before"]
    return table


def _measures(carving: Carving) -> dict[str, float]:
    tree, criteria = carving.hierarchy, carving.criteria
    out = {
        "levels": float(tree.depth),
        "nodes divided": float(len(tree.nodes) - len(tree.leaves)),
        "territories": float(len(tree.leaves)),
        "preference score": carving.check.score,
        "within their bands": float(carving.balance["within"].mean()),
    }
    for row in criteria.to_dict("records"):
        if "worst_deviation" in row:
            out[f"worst deviation of {row['criterion']}"] = abs(float(row["worst_deviation"]))
    return out
