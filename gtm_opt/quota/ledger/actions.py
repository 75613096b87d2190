"""Events that move quota and nobody else: relief, a new plan, corrections, closed periods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date

__all__ = [
    "MONEY_ACTIONS",
    "MoneyAction",
    "PeriodClosed",
    "PlanChange",
    "QuotaCorrection",
    "QuotaOpened",
    "Relief",
    "SeatPlaced",
]


@dataclass(frozen=True)
class Relief:
    """Sellers are asked for less from a day on, all of them by the same rule.

    Attributes
    ----------
    seats : str or tuple of str
        Everybody in the same case.
    first : date
    amount : float, optional
        For the rest of the year, at each seat.
    frac : float, optional
        In place of ``amount``: part of what each seat's sellers still have to bring from that day on, 0 to 1.
    how : {"hold", "siblings", "parent"}
        Where it goes: to a hold of the seat, to the other seats of the team, or off the manager's number as well, which
        leaves a named gap above.
    """

    seats: str | tuple[str, ...]
    first: date
    amount: float | None = None
    frac: float | None = None
    how: Literal["hold", "siblings", "parent"] = "hold"


@dataclass(frozen=True)
class PlanChange:
    """The plan of the whole year becomes another amount; only what is left of the year moves."""

    amount: float
    first: date


@dataclass(frozen=True)
class QuotaCorrection:
    """An amount is moved from one seat to another, or to a hold of the same seat, to set a mistake right."""

    from_seat: str
    amount: float
    first: date
    to_seat: str | None = None


@dataclass(frozen=True)
class SeatPlaced:
    """A seat that is not in the tree yet reports to a node from a day on; without quota."""

    seat_id: str
    parent_id: str
    first: date


@dataclass(frozen=True)
class PeriodClosed:
    """Every period up to a day is frozen: what happened in it and is told later goes into the first open one."""

    last: date


@dataclass(frozen=True)
class QuotaOpened:
    """The quotas of a year enter the book; made by `gtm_opt.QuotaBook.start`."""

    first: date
    payload: str


MoneyAction = Relief | PlanChange | QuotaCorrection | SeatPlaced | PeriodClosed | QuotaOpened
MONEY_ACTIONS: tuple[type, ...] = (Relief, PlanChange, QuotaCorrection, SeatPlaced, PeriodClosed, QuotaOpened)
