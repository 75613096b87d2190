"""A budget over segments: a fixed part kept, the rest by marginal return; heads and programme money together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import Findings
from gtm_opt.sales_capacity.sizing.heads import best_split

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import ArrayLike, NDArray

    from gtm_opt.sales_capacity.sizing.responses import Response

    FloatArray = NDArray[np.float64]

__all__ = ["BudgetAllocation", "HeadsAndMoney", "allocate_budget", "budget_shares"]

_MOST_STEPS = 5000


@dataclass(frozen=True)
class HeadsAndMoney:
    """A segment in which heads and programme money work together.

    Parameters
    ----------
    head_cost : float
        Cost per head, > 0.
    response : callable
        ``response(heads, money)``: sales, for arrays of one shape.
    """

    head_cost: float
    response: Callable[[ArrayLike, ArrayLike], FloatArray]

    def __post_init__(self) -> None:
        found = Findings()
        if not _is_number(self.head_cost) or self.head_cost <= 0:
            found.add("HeadsAndMoney.head_cost", "must be a number above 0", got=repr(self.head_cost))
        if not callable(self.response):
            found.add("HeadsAndMoney.response", "must be callable", got=repr(self.response))
        found.raise_if_any()

    def best(self, spend: FloatArray) -> tuple[FloatArray, NDArray[np.int64]]:
        """Return the most that each amount brings, and with how many heads."""
        most = int(np.floor(spend.max() / self.head_cost + 1e-9))
        best, heads = np.full(spend.shape, -np.inf), np.zeros(spend.shape, dtype=np.int64)
        for count in range(most + 1):
            money = spend - count * self.head_cost
            ok = money >= -1e-9 * self.head_cost
            value = np.full(spend.shape, -np.inf)
            value[ok] = self.response(np.full(int(ok.sum()), float(count)), np.maximum(money[ok], 0.0))
            better = value > best
            best[better], heads[better] = value[better], count
        return best, heads


@dataclass(frozen=True, eq=False)
class BudgetAllocation:
    """What each segment gets of a budget.

    Attributes
    ----------
    table : DataFrame
        One row per segment: ``segment``, ``fixed``, ``spend`` (fixed part included), ``heads`` (where heads and money
        are one decision, else missing), ``value``, ``next`` (what one more step would bring per unit of money).
    value : float
        Largest sum of the values over all divisions of the budget into steps.
    step : float
        Amounts are multiples of it beyond the fixed part.
    unspent : float
        What is left of the budget: less than a step, or money that no segment gains from.
    """

    table: pd.DataFrame
    value: float
    step: float
    unspent: float

    def __repr__(self) -> str:
        parts = ", ".join(f"{s} {x:,.0f}" for s, x in zip(self.table["segment"], self.table["spend"], strict=True))
        return f"BudgetAllocation: value {self.value:,.6g} ({parts})"


def allocate_budget(
    responses: Mapping[str, Response | HeadsAndMoney],
    budget: float,
    *,
    fixed: Mapping[str, float] | None = None,
    step: float | None = None,
) -> BudgetAllocation:
    """Divide a budget over segments so that the sum of what it brings is largest.

    Parameters
    ----------
    responses : mapping of str to Response or HeadsAndMoney
        Sales by segment: a curve of the money, or of heads and money together.
    budget : float
        > 0.
    fixed : mapping of str to float, optional
        What a segment keeps in any case.
    step : float, optional
        Grain of the division. Default: a five-hundredth of the budget.

    Returns
    -------
    BudgetAllocation

    Raises
    ------
    DataError
        With every finding.

    Notes
    -----
    Exact over all divisions into steps by dynamic programming, O(segments * (budget / step) ** 2), whatever the shape
    of the curves. On a concave segment marginal returns are then equal up to a step.
    """
    names, base, grain = _read(responses, budget, fixed, step)
    units = math.floor((budget - base.sum()) / grain + 1e-9)
    amounts = base[:, None] + grain * np.arange(units + 1)[None, :]
    values: list[FloatArray] = []
    heads: list[NDArray[np.int64] | None] = []
    found = Findings()
    for name, row in zip(names, amounts, strict=True):
        response = responses[name]
        if isinstance(response, HeadsAndMoney):
            value, count = response.best(row)
            heads.append(count)
        else:
            value = np.asarray(response(row), dtype=np.float64)
            heads.append(None)
        if value.shape != row.shape or not np.isfinite(value).all():
            found.add(f"responses[{name!r}]", "must give a finite number for every amount")
        values.append(value)
    found.raise_if_any()
    # money that adds nothing is left over: values are made monotone, the least amount that reaches them is spent
    reached = [np.maximum.accumulate(value) for value in values]
    split = best_split(reached, units, np.zeros(len(names), dtype=np.int64), np.full(len(names), units, dtype=np.int64))
    rows = []
    for k, name in enumerate(names):
        at = int(np.argmax(reached[k] >= reached[k][split[k]]))
        further = (values[k][at + 1] - values[k][at]) / grain if at < units else np.nan
        chosen = heads[k]
        people = pd.NA if chosen is None else int(chosen[at])
        rows.append((name, base[k], amounts[k, at], people, float(values[k][at]), further))
    table = pd.DataFrame(rows, columns=["segment", "fixed", "spend", "heads", "value", "next"])
    table["heads"] = table["heads"].astype("Int64")
    total = float(table["value"].sum())
    return BudgetAllocation(table, total, grain, float(budget - table["spend"].sum()))


def budget_shares(sales: ArrayLike, margin: ArrayLike, elasticity: ArrayLike) -> FloatArray:
    """Return shares of a budget in proportion to contribution times elasticity, a rule that managers can check by hand.

    Notes
    -----
    Albers 1998, doi:10.1080/08853134.1998.10754145; Fischer, Albers, Wagner and Frie 2011, doi:10.1287/mksc.1100.0627.

    Examples
    --------
    >>> budget_shares([10, 6, 4], [.8, .7, .6], [.2, .3, .4]).round(6).tolist()
    [0.418848, 0.329843, 0.251309]
    """
    found = Findings()
    parts = [np.asarray(v, dtype=np.float64) for v in (sales, margin, elasticity)]
    for name, part in zip(("sales", "margin", "elasticity"), parts, strict=True):
        if part.ndim != 1 or part.shape != parts[0].shape or not np.isfinite(part).all() or (part < 0).any():
            found.add(name, "must be finite numbers, none negative, one per segment", got=repr(part.tolist())[:60])
    found.raise_if_any()
    weight = parts[0] * parts[1] * parts[2]
    if not weight.sum() > 0:
        found.add("sales, margin and elasticity", "must not all be 0")
        found.raise_if_any()
    return np.asarray(weight / weight.sum())


def _read(
    responses: Mapping[str, Response | HeadsAndMoney],
    budget: float,
    fixed: Mapping[str, float] | None,
    step: float | None,
) -> tuple[list[str], FloatArray, float]:
    found = Findings()
    if not hasattr(responses, "items") or not len(responses):
        found.add("responses", "must be a mapping of segments to responses", got=repr(responses)[:60])
    else:
        wrong = [name for name, r in responses.items() if not (isinstance(r, HeadsAndMoney) or callable(r))]
        if wrong:
            found.add("responses", "must be curves or HeadsAndMoney", rows=wrong, kind="segment")
    if not _is_number(budget) or budget <= 0:
        found.add("budget", "must be a number above 0", got=repr(budget))
    if step is not None and (not _is_number(step) or step <= 0):
        found.add("step", "must be a number above 0", got=repr(step))
    found.raise_if_any()
    names = list(responses)
    for name, amount in (fixed or {}).items():
        if name not in names:
            found.add("fixed", "must name segments of responses", got=repr(name))
        elif not _is_number(amount) or amount < 0:
            found.add(f"fixed[{name!r}]", "must be a number, not negative", got=repr(amount))
    found.raise_if_any()
    base = np.array([float((fixed or {}).get(name, 0.0)) for name in names])
    grain = budget / 500.0 if step is None else float(step)
    if base.sum() > budget:
        found.add("fixed", "must not exceed the budget in sum", got=f"{base.sum():g} of {budget:g}")
    if budget / grain > _MOST_STEPS:
        found.add("step", f"must divide the budget into at most {_MOST_STEPS:,} steps", got=f"{budget / grain:,.0f}")
    found.raise_if_any()
    return names, base, grain


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(value)
