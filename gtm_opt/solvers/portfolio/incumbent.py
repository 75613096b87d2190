"""The best assignment so far, whoever found it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gtm_opt.measures import evaluate, rank

if TYPE_CHECKING:
    from gtm_opt.instance import Instance, IntArray
    from gtm_opt.measures import Evaluation
    from gtm_opt.solvers.protocol import Run

__all__ = ["Incumbent"]


class Incumbent:
    """Keeps the best of what it is offered, recomputed, in planner's order (see `gtm_opt.measures.rank`).

    Attributes
    ----------
    assignment : ndarray of int or None
    evaluation : Evaluation or None
    bound : float
        Best lower bound so far.
    """

    def __init__(self, instance: Instance, run: Run) -> None:
        self._instance = instance
        self._run = run
        self._key: tuple[float, ...] | None = None
        self.assignment: IntArray | None = None
        self.evaluation: Evaluation | None = None
        self.bound = float("-inf")

    def offer(self, assignment: IntArray | None, step: str) -> bool:
        """Take ``assignment`` if it is better; return whether it was."""
        if assignment is None:
            return False
        found = evaluate(self._instance, assignment)
        key = rank(self._instance, found)
        if self._key is not None and key >= self._key:
            return False
        self.assignment, self.evaluation, self._key = assignment, found, key
        self._run.report(step, value=found.objective if found.feasible else None)
        return True

    def offer_bound(self, bound: float, step: str) -> None:
        """Take a lower bound if it is better."""
        if self.bound < bound < float("inf"):
            self.bound = bound
            self._run.report(step, bound=bound)

    @property
    def feasible(self) -> bool:
        """Whether the best assignment keeps all rules and hard bands."""
        return self.evaluation is not None and self.evaluation.feasible

    @property
    def gap(self) -> float:
        """Relative gap of a feasible incumbent, else infinity."""
        if self.evaluation is None or not self.evaluation.feasible:
            return float("inf")
        value = self.evaluation.objective
        return max(0.0, value - self.bound) / max(abs(value), 1e-12)
