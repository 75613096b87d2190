"""One order of accounts and territories, whatever the order of their rows: what a plan may depend on is data only."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.model import Hierarchy, Territories

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gtm_opt.instance import IntArray
    from gtm_opt.model import CarvingProblem

__all__ = ["natural_order", "order_accounts", "order_territories", "order_tree", "take_territories"]

_NUMBER = re.compile(r"(\d+)")


def natural_order(names: Sequence[str]) -> list[int]:
    """Return positions that sort names, numbers inside them by value.

    Examples
    --------
    >>> natural_order(["T10", "T2", "T1"])
    [2, 1, 0]
    """
    return sorted(range(len(names)), key=lambda at: (_parts(names[at]), names[at]))


def _parts(name: str) -> list[tuple[int, int, str]]:
    pieces = _NUMBER.split(name)
    return [(1, int(piece), "") if at % 2 else (0, 0, piece) for at, piece in enumerate(pieces)]


def order_accounts(problem: CarvingProblem) -> CarvingProblem:
    """Return the problem with its accounts sorted by id; the same object where they are.

    Notes
    -----
    Sums, ties and random draws follow the order of rows. In this order they are the same for every order in which the
    rows may come. Nothing is validated again.
    """
    ids = problem.resolved.ids
    if ids.is_monotonic_increasing:
        return problem
    order = np.argsort(ids.to_numpy().astype(str), kind="stable")
    out = copy.copy(problem)
    object.__setattr__(out, "accounts", problem.accounts.iloc[order])
    object.__setattr__(out, "resolved", problem.resolved.take(order))
    return out


def order_tree(tree: Hierarchy) -> Hierarchy:
    """Return the tree with siblings sorted by name; the same object where they are."""
    nodes: list[str] = [tree.root]
    for node in nodes:
        children = tree.children(node)
        nodes += [children[at] for at in natural_order(children)]
    if tuple(nodes) == tree.nodes:
        return tree
    weight = dict(zip(tree.nodes, tree.weights, strict=True))
    parents = tuple(tree.parent(node) for node in nodes)
    return Hierarchy(tuple(nodes), parents, tuple(weight[n] for n in nodes), tree.levels, tree.max_buckets)


def order_territories(territories: Territories) -> Territories:
    """Return the territories sorted by name; the same object where they are."""
    return take_territories(territories, np.array(natural_order(territories.names)))


def take_territories(given: Territories, permutation: IntArray) -> Territories:
    """Return the territories in another order."""
    if (permutation == np.arange(given.count)).all():
        return given
    return Territories(
        tuple(given.names[k] for k in permutation),
        tuple(given.shares[k] for k in permutation),
        tuple(given.status[k] for k in permutation),
        tuple(given.reps[k] for k in permutation),
        None if given.centers is None else tuple(given.centers[k] for k in permutation),
    )
