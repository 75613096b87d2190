"""What holds on which days, after all events were applied."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.timeline.sweep import EVER, NEVER

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    Days = NDArray[np.datetime64]

__all__ = ["Facts"]


@dataclass(frozen=True, eq=False)
class Facts:
    """Values of relations and subjects by day, as disjoint intervals.

    Attributes
    ----------
    keys : tuple of (str, str)
        Relation and subject.
    key : ndarray of int, shape (n,)
        Position in ``keys``; the intervals of a key follow one another, by first day.
    first, last : ndarray of datetime64[D], shape (n,)
        Inclusive; ``EVER`` and ``NEVER`` of `gtm_opt.timeline.sweep` stand for open ends.
    value : ndarray of object, shape (n,)
        Never None: where nothing holds there is no interval.
    """

    keys: tuple[tuple[str, str], ...]
    key: NDArray[np.int64]
    first: Days
    last: Days
    value: NDArray[np.object_]

    def as_of(self, day: date | np.datetime64 | str) -> dict[str, dict[str, object]]:
        """Return the values on one day, by relation and subject; O(number of intervals)."""
        when = np.array(day, dtype="datetime64[D]")
        out: dict[str, dict[str, object]] = {}
        for at in np.flatnonzero((self.first <= when) & (self.last >= when)).tolist():
            relation, subject = self.keys[self.key[at]]
            out.setdefault(relation, {})[subject] = self.value[at]
        return out

    def held(self, relation: str, day: date | np.datetime64 | str) -> dict[str, object]:
        """Return the values of one relation on a day, by subject."""
        when = np.array(day, dtype="datetime64[D]")
        rows = self._rows.get(relation)
        if rows is None:
            return {}
        rows = rows[(self.first[rows] <= when) & (self.last[rows] >= when)]
        return {self.keys[self.key[at]][1]: self.value[at] for at in rows.tolist()}

    @cached_property
    def _rows(self) -> dict[str, NDArray[np.int64]]:
        """Intervals of each relation."""
        codes, names = pd.factorize(np.array([relation for relation, _ in self.keys], dtype=object))
        of_row = codes[self.key] if len(codes) else np.zeros(0, dtype=np.int64)
        return {str(name): np.flatnonzero(of_row == code) for code, name in enumerate(names)}

    def between(self, first: date | np.datetime64 | str, last: date | np.datetime64 | str) -> Facts:
        """Return what holds on the days from ``first`` to ``last``, cut to them."""
        low, high = (np.array(day, dtype="datetime64[D]") for day in (first, last))
        keep = (self.first <= high) & (self.last >= low)
        cut_first, cut_last = np.maximum(self.first[keep], low), np.minimum(self.last[keep], high)
        return Facts(self.keys, self.key[keep], cut_first, cut_last, self.value[keep])

    def history(self, subject: str, relation: str | None = None) -> pd.DataFrame:
        """Return every interval of a subject; see `table`."""
        keys = [at for at, (r, s) in enumerate(self.keys) if s == subject and relation in (None, r)]
        rows = np.isin(self.key, keys)
        return Facts(self.keys, self.key[rows], self.first[rows], self.last[rows], self.value[rows]).table

    @cached_property
    def table(self) -> pd.DataFrame:
        """All intervals: ``relation, subject, first, last`` (NaT: open), ``value``."""
        nat = np.datetime64("NaT", "D")
        names = np.array(self.keys, dtype=object).reshape(-1, 2)
        table = pd.DataFrame(
            {
                "relation": names[self.key, 0] if len(names) else names[:, 0],
                "subject": names[self.key, 1] if len(names) else names[:, 1],
                "first": pd.to_datetime(np.where(self.first <= EVER, nat, self.first)),
                "last": pd.to_datetime(np.where(self.last >= NEVER, nat, self.last)),
                "value": self.value,
            }
        )
        return table.sort_values(
            ["relation", "subject", "first"], kind="stable", ignore_index=True, na_position="first"
        )
