"""The independent checker: recomputes objective and feasibility in plain Python.

It shares no code with the solvers or with `gtm_opt.measures`; it reads the raw numbers
(files, or the arrays of an instance) and the assignment, and adds up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Verdict", "check_instance", "check_problem"]

SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checker found.

    Attributes
    ----------
    objective : float
        ``nan`` when the assignment is not even one.
    feasible : bool
    problems : tuple of str
    worst_deviation : float
        Largest relative deviation from a target (instances with targets only).
    cost : float
        Preference cost (instances only).
    """

    objective: float
    feasible: bool
    problems: tuple[str, ...] = ()
    worst_deviation: float = math.nan
    cost: float = math.nan


def _form(assignment: Sequence[int] | None, n: int, k: int) -> str:
    if assignment is None:
        return "there is no assignment"
    if len(assignment) != n:
        return f"{len(assignment)} units assigned, there are {n}"
    outside = sum(1 for a in assignment if not 0 <= int(a) < k)
    return f"{outside} units outside 0..{k - 1}" if outside else ""


def check_problem(problem: Any, assignment: Sequence[int] | None) -> Verdict:
    """Recompute the objective of a file's problem (`benchmarks.readers.Gap` or `Partition`).

    ``gap``: total cost, feasible within all capacities. ``mdmwnpp``: largest over the coordinates of (largest
    subset sum - smallest). ``pcmax``: largest load. ``bpp``: largest load, feasible when no bin is over its capacity.
    """
    wrong = _form(assignment, problem.n, problem.k)
    if wrong or assignment is None:
        return Verdict(math.nan, False, (wrong,))
    where = [int(a) for a in assignment]
    if problem.family == "gap":
        cost, use, capacity = problem.cost.tolist(), problem.use.tolist(), problem.capacity.tolist()
        loads = [math.fsum(use[a][job] for job, a in enumerate(where) if a == agent) for agent in range(problem.k)]
        over = [
            f"agent {a} uses {loads[a]:g} of {capacity[a]:g}"
            for a in range(problem.k)
            if loads[a] > capacity[a] + SLACK * max(1.0, abs(capacity[a]))
        ]
        return Verdict(math.fsum(cost[a][job] for job, a in enumerate(where)), not over, tuple(over))
    sums: list[list[list[float]]] = [[[] for _ in range(problem.sizes.shape[1])] for _ in range(problem.k)]
    for unit, sizes in enumerate(problem.sizes.tolist()):
        for j, size in enumerate(sizes):
            sums[where[unit]][j].append(size)
    totals = [[math.fsum(part) for part in subset] for subset in sums]
    if problem.family == "mdmwnpp":
        spread = max(max(column) - min(column) for column in zip(*totals, strict=True))
        return Verdict(spread, True)
    peak = max(load for (load,) in totals)
    over = [f"bin {b} holds {load:g}" for b, (load,) in enumerate(totals) if load > problem.capacity * (1 + SLACK)]
    return Verdict(peak, not over, tuple(over[:3]))


def _value(term: Any, unit: int, territory: int) -> float:
    """Return one entry of a term, from its raw arrays."""
    kind = type(term).__name__
    if kind == "Dense":
        return float(term.values[unit, territory])
    if kind == "MoveCost":
        home = int(term.home[unit])
        return 0.0 if home in (-1, territory) else float(term.value[unit])
    if kind == "PinTerm":
        return 0.0 if int(term.territory[unit]) in (-1, territory) else math.inf
    if kind == "Table":
        code = int(term.codes[unit])
        return 0.0 if code < 0 else float(term.table[code, territory]) * float(term.weight[unit])
    if kind == "Distance":
        return _distance(term, unit, territory)
    raise TypeError(f"the checker does not know terms of type {kind}")


def _distance(term: Any, unit: int, territory: int) -> float:
    (a, b), (c, d) = term.points[unit].tolist(), term.centers[territory].tolist()
    if term.haversine:
        lat1, lon1, lat2, lon2 = (math.radians(x) for x in (a, b, c, d))
        h = math.sin((lat1 - lat2) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon1 - lon2) / 2) ** 2
        length = 2 * 6371.0088 * math.asin(math.sqrt(min(1.0, h)))
    else:
        length = math.hypot(a - c, b - d)
    return float(term.weight[unit]) * (length * length if term.squared else length)


def _summed(term: Any, where: list[int]) -> float:
    if type(term).__name__ == "ForbiddenTerm":
        pairs = set(zip(term.unit.tolist(), term.territory.tolist(), strict=True))
        return math.inf if any(pair in pairs for pair in enumerate(where)) else 0.0
    return math.fsum(_value(term, unit, territory) for unit, territory in enumerate(where))


def check_instance(instance: Any, assignment: Sequence[int] | None) -> Verdict:
    """Recompute objective, rules and bands of an instance from its raw arrays; O(n) Python steps."""
    k, m = instance.target.shape
    wrong = _form(assignment, len(instance.activities), k)
    if wrong or assignment is None:
        return Verdict(math.nan, False, (wrong,))
    where = [int(a) for a in assignment]
    totals = [[0.0] * m for _ in range(k)]
    by_territory = instance.activities.ndim == 3
    for unit, territory in enumerate(where):
        own = instance.activities[unit, territory] if by_territory else instance.activities[unit]
        for j, value in enumerate(own.tolist()):
            totals[territory][j] += value
    problems = []
    cost = math.fsum(_summed(term, where) for term in instance.cost)
    if math.isinf(cost):
        problems.append("a pinned or forbidden unit is in the wrong territory")
    for row in instance.side:
        used = _summed(row.term, where)
        if used > row.upper + 1e-9 * max(1.0, abs(row.upper)):
            problems.append(f"{row.name}: {used:g} of {row.upper:g}")
    for group in instance.apart:
        if len({where[unit] for unit in group.tolist()}) < len(group):
            problems.append("units that must be apart are together")
    worst, elastic = 0.0, 0.0
    for t in range(k):
        for j in range(m):
            target = float(instance.target[t, j]) or 1.0
            low, high, total = float(instance.lower[t, j]), float(instance.upper[t, j]), totals[t][j]
            worst = max(worst, abs(total - target) / target)
            excess = max(total - high, low - total, 0.0) / target
            if excess > 2e-9 and math.isinf(instance.penalty[j]):
                problems.append(f"territory {t} misses the band of criterion {j} by {100 * excess:.4f} %")
            elif math.isfinite(instance.penalty[j]):
                elastic += excess * float(instance.penalty[j])
    objective = cost + elastic if instance.evenness is None else _evenness(instance, totals)
    return Verdict(objective, not problems, tuple(problems[:5]), worst, cost)


def _evenness(instance: Any, totals: list[list[float]]) -> float:
    k, m = instance.target.shape
    kind, unit = str(instance.evenness.kind), instance.evenness.unit.tolist()
    if kind == "deviation":
        target = instance.target.tolist()
        return max(abs(totals[t][j] - target[t][j]) / unit[t][j] for t in range(k) for j in range(m))
    shares = instance.shares.tolist()
    worst = -math.inf
    for j in range(m):
        per_share = [totals[t][j] / (k * shares[t]) for t in range(k)]
        low = min(per_share) if kind == "spread" else 0.0
        worst = max(worst, (max(per_share) - low) / unit[0][j])
    return worst
