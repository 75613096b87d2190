"""One solver on one case: built, warmed up, timed, checked; also runnable as ``python -m benchmarks.job``.

Reads a task as JSON from standard input, writes a row as JSON to standard output.
"""

from __future__ import annotations

import json
import math
import sys
import time
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.checker import check_instance, check_problem
from benchmarks.meter import peak_memory_mb
from benchmarks.recipes import build_case

__all__ = ["resolve_solver", "run_task"]


def resolve_solver(name: str) -> Any:
    """Return a solver by registered name, or by ``package.module:attribute`` for a plug-in."""
    from gtm_opt.solvers import get_solver

    if ":" in name:
        module, attribute = name.split(":", 1)
        found = getattr(import_module(module), attribute)
        return found() if isinstance(found, type) else found
    return get_solver(name)


def _warm_up(solver: Any, evenness: bool, by_territory: bool) -> None:
    """Solve something tiny of the same kind, so that compilation is not timed."""
    from benchmarks.generators import balance_only, scale_instance
    from benchmarks.problems import to_instance
    from benchmarks.readers import Gap
    from gtm_opt.solvers import Run

    tiny = scale_instance(60, k=3, m=2, band=0.3)
    if by_territory:
        cost = np.arange(24.0).reshape(2, 12) % 7
        tiny = to_instance(Gap(cost, 1.0 + cost, np.full(2, 40.0)))
    elif evenness:
        tiny = balance_only(tiny)
        few = balance_only(scale_instance(12, k=3, m=2, band=0.3))
        solver(few, run=Run(5.0), seed=0)
    try:
        solver(tiny, run=Run(5.0), seed=0)
    except Exception as error:
        sys.stderr.write(f"warm-up: {type(error).__name__}: {error}\n")


def _status(result: Any, feasible: bool, objective: float) -> str:
    if result.proved_infeasible:
        return "infeasible"
    if result.assignment is None:
        return "no_solution"
    if not feasible:
        return "out_of_band"
    proved = result.bound >= objective - 1e-6 * max(1.0, abs(objective)) or str(result.termination) == "proved"
    return "optimal" if proved else "feasible"


def run_task(task: dict[str, Any]) -> dict[str, Any]:
    """Run one task and return its row; whatever goes wrong is in the row, not raised.

    Solvers that are blind to bands or preferences are run all the same: that is the comparison.

    Parameters
    ----------
    task : dict
        ``recipe``, ``arguments``, ``seed``, ``solver``, ``time_limit``, ``effort``, ``warm`` and ``trace``.
    """
    try:
        if task["recipe"] == "tree":
            from benchmarks.tree import run_tree

            return run_tree(task)
        return _run(task)
    except Exception as error:
        text = f"{type(error).__name__}: {error}".splitlines()
        return {"status": "error", "feasible": False, "error": text[0][:300], "peak_mb": peak_memory_mb()}


def _run(task: dict[str, Any]) -> dict[str, Any]:
    from gtm_opt.solvers import Run

    begun = time.perf_counter()
    instance, problem = build_case(task["recipe"], task["arguments"], task["seed"])
    solver = resolve_solver(task["solver"])
    if task.get("warm", True):
        _warm_up(solver, instance.evenness is not None, instance.by_territory)
    setup = time.perf_counter() - begun
    trace: list[tuple[float, float, float]] = []

    def note(progress: Any) -> None:
        if task.get("trace"):
            trace.append((progress.seconds, progress.value, progress.bound))

    cpu, clock = time.process_time(), time.perf_counter()
    run = Run(task["time_limit"], note)
    effort = math.inf if task["effort"] in ("inf", math.inf) else float(task["effort"])
    result = solver(instance, run=run, seed=task["seed"], effort=effort)
    seconds, cpu_seconds = time.perf_counter() - clock, time.process_time() - cpu
    peak = peak_memory_mb()
    row = _checked(instance, problem, result)
    row |= {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "setup_seconds": setup,
        "peak_mb": peak,
        "termination": str(result.termination),
        "steps": "; ".join(f"{s.name} {s.seconds:.2f} s {s.note}".strip() for s in result.steps)[:500],
    }
    if task.get("trace"):
        row["trace"] = trace
    return row


def _checked(instance: Any, problem: Any, result: Any) -> dict[str, Any]:
    """Recompute the answer twice: by the independent checker (reported) and by the library's measures (compared)."""
    from gtm_opt.measures import evaluate

    where = None if result.assignment is None else np.asarray(result.assignment).tolist()
    verdict = check_instance(instance, where)
    if problem is not None:
        raw = check_problem(problem, where)
        agrees = math.isclose(raw.objective, verdict.objective, rel_tol=1e-9) or math.isnan(raw.objective)
        verdict_objective, feasible = raw.objective, raw.feasible
    else:
        agrees, verdict_objective, feasible = True, verdict.objective, verdict.feasible
    if where is not None:
        ours = evaluate(instance, np.asarray(result.assignment))
        same = math.isclose(ours.objective, verdict.objective, rel_tol=1e-7, abs_tol=1e-9)
        agrees = agrees and (same or not math.isfinite(ours.objective))
    bound = float(result.bound)
    gap = (verdict_objective - bound) / max(abs(verdict_objective), 1e-12) if math.isfinite(bound) else math.nan
    return {
        "k": instance.n_territories,
        "status": _status(result, feasible, verdict_objective),
        "feasible": feasible,
        "objective": verdict_objective,
        "bound": bound if math.isfinite(bound) else math.nan,
        "gap": gap if where is not None else math.nan,
        "worst_deviation": verdict.worst_deviation,
        "cost": verdict.cost,
        "checker_agrees": agrees,
        "problems": "; ".join(verdict.problems)[:300],
    }


def main() -> int:
    """Run the task on standard input."""
    sys.stdout.write(json.dumps(run_task(json.loads(sys.stdin.read()))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
