"""Who is asked for what in which period: accounts of sellers, holds, over-assignment and the plan, and their sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    IntArray = NDArray[np.int64]
    Key = tuple[str, str, str]

__all__ = ["BOARD", "Balances", "Entry"]

BOARD = ("board", "", "")
"""The account that everything comes from: minus the plan."""


class Entry(NamedTuple):
    """One line of the ledger; the lines of an event sum to zero in every period.

    Attributes
    ----------
    kind : str
        "seller", "hold", "over" (over-assigned below a node, negative; a reserve is positive), "gap" or "board".
    node : str
        Seat of sellers and holds, node of "over" and "gap".
    who : str
        Seller, or reason of a hold.
    due : int
        Period that the amount belongs to.
    period : int
        Period in which it is booked: the same, or the first open one where that was frozen.
    amount : int
        In hundredths of the currency.
    """

    kind: str
    node: str
    who: str
    due: int
    period: int
    amount: int


class Balances:
    """Amounts by account and period, and the quota of every node: what it and the nodes below it hold.

    Two views are kept: by the period in which amounts are due, by which rules compute, and by the period in which they
    are booked, which is frozen with it.

    Parameters
    ----------
    n_periods : int
    """

    def __init__(self, n_periods: int) -> None:
        self.n_periods = n_periods
        self.parent: dict[str, str | None] = {}
        self.children: dict[str, list[str]] = {}
        self.factor: dict[str, float] = {}
        self.due: dict[Key, IntArray] = {}
        self.booked: dict[Key, IntArray] = {}
        self.total_due: dict[str, IntArray] = {}
        self.total_booked: dict[str, IntArray] = {}
        self.keys_at: dict[str, list[Key]] = {}

    def copy(self) -> Balances:
        """Return an independent copy."""
        out = Balances(self.n_periods)
        out.parent, out.factor = dict(self.parent), dict(self.factor)
        out.children = {k: list(v) for k, v in self.children.items()}
        out.keys_at = {k: list(v) for k, v in self.keys_at.items()}
        for name in ("due", "booked", "total_due", "total_booked"):
            setattr(out, name, {k: v.copy() for k, v in getattr(self, name).items()})
        return out

    @property
    def root(self) -> str:
        """The top node."""
        return next(n for n, p in self.parent.items() if p is None)

    def place(self, node: str, parent: str | None, factor: float = 1.0) -> None:
        """Add a node below another; parents first."""
        self.parent[node], self.factor[node] = parent, factor
        self.children[node], self.keys_at[node] = [], []
        self.total_due[node], self.total_booked[node] = self._zeros(), self._zeros()
        if parent is not None:
            self.children[parent].append(node)
            self.children[parent].sort()

    def apply(self, entries: Iterable[Entry]) -> None:
        """Add entries to the accounts and to every node above them."""
        for kind, node, who, due, period, amount in entries:
            key = (kind, node, who)
            if key not in self.due:
                self.due[key], self.booked[key] = self._zeros(), self._zeros()
                if node:
                    self.keys_at[node].append(key)
                    self.keys_at[node].sort()
            self.due[key][due] += amount
            self.booked[key][period] += amount
            at: str | None = node or None
            while at is not None:
                self.total_due[at][due] += amount
                self.total_booked[at][period] += amount
                at = self.parent[at]

    def is_seat(self, node: str) -> bool:
        """Whether a node is a leaf of the tree."""
        return node in self.children and not self.children[node]

    def holders(self, seat: str) -> list[Key]:
        """Return the accounts of sellers and holds at a seat, sorted."""
        return [key for key in self.keys_at[seat] if key[0] in ("seller", "hold")]

    def amounts(self, key: Key) -> list[int]:
        """Return what is due by period, nothing where the account is new."""
        values = self.due.get(key)
        return [0] * self.n_periods if values is None else [int(v) for v in values]

    def path(self, node: str) -> list[str]:
        """Return a node and everything above it, up to the root."""
        out: list[str] = []
        at: str | None = node
        while at is not None:
            out.append(at)
            at = self.parent[at]
        return out

    def _zeros(self) -> IntArray:
        return np.zeros(self.n_periods, dtype=np.int64)
