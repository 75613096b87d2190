"""Rules of events that move quota and nobody else: relief, corrections, a new plan."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

from gtm_opt.quota.ledger.rules import CENTS, Rules
from gtm_opt.quota.ledger.settings import cumulate

if TYPE_CHECKING:
    from gtm_opt.quota.ledger.actions import PlanChange, QuotaCorrection, Relief
    from gtm_opt.quota.ledger.flows import Flows

__all__ = ["MoneyRules"]


class MoneyRules(Rules):
    """Relief, corrections and changes of the plan."""

    def _relieve(self, flows: Flows, action: Relief) -> None:
        seats = (action.seats,) if isinstance(action.seats, str) else tuple(action.seats)
        if (action.amount is None) == (action.frac is None):
            self.found.add(self.where, "must have an amount or a part, one of them")
            return
        if action.how not in ("hold", "siblings", "parent"):
            self.found.add(f"{self.where}.how", "must be one of hold, siblings, parent", got=repr(action.how))
            return
        size = action.frac if action.amount is None else action.amount
        if not isinstance(size, int | float) or not 0 <= size < float("inf") or (action.frac or 0) > 1:
            self.found.add(
                self.where, "must take an amount that is not negative, or a part from 0 to 1", got=repr(size)
            )
            return
        for seat in seats:
            if self._seat(seat):
                self._relieve_seat(flows, action, seat, seats)

    def _relieve_seat(self, flows: Flows, action: Relief, seat: str, seats: tuple[str, ...]) -> None:
        keys = [k for k in self.balances.holders(seat) if k[0] == "seller"]
        left = [0] * len(self.year)
        for key in keys:
            part = self._after(flows.amounts(key), action.first, self.stints.began(seat, key[2], action.first))
            left = [a + b for a, b in zip(left, part, strict=True)]
        wanted = Fraction(0)
        if action.amount is not None:
            wanted = Fraction(round(action.amount * CENTS))
        elif action.frac is not None:
            wanted = sum(left) * Fraction(str(action.frac))
        if wanted > sum(left):
            got = f"{float(wanted) / CENTS:,.2f} at '{seat}', whose sellers have {sum(left) / CENTS:,.2f} left"
            self.found.add(self.where, "must not take more than there is", got=got)
            return
        amounts = cumulate([x * wanted / sum(left) for x in left]) if sum(left) else left
        others = [s for s in self.balances.children[self.balances.parent[seat] or ""] if s not in seats]
        if action.how == "siblings" and not any(flows.at_seat(s, p) for s in others for p in range(len(self.year))):
            self.found.add(self.where, "must have other seats in the team with quota", got=f"none beside '{seat}'")
            return
        for p, x in enumerate(amounts):
            if action.how == "hold":
                flows.take(seat, p, x, ("hold", seat, "relief"))
            elif action.how == "parent":
                flows.lower(seat, p, x)
            else:
                flows.share(seat, others, p, x)

    def _correct(self, flows: Flows, action: QuotaCorrection) -> None:
        if not isinstance(action.amount, int | float) or not 0 < action.amount < float("inf"):
            self.found.add(f"{self.where}.amount", "must be above 0", got=repr(action.amount))
            return
        if not self._seat(action.from_seat) or not (action.to_seat is None or self._seat(action.to_seat)):
            return
        left = self._after([flows.at_seat(action.from_seat, p) for p in range(len(self.year))], action.first, date.min)
        wanted = round(action.amount * CENTS)
        if wanted > sum(left):
            got = f"{wanted / CENTS:,.2f} at '{action.from_seat}', which has {sum(left) / CENTS:,.2f} left"
            self.found.add(self.where, "must not take more than there is", got=got)
            return
        amounts = cumulate([Fraction(x * wanted, sum(left)) for x in left])
        if action.to_seat is not None:
            self._between(flows, action.from_seat, action.to_seat, amounts)
            return
        for p, x in enumerate(amounts):
            flows.take(action.from_seat, p, x, ("hold", action.from_seat, "correction"))

    def _change_plan(self, flows: Flows, action: PlanChange) -> None:
        if not isinstance(action.amount, int | float) or not 0 <= action.amount < float("inf"):
            self.found.add(f"{self.where}.amount", "must not be negative", got=repr(action.amount))
            return
        now = [int(x) for x in self.balances.total_due[self.balances.root]]
        left = self._after(now, action.first, date.min)
        change = round(action.amount * CENTS) - sum(now)
        if sum(left) + change < 0 or (change and not sum(left)):
            got = f"{action.amount:,.2f}; {(sum(now) - sum(left)) / CENTS:,.2f} lie before {action.first}"
            self.found.add(self.where, "must leave what lies before its day", got=got)
            return
        for p, x in enumerate(cumulate([Fraction(x * change, sum(left)) for x in left]) if sum(left) else left):
            flows.hand_down(p, x)
