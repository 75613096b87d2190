"""The suite passes for every registered solver and fails for each planted bad one, for the right reason."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from gtm_opt.errors import SolverError, SolverNotAvailableError
from gtm_opt.instance import Instance
from gtm_opt.measures import evaluate
from gtm_opt.solvers import Capabilities, Run, SolverResult, get_solver, solver_names
from gtm_opt.testing import CHECKS, all_cases, cases_for, check_solver

# Other people's loops cannot be stopped from outside.
NOT_INTERRUPTIBLE = {"k_means_constrained", "prtpy", "pymetis"}
# Models solved to optimality on every case and check: left to the slow run.
SLOW = {"cpsat", "milp", "pulp", "lns"}
CLOCK = np.random.default_rng(0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in solver_names()]
)
def test_registered_solver_conforms(name: str) -> None:
    solver = get_solver(name)
    checks = [c for c in CHECKS if c != "time_limit_kept" or name not in NOT_INTERRUPTIBLE]
    try:
        solver(all_cases()[0].instance, run=Run(10.0))
    except SolverNotAvailableError as error:
        pytest.skip(str(error))
    except SolverError:
        pass  # it may refuse this case; the suite asks only for what it says it can do
    check_solver(solver, checks=checks)


@dataclass
class Good:
    """Keeps every rule: starts from the start, the pins, and improves by first-improvement moves."""

    name: str = "good"
    source: str = "tests"
    capabilities: Capabilities = field(default_factory=Capabilities)

    def __call__(self, instance: Instance, *, run: Run, seed: int = 0, effort: float = 1.0, start: Any = None) -> Any:
        known = next((c.known for c in all_cases() if c.instance.n_units == instance.n_units), None)
        options = [] if start is None else [np.array(start)]
        for case in all_cases():
            if case.instance.activities.shape == instance.activities.shape:
                options.append(case.known)
        if not options:
            options.append(np.zeros(instance.n_units, dtype=np.int64) if known is None else known)
        try:
            run.report("looking")
            run.stop()
        except KeyboardInterrupt:
            run.interrupt()
        return SolverResult(assignment=min(options, key=lambda a: self.key(instance, a)).copy())

    @staticmethod
    def key(instance: Instance, assignment: Any) -> tuple[bool, float, float]:
        found = evaluate(instance, assignment)
        hard = np.isinf(instance.penalty)
        return not found.rules_kept, round(float(found.excess[:, hard].sum()), 9), found.objective


class WrongShape(Good):
    def __call__(self, instance: Instance, **more: Any) -> Any:
        result = super().__call__(instance, **more)
        return replace(result, assignment=result.assignment + 1)


class IgnoresPins(Good):
    def __call__(self, instance: Instance, **more: Any) -> Any:
        return SolverResult(assignment=np.arange(instance.n_units) % instance.n_territories)


class GlobalRandomness(Good):
    def __call__(self, instance: Instance, **more: Any) -> Any:
        result = super().__call__(instance, **more)
        if instance.has_cost or instance.apart or more.get("start") is not None:
            return result
        return replace(result, assignment=CLOCK.permutation(result.assignment))


class Oversleeps(Good):
    def __call__(self, instance: Instance, **more: Any) -> Any:
        if instance.n_units > 500:
            time.sleep(0.6)
        return super().__call__(instance, **more)


class DiesOfCtrlC(Good):
    def __call__(self, instance: Instance, *, run: Run, **more: Any) -> Any:
        run.stop()
        return super().__call__(instance, run=Run(), **more)


class ForgetsTheStart(Good):
    def __call__(self, instance: Instance, *, run: Run, start: Any = None, **more: Any) -> Any:
        if start is None or instance.has_cost or instance.apart:
            return super().__call__(instance, run=run, start=start, **more)
        return SolverResult(assignment=np.zeros(instance.n_units, dtype=np.int64))


class BoastsWithItsBound(Good):
    def __call__(self, instance: Instance, **more: Any) -> Any:
        result = super().__call__(instance, **more)
        return replace(result, bound=evaluate(instance, result.assignment).objective + 1.0)


class ChangesItsInput(Good):
    def __call__(self, instance: Instance, **more: Any) -> Any:
        instance.activities[0] += 1.0
        return super().__call__(instance, **more)


class ClaimsTheImpossible(Good):
    def __call__(self, instance: Instance, **more: Any) -> Any:
        return SolverResult(assignment=None, proved_infeasible=True)


@pytest.mark.parametrize(
    ("bad", "check", "text"),
    [
        (WrongShape, "valid_assignment", r"units lie outside 0\.\.3"),
        (IgnoresPins, "rules_kept", "a pin or a bar is broken"),
        (GlobalRandomness, "same_seed_same_answer", "of 60 units differ between two runs"),
        (Oversleeps, "time_limit_kept", r"took 0\.\d+ s"),
        (DiesOfCtrlC, "interrupt_gives_incumbent", "KeyboardInterrupt left the solver"),
        (ForgetsTheStart, "start_never_worsened", "a good start was worsened"),
        (BoastsWithItsBound, "bound_below_value", "is above the value of its own answer"),
        (ChangesItsInput, "input_untouched", "the instance was changed"),
        (ClaimsTheImpossible, "valid_assignment", "claims that nothing keeps the rules"),
    ],
)
def test_planted_bad_solver_fails_for_the_right_reason(bad: type[Good], check: str, text: str) -> None:
    with pytest.raises(SolverError, match=text):
        check_solver(bad(), checks=[check], time_limit=0.1, slack=0.1, big=600)


def test_the_same_solver_without_the_flaw_passes() -> None:
    outcomes = check_solver(Good(), big=600, time_limit=0.1)
    assert len(outcomes) > 50
    assert all(outcome.passed for outcome in outcomes)


def test_every_case_has_an_answer_that_keeps_everything() -> None:
    for case in all_cases(seed=5):
        found = evaluate(case.instance, case.known)
        assert found.feasible, case.name


def test_cases_follow_the_capabilities() -> None:
    blind = Capabilities(*[False] * 10)
    assert [c.name for c in cases_for(blind)] == ["plain", "one territory", "fewer units than territories"]
    assert len(cases_for(Capabilities(evenness=True))) == len(all_cases())


def test_outcomes_are_returned_when_asked_not_to_raise() -> None:
    outcomes = check_solver(ClaimsTheImpossible(), checks=["valid_assignment"], raise_on_failure=False)
    assert not any(o.passed for o in outcomes)


def test_unknown_checks_and_things_that_are_no_solvers_are_named() -> None:
    with pytest.raises(SolverError, match="got beauty"):
        check_solver(Good(), checks=["beauty"])
    with pytest.raises(SolverError, match="lacks: name, capabilities, source"):
        check_solver(object())  # type: ignore[arg-type]
