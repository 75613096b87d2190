"""Heads over segments: exact by dynamic programming, greedy only where that is exact too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, Findings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gtm_opt.sales_capacity.sizing.responses import Response

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

__all__ = ["HeadAllocation", "allocate_heads", "best_split", "value_tables"]

_CONCAVE = 1e-12


@dataclass(frozen=True, eq=False)
class HeadAllocation:
    """How many heads each segment gets.

    Attributes
    ----------
    table : DataFrame
        One row per segment: ``segment``, ``heads``, ``value``, ``last`` (what the last head adds; nan: none), ``next``
        (what one more would add; nan: no more allowed), ``concave``.
    value : float
        Sum of the values: the largest there is (dynamic programming is exact).
    heads : int
    greedy_value : float
        What giving each head to the segment where it adds most would reach, for comparison.
    """

    table: pd.DataFrame
    value: float
    heads: int
    greedy_value: float

    @property
    def is_concave(self) -> bool:
        """Whether every head adds no more than the one before, in all segments: then greedy is optimal."""
        return bool(self.table["concave"].all())

    def __repr__(self) -> str:
        parts = ", ".join(f"{s} {h}" for s, h in zip(self.table["segment"], self.table["heads"], strict=True))
        return f"HeadAllocation: {self.heads} heads, value {self.value:,.4g} ({parts})"


def allocate_heads(
    responses: Mapping[str, Response | Sequence[float]],
    heads: int,
    *,
    at_least: Mapping[str, int] | None = None,
    at_most: Mapping[str, int] | None = None,
    method: Literal["exact", "greedy"] = "exact",
) -> HeadAllocation:
    """Distribute heads over segments so that the sum of what they bring is largest.

    Parameters
    ----------
    responses : mapping of str to Response or sequence of float
        Per segment what 0, 1, 2, ... heads bring: a curve (called with whole numbers), or the values themselves.
    heads : int
        Heads to distribute, >= 0. All are used, as far as segments may take them.
    at_least, at_most : mapping of str to int, optional
        By segment; 0 and all heads where left out.
    method : {"exact", "greedy"}
        Dynamic programming; or one head after the other to where it adds most, which is refused unless it is optimal.

    Returns
    -------
    HeadAllocation

    Raises
    ------
    DataError
        With every finding; for ``"greedy"`` where a segment is not concave, with the heads that show it.

    Notes
    -----
    O(segments * heads ** 2). With S-shaped curves the problem is a nonlinear knapsack (Agrali and Geunes 2009,
    doi:10.1016/j.ejor.2007.11.019); over heads the table is small. Ties go to the earlier segment.
    """
    values, low, high = _read(responses, heads, at_least, at_most)
    names = list(responses)
    counts = best_split(values, heads, low, high)
    concave = [bool((np.diff(v, 2) <= _CONCAVE * max(1.0, float(np.abs(v).max()))).all()) for v in values]
    if method == "greedy" and not all(concave):
        raise DataError(_not_concave(names, values, concave))
    if method not in ("exact", "greedy"):
        raise DataError(f"`method` must be 'exact' or 'greedy', got {method!r}.")
    greedy = _greedy(values, heads, low, high)
    rows = []
    for name, table, count, most, bend in zip(names, values, counts.tolist(), high.tolist(), concave, strict=True):
        last = table[count] - table[count - 1] if count else np.nan
        further = table[count + 1] - table[count] if count + 1 < len(table) and count < most else np.nan
        rows.append((name, count, float(table[count]), last, further, bend))
    frame = pd.DataFrame(rows, columns=["segment", "heads", "value", "last", "next", "concave"])
    reached = [sum(float(v[n]) for v, n in zip(values, split.tolist(), strict=True)) for split in (counts, greedy)]
    return HeadAllocation(frame, reached[0], int(counts.sum()), reached[1])


def value_tables(responses: Mapping[str, Response | Sequence[float]], heads: int, found: Findings) -> list[FloatArray]:
    """Return what 0 to ``heads`` heads bring, by segment; a shorter sequence ends the segment there."""
    out = []
    for name, response in responses.items():
        try:
            raw = response(np.arange(heads + 2, dtype=np.float64)) if callable(response) else response
            values = np.asarray(raw, dtype=np.float64)
        except (TypeError, ValueError):
            values = np.array([np.nan])
        if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
            found.add(
                f"responses[{name!r}]", "must give finite numbers for 0, 1, 2, ... heads", got=repr(response)[:60]
            )
            values = np.zeros(1)
        out.append(values)
    return out


def best_split(values: Sequence[FloatArray], heads: int, low: IntArray, high: IntArray) -> IntArray:
    """Return the heads by segment with the largest sum of values, all of them used as far as ``high`` allows."""
    total = min(heads, int(high.sum()))
    best = np.full(total + 1, -np.inf)
    best[0] = 0.0
    choice = np.zeros((len(values), total + 1), dtype=np.int64)
    for k, table in enumerate(values):
        after = np.full(total + 1, -np.inf)
        # the smallest number first: on a tie the earlier segments have the heads
        for count in range(int(low[k]), min(int(high[k]), total) + 1):
            candidate = np.full(total + 1, -np.inf)
            candidate[count:] = best[: total + 1 - count] + table[count]
            better = candidate > after
            after[better] = candidate[better]
            choice[k][better] = count
        best = after
    counts = np.zeros(len(values), dtype=np.int64)
    left = total
    for k in range(len(values) - 1, -1, -1):
        counts[k] = choice[k][left]
        left -= int(counts[k])
    return counts


def _greedy(values: Sequence[FloatArray], heads: int, low: IntArray, high: IntArray) -> IntArray:
    counts = low.copy()
    for _ in range(min(heads, int(high.sum())) - int(low.sum())):
        gains = [
            float(table[n + 1] - table[n]) if n < most else -np.inf
            for table, n, most in zip(values, counts.tolist(), high.tolist(), strict=True)
        ]
        counts[int(np.argmax(gains))] += 1
    return counts


def _not_concave(names: Sequence[str], values: Sequence[FloatArray], concave: Sequence[bool]) -> str:
    at = concave.index(False)
    steps = np.diff(values[at])
    rise = int(np.flatnonzero(np.diff(steps) > 0)[0])
    return (
        f"`method` must not be 'greedy' where a segment is not concave: in '{names[at]}' head {rise + 2} adds "
        f"{steps[rise + 1]:.4g}, more than head {rise + 1} ({steps[rise]:.4g}).\n    Use method='exact'."
    )


def _read(
    responses: Mapping[str, Response | Sequence[float]],
    heads: int,
    at_least: Mapping[str, int] | None,
    at_most: Mapping[str, int] | None,
) -> tuple[list[FloatArray], IntArray, IntArray]:
    found = Findings()
    if not hasattr(responses, "items") or not len(responses):
        found.add("responses", "must be a mapping of segments to responses", got=repr(responses)[:60])
    if isinstance(heads, bool) or heads != int(heads) or heads < 0:
        found.add("heads", "must be a whole number, not negative", got=repr(heads))
    found.raise_if_any()
    values = value_tables(responses, int(heads), found)
    bounds = []
    for what, given, default in (("at_least", at_least, 0), ("at_most", at_most, int(heads))):
        unknown = [name for name in given or {} if name not in responses]
        if unknown:
            found.add(what, "must name segments of responses", rows=unknown, kind="segment")
        wrong = [name for name, v in (given or {}).items() if isinstance(v, bool) or v != int(v) or v < 0]
        if wrong:
            found.add(what, "must hold whole numbers, none negative", rows=wrong, kind="segment")
        bounds.append(
            np.array([default if given is None else given.get(n, default) for n in responses], dtype=np.int64)
        )
    low, high = bounds[0], np.minimum(bounds[1], [len(v) - 1 for v in values])
    if not found and (low > high).any():
        rows = [name for name, wrong in zip(responses, low > high, strict=True) if wrong]
        found.add("at_least", "must not exceed at_most, or the values given", rows=rows, kind="segment")
    if not found and low.sum() > heads:
        found.add("at_least", f"must leave the {heads} heads to distribute", got=f"{low.sum()} in sum")
    found.raise_if_any()
    return values, low, high
