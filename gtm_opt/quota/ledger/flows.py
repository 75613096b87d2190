"""Moves of one event between accounts, with everything that follows on the way up and down the tree."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.quota.ledger.balances import BOARD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gtm_opt.quota.ledger.balances import Balances

    Key = tuple[str, str, str]

__all__ = ["Flows", "split_amount"]


class Flows:
    """Collects what one event moves, on top of balances that it does not change.

    Parameters
    ----------
    balances : Balances
    """

    def __init__(self, balances: Balances) -> None:
        self.balances = balances
        self._lines: dict[tuple[Key, int], int] = defaultdict(int)
        self._new_keys: dict[str, set[Key]] = defaultdict(set)
        self._parent: dict[str, str | None] = {}

    def lines(self) -> dict[tuple[Key, int], int]:
        """Return what each account gets in each period, zeros left out."""
        return {line: x for line, x in self._lines.items() if x}

    def amounts(self, key: Key) -> list[int]:
        """Return what an account has by period, the moves so far included."""
        return [x + self._lines.get((key, p), 0) for p, x in enumerate(self.balances.amounts(key))]

    def at_seat(self, seat: str, period: int) -> int:
        """Return what sellers and holds of a seat have in a period, the moves so far included."""
        return sum(x for _, x in self._holders(seat, period))

    def add_node(self, node: str, parent: str | None) -> None:
        """Take note of a seat that this event adds to the tree."""
        self._parent[node] = parent

    def move(self, source: Key, target: Key, period: int, amount: int) -> None:
        """Move an amount between two accounts of one seat."""
        self._add(source, period, -(amount))
        self._add(target, period, amount)

    def take(self, seat: str, period: int, amount: int, target: Key) -> None:
        """Take an amount from those who hold a seat's quota, in proportion, for an account of the same seat."""
        self._change_seat(seat, period, -amount, but=target)
        self._add(target, period, amount)

    def carry(self, source: str, target: str, period: int, amount: int) -> None:
        """Move an amount from seat to seat; managers change up to, and without, the first whom both report to."""
        if not amount:
            return
        self._change_seat(source, period, -amount)
        self._change_seat(target, period, amount)
        above = set(self._path(target))
        meeting = next(n for n in self._path(source) if n in above)
        rest = sum(self._lift(seat, meeting, period, x) for seat, x in ((source, -amount), (target, amount)))
        # edges with different over-assignment: what does not cancel out is over-assigned where the paths meet
        self._add(("over", meeting, ""), period, -(rest))

    def lower(self, seat: str, period: int, amount: int) -> None:
        """Take an amount off a seat and off its manager; the gap stays named with who is above."""
        self._change_seat(seat, period, -amount, kinds=("seller",))
        parent = self._above(seat)
        if parent is None:
            self._add(BOARD, period, amount)
            return
        top = self._above(parent)
        change = self._lift(seat, top, period, -amount)
        self._add(BOARD if top is None else ("gap", top, ""), period, -(change))

    def share(self, seat: str, others: Sequence[str], period: int, amount: int) -> None:
        """Move an amount from a seat to others of the same team, in proportion to what they have."""
        self._change_seat(seat, period, -amount, kinds=("seller",))
        weights = [max(0, self.at_seat(s, period)) for s in others]
        for other, part in zip(others, split_amount(amount, weights), strict=True):
            self._change_seat(other, period, part)

    def hand_down(self, period: int, amount: int) -> None:
        """Change the root's number, and everybody's below in proportion to what they have in the period."""
        self._add(BOARD, period, -(amount))
        stack = [(self.balances.root, amount)]
        while stack:
            node, change = stack.pop()
            below = self.balances.children[node]
            if not below:
                self._change_seat(node, period, change)
                continue
            own = int(self.balances.total_due[node][period])
            weights = [max(0, int(self.balances.total_due[c][period])) for c in below]
            total = _scaled(change, sum(weights), own) if own > 0 else 0
            self._add(("over", node, ""), period, change - total)
            stack += list(zip(below, split_amount(total, weights), strict=True))

    def _lift(self, seat: str, end: str | None, period: int, change: int) -> int:
        """Pass a change of a seat up to, and without, ``end``; return what arrives."""
        at = self._above(seat)
        while at is not None and at != end:
            factor = self.balances.factor[at]
            up = _unscaled(change, factor)
            self._add(("over", at, ""), period, up - change)
            change, at = up, self._above(at)
        return change

    def _change_seat(
        self, seat: str, period: int, change: int, kinds: tuple[str, ...] = ("seller", "hold"), but: Key | None = None
    ) -> None:
        """Change what the holders of a seat have, in proportion; a seat without any becomes vacant quota."""
        holders = [(k, max(0, x)) for k, x in self._holders(seat, period) if k[0] in kinds and k != but and x > 0]
        if not holders:
            holders = [(("hold", seat, "vacant"), 1)]
        for (key, _), part in zip(holders, split_amount(change, [x for _, x in holders]), strict=True):
            self._add(key, period, part)

    def _add(self, key: Key, period: int, amount: int) -> None:
        self._lines[key, period] += amount
        self._new_keys[key[1]].add(key)

    def _holders(self, seat: str, period: int) -> list[tuple[Key, int]]:
        keys = set(self.balances.holders(seat)) if seat in self.balances.keys_at else set()
        keys |= {k for k in self._new_keys.get(seat, ()) if k[0] in ("seller", "hold")}
        due = self.balances.due
        return [(k, (int(due[k][period]) if k in due else 0) + self._lines.get((k, period), 0)) for k in sorted(keys)]

    def _above(self, node: str) -> str | None:
        return self._parent[node] if node in self._parent else self.balances.parent[node]

    def _path(self, node: str) -> list[str]:
        out, at = [], self._above(node)
        while at is not None:
            out.append(at)
            at = self._above(at)
        return out


def split_amount(amount: int, weights: Sequence[int]) -> list[int]:
    """Split a whole amount in proportion to weights by largest remainder, ties to the earlier; alike if all are 0.

    Examples
    --------
    >>> split_amount(-10, [1, 1, 1])
    [-4, -3, -3]
    """
    if not weights:
        return []
    total = sum(weights)
    if total <= 0:
        weights, total = [1] * len(weights), len(weights)
    sign, size = (1, amount) if amount >= 0 else (-1, -amount)
    parts = [size * w // total for w in weights]
    rest = [size * w % total for w in weights]
    order = sorted(range(len(rest)), key=lambda at: (-rest[at], at))
    for at in order[: size - sum(parts)]:
        parts[at] += 1
    return [sign * x for x in parts]


def _unscaled(amount: int, factor: float) -> int:
    """Return an amount over a factor, halves away from zero, so that opposite amounts stay opposite."""
    size = int(np.floor(abs(amount) / factor + 0.5))
    return size if amount >= 0 else -size


def _scaled(amount: int, above: int, below: int) -> int:
    """Return ``amount * above / below``, halves away from zero."""
    size = (2 * abs(amount) * above + below) // (2 * below)
    return size if amount >= 0 else -size
