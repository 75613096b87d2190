"""``python -m benchmarks solve FAMILY FILE``: one file, one solver, one JSON, within the time limit."""

from __future__ import annotations

import json
import math
import multiprocessing
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.checker import Verdict, check_problem
from benchmarks.construct import construct_gap
from benchmarks.meter import seconds_since_start, version
from benchmarks.problems import to_instance, trivial_bound
from benchmarks.readers import Gap, Partition, read

__all__ = ["Answer", "solve_file"]

ROUNDING = 1e-6
"""A bound further above the objective than this, relatively, is a wrong proof."""
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
    """A solver in a process of its own, so that neither compilation nor a long step can hold up the answer."""

    def __init__(self, name: str, instance: Any, until: float, seed: int, effort: float) -> None:
        self.assignment: list[int] | None = None
        self.bound = -math.inf
        self.error = ""
        kind = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
        context = multiprocessing.get_context(kind)
        self._answer, there = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_work,
            args=(there, name, instance, time.time() + until - seconds_since_start(), seed, effort),
            daemon=True,
        )
        self._process.start()
        there.close()

    def wait(self, seconds: float) -> bool:
        """Wait until done or ``seconds`` are over; Ctrl-C reaches the solver as well, which has two seconds more."""
        try:
            done = self._answer.poll(max(0.0, seconds))
        except KeyboardInterrupt:
            done = self._answer.poll(2.0)
        if done:
            try:
                self.assignment, self.bound, self.error = self._answer.recv()
            except EOFError:
                self.error = f"the process of the solver ended with exit code {self._process.exitcode}"
        self._process.kill()
        self._process.join()
        return done


def _work(there: Any, name: str, instance: Any, deadline: float, seed: int, effort: float) -> None:
    """Solve, and send assignment, bound and error; runs in the process of the solver."""
    try:
        # the first import takes a part of the time: the clock runs for it, too
        from gtm_opt.solvers import Run, get_solver

        seconds = max(0.05, deadline - time.time())
        result = get_solver(name)(instance, run=Run(seconds), seed=seed, effort=effort, start=None)
        found = None if result.assignment is None else result.assignment.tolist()
        there.send((found, float(result.bound), ""))
    except BaseException as error:  # whatever it is, the parent reports it
        there.send((None, -math.inf, f"{type(error).__name__}: {error}"))


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
    if bound > verdict.objective + ROUNDING * max(1.0, abs(verdict.objective)):
        return "wrong_bound"
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
    worker = _Worker(name, instance, limit - _RESERVE, seed, effort)
    if not worker.wait(1.1 * limit + _PATIENCE - _RESERVE - seconds_since_start()):
        return Answer(assignment, verdict, bound, f"{name} was not ready in time; construction")
    if worker.error:
        return Answer(assignment, verdict, bound, f"{name} failed: {worker.error}; construction")
    bound = max(bound, worker.bound) if math.isfinite(worker.bound) else bound
    found = worker.assignment
    again = check_problem(problem, found)
    if found is not None and not math.isnan(again.objective) and _better(again, verdict):
        assignment, verdict, note = found, again, name
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
    a process of its own, which is ended when time is up: so there is always a valid answer.
    """
    problem = read(family, path, k=k, n=n, m=m)
    if solver != "auto":
        _checked(solver)
    answer = _best(problem, to_instance(problem), solver, time_limit, seed, effort)
    objective = answer.verdict.objective
    status = _status(problem, answer.verdict, answer.bound)
    # what is left above the objective is rounding of the solver's sums; more than that is reported as it is
    clipped = answer.verdict.feasible and status != "wrong_bound"
    bound = min(answer.bound, objective) if clipped else answer.bound
    result = {
        "family": family,
        "file": str(path),
        "objective": None if math.isnan(objective) else objective,
        "bound": bound if math.isfinite(bound) else None,
        "status": status,
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
    return result


def _write(path: Path, result: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(result) + "\n", encoding="utf-8")
    part.replace(path)
