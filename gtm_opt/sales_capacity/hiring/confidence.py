"""`Confidence`: with which probability the targets shall be met, and what is uncertain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gtm_opt.errors import DataError, Findings
from gtm_opt.sales_capacity.hiring.rules import PipelineLimit, Promotion, Release

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gtm_opt.sales_capacity.hiring.problem import HiringProblem

__all__ = ["Confidence", "check_uncertain"]


@dataclass(frozen=True)
class Confidence:
    """The probability of making the number, and what may go wrong.

    Parameters
    ----------
    probability : float
        In (0, 1).
    jointly : bool
        All targets together (default), or each by itself.
    method : {"scenarios", "cvar", "normal"}
        How the promise is put into the model. ``"scenarios"``: at most a part ``1 - probability`` of the scenarios may
        miss. ``"cvar"``: the average of the worst such part must not miss, which is stricter and easier to solve.
        ``"normal"``: a conservative linear cut from means and variances, no scenarios.
    scenarios : int
        Paths in the model; at least ``1 / (1 - probability)``.
    attainment_cv : float
        Standard deviation over mean of what a seller books in a year, 0 or more (lognormal).
    correlation : float
        Pairwise correlation of the logarithms: a common factor, in [0, 1).
    slip : sequence of float
        Probabilities that a hire starts 0, 1, 2, ... months late; sum to 1. Default: all in time.
    fresh_paths : int
        Paths that the plan has not seen, on which the promise is checked.
    seed : int

    Raises
    ------
    DataError
        With every finding.

    Notes
    -----
    People leave one by one at the end of a month with their monthly hazard. Costs, support and spans stay expectations.
    """

    probability: float
    jointly: bool = True
    method: Literal["scenarios", "cvar", "normal"] = "scenarios"
    scenarios: int = 200
    attainment_cv: float = 0.0
    correlation: float = 0.0
    slip: Sequence[float] = (1.0,)
    fresh_paths: int = 20_000
    seed: int = 0

    def __post_init__(self) -> None:
        found = Findings()
        _range(found, "probability", self.probability, 0.0, 1.0, open_low=True)
        _range(found, "correlation", self.correlation, 0.0, 1.0)
        _range(found, "attainment_cv", self.attainment_cv, 0.0, math.inf)
        if self.method not in ("scenarios", "cvar", "normal"):
            found.add("Confidence.method", "must be 'scenarios', 'cvar' or 'normal'", got=repr(self.method))
        for name in ("scenarios", "fresh_paths"):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
                found.add(f"Confidence.{name}", "must be a whole number, at least 1", got=repr(value))
        slip = tuple(float(p) for p in self.slip)
        if not slip or not all(math.isfinite(p) and p >= 0 for p in slip) or abs(math.fsum(slip) - 1.0) > 1e-6:
            found.add("Confidence.slip", "must be probabilities that sum to 1", got=repr(slip))
        object.__setattr__(self, "slip", slip)
        if not found and self.method != "normal":
            needed = math.ceil(1.0 / (1.0 - self.probability) - 1e-9)
            if self.scenarios < needed:
                remedy = "With fewer, one path that misses is too many."
                rule = f"must be at least {needed} for a probability of {self.probability:g}"
                found.add("Confidence.scenarios", rule, got=f"{self.scenarios}", remedy=remedy)
        found.raise_if_any()

    @classmethod
    def of(cls, confidence: float | Confidence) -> Confidence:
        """Return a probability as a `Confidence`."""
        return confidence if isinstance(confidence, Confidence) else cls(confidence)

    @property
    def sigma(self) -> float:
        """Standard deviation of the logarithm of attainment."""
        return math.sqrt(math.log1p(self.attainment_cv**2))

    @property
    def may_miss(self) -> int:
        """How many scenarios of the model may miss."""
        return math.floor((1.0 - self.probability) * self.scenarios + 1e-9)


def check_uncertain(problem: HiringProblem, confidence: Confidence, most: NDArray[np.float64]) -> None:
    """Refuse what scenarios of single people do not cover.

    Parameters
    ----------
    problem : HiringProblem
    confidence : Confidence
    most : ndarray of shape (R, T)
        Largest number of starts.

    Raises
    ------
    DataError
    """
    found = Findings()
    for rule in problem.rules:
        if isinstance(rule, Promotion | Release | PipelineLimit):
            name = type(rule).__name__
            found.add("confidence", f"must not be asked together with {name}", remedy="Leave the rule or the odds out.")
    unlimited = [problem.roles.names[k] for k in problem.sellers() if np.isinf(most[k]).any()]
    if unlimited and confidence.method != "normal":
        remedy = "Add a RecruitingLimit: every possible hire gets a life of its own in each scenario."
        rule_text = "needs a largest number of hires for every role that sells"
        found.add("confidence", rule_text, rows=unlimited, kind="role", remedy=remedy)
    if not problem.targets:
        raise DataError("confidence needs targets: there is nothing to be sure of.")
    found.raise_if_any()


def _range(found: Findings, name: str, value: Any, low: float, high: float, *, open_low: bool = False) -> None:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(value)
    if not number or not low <= value < high or (open_low and value <= low):
        left, right = ("(" if open_low else "["), f"{high:g})" if high < math.inf else "...)"
        remedy = "Write 90 % as 0.9." if name == "probability" else ""
        found.add(f"Confidence.{name}", f"must lie in {left}{low:g}, {right}", got=repr(value), remedy=remedy)
