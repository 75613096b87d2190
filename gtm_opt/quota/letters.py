"""Quota letters: one table and one page per seller that add up to the cent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, Findings
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gtm_opt.quota.result import Quotas

__all__ = ["Letters", "write_letters"]

_COLUMNS = [
    *("rep_id", "seat_id", "first_month", "last_month", "territory_quota"),
    *("ramp", "leave", "interim", "adjustment", "seller_quota"),
]
_PARTS = ("territory_quota", "hold_ramp", "hold_leave", "hold_vacant", "adjustment")


@dataclass(frozen=True, eq=False)
class Letters:
    """The quota letters of a year.

    Attributes
    ----------
    table : DataFrame
        One row per seller and seat: ``rep_id``, ``seat_id``, ``first_month``, ``last_month``, ``territory_quota``
        (their part of it in these months), ``ramp``, ``leave``, ``interim`` (not asked for, negative), ``adjustment``,
        ``seller_quota``, and ``prior`` where given. The columns sum to ``seller_quota`` to the cent, and every sum of
        letters is the sum of its rows.
    months : DataFrame
        ``rep_id``, ``seat_id``, ``month``, ``seller_quota``: cents that sum to the letter.
    """

    table: pd.DataFrame
    months: pd.DataFrame
    quotas: Quotas
    accounts: Mapping[str, tuple[str, ...]]
    currency: str = ""

    @property
    def sellers(self) -> tuple[str, ...]:
        """Everybody with a letter."""
        return tuple(self.table["rep_id"].unique())

    def page(self, rep_id: str) -> str:
        """Return the letter of one seller as Markdown.

        Raises
        ------
        DataError
            For somebody without a letter.
        """
        rows = self.table[self.table["rep_id"] == rep_id]
        if rows.empty:
            raise DataError(f"`rep_id` must have a letter, got '{rep_id}'. {did_you_mean(rep_id, self.sellers)}")
        label = f" ({self.currency})" if self.currency else ""
        lines = [
            f"# Quota letter: {rep_id}",
            "",
            f"Quota of the year{label}: **{rows['seller_quota'].sum():,.2f}**",
            "",
        ]
        for row in rows.to_dict("records"):
            seat = str(row["seat_id"])
            lines += [f"## Seat {seat}, {row['first_month']} to {row['last_month']}", "", "| | amount |", "|---|---:|"]
            lines += [
                f"| {name} | {row[column]:,.2f} |"
                for name, column in (
                    ("territory quota in these months", "territory_quota"),
                    ("ramp", "ramp"),
                    ("leave", "leave"),
                    ("interim cover", "interim"),
                    ("adjustment", "adjustment"),
                    ("**quota**", "seller_quota"),
                )
                if row[column] or column in ("territory_quota", "seller_quota")
            ]
            if "prior" in row and not pd.isna(row["prior"]):
                lines.append(f"| last year | {row['prior']:,.2f} |")
            months = self.months[(self.months["rep_id"] == rep_id) & (self.months["seat_id"] == row["seat_id"])]
            lines += ["", "| month | quota |", "|---|---:|"]
            lines += [f"| {m} | {q:,.2f} |" for m, q in zip(months["month"], months["seller_quota"], strict=True)]
            lines += ["", f"Where the number comes from: {self.quotas.explain(seat)}", ""]
            if self.accounts.get(seat):
                lines += [f"Accounts ({len(self.accounts[seat])}): {', '.join(self.accounts[seat])}", ""]
        return "\n".join(lines)

    def __repr__(self) -> str:
        total = self.table["seller_quota"].sum()
        return f"Letters: {len(self.sellers):,} sellers, {total:,.2f} {self.currency}".rstrip()


def write_letters(
    quotas: Quotas,
    sellers: pd.DataFrame,
    prior: pd.Series[float] | Mapping[str, float] | None,
    accounts: pd.DataFrame | None,
) -> Letters:
    """Return the letters of everybody with a quota, see `Quotas.letters`."""
    found = Findings()
    missing = [c for c in ("seat_id", "rep_id", "month", "seller_quota", *_PARTS) if c not in sellers.columns]
    if missing:
        found.add("sellers", f"must be what Quotas.sellers returns, without {', '.join(missing)}")
    known_accounts: dict[str, tuple[str, ...]] = {}
    if accounts is not None:
        lacking = [c for c in ("account_id", "seat_id") if c not in accounts.columns]
        if lacking:
            got = ", ".join(map(str, accounts.columns))
            found.add("accounts", f"must have the columns {', '.join(lacking)}", got=got)
        else:
            grouped = accounts.assign(seat=accounts["seat_id"].astype(str)).groupby("seat")["account_id"]
            known_accounts = {str(seat): tuple(sorted(map(str, ids))) for seat, ids in grouped}
    found.raise_if_any()
    people = sellers[sellers["rep_id"].notna()].assign(
        rep_id=lambda t: t["rep_id"].astype(str), seat_id=lambda t: t["seat_id"].astype(str)
    )
    keys = ["rep_id", "seat_id"]
    parts = _cents(people.groupby(keys, sort=True)[list(_PARTS)].sum())
    quota = (
        parts["territory_quota"] - parts["hold_ramp"] - parts["hold_leave"] - parts["hold_vacant"] + parts["adjustment"]
    )
    months = people.groupby([*keys, "month"], sort=True)["seller_quota"].sum().reset_index()
    months["seller_quota"] = _spread_cents(months, keys, quota) / 100
    months["month"] = months["month"].astype(str)
    spans = months.groupby(keys, sort=True)["month"].agg(["first", "last"])
    table = pd.DataFrame(
        {
            "first_month": spans["first"],
            "last_month": spans["last"],
            "territory_quota": parts["territory_quota"] / 100,
            "ramp": -parts["hold_ramp"] / 100 + 0.0,
            "leave": -parts["hold_leave"] / 100 + 0.0,
            "interim": -parts["hold_vacant"] / 100 + 0.0,
            "adjustment": parts["adjustment"] / 100,
            "seller_quota": quota / 100,
        },
        columns=_COLUMNS[2:],
    ).reset_index()
    if prior is not None:
        last = pd.Series(prior, dtype=object)
        last.index = last.index.map(str)
        table["prior"] = pd.to_numeric(table["rep_id"].map(last), errors="coerce")
    return Letters(table, months, quotas, known_accounts, quotas.currency)


def _cents(amounts: pd.DataFrame) -> pd.DataFrame:
    """Return amounts in whole cents."""
    return (100.0 * amounts).round().astype(np.int64)


def _spread_cents(months: pd.DataFrame, keys: list[str], totals: pd.Series[int]) -> NDArray[np.int64]:
    """Return cents per row that sum to the total of each letter: rounded running totals, the last one exact."""
    grouped = months.groupby(keys, sort=True)["seller_quota"]
    running = (100.0 * grouped.cumsum()).round().astype(np.int64).to_numpy(copy=True)
    is_last = ~months.duplicated(keys, keep="last").to_numpy()
    running[is_last] = totals.to_numpy()
    is_first = ~months.duplicated(keys, keep="first").to_numpy()
    return np.where(is_first, running, np.diff(running, prepend=0))
