"""The quotas of a year as they stood on a day, as it was known on another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import amount_text

if TYPE_CHECKING:
    from datetime import date

    from gtm_opt.quota.ledger.balances import Balances
    from gtm_opt.quota.ledger.settings import Year

__all__ = ["QuotaYear"]

CENTS = 100


@dataclass(frozen=True, eq=False)
class QuotaYear:
    """Quotas by seller, hold and node; amounts by the period in which they are booked.

    Attributes
    ----------
    balances : Balances
    year : Year
    day, known_on : date or None
        The day it held on, and the day it was known on; None: as of the last event.
    """

    balances: Balances
    year: Year
    day: date | None
    known_on: date | None

    @cached_property
    def sellers(self) -> pd.DataFrame:
        """What sellers are asked for: ``rep_id, seat_id, month, quota``; periods without an amount left out."""
        return self._accounts("seller").rename(columns={"who": "rep_id"})[["rep_id", "seat_id", "month", "quota"]]

    @cached_property
    def holds(self) -> pd.DataFrame:
        """What nobody is asked for, by reason: ``seat_id, reason, month, quota``."""
        return self._accounts("hold").rename(columns={"who": "reason"})[["seat_id", "reason", "month", "quota"]]

    @cached_property
    def nodes(self) -> pd.DataFrame:
        """Quota of every node by period: ``node_id, parent_id, month, quota, over_assigned, gap``.

        The quotas of a node's children sum to its quota plus what is over-assigned below it minus the gap left by
        relief that lowered a child.
        """
        tree, months = self.balances, len(self.year)
        names = sorted(tree.parent)
        zero = np.zeros(months, dtype=np.int64)
        totals = np.concatenate([tree.total_booked[n] for n in names])
        over, gap = (np.concatenate([tree.booked.get((kind, n, ""), zero) for n in names]) for kind in ("over", "gap"))
        return pd.DataFrame(
            {
                "node_id": np.repeat(np.array(names, dtype=object), months),
                "parent_id": np.repeat(np.array([tree.parent[n] for n in names], dtype=object), months),
                "month": list(self.year.labels) * len(names),
                "quota": totals / CENTS,
                "over_assigned": -over / CENTS,
                "gap": gap / CENTS,
            }
        )

    @cached_property
    def table(self) -> pd.DataFrame:
        """The year of every node: ``node_id, parent_id, quota, carried, hold, over_assigned, gap``.

        ``carried`` and ``hold`` are those of the seats below.
        """
        tree = self.balances
        carried, held = dict.fromkeys(tree.parent, 0), dict.fromkeys(tree.parent, 0)
        for (kind, node, _), amounts in tree.booked.items():
            if kind in ("seller", "hold"):
                sums = carried if kind == "seller" else held
                for above in tree.path(node):
                    sums[above] += int(amounts.sum())
        by_node = self.nodes.groupby("node_id", sort=True)[["quota", "over_assigned", "gap"]].sum().reset_index()
        names = by_node["node_id"]
        return pd.DataFrame(
            {
                "node_id": names,
                "parent_id": [tree.parent[n] for n in names],
                "quota": by_node["quota"],
                "carried": [carried[n] / CENTS for n in names],
                "hold": [held[n] / CENTS for n in names],
                "over_assigned": by_node["over_assigned"],
                "gap": by_node["gap"],
            }
        )

    def seller(self, rep_id: str) -> float:
        """Return what a seller is asked for in the whole year."""
        return (
            sum(int(a.sum()) for (k, _, who), a in self.balances.booked.items() if k == "seller" and who == rep_id)
            / CENTS
        )

    def hold(self, seat_id: str, reason: str | None = None) -> float:
        """Return what is held at a seat, for one reason or all."""
        return (
            sum(
                int(a.sum())
                for (k, seat, why), a in self.balances.booked.items()
                if k == "hold" and seat == seat_id and reason in (None, why)
            )
            / CENTS
        )

    def quota(self, node: str) -> float:
        """Return the year's quota of a node."""
        return int(self.balances.total_booked[node].sum()) / CENTS

    def _accounts(self, kind: str) -> pd.DataFrame:
        rows = [
            (node, who, self.year.labels[p], int(amounts[p]) / CENTS)
            for (k, node, who), amounts in sorted(self.balances.booked.items())
            if k == kind
            for p in np.flatnonzero(amounts).tolist()
        ]
        return pd.DataFrame(rows, columns=["seat_id", "who", "month", "quota"])

    def __repr__(self) -> str:
        when = "" if self.day is None else f" on {self.day}"
        known = "" if self.known_on is None else f" as known on {self.known_on}"
        total = amount_text(self.quota(self.balances.root))
        return f"QuotaYear{when}{known}: {total} at the root, {len(self.balances.parent):,} nodes"
