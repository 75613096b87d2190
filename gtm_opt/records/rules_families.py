"""Rules about parents, and the ultimate parent of every account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.records.prepare import hits, name_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gtm_opt.records.prepare import Records

__all__ = ["abroad", "cycle", "deep", "family_table", "many_roots", "missing_parent", "other_segment"]


def climb(parent: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return the ultimate parent, the depth below it, and whether the account sits on or below a cycle.

    Notes
    -----
    Pointers are doubled, so that a chain of a million takes twenty steps. Members of a cycle are their own root.
    """
    n = len(parent)
    itself = np.arange(n)
    jump = np.where(parent >= 0, parent, itself)
    depth = (parent >= 0).astype(np.int64)
    for _ in range(n.bit_length() + 1):
        further = jump[jump]
        if np.array_equal(further, jump):
            break
        depth = np.minimum(depth + depth[jump], n + 1)
        jump = further
    circling = parent[jump] >= 0
    return np.where(circling, itself, jump), np.where(circling, 0, depth), circling


def on_cycle(parent: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which accounts are their own ancestor.

    Notes
    -----
    After more than n steps up, whoever still has a parent stands on a ring; members of a ring only turn on it, so
    that together they reach all of it.
    """
    n = len(parent)
    jump = np.where(parent >= 0, parent, np.arange(n))
    for _ in range(n.bit_length() + 1):
        jump = jump[jump]
    out = np.zeros(n, dtype=bool)
    out[jump[parent[jump] >= 0]] = True
    return out


def family_table(records: Records) -> pd.DataFrame:
    """Return per record: account_id, ultimate_parent, depth, family_size."""
    root, depth, _ = climb(records.parent)
    size = np.bincount(root, minlength=len(root))[root] if len(root) else root
    return pd.DataFrame(
        {"account_id": records.ids, "ultimate_parent": records.ids[root], "depth": depth, "family_size": size}
    )


def missing_parent(records: Records, _: Mapping[str, float]) -> pd.DataFrame:
    """Find parents that are no account; the repair lets the account stand alone."""
    if not records.has("parent_id"):
        return hits(np.array([]), "parent_id", "", "")
    text = records.text("parent_id")
    known = pd.Index(text).isin(records.position.index)
    rows = np.flatnonzero((text != "") & ~known)
    changes: list[tuple[tuple[str, object], ...]] = [(("parent_id", None),)] * len(rows)
    return hits(rows, "parent_id", text[rows], "Import the parent, or let the account stand alone.", changes=changes)


def cycle(records: Records, _: Mapping[str, float]) -> pd.DataFrame:
    """Find accounts that are their own ancestor; the repair clears the parent of the one with most value."""
    if not records.has("parent_id"):
        return hits(np.array([]), "parent_id", "", "")
    parent = records.parent
    rows = np.flatnonzero(on_cycle(parent))
    label = pd.Series(-1, index=rows)
    for start in rows.tolist():  # each ring is walked once
        place = start
        while label[place] < 0:
            label[place] = start
            place = int(parent[place])
    value = np.nan_to_num(records.numbers(records.values[0])[rows]) if records.values else np.zeros(len(rows))
    order = np.lexsort((records.ids[rows].astype(str), -value, label.to_numpy()))
    heads = set(rows[order][np.unique(label.to_numpy()[order], return_index=True)[1]].tolist())
    changes: list[tuple[tuple[str, object], ...]] = [
        (("parent_id", None),) if r in heads else () for r in rows.tolist()
    ]
    remedy = "Clear the parent of one account of the ring."
    return hits(rows, "parent_id", records.text("parent_id")[rows], remedy, changes=changes)


def deep(records: Records, limits: Mapping[str, float]) -> pd.DataFrame:
    """Find accounts more than ``levels`` below their ultimate parent."""
    root, depth, _ = climb(records.parent)
    rows = np.flatnonzero(depth > limits["levels"])
    text = np.array([f"{d} levels below {r}" for d, r in zip(depth[rows], records.ids[root[rows]], strict=True)])
    return hits(rows, "parent_id", text, "Hang it below the ultimate parent.")


def _differs(records: Records, column: str, remedy: str) -> pd.DataFrame:
    if not records.has("parent_id", column):
        return hits(np.array([]), column, "", "")
    label, root = records.text(column), climb(records.parent)[0]
    above = label[root]
    rows = np.flatnonzero((root != np.arange(len(root))) & (label != above) & (label != "") & (above != ""))
    text = np.array([f"{own}, parent in {up}" for own, up in zip(label[rows], above[rows], strict=True)], dtype=object)
    return hits(rows, column, text, remedy)


def abroad(records: Records, _: Mapping[str, float]) -> pd.DataFrame:
    """Find accounts in another country than their ultimate parent."""
    return _differs(records, "country", "Decide whether the family is kept together across borders.")


def other_segment(records: Records, _: Mapping[str, float]) -> pd.DataFrame:
    """Find accounts in another segment than their ultimate parent."""
    return _differs(records, "segment", "Give the family one segment, or carve without KeepTogether.")


def many_roots(records: Records, _: Mapping[str, float]) -> pd.DataFrame:
    """Find ultimate parents of different families that have the same name."""
    if not records.has("parent_id", "name"):
        return hits(np.array([]), "parent_id", "", "")
    root = climb(records.parent)[0]
    heads = np.unique(root[root != np.arange(len(root))])
    names = records.text("name")
    keys = pd.Series([name_key(str(name)) for name in names[heads]], index=heads, dtype=object)
    same = keys[keys.duplicated(keep=False) & (keys != "")]
    rows = same.index.to_numpy(dtype=np.int64)
    return hits(rows, "name", names[rows], "Join the families under one ultimate parent.")
