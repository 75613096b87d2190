"""What an event of the book says about quota, as text: the store keeps one line per event."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gtm_opt.quota.ledger.balances import Balances, Entry
from gtm_opt.quota.ledger.settings import Year

__all__ = ["RELATION", "Payload"]

RELATION = "quota postings"
"""Relation under which the book keeps postings; the subject is a running number."""


@dataclass(frozen=True)
class Payload:
    """The entries of one event, and what it adds to the tree.

    Attributes
    ----------
    entries : tuple of Entry
    nodes : tuple of (node, parent, factor)
        Added before the entries are applied.
    frozen : date, optional
        Last day of the periods that are frozen from now on.
    year : Year, optional
        Of an opening.
    accounts : dict of str to int
        Yearly targets of accounts in hundredths, of an opening.
    """

    entries: tuple[Entry, ...] = ()
    nodes: tuple[tuple[str, str | None, float], ...] = ()
    frozen: date | None = None
    year: Year | None = None
    accounts: dict[str, int] = field(default_factory=dict)

    def to_text(self) -> str:
        """Return the payload as JSON."""
        told: dict[str, Any] = {"entries": [list(e) for e in self.entries]}
        if self.nodes:
            told["nodes"] = [list(n) for n in self.nodes]
        if self.frozen is not None:
            told["frozen"] = self.frozen.isoformat()
        if self.year is not None:
            edges = [d.isoformat() for d in self.year.edges]
            told["year"] = [list(self.year.labels), edges, list(self.year.shares)]
        if self.accounts:
            told["accounts"] = dict(sorted(self.accounts.items()))
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> Payload:
        """Read what `to_text` wrote."""
        told = json.loads(text)
        year = None
        if "year" in told:
            labels, edges, shares = told["year"]
            year = Year(tuple(labels), tuple(date.fromisoformat(d) for d in edges), tuple(shares))
        return cls(
            tuple(Entry(*e) for e in told["entries"]),
            tuple((n, p, f) for n, p, f in told.get("nodes", ())),
            date.fromisoformat(told["frozen"]) if "frozen" in told else None,
            year,
            told.get("accounts", {}),
        )

    def apply(self, balances: Balances) -> None:
        """Add nodes and entries to balances."""
        for node, parent, factor in self.nodes:
            balances.place(node, parent, factor)
        balances.apply(self.entries)
