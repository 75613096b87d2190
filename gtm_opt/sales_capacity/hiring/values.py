"""What a little more or less of something costs: forced re-solves, and the whole cost curve."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError
from gtm_opt.mip import Status, solve
from gtm_opt.sales_capacity.hiring.formulation import TARGET, Formulation, formulate
from gtm_opt.sales_capacity.hiring.stages import relax

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gtm_opt.mip import Solution
    from gtm_opt.sales_capacity.hiring.formulation import Row
    from gtm_opt.sales_capacity.hiring.problem import Target
    from gtm_opt.sales_capacity.hiring.result import HiringPlan

__all__ = ["CostCurve", "cost_curve", "price_changes"]

_KINDS = ("target", "recruiting", "seats", "budget")
_STEP = 0.01


def price_changes(
    plan: HiringPlan, kinds: Sequence[str] = ("target", "recruiting", "seats"), amount: float | None = None
) -> pd.DataFrame:
    """Solve again with each limit moved by one step; see `HiringPlan.price_changes`."""
    if plan.values is None or plan.objectives[0] != "least_cost":
        raise DataError("prices need a plan with the objective least_cost. Solve for it first.")
    unknown = [kind for kind in kinds if kind not in _KINDS]
    if unknown:
        raise DataError(f"`kinds` must be of {', '.join(_KINDS)}, got {', '.join(map(repr, unknown))}.")
    form = plan.formulation
    objective = form.objectives["least_cost"]
    relaxed = relax(form, objective)
    largest = max((target.amount for target in plan.problem.targets), default=0.0)
    money = amount if amount is not None else _STEP * largest
    rows = []
    for members in _limits(form, kinds):
        row = form.rows[members[0]]
        step = 1.0 if row.kind in ("recruiting", "seats") else money
        answer = solve(_moved(form, members, step).model(objective), plan.options, backend=plan.backend)
        price = np.nan if relaxed.duals is None else float(relaxed.duals[members].sum()) * step
        period = row.period if len(members) == 1 else "all"
        rows.append((_words(plan, row, step), row.kind, period, step, *_difference(plan, answer), price))
    columns = ["change", "kind", "period", "step", "cost_change", "at_least", "at_most", "status", "relaxation"]
    return pd.DataFrame(rows, columns=columns)


def _limits(form: Formulation, kinds: Sequence[str]) -> list[list[int]]:
    """Return the rows that move together: each by itself, but a seat is there in every month."""
    groups: dict[str, list[int]] = {}
    for at, row in enumerate(form.rows):
        if row.kind in kinds:
            groups.setdefault(_seat(row) if row.kind == "seats" else row.name, []).append(at)
    return list(groups.values())


def _seat(row: Row) -> str:
    return row.name.rsplit(",", 1)[0]


def _difference(plan: HiringPlan, answer: Solution) -> tuple[float, float, float, str]:
    """Return the change in cost with what is proven about it: from both bounds."""
    if answer.status is Status.INFEASIBLE:
        return np.inf, np.inf, np.inf, answer.status.value
    if not answer.has_values:
        return np.nan, -np.inf, np.inf, answer.status.value
    low, high = answer.bound - plan.objective, answer.objective - plan.bound
    return answer.objective - plan.objective, low, high, answer.status.value


def _moved(form: Formulation, members: Sequence[int], step: float) -> Formulation:
    """Return the formulation with the limit of some rows moved: more asked for, or one more slot or seat allowed."""
    high, rows = list(form.high), list(form.rows)
    for at in members:
        row = rows[at]
        if row.kind == "recruiting":  # what a month allows is a bound of the columns as well
            for column in row.function.columns.tolist():
                high[column] += step if form.may_hire[column] else 0.0
        rows[at] = replace(row, low=row.low + step) if row.kind == TARGET else replace(row, high=row.high + step)
    return replace(form, rows=rows, high=high)


def _words(plan: HiringPlan, row: Row, step: float) -> str:
    if row.kind == TARGET:
        return f"{plan.problem.money(step)} more in {plan.problem.targets[row.source].name}"
    if row.kind == "recruiting":
        return f"one recruiting slot more in {row.period}"
    if row.kind == "seats":
        return f"one seat more in {_seat(row).split('[')[1]}"
    return f"{plan.problem.money(step)} more budget: {row.period}"


@dataclass(frozen=True, eq=False)
class CostCurve:
    """Cost of the targets times a factor.

    Attributes
    ----------
    table : DataFrame
        One row per factor: ``factor``, ``cost`` (nan: no plan), ``bound``, ``gap``, ``status``, ``hires``,
        ``marginal`` (change in cost over change in the sum of the targets since the row before).
    """

    table: pd.DataFrame

    def __repr__(self) -> str:
        parts = ", ".join(f"{f:.0%} {c:,.0f}" for f, c in zip(self.table["factor"], self.table["cost"], strict=True))
        return f"CostCurve: {parts}"


def cost_curve(plan: HiringPlan, factors: Sequence[float]) -> CostCurve:
    """Solve again for all targets times each factor; see `HiringPlan.cost_curve`."""
    grid = sorted({float(f) for f in factors})
    if not grid or not np.isfinite(grid).all() or grid[0] < 0:
        raise DataError("`factors` must be one or more finite numbers, none negative.")
    rows: list[tuple[float, float, float, float, str, float]] = []
    floor = -np.inf
    for factor in grid:
        targets = tuple(replace(target, amount=factor * target.amount) for target in plan.problem.targets)
        answer = _cheapest(plan, targets, floor)
        floor = max(floor, answer[1])
        rows.append((factor, *answer))
    table = pd.DataFrame(rows, columns=["factor", "cost", "bound", "gap", "status", "hires"])
    asked = sum(target.amount for target in plan.problem.targets)
    table["marginal"] = table["cost"].diff() / (asked * table["factor"].diff()) if asked > 0 else np.nan
    return CostCurve(table)


def _cheapest(plan: HiringPlan, targets: tuple[Target, ...], floor: float) -> tuple[float, float, float, str, float]:
    """Return cost, bound, gap, status and hires; lower targets never cost more, so their bound holds as well."""
    form = formulate(plan.problem.with_targets(targets))
    answer = solve(form.model(form.objectives["least_cost"]), plan.options, backend=plan.backend)
    bound = max(answer.bound, floor) if answer.status is not Status.INFEASIBLE else np.inf
    if not answer.has_values:
        return np.nan, bound, np.inf, answer.status.value, np.nan
    bound = min(bound, answer.objective)
    gap = (answer.objective - bound) / abs(answer.objective) if answer.objective else 0.0
    return answer.objective, bound, gap, answer.status.value, float(answer.of(form.flow.hires).sum())
