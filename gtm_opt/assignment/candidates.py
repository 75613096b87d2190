"""The matching problem: who may sit where, what each pair is worth, and the rules beside."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["Candidates", "SideRow"]


@dataclass(frozen=True, eq=False)
class SideRow:
    """One linear row over candidate pairs: ``low <= sum of values of the chosen pairs <= high``.

    Attributes
    ----------
    rule : str
        The rule that it comes from, as the planner named it; a rule may have many rows.
    pair : ndarray of int, shape (k,)
        Positions of candidates.
    value : ndarray of shape (k,)
    low, high : float
    """

    rule: str
    pair: NDArray[np.int64]
    value: NDArray[np.float64]
    low: float = -np.inf
    high: float = np.inf


@dataclass(frozen=True, eq=False)
class Candidates:
    """Pairs of a seat and a person that may meet.

    Attributes
    ----------
    seats, people : tuple of str
    seat, person : ndarray of int, shape (n,)
        Sorted by seat, then person; unique.
    score : ndarray of shape (n,)
        Worth of the pair, finite.
    rows : tuple of SideRow
    load : ndarray of shape (n_seats,), optional
        What each seat asks of a person; with it a person may take several seats up to ``capacity``.
    capacity : ndarray of shape (n_people,), optional
    """

    seats: tuple[str, ...]
    people: tuple[str, ...]
    seat: NDArray[np.int64]
    person: NDArray[np.int64]
    score: NDArray[np.float64]
    rows: tuple[SideRow, ...] = ()
    load: NDArray[np.float64] | None = None
    capacity: NDArray[np.float64] | None = field(default=None)

    def __len__(self) -> int:
        return len(self.seat)

    @property
    def is_linear(self) -> bool:
        """Whether it is a linear assignment problem: one seat per person, no rules beside eligibility."""
        return not self.rows and self.load is None

    @property
    def rules(self) -> tuple[str, ...]:
        """Names of the rules with rows, in their order."""
        return tuple(dict.fromkeys(row.rule for row in self.rows))

    def position(self, seat: int, person: int) -> int:
        """Return the position of a pair, -1 where it is no candidate."""
        low, high = np.searchsorted(self.seat, [seat, seat + 1])
        at = low + np.searchsorted(self.person[low:high], person)
        return int(at) if at < high and self.person[at] == person else -1

    def without(self, rule: str) -> Candidates:
        """Return the problem without the rows of a rule."""
        return replace(self, rows=tuple(row for row in self.rows if row.rule != rule))

    def only(self, keep: NDArray[np.bool_]) -> Candidates:
        """Return the problem with some of the candidates; rows keep what is left of them."""
        place = np.cumsum(keep) - 1
        rows = []
        for row in self.rows:
            left = keep[row.pair]
            rows.append(replace(row, pair=place[row.pair[left]], value=row.value[left]))
        return replace(self, seat=self.seat[keep], person=self.person[keep], score=self.score[keep], rows=tuple(rows))

    def forced(self, pairs: Iterable[tuple[int, int]]) -> Candidates:
        """Return the problem with pairs that must meet: other candidates of the seat and the person go."""
        keep = np.ones(len(self), dtype=bool)
        for seat, person in pairs:
            other = (
                (self.seat == seat) ^ (self.person == person)
                if self.load is None
                else ((self.seat == seat) & (self.person != person))
            )
            keep &= ~other
        return self.only(keep)
