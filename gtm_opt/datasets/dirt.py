"""The dirt of real exports, planted on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.datasets.record_dirt import NEEDED, RECORD_KINDS
from gtm_opt.errors import DataError, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["KINDS", "dirty"]


def _as_text(accounts: pd.DataFrame, rows: NDArray[np.int64]) -> pd.DataFrame:
    """Dollar signs, thousands separators, trailing blanks, brackets for losses, dashes for nothing."""
    values = accounts["potential"].to_numpy()
    text = [f"${v:,.0f} " for v in values]
    for count, row in enumerate(rows.tolist()):
        text[row] = ("-", f"(${values[row]:,.2f})", f"{values[row]:.0f} USD")[count % 3]
    return accounts.assign(potential=np.array(text, dtype=object))


def _doubled(accounts: pd.DataFrame, rows: NDArray[np.int64]) -> pd.DataFrame:
    import pandas as pd

    return pd.concat([accounts, accounts.iloc[rows]], ignore_index=True)


def _planted(column: str, value: object) -> Callable[[pd.DataFrame, NDArray[np.int64]], pd.DataFrame]:
    def plant(accounts: pd.DataFrame, rows: NDArray[np.int64]) -> pd.DataFrame:
        values = accounts[column].to_numpy(dtype=object, copy=True)
        values[rows] = value
        return accounts.assign(**{column: values})

    return plant


def _own_parent(accounts: pd.DataFrame, rows: NDArray[np.int64]) -> pd.DataFrame:
    values = accounts["parent_id"].to_numpy(dtype=object, copy=True)
    values[rows] = accounts["account_id"].to_numpy()[rows]
    return accounts.assign(parent_id=values)


KINDS: dict[str, Callable[[pd.DataFrame, NDArray[np.int64]], pd.DataFrame]] = {
    "text_numbers": _as_text,
    "missing_values": _planted("open_pipeline", np.nan),
    "negative_values": _planted("arr", -1.0),
    "missing_ids": _planted("account_id", None),
    "unknown_owners": _planted("owner", "R-9999"),
    "unknown_parents": _planted("parent_id", "A-999999"),
    "own_parents": _own_parent,
    "no_coordinates": _planted("lat", np.nan),
    "duplicates": _doubled,
}
"""Kinds of dirt that stop a carve, in the order in which they are planted."""


def dirty(accounts: pd.DataFrame, kinds: Sequence[str] | None = None, *, rows: int = 3, seed: int = 0) -> pd.DataFrame:
    """Return a copy of an account table with the typical dirt of an export in it.

    Parameters
    ----------
    accounts : DataFrame
        As made by `make_saas`.
    kinds : sequence of str, optional
        Out of ``text_numbers`` ("$500,343 " in all rows, and odder ones), ``missing_values``, ``negative_values``,
        ``missing_ids``, ``unknown_owners``, ``unknown_parents``, ``own_parents``, ``no_coordinates`` and
        ``duplicates`` (default: all of these), and of the faults that only `gtm_opt.inspect_accounts` sees:
        ``swapped_coordinates``, ``impossible_coordinates``, ``cycles``, ``lost_zeros``, ``currencies``, ``outliers``,
        ``spelling``, ``contradicting_segments``, ``old_touches`` and ``foreign_states``.
    rows : int
        How many rows of each kind.
    seed : int

    Raises
    ------
    DataError
        For an unknown kind, a column that is not there, or fewer accounts than ``rows``.

    Examples
    --------
    >>> from gtm_opt.datasets import make_saas
    >>> accounts, _ = make_saas(50, seed=1)
    >>> dirty(accounts, ["text_numbers"], rows=0)["potential"].iloc[0]
    '$269,004 '
    """
    chosen = list(KINDS) if kinds is None else list(kinds)
    known = KINDS | RECORD_KINDS
    unknown = [kind for kind in chosen if kind not in known]
    if unknown:
        raise DataError(f"`kinds` must be among {', '.join(known)}, got {shorten(unknown)}.")
    missing = sorted({column for kind in chosen for column in NEEDED.get(kind, ()) if column not in accounts.columns})
    if missing:
        raise DataError(f"`accounts` must have the columns that the kinds change, got none called {shorten(missing)}.")
    if not 0 <= rows <= len(accounts):
        raise DataError(f"`rows` must lie between 0 and the {len(accounts)} accounts, got {rows}.")
    rng = np.random.default_rng(seed)
    out = accounts.copy()
    for kind, plant in known.items():
        picked = np.sort(rng.choice(len(accounts), size=rows, replace=False))
        if kind in chosen:
            out = plant(out, picked)
    return out
