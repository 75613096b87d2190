"""`inspect_accounts`: everything that is wrong with the records, in one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.tables import id_text, rename_columns
from gtm_opt.records.prepare import Records, read_numbers, read_records
from gtm_opt.records.quality import DataQuality
from gtm_opt.records.rules import chosen_rules
from gtm_opt.records.rules_families import family_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["inspect_accounts"]

_COLUMNS = [
    "rule",
    "severity",
    "account_id",
    "record_id",
    "column",
    "found",
    "remedy",
    "criterion",
    "amount",
    "repairable",
]


@takes_tables(either=("accounts", "reps", "opportunities", "contacts", "links"))
def inspect_accounts(
    accounts: pd.DataFrame,
    reps: pd.DataFrame | None = None,
    opportunities: pd.DataFrame | None = None,
    contacts: pd.DataFrame | None = None,
    links: pd.DataFrame | None = None,
    *,
    as_of: object,
    values: Sequence[str] = ("potential", "arr", "open_pipeline"),
    categories: Sequence[str] = ("industry", "segment", "country", "state"),
    columns: Mapping[str, str] | None = None,
    rules: Mapping[str, bool | Mapping[str, float]] | None = None,
    currency: str = "",
) -> DataQuality:
    """Find what is wrong with the records before they are carved.

    Parameters
    ----------
    accounts : DataFrame
        One row per record, with ``account_id``; and what there is of ``name, parent_id, segment, industry, employees,
        country, state, city, postal_code, lat, lon, owner, last_touch``, the columns named in ``values``, and
        ``<value>_updated`` (day of the last change).
    reps : DataFrame, optional
        ``rep_id``, and ``end_date``, ``status``, ``manager_id`` where there are any.
    opportunities : DataFrame, optional
        ``opportunity_id, account_id``, and ``stage, created, close_date, owner, amount``.
    contacts : DataFrame, optional
        ``contact_id, account_id``.
    links : DataFrame, optional
        Pairs of records of one company, ``account_id, other_id, probability``, from `find_duplicates` or the
        customer system's own job.
    as_of : date or str
        The day of the export: owners who left before are gone.
    values : sequence of str
        Amounts that are balanced or reported, the leading one first. Those that are not there are left out.
    categories : sequence of str
        Columns whose spelling is looked at.
    columns : mapping of str to str, optional
        ``{name used here: name in the accounts}``.
    rules : mapping, optional
        Per rule ``False`` to switch it off, or thresholds: ``{"not_touched": {"days": 180}, "frozen": False}``.
    currency : str
        Label of the amounts, for display only.

    Returns
    -------
    DataQuality

    Raises
    ------
    DataError
        What keeps the rules from reading the tables at all, reported together: no ``account_id``, dates that are
        text, unknown rules. Wrong *contents* are findings in the result.

    Notes
    -----
    Rules that need a column or table that is not there find nothing. Linear in the number of rows, but for the
    spelling of categories (quadratic in the number of spellings). The order of rows changes nothing but the order of
    findings.

    Examples
    --------
    >>> from gtm_opt.datasets import dirty, make_crm
    >>> crm = make_crm(100, seed=1)
    >>> quality = inspect_accounts(dirty(crm.accounts, ["cycles"]), crm.reps, as_of="2026-10-31")
    >>> int((quality.table["rule"] == "parent_cycle").sum())
    3
    """
    found = Findings()
    renamed = rename_columns(accounts, columns, found, "accounts") if isinstance(accounts, pd.DataFrame) else accounts
    found.raise_if_any()
    rules_on = chosen_rules(rules)
    further = {"reps": reps, "opportunities": opportunities, "contacts": contacts, "links": links}
    records = read_records(renamed, further, as_of, tuple(values), tuple(categories))
    parts = []
    for rule, limits in rules_on:
        part = rule.find(records, limits)
        if len(part):
            parts.append(part.assign(rule=rule.name, severity=rule.severity))
    table = _as_table(records, parts)
    back = dict(columns or {})
    return DataQuality(
        table=table.drop(columns=["row", "changes"]),
        families=family_table(records),
        value=records.values[0] if records.values else "",
        total=float(np.nansum(records.numbers(records.values[0]))) if records.values else 0.0,
        n_accounts=len(records.accounts),
        as_of=records.as_of,
        currency=currency,
        owners=_owner_of(records, table),
        _rows=table["row"].to_numpy(dtype=np.int64),
        _changes=tuple(tuple((back.get(column, column), new) for column, new in cell) for cell in table["changes"]),
        _ids=records.ids,
        _id_column=back.get("account_id", "account_id"),
    )


def _as_table(records: Records, parts: list[pd.DataFrame]) -> pd.DataFrame:
    if not parts:
        return pd.DataFrame({c: pd.Series(dtype=object) for c in [*_COLUMNS, "row", "changes"]}).astype(
            {"row": np.int64, "amount": float, "repairable": bool}
        )
    table = pd.concat(parts, ignore_index=True)
    row = table["row"].to_numpy(dtype=np.int64)
    table["account_id"] = np.where(row >= 0, records.ids[np.maximum(row, 0)], "")
    table["criterion"], table["amount"] = _touched(records, table)
    table["repairable"] = [len(cell) > 0 for cell in table["changes"]]
    return table[[*_COLUMNS, "row", "changes"]]


def _touched(records: Records, table: pd.DataFrame) -> tuple[NDArray[np.object_], NDArray[np.float64]]:
    """Return the criterion each finding bears on, and how much of it."""
    lead = records.values[0] if records.values else ""
    criterion = np.where(table["column"].isin(records.values), table["column"], lead).astype(object)
    amount = np.zeros(len(table))
    row = table["row"].to_numpy(dtype=np.int64)
    for column in records.values:
        here = (criterion == column) & (row >= 0)
        amount[here] = np.nan_to_num(records.numbers(column))[row[here]]
    deals = records.opportunities
    is_deal = table["rule"].str.startswith("deal_").to_numpy()
    if deals is not None and is_deal.any():
        criterion[is_deal] = "amount"
        size = read_numbers(deals["amount"]) if "amount" in deals.columns else np.zeros(len(deals))
        by_id = pd.Series(np.nan_to_num(size), index=id_text(deals["opportunity_id"])).groupby(level=0).sum()
        amount[is_deal] = by_id.reindex(table.loc[is_deal, "record_id"]).fillna(0.0).to_numpy()
    of_owner = (table["rule"] == "owner_overloaded").to_numpy()
    if lead and of_owner.any():
        book = pd.Series(np.nan_to_num(records.numbers(lead))).groupby(records.text("owner")).sum()
        amount[of_owner] = book.reindex(table.loc[of_owner, "record_id"]).fillna(0.0).to_numpy()
    return criterion, amount


def _owner_of(records: Records, table: pd.DataFrame) -> pd.DataFrame:
    """Return the owner and the team of every finding."""
    row = table["row"].to_numpy(dtype=np.int64)
    owner = np.where(row >= 0, records.text("owner")[np.maximum(row, 0)] if len(records.accounts) else "", "")
    owner = np.where(table["rule"] == "owner_overloaded", table["record_id"], owner).astype(object)
    team = np.full(len(table), "", dtype=object)
    if records.reps is not None and "manager_id" in records.reps.columns:
        manager = pd.Series(id_text(records.reps["manager_id"]).to_numpy(), index=id_text(records.reps["rep_id"]))
        manager = manager[~manager.index.duplicated()]
        team = manager.reindex(owner).fillna("").to_numpy(dtype=object)
    return pd.DataFrame({"owner": owner, "team": team})
