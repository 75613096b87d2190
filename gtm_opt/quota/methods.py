"""Named ways in which siblings share what their parent hands down, and one's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.errors import Findings
    from gtm_opt.quota.layers import Layer, Layers

    IntArray = NDArray[np.int64]
    FloatArray = NDArray[np.float64]

__all__ = ["METHODS", "Method", "desired_amounts", "methods_of_families", "needs_prior", "rules_of_families"]

Method = str | Callable[[pd.DataFrame, float], Any]

METHODS = ("proportional", "same_growth", "fair_share_growth", "growth_by_potential")
_PRIOR = METHODS[1:]


def rules_of_families(
    default: Any, at: Mapping[str, Any] | None, where: str, layers: Layers, found: Findings
) -> tuple[list[Any], IntArray]:
    """Return the distinct rules, and which of them holds below each node.

    Keys of ``at`` are nodes (the edge below the node; wins) or levels (the edge into the level).
    """
    rules, which = [default], np.zeros(len(layers), dtype=np.int64)
    if not at:
        return rules, which
    levels, ids = set(layers.level), {node: n for n, node in enumerate(layers.ids)}
    into: dict[str, int] = {}
    below: dict[int, int] = {}
    for key, rule in at.items():
        if key in levels and key in ids:
            found.add(where, "must not use a name that is both a level and a node", got=f"'{key}'")
        elif key in ids:
            below[ids[key]] = len(rules)
        elif key in levels:
            into[str(key)] = len(rules)
        else:
            remedy = did_you_mean(key, [*dict.fromkeys(layers.level), *layers.ids])
            found.add(where, "must name levels or nodes of the tree", got=f"'{key}'", remedy=remedy)
        rules.append(rule)
    mixed = []
    for layer in layers.down():
        first = layer.nodes.start
        ends = [*layer.starts[1:], len(layer.group)]
        for parent, start, stop in zip(layer.parents.tolist(), layer.starts, ends, strict=True):
            rule_of = {into.get(layers.level[first + c], 0) for c in range(start, stop)}
            if parent not in below and len(rule_of) > 1:
                mixed.append(layers.ids[parent])
            which[parent] = below.get(parent, max(rule_of))
    if mixed:
        remedy = "Name these nodes."
        found.add(where, "must be the same for all children of a node", rows=mixed, kind="node", remedy=remedy)
    return rules, which


def methods_of_families(
    method: Method | Mapping[str, Method], layers: Layers, found: Findings
) -> tuple[list[Method], IntArray]:
    """Return the methods, and which of them is used below each node."""
    at = method if isinstance(method, Mapping) else None
    default: Method = "proportional" if at is not None else method  # type: ignore[assignment]
    rules, which = rules_of_families(default, at, "method", layers, found)
    for rule in rules:
        if not callable(rule) and rule not in METHODS:
            remedy = did_you_mean(rule, METHODS)
            found.add("method", "must be a named method or a function", got=repr(rule), remedy=remedy)
    return rules, which


def needs_prior(methods: list[Method]) -> bool:
    """Whether any of the methods starts from last year's amounts."""
    return any(callable(method) or method in _PRIOR for method in methods)


def desired_amounts(
    methods: list[Method],
    which: IntArray,
    totals: IntArray,
    weight: FloatArray,
    prior: FloatArray,
    layer: Layer,
    layers: Layers,
    unit: int,
) -> FloatArray:
    """Return what each node of a layer would get before bounds, in units; sums to the total of its family.

    Notes
    -----
    ``T`` is the total of a family, ``b`` last year's amounts, ``w`` the weights among the siblings:

    - ``proportional``: ``T w``
    - ``same_growth``: ``T b / sum b``, last year plus the same for everybody
    - ``fair_share_growth``: ``b + (T - sum b) w``: the base is kept, growth goes by weight
    - ``growth_by_potential``: ``b + (T - sum b) h / sum h`` with ``h = max(w T' - b, 0)`` and ``T' = max(T, sum b)``:
      growth goes where the share of the weights is ahead of last year's

    Where last year is zero for a whole family, and where a decline would take more than there is, shares go by
    weight, and never below zero.
    """
    group, starts = layer.group, layer.starts
    amounts = totals[group] * weight
    base = prior / unit
    before = np.add.reduceat(base, starts)
    growth = totals - before
    for number, method in enumerate(methods):
        families = (which[layer.parents] == number) & (before > 0 if method in _PRIOR else True)
        rows = families[group]
        if method == "proportional" or not rows.any():
            continue
        if callable(method):
            _call(method, np.flatnonzero(families), totals, weight, prior, layer, layers, unit, amounts)
            continue
        if method == "same_growth":
            wanted = totals[group] * base / np.where(before > 0, before, 1.0)[group]
        elif method == "fair_share_growth":
            wanted = base + growth[group] * weight
        else:
            ahead = np.maximum(weight * np.maximum(totals, before)[group] - base, 0.0)
            room = np.add.reduceat(ahead, starts)
            share = np.where((room > 0)[group], ahead / np.where(room > 0, room, 1.0)[group], weight)
            # a decline goes by weight
            wanted = base + growth[group] * np.where((growth >= 0)[group], share, weight)
        wanted = np.maximum(wanted, 0.0)
        reached = np.add.reduceat(wanted, starts)
        scaled = wanted * (totals / np.where(reached > 0, reached, 1.0))[group]
        amounts = np.where(rows & (reached > 0)[group], scaled, amounts)
    return amounts


def _call(
    method: Callable[[pd.DataFrame, float], Any],
    families: IntArray,
    totals: IntArray,
    weight: FloatArray,
    prior: FloatArray,
    layer: Layer,
    layers: Layers,
    unit: int,
    amounts: FloatArray,
) -> None:
    """Ask a function for the amounts of each family, in place; what it returns counts as shares of the total."""
    ends = np.append(layer.starts[1:], len(layer.group))
    for family in families.tolist():
        rows = slice(int(layer.starts[family]), int(ends[family]))
        ids = [layers.ids[layer.nodes.start + n] for n in range(rows.start, rows.stop)]
        frame = pd.DataFrame({"node_id": ids, "weight_frac": weight[rows], "prior": prior[rows]})
        name = getattr(method, "__name__", "method")
        wanted = np.asarray(method(frame, float(totals[family]) * unit), dtype=np.float64)
        right = wanted.shape == (len(ids),) and np.isfinite(wanted).all() and (wanted >= 0).all() and wanted.sum() > 0
        if not right:
            parent = layers.ids[int(layer.parents[family])]
            raise DataError(
                f"method '{name}' must return one finite amount per child, none negative and not all zero; "
                f"below '{parent}' it returned {wanted.tolist()} for {len(ids)} children."
            )
        amounts[rows] = float(totals[family]) * wanted / wanted.sum()
