"""The opening of a year: quotas of all nodes by period, in hundredths, on the accounts of sellers and holds."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.model.tables import did_you_mean, number_column
from gtm_opt.quota.layers import Layers
from gtm_opt.quota.ledger.balances import BOARD, Entry
from gtm_opt.quota.ledger.payload import Payload
from gtm_opt.quota.ledger.settings import Year, cumulate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gtm_opt.errors import Findings
    from gtm_opt.quota.result import Quotas

__all__ = ["CENTS", "open_balances"]

CENTS = 100


def open_balances(
    quotas: Quotas,
    owners: Mapping[str, object],
    sellers: pd.DataFrame | None,
    accounts: Mapping[str, float] | pd.Series | None,
    found: Findings,
    *,
    whole_months: bool = False,
) -> Payload:
    """Return the opening entries of a year.

    Parameters
    ----------
    quotas : Quotas
        With a calendar; its first fiscal year is opened.
    owners : mapping of str to str
        Seller of each seat on the first day; seats without one are vacant.
    sellers : DataFrame, optional
        From `Quotas.sellers` with exact months: what each seller carries and what is held, in place of ``owners``.
    accounts : mapping of str to float, optional
        Yearly target of each account, needed for accounts that move.
    found : Findings
    whole_months : bool
        Take the periods of `Quotas.periods` instead of exact parts of the year.
    """
    if quotas.calendar is None:
        found.add("quotas", "must have a calendar", remedy="Pass calendar= to cascade.")
        return Payload()
    year = Year.of(quotas.calendar)
    layers = Layers.of(quotas)
    amounts = quotas.table["quota"].to_numpy(dtype=np.int64)[layers.row] * CENTS
    into = quotas.table["edge_oa_frac"].to_numpy(dtype=np.float64)[layers.row]
    factor = np.ones(len(layers))
    child = layers.parent >= 0
    factor[layers.parent[child]] = 1.0 + into[child]
    if whole_months:
        by_period = quotas.periods["quota"].to_numpy(dtype=np.int64).reshape(-1, len(year))[layers.row] * CENTS
        spread = {node: months.tolist() for node, months in zip(layers.ids, by_period, strict=True)}
    else:
        spread = {node: year.spread(int(a)) for node, a in zip(layers.ids, amounts, strict=True)}
    nodes = tuple(
        (node, None if p < 0 else layers.ids[p], float(f))
        for node, p, f in zip(layers.ids, layers.parent.tolist(), factor.tolist(), strict=True)
    )
    lines: dict[tuple[str, str, str], list[int]] = {BOARD: [-x for x in spread[layers.ids[0]]]}
    carried = None if sellers is None else _read_sellers(sellers, year, layers, found)
    below_of: dict[str, list[str]] = {}
    for node, p, _ in nodes:
        below_of.setdefault(p or "", []).append(node)
    for at, node in enumerate(layers.ids):
        if not layers.is_leaf[at]:
            kids = below_of[node]
            below = [sum(spread[k][p] for k in kids) for p in range(len(year))]
            lines["over", node, ""] = [own - b for own, b in zip(spread[node], below, strict=True)]
        elif carried is None:
            owner = owners.get(node)
            lines["hold" if owner is None else "seller", node, str(owner or "vacant")] = spread[node]
        else:
            left = list(spread[node])
            for rep, months in sorted(carried.get(node, {}).items()):
                lines["seller", node, rep] = months
                left = [a - b for a, b in zip(left, months, strict=True)]
            if any(left):
                lines["hold", node, "vacant" if node not in carried else "ramp"] = left
    entries = tuple(Entry(*key, p, p, x) for key, months in sorted(lines.items()) for p, x in enumerate(months) if x)
    return Payload(entries, nodes, None, year, _read_accounts(accounts, found))


def _read_sellers(
    sellers: pd.DataFrame, year: Year, layers: Layers, found: Findings
) -> dict[str, dict[str, list[int]]]:
    """Return what each seller carries by period, in hundredths."""
    missing = [c for c in ("seat_id", "rep_id", "month", "seller_quota") if c not in sellers.columns]
    if missing:
        found.add("sellers", "must be the table of Quotas.sellers", rows=missing, kind="column")
        return {}
    table = sellers[sellers["rep_id"].notna() & (sellers["seller_quota"] != 0)]
    seats = set(np.array(layers.ids, dtype=object)[layers.is_leaf])
    strange = sorted(set(table["seat_id"].astype(str)) - seats)
    if strange:
        remedy = did_you_mean(strange[0], seats)
        found.add("sellers['seat_id']", "must only name seats of the quotas", rows=strange, kind="seat", remedy=remedy)
        return {}
    place = {label: p for p, label in enumerate(year.labels)}
    exact: dict[tuple[str, str], list[float]] = {}
    for seat, rep, month, amount in zip(
        table["seat_id"].astype(str), table["rep_id"].astype(str), table["month"].astype(str),
        table["seller_quota"].astype(float), strict=True,
    ):  # fmt: skip
        if month in place:
            exact.setdefault((seat, rep), [0.0] * len(year))[place[month]] += amount * CENTS
    out: dict[str, dict[str, list[int]]] = {}
    for (seat, rep), months in sorted(exact.items()):
        out.setdefault(seat, {})[rep] = cumulate([Fraction(x) for x in months])
    return out


def _read_accounts(accounts: Mapping[str, float] | pd.Series | None, found: Findings) -> dict[str, int]:
    if accounts is None or not len(accounts):
        return {}
    table = pd.Series(dict(accounts), dtype=object).infer_objects().rename("target").to_frame()
    numbers = number_column(table, "target", found, what="accounts", fill="Leave out accounts without a target.")
    if numbers is None:
        return {}
    return {str(a): round(float(x) * CENTS) for a, x in zip(table.index, numbers, strict=True)}
