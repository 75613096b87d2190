"""From an event to its entries: the rules by which quota follows people, seats, accounts and the plan."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from gtm_opt.assignment import (
    AccountsMoved,
    Exit,
    Hire,
    Leave,
    Promotion,
    SeatClosed,
    SeatFilled,
    SeatOpened,
    SeatsMerged,
    SeatSplit,
    StartMoved,
)
from gtm_opt.model.tables import did_you_mean
from gtm_opt.quota.ledger.actions import PeriodClosed, PlanChange, QuotaCorrection, Relief, SeatPlaced
from gtm_opt.quota.ledger.flows import Flows
from gtm_opt.quota.ledger.money import MoneyRules
from gtm_opt.quota.ledger.payload import Payload
from gtm_opt.quota.ledger.settings import cumulate

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Poster"]

_DAY = timedelta(days=1)


class Poster(MoneyRules):
    """Computes the entries of one event from the balances and facts before it; see `Rules` for its parameters."""

    def post(self, action: object) -> Payload:
        """Return what an action does to quota; findings are recorded."""
        self.where = type(action).__name__
        if isinstance(action, PeriodClosed):
            return self._close(action)
        if isinstance(action, SeatPlaced):
            return self._place(action)
        flows = Flows(self.balances)
        nodes: list[tuple[str, str | None, float]] = []
        if isinstance(action, Hire):
            if action.seat_id is not None and self._seat(action.seat_id):
                self._start(flows, action.seat_id, action.rep_id, action.first, self.policy.ramp)
        elif isinstance(action, StartMoved):
            self._move_start(flows, action)
        elif isinstance(action, Exit):
            self._leave_seats(flows, action.rep_id, action.last + _DAY, "vacant")
        elif isinstance(action, Promotion):
            self._leave_seats(flows, action.rep_id, action.first, "vacant")
        elif isinstance(action, SeatFilled):
            if self._seat(action.seat_id):
                self._leave_seats(flows, action.rep_id, action.first, "vacant", but=action.seat_id)
                if self.stints.owner(action.seat_id, action.first) != action.rep_id:
                    self._start(flows, action.seat_id, action.rep_id, action.first, ())
        elif isinstance(action, Leave):
            self._take_leave(flows, action)
        elif isinstance(action, AccountsMoved):
            first = action.first + timedelta(days=self.policy.holdout_days)
            self._transfer(flows, action.moves, action.first, first)
        elif isinstance(action, SeatSplit):
            nodes = self._split(flows, action)
        elif isinstance(action, SeatsMerged):
            self._merge(flows, action)
        elif isinstance(action, SeatClosed):
            after = action.last + _DAY
            self._transfer(flows, action.moves, after, after)
            if self._seat(action.seat_id):
                self._vacate(flows, action.seat_id, None, after, "closed")
        elif isinstance(action, Relief):
            self._relieve(flows, action)
        elif isinstance(action, QuotaCorrection):
            self._correct(flows, action)
        elif isinstance(action, PlanChange):
            self._change_plan(flows, action)
        elif isinstance(action, SeatOpened) and action.seat_id not in self.balances.parent:
            remedy = f"Commit SeatPlaced('{action.seat_id}', parent, first) as well."
            self.found.add(self.where, "must open a seat of the quota tree", got=f"'{action.seat_id}'", remedy=remedy)
        return Payload(self._book(flows), tuple(nodes))

    # -- people -----------------------------------------------------------------------

    def _start(self, flows: Flows, seat: str, rep: str, first: date, ramp: tuple[float, ...] | object) -> None:
        """Hand what is vacant from a day on to a seller; what the ramp leaves stays a hold."""
        owner = self.stints.owner(seat, first)
        if owner is not None and owner != rep:
            self._vacate(flows, seat, owner, first, "vacant")
        steps = tuple(ramp) if isinstance(ramp, tuple) else ()
        vacant = flows.amounts(("hold", seat, "vacant"))
        since = first if owner is not None else self.stints.vacant_since(seat, first)
        hired = max(0, self.year.period(first))
        if owner is not None:
            present = [a - b for a, b in zip(vacant, self.balances.amounts(("hold", seat, "vacant")), strict=True)]
        else:
            present = self._after(vacant, first, since)
        carried = cumulate(
            [
                Fraction(x) * Fraction(steps[p - hired] if 0 <= p - hired < len(steps) else 1)
                for p, x in enumerate(present)
            ]
        )
        for p, (all_, part) in enumerate(zip(present, carried, strict=True)):
            flows.move(("hold", seat, "vacant"), ("seller", seat, rep), p, part)
            flows.move(("hold", seat, "vacant"), ("hold", seat, "ramp"), p, all_ - part)

    def _leave_seats(self, flows: Flows, rep: str, first: date, reason: str, but: str | None = None) -> None:
        for seat in self.stints.seats_of(rep, first - _DAY):
            if seat != but and seat in self.balances.parent:
                self._vacate(flows, seat, rep, first, reason)

    def _vacate(self, flows: Flows, seat: str, rep: str | None, first: date, reason: str) -> None:
        """Move what a seller (None: everybody) is asked for from a day on, and what ramp and leave held, to a hold."""
        for key in self.balances.holders(seat):
            is_own = key[0] == "seller" and rep in (None, key[2])
            if is_own or (key[0] == "hold" and key[2] in ("ramp", "leave")):
                who = key[2] if key[0] == "seller" else rep or ""
                since = self.stints.began(seat, who, first - _DAY) if who else date.min
                for p, x in enumerate(self._after(flows.amounts(key), first, since)):
                    flows.move(key, ("hold", seat, reason), p, x)

    def _move_start(self, flows: Flows, action: StartMoved) -> None:
        for key in [k for k in self.balances.due if k[0] == "seller" and k[2] == action.rep_id]:
            seat = key[1]
            planned = [first for first, _, who in self.stints.of_seat(seat) if who == action.rep_id]
            first = planned[-1] if planned else action.first
            for k in (key, ("hold", seat, "ramp")):
                for p, x in enumerate(self._after(flows.amounts(k), first, first)):
                    flows.move(k, ("hold", seat, "vacant"), p, x)
            before = [last for start, last, who in self.stints.of_seat(seat) if start < first and who != action.rep_id]
            since = max(before) + _DAY if before else date.min
            vacant = self._after(flows.amounts(("hold", seat, "vacant")), action.first, since)
            hired, steps = max(0, self.year.period(action.first)), tuple(self.policy.ramp)
            ramped = [Fraction(steps[p - hired] if 0 <= p - hired < len(steps) else 1) for p in range(len(vacant))]
            carried = cumulate([x * r for x, r in zip(vacant, ramped, strict=True)])
            for p, (all_, part) in enumerate(zip(vacant, carried, strict=True)):
                flows.move(("hold", seat, "vacant"), key, p, part)
                flows.move(("hold", seat, "vacant"), ("hold", seat, "ramp"), p, all_ - part)

    def _take_leave(self, flows: Flows, action: Leave) -> None:
        relief = Fraction(self.policy.leave_relief)
        for seat in self.stints.seats_of(action.rep_id, action.first):
            key = ("seller", seat, action.rep_id)
            since = self.stints.began(seat, action.rep_id, action.first)
            asked = self.balances.amounts(key)
            exact = []
            for p, x in enumerate(asked):
                away = self.year.days(p, action.first, action.last)
                there = self.year.days(p, since, self.year.last)
                exact.append(Fraction(x * away, there) * relief if there else Fraction(0))
            for p, x in enumerate(cumulate(exact)):
                flows.move(key, ("hold", seat, "leave"), p, x)

    # -- seats and accounts -------------------------------------------------------------

    def _transfer(self, flows: Flows, moves: Mapping[str, str], day: date, first: date) -> None:
        """Move what accounts are worth from a day on from seat to seat; changes stop where the paths meet."""
        worth: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * len(self.year))
        unknown = sorted(a for a in moves if a not in self.accounts and self._moves_quota(a, moves[a], day))
        if unknown:
            remedy = "Give their targets when the year is started: accounts={...}."
            self.found.add(self.where, "must move accounts with a target", rows=unknown, kind="account", remedy=remedy)
        for account, seat in sorted(moves.items()):
            source = self.stints.seat_of(account, day - _DAY) or self.stints.seat_of(account, day)
            if source is None or source == seat or account not in self.accounts:
                continue
            if self._seat(source) and self._seat(seat):
                amounts = self.year.worth(self.accounts[account], first, self.policy.account_basis)
                worth[source, seat] = [a + b for a, b in zip(worth[source, seat], amounts, strict=True)]
        for (source, seat), amounts in sorted(worth.items()):
            self._between(flows, source, seat, amounts)

    def _moves_quota(self, account: str, seat: str, day: date) -> bool:
        source = self.stints.seat_of(account, day - _DAY) or self.stints.seat_of(account, day)
        return source is not None and source != seat

    def _split(self, flows: Flows, action: SeatSplit) -> list[tuple[str, str | None, float]]:
        if not self._seat(action.seat_id):
            return []
        parent = self.balances.parent[action.seat_id]
        nodes: list[tuple[str, str | None, float]] = []
        if action.new_seat_id not in self.balances.parent:
            nodes.append((action.new_seat_id, parent, 1.0))
            flows.add_node(action.new_seat_id, parent)
            self._added.add(action.new_seat_id)
        self._transfer(flows, dict.fromkeys(action.accounts, action.new_seat_id), action.first, action.first)
        return nodes

    def _merge(self, flows: Flows, action: SeatsMerged) -> None:
        if not (self._seat(action.seat_id) and self._seat(action.into)):
            return
        left = [0] * len(self.year)
        for key in self.balances.holders(action.seat_id):
            since = date.min
            if key[0] == "seller":
                since = self.stints.began(action.seat_id, key[2], action.first - _DAY)
            part = self._after(self.balances.amounts(key), action.first, since)
            left = [a + b for a, b in zip(left, part, strict=True)]
        self._between(flows, action.seat_id, action.into, left)

    # -- the tree and its periods ----------------------------------------------------------

    def _close(self, action: PeriodClosed) -> Payload:
        if self.frozen is not None and action.last <= self.frozen:
            self.found.add(
                self.where, "must lie after what is closed already", got=f"{action.last}, closed {self.frozen}"
            )
        if action.last + _DAY not in self.year.edges:
            remedy = "Closed is a whole period at a time."
            self.found.add(self.where, "must be the last day of a period", got=str(action.last), remedy=remedy)
        return Payload(frozen=action.last)

    def _place(self, action: SeatPlaced) -> Payload:
        tree = self.balances
        if action.seat_id in tree.parent:
            self.found.add(self.where, "must name a seat that is not in the tree yet", got=f"'{action.seat_id}'")
        if action.parent_id not in tree.parent or not tree.children[action.parent_id]:
            remedy = did_you_mean(action.parent_id, [n for n, below in tree.children.items() if below])
            self.found.add(
                self.where, "must name an inner node of the tree", got=f"'{action.parent_id}'", remedy=remedy
            )
        return Payload(nodes=((action.seat_id, action.parent_id, 1.0),))
