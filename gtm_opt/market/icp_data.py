"""Closed deals with the features of their accounts, split by time with families on one side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.model.read_columns import column_exists, day_column, is_table, key_column
from gtm_opt.model.tables import did_you_mean, id_text, label_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from gtm_opt.errors import Findings

__all__ = ["Deals", "read_deals", "read_features"]

_WON = {"won", "closed won"}
_NOT = {"lost", "no decision", "closed lost"}


@dataclass(frozen=True, eq=False)
class Deals:
    """Closed deals in the order of their ids.

    Attributes
    ----------
    features : DataFrame
        One row per deal.
    won : ndarray of int, shape (n,)
    group : ndarray of int, shape (n,)
        Family of the account.
    is_later : ndarray of bool, shape (n,)
        What the models are held against.
    """

    features: pd.DataFrame
    won: NDArray[np.int64]
    group: NDArray[np.int64]
    is_later: NDArray[np.bool_]


def read_features(accounts: pd.DataFrame, names: Iterable[str], found: Findings) -> pd.DataFrame:
    """Return numbers as floats and everything else as labels; record what is not there."""
    out = {}
    for name in names:
        if name not in accounts.columns:
            remedy = did_you_mean(name, accounts.columns)
            found.add("`features`", "must name columns of the accounts", got=f"'{name}'", remedy=remedy)
            continue
        column = accounts[name]
        is_number = pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)
        out[name] = column.astype(float) if is_number else label_text(column)
    return pd.DataFrame(out).reset_index(drop=True)


def read_deals(
    accounts: pd.DataFrame,
    opportunities: pd.DataFrame,
    features: Sequence[str],
    known_after: Sequence[str],
    later: float,
    least_wins: int,
    found: Findings,
) -> Deals | None:
    """Return the closed deals, or record what is wrong and return None."""
    if not (is_table(accounts, "accounts", found) and is_table(opportunities, "opportunities", found)):
        return None
    ids = key_column(accounts, "account_id", found, what="accounts", unique=True)
    if not features:
        found.add("`features`", "must name at least one column")
    late = [name for name in features if name in set(known_after)]
    if late:
        found.add("`features`", "must be known before the outcome", rows=late, kind="feature", remedy="Leave them out.")
    table = read_features(accounts, features, found)
    if not 0.0 < later < 1.0:
        found.add("`later`", "must lie between 0 and 1", got=str(later))
    if not column_exists(opportunities, "stage", "opportunities", found) or ids is None:
        return None
    stage = opportunities["stage"].astype(str).str.strip().str.lower()
    closed = opportunities[stage.isin(_WON | _NOT)]
    named = key_column(closed, "account_id", found, what="opportunities", known=ids, known_as="an account")
    close = day_column(closed, "close_date", found, what="opportunities", empty=False)
    won = stage.loc[closed.index].isin(_WON).to_numpy().astype(np.int64)
    if won.sum() < least_wins:
        remedy = f"Pass a longer history, or least_wins={max(1, int(won.sum()))} if you know what you do."
        got = f"{int(won.sum())} of {len(won)} closed"
        found.add("opportunities", f"must hold at least {least_wins} wins", got=got, remedy=remedy)
    elif won.sum() == len(won):
        found.add("opportunities", "must hold deals that were not won", got="one outcome only")
    if found or named is None or close is None:
        return None
    account = pd.Index(ids).get_indexer(pd.Index(named))
    order = np.lexsort((account, won, ids[account].astype(str), close))
    account, won, close = account[order], won[order], close[order]
    family = _families(accounts, ids)[account]
    limit = np.quantile(close.astype(np.int64), 1.0 - later)
    is_later = close.astype(np.int64) > limit
    use = _one_side(family, is_later)
    for side, word in ((is_later & use, "later"), (~is_later & use, "earlier")):
        if len(np.unique(won[side])) < 2:
            rule = f"must hold won and other deals in the {word} months"
            found.add("opportunities", rule, got=f"{int(side.sum())} deals")
    if found:
        return None
    return Deals(table.iloc[account[use]].reset_index(drop=True), won[use], family[use], is_later[use])


def _one_side(family: NDArray[np.int64], is_later: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the deals to use, so that no family is on both sides.

    Earlier deals of families that come again later are left out; where that leaves less than half of them, half of the
    families is for training and half for the test instead.
    """
    again = np.isin(family, np.unique(family[is_later]))
    if (~is_later & ~again).sum() >= 0.5 * (~is_later).sum():
        kept: NDArray[np.bool_] = is_later | ~again
        return kept
    families = np.unique(family)
    tested = np.random.default_rng(0).permutation(families)[: len(families) // 2]
    sides: NDArray[np.bool_] = np.isin(family, tested) == is_later
    return sides


def _families(accounts: pd.DataFrame, ids: NDArray[np.object_]) -> NDArray[np.int64]:
    if "parent_id" not in accounts.columns:
        return np.argsort(np.argsort(ids.astype(str), kind="stable")).astype(np.int64)
    parent = id_text(accounts["parent_id"]).str.strip().to_numpy(dtype=object)
    head = np.where(pd.Index(parent).isin(pd.Index(ids)), parent, ids)
    code: NDArray[np.int64] = pd.factorize(head, sort=True)[0].astype(np.int64)
    return code
