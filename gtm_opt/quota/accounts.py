"""Account targets: a seat's quota down to its accounts, exact, so that moving an account moves an exact amount."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, Findings, amount_text, shorten
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.tables import did_you_mean
from gtm_opt.quota.result import Quotas
from gtm_opt.quota.rounding import largest_remainder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

__all__ = ["AccountTargets", "account_targets"]

METHODS = ("even", "expected_value", "bucketed", "installed_base")


@dataclass(frozen=True, eq=False)
class AccountTargets:
    """Targets of accounts.

    Attributes
    ----------
    table : DataFrame
        One row per account, in the order given: ``account_id``, ``seat_id``, ``value`` (what it can support, NaN: not
        said), ``weight_frac`` (of its seat), ``target``. Targets of a seat sum exactly to its quota.
    seats : DataFrame
        One row per seat: ``seat_id``, ``quota``, ``accounts``, ``assigned`` (sum of targets), ``supported`` (sum of
        values), ``missing`` (by how much the accounts do not support the quota, 0 where they do), ``unassigned``
        (quota that no account carries: a seat without accounts or weights).
    unit : int
    notes : tuple of str
    """

    table: pd.DataFrame
    seats: pd.DataFrame
    unit: int
    notes: tuple[str, ...] = ()

    def move(self, accounts: str | Sequence[str], to_seat: str) -> AccountTargets:
        """Return the targets after accounts change seats; exactly their targets move with them.

        Raises
        ------
        DataError
            For unknown accounts or seats, and accounts that are there already.
        """
        ids = [accounts] if isinstance(accounts, str) else [str(a) for a in accounts]
        found = Findings()
        known = self.table["account_id"].tolist()
        unknown = [a for a in ids if a not in set(known)]
        if unknown:
            remedy = did_you_mean(unknown[0], known)
            found.add("accounts", "must be in the table", rows=unknown, kind="account", remedy=remedy)
        if to_seat not in set(self.seats["seat_id"]):
            found.add(
                "to_seat", "must have a quota", got=f"'{to_seat}'", remedy=did_you_mean(to_seat, self.seats["seat_id"])
            )
        found.raise_if_any()
        rows = self.table["account_id"].isin(ids)
        there = self.table.loc[rows & (self.table["seat_id"] == to_seat), "account_id"]
        if len(there):
            raise DataError(f"`accounts` must not be in '{to_seat}' already, which holds {shorten(list(there))}.")
        table = self.table.copy()
        table.loc[rows, "seat_id"] = to_seat
        before = self.table.groupby("seat_id")["target"].sum()
        after = table.groupby("seat_id")["target"].sum()
        change = after.sub(before, fill_value=0).astype(np.int64)
        seats = self.seats.copy()
        seats["quota"] += seats["seat_id"].map(change).fillna(0).astype(np.int64)
        sums = table.groupby("seat_id")["target"].transform("sum")
        table["weight_frac"] = np.where(sums > 0, table["target"] / sums.where(sums > 0, 1), 0.0)
        return AccountTargets(table, _summarize(table, seats[["seat_id", "quota"]]), self.unit, self.notes)

    def __repr__(self) -> str:
        short = int((self.seats["missing"] > 0).sum())
        text = f"AccountTargets: {len(self.table):,} accounts, {amount_text(self.table['target'].sum())}"
        return text + (f", {short:,} seats not supported by their accounts" if short else "")


@takes_tables("accounts", either=("quotas",))
def account_targets(
    quotas: Quotas | Mapping[str, float] | pd.Series[float],
    accounts: pd.DataFrame,
    *,
    method: str = "expected_value",
    value: str = "expected_value",
    buckets: Mapping[str, float] | None = None,
    bucket: str = "bucket",
    uplift_frac: float | None = None,
    unit: int = 1,
) -> AccountTargets:
    """Divide the quota of every seat among its accounts, exactly.

    Parameters
    ----------
    quotas : Quotas, Series or mapping
        Of seats: the leaves of a cascade, or amounts by seat id.
    accounts : DataFrame
        ``account_id``, ``seat_id``, and the columns a method needs.
    method : {"expected_value", "even", "bucketed", "installed_base"}
        In proportion to ``value``; alike; by the weight of the account's bucket; by the revenue that is there: each
        account first gets its ``value`` times ``1 + uplift_frac``, as far as the quota reaches or in proportion
        beyond it.
    value : str
        Column of amounts, none negative: what the account can support. Optional for ``"even"`` and ``"bucketed"``,
        where it only serves the check.
    buckets : mapping, optional
        Weight of one account of each bucket, > 0; for ``"bucketed"``.
    bucket : str
        Column of the buckets.
    uplift_frac : float, optional
        For ``"installed_base"``; default: what makes the sum the quota (the same growth for every account of a seat).
    unit : int
        Rounding unit; quotas must be multiples of it.

    Returns
    -------
    AccountTargets

    Raises
    ------
    DataError
        With every finding: columns and amounts, accounts listed twice, unknown seats, unknown buckets.

    Notes
    -----
    Largest remainder within each seat, ties by account id: whole units, sums exact, independent of the order of rows.
    O(n log n).
    """
    found = Findings()
    quota = _read_quotas(quotas, unit, found)
    needed = ["account_id", "seat_id", *([value] if method in ("expected_value", "installed_base") else [])]
    needed += [bucket] if method == "bucketed" else []
    missing = [c for c in needed if c not in accounts.columns]
    if missing:
        remedy = did_you_mean(missing[0], accounts.columns)
        found.add("accounts", f"must have the columns {', '.join(missing)}", remedy=remedy)
    if method not in METHODS:
        found.add("method", "must be one of " + ", ".join(METHODS), got=repr(method))
    if method != "installed_base" and uplift_frac is not None:
        found.add("uplift_frac", "must be given with method 'installed_base' only", got=repr(uplift_frac))
    elif uplift_frac is not None and not uplift_frac >= -1:
        found.add("uplift_frac", "must be a fraction of at least -1", got=repr(uplift_frac))
    found.raise_if_any()
    ids, seats = accounts["account_id"].astype(str), accounts["seat_id"].astype(str)
    if ids.duplicated().any():
        found.add("accounts", "must list an account once", rows=ids[ids.duplicated()].unique(), kind="account")
    unknown = seats[~seats.isin(quota.index)]
    if len(unknown):
        remedy = did_you_mean(unknown.iloc[0], quota.index)
        found.add(
            "accounts['seat_id']", "must name seats with a quota", rows=unknown.unique(), kind="seat", remedy=remedy
        )
    supports = _read_values(accounts, value, ids, found)
    weight = _weights(method, accounts, supports, buckets, bucket, ids, found)
    found.raise_if_any()
    table, notes = _divide(ids, seats, supports, weight, quota, unit, method, uplift_frac)
    frame = pd.DataFrame({"seat_id": quota.index.to_numpy(dtype=object), "quota": quota.to_numpy()})
    return AccountTargets(table, _summarize(table, frame), unit, tuple(notes))


def _read_quotas(quotas: Quotas | Mapping[str, float] | pd.Series[float], unit: int, found: Findings) -> pd.Series[int]:
    if isinstance(unit, bool) or not isinstance(unit, int | np.integer) or unit < 1:
        found.add("unit", "must be a whole number, at least 1", got=repr(unit))
        found.raise_if_any()
    if isinstance(quotas, Quotas):
        leaves = quotas.table[quotas.table["is_leaf"]]
        amounts = pd.Series(leaves["quota"].to_numpy(), index=[str(n) for n in leaves["node_id"]], dtype=object)
    else:
        amounts = pd.Series(quotas, dtype=object)
        amounts.index = amounts.index.map(str)
    if amounts.index.has_duplicates:
        found.add(
            "quotas", "must have one amount per seat", rows=amounts.index[amounts.index.duplicated()], kind="seat"
        )
    numbers = pd.to_numeric(amounts, errors="coerce").astype(np.float64)
    wrong = ~(numbers >= 0) | np.isinf(numbers)
    broken = ~wrong & (numbers % unit != 0)
    if wrong.any():
        found.add("quotas", "must be finite amounts, none negative", rows=amounts.index[wrong], kind="seat")
    if broken.any():
        rows = amounts.index[broken]
        found.add("quotas", f"must be multiples of the unit of {unit:,}, or no split ties out", rows=rows, kind="seat")
    found.raise_if_any()
    return numbers.astype(np.int64).sort_index()


def _read_values(accounts: pd.DataFrame, value: str, ids: pd.Series[str], found: Findings) -> FloatArray:
    if value not in accounts.columns:
        return np.full(len(accounts), np.nan)
    numbers = pd.to_numeric(accounts[value], errors="coerce").to_numpy(dtype=np.float64)
    wrong = (np.isnan(numbers) & accounts[value].notna().to_numpy()) | (numbers < 0) | np.isinf(numbers)
    if wrong.any():
        found.add(f"accounts['{value}']", "must hold finite amounts, none negative", rows=ids[wrong], kind="account")
    return numbers


def _weights(
    method: str,
    accounts: pd.DataFrame,
    supports: FloatArray,
    buckets: Mapping[str, float] | None,
    bucket: str,
    ids: pd.Series[str],
    found: Findings,
) -> FloatArray:
    if method == "even":
        return np.ones(len(accounts))
    if method != "bucketed":
        if np.isnan(supports).any():
            rows = ids[np.isnan(supports)]
            found.add("accounts", "must have a value for every account", rows=rows, kind="account", remedy="Fill in 0.")
        return np.nan_to_num(supports)
    known = {str(name): float(weight) for name, weight in (buckets or {}).items()}
    wrong = [name for name, weight in known.items() if not 0 < weight < np.inf]
    if wrong or not known:
        found.add("buckets", "must give each bucket a weight above 0", rows=wrong, kind="bucket")
    labels = accounts[bucket].astype(str)
    strange = labels[~labels.isin(list(known))]
    if len(strange):
        names = strange.unique()
        found.add(f"accounts['{bucket}']", "must be a bucket with a weight", rows=names, kind="bucket")
    return np.asarray(labels.map(known).fillna(0.0), dtype=np.float64)


def _divide(
    ids: pd.Series[str],
    seats: pd.Series[str],
    supports: FloatArray,
    weight: FloatArray,
    quota: pd.Series[int],
    unit: int,
    method: str,
    uplift_frac: float | None,
) -> tuple[pd.DataFrame, list[str]]:
    place = quota.index.get_indexer(pd.Index(seats))
    order = np.lexsort((ids.to_numpy(dtype=str), place))
    group_of = place[order]
    present, starts = np.unique(group_of, return_index=True)
    group = np.searchsorted(present, group_of)
    sums = np.add.reduceat(weight[order], starts) if len(order) else np.zeros(0)
    units = quota.to_numpy()[present] // unit
    wanted = np.where(sums > 0, units, 0)
    if method == "installed_base" and uplift_frac is not None:
        asked = np.floor(sums * (1.0 + uplift_frac) / unit + 1e-9).astype(np.int64)
        wanted = np.minimum(wanted, asked)
    share = weight[order] / np.where(sums > 0, sums, 1.0)[group] if len(order) else np.zeros(0)
    target = np.zeros(len(ids), dtype=np.int64)
    shares = np.zeros(len(ids))
    if len(order):
        target[order] = largest_remainder(wanted, wanted[group] * share, starts, group)
        shares[order] = share
    blank = quota.index[present[sums <= 0]].tolist()
    notes = [f"All weights are zero in {shorten(blank)}: their quota is not assigned to accounts."] if blank else []
    table = pd.DataFrame(
        {
            "account_id": ids.to_numpy(dtype=object),
            "seat_id": seats.to_numpy(dtype=object),
            "value": supports,
            "weight_frac": shares,
            "target": target * unit,
        }
    )
    return table, notes


def _summarize(table: pd.DataFrame, seats: pd.DataFrame) -> pd.DataFrame:
    """Return per seat what its accounts carry and what they can support."""
    out = seats.reset_index(drop=True).copy()
    grouped = table.groupby("seat_id")
    out["accounts"] = out["seat_id"].map(grouped.size()).fillna(0).astype(np.int64)
    out["assigned"] = out["seat_id"].map(grouped["target"].sum()).fillna(0).astype(np.int64)
    out["supported"] = out["seat_id"].map(grouped["value"].sum(min_count=1)).astype(np.float64)
    gap = out["quota"] - out["supported"].where(out["accounts"] > 0, 0.0)
    out["missing"] = gap.clip(lower=0.0)
    out["unassigned"] = out["quota"] - out["assigned"]
    return out
