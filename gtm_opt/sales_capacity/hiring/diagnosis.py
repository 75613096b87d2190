"""Why there is no plan: how much is reachable, what conflicts, and the nearest plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.mip import Status, solve
from gtm_opt.sales_capacity.hiring.conflict import smallest_conflict
from gtm_opt.sales_capacity.hiring.describe import describe_rule, describe_target
from gtm_opt.sales_capacity.hiring.formulation import Linear, formulate
from gtm_opt.sales_capacity.hiring.rows import bookings
from gtm_opt.sales_capacity.hiring.rules import HiringFreeze, Promotion, RecruitingLimit, Release
from gtm_opt.sales_capacity.hiring.stages import solve_stages

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gtm_opt.mip import Options
    from gtm_opt.sales_capacity.hiring.problem import HiringProblem, Target
    from gtm_opt.sales_capacity.hiring.result import HiringPlan

__all__ = ["HiringDiagnosis", "diagnose", "reachable"]

_CLOSE = 1e-9
_NO_COST = Linear(np.zeros(0, dtype=np.int64), np.zeros(0))


@dataclass(frozen=True, eq=False)
class HiringDiagnosis:
    """What stands in the way of a plan.

    Attributes
    ----------
    reachable : DataFrame
        One row per target: ``quarter``, ``segment``, ``target``, ``reachable`` (no plan that keeps all rules books
        more, whatever the other targets ask; ``inf``: no limit), ``reachable_recruiting`` (the same with the limits
        of recruiting alone), ``short`` (target less reachable, where positive), ``reason``.
    conflict : tuple of str
        A smallest set of targets and rules that cannot hold together; empty: not found within the time limit.
    is_smallest : bool
        Whether no smaller set conflicts: proven. If not, nothing can be left out of the set, but another one may be
        smaller.
    nearest : HiringPlan or None
        The plan that misses the targets by the least in sum, cheapest among those. None: the rules conflict
        without any target.
    """

    reachable: pd.DataFrame
    conflict: tuple[str, ...]
    is_smallest: bool
    nearest: HiringPlan | None

    def summary(self) -> str:
        """Return the reasons, the conflict and the nearest plan as text."""
        lines = [str(reason) for reason in self.reachable["reason"] if reason]
        if self.conflict:
            which = "smallest set" if self.is_smallest else "set (nothing can be left out)"
            lines.append(f"{which} that cannot hold together: {'; '.join(self.conflict)}")
        if self.nearest is None:
            lines.append("no plan keeps the rules, whatever the targets")
        else:
            table = self.nearest.coverage
            missed = table["slack"].clip(upper=0.0).abs().sum()
            lines.append(f"the nearest plan misses the targets by {self.nearest.problem.money(float(missed))} in sum")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"HiringDiagnosis: {self.summary()}"


def diagnose(problem: HiringProblem, options: Options, backend: str = "highs") -> HiringDiagnosis:
    """Say why there is no plan.

    Notes
    -----
    One model per target and set of rules for what is reachable, some ten to a hundred small ones for the conflict, one
    for the nearest plan. Promotions and releases add possibilities and are part of no conflict.
    """
    from gtm_opt.sales_capacity.hiring.plan import solve_problem

    plan = solve_problem(problem, ("most_coverage", "least_cost"), options, backend)
    found = _conflict(problem, options)
    conflict, smallest = ((), False) if found is None else found
    return HiringDiagnosis(reachable(problem, options), conflict, smallest, None if plan.values is None else plan)


def reachable(problem: HiringProblem, options: Options) -> pd.DataFrame:
    """Return the most that can be booked towards each target; see `HiringDiagnosis`."""
    recruiting = (RecruitingLimit, HiringFreeze, Promotion, Release)
    only = problem.with_rules(tuple(rule for rule in problem.rules if isinstance(rule, recruiting)))
    rows = []
    for target in problem.targets:
        most, why = _most(problem, target, options)
        loose, _ = _most(only, target, options)
        short = max(0.0, target.amount - most)
        reason = why if short > _CLOSE * max(1.0, target.amount) else ""
        rows.append((target.quarter, target.segment, target.amount, most, loose, short if reason else 0.0, reason))
    columns = ["quarter", "segment", "target", "reachable", "reachable_recruiting", "short", "reason"]
    return pd.DataFrame(rows, columns=columns)


def _most(problem: HiringProblem, target: Target, options: Options) -> tuple[float, str]:
    """Return a bound on the bookings towards a target when nothing else is asked for, and why it is not more."""
    form = formulate(replace(problem, targets=()), ("fewest_hires",))
    function = bookings(form, target.segment, list(target.months))
    form.objectives["least_bookings"] = Linear(function.columns, -function.values, -function.constant)
    stages, values, _ = solve_stages(form, ("least_bookings",), options, "highs")
    if stages[0].status is Status.UNBOUNDED:
        return np.inf, ""
    if values is None:
        return (-np.inf if stages[0].status is Status.INFEASIBLE else np.inf), "the rules leave no plan at all"
    most = -stages[0].bound
    stages, values, _ = solve_stages(form, ("least_bookings", "fewest_hires"), options, "highs", start=values)
    hires = np.zeros((0, 0)) if values is None else values[form.flow.hires]
    full = {row.period for row in form.rows if row.kind == "recruiting" and values is not None
            and row.function.at(values) >= row.high - 0.5}  # fmt: skip
    return most, _reason(problem, target, most, np.asarray(hires), full)


def _reason(problem: HiringProblem, target: Target, most: float, hires: NDArray[np.float64], full: set[str]) -> str:
    sellers = problem.sellers(target.segment)
    text = f"{target.name} asks {problem.money(target.amount)}, at most {problem.money(most)} is reachable"
    labels = problem.calendar.labels
    starts = []
    for month in range(hires.shape[1] if hires.size else 0):
        names = [f"{round(hires[k, month])} {problem.roles.names[k]}" for k in sellers if hires[k, month] > 0.5]
        if names:
            slots = "every recruiting slot of " if labels[month] in full else ""
            starts.append(f"{slots}{labels[month]} ({', '.join(names)})")
    if starts:
        text += f", with {', '.join(starts[:4])}" + (" and more" if len(starts) > 4 else "")
    elif hires.size:
        text += ", and no hire adds to it"
    waits = []
    for role in sellers:
        levels = problem.roles.roles[role].ramp.at(np.arange(1, 37))
        zeros = int(np.argmax(levels > 0)) if (levels > 0).any() else 36
        if zeros:
            months = "month" if zeros == 1 else "months"
            waits.append(f"the ramp of {problem.roles.names[role]} begins with {zeros} {months} of nothing")
    return text + ("" if not waits else f": {', '.join(waits)}")


def _conflict(problem: HiringProblem, options: Options) -> tuple[tuple[str, ...], bool] | None:
    rules = [rule for rule in problem.rules if not isinstance(rule, Promotion | Release)]
    free = tuple(rule for rule in problem.rules if isinstance(rule, Promotion | Release))
    n_targets, has_wait = len(problem.targets), not bool(problem.may_start.all())
    n_units = n_targets + len(rules) + has_wait

    def is_feasible(units: frozenset[int]) -> bool | None:
        part = replace(
            problem,
            targets=tuple(t for at, t in enumerate(problem.targets) if at in units),
            rules=(*(r for at, r in enumerate(rules, n_targets) if at in units), *free),
            may_start=problem.may_start if has_wait and n_units - 1 in units else np.ones_like(problem.may_start),
        )
        answer = solve(formulate(part, ()).model(_NO_COST), options)
        return True if answer.has_values else False if answer.status is Status.INFEASIBLE else None

    found = smallest_conflict(n_units, is_feasible)
    if found is None:
        return None
    names = [describe_target(problem, target) for target in problem.targets]
    names += [describe_rule(problem, rule) for rule in rules]
    names += ["the time to fill"] if has_wait else []
    return tuple(names[unit] for unit in sorted(found[0])), found[1]
