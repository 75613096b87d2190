"""Leaves outside their bands: exchange with the nearest other leaves, across the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.carving.tree.levels import node_seed
from gtm_opt.measures import evaluate, rank, territory_totals
from gtm_opt.solvers.portfolio import PortfolioSolver
from gtm_opt.solvers.rounding.part import territories_instance

if TYPE_CHECKING:
    from gtm_opt.carving.tree.node import NodeTask
    from gtm_opt.instance import FloatArray, Instance, IntArray
    from gtm_opt.solvers import Run

__all__ = ["leaf_excess", "polish_leaves"]

PARTNERS = 4
MOST_UNITS = 6_000
MOST_REPAIRS = 60
LOOKED_AT = 300
"""Units of a leaf that are asked where else they would fit."""


def leaf_excess(instance: Instance, unit_leaf: IntArray) -> FloatArray:
    """Return the relative excess of each leaf outside its hard bands, summed over criteria."""
    totals = territory_totals(instance, unit_leaf)
    scale = np.where(instance.target > 0, instance.target, 1.0)
    excess = np.maximum(totals - instance.upper, 0.0) + np.maximum(instance.lower - totals, 0.0)
    hard = np.isinf(instance.penalty)
    out: FloatArray = np.where(excess > 1e-9 * scale, excess / scale, 0.0)[:, hard].sum(axis=1)
    return out


def polish_leaves(task: NodeTask, unit_leaf: IntArray, run: Run, seed: int, effort: float = 1.0) -> IntArray:
    """Return leaves with less outside the bands: small flat carves around each leaf that is outside.

    Parameters
    ----------
    task : NodeTask
        The root of the tree.
    unit_leaf : ndarray of int, shape (n_units,)
    run : Run
    seed : int
    effort : float

    Returns
    -------
    ndarray of int, shape (n_units,)
        Never worse: rules first, then the bands tier by tier, then the objective.

    Notes
    -----
    The worst leaf first, once each, up to `MOST_REPAIRS`: it and the `PARTNERS` leaves where its units would be
    cheapest (siblings or not) are carved again as one flat node, everything else staying. Pins,
    families, side rows and groups kept apart hold as in any carve. Deterministic.
    """
    flat = task.instance
    if flat.evenness is not None or flat.n_territories < 3 or (unit_leaf < 0).any():
        return unit_leaf
    at = unit_leaf.copy()
    seen = np.zeros(flat.n_territories, dtype=bool)
    since, repaired = run.seconds, 0
    for _ in range(MOST_REPAIRS):
        excess = np.where(seen, 0.0, leaf_excess(flat, at))
        worst = int(excess.argmax())
        if excess[worst] <= 0.0 or run.stop():
            break
        seen[worst] = True
        repaired += _repair(task, at, worst, run, seed, effort)
    if seen.any():
        run.note("polish", since, f"{repaired} of {int(seen.sum())} leaves outside their bands came closer")
    return at


def _repair(task: NodeTask, at: IntArray, leaf: int, run: Run, seed: int, effort: float) -> bool:
    """Carve a leaf and its nearest others again, in place; return whether that was better."""
    flat = task.instance
    leaves = np.sort(np.append(_partners(flat, at, leaf), leaf))
    units = np.flatnonzero(np.isin(at, leaves))
    while len(units) > MOST_UNITS and len(leaves) > 2:
        leaves = np.sort(np.append(leaves[leaves != leaf][: len(leaves) - 2], leaf))
        units = np.flatnonzero(np.isin(at, leaves))
    part = territories_instance(flat, at, units, leaves)
    before = np.searchsorted(leaves, at[units])
    solver = PortfolioSolver(3e-2, MOST_UNITS, 0.05, 0)
    name = task.tree.leaves[leaf]
    found = solver(part, run=run.within(run.remaining), seed=node_seed(seed, name), effort=effort, start=before)
    if found.assignment is None or rank(part, evaluate(part, found.assignment)) >= rank(part, evaluate(part, before)):
        return False
    # what one leaf has too much of shall not put several others a little outside instead
    if (leaf_excess(part, found.assignment) > 0).sum() > (leaf_excess(part, before) > 0).sum():
        return False
    at[units] = leaves[found.assignment]
    return True


def _partners(flat: Instance, at: IntArray, leaf: int) -> IntArray:
    """Return the leaves nearest to the units of one: the cheapest others for them on average."""
    inside = np.flatnonzero(at == leaf)
    if not len(inside):
        # nobody is here: those who would like to come are asked
        inside = np.arange(flat.n_units)
    step = max(1, len(inside) // LOOKED_AT)
    cost = flat.cost_block(inside[::step])
    if not len(flat.cost) or not np.isfinite(cost).any():
        return np.array([k for k in _around(leaf, flat.n_territories)][:PARTNERS])
    allowed = np.isfinite(cost)
    mean = np.where(allowed, cost, 0.0).sum(axis=0) / np.maximum(allowed.sum(axis=0), 1)
    share = allowed.mean(axis=0)
    mean = np.where(share > 0.05, mean, np.inf)
    mean[leaf] = np.inf
    order = np.lexsort((np.abs(np.arange(len(mean)) - leaf), mean))
    return order[np.isfinite(mean[order])][:PARTNERS].astype(np.int64)


def _around(leaf: int, count: int) -> list[int]:
    """Return the other leaves, those beside it in the tree first."""
    return sorted((k for k in range(count) if k != leaf), key=lambda k: (abs(k - leaf), k))
