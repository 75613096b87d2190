"""One sweep over dated intervals: what they add up to on every day, by key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Days = NDArray[np.datetime64]

__all__ = ["Steps", "find_gaps", "find_overlaps", "sum_by_day"]

EVER, NEVER = np.datetime64("1900-01-01", "D"), np.datetime64("2200-01-01", "D")
"""Stand for an open first and an open last day."""
TOLERANCE = 1e-9
"""Parts that differ from a whole by less are whole: thirds do not add up to 1 in floating point."""


@dataclass(frozen=True, eq=False)
class Steps:
    """A step function of days for every key.

    Attributes
    ----------
    key : ndarray of int, shape (n,)
        Position in ``keys``; sorted.
    first, last : ndarray of datetime64[D], shape (n,)
        Inclusive; the steps of a key follow one another without gap.
    total : ndarray of shape (n,)
        Sum of the parts on each of these days.
    keys : tuple of str
    """

    key: NDArray[np.int64]
    first: Days
    last: Days
    total: NDArray[np.float64]
    keys: tuple[str, ...]

    def table(self, where: NDArray[np.bool_]) -> pd.DataFrame:
        """Return the steps that ``where`` marks: key, first, last, days, total."""
        first, last = self.first[where], self.last[where]
        return pd.DataFrame(
            {
                "key": np.array(self.keys, dtype=object)[self.key[where]],
                "first": pd.to_datetime(first),
                "last": pd.to_datetime(last),
                "days": (last - first).astype(np.int64) + 1,
                "total": self.total[where],
            }
        )


def sum_by_day(
    keys: Sequence[object],
    first: Days,
    last: Days,
    part: NDArray[np.float64] | None = None,
    *,
    within: tuple[np.datetime64, np.datetime64] | None = None,
) -> Steps:
    """Add up intervals by key and day.

    Parameters
    ----------
    keys : sequence, length n
        What each interval is about, compared as text.
    first, last : ndarray of datetime64[D], shape (n,)
        Inclusive. NaT: open. An interval that ends before it begins counts nothing.
    part : ndarray of shape (n,), optional
        What each interval adds on each of its days. Default: 1.
    within : pair of datetime64, optional
        First and last day to look at; every key then has steps for all of them.

    Returns
    -------
    Steps
        Without ``within``, from the first to the last day of each key.

    Notes
    -----
    One sort and one cumulative sum, O(n log n); parts are added in the order of the days, so the result
    does not depend on the order of the rows.
    """
    codes, names = _text_codes(keys)
    begin = np.where(np.isnat(first), EVER, first).astype("datetime64[D]")
    after = np.where(np.isnat(last), NEVER, last).astype("datetime64[D]") + np.timedelta64(1, "D")
    amount = np.ones(len(codes)) if part is None else np.asarray(part, dtype=np.float64)
    if within is not None:
        low, high = _edges(within)
        begin, after = np.clip(begin, low, high), np.clip(after, low, high)
    real = after > begin
    group, begin, after, amount = codes[real], begin[real], after[real], amount[real]
    day = np.concatenate([begin, after])
    change = np.concatenate([amount, -amount])
    key = np.concatenate([group, group])
    if within is not None:
        every = np.arange(len(names))
        day = np.concatenate([day, np.full(len(names), low), np.full(len(names), high)])
        change, key = np.concatenate([change, np.zeros(2 * len(names))]), np.concatenate([key, every, every])
    order = _sorted(key, day, change)
    key, day, change = key[order], day[order], change[order]
    total = np.cumsum(change)
    start = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if len(key) else np.array([], dtype=np.int64)
    before = np.concatenate([[0.0], total])[start]
    total = total - np.repeat(before, np.diff(np.append(start, len(key))))
    final = np.concatenate([(key[1:] != key[:-1]) | (day[1:] != day[:-1]), [True]]) if len(key) else np.array([], bool)
    key, day, total = key[final], day[final], total[final]
    step = np.flatnonzero(key[1:] == key[:-1]) if len(key) else np.array([], dtype=np.int64)
    total = np.round(total, 12)
    last_day = day[step + 1] - np.timedelta64(1, "D") if len(step) else day[:0]
    return Steps(key[step].astype(np.int64), day[step], last_day, total[step], tuple(names))


def find_overlaps(
    keys: Sequence[object],
    first: Days,
    last: Days,
    part: NDArray[np.float64] | None = None,
    *,
    most: float = 1.0,
) -> pd.DataFrame:
    """Return the days on which the parts of a key add up to more than ``most``.

    Returns
    -------
    DataFrame
        ``key``, ``first``, ``last`` (inclusive), ``days``, ``total``; by key and day.
    """
    steps = sum_by_day(keys, first, last, part)
    return steps.table(steps.total > most + TOLERANCE)


def find_gaps(
    keys: Sequence[object],
    first: Days,
    last: Days,
    part: NDArray[np.float64] | None = None,
    *,
    within: tuple[np.datetime64, np.datetime64],
    least: float = 1.0,
) -> pd.DataFrame:
    """Return the days of ``within`` on which the parts of a key add up to less than ``least``.

    Returns
    -------
    DataFrame
        As of `find_overlaps`. A key is only known by its intervals: give one of part 0 to name a key that
        has none.
    """
    steps = sum_by_day(keys, first, last, part, within=within)
    return steps.table(steps.total < least - TOLERANCE)


def _text_codes(keys: Sequence[object]) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """Return the position of each key among the sorted unique ones, compared as text."""
    values = np.empty(len(keys), dtype=object)
    values[:] = keys
    codes, names = pd.factorize(values)
    text = np.array([str(name) for name in names], dtype=object)
    again, sorted_names = pd.factorize(text, sort=True)
    return again[codes] if len(codes) else codes.astype(np.int64), sorted_names


def _sorted(key: NDArray[np.int64], day: Days, change: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the order by key, day and change: changes of one day are added in a fixed order."""
    days = day.astype(np.int64)
    low = days.min(initial=0)
    width = int(days.max(initial=0) - low) + 1
    place = key * width + (days - low)
    parts = np.unique(change)
    if 0 < len(parts) < 1_000 and (len(place) == 0 or float(place.max()) * len(parts) < 2.0**62):
        # one sort of whole numbers is several times faster than one of three columns
        return np.argsort(place * len(parts) + np.searchsorted(parts, change), kind="stable")
    return np.lexsort((change, place))


def _edges(within: tuple[np.datetime64, np.datetime64]) -> tuple[np.datetime64, np.datetime64]:
    low, last = np.array(within, dtype="datetime64[D]")
    return low, last + np.timedelta64(1, "D")
