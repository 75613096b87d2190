"""``python -m benchmarks run hiring``: a generated hiring plan by prices, beside plain HiGHS and CBC."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

import gtm_opt as gtm

__all__ = ["COLUMNS", "make_hiring", "run_hiring"]

COLUMNS = ["case", "seed", "solver", "status", "objective", "bound", "gap", "seconds", "cpu_seconds"]

_SUPPORT = (("SE", 3.0, 20.0, 0.015), ("MGR", 8.0, 28.0, 0.0), ("SDR", 2.5, 9.0, 0.03))


def make_hiring(segments: int = 12, months: int = 18, seed: int = 0) -> dict[str, Any]:
    """Return the arguments of `plan_hiring` for a company with so many segments and three support roles.

    Targets grow by a random tenth to quarter over the horizon; the total asks for 3 % more than the segments together.
    """
    rng = np.random.default_rng([segments, months, seed])
    names = [f"AE{k:02d}" for k in range(segments)]
    roles, heads, attrition = [], {}, {}
    for name in names:
        lead, rise = int(rng.integers(0, 4)), int(rng.integers(3, 6))
        steps = [0.0] * lead + np.linspace(0, 1, rise)[1:-1].round(2).tolist()
        pay, once, books = float(rng.integers(12, 30)), float(rng.integers(5, 20)), float(rng.integers(40, 150) * 10)
        roles.append(gtm.Role(name, books, f"S{name}", gtm.Ramp.steps(steps), cost_pm=pay, hire_cost=once))
        heads[name], attrition[name] = float(rng.integers(6, 16)), float(rng.choice([0.015, 0.02, 0.025, 0.03]))
    sellers = sum(heads.values())
    for name, per, pay, hazard in _SUPPORT:
        roles.append(gtm.Role(name, 0.0, quota_type="overlay", cost_pm=pay, hire_cost=8.0))
        heads[name], attrition[name] = float(np.ceil(sellers / per)), hazard
    rules: list[Any] = [gtm.RecruitingLimit(max(4, segments // 2 + 2), roles=names)]
    rules += [gtm.RecruitingLimit(3, roles=[name]) for name in names]
    rules += [gtm.SupportRatio(name, dict.fromkeys(names, per)) for name, per, _, _ in _SUPPORT]
    calendar = gtm.Calendar("2026-01", months=months)
    rows: list[tuple[str, str | None, float]] = []
    for quarter, label in enumerate(calendar.quarters):
        asked = [
            heads[role.name] * role.productivity_py / 4 * (0.9 + 0.05 * quarter * float(rng.uniform(0.7, 1.3)))
            for role in roles[:segments]
        ]
        rows += [(label, role.segment, amount) for role, amount in zip(roles, asked, strict=False)]
        rows.append((label, None, sum(asked) * (1.03 if quarter else 1.0)))
    targets = pd.DataFrame(rows, columns=["quarter", "segment", "target"])
    return {
        "roles": roles, "heads": heads, "targets": targets, "calendar": calendar, "rules": rules, "attrition": attrition
    }  # fmt: skip


def run_hiring(
    segments: int = 12, months: int = 18, seeds: tuple[int, ...] = (0,), time_limit: float = 60.0
) -> pd.DataFrame:
    """Run all three solvers on each case and return the results, one row each."""
    solvers: dict[str, dict[str, Any]] = {
        "prices": {"method": "prices"},
        "plain HiGHS": {},
        "plain CBC": {"backend": "pulp"},
    }
    rows = []
    for seed in seeds:
        case = make_hiring(segments, months, seed)
        for name, words in solvers.items():
            seconds, cpu, plan = _timed(lambda words=words, case=case: _plan(case, time_limit, words))
            rows.append(
                (
                    f"{segments}x{months}",
                    seed,
                    name,
                    plan.status.value,
                    plan.objective,
                    plan.bound,
                    plan.gap,
                    seconds,
                    cpu,
                )
            )
            sys.stdout.write(f"{name}: {plan.objective:,.1f}, bound {plan.bound:,.1f}, gap {plan.gap:.2%}\n")
    return pd.DataFrame(rows, columns=COLUMNS)


def _plan(case: dict[str, Any], time_limit: float, words: dict[str, Any]) -> gtm.HiringPlan:
    return gtm.plan_hiring(**case, time_limit=time_limit, **words)


def _timed(call: Callable[[], gtm.HiringPlan]) -> tuple[float, float, gtm.HiringPlan]:
    def used() -> float:
        return sum(
            u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        )

    since, before = time.perf_counter(), used()
    plan = call()
    return time.perf_counter() - since, used() - before, plan
