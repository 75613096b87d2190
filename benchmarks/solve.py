"""``python -m benchmarks solve FAMILY FILE``: one file, one solver, one JSON, within the time limit."""

from __future__ import annotations

import json
import math
import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.checker import Verdict, check_problem
from benchmarks.construct import construct_gap
from benchmarks.meter import seconds_since_start, version
from benchmarks.problems import to_instance, trivial_bound
from benchmarks.readers import Gap, Partition, read

__all__ = ["Answer", "default_solver", "solve_file"]

_RESERVE = 0.15
"""Seconds kept for checking and writing."""
_PATIENCE = 0.6
"""Seconds a solver may be late before the construction is written instead."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The best of what was found in time."""

    assignment: list[int]
    verdict: Verdict
    bound: float
    note: str


def default_solver(family: str) -> str:
    """Return the solver for ``auto``: the automatic choice when there is one, else the strongest for the family."""
    from gtm_opt.solvers import solver_names

    known = solver_names()
    wanted = ["auto", "search", "annealing"] if family == "gap" else ["auto", "even", "annealing"]
    return next(name for name in wanted if name in known)


def _checked(name: str) -> None:
    """Raise the registry's error when there is no solver of that name."""
    from gtm_opt.solvers import get_solver, solver_names

    if name not in solver_names():
        get_solver(name)


def _better(new: Verdict, old: Verdict) -> bool:
    if new.feasible != old.feasible:
        return new.feasible
    return new.objective < old.objective


class _Worker:
    """A solver in a thread of its own, so that compilation or a long step cannot hold up the answer."""

    def __init__(self, name: str, instance: Any, run: Any, seed: int, effort: float, start: Any) -> None:
        self.result: Any = None
        self.error: BaseException | None = None
        self.run = run
        arguments = {"run": run, "seed": seed, "effort": effort, "start": start}
        self._thread = threading.Thread(target=self._work, args=(name, instance, arguments), daemon=True)
        self._thread.start()

    def _work(self, name: str, instance: Any, arguments: dict[str, Any]) -> None:
        try:
            from gtm_opt.solvers import get_solver

            self.result = get_solver(name)(instance, **arguments)
        except BaseException as error:  # reported by the caller
            self.error = error

    def wait(self, seconds: float) -> bool:
        """Wait until done or ``seconds`` are over; Ctrl-C asks the solver to stop and waits two seconds more."""
        try:
            self._thread.join(max(0.0, seconds))
        except KeyboardInterrupt:
            self.run.interrupt()
            self._thread.join(2.0)
        return not self._thread.is_alive()


def _construct(problem: Gap | Partition, instance: Any, seconds: float, seed: int) -> list[int]:
    """Return a quick assignment that needs no compilation."""
    if isinstance(problem, Gap):
        return construct_gap(problem, seconds)
    from gtm_opt.solvers import Run, get_solver

    found = get_solver("greedy_lookahead")(instance, run=Run(seconds), seed=seed).assignment
    return [0] * problem.n if found is None else [int(a) for a in found]


def _status(problem: Gap | Partition, verdict: Verdict, bound: float) -> str:
    if not verdict.feasible:
        return "out_of_band"
    data = problem.cost if isinstance(problem, Gap) else problem.sizes
    whole = bool((data == np.rint(data)).all())
    needed = verdict.objective - (1.0 - 1e-6 if whole else 1e-9 * max(1.0, abs(verdict.objective)))
    return "optimal" if bound > needed or bound >= verdict.objective else "feasible"


def _best(problem: Gap | Partition, instance: Any, name: str, limit: float, seed: int, effort: float) -> Answer:
    bound, note = trivial_bound(problem), ""
    assignment = _construct(problem, instance, max(0.2, 0.5 * (limit - seconds_since_start())), seed)
    verdict = check_problem(problem, assignment)
    left = limit - seconds_since_start() - _RESERVE
    if left <= 0 or _status(problem, verdict, bound) == "optimal":
        return Answer(assignment, verdict, bound, "construction")
    from gtm_opt.solvers import Run  # late: with little time there is none to import it

    name = default_solver(problem.family) if name == "auto" else name
    left = max(0.05, limit - seconds_since_start() - _RESERVE)
    worker = _Worker(name, instance, Run(left), seed, effort, None)
    if not worker.wait(left + 0.1 * limit + _PATIENCE):
        return Answer(assignment, verdict, bound, f"{name} was not ready in time; construction")
    if worker.error is not None:
        note = f"{name} failed: {type(worker.error).__name__}: {worker.error}; construction"
        return Answer(assignment, verdict, bound, note)
    bound = max(bound, worker.result.bound) if np.isfinite(worker.result.bound) else bound
    found = worker.result.assignment
    again = check_problem(problem, None if found is None else found.tolist())
    if found is not None and not math.isnan(again.objective) and _better(again, verdict):
        assignment, verdict, note = found.tolist(), again, name
    return Answer(assignment, verdict, bound, note or f"{name} found nothing better; construction")


def solve_file(
    family: str,
    path: str,
    *,
    out: str | None,
    k: int | None = None,
    n: int | None = None,
    m: int | None = None,
    time_limit: float = 60.0,
    seed: int = 0,
    solver: str = "auto",
    effort: float = np.inf,
) -> dict[str, Any]:
    """Solve one file and write the result; see the page on benchmarks for the keys.

    Notes
    -----
    The limit counts from the start of the process. A construction is made first and the solver works in
    a thread; what is not there when time is up is left behind, so there is always a valid answer.
    """
    problem = read(family, path, k=k, n=n, m=m)
    if solver != "auto":
        _checked(solver)
    answer = _best(problem, to_instance(problem), solver, time_limit, seed, effort)
    objective = answer.verdict.objective
    bound = min(answer.bound, objective) if answer.verdict.feasible else answer.bound
    result = {
        "family": family,
        "file": str(path),
        "objective": None if math.isnan(objective) else objective,
        "bound": bound if math.isfinite(bound) else None,
        "status": _status(problem, answer.verdict, answer.bound),
        "seconds": round(seconds_since_start(), 3),
        "assignment": answer.assignment,
        "feasible": answer.verdict.feasible,
        "version": version(),
        "seed": seed,
    }
    if out:
        _write(Path(out), result)
    shown = {key: value for key, value in result.items() if key != "assignment"}
    sys.stdout.write(json.dumps(shown) + f"\n{answer.note}\n")
    sys.stdout.flush()
    if threading.active_count() > 1:  # a solver left behind must not keep the process alive
        os._exit(0)
    return result


def _write(path: Path, result: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(result) + "\n", encoding="utf-8")
    part.replace(path)
