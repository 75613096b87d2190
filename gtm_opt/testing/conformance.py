"""The checks of the solver protocol: what a solver of anybody's must hold to be used in every function that carves."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gtm_opt.errors import SolverError
from gtm_opt.measures import evaluate, rank
from gtm_opt.solvers import Capabilities, Run, SolverResult, Termination
from gtm_opt.testing.cases import big_case, cases_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gtm_opt.instance import Instance, IntArray
    from gtm_opt.solvers import Progress, Solver
    from gtm_opt.testing.cases import Case

__all__ = ["CHECKS", "Outcome", "check_solver"]

_SAFETY = 3.0
"""Seconds per call: methods that prove optimality may stop here, others should be done long before."""
_EPSILON = 1e-6


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one check found on one case.

    Attributes
    ----------
    check : str
    case : str
    problem : str
        Empty when the check passed.
    """

    check: str
    case: str
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return not self.problem


def check_solver(
    solver: Solver,
    *,
    checks: list[str] | None = None,
    seed: int = 0,
    effort: float = 0.02,
    time_limit: float = 0.5,
    slack: float = 1.0,
    big: int = 3_000,
    raise_on_failure: bool = True,
) -> list[Outcome]:
    """Run the conformance suite on ``solver``.

    Parameters
    ----------
    solver : Solver
    checks : list of str, optional
        Names out of `CHECKS`; all of them by default.
    seed : int
        Of the cases and of the solver.
    effort : float
        Passed to the solver; small, since the cases are.
    time_limit : float
        Seconds given in the check of the time limit.
    slack : float
        Seconds it may take longer.
    big : int
        Units of the case on which the time limit is checked.
    raise_on_failure : bool
        Raise when a check fails, instead of only returning what was found.

    Returns
    -------
    list of Outcome
        One per check and case.

    Raises
    ------
    SolverError
        Listing every failure.

    Notes
    -----
    The cases follow the capabilities the solver states: what it says it cannot do is not asked of it. All
    cases have a known assignment that keeps all rules and bands, so "found nothing" is a failure.

    Examples
    --------
    >>> from gtm_opt.solvers import get_solver
    >>> outcomes = check_solver(get_solver("lpt"), checks=["valid_assignment", "rules_kept"])
    >>> all(outcome.passed for outcome in outcomes)
    True
    """
    unknown = [name for name in checks or [] if name not in CHECKS]
    if unknown:
        raise SolverError(f"`checks` must be among {', '.join(CHECKS)}, got {', '.join(unknown)}.")
    lacking = [a for a in ("name", "capabilities", "source") if not hasattr(solver, a)]
    if lacking or not callable(solver) or not isinstance(solver.capabilities, Capabilities):
        raise SolverError(f"`solver` must follow gtm_opt.solvers.Solver, lacks: {', '.join(lacking) or 'the call'}.")
    outcomes: list[Outcome] = []
    for name in checks or list(CHECKS):
        if name == "time_limit_kept":
            outcomes.append(_time_limit(solver, seed, time_limit, slack, big))
            continue
        for case in cases_for(solver.capabilities, seed):
            outcomes.extend(_outcomes(name, case, CHECKS[name](_Call(solver, case, seed, effort))))
    failed = [o for o in outcomes if not o.passed]
    if failed and raise_on_failure:
        listed = "\n".join(f"  {o.check} ({o.case}): {o.problem}" for o in failed)
        raise SolverError(f"Solver '{solver.name}' fails {len(failed)} of {len(outcomes)} checks:\n{listed}")
    return outcomes


def _outcomes(check: str, case: Case, problems: Iterator[str]) -> list[Outcome]:
    """Collect the problems of one check; whatever is raised inside is one, too."""
    try:
        found = list(problems)
    except KeyboardInterrupt:
        found = ["KeyboardInterrupt left the solver; catch it, call run.interrupt() and return the incumbent"]
    except Exception as error:
        found = [f"raised {type(error).__name__}: {error}"]
    return [Outcome(check, case.name, problem) for problem in found] or [Outcome(check, case.name)]


def _broken(instance: Instance, assignment: Any) -> str:
    """Say what is wrong with the form of an assignment; empty when it is in order."""
    if assignment is None:
        return "returned no assignment though there is one that keeps all rules"
    array = np.asarray(assignment)
    if array.shape != (instance.n_units,):
        return f"assignment must have shape ({instance.n_units},), got {array.shape}"
    if not np.issubdtype(array.dtype, np.integer):
        return f"assignment must hold integers, got {array.dtype}"
    outside = int(((array < 0) | (array >= instance.n_territories)).sum())
    return f"{outside} units lie outside 0..{instance.n_territories - 1}" if outside else ""


def _key(instance: Instance, assignment: IntArray) -> tuple[float, ...]:
    """Return the place of an assignment in the one order of plans: smaller is better."""
    return rank(instance, evaluate(instance, assignment))


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    """A solver, a case, and what to call it with."""

    solver: Solver
    case: Case
    seed: int
    effort: float

    def __call__(self, run: Run | None = None, **more: Any) -> SolverResult:
        run = Run(_SAFETY) if run is None else run
        return self.solver(self.case.instance, run=run, seed=self.seed, effort=self.effort, **more)


def _valid_assignment(call: _Call) -> Iterator[str]:
    result = call()
    problem = _broken(call.case.instance, result.assignment)
    if problem:
        yield problem
    if result.proved_infeasible:
        yield "claims that nothing keeps the rules and bands, but something does"
    if not isinstance(result.termination, Termination):
        yield f"termination must be a Termination, got {result.termination!r}"
    if result.prices is not None and result.prices.shape != call.case.instance.target.shape:
        yield f"prices must have shape {call.case.instance.target.shape}, got {result.prices.shape}"


def _rules_kept(call: _Call) -> Iterator[str]:
    assignment = call().assignment
    if assignment is None or _broken(call.case.instance, assignment):
        return
    found = evaluate(call.case.instance, assignment)
    if not np.isfinite(found.cost):
        yield "a pin or a bar is broken"
    if found.apart_broken:
        yield f"{found.apart_broken} pairs that must be apart are together"
    over = [
        row.name for row, use in zip(call.case.instance.side, found.side, strict=True) if use > row.upper * (1 + 1e-9)
    ]
    if over:
        yield f"side rows over their limit: {', '.join(over)}"


def _same_seed(call: _Call) -> Iterator[str]:
    first, again = call(), call()
    if Termination.TIME_LIMIT in (first.termination, again.termination):
        return
    if (first.assignment is None) != (again.assignment is None):
        yield "found an answer in one of two equal runs only"
    elif first.assignment is not None and again.assignment is not None:
        differing = int((np.asarray(first.assignment) != np.asarray(again.assignment)).sum())
        if differing:
            yield f"{differing} of {call.case.instance.n_units} units differ between two runs with the same seed"
    if first.bound != again.bound:
        yield f"the bound differs between two runs with the same seed: {first.bound} and {again.bound}"


def _finished(call: _Call) -> Iterator[str]:
    """Finished means that no clock cut anything: half the time gives the same answer, or says that it was cut."""
    first = call(Run(_SAFETY))
    if first.termination is not Termination.FINISHED:
        return
    second = call(Run(0.5 * _SAFETY))
    if second.termination is not Termination.FINISHED:
        return
    if first.assignment is None or second.assignment is None:
        return
    if not np.array_equal(first.assignment, second.assignment):
        yield "finished under a limit and under half of it, with different assignments: a clock cut the work"


def _is_worse(now: tuple[float, ...], was: tuple[float, ...]) -> bool:
    """Whether ``now`` comes after ``was`` by more than rounding: the first entry that differs decides."""
    for after, before in zip(now, was, strict=True):
        if after != before and abs(after - before) > _EPSILON * max(1.0, abs(before)):
            return after > before
    return False


def _start_kept(call: _Call) -> Iterator[str]:
    rng = np.random.default_rng(call.seed)
    shuffled = rng.integers(0, call.case.instance.n_territories, call.case.instance.n_units)
    for label, start in (("a good start", call.case.known), ("a random start", shuffled)):
        before = start.copy()
        result = call(start=start)
        if not np.array_equal(before, start):
            yield f"{label} was changed in place"
        if result.assignment is None:
            if not _key(call.case.instance, before)[0]:
                yield f"{label} was lost: no assignment returned"
            continue
        if _broken(call.case.instance, result.assignment):
            continue  # found by another check
        was, now = _key(call.case.instance, before), _key(call.case.instance, result.assignment)
        if _is_worse(now, was):
            yield f"{label} was worsened (rules broken, excess by priority, objective): {was} became {now}"


def _bound_holds(call: _Call) -> Iterator[str]:
    result = call()
    if np.isnan(result.bound):
        yield "the bound is nan; -inf says that there is none"
    if np.isfinite(result.bound) and not (call.solver.capabilities.lower_bound or call.solver.capabilities.proof):
        yield "a bound is returned, but the capabilities do not say so"
    answers = [("the known assignment", call.case.known)]
    if result.assignment is not None and not _broken(call.case.instance, result.assignment):
        answers.append(("its own answer", result.assignment))
    for label, assignment in answers:
        found = evaluate(call.case.instance, assignment)
        if found.feasible and result.bound > found.objective + _EPSILON * max(1.0, abs(found.objective)):
            yield f"the bound {result.bound} is above the value of {label}, {found.objective}"


def _input_untouched(call: _Call) -> Iterator[str]:
    before = _digest(call.case.instance)
    call()
    if _digest(call.case.instance) != before:
        yield "the instance was changed"


class _CtrlC(Run):
    """A run on which Ctrl-C is pressed, once, while the solver is between two slices of work."""

    pressed = False

    def stop(self) -> bool:
        """Raise at the first question, then answer as usual."""
        if not self.pressed:
            self.pressed = True
            raise KeyboardInterrupt
        return super().stop()


def _interrupted(call: _Call) -> Iterator[str]:
    def refuse(_: Progress) -> bool:
        return False

    for label, run in (("a callback that returns False", Run(_SAFETY, refuse)), ("Ctrl-C", _CtrlC(_SAFETY))):
        result = call(run, start=call.case.known)
        problem = _broken(call.case.instance, result.assignment)
        if problem:
            yield f"after {label}: {problem}"
        elif result.assignment is not None and _key(call.case.instance, result.assignment)[0]:
            yield f"after {label}: the answer breaks a rule, the start did not"


def _time_limit(solver: Solver, seed: int, limit: float, slack: float, big: int) -> Outcome:
    """Run without an end to the effort: the time limit alone must stop it."""
    case = big_case(solver.capabilities, big, seed)
    name = f"{big:,} units, {limit} s"
    try:
        solver(case.instance, run=Run(limit), seed=seed)  # compiles what has to be compiled
        run = Run(limit)
        result = solver(case.instance, run=run, seed=seed, effort=np.inf)
        seconds = run.seconds
    except Exception as error:
        return Outcome("time_limit_kept", name, f"raised {type(error).__name__}: {error}")
    if seconds > 1.1 * limit + slack:
        return Outcome("time_limit_kept", name, f"took {seconds:.2f} s")
    problem = "" if result.assignment is None else _broken(case.instance, result.assignment)
    return Outcome("time_limit_kept", name, problem)


def _digest(value: Any) -> str:
    """Return a hash over all arrays inside nested dataclasses and tuples."""
    seen = hashlib.sha256()

    def visit(item: Any) -> None:
        if isinstance(item, np.ndarray):
            seen.update(str(item.shape).encode() + np.ascontiguousarray(item).tobytes())
        elif isinstance(item, tuple):
            for part in item:
                visit(part)
        elif is_dataclass(item) and not isinstance(item, type):
            for part in fields(item):
                visit(getattr(item, part.name))
        else:
            seen.update(repr(item).encode())

    visit(value)
    return seen.hexdigest()


def _never(call: _Call) -> Iterator[str]:
    yield from ()


CHECKS: dict[str, Callable[[_Call], Iterator[str]]] = {
    "valid_assignment": _valid_assignment,
    "rules_kept": _rules_kept,
    "same_seed_same_answer": _same_seed,
    "finished_is_repeatable": _finished,
    "start_never_worsened": _start_kept,
    "bound_below_value": _bound_holds,
    "input_untouched": _input_untouched,
    "interrupt_gives_incumbent": _interrupted,
    "time_limit_kept": _never,
}
"""The checks by name, in the order in which they run (the time limit is checked on a case of its own)."""
