"""Families: accounts joined by parent links or a shared group label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gtm_opt.model.tables import id_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.errors import Findings
    from gtm_opt.model.rules import KeepTogether

__all__ = ["family_labels", "missing_parents", "singletons"]


def singletons(count: int) -> NDArray[np.int64]:
    """Return labels that put every account on its own."""
    return np.arange(count, dtype=np.int64)


def family_labels(ids: pd.Index, column: pd.Series, rule: KeepTogether, found: Findings) -> NDArray[np.int64]:
    """Return a family label per account, numbered by first appearance.

    Parameters
    ----------
    ids : Index
        Account ids, as text.
    column : Series
        Parent id or group label per account; empty for none.
    rule : KeepTogether
        Says what becomes of values that are no account ids.
    found : Findings
        Takes cycles in the parent links.

    Returns
    -------
    ndarray of int, shape (n_accounts,)

    Notes
    -----
    Values that are account ids are links to that account, all others are labels of a group or missing
    parents (`missing_parents`). Linear in the number of accounts.
    """
    count = len(ids)
    text, parent = _links(ids, column)
    given, linked = text != "", parent >= 0
    _check_cycles(ids, parent, f"accounts['{rule.column}']", found)
    labels = np.flatnonzero(given & ~linked)
    if _are_missing(rule, bool(linked.any())):
        labels = labels[:0]
    codes, groups = pd.factorize(text[labels])
    row = np.concatenate([np.flatnonzero(linked), labels])
    to = np.concatenate([parent[linked], count + codes])
    size = count + len(groups)
    graph = coo_array((np.ones(len(row), dtype=np.int8), (row, to)), shape=(size, size))
    _, component = connected_components(graph, directed=False)
    first: NDArray[np.int64] = pd.factorize(component[:count])[0].astype(np.int64)
    return first


def missing_parents(ids: pd.Index, column: pd.Series, rule: KeepTogether) -> NDArray[np.int64]:
    """Return the positions of accounts whose parent is no account, and who stand alone for it."""
    text, parent = _links(ids, column)
    if not _are_missing(rule, bool((parent >= 0).any())):
        return np.array([], dtype=np.int64)
    return np.flatnonzero((text != "") & (parent < 0))


def _links(ids: pd.Index, column: pd.Series) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Return the values as text, and the position of the account each names (-1: none)."""
    text = id_text(column).str.strip().to_numpy(dtype=object)
    given = text != ""
    parent = np.full(len(ids), -1, dtype=np.int64)
    parent[given] = ids.get_indexer(pd.Index(text[given]))
    return text, parent


def _are_missing(rule: KeepTogether, any_link: bool) -> bool:
    """Whether values that are no account ids are missing parents, and not labels of groups."""
    if rule.missing is not None:
        return rule.missing == "alone"
    return any_link or "parent" in rule.column.lower()


def _check_cycles(ids: pd.Index, parent: NDArray[np.int64], where: str, found: Findings) -> None:
    """Record accounts that are their own ancestor (an account naming itself is a head, not a cycle)."""
    own = parent == np.arange(len(parent))
    above = np.where(own, -1, parent)
    # peel off accounts without children until only cycles are left
    children = np.bincount(above[above >= 0], minlength=len(above))
    leaf = np.flatnonzero((children == 0) & (above >= 0))
    while len(leaf):
        up = above[leaf]
        above[leaf] = -1
        children -= np.bincount(up, minlength=len(children))
        leaf = np.unique(up[(children[up] == 0) & (above[up] >= 0)])
    circling = np.flatnonzero(above >= 0)
    # what hangs above a cycle cannot be: only cycle members keep a parent and a child
    if len(circling):
        found.add(
            where,
            "must not form a cycle",
            got="accounts that are their own ancestor",
            rows=ids[circling],
            remedy="Clear the parent of one account in the cycle.",
        )
