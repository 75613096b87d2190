"""Rules about opportunities, contacts and second records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.model.dates import read_dates
from gtm_opt.model.tables import id_text
from gtm_opt.records.prepare import hits, name_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gtm_opt.records.prepare import Records

__all__ = ["backwards", "duplicate", "lost_contact", "lost_deal", "other_owner", "overdue"]

_CLOSED = {"won", "lost", "no decision", "closed won", "closed lost", "closed"}


def _accounts_of(records: Records, table: pd.DataFrame) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Return the account ids a table names, and the positions of these accounts (-1: none)."""
    ids = id_text(table["account_id"]).str.strip()
    return ids.to_numpy(dtype=object), records.position.reindex(ids).fillna(-1).to_numpy(dtype=np.int64)


def _open(deals: pd.DataFrame) -> NDArray[np.bool_]:
    if "stage" not in deals.columns:
        return np.ones(len(deals), dtype=bool)
    out: NDArray[np.bool_] = ~deals["stage"].astype(str).str.strip().str.lower().isin(_CLOSED).to_numpy()
    return out


def _ids(table: pd.DataFrame, column: str, rows: NDArray[np.int64]) -> NDArray[np.object_]:
    out: NDArray[np.object_] = id_text(table[column]).to_numpy(dtype=object)[rows]
    return out


def overdue(records: Records, limits: Mapping[str, float]) -> pd.DataFrame:
    """Find open opportunities whose close date passed more than ``days`` ago."""
    deals = records.opportunities
    if deals is None or "close_date" not in deals.columns:
        return hits(np.array([]), "close_date", "", "")
    close = read_dates(deals["close_date"])[0]
    late = ((records.as_of - close).dt.days > limits["days"]).to_numpy() & _open(deals)
    rows = np.flatnonzero(late)
    text = close.iloc[rows].dt.strftime("%Y-%m-%d").to_numpy(dtype=object)
    account = _accounts_of(records, deals)[1][rows]
    remedy = "Close the opportunity, or give it a new date."
    return hits(account, "close_date", text, remedy, record_id=_ids(deals, "opportunity_id", rows))


def lost_deal(records: Records, _: Mapping[str, float]) -> pd.DataFrame:
    """Find opportunities without an account, or with one that is not in the table."""
    remedy = "Name the account; without one its amount is in no territory."
    return _without_account(records, records.opportunities, "opportunity_id", remedy)


def _without_account(records: Records, table: pd.DataFrame | None, key: str, remedy: str) -> pd.DataFrame:
    """Find rows of a table that name no account, or one that is not in the table of accounts."""
    if table is None:
        return hits(np.array([]), "account_id", "", "")
    ids, account = _accounts_of(records, table)
    rows = np.flatnonzero(account < 0)
    return hits(account[rows], "account_id", ids[rows], remedy, record_id=_ids(table, key, rows))


def other_owner(records: Records, _: Mapping[str, float]) -> pd.DataFrame:
    """Find open opportunities whose owner is not the owner of the account."""
    deals = records.opportunities
    if deals is None or "owner" not in deals.columns or not records.has("owner"):
        return hits(np.array([]), "owner", "", "")
    account = _accounts_of(records, deals)[1]
    owner = id_text(deals["owner"]).str.strip().to_numpy(dtype=object)
    holder = np.where(account >= 0, records.text("owner")[np.maximum(account, 0)], "")
    rows = np.flatnonzero((account >= 0) & (owner != "") & (holder != "") & (owner != holder) & _open(deals))
    text = np.array([f"{owner[r]}, account with {holder[r]}" for r in rows], dtype=object)
    remedy = "Hand over the opportunity, or the account."
    return hits(account[rows], "owner", text, remedy, record_id=_ids(deals, "opportunity_id", rows))


def backwards(records: Records, _: Mapping[str, float]) -> pd.DataFrame:
    """Find opportunities that were closed before they were created."""
    deals = records.opportunities
    if deals is None or not {"created", "close_date"} <= set(deals.columns):
        return hits(np.array([]), "close_date", "", "")
    created, close = (read_dates(deals[c])[0] for c in ("created", "close_date"))
    rows = np.flatnonzero((close < created).to_numpy())
    text = (
        close.iloc[rows].dt.strftime("%Y-%m-%d") + ", created " + created.iloc[rows].dt.strftime("%Y-%m-%d")
    ).to_numpy(dtype=object)
    account = _accounts_of(records, deals)[1][rows]
    return hits(account, "close_date", text, "Correct one of the dates.", record_id=_ids(deals, "opportunity_id", rows))


def lost_contact(records: Records, _: Mapping[str, float]) -> pd.DataFrame:
    """Find contacts without an account, or with one that is not in the table."""
    return _without_account(records, records.contacts, "contact_id", "Name the account, or leave the contact out.")


def duplicate(records: Records, limits: Mapping[str, float]) -> pd.DataFrame:
    """Find second records of a company.

    Notes
    -----
    By the pairs in ``links`` from a ``probability`` on; without links, records of the same name in the same city
    only. The one with the smaller id counts as the first.
    """
    pairs = _given_pairs(records, limits) if records.links is not None else _same_names(records)
    if pairs.empty:
        return hits(np.array([]), "account_id", "", "")
    rows = records.position.reindex(pairs["second"]).to_numpy(dtype=np.int64)
    remedy = "Keep both records in one territory: pass the pairs as links."
    return hits(rows, "account_id", pairs["text"].to_numpy(dtype=object), remedy)


def _given_pairs(records: Records, limits: Mapping[str, float]) -> pd.DataFrame:
    links = records.links
    assert links is not None
    one, two = (id_text(links[c]).str.strip() for c in ("account_id", "other_id"))
    sure = one.isin(records.position.index) & two.isin(records.position.index) & (one != two)
    if "probability" in links.columns:
        sure &= pd.to_numeric(links["probability"], errors="coerce") >= limits["probability"]
    first, second = np.minimum(one[sure], two[sure]), np.maximum(one[sure], two[sure])
    table = pd.DataFrame({"second": second, "text": "second record of " + first})
    return table.sort_values(["second", "text"], kind="stable").drop_duplicates("second")


def _same_names(records: Records) -> pd.DataFrame:
    if not records.has("name"):
        return pd.DataFrame(columns=["second", "text"])
    key = pd.Series([name_key(str(name)) for name in records.text("name")]) + "/" + pd.Series(records.text("city"))
    table = pd.DataFrame({"key": key, "id": records.ids})
    table = table[~key.str.startswith("/") & (table["id"] != "")].drop_duplicates("id").sort_values("id", kind="stable")
    first = table.groupby("key", sort=False)["id"].transform("first")
    second = table["id"] != first
    return pd.DataFrame({"second": table.loc[second, "id"], "text": "second record of " + first[second]})
