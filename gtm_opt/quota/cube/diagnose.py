"""Why no table fits: the least by which the margins must change, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, eye_array, hstack, vstack

from gtm_opt.errors import number_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gtm_opt.quota.cube.margins import Margin
    from gtm_opt.quota.cube.space import Cells

    FloatArray = NDArray[np.float64]

__all__ = ["explain_failure", "explain_groups"]

_MOST_CELLS = 300_000
_SHOWN = 5


def explain_groups(
    margins: Sequence[Margin], cells: Cells, low: FloatArray, high: FloatArray, scale: float
) -> list[str]:
    """Return the groups whose amount their cells cannot hold: structural zeros, floors and caps."""
    reasons = []
    for margin in margins:
        names = margin.axes
        count = np.bincount(margin.group, minlength=len(margin.total))
        least, most = margin.sums(low), margin.sums(high)
        slack = 1e-9 * np.maximum(1.0, margin.total)
        for groups, text in (
            (np.flatnonzero((count == 0) & (margin.total > 0)), "all its cells are zeros of the seed"),
            (np.flatnonzero((count > 0) & (least > margin.total + slack)), "the floors of its cells need"),
            (np.flatnonzero((count > 0) & (most < margin.total - slack)), "the caps of its cells allow"),
        ):
            for g, label in zip(groups[:_SHOWN], cells.labels(names, groups), strict=False):
                bound = least[g] if "floors" in text else most[g]
                tail = "" if "zeros" in text else f" {number_text(bound * scale)}"
                total = number_text(margin.total[g] * scale)
                reasons.append(f"{margin.name} '{' x '.join(label)}' must have {total}, but {text}{tail}.")
            if len(groups) > _SHOWN:
                reasons.append(f"{margin.name}: the same holds for {len(groups) - _SHOWN:,} more.")
    return reasons


def explain_failure(
    margins: Sequence[Margin], cells: Cells, low: FloatArray, high: FloatArray, scale: float
) -> list[str]:
    """Return why margins that agree have no table all the same; empty where they have one.

    Notes
    -----
    A linear program with slack on every margin: the least total change of margins that makes room for a table. Its
    optimum is above zero exactly when no table exists.
    """
    if len(cells) > _MOST_CELLS:
        return [f"It is not known whether there is a table: {len(cells):,} cells are too many to decide it."]
    rows = [
        csr_array((np.ones(len(cells)), (m.group, np.arange(len(cells)))), (len(m.total), len(cells))) for m in margins
    ]
    sums: Any = vstack(rows)
    n = sums.shape[0]
    matrix: Any = hstack([sums, eye_array(n), -eye_array(n)]).tocsr()
    total = np.concatenate([m.total for m in margins])
    cost = np.concatenate([np.zeros(len(cells)), np.ones(2 * n)])
    bounds = np.column_stack([np.concatenate([low, np.zeros(2 * n)]), np.concatenate([high, np.full(2 * n, np.inf)])])
    solver: Any = linprog
    done = solver(cost, A_eq=matrix, b_eq=total, bounds=bounds, method="highs")
    if done.status != 0:
        return [f"It is not known whether there is a table: {done.message}"]
    size = max(1.0, float(total.max(initial=0.0)))
    if done.fun <= 1e-7 * size:
        return []
    change = done.x[len(cells) : len(cells) + n] - done.x[len(cells) + n :]
    reasons = [
        f"No table has these margins; they would have to change by {number_text(done.fun * scale)} in all, for example:"
    ]
    first = 0
    for margin in margins:
        part = change[first : first + len(margin.total)]
        first += len(margin.total)
        groups = np.flatnonzero(np.abs(part) > 1e-7 * size)
        for g, label in zip(groups[:_SHOWN], cells.labels(margin.axes, groups), strict=False):
            to = number_text((margin.total[g] - part[g]) * scale)
            reasons.append(f"{margin.name} '{' x '.join(label)}' from {number_text(margin.total[g] * scale)} to {to}.")
    return reasons
