"""Faults of records that no table check notices: they carve well, and give the wrong plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Plant = Callable[[pd.DataFrame, NDArray[np.int64]], pd.DataFrame]

__all__ = ["NEEDED", "RECORD_KINDS"]


def _changed(accounts: pd.DataFrame, column: str, rows: NDArray[np.int64], values: object) -> pd.DataFrame:
    cells = accounts[column].to_numpy(dtype=object, copy=True)
    cells[rows] = values
    out = pd.Series(cells, index=accounts.index)
    return accounts.assign(**{column: out.infer_objects()})


def _swapped(accounts: pd.DataFrame, rows: NDArray[np.int64]) -> pd.DataFrame:
    lat, lon = (accounts[c].to_numpy(dtype=float, copy=True) for c in ("lat", "lon"))
    lat[rows], lon[rows] = lon[rows], lat[rows]
    return accounts.assign(lat=lat, lon=lon)


def _cycles(accounts: pd.DataFrame, rows: NDArray[np.int64]) -> pd.DataFrame:
    ids = accounts["account_id"].to_numpy(dtype=object)[rows]
    return _changed(accounts, "parent_id", rows, np.roll(ids, 1))


def _lost_zeros(accounts: pd.DataFrame, rows: NDArray[np.int64]) -> pd.DataFrame:
    codes = accounts["postal_code"].to_numpy(dtype=object)
    zero = np.flatnonzero([isinstance(code, str) and code.startswith("0") for code in codes])[: len(rows)]
    return _changed(accounts, "postal_code", zero, np.array([str(codes[z]).lstrip("0") for z in zero], dtype=object))


def _currencies(accounts: pd.DataFrame, rows: NDArray[np.int64]) -> pd.DataFrame:
    values = accounts["potential"].to_numpy(dtype=object)
    text = np.array([f"{value:,.0f} {'EUR' if n % 2 else 'USD'}" for n, value in enumerate(values[rows])], dtype=object)
    return _changed(accounts, "potential", rows, text)


def _outliers(accounts: pd.DataFrame, rows: NDArray[np.int64]) -> pd.DataFrame:
    values = pd.to_numeric(accounts["potential"], errors="coerce").fillna(1).to_numpy()
    return _changed(accounts, "potential", rows, values[rows] * 1_000_000)


def _spelling(accounts: pd.DataFrame, rows: NDArray[np.int64]) -> pd.DataFrame:
    values = accounts["industry"].to_numpy(dtype=object)[rows]
    return _changed(accounts, "industry", rows, np.array([f"{v.title()} " for v in values], dtype=object))


def _small_with_many(accounts: pd.DataFrame, rows: NDArray[np.int64]) -> pd.DataFrame:
    return _changed(_changed(accounts, "segment", rows, "smb"), "employees", rows, 90_000)


def _old_touch(accounts: pd.DataFrame, rows: NDArray[np.int64]) -> pd.DataFrame:
    return accounts.assign(
        last_touch=_changed(accounts, "last_touch", rows, pd.Timestamp("2019-01-01"))["last_touch"].astype(
            "datetime64[ns]"
        )
    )


def _foreign_state(accounts: pd.DataFrame, rows: NDArray[np.int64]) -> pd.DataFrame:
    other = np.where(accounts["country"].to_numpy()[rows] == "US", "CA", "US")
    return _changed(accounts, "country", rows, other)


RECORD_KINDS: dict[str, Plant] = {
    "swapped_coordinates": _swapped,
    "impossible_coordinates": lambda accounts, rows: _changed(accounts, "lat", rows, 95.0),
    "cycles": _cycles,
    "lost_zeros": _lost_zeros,
    "currencies": _currencies,
    "outliers": _outliers,
    "spelling": _spelling,
    "contradicting_segments": _small_with_many,
    "old_touches": _old_touch,
    "foreign_states": _foreign_state,
}
"""Kinds of faults that `gtm_opt.inspect_accounts` is there for."""

NEEDED = {
    "swapped_coordinates": ("lat", "lon"),
    "impossible_coordinates": ("lat",),
    "cycles": ("parent_id", "account_id"),
    "lost_zeros": ("postal_code",),
    "currencies": ("potential",),
    "outliers": ("potential",),
    "spelling": ("industry",),
    "contradicting_segments": ("segment", "employees"),
    "old_touches": ("last_touch",),
    "foreign_states": ("country", "state"),
}
"""Columns each kind needs."""
